"""Rows of prompting: the techniques that drive one or many generations over the messages of a question.

To add one, put its module beside this one and its row into the table: docs/adding-a-technique.md.
"""

from __future__ import annotations

from workbench.records.methods import Method
from workbench.records.recipes.prompting import DEFAULT_TECHNIQUE
from workbench.techniques.prompting import direct

METHODS = (
    Method(
        name=DEFAULT_TECHNIQUE,
        kind="technique",
        technique="prompting",
        title="Direct",
        summary="Answer in one generation, after the instructions.",
        source="Ouyang et al. 2022, Training language models to follow instructions, arXiv:2203.02155",
        config=direct.Direct,
        entry="workbench.techniques.prompting.direct:run",
        traits=("one generation",),
    ),
)
