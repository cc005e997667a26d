"""The form in which two texts are compared wherever the program decides whether an answer is the expected one.

``plain_text`` removes what only lays a text out, ``numbers`` and ``dates`` read their notations, ``units`` their
spellings; ``readings`` says how a text may be read, ``tokens`` splits it, and ``words`` are what is compared. Imports
nothing but the standard library, itself and ``workbench.text.numbers``: these files are copied into an exported
training, which scores by the same code.
"""
