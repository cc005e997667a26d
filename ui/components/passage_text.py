"""The text of a passage as a person reads it: paragraphs without marks, the rows of its tables as small tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.components.basics import Line, Text, TextRole
from ui.components.layout import column_of
from ui.theme import tokens
from workbench.records.document_blocks import DocumentBlocks
from workbench.records.document_formats import kind_by_name
from workbench.records.messages import Passage
from workbench.records.table_lines import BAR

LONGEST = 400
"""Characters that are shown of a passage; the document shows the rest."""
_MOST_BESIDE = 3
"""Columns that stand beside each other; of a wider table each row is a list of names and words."""
_MOST_COLUMNS = 12
_MOST_LISTED = 2
"""Rows of such a table."""


@dataclass(frozen=True)
class Words:
    """A paragraph, an item or a heading."""

    text: str
    heading: bool = False


@dataclass(frozen=True)
class Rows:
    """Rows of a table that follow each other; ``names`` are those of its columns, "" for one without."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def parts_of(passage: Passage, about: str = "", longest: int = LONGEST) -> list[Words | Rows]:
    """What is shown of a passage: about ``longest`` characters from its beginning, or from what holds ``about``."""
    document = DocumentBlocks(passage.text, kind_by_name(passage.path))
    drawn = [document.drawn_text(number) for number in range(len(document.blocks))]
    first = next((number for number, text in enumerate(drawn) if about and about.casefold() in text.casefold()), 0)
    parts: list[Words | Rows] = [Words("…")] if first else []
    left = longest
    for number in range(first, len(document.blocks)):
        block = document.blocks[number]
        if left <= 0:
            parts.append(Words("…"))
            break
        left -= len(drawn[number])
        if block.kind == "row":
            names = document.grids[block.table].names
            if not any(names):
                names = _columns_at(passage, block.start) or names
            _add_row(parts, names, [(cell.column, cell.words) for cell in document.cells(number)])
        elif block.kind not in ("head", "rule", "page") and drawn[number].strip():
            marker = f"{document.marker(number)} " if block.kind == "item" else ""
            whole = " ".join(drawn[number].split())
            parts.append(
                Words(marker + _within(whole, about, max(left + len(drawn[number]), 40)), block.kind == "heading")
            )
    return parts


def _within(text: str, about: str, longest: int) -> str:
    """A paragraph, without its end where it is too long; the beginning goes where ``about`` stands further down."""
    place = text.casefold().find(about.casefold()) if about else 0
    if place > longest // 2:
        _, _, rest = text[place - longest // 4 :].partition(" ")
        return f"… {shorten(rest, longest, placeholder=' …')}"
    return shorten(text, longest, placeholder=" …")


def _columns_at(passage: Passage, start: int) -> tuple[str, ...]:
    """The names of the columns of a row that does not name them itself, as far as they are known."""
    before = [one for one in passage.places if one.kind == "columns" and one.start <= passage.start + start]
    return tuple(before[-1].name.split(BAR)) if before and before[-1].name else ()


def _add_row(parts: list[Words | Rows], names: Sequence[str], cells: Sequence[tuple[int, str]]) -> None:
    width = min(_MOST_COLUMNS, max([len(names), *(column + 1 for column, _ in cells)]))
    row = [""] * width
    for column, words in cells:
        row[min(column, width - 1)] = " ".join(words.split())
    known = tuple((*names, *[""] * width)[:width])
    last = parts[-1] if parts else None
    if isinstance(last, Rows) and last.names == known:
        parts[-1] = Rows(known, (*last.rows, tuple(row)))
    else:
        parts.append(Rows(known, (tuple(row),)))


class PassageText(QWidget):
    """What is shown of a passage. ``text`` is all of it in words, for a screen reader."""

    def __init__(self, passage: Passage, about: str = "") -> None:
        super().__init__()
        parts = parts_of(passage, about)
        self.text = " ".join(
            part.text if isinstance(part, Words) else "; ".join(_spoken(part.names, row) for row in part.rows)
            for part in parts
        )
        column = column_of(self, gap=tokens.SPACE_2)
        for part in parts:
            if isinstance(part, Words):
                column.addWidget(Text(part.text, "strong" if part.heading else "body"))
            else:
                column.addWidget(_grid(part))


def _spoken(names: Sequence[str], row: Sequence[str]) -> str:
    pairs = zip(names, row, strict=True)
    return ", ".join(f"{name} {words}".strip() for name, words in pairs if words)


def _grid(part: Rows) -> QWidget:
    """Columns beside each other; where there are more than fit, each row as a list, or as a line where they have no
    names."""
    inner = QWidget()
    grid = QGridLayout(inner)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(tokens.SPACE_3)
    grid.setVerticalSpacing(tokens.SPACE_1)
    if len(part.names) <= _MOST_BESIDE:
        if any(part.names):
            _put_row(grid, part.names, "small")
        for row in part.rows:
            _put_row(grid, row, "body")
        for column in range(len(part.names)):
            grid.setColumnStretch(column, 1)
        return inner
    if not any(part.names):
        for row in part.rows:
            grid.addWidget(Text(" · ".join(filter(None, row)), "body"), grid.rowCount(), 0)
        return inner
    grid.setColumnStretch(1, 1)
    for number, row in enumerate(part.rows[:_MOST_LISTED]):
        if number:
            grid.addWidget(Line(), grid.rowCount(), 0, 1, 2)
        for name, words in zip(part.names, row, strict=True):
            if words:
                line = grid.rowCount()
                grid.addWidget(Text(name, "small"), line, 0, Qt.AlignmentFlag.AlignTop)
                grid.addWidget(Text(words, "body"), line, 1)
    if len(part.rows) > _MOST_LISTED:
        grid.addWidget(Text("…", "body"), grid.rowCount(), 0, 1, 2)
    return inner


def _put_row(grid: QGridLayout, row: Sequence[str], role: TextRole) -> None:
    line = grid.rowCount()
    for column, words in enumerate(row):
        grid.addWidget(Text(words, role), line, column, Qt.AlignmentFlag.AlignTop)
