"""Generated question-answer pairs, newest first: accepted and rejected ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from ui.components.basics import Card, Chip, Text
from ui.components.choice_box import ChoiceRow
from ui.components.layout import column_of, row_of
from ui.components.set_builder import texts
from ui.theme import tokens

SHOWN = 200
"""So many rows are kept; the set itself has all that were taken."""


class PairList(QWidget):
    """``add_pair`` takes a pair as the run tells it; a ``reason`` says why it was left out."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = self.left_out = 0
        self.rows: list[PairRow] = []
        self.counts = Text(texts.NO_PAIR, "strong")
        self.filter = ChoiceRow(
            texts.PAIRS_SHOWN,
            [("all", texts.PAIRS_ALL), ("taken", texts.PAIRS_TAKEN), ("left-out", texts.PAIRS_LEFT_OUT)],
        )
        self.filter.setFixedWidth(250)
        self.filter.show_value("all")
        self.filter.chosen.connect(self._on_filter)
        head = row_of(None, (self.counts, 1), self.filter)
        inner = QWidget()
        inner.setProperty("role", "page")
        self._list = column_of(inner, None, gap=tokens.SPACE_2, margins=(0, 0, tokens.SPACE_2, 0))
        area = QScrollArea(
            widgetResizable=True,
            frameShape=QFrame.Shape.NoFrame,
            horizontalScrollBarPolicy=Qt.ScrollBarPolicy.ScrollBarAlwaysOff,
            accessibleName=texts.PAIRS,
        )
        area.setWidget(inner)
        area.setMinimumHeight(260)
        column_of(self, head, (area, 1), gap=tokens.SPACE_2)

    def clear(self) -> None:
        self.taken = self.left_out = 0
        while self.rows:
            self._drop()
        self.counts.setText(texts.NO_PAIR)

    def add_pair(self, pair: Mapping[str, Any]) -> None:
        row = PairRow(pair)
        self.taken += not row.reason
        self.left_out += bool(row.reason)
        self.counts.setText(texts.COUNT_PAIRS.format(taken=self.taken, left_out=self.left_out))
        self.rows.append(row)
        self._list.insertWidget(0, row)
        row.setVisible(self._wants(row))
        if len(self.rows) > SHOWN:
            self._drop()

    def _drop(self) -> None:
        oldest = self.rows.pop(0)
        self._list.removeWidget(oldest)
        oldest.hide()
        oldest.deleteLater()

    def _wants(self, row: PairRow) -> bool:
        return {"taken": not row.reason, "left-out": bool(row.reason)}.get(self.filter.value, True)

    def _on_filter(self, value: str) -> None:
        self.filter.show_value(value)
        for row in self.rows:
            row.setVisible(self._wants(row))


class PairRow(Card):
    """A pair with its source, or with why it was left out."""

    def __init__(self, pair: Mapping[str, Any]) -> None:
        super().__init__(margin=tokens.SPACE_3)
        reason = str(pair.get("reason", ""))
        self.reason = f"{reason[:1].upper()}{reason[1:]}"
        self.body.setSpacing(tokens.SPACE_1)
        source: Mapping[str, Any] = pair.get("source") or {}
        place = str(source.get("note", "")) or PurePath(str(source.get("path", ""))).name
        head = row_of(
            None, (Text(str(pair["question"]), "strong" if not self.reason else "muted"), 1), gap=tokens.SPACE_2
        )
        if self.reason:
            head.addWidget(Chip(texts.PAIRS_LEFT_OUT, "attention"), 0, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(head)
        self.body.addWidget(Text(str(pair["answer"]), "body" if not self.reason else "muted"))
        if self.reason:
            self.body.addWidget(Text(self.reason, "attention"))
        if place:
            self.body.addWidget(Text(place, "small"))
