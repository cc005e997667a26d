"""What a comparison begins with: questions, model and documents, the rungs to climb, and a limit in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import msgspec
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from ui.bridge import Bridge, Handle
from ui.components.basics import Card, InlineMessage, LinkButton, PrimaryButton, ProgressLine, Text
from ui.components.choice_box import ChoiceBox
from ui.components.dialog import LabelledField
from ui.components.layout import ScrolledColumn, column_of, keep_place, row_of
from ui.components.recipe.recipe_editor import RecipeEditor
from ui.components.wording import describe_seconds, in_words
from ui.features.ladder import texts
from ui.features.ladder.questions import QuestionChoice
from ui.features.ladder.rung_picker import RungPicker
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Terminal
from workbench.api.protocol import error_of, read_result
from workbench.base.errors import Cancelled
from workbench.records.ladder import AS_IT_IS, LadderPlan, TaskKind
from workbench.records.recipes import ModelPart, Recipe
from workbench.subjects.documents.calls import CollectionList, ListCollections
from workbench.subjects.ladder.calls import PlanLadder, StartLadder
from workbench.subjects.models.calls import ListModels, ModelList
from workbench.subjects.runs.calls import RunRecord

_SOON_MS = 150
_MOST, _WIDE = 1_240, 960
"""Pixels of the page, and those from which the techniques stand beside what they are tried on."""
_TWO_LINES = 40
"""px of the total in a narrow window: the foot has them always, so that nothing moves."""
_DEFAULT_LIMIT = "40"


class LadderSetup(QWidget):
    """``started`` sends the run of a comparison that was begun; ``left`` that the person goes back to the results;
    ``models_wanted`` that a model is needed."""

    started = Signal(object)
    left = Signal()
    models_wanted = Signal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self.plan: LadderPlan | None = None
        self._planned: PlanLadder | None = None
        self._planning: Handle | None = None
        self._task: TaskKind | None = None  # chosen by the person
        self._waits_for_documents = ""  # the name of the collection of a sample, until it is known
        self._start = Recipe()  # as a person edited it
        self._starting = False
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS, timeout=self._plan)
        self._build()
        self.questions.chosen.connect(self._on_set)
        self.questions.documents_wanted.connect(self._on_documents_wanted)
        bridge.home.listing(ListModels()).follow(self._on_models)
        bridge.home.listing(ListCollections()).follow(self._on_collections)
        self._show_state()

    def choose_set(self, question_set: str) -> None:
        """Begin with a set, by its id."""
        self.questions.choose(question_set)

    def show_way_back(self, visible: bool) -> None:
        self.back.setVisible(visible)

    def _build(self) -> None:
        area = ScrolledColumn(tokens.SPACE_3, width=_MOST)
        column = area.column
        self.back = LinkButton(texts.BACK, "chevron-left", clicked=self.left, visible=False)
        column.addLayout(row_of(None, self.back, None))
        column.addWidget(Text(texts.BEGIN, "title", wordWrap=True))
        column.addWidget(Text(texts.BEGIN_HELP, "muted"))
        self.questions = QuestionChoice(self._bridge)
        first = Card(margin=tokens.SPACE_4)
        first.body.addWidget(Text(texts.QUESTIONS, "heading"))
        first.body.addWidget(self.questions)
        self.model = ChoiceBox(texts.MODEL, (), 20, chosen=lambda _: self._ask_soon())
        self.collection = ChoiceBox(texts.DOCUMENTS, [(texts.NO_DOCUMENTS, "")], 20, chosen=lambda _: self._ask_soon())
        tasks = [(title, str(name)) for name, title in texts.TASKS.items()]
        self.task = ChoiceBox(texts.TASK, [(texts.RECOGNISED, ""), *tasks], 20, toolTip=texts.TASK_HELP)
        self.task.chosen.connect(self._on_task)
        self.no_model = InlineMessage(closable=False)
        second = Card(margin=tokens.SPACE_4)
        for title, box in ((texts.MODEL, self.model), (texts.DOCUMENTS, self.collection), (texts.TASK, self.task)):
            second.body.addWidget(LabelledField(title, "", box))
        self.edit_button = LinkButton(texts.EDIT_START, "edit", clicked=self.begin_edit)
        self.edited = Text("", "small", visible=False)
        second.body.addWidget(self.no_model)
        second.body.addLayout(row_of(None, self.edit_button, (self.edited, 1), gap=tokens.SPACE_3))
        self.picker = RungPicker()
        self.picker.changed.connect(self._show_state)
        self.progress = ProgressLine(visible=False, stoppable=False)
        self.problem = InlineMessage(closable=False)
        self.hint = Text("", "muted")
        self.notes = Text("", "attention")
        self.split = Text("", "small")
        third = Card(margin=tokens.SPACE_4)
        keep_place(self.progress)  # what a person ticks stays where it is when a measurement ends
        heading = Text(texts.RUNGS, "heading", wordWrap=False)
        third.body.addLayout(row_of(None, heading, (self.progress, 1), gap=tokens.SPACE_4))
        for part in (self.hint, self.problem, self.split, self.notes, self.picker):
            third.body.addWidget(part)
        third.body.addStretch(1)
        self._parts = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._parts.setSpacing(tokens.SPACE_3)
        cards = ((card, 0, Qt.AlignmentFlag.AlignTop) for card in (first, second))  # as high as their wrapped words
        self._parts.addLayout(column_of(None, *cards, None, gap=tokens.SPACE_3), 4)
        self._parts.addWidget(third, 7)
        column.addLayout(self._parts)
        self.limit = ChoiceBox(texts.LIMIT, [(title, minutes) for minutes, title in texts.LIMITS], 16)
        self.limit.show_value(_DEFAULT_LIMIT)
        self.limit.chosen.connect(lambda _: self._show_state())
        self.total = Text("", "body", minimumHeight=_TWO_LINES)
        self.message = InlineMessage(closable=False)
        self.start_button = PrimaryButton(texts.START, "play", clicked=self.start)
        foot = QWidget()
        foot.setProperty("role", "page")
        column_of(
            foot,
            self.message,
            row_of(None, (self.total, 1), self.limit, self.start_button, gap=tokens.SPACE_3),
            gap=tokens.SPACE_2,
            margins=(tokens.SPACE_5, tokens.SPACE_3),
        )
        foot.setMaximumWidth(_MOST + 2 * tokens.SPACE_5)
        column_of(self, (area, 1), foot)

        def align_foot() -> None:
            """Let the foot end where the cards do, beside the scroll bar where there is one."""
            beside = max(0, min(self.width(), foot.maximumWidth()) - area.viewport().width())
            if (layout := foot.layout()) is not None:
                layout.setContentsMargins(tokens.SPACE_5, tokens.SPACE_3, tokens.SPACE_5 + beside, tokens.SPACE_3)

        area.verticalScrollBar().rangeChanged.connect(align_foot)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = event.size().width() >= _WIDE
        self._parts.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
        self._parts.setStretch(0, 4 if beside else 0)

    # -- what there is -------------------------------------------------------------------------------

    def _on_models(self, found: ModelList) -> None:
        able = [model.name for model in found.models if model.kind in ("chat", "base") and not model.missing]
        before = self.model.value
        self.model.set_choices([(name, name) for name in able])
        if before not in able and able:
            self.model.show_value(found.default if found.default in able else able[0])
        if able:
            self.no_model.hide()
        else:
            self.no_model.show_message(texts.NO_MODEL, "attention", texts.GO_TO_MODELS, self.models_wanted.emit)
        if self.model.value != before:
            self._ask_soon()

    def _on_collections(self, found: CollectionList) -> None:
        before = self.collection.value
        self.collection.set_choices(
            [(texts.NO_DOCUMENTS, ""), *((one.name, one.name) for one in found.collections if one.documents)]
        )
        if any(one.name == self._waits_for_documents and one.documents for one in found.collections):
            self.collection.show_value(self._waits_for_documents)
            self._waits_for_documents = ""
        if self.collection.value != before:
            self._ask_soon()

    def _on_documents_wanted(self, collection: str) -> None:
        self._waits_for_documents = collection
        self.collection.show_value("")
        known = self._bridge.home.listing(ListCollections()).value
        if known is not None:
            self._on_collections(known)

    def _on_set(self, question_set: str) -> None:
        self._task = None
        self.task.show_value("")
        self._ask_soon()

    def _on_task(self, task: str) -> None:
        self._task = next((one for one in get_args(TaskKind) if one == task), None)
        self._ask_soon()

    # -- the plan --------------------------------------------------------------------------------------

    @property
    def recipe(self) -> Recipe:
        """What every rung starts from; its documents are chosen beside it."""
        start = self._start
        model = start.model if start.model.name == self.model.value else ModelPart(name=self.model.value)
        return msgspec.structs.replace(start, model=model, retrieval=None)

    def begin_edit(self) -> RecipeEditor:
        """Edit the recipe that every rung starts from."""
        dialog = RecipeEditor(self._bridge, self.recipe, self, several=False)
        dialog.edited.connect(self._on_edited)
        dialog.open()
        return dialog

    def _on_edited(self, recipes: Sequence[Recipe]) -> None:
        self._start = recipes[0]
        self.model.show_value(self._start.model.name)
        self.edited.setText(texts.EDITED_START)
        self.edited.setVisible(self.recipe != Recipe(model=ModelPart(name=self.model.value)))
        self._ask_soon()

    def _ask_soon(self) -> None:
        self._soon.start()
        self._show_state()

    def _plan(self) -> None:
        if not (self.questions.value and self.model.value):
            return
        call = PlanLadder(
            question_set=self.questions.value,
            recipe=self.recipe,
            collection=self.collection.value,
            task=self._task,
        )
        if call == self._planned:
            return
        self._planned, self.plan = call, None
        self.problem.hide()
        self._ask(call, texts.PLANNING)
        self._show_state()

    def _ask(self, call: PlanLadder, words: str) -> None:
        """Have a plan made: first at once, then with what each technique takes here, which is measured while a person
        reads and ticks."""
        self._stop_planning()
        self.progress.set_progress(words)
        self.progress.show()
        asked = self._planned

        def ended(terminal: Terminal) -> None:
            if asked != self._planned:  # something else was chosen meanwhile
                return
            self._planning = None
            self.progress.hide()
            if isinstance(terminal, events.Finished):
                self._take(read_result(call, terminal.result))
                if not call.measure:
                    self._ask(msgspec.structs.replace(call, measure=True), texts.MEASURING)
                return
            if self.plan is None:
                self._planned = None
                if not isinstance(error := error_of(terminal), Cancelled):
                    self.problem.show_message(in_words(error), "danger")
            self._show_state()

        self._planning = self._bridge.stream(call, lambda batch: None, ended, self)

    def _stop_planning(self) -> None:
        if self._planning is not None:
            self._planning.cancel()
            self._planning = None

    def _take(self, plan: LadderPlan) -> None:
        """Show a plan; one of the same questions keeps what a person has ticked."""
        again = self.plan is not None
        self.plan = plan
        self.task.show_value(plan.task)
        tune, held_out = texts.questions(plan.tune), texts.questions(plan.held_out)
        self.split.setText(texts.SPLIT.format(tune=tune, held_out=held_out))
        self.notes.setText("\n".join(plan.notes))
        self.picker.show_offers(plan.rungs, self.picker.ticked if again else None)
        self._show_state()

    # -- starting --------------------------------------------------------------------------------------

    def missing(self) -> str:
        """What has to be chosen before it can be started; "" where all is there."""
        if not self.questions.value:
            return texts.CHOOSE_QUESTIONS
        if not self.model.value:
            return texts.NO_MODEL
        if self.plan is None:
            return texts.NOT_PLANNED
        return "" if [name for name in self.picker.ticked if name != AS_IT_IS] else texts.CHOOSE_RUNGS

    def start(self) -> None:
        """Begin to measure what is ticked."""
        plan = self.plan
        if plan is None or self.missing() or self._planned is None:
            return
        call = StartLadder(
            question_set=plan.question_set,
            recipe=self._planned.recipe,
            collection=self._planned.collection,
            task=plan.task,
            rungs=self.picker.ticked,
            minutes=float(self.limit.value),
        )
        self.message.hide()
        self._stop_planning()
        self.progress.hide()
        self._starting = True
        self._bridge.call(call, self._on_started, self._on_refused, self)
        self._show_state()

    def _on_started(self, run: RunRecord) -> None:
        self._starting = False
        self._show_state()
        self.started.emit(run)

    def _on_refused(self, error: Exception) -> None:
        self._starting = False
        self.message.show_message(in_words(error), "danger")
        self._show_state()

    def _show_state(self) -> None:
        missing = self.missing()
        planned = self.plan is not None
        self.hint.setText(missing)
        self.hint.setVisible(not planned and self.progress.isHidden() and self.problem.isHidden())
        for part in (self.split, self.picker):
            part.setVisible(planned)
        self.notes.setVisible(planned and bool(self.notes.text()))
        self.start_button.setEnabled(not missing and not self._starting)
        self.start_button.setToolTip(missing)
        self.total.setText(self._total() if planned and not missing else missing)

    def _total(self) -> str:
        estimates = [offer.estimate for offer in self.picker.offers]
        seconds = sum(one.seconds for one in estimates)
        limit = 60 * float(self.limit.value)
        words = texts.TOTAL_OVER if 0 < limit < seconds else texts.TOTAL
        return words.format(rungs=texts.techniques(len(estimates)).capitalize(), time=describe_seconds(seconds))
