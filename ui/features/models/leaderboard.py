"""The leaderboard of this machine: scores of its models on benchmarks, a table for each set of settings."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, PlainButton, Text
from ui.components.layout import ScrolledColumn, column_of, empty_layout, row_of
from ui.components.notices import EmptyState
from ui.components.wording import describe_bytes, describe_count, in_words
from ui.features import ShellActions
from ui.features.models import benchmark_texts
from ui.features.models import hub_texts as texts
from ui.features.models.benchmark_import import BenchmarkImport
from ui.features.models.benchmark_run import BenchmarkRun
from ui.features.models.reported_scores import ReportedScores
from ui.features.models.verification_table import VerificationRunLines, VerificationTable
from ui.theme import tokens
from workbench.records.evaluation import Leaderboard, LeaderboardCell, LeaderboardRow
from workbench.records.fit import Fit
from workbench.subjects.evaluation.calls import GetLeaderboard, ListEvaluations, ListQuestionSets, QuestionSetList
from workbench.subjects.models.calls import FitModel

_TITLES = texts.BOARD_TITLES
_WIDTHS = (0, 84, 56, 108, 64, 64, 64, 56, 84)
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class LeaderboardPage(ScrolledColumn):
    """See ``ui.features`` for what the frame asks of a page."""

    name, title, icon = "leaderboard", texts.LEADERBOARD, "table"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__(tokens.SPACE_3, width=1100)
        self._bridge = bridge
        self.tables: list[BoardTable] = []
        self.verifications: list[VerificationTable] = []
        self._wanted = ""
        self._fits: dict[str, Fit | None] = {}
        self.state = Text(texts.BOARD_HELP, "muted")
        self.empty = EmptyState("evaluate", texts.BOARD_EMPTY, texts.BOARD_EMPTY_HELP)
        self.import_button = PlainButton(benchmark_texts.OPEN_DATA, "plus", clicked=self._on_import)
        self.data = BenchmarkImport(bridge)
        self.data.hide()
        self.running = BenchmarkRun(bridge)
        self.verifying = VerificationRunLines(bridge)
        self.data.added.connect(self._on_added)
        self.data.measured.connect(self.verifying.follow)
        self.column.addLayout(row_of(None, (self.state, 1), self.import_button, gap=tokens.SPACE_4))
        for part in (self.data, self.verifying, self.running, self.empty):
            self.column.addWidget(part)
        holder = self._holder = QWidget()
        self._list = column_of(holder, gap=tokens.SPACE_3)
        self.column.addWidget(holder)
        self.reported = ReportedScores(bridge)
        self.column.addWidget(self.reported)
        self._board = bridge.home.listing(GetLeaderboard())
        self._board.follow(self._on_board)
        self.verifying.measured.connect(self._board.refresh)
        bridge.home.listing(ListEvaluations()).follow(lambda _: self._board.refresh())
        bridge.home.listing(ListQuestionSets()).follow(self._on_sets)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._board.refresh()

    def _on_import(self) -> None:
        self.data.open()
        self.empty.hide()

    def _on_added(self, question_set: str) -> None:
        self._wanted = question_set
        self._bridge.home.listing(ListQuestionSets()).refresh()

    def _on_sets(self, found: QuestionSetList) -> None:
        if self._wanted and any(one.id == self._wanted for one in found.sets):
            self.running.choose(self._wanted)
            self._wanted = ""

    def _on_board(self, board: Leaderboard) -> None:
        empty_layout(self._list)
        self.tables = []
        nothing = not (board.rows or board.verification)
        self.empty.setVisible(nothing and self.data.isHidden() and self.running.isHidden())
        for place, column in enumerate(board.columns):
            found = [(row, cell) for row in board.rows if (cell := row.cells[place]) is not None]
            title = texts.BOARD_COLUMN.format(
                benchmark=column.benchmark, shots=describe_count(column.shots, "example"),
                metric=column.metric, set=column.question_set,
                questions=column.questions,
            )  # fmt: skip
            table = BoardTable(title, sorted(found, key=lambda one: -one[1].score.value))
            self.tables.append(table)
            self._list.addWidget(table)
        self.verifications = [VerificationTable(result) for result in board.verification]
        for verification in self.verifications:
            self._list.addWidget(verification)
        for row in board.rows:
            self._count(row.model)
        self.reported.show_models(tuple(row.model for row in board.rows))

    def _count(self, model: str) -> None:
        """Count the memory of a model once, and show it in every table."""
        if model in self._fits:
            self._show(model)
            return
        self._fits[model] = None

        def counted(fit: Fit) -> None:
            self._fits[model] = fit
            self._show(model)

        self._bridge.call(FitModel(name=model), counted, lambda error: self.state.setToolTip(in_words(error)), self)

    def _show(self, model: str) -> None:
        fit = self._fits[model]
        if fit is not None:
            for table in self.tables:
                table.show_memory(model, fit.needed)


class BoardTable(Card):
    """One benchmark with one set of settings, the best model first."""

    def __init__(self, title: str, rows: list[tuple[LeaderboardRow, LeaderboardCell]]) -> None:
        super().__init__()
        self.title = title
        self.cells: dict[str, tuple[str, ...]] = {}
        self._memory: dict[str, Text] = {}
        self.body.addWidget(Text(title, "heading"))
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(tokens.SPACE_4)
        grid.setVerticalSpacing(tokens.SPACE_2)
        grid.setColumnStretch(0, 1)
        for place, width in enumerate(_WIDTHS):
            grid.setColumnMinimumWidth(place, width)
        for place, name in enumerate(_TITLES):
            grid.addWidget(Text(name, "small", wordWrap=False), 0, place, _RIGHT if place > 1 else _LEFT)
        for line, (row, cell) in enumerate(rows, 1):
            values = self.cells[row.model] = (
                row.model,
                row.quantization,
                f"{cell.score.value:.1%}",
                f"{cell.score.low:.1%} – {cell.score.high:.1%}",
                f"{cell.score.n:,}",
                describe_bytes(row.bytes),
                f"{cell.tokens_per_s:.1f}" if cell.tokens_per_s else "–",
                time.strftime("%Y-%m-%d", time.localtime(cell.date)),
            )
            for place, value in enumerate((*values[:6], "…", *values[6:])):
                text = Text(value, "strong" if place == 2 else "body", wordWrap=False)
                if place == 6:
                    self._memory[row.model] = text
                grid.addWidget(text, line, place, _RIGHT if place > 1 else _LEFT)
        self.body.addWidget(table)

    def memory(self, model: str) -> str:
        """The memory that is shown for a model."""
        return self._memory[model].text()

    def show_memory(self, model: str, needed: int) -> None:
        """Show the memory that a model needs with the context of the settings."""
        if model in self._memory:
            self._memory[model].setText(describe_bytes(needed))
