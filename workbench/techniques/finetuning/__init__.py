"""Fine-tuning: a model learns from a person's examples and the result answers in the engine.

``bridge`` carries what was trained with transformers and PEFT over to llama.cpp. Nothing here knows the window.
"""
