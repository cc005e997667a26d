"""Tables as texts for documents and slides."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def markdown_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table in Markdown."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return [line(headers), line(["---"] * len(headers)), *map(line, rows)]


def latex_table(headers: Sequence[str], rows: Iterable[Sequence[str]], columns: str) -> str:
    """A ``tabular`` with the rules of booktabs. ``columns`` are the kinds of its columns, as ``lrr``."""

    def line(cells: Sequence[str]) -> str:
        return " & ".join(map(_in_latex, cells)) + r" \\"

    head = (
        "% needs \\usepackage{booktabs}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        line(headers),
        r"\midrule",
    )
    return "\n".join((*head, *map(line, rows), r"\bottomrule", r"\end{tabular}", ""))


def _in_latex(text: str) -> str:
    text = re.sub(r"([&%$#_{}])", r"\\\1", text.replace("\\", r"\textbackslash "))
    return text.replace("~", r"\textasciitilde{}").replace("^", r"\textasciicircum{}")
