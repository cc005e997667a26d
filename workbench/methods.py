"""METHODS: every method of this program, of the techniques and of evaluation.

The window and the terminal describe methods by this table. Importing it loads neither numpy nor a model library, so
that the terminal can list the methods in its help without a running core.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from workbench.base.fields import describe_default, describe_range
from workbench.records.methods import KIND_TITLES, Method, MethodInfo, Methods
from workbench.subjects.evaluation.methods import SCORERS
from workbench.subjects.evaluation.optimisers.methods import OPTIMISERS
from workbench.techniques.registry import METHODS as TECHNIQUES

METHODS: Methods[Method] = Methods((*TECHNIQUES, *SCORERS, *OPTIMISERS))


def as_markdown() -> str:
    """docs/techniques.md: every method by its kind, with its cost and source, and the settings of the techniques."""
    lines = [
        "# Techniques",
        "",
        "Every method of the program. Written by `python -m workbench.methods docs/techniques.md` from the rows beside",
        "the methods; a test compares it with them. To add one: [adding-a-technique.md](adding-a-technique.md).",
    ]
    for kind, title in KIND_TITLES.items():
        if not METHODS.of(kind):
            continue
        columns = ("Name", "Summary", "Cost", "Source")
        rows = [(f"`{row.name}`", f"{row.title}. {row.summary}", row.cost, row.source) for row in METHODS.of(kind)]
        lines += ["", f"## {title}", "", *_table(columns, rows)]
        for row in METHODS.of(kind) if kind in ("technique", "agent", "task", "scorer", "optimiser", "reward") else ():
            fields = [
                (f"`{one.name}`", one.typed_help, describe_range(one), describe_default(one)) for one in row.fields
            ]
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


def main(arguments: Sequence[str]) -> None:
    """Write the table of all methods into the file that is named, or print it."""
    if arguments:
        Path(arguments[0]).write_text(as_markdown(), "utf-8")
    else:
        sys.stdout.write(as_markdown())


if __name__ == "__main__":
    main(sys.argv[1:])
