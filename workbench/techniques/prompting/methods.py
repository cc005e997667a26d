"""Rows of prompting: the techniques that drive one or many generations over the messages of a question.

To add one, put its module beside this one and its row into the table: docs/adding-a-technique.md.
"""

from __future__ import annotations

from importlib import import_module

from workbench.records.methods import Method, Trait
from workbench.records.recipes.parts import DEFAULT_TECHNIQUE


def _technique(name: str, title: str, summary: str, source: str, *traits: Trait, cost: str = "") -> Method:
    """The row of the module ``name`` of this package: its ``Options`` are the settings, its ``run`` carries it out."""
    path = f"workbench.techniques.prompting.{name.replace('-', '_')}"
    return Method(
        name=name,
        kind="technique",
        technique="prompting",
        title=title,
        summary=summary,
        source=source,
        config=import_module(path).Options,
        entry=f"{path}:run",
        traits=traits,
        cost=cost,
    )


METHODS = (
    _technique(
        DEFAULT_TECHNIQUE,
        "Direct",
        "Answer in one generation, after the instructions.",
        "Ouyang et al. 2022, Training language models to follow instructions, arXiv:2203.02155",
    ),
)
