"""A message's Markdown on the screen, also while it grows.

Finished blocks are laid down once and never touched again; each step rewrites only the open block. So its cost
follows the length of that block, not of the answer.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import TypeVar

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QWidget

from ui.components.code_view import CodeView
from ui.components.layout import column_of
from ui.components.markdown_blocks import Leaf
from ui.components.markdown_stream import MarkdownStream, Update
from ui.components.prose import Mark, Prose
from ui.components.table_rows import Columns, rows_as_tables
from ui.components.table_view import TableView
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.records.table_lines import BAR

Segment = Prose | TableView | CodeView
S = TypeVar("S", bound=Segment)
_COSTLY_S = 0.008
_REST = 5  # a step that was costly is followed by a rest of so many times its cost
_LONGEST_REST_MS = 150


class MarkdownView(QWidget):
    """Shows Markdown. ``numbers`` are the citations that exist: other ``[n]`` stay plain text."""

    link_clicked = Signal(str)
    citation_clicked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._column = column_of(self, gap=tokens.SPACE_3)
        self._segments: list[Segment] = []
        self._settled = 0  # so many segments hold settled text; the last of them may be open behind it
        self._stream = MarkdownStream()
        self._numbers: frozenset[int] = frozenset()
        self._columns: Columns = {}
        self._ended = False
        self._language: str | None = None
        self._marks: tuple[Mark, ...] = ()
        self._rest = QTimer(self, singleShot=True, timeout=self._on_rested)
        current_theme().changed.connect(self._on_theme_changed)

    @property
    def text(self) -> str:
        """The Markdown as it came."""
        return self._stream.text

    @property
    def segments(self) -> Sequence[QWidget]:
        return self._segments

    def set_numbers(self, numbers: Collection[int]) -> None:
        """Which ``[n]`` are citations from now on, also in the text that is there."""
        before, self._numbers = self._numbers, frozenset(numbers)
        if self._cites(before ^ self._numbers):
            self._show_anew()

    def set_columns(self, columns: Columns) -> None:
        """The names of the columns of cited rows from now on, by the number of the citation."""
        if columns != self._columns:
            self._columns = dict(columns)
            if BAR in self._stream.text:
                self._show_anew()

    def set_language(self, language: str | None) -> None:
        """Show the text as code in this language, every sign as it is; None: as Markdown."""
        if language != self._language:
            self._language = language
            self._show_anew()

    def add(self, piece: str) -> None:
        """Let the text grow and show it, at once or, while an open block is long and costly, a little later."""
        self._stream.add(piece)
        if not self._rest.isActive():
            self._on_rested()

    def _on_rested(self) -> None:
        if self._ended:
            return
        began = time.perf_counter()
        self._show(self._stream.take())
        cost = time.perf_counter() - began
        if cost > _COSTLY_S:
            self._rest.start(min(_LONGEST_REST_MS, round(1000 * cost * _REST)))

    def finish(self) -> None:
        """The text is whole."""
        if not self._ended:
            self._ended = True
            self._show(self._stream.finish())

    def set_text(self, text: str, numbers: Collection[int] | None = None) -> None:
        """Show a whole text instead of what is there. Nothing is done when it is there already."""
        before = self._numbers
        self._numbers = before if numbers is None else frozenset(numbers)
        if text == self._stream.text and not self._cites(before ^ self._numbers):
            self.finish()
            return
        self._restart(text)
        self.finish()

    def _cites(self, numbers: Collection[int]) -> bool:
        return any(f"[{number}]" in self._stream.text for number in numbers)

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Underline these pieces of the text, in their order; they stay when the theme changes, and while it grows."""
        before, self._marks = self._marks, tuple(marks)
        if self._marks[: len(before)] == before:
            self._mark()
        else:
            self._show_anew()

    def _mark(self) -> None:
        left = self._marks
        for segment in self._segments:
            if left and isinstance(segment, Prose):
                left = left[segment.mark(left) :]

    def restart(self) -> None:
        """Nothing is there any more; another text will grow."""
        self._marks = ()
        self._restart("")
        self._show(self._stream.take())

    def _restart(self, text: str) -> None:
        self._stream = MarkdownStream(self._language)
        self._stream.add(text)
        self._ended = False
        self._settled = 0

    def _show(self, update: Update) -> None:
        writing = _Writing(self, self._segments, self._settled)
        writing.write(rows_as_tables(update.finished, self._columns), True)
        if update.finished:
            self._settled = writing.settle()
        writing.write(rows_as_tables(update.open, self._columns), False)
        self._segments = writing.close()
        self._mark()

    def make_segment(self, kind: type[S]) -> S:
        """A new segment at the end, wired."""
        segment = kind(self)
        if isinstance(segment, Prose):
            segment.link_clicked.connect(self.link_clicked)
            segment.citation_clicked.connect(self.citation_clicked)
            segment.setAccessibleName(self.accessibleName())
        self._column.addWidget(segment)
        segment.setVisible(True)
        return segment

    @property
    def numbers(self) -> frozenset[int]:
        return self._numbers

    def _on_theme_changed(self) -> None:
        self._show_anew()

    def _show_anew(self) -> None:
        ended, text = self._ended, self._stream.text
        for segment in self._segments:
            segment.restart()
        self._restart(text)
        self._show(self._stream.take())
        if ended:
            self.finish()


class _Writing:
    """One step of a view: keeps the settled segments, reuses the others in their order, makes what is missing."""

    def __init__(self, view: MarkdownView, segments: list[Segment], settled: int) -> None:
        self._view = view
        self._used = segments[:settled]
        self._spare = segments[settled:]
        self._touched: list[Prose] = []
        if self._used and type(self._used[-1]) is Prose:
            self._touched.append(self._used[-1])
            self._used[-1].truncate()

    def write(self, leaves: Sequence[Leaf], closed: bool) -> None:
        prose: list[Leaf] = []
        for leaf in leaves:
            if leaf.kind in ("code", "table"):
                self._write_prose(prose)
                prose = []
                if leaf.kind == "code":
                    self._next(CodeView).show_code(leaf.code, leaf.language, closed)
                else:
                    self._next(TableView).show_table(leaf, self._view.numbers)
            else:
                prose.append(leaf)
        self._write_prose(prose)

    def settle(self) -> int:
        if self._used and type(self._used[-1]) is Prose:
            self._used[-1].settle()
        return len(self._used)

    def close(self) -> list[Segment]:
        for segment in self._spare:
            segment.hide()
            segment.deleteLater()
        for prose in self._touched:
            prose.fit()
        return self._used

    def _write_prose(self, leaves: list[Leaf]) -> None:
        if not leaves:
            return
        last = self._used[-1] if self._used else None
        if type(last) is Prose:
            target = last
        else:
            target = self._next(Prose)
            target.restart()
        if target not in self._touched:
            self._touched.append(target)
        target.write(leaves, self._view.numbers)

    def _next(self, kind: type[S]) -> S:
        if self._spare:
            first = self._spare.pop(0)
            if type(first) is kind:
                self._used.append(first)
                return first
            first.hide()
            first.deleteLater()
            return self._next(kind)
        made = self._view.make_segment(kind)
        self._used.append(made)
        return made
