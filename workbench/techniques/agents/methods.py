"""Rows of the agents' methods.

To add one, put its module beside this one and its row into the table: docs/adding-a-technique.md.
"""

from __future__ import annotations

from importlib import import_module

from workbench.records.methods import Method
from workbench.records.recipes.agent import DEFAULT_AGENT


def _agent(name: str, title: str, summary: str, source: str, *, cost: str, needs: tuple[str, ...] = ()) -> Method:
    """The row of the module ``name`` of this package: its ``Options`` are the settings, its ``run`` carries it out. All
    of them go on from earlier steps (``steps.Recorded``), and have one answer."""
    path = f"workbench.techniques.agents.{name}"
    return Method(
        name=name,
        kind="agent",
        technique="agents",
        title=title,
        summary=summary,
        source=source,
        config=import_module(path).Options,
        entry=f"{path}:run",
        needs=("grammars", *needs),
        traits=("one answer", "resumes"),
        cost=cost,
    )


METHODS = (
    _agent(
        DEFAULT_AGENT,
        "Step by step",
        "Think, call a tool, see its result, until the answer is known.",
        "Yao et al. 2022, ReAct: Synergizing Reasoning and Acting in Language Models, arXiv:2210.03629",
        cost="A thought, a choice and the arguments of each call, within the agent's budget.",
    ),
)
