"""Adding rungs to a comparison: those that were not measured yet, with what they take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.basics import ProgressLine, Text
from ui.components.call_dialog import StartDialog
from ui.components.choice_box import ChoiceBox
from ui.components.dialog import LabelledField
from ui.components.wording import describe_seconds, in_words
from ui.features.ladder import texts
from ui.features.ladder.rung_picker import RungPicker
from workbench.api import events
from workbench.api.events import Event, Terminal
from workbench.api.protocol import Call, error_of, read_result
from workbench.records.ladder import LadderPlan, LadderReport
from workbench.subjects.ladder.calls import ExtendLadder, PlanLadder


class ExtendDialog(StartDialog):
    """``started`` sends the run."""

    def __init__(self, bridge: Bridge, report: LadderReport, parent: QWidget | None = None) -> None:
        super().__init__(bridge, texts.EXTEND, texts.EXTEND_HELP, texts.EXTEND_GO, parent, 680)
        self._report = report
        self.picker = RungPicker()
        self.picker.changed.connect(self._show_state)
        self.limit = ChoiceBox(texts.EXTEND_LIMIT, [(title, minutes) for minutes, title in texts.LIMITS], 16)
        self.limit.show_value("40")
        self.total = Text("", "small")
        self.planning = ProgressLine(stoppable=False)
        self.planning.set_progress(texts.PLANNING)
        for part in (self.planning, self.picker):
            self.inside.addWidget(part)
        if report.ladder.minutes:
            self.below.insertWidget(0, LabelledField(texts.EXTEND_LIMIT, "", self.limit))
        self.below.insertWidget(0, self.total)
        ladder = report.ladder
        call = PlanLadder(
            question_set=ladder.question_set,
            recipe=ladder.recipe,
            collection=ladder.collection,
            task=ladder.task,
        )
        bridge.stream(call, self._ignore, lambda terminal: self._on_planned(call, terminal), self)
        self._show_state()

    def missing(self) -> str:
        if not self.planning.isHidden():
            return texts.PLANNING
        return "" if self.picker.ticked else texts.CHOOSE_MORE

    def make_call(self) -> Call[Any]:
        return ExtendLadder(
            ladder=self._report.ladder.id,
            rungs=self.picker.ticked,
            minutes=float(self.limit.value) if self._report.ladder.minutes else 0,
        )

    def _ignore(self, batch: Sequence[Event]) -> None:
        """The plan is short work: that it is under way is said."""

    def _on_planned(self, call: PlanLadder, terminal: Terminal) -> None:
        self.planning.hide()
        if isinstance(terminal, events.Finished):
            plan: LadderPlan = read_result(call, terminal.result)
            there = {rung.offer.name for rung in self._report.rungs if rung.state not in ("skipped", "failed")}
            offers = [offer for offer in plan.rungs if offer.name not in there]
            self.picker.show_offers(offers, ())
            if not offers:
                self.message.show_message(texts.NOTHING_TO_ADD, "info")
        else:
            self.message.show_message(in_words(error_of(terminal)), "danger")
        self._show_state()

    def _show_state(self) -> None:
        super()._show_state()
        chosen = self.picker.offers
        seconds = sum(offer.estimate.seconds for offer in chosen)
        words = texts.TOTAL.format(rungs=texts.techniques(len(chosen)), time=describe_seconds(seconds))
        self.total.setText(words if chosen else "")
