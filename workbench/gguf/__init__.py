"""The bridge to llama.cpp: a PEFT adapter becomes a GGUF adapter or is merged into a GGUF model.

``converting`` writes GGUF adapters, ``merging`` merged models, ``quantising`` other number formats of a whole model.
What they share: ``peft_folder`` and ``gguf_file`` read, ``base`` and ``families`` know how llama.cpp names and orders
the weights of an architecture, ``changes`` what an adapter does to one tensor. Everything is numpy; llama.cpp itself
is needed by ``quantising`` only.
"""
