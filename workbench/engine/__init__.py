"""The engine: our decode loop over llama.cpp's C functions. Only the inference worker imports its modules.

``protocol`` is light and may be imported anywhere above.
"""
