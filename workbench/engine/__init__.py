"""The engine: our decode loop over llama.cpp's C functions. Only the inference worker imports its modules.

``protocol`` is light; any package above may import it.
"""
