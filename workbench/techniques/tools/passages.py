"""Passages in the results of tools: as the model reads them, and numbered across the calls of one answer."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from workbench.records.messages import Passage
from workbench.techniques.tools.results import one_line, plain
from workbench.techniques.tools.tool import ToolOutput


def output_of(passages: Sequence[Passage]) -> ToolOutput:
    """The result of a search, its passages numbered from 1."""
    if not passages:
        return ToolOutput(text="Nothing was found.", failed=True)
    shown = tuple(msgspec.structs.replace(one, n=n) for n, one in enumerate(passages, 1))
    return ToolOutput(text=text_of(shown), passages=shown)


def numbered(output: ToolOutput, known: Sequence[Passage]) -> ToolOutput:
    """The result with its passages numbered on from ``known``, those of the calls before it; one that is among them
    keeps its number, so that a number means one passage in the whole answer."""
    if not output.passages:
        return output
    numbers = {_place(one): one.n for one in known}
    following = max(numbers.values(), default=0)
    shown = []
    for one in output.passages:
        if _place(one) not in numbers:
            following += 1
            numbers[_place(one)] = following
        shown.append(msgspec.structs.replace(one, n=numbers[_place(one)]))
    return msgspec.structs.replace(output, text=text_of(shown), passages=tuple(shown))


def text_of(passages: Sequence[Passage]) -> str:
    """Numbered passages as the model reads them, each with its document and its characters in it."""
    return "\n\n".join(f"[{one.n}] {_heading(one)}\n{plain(one.text, len(one.text))}" for one in passages)


def _heading(passage: Passage) -> str:
    title = one_line(passage.title or passage.document, 120)
    page = f", page {passage.page}" if passage.page else ""
    return f"{title}{page}, characters {passage.start}-{passage.end}"


def _place(passage: Passage) -> tuple[str, str, int, int]:
    return passage.collection, passage.document_hash or passage.document, passage.start, passage.end
