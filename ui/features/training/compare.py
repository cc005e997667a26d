"""Several trainings with their curves laid over each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QScrollArea, QWidget

from ui.components.basics import Card, ElidedLabel, Text
from ui.components.curves import SERIES_TOKENS, CurveChart, Series, Swatch
from ui.components.layout import column_of, empty_layout, row_of
from ui.components.wording import describe_seconds
from ui.features.training import texts
from ui.features.training.state import TrainingState
from ui.features.training.texts import config_of, describe_time, state_of
from ui.theme import tokens
from workbench.records.methods import Methods
from workbench.subjects.runs.calls import RunRecord

_CHARTS = (
    ("evaluation_loss", texts.EVALUATION_LOSS_CHART, "", True),
    ("loss", texts.LOSS_CHART, "", False),
    ("learning_rate", texts.LEARNING_RATE_CHART, "", False),
    ("tokens_per_second", texts.SPEED_CHART, "tokens/s", False),
)
_HEADS = (
    "",
    texts.COLUMN_TRAINING,
    texts.COLUMN_METHOD,
    texts.COLUMN_STATE,
    texts.COLUMN_LOSS,
    texts.COLUMN_EVALUATION_LOSS,
    texts.COLUMN_TIME,
)


class TrainCompare(QWidget):
    """A table that names the colours, and a chart for each of the curves."""

    def __init__(self) -> None:
        super().__init__()
        self.charts = {
            name: CurveChart(title, unit, 160, legend=False, from_zero=name == "tokens_per_second")
            for name, title, unit, _ in _CHARTS
        }
        self._known: object = None
        self.methods: Methods[Any] = Methods()
        self._table = QGridLayout()
        self._table.setHorizontalSpacing(tokens.SPACE_4)
        self._table.setVerticalSpacing(tokens.SPACE_1)
        self._table.setColumnStretch(1, 1)
        names = Card()
        names.body.addWidget(Text(texts.COMPARED, "heading"))
        names.body.addLayout(self._table)
        curves = Card()
        curves.body.setSpacing(tokens.SPACE_4)
        charts = list(self.charts.values())
        for pair in (charts[:2], charts[2:]):
            row = row_of(gap=tokens.SPACE_4)
            for chart in pair:
                row.addWidget(chart, 1)
            curves.body.addLayout(row)
        curves.body.addStretch(1)
        inside = QWidget()
        inside.setProperty("role", "page")
        column_of(inside, names, curves, None, gap=tokens.SPACE_4, margins=(tokens.SPACE_5, tokens.SPACE_4))
        area = QScrollArea(widgetResizable=True, focusPolicy=Qt.FocusPolicy.NoFocus)
        area.setWidget(inside)
        column_of(self, area)

    def show_runs(self, runs: Sequence[tuple[RunRecord, TrainingState]]) -> None:
        """Lay these over each other; each keeps its colour by its place."""
        titles = _told_apart([run for run, _ in runs])
        for name, _, _, dots in _CHARTS:
            series = []
            for number, (_, story) in enumerate(runs):
                curve = story.curve(name)
                token, style = _look(number)
                series.append(Series(titles[number], token, curve.steps, curve.values, dots, name == "loss", style))
            self.charts[name].show_series(series)
        rows = [(title, *_row(run, story, self.methods)) for title, (run, story) in zip(titles, runs, strict=True)]
        if rows == self._known:
            return
        self._known = rows
        empty_layout(self._table)
        for place, title in enumerate(_HEADS):
            self._table.addWidget(Text(title, "small"), 0, place)
        for line, row in enumerate(rows, 1):
            self._table.addWidget(Swatch(*_look(line - 1)), line, 0)
            for place, words in enumerate(row, 1):
                label = ElidedLabel(words) if place == 1 else Text(words, "muted")
                if isinstance(label, Text):
                    label.setWordWrap(False)
                self._table.addWidget(label, line, place)


def _look(number: int) -> tuple[str, int]:
    """Colour and style of the line of the run at a place; the colours come again in another style."""
    return SERIES_TOKENS[number % len(SERIES_TOKENS)], number // len(SERIES_TOKENS)


def _told_apart(runs: Sequence[RunRecord]) -> list[str]:
    """Their titles; those that several have with the time at which each began."""
    titles = [run.title for run in runs]
    return [f"{run.title} · {describe_time(run.created)}" if titles.count(run.title) > 1 else run.title for run in runs]


def _row(run: RunRecord, story: TrainingState, methods: Methods[Any]) -> tuple[str, ...]:
    config = config_of(run)
    loss, held = story.curve("loss").last, story.curve("evaluation_loss").last
    return (
        methods.row(config.weights.method, "weights").title if config is not None else "",
        state_of(run)[0],
        f"{loss:.3f}" if loss is not None else "–",
        f"{held:.3f}" if held is not None else "–",
        describe_seconds(run.ended - run.created) if run.ended is not None else "–",
    )
