"""The plan of a training: trainable weights, artifact, memory, disk, time, and why it cannot start.

The memory of a training as one bar of its parts, against the free memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from ui.components.basics import ColourKey, InlineMessage, ProgressLine, Text
from ui.components.layout import FlowLayout, column_of, empty_layout, keep_place, row_of
from ui.components.wording import describe_bytes, describe_seconds
from ui.features.training import texts
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.records.training import MemoryPart, TrainingPlan

FACTS = (
    texts.FACT_TRAINABLE,
    texts.FACT_RESULT,
    texts.FACT_STEPS,
    texts.FACT_MEMORY,
    texts.FACT_DISK,
    texts.COLUMN_TIME,
)


class PlanView(QWidget):
    """``stop_wanted``: planning shall end."""

    stop_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._plan: TrainingPlan | None = None
        self.hint = Text("", "muted")
        self.progress = ProgressLine(stop_clicked=self.stop_wanted)
        self.summary = Text("")
        self.bar = MemoryBar()
        self.notes = Text("", "small")
        self.problem = InlineMessage(closable=False)
        self.facts: dict[str, Text] = {}
        self._table = QWidget()
        grid = QGridLayout(self._table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(tokens.SPACE_5)
        grid.setVerticalSpacing(tokens.SPACE_2)
        grid.setColumnStretch(1, 1)
        line = 0
        for name in FACTS:
            label = Text(name, "muted", wordWrap=False)
            self.facts[name] = Text()
            grid.addWidget(label, line, 0)
            grid.addWidget(self.facts[name], line, 1)
            line += 1
            if name == texts.FACT_MEMORY:
                grid.addWidget(self.bar, line, 1)
                line += 1
        column = column_of(self, gap=tokens.SPACE_2)
        for part in (self.hint, self.summary, self._table, self.notes, self.problem, self.progress):
            column.addWidget(part)
        keep_place(self.progress)
        self.show_nothing(texts.PLAN_NEEDS_BOTH)

    @property
    def plan(self) -> TrainingPlan | None:
        """The plan that is shown and holds; None before there is one and while another is made."""
        return self._plan

    def show_nothing(self, words: str) -> None:
        """There is no plan, and why."""
        self._plan = None
        self.hint.setText(words)
        self.progress.hide()
        self.problem.hide()
        self._arrange(False)

    def show_planning(self) -> None:
        """Another plan is being made; the last one stays in sight until then."""
        self._plan = None
        self.hint.hide()
        self.progress.set_progress(texts.PLANNING)
        self.progress.show()

    def show_problem(self, words: str) -> None:
        """No plan could be made, and why."""
        self.show_nothing("")
        self.problem.show_message(words, "danger")

    def show_plan(self, plan: TrainingPlan) -> None:
        self._plan = plan
        self.progress.hide()
        method = plan.title or plan.config.weights.method
        self.summary.setText(f"{method}: {plan.summary}" if plan.summary else method)
        self.facts[texts.FACT_TRAINABLE].setText(describe_trainable(plan))
        self.facts[texts.FACT_RESULT].setText(plan.served)
        self.facts[texts.FACT_STEPS].setText(texts.STEPS_AND_TOKENS.format(steps=plan.steps, tokens=plan.tokens))
        self.facts[texts.FACT_MEMORY].setText(
            texts.OF_FREE.format(bytes=describe_bytes(plan.memory_bytes), bytes2=describe_bytes(plan.memory_free_bytes))
        )
        self.bar.show_parts(plan.memory, plan.memory_free_bytes)
        self.facts[texts.FACT_DISK].setText(
            texts.OF_FREE.format(bytes=describe_bytes(plan.disk_bytes), bytes2=describe_bytes(plan.disk_free_bytes))
        )
        self.facts[texts.COLUMN_TIME].setText(describe_time(plan.seconds))
        self.notes.setText("\n".join(part for part in (*plan.notes, plan.source) if part))
        if plan.problem:
            self.problem.show_message(f"{plan.problem} {plan.hint}".strip(), "danger")
        else:
            self.problem.hide()
        self._arrange(True)

    def _arrange(self, there: bool) -> None:
        self.hint.setVisible(not there and bool(self.hint.text()))
        self.summary.setVisible(there)
        self._table.setVisible(there)
        self.notes.setVisible(there and bool(self.notes.text()))


def describe_trainable(plan: TrainingPlan) -> str:
    """``4.9 M of 134.5 M parameters (3.6 %)``"""
    share = plan.trainable / plan.parameters if plan.parameters else 0.0
    percent = f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"
    if plan.trainable >= plan.parameters:
        return texts.ALL_WEIGHTS.format(weights=describe_weights(plan.parameters))
    return texts.SOME_WEIGHTS.format(
        weights=describe_weights(plan.trainable), weights2=describe_weights(plan.parameters), percent=percent
    )


def describe_weights(count: int) -> str:
    """``4.9 M``, ``1.2 B``, ``11,520``"""
    if count >= 1_000_000_000:
        return f"{count / 1e9:.1f} B"
    return f"{count / 1e6:.1f} M" if count >= 1_000_000 else f"{count:,}"


def describe_time(seconds: float | None) -> str:
    """``about 5 min (4 to 7 min)``; what there is to say where nothing is known."""
    if seconds is None:
        return texts.TIME_UNKNOWN
    low, high = 0.75 * seconds, 1.4 * seconds
    if seconds < 90:
        return texts.ABOUT_SECONDS.format(
            seconds=describe_seconds(seconds), floor=math.floor(low), ceil=math.ceil(high)
        )
    if high < 3600:
        return texts.ABOUT_MINUTES.format(
            seconds=describe_seconds(seconds), value=math.floor(low / 60) or 1, ceil=math.ceil(high / 60)
        )
    return texts.ABOUT.format(
        seconds=describe_seconds(seconds), seconds2=describe_seconds(low), seconds3=describe_seconds(high)
    )


_HEIGHT = 14
_THINNEST = 6.0
"""px of a small part: its colour is still told from those of its neighbours."""
_COLOURS = ("accent", "retrieval", "finetuning", "decoding", "agents", "preference", "prompting")


class MemoryBar(QWidget):
    """The shares from left to right against the free memory; beyond it where they do not fit."""

    def __init__(self) -> None:
        super().__init__()
        self._bar = _Bar()
        self._names = QWidget()
        self._flow = FlowLayout(self._names, tokens.SPACE_3)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self._names.setSizePolicy(policy)
        self._parts: tuple[MemoryPart, ...] = ()
        column_of(self, self._bar, self._names, gap=tokens.SPACE_2)

    def show_parts(self, parts: Sequence[MemoryPart], free: int) -> None:
        """``free`` is the memory in bytes that is free now."""
        shown = tuple(part for part in parts if part.bytes > 0)
        self._bar.show_parts([part.bytes for part in shown], free)
        said = ", ".join(f"{part.name} {describe_bytes(part.bytes)}" for part in shown)
        self.setAccessibleName(texts.MEMORY_BAR.format(said=said, bytes=describe_bytes(free)))
        if shown == self._parts:
            return
        self._parts = shown
        empty_layout(self._flow)
        for number, part in enumerate(shown):
            name = QWidget()
            row = row_of(name, ColourKey(_COLOURS[number % len(_COLOURS)]), gap=tokens.SPACE_1)
            words = Text(f"{part.name} {describe_bytes(part.bytes)}", "small", wordWrap=False)
            row.addWidget(words)
            self._flow.addWidget(name)


class _Bar(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(_HEIGHT)
        self._bytes: list[int] = []
        self._free = 0

    def sizeHint(self) -> QSize:
        return QSize(200, _HEIGHT)

    def show_parts(self, parts: list[int], free: int) -> None:
        self._bytes, self._free = parts, free
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = current_theme().palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(self.rect())
        shape = QPainterPath()
        shape.addRoundedRect(whole, _HEIGHT / 2, _HEIGHT / 2)
        painter.setClipPath(shape)
        painter.fillRect(whole, QColor(palette.sunken))
        most = max(self._free, sum(self._bytes), 1)
        x = 0.0
        for number, count in enumerate(self._bytes):
            width = max(_THINNEST, whole.width() * count / most)
            painter.fillRect(QRectF(x, 0, width, _HEIGHT), QColor(palette[_COLOURS[number % len(_COLOURS)]]))
            x += width
            painter.fillRect(QRectF(x - 1, 0, 1, _HEIGHT), QColor(palette.surface))
        if sum(self._bytes) > self._free:
            painter.setPen(QPen(QColor(palette.danger), 2))
            edge = whole.width() * self._free / most
            painter.drawLine(QRectF(edge, 0, 0, _HEIGHT).topLeft(), QRectF(edge, 0, 0, _HEIGHT).bottomLeft())
        painter.end()
