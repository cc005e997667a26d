"""METHODS: every method of this program, collected from the rows that stand next to the methods.

The only way to a method: answering and the training worker take a row from here and ``load()`` it. Importing this loads
neither numpy nor a model library, so that the terminal can list the methods in its help without a running core.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from workbench.base.fields import describe_default, describe_range
from workbench.records.methods import KIND_TITLES, Method, MethodInfo, Methods
from workbench.rewards.methods import METHODS as REWARDS
from workbench.subjects.evaluation.methods import METHODS as EVALUATION
from workbench.subjects.evaluation.optimisers.methods import METHODS as OPTIMISING
from workbench.techniques.agents.methods import METHODS as AGENTS
from workbench.techniques.decoding.methods import METHODS as DECODING
from workbench.techniques.finetuning.methods import METHODS as FINETUNING
from workbench.techniques.prompting.methods import METHODS as PROMPTING
from workbench.techniques.retrieval.methods import METHODS as RETRIEVAL
from workbench.techniques.tools.methods import METHODS as TOOLS

METHODS: Methods[Method] = Methods(
    (*PROMPTING, *DECODING, *RETRIEVAL, *AGENTS, *TOOLS, *FINETUNING, *EVALUATION, *OPTIMISING, *REWARDS)
)


def as_markdown() -> str:
    """docs/techniques.md: every method by its kind, with its cost and source, and the settings of the techniques."""
    lines = [
        "# Techniques",
        "",
        "Every method of the program. Written by `python -m workbench.techniques.registry` from the rows beside the",
        "methods; a test compares it with them. To add one: [adding-a-technique.md](adding-a-technique.md).",
    ]
    for kind, title in KIND_TITLES.items():
        if not METHODS.of(kind):
            continue
        columns = ("Name", "Summary", "Cost", "Source")
        rows = [(f"`{row.name}`", f"{row.title}. {row.summary}", row.cost, row.source) for row in METHODS.of(kind)]
        lines += ["", f"## {title}", "", *_table(columns, rows)]
        for row in METHODS.of(kind) if kind in ("technique", "agent", "task", "scorer", "optimiser", "reward") else ():
            fields = [(f"`{one.name}`", one.help, describe_range(one), describe_default(one)) for one in row.fields]
            if fields:
                named = ("Setting", "Meaning", "Range", "Default")
                lines += ["", f"Settings of `{row.name}`:", "", *_table(named, fields)]
    return "\n".join(lines) + "\n"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table without the columns that are empty in every row."""
    lines = list(rows)
    used = [n for n in range(len(columns)) if any(line[n] for line in lines)]
    cells = [[columns[n] for n in used], ["---"] * len(used), *([line[n] for n in used] for line in lines)]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in cells]


def describe() -> tuple[MethodInfo, ...]:
    """All rows with the fields of their configurations, as ``ListMethods`` hands them on."""
    return tuple(method.describe() for method in METHODS)


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
