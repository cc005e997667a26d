"""METHODS: every method of this program, collected from the rows that stand next to the methods.

The only way to a method: answering and the training worker ask for a row here and ``load`` it. Importing this loads
neither numpy nor a model library, so that the terminal can list the methods in its help without a running core.
"""

from __future__ import annotations

from typing import Any

from workbench.records.methods import Kind, Method, MethodInfo, Methods
from workbench.techniques.decoding.methods import METHODS as DECODING
from workbench.techniques.finetuning.methods import METHODS as FINETUNING
from workbench.techniques.prompting.methods import METHODS as PROMPTING
from workbench.techniques.retrieval.methods import METHODS as RETRIEVAL

METHODS: Methods[Method] = Methods((*PROMPTING, *DECODING, *RETRIEVAL, *FINETUNING))


def load(name: str, kind: Kind) -> Any:
    """The function of a method. Raises UserError when there is no method of that name and kind."""
    return METHODS.find(name, kind).load()


def describe() -> tuple[MethodInfo, ...]:
    """All rows with the fields of their configurations, as ``ListMethods`` hands them on."""
    return tuple(method.describe() for method in METHODS)
