"""GGUF and safetensors files: read within limits, and written from adapters, soft prompts and merges.

``reader`` checks a GGUF file's header, ``weights`` reads its tensors, ``writer`` makes one of pieces; ``safetensors``
and ``peft_folder`` read what was trained. ``base_model`` and ``architectures`` know how llama.cpp names and orders the
weights of an architecture, ``adapter_deltas`` what an adapter does to one tensor, ``lora`` and ``merging`` write it.
All of it is numpy: neither torch nor llama.cpp.
"""
