"""The page of exams: how often each model's answers from documents are right, by the same questions for all."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, ElidedLabel, InlineMessage, PlainButton, Text
from ui.components.layout import ScrolledColumn, column_of, row_of
from ui.components.notices import EmptyState
from ui.components.run_follower import RunFollower, RunFollowers
from ui.components.wording import in_words
from ui.features import ShellActions
from ui.features.models import texts
from ui.features.models.model_card import ExamView
from ui.theme import tokens
from workbench.api import events
from workbench.api.protocol import error_of
from workbench.records.models import ModelRecord
from workbench.subjects.evaluation.calls import ExamineModel
from workbench.subjects.models.calls import ListModels, ModelList


class ExamPage(QWidget):
    """See ``ui.features`` for what the frame asks of a page."""

    name, title, icon = "exam", texts.EXAM_PAGE, "check"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self._bridge = bridge
        self.cards: dict[str, ExamCard] = {}
        self._list = column_of(gap=tokens.SPACE_3)
        area = ScrolledColumn(tokens.SPACE_3)
        area.column.addWidget(Text(texts.EXAM_PAGE_HELP, "muted"))
        area.column.addLayout(self._list)
        self.empty = EmptyState("check", texts.NO_MODEL, texts.NO_EXAM_HELP, texts.GO_TO_MODELS)
        assert self.empty.button is not None
        self.empty.button.clicked.connect(lambda: shell.open_page("models"))
        self._stack = QStackedWidget()
        for view in (area, self.empty):
            self._stack.addWidget(view)
        column_of(self, self._stack)
        self._exams = RunFollowers(bridge, ("exam",), self)
        self._exams.began.connect(self._show_exam)
        self._exams.ended.connect(self._on_ended)
        bridge.home.listing(ListModels()).follow(self._on_models)
        self._exams.find()

    def _on_models(self, found: ModelList) -> None:
        usable = {
            model.name: model
            for model in sorted(found.models, key=lambda model: model.name.lower())
            if model.kind != "embedder" and model.format == "gguf" and not model.missing
        }
        for gone in set(self.cards) - set(usable):
            self.cards.pop(gone).deleteLater()
        for place, (name, model) in enumerate(usable.items()):
            if name not in self.cards:
                self.cards[name] = ExamCard()
                self.cards[name].exam_wanted.connect(self._on_exam)
            self.cards[name].show_model(model)
            self._list.insertWidget(place, self.cards[name])
        self._stack.setCurrentIndex(0 if usable else 1)
        for exam in self._exams.open.values():
            self._show_exam(exam)

    def _on_exam(self, name: str) -> None:
        card = self.cards[name]
        self._bridge.call(ExamineModel(name=name), self._exams.follow, card.show_problem, card)

    def _show_exam(self, exam: RunFollower) -> None:
        card = self.cards.get(str(exam.run.config.get("model")))
        if card is not None and exam.terminal is None:
            card.follow(exam)

    def _on_ended(self, exam: RunFollower) -> None:
        card = self.cards.get(str(exam.run.config.get("model")))
        if card is not None:
            card.follow(None)
            if isinstance(exam.terminal, events.Failed):
                card.show_problem(error_of(exam.terminal))


class ExamCard(Card):
    """``exam_wanted`` sends the model's name."""

    exam_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._model = ""
        self._name = ElidedLabel("", "heading")
        self.button = PlainButton(texts.EXAMINE, "check", small=True, toolTip=texts.EXAMINE_HELP)
        self.button.clicked.connect(lambda: self.exam_wanted.emit(self._model))
        self.state = Text(texts.NOT_EXAMINED, "muted")
        self.message = InlineMessage()
        self.exam = ExamView()
        self.body.addLayout(row_of(None, (self._name, 1), self.button, gap=tokens.SPACE_3))
        for part in (self.state, self.message, self.exam):
            self.body.addWidget(part)

    def show_model(self, model: ModelRecord) -> None:
        self._model = model.name
        self.setAccessibleName(model.name)
        self._name.set_full_text(model.name)
        self.exam.show_model(model)
        self.button.setText(texts.EXAMINE if model.exam is None else texts.EXAMINE_AGAIN)
        self.button.setAccessibleName(f"{self.button.text()} {model.name}")
        self._show()

    def follow(self, exam: RunFollower | None) -> None:
        """Show an exam that is under way; None when none is."""
        if exam is not None:
            self.message.hide()
        self.exam.follow(exam)
        self._show()

    def show_problem(self, error: Exception) -> None:
        self.message.show_message(in_words(error), "danger")

    def _show(self) -> None:
        self.button.setVisible(not self.exam.running)
        self.state.setVisible(self.exam.isHidden())
