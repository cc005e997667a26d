"""Cards of facts: lines, verdicts, names with their values, links, measures before and after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from ui import texts
from ui.components.adapter_texts import ScoreRow
from ui.components.basics import Card, Chip, ElidedLabel, IconLabel, InlineMessage, LinkButton, Text
from ui.components.layout import column_of, empty_layout, row_of
from ui.theme import tokens
from workbench.base.catalogue import translated
from workbench.records.training import ArtifactKind, ScoresPair
from workbench.records.training.outcomes import loses_half, outcome_warning


class ScoreTable(QWidget):
    """Measures in rows: before, after, and by how much they changed."""

    def __init__(self, rows: list[ScoreRow], name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.lines = [f"{row.name}: {row.before} → {row.after} ({row.change})" for row in rows]
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, tokens.SPACE_1)
        grid.setHorizontalSpacing(tokens.SPACE_2)
        grid.setVerticalSpacing(tokens.SPACE_1)
        grid.setColumnStretch(0, 1)
        for column in (1, 2):
            grid.setColumnMinimumWidth(column, 56)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for column, words in enumerate((texts.BEFORE, texts.AFTER, texts.CHANGE), 1):
            where = right if column < 3 else Qt.AlignmentFlag.AlignCenter
            grid.addWidget(_cell(words, "small"), 0, column, where)
        for line, row in enumerate(rows, 1):
            title = Text(row.name, "body")  # wraps where there is little room
            title.setToolTip(row.help)
            grid.addWidget(title, line, 0)
            grid.addWidget(_cell(row.before, "muted"), line, 1, right)
            grid.addWidget(_cell(row.after, "strong"), line, 2, right)
            chip = Chip(row.change or "–", "plain" if row.better is None else "success" if row.better else "attention")
            chip.setFixedWidth(104)
            chip.setAlignment(Qt.AlignmentFlag.AlignCenter)
            words = texts.CHANGED_BY if row.better is None else texts.BETTER_BY if row.better else texts.WORSE_BY
            chip.setAccessibleName(words.format(name=row.name, change=row.change) if row.change else "")
            chip.setToolTip(row.help + (texts.GOT_BETTER if row.better else ""))
            grid.addWidget(chip, line, 3, right)


def _cell(words: str, role: Literal["body", "small", "muted", "strong"]) -> Text:
    text = Text(words, role, wordWrap=False)
    return text


class FactCard(Card):
    """A card with a heading whose lines come and go."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.body.addWidget(Text(title, "heading"))
        self._lines = column_of(gap=tokens.SPACE_2)
        self.body.addLayout(self._lines)
        self.lines: list[str] = []

    def clear(self) -> None:
        self.lines = []
        empty_layout(self._lines)

    def add_scores(self, table: ScoreTable) -> None:
        self.lines += table.lines
        self._lines.addWidget(table)

    def add_line(self, words: str, role: Literal["body", "strong", "small", "muted", "attention"] = "body") -> None:
        text = Text(words, role, textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
        self.lines.append(words)
        self._lines.addWidget(text)

    def add_verdict(self, icon: str, token: str, words: str) -> None:
        holder = QWidget()
        row_of(
            holder,
            (IconLabel(icon, token), 0, Qt.AlignmentFlag.AlignTop),
            (Text(words, "strong"), 1),
            gap=tokens.SPACE_2,
        )
        self.lines.append(words)
        self._lines.addWidget(holder)

    def add_link(self, words: str, run: Callable[[], None]) -> None:
        button = LinkButton(words, clicked=run)
        self._lines.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)

    def show_pairs(self, pairs: list[tuple[str, str]]) -> None:
        """Names at the left, values at the right."""
        self.clear()
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(tokens.SPACE_4)
        grid.setVerticalSpacing(tokens.SPACE_1)
        grid.setColumnStretch(1, 1)
        for line, (name, value) in enumerate(pairs):
            label = Text(name, "muted", wordWrap=False)
            grid.addWidget(label, line, 0, Qt.AlignmentFlag.AlignTop)
            one_word = " " not in value and len(value) > 24
            words = ElidedLabel(value, "body", Qt.TextElideMode.ElideMiddle) if one_word else Text(value)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(words, line, 1)
            self.lines.append(f"{name}: {value}")
        self._lines.addWidget(holder)


def show_outcome(message: InlineMessage, scores: ScoresPair, forgetting: ScoresPair, kind: ArtifactKind) -> None:
    """Show why a result is no success, in red where it cost too much; hide the message where it is one."""
    if words := translated(outcome_warning(scores, forgetting, kind)):
        message.show_message(words, "danger" if loses_half(forgetting) else "attention")
    else:
        message.hide()
