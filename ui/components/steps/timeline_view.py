"""The steps of an agent as a timeline: thoughts, calls with their arguments and results, plans, and what each cost.

It shows a stored trace and one that grows, and can play a stored one again, step by step.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget

from ui.components.basics import QuietButton, Text
from ui.components.layout import column_of, row_of
from ui.components.steps import texts
from ui.components.steps.timeline_row import TimelineRow
from ui.components.wording import describe_count, describe_seconds
from ui.theme import tokens
from workbench.records.timeline import Timeline

REPLAY_MS = (250, 1_500)
"""A step of a replay takes its own time, between these limits."""


class TimelineView(QWidget):
    """Up and down move through the steps, Space folds a result out, F2 edits a step."""

    source_wanted = Signal(object)
    edit_wanted = Signal(object)
    """A StepEdit: another answer is to go on from there."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(texts.TIMELINE_NAME)
        self.summary = Text("", "small")
        self.replay_button = QuietButton(texts.REPLAY, "play", small=True, toolTip=texts.REPLAY_HELP)
        self.replay_button.clicked.connect(self._on_replay)
        self.rows: dict[str, TimelineRow] = {}
        self._column = column_of(gap=0)
        self._changeable = False
        self._played = -1  # the steps in sight during a replay; -1: all
        self._next = QTimer(self, singleShot=True, timeout=self._play_next)
        head = row_of(None, (self.summary, 1), self.replay_button, gap=tokens.SPACE_2)
        column_of(self, head, self._column, gap=tokens.SPACE_1)

    def show_timeline(self, timeline: Timeline) -> None:
        """Show the steps, again whenever there are more or they have changed; rows that did not change stay."""
        entries = timeline.entries
        for gone in [id for id in self.rows if id not in {entry.step.id for entry in entries}]:
            left = self.rows.pop(gone)
            self._column.removeWidget(left)
            left.hide()
            left.deleteLater()
        for place, entry in enumerate(entries):
            row = self.rows.get(entry.step.id) or self._make(entry.step.id, place)
            row.show_entry(entry, first=place == 0, last=place == len(entries) - 1)
        running = any(entry.step.state == "running" for entry in entries)
        self.replay_button.setVisible(len(entries) > 1 and not running)
        self.summary.setText(describe_timeline(timeline))

    def _make(self, step: str, place: int) -> TimelineRow:
        row = self.rows[step] = TimelineRow()
        row.source_wanted.connect(self.source_wanted)
        row.edit_wanted.connect(self.edit_wanted)
        row.moved.connect(lambda by: self._move(row, by))
        row.set_changeable(self._changeable)
        self._column.insertWidget(place, row)
        return row

    def set_changeable(self, changeable: bool) -> None:
        """Whether another answer can go on from a step of this one."""
        self._changeable = changeable
        for row in self.rows.values():
            row.set_changeable(changeable)

    # -- replay --------------------------------------------------------------------------------------

    @property
    def replaying(self) -> bool:
        return self._played >= 0

    def _on_replay(self) -> None:
        if self.replaying:
            self._end_replay()
            return
        self.setMinimumHeight(self.height())  # what is below does not move meanwhile
        self._played = 0
        self.replay_button.setText(texts.STOP_REPLAY)
        for row in self.rows.values():
            row.hide()
        self._play_next()

    def _play_next(self) -> None:
        rows = list(self.rows.values())
        if self._played >= len(rows):
            self._end_replay()
            return
        row = rows[self._played]
        row.show()
        self._played += 1
        least, most = REPLAY_MS
        self._next.start(int(min(most, max(least, row.seconds * 1000))))

    def _end_replay(self) -> None:
        self._next.stop()
        self._played = -1
        self.replay_button.setText(texts.REPLAY)
        for row in self.rows.values():
            row.show()
        self.setMinimumHeight(0)

    def _move(self, row: TimelineRow, by: int) -> None:
        rows = list(self.rows.values())
        place = rows.index(row) + by
        if 0 <= place < len(rows):
            rows[place].setFocus(Qt.FocusReason.OtherFocusReason)


def describe_timeline(timeline: Timeline) -> str:
    """``3 calls · 12 s · 410 tokens``"""
    parts = [describe_count(timeline.calls, "tool call") if timeline.calls else texts.NO_CALLS]
    if timeline.seconds >= 0.05:
        parts.append(describe_seconds(timeline.seconds))
    if timeline.new_tokens:
        parts.append(describe_count(timeline.new_tokens, "token"))
    return " · ".join(parts)
