"""The words of the dialog that quantises a model."""

from __future__ import annotations

TITLE = "Quantise {name}"
EXPLANATION = (
    "The model is written with fewer bits per weight, as a new model that needs less memory and is less exact."
)
QUANTISE = "Quantise"
FORMAT = "Format"
FORMAT_HELP = "Four bits and more change most answers little; with three and two bits they become clearly worse."
BITS = "{name}, about {bits:.2g} bits"
BITS_AND_SIZE = "{name}, about {bits:.2g} bits, about {size}"
NAME = "Name of the new model"
NAME_FIRST = "Enter a name for the new model first"
TWICE = (
    "This model is already quantised ({type}). Quantising it again loses more than quantising the original, and a "
    "format with more bits brings nothing back."
)
QUANTISING = "Quantising"
MADE = "{model} was created."
STOPPED = "Stopped. No model was created."
