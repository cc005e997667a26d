"""The leaderboard of this machine: scores of its models on benchmarks, a table for each set of settings."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, InlineMessage, PlainButton, Text
from ui.components.choice_box import ChoiceBox
from ui.components.layout import ScrolledColumn, column_of, empty_layout, row_of
from ui.components.notices import EmptyState
from ui.components.run_follower import RunFollowers
from ui.components.wording import describe_bytes, in_words
from ui.features.models import hub_texts as texts
from ui.theme import tokens
from workbench.api.calls import FitModel, GetLeaderboard, ModelList, QuestionSetList, RunBenchmark, RunRecord
from workbench.records.evaluation import Leaderboard, LeaderboardCell, LeaderboardRow
from workbench.records.fit import Fit

_TITLES = texts.BOARD_TITLES
_WIDTHS = (0, 84, 56, 108, 64, 64, 64, 56, 84)
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class LeaderboardPanel(ScrolledColumn):
    def __init__(self, bridge: Bridge) -> None:
        super().__init__(tokens.SPACE_3, width=1100)
        self._bridge = bridge
        self.tables: list[BoardTable] = []
        self._fits: dict[str, Fit | None] = {}
        self.state = Text(texts.BOARD_HELP, "muted")
        self.empty = EmptyState("evaluate", texts.BOARD_EMPTY, texts.BOARD_EMPTY_HELP)
        self.set_choice = ChoiceBox(texts.BOARD_SET, (), 24)
        self.model_choice = ChoiceBox(texts.BOARD_MODEL, (), 24)
        self.run_button = PlainButton(texts.BOARD_RUN, "play", clicked=self._on_run)
        self.message = InlineMessage()
        self._running = QWidget()
        row_of(self._running, self.set_choice, self.model_choice, self.run_button, None, gap=tokens.SPACE_2)
        self._running.hide()
        for part in (self.state, self._running, self.message, self.empty):
            self.column.addWidget(part)
        holder = self._holder = QWidget()
        self._list = column_of(holder, gap=tokens.SPACE_3)
        self.column.addWidget(holder)
        self._board = bridge.home.listing(GetLeaderboard())
        self._board.follow(self._on_board)
        self._runs = RunFollowers(bridge, ("evaluate",), self)
        self._runs.ended.connect(lambda _: self._board.refresh())
        bridge.home.question_sets.follow(self._on_sets)
        bridge.home.models.follow(self._on_models)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._board.refresh()

    def _on_sets(self, found: QuestionSetList) -> None:
        sets = [(one.name, one.id) for one in found.sets if one.benchmark is not None]
        self.set_choice.set_choices(sets)
        self._running.setVisible(bool(sets))

    def _on_models(self, found: ModelList) -> None:
        able = [model for model in found.models if model.kind in ("chat", "base") and model.format == "gguf"]
        self.model_choice.set_choices([(model.name, model.name) for model in able if not model.missing])

    def _on_run(self) -> None:
        call = RunBenchmark(question_set=self.set_choice.value, models=(self.model_choice.value,))

        def begun(run: RunRecord) -> None:
            self._runs.follow(run)
            self.message.show_message(texts.BOARD_BEGUN.format(title=run.title), "info")

        def refused(error: Exception) -> None:
            self.message.show_message(in_words(error), "danger")

        self._bridge.call(call, begun, refused, self)

    def _on_board(self, board: Leaderboard) -> None:
        empty_layout(self._list)
        self.tables = []
        self.empty.setVisible(not board.rows)
        for place, column in enumerate(board.columns):
            found = [(row, cell) for row in board.rows if (cell := row.cells[place]) is not None]
            title = texts.BOARD_COLUMN.format(
                benchmark=column.benchmark, shots=column.shots, metric=column.metric, set=column.question_set,
                questions=column.questions,
            )  # fmt: skip
            table = BoardTable(title, sorted(found, key=lambda one: -one[1].score.value))
            self.tables.append(table)
            self._list.addWidget(table)
        for row in board.rows:
            self._count(row.model)

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
