"""How an answer is made: the picture of the pipeline, and below it each technique with what it does, or what it did in
an answer at hand, and the terms of the course that belong to it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.bridge import Bridge
from ui.components.basics import Chip, ChipButton, InlineMessage, LinkButton, Text
from ui.components.layout import FlowLayout, ScrolledColumn, column_of, row_of
from ui.components.wording import in_words
from ui.features import ShellActions
from ui.features.map import texts
from ui.features.map.pipeline import Pipeline, figures_of
from ui.features.map.stages import HUES, PLACES, TECHNIQUES, Stage, StageName, stages_of
from ui.theme import tokens
from workbench.base.catalogue import localised
from workbench.base.errors import UserError
from workbench.records.answers import StoredMessage
from workbench.records.methods import Methods
from workbench.records.terms import Term, course_terms
from workbench.records.trace import Trace
from workbench.subjects.chats.calls import Chat, GetChat, GetTrace
from workbench.subjects.machine.calls import ListMethods, MethodList

_CHIP, _FIGURES = 104, 150
"""The widths that are kept for the name of a stage and for its figures, in px."""


class PipelinePanel(QWidget):
    similarity_wanted = Signal(str, str)
    """The collection of the answer, and its question."""

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self._bridge, self._shell = bridge, shell
        self._methods: Methods[Any] = Methods()
        self._wanted = ("", "")  # a chat and an answer of it
        self._message: StoredMessage | None = None
        self._question = ""
        self._trace: Trace | None = None
        self.title = Text("", "title")
        self.help = Text("", "muted")
        self.back = LinkButton(texts.BACK, "chat", clicked=self._on_back)
        self.message = InlineMessage()
        self.picture = Pipeline()
        self.picture.pressed.connect(self._on_pressed)
        self.rows = {name: _StageRow(*texts.STAGES[name][:2], HUES[name], TECHNIQUES[name], shell) for name in HUES}
        measuring = _StageRow(texts.MEASURING, texts.MEASURING_HELP, "plain", ("measuring",), shell)
        self.rows["documents"].link.clicked.connect(self._on_similarity)
        self.sum = Text("", "strong")
        page = ScrolledColumn(tokens.SPACE_3, width=1500)
        page.column.addLayout(row_of(None, (self.title, 1), self.back))
        for part in (self.help, self.message, self.picture, self.sum, *self.rows.values(), measuring):
            page.column.addWidget(part)
        page.column.addStretch(1)
        column_of(self, page)
        self.message.hide()
        self.show_plain()
        bridge.home.listing(ListMethods()).follow(self._on_methods)

    def show_plain(self) -> None:
        """What each technique does, without an answer."""
        self._wanted, self._message, self._trace = ("", ""), None, None
        self._show()

    def show_answer(self, chat: str, answer: str) -> None:
        """What each technique did in an answer, by the ids of its chat and its message."""
        self.show_plain()
        self._wanted = (chat, answer)
        self._bridge.call(GetChat(chat=chat), partial(self._on_chat, answer), self._on_failed, self)

    # -- what happens --------------------------------------------------------------------------------

    def _on_methods(self, found: MethodList) -> None:
        self._methods = Methods(found.methods)
        self._show()

    def _on_chat(self, answer: str, found: Chat) -> None:
        messages = {message.id: message for message in found.messages}
        message = messages.get(answer)
        if answer != self._wanted[1]:
            return
        if message is None:
            self.message.show_message(texts.ANSWER_GONE, "attention")
            return
        asked = messages.get(message.parent or "")
        self._message, self._question = message, asked.text if asked is not None else ""
        self._show()
        if message.steps:
            self._bridge.call(GetTrace(message=answer), partial(self._on_trace, answer), self._on_failed, self)

    def _on_trace(self, answer: str, trace: Trace) -> None:
        if self._message is not None and self._message.id == answer:
            self._trace = trace
            self._show()

    def _on_failed(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self.message.show_message(in_words(error), "attention")

    def _on_pressed(self, name: StageName) -> None:
        place = PLACES[name]
        self._shell.open_page(place["page"], **{key: value for key, value in place.items() if key != "page"})

    def _on_back(self) -> None:
        self._shell.open_page("chat", chat=self._wanted[0])

    def _on_similarity(self) -> None:
        if self._message is not None and self._message.passages:
            asked = self._message.query or self._question
            self.similarity_wanted.emit(self._message.passages[0].collection, asked)

    def _show(self) -> None:
        message = self._message
        self.title.setText(texts.TITLE if message is None else texts.TITLE_OF_ANSWER)
        question = " ".join(self._question.split())
        question = question if len(question) <= 160 else f"{question[:160]}…"
        self.help.setText(texts.HELP if message is None else texts.HELP_OF_ANSWER.format(question=question))
        self.back.setVisible(message is not None)
        stages = _plain_stages() if message is None else stages_of(message, self._trace, self._methods)
        self.picture.show_stages(stages)
        for stage in stages:
            self.rows[stage.name].show_stage(stage, message is not None)
        documents = self.rows["documents"]
        documents.link.setVisible(message is not None and bool(message.passages))
        seconds, tokens_ = sum(one.seconds for one in stages), sum(one.tokens for one in stages)
        self.sum.setText(texts.IN_ALL.format(seconds=seconds, tokens=tokens_))
        self.sum.setVisible(message is not None and bool(tokens_))


class _StageRow(QWidget):
    """A technique: its name in its hue, a sentence, its figures, and its terms."""

    def __init__(self, title: str, help: str, tone: str, techniques: tuple[str, ...], shell: ShellActions) -> None:
        super().__init__()
        self._help = help
        chip = Chip(title, tone)  # type: ignore[arg-type]
        self.words = Text(help, "body")
        self.figures = Text("", "small", wordWrap=False)
        self.figures.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        self.figures.setFixedWidth(_FIGURES)
        self.link = LinkButton(texts.SEE_SIMILARITY, small=True)
        self.link.hide()
        terms = QWidget(accessibleName=texts.TERMS)
        flow = FlowLayout(terms, tokens.SPACE_1)
        self.terms: list[ChipButton] = []
        for term in _terms_of(techniques):
            button = ChipButton(term.name, "plain")
            button.setToolTip(f"{term.text}\n{term.source}")
            button.setAccessibleDescription(term.text)
            button.clicked.connect(partial(shell.open_page, term.place["page"], **term.target))
            flow.addWidget(button)
            self.terms.append(button)
        left = QWidget()
        left.setMinimumWidth(_CHIP)  # longer words than in English make it wider
        left.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        column_of(left, row_of(None, chip, None), None)
        right = column_of(None, row_of(None, (self.words, 1), self.figures), self.link, terms, gap=tokens.SPACE_1)
        row_of(self, left, (right, 1), gap=tokens.SPACE_2, margins=(0, tokens.SPACE_1, 0, tokens.SPACE_1))

    def show_stage(self, stage: Stage, of_answer: bool) -> None:
        words = self._help
        if of_answer:
            said = " · ".join(stage.facts) or stage.phrase
            words = said[:1].upper() + said[1:]
        self.words.setText(words)
        self.figures.setText(figures_of(stage))


def _plain_stages() -> tuple[Stage, ...]:
    return tuple(Stage(name, True, "") for name in HUES)


def _terms_of(techniques: tuple[str, ...]) -> Sequence[Term]:
    return [term for technique in techniques for term in localised(course_terms()) if term.technique == technique]
