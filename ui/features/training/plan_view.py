"""What a training would be: what is trained, what it makes, memory, disk and time, and why it cannot be begun."""

from __future__ import annotations

import math

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.components.basics import InlineMessage, ProgressLine, Text
from ui.components.layout import column_of
from ui.components.wording import describe_bytes, describe_seconds
from ui.features.training.memory_bar import MemoryBar
from ui.theme import tokens
from workbench.records.training import TrainingPlan

FACTS = ("Trainable", "Result", "Steps", "Memory", "Disk", "Time")


class PlanView(QWidget):
    """``stop_wanted``: planning shall end."""

    stop_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plan: TrainingPlan | None = None
        self.hint = Text("", "muted")
        self.progress = ProgressLine()
        self.progress.stop_clicked.connect(self.stop_wanted)
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
            label = Text(name, "muted")
            label.setWordWrap(False)
            self.facts[name] = Text()
            grid.addWidget(label, line, 0)
            grid.addWidget(self.facts[name], line, 1)
            line += 1
            if name == "Memory":
                grid.addWidget(self.bar, line, 1)
                line += 1
        column = column_of(self, gap=tokens.SPACE_2)
        for part in (self.hint, self.progress, self.summary, self._table, self.notes, self.problem):
            column.addWidget(part)
        self.show_nothing("The plan comes once a model and examples are chosen.")

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
        self.progress.set_progress("Working out memory and time…")
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
        self.facts["Trainable"].setText(describe_trainable(plan))
        self.facts["Result"].setText(plan.served)
        self.facts["Steps"].setText(f"{plan.steps:,}, {plan.tokens:,} tokens in all")
        self.facts["Memory"].setText(
            f"{describe_bytes(plan.memory_bytes)} of {describe_bytes(plan.memory_free_bytes)} free"
        )
        self.bar.show_parts(plan.memory, plan.memory_free_bytes)
        self.facts["Disk"].setText(f"{describe_bytes(plan.disk_bytes)} of {describe_bytes(plan.disk_free_bytes)} free")
        self.facts["Time"].setText(describe_time(plan.seconds))
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
    """``4.9 M of 134.5 M weights (3.6%)``"""
    share = plan.trainable / plan.parameters if plan.parameters else 0.0
    percent = f"{100 * share:.2g}%" if share < 0.1 else f"{100 * share:.0f}%"
    if plan.trainable >= plan.parameters:
        return f"all {describe_weights(plan.parameters)} weights"
    return f"{describe_weights(plan.trainable)} of {describe_weights(plan.parameters)} weights ({percent})"


def describe_weights(count: int) -> str:
    """``4.9 M``, ``1.2 B``, ``11,520``"""
    if count >= 1_000_000_000:
        return f"{count / 1e9:.1f} B"
    return f"{count / 1e6:.1f} M" if count >= 1_000_000 else f"{count:,}"


def describe_time(seconds: float | None) -> str:
    """``about 5 min (4 to 7 min)``; what there is to say where nothing is known."""
    if seconds is None:
        return "Not known before the first training here: it is measured while that one runs."
    low, high = 0.75 * seconds, 1.4 * seconds
    if seconds < 90:
        return f"about {describe_seconds(seconds)} ({math.floor(low)} to {math.ceil(high)} s)"
    if high < 3600:
        return f"about {describe_seconds(seconds)} ({math.floor(low / 60) or 1} to {math.ceil(high / 60)} min)"
    return f"about {describe_seconds(seconds)} ({describe_seconds(low)} to {describe_seconds(high)})"
