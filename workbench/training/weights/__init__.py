"""A model's weights as transformers trains them, out of a GGUF file or a safetensors folder."""
