"""The words of the dialog that quantises a model."""

from __future__ import annotations

from workbench.base.catalogue import _

TITLE = _("Quantise {name}")
EXPLANATION = _(
    "The model is written with fewer bits per weight, as a new model that needs less memory and is less exact."
)
QUANTISE = _("Quantise")
FORMAT = _("Format")
FORMAT_HELP = _("Four bits and more change most answers little; with three and two bits they become clearly worse.")
BITS = _("{name}, about {bits:.2g} bits")
BITS_AND_SIZE = _("{name}, about {bits:.2g} bits, about {size}")
NAME = _("Name of the new model")
NAME_FIRST = _("Enter a name for the new model first")
TWICE = _(
    "This model is already quantised ({type}). Quantising it again loses more than quantising the original, and a "
    "format with more bits brings nothing back."
)
QUANTISING = _("Quantising")
MADE = _("{model} was created.")
STOPPED = _("Stopped. No model was created.")
