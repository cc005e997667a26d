"""How well the verification of statements does on pairs that people have judged: its runs, a table of each result."""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, Text, TextRole
from ui.components.run_lines import RunLines, RunTexts
from ui.components.wording import describe_count
from ui.features.models import benchmark_texts as texts
from ui.theme import tokens
from workbench.records.verified_pairs import TABLE, VerificationResult, table_of
from workbench.subjects.runs.calls import RunRecord

_TEXTS = RunTexts(
    waiting=texts.WAITING, running=texts.RUNNING, stopped=texts.STOPPED, failed=texts.FAILED,
    resume=texts.MEASURE_AGAIN, stopping=texts.STOPPING,
)  # fmt: skip


class VerificationRunLines(RunLines):
    """``measured``: a result is there."""

    measured = Signal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge, "verification", _TEXTS)

    def show_finished(self, run: RunRecord, result: dict[str, Any]) -> None:
        self.message_of(run.id).show_message(texts.MEASURED.format(name=run.title), "success")
        self.measured.emit()


class VerificationTable(Card):
    """The data sets of one result, a row each; below it the rows that were left out."""

    def __init__(self, result: VerificationResult) -> None:
        super().__init__()
        self.rows = table_of(result)
        drawn = texts.PAIRS_DRAWN.format(pairs=result.pairs, of_all=result.of_all)
        pairs = drawn if result.pairs < result.of_all else describe_count(result.pairs, "pair")
        title = Text(texts.VERIFICATION.format(title=result.title, pairs=pairs), "heading", toolTip=result.path)
        self.body.addWidget(title)
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(tokens.SPACE_4)
        grid.setVerticalSpacing(tokens.SPACE_2)
        grid.setColumnStretch(0, 1)
        for line, row in enumerate((TABLE, *self.rows)):
            for place, value in enumerate(row):
                kind: TextRole = "small" if not line else "strong" if place == 2 else "body"
                side = Qt.AlignmentFlag.AlignRight if place else Qt.AlignmentFlag.AlignLeft
                grid.addWidget(Text(value or "–", kind, wordWrap=False), line, place, side)
        self.body.addWidget(table)
        date = time.strftime("%Y-%m-%d", time.localtime(result.ended))
        self.body.addWidget(Text(texts.PAIRS_FOOT.format(date=date), "small"))
        if result.left_out:
            rows = describe_count(result.left_out, "row")
            self.body.addWidget(Text(texts.REFUSED.format(rows=rows, first=result.first_left_out), "small"))
