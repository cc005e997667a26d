"""One judgement in full: the question, both answers, who said what, and how it is corrected."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QMargins, Qt, Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QWidget

from ui.components.basics import Card, Chip, FoldButton, IconButton, InlineMessage, LinkButton, QuietButton, Text
from ui.components.choice_box import ChoiceRow
from ui.components.dialog import LabelledField
from ui.components.layout import ScrolledColumn, column_of, row_of
from ui.components.words_editor import WordsEditor
from ui.features.feedback import texts
from ui.theme import tokens
from workbench.records.judgements import JudgedAnswer, Judgement
from workbench.records.messages import Message

_ROLES = {"system": texts.SYSTEM, "user": texts.USER, "assistant": texts.ASSISTANT}
_SELECTABLE = Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard


class JudgementPanel(QFrame):
    """Shows a judgement; what the person wants is signalled, and shown once it is stored."""

    closed = Signal()
    corrected = Signal(str)
    """Another verdict."""
    edited = Signal(str, str)
    """Which answer, ``a`` or ``b``, and what it should have been."""
    commented = Signal(str)
    delete_wanted = Signal()
    chat_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setMinimumWidth(320)
        self.shown: Judgement | None = None
        self.title = Text("", "heading")
        self.close_button = IconButton("close", texts.CLOSE, clicked=self.closed)
        self.facts = Text("", "small")
        self.question = Text("", "body", textInteractionFlags=_SELECTABLE)
        self.earlier = Text("", "small", textInteractionFlags=_SELECTABLE)
        self.earlier_button = FoldButton("", self.earlier)
        self.answers = (AnswerCard("a"), AnswerCard("b"))
        for card in self.answers:
            card.edit_wanted.connect(self._on_edit)
        self.verdict = ChoiceRow(texts.CORRECT, texts.PAIR_CHOICES, chosen=self.corrected)
        self.editor = WordsEditor(texts.EDITOR, texts.SAVE, texts.EDITOR_HELP, (4, 12))
        self.editor.taken.connect(self._on_edited)
        self.editor.given_up.connect(self.editor.hide)
        self._editing: Literal["a", "b"] = "a"
        self.comment = QLineEdit(editingFinished=self._on_comment)
        self.delete_button = QuietButton(texts.DELETE, "trash", small=True, clicked=self.delete_wanted)
        self.chat_button = LinkButton(texts.OPEN_CHAT)
        self.chat_button.clicked.connect(lambda: self.chat_wanted.emit(self.shown.chat if self.shown else ""))
        self.message = InlineMessage()
        self._lay_out()

    def show_judgement(self, judgement: Judgement) -> None:
        """Show a judgement; one that is shown already keeps what is being written."""
        if self.shown is None or self.shown.id != judgement.id:
            self.editor.hide()
            self.message.hide()
            self.earlier_button.setChecked(False)
            self.comment.setText(judgement.comment)
        elif not self.comment.hasFocus():
            self.comment.setText(judgement.comment)
        self.shown = judgement
        self.title.setText(texts.describe_verdict(judgement))
        self.question.setText(judgement.question)
        self._show_earlier(judgement.prompt[:-1])
        self._show_answers(judgement)
        self.verdict.set_choices(texts.PAIR_CHOICES if judgement.is_pair else texts.SINGLE_CHOICES)
        self.verdict.show_value(judgement.verdict)
        self.facts.setText(_facts(judgement))
        self.chat_button.setVisible(bool(judgement.chat))
        if judgement.unreadable:
            self.message.show_message(judgement.unreadable, "attention")

    def _show_earlier(self, earlier: tuple[Message, ...]) -> None:
        self.earlier_button.setText(texts.BEFORE.format(count=len(earlier)))
        self.earlier_button.setVisible(bool(earlier))
        lines = [f"{_ROLES.get(turn.role, turn.role)}: {turn.content}" for turn in earlier]
        self.earlier.setText("\n\n".join(lines))
        self.earlier.setVisible(bool(earlier) and self.earlier_button.isChecked())

    def _show_answers(self, judgement: Judgement) -> None:
        for card, answer in zip(self.answers, (judgement.a, judgement.b), strict=True):
            card.setVisible(answer is not None)
            if answer is None:
                continue
            heading = texts.FIRST if card.side == "a" else texts.SECOND
            card.show_answer(answer, heading if judgement.is_pair else texts.ANSWER, answer is judgement.preferred)

    def _lay_out(self) -> None:
        head = row_of(None, (self.title, 1), self.close_button, gap=tokens.SPACE_2)
        head.setContentsMargins(tokens.SPACE_4, tokens.SPACE_3, tokens.SPACE_3, tokens.SPACE_1)
        margin = tokens.SPACE_4
        around = QMargins(margin, 0, margin, margin)
        area = ScrolledColumn(tokens.SPACE_3, width=tokens.READING_WIDTH, margins=around)
        words = column_of(None, Text(texts.QUESTION, "small"), self.question, gap=tokens.SPACE_1)
        area.column.addLayout(words)
        area.column.addWidget(self.earlier_button)
        area.column.addWidget(self.earlier)
        area.column.addWidget(LabelledField(texts.CORRECT, "", self.verdict))
        for card in self.answers:
            area.column.addWidget(card)
        area.column.addWidget(self.editor)
        area.column.addWidget(LabelledField(texts.COMMENT, texts.COMMENT_HELP, self.comment))
        area.column.addWidget(self.message)
        area.column.addWidget(self.facts)
        area.column.addLayout(row_of(None, self.delete_button, self.chat_button, None, gap=tokens.SPACE_2))
        column_of(self, head, (area, 1), gap=0)

    def _on_edit(self, side: Literal["a", "b"]) -> None:
        answer = (self.shown.a if side == "a" else self.shown.b) if self.shown is not None else None
        if answer is not None:
            self._editing = side
            self.editor.begin(answer.text)

    def _on_edited(self, text: str) -> None:
        self.editor.hide()
        self.edited.emit(self._editing, text)

    def _on_comment(self) -> None:
        words = self.comment.text().strip()
        if self.shown is not None and words != self.shown.comment:
            self.commented.emit(words)


class AnswerCard(Card):
    """One of the answers, with the name of its recipe, and whether it was preferred."""

    edit_wanted = Signal(str)

    def __init__(self, side: Literal["a", "b"]) -> None:
        super().__init__(margin=tokens.SPACE_3)
        self.side = side
        self.heading = Text("", "strong")
        self.mark = Chip(texts.BETTER, "success")
        self.edit_button = QuietButton(texts.EDIT, "edit", small=True)
        self.edit_button.clicked.connect(lambda: self.edit_wanted.emit(self.side))
        self.text = Text("", "body", textInteractionFlags=_SELECTABLE)
        self.note = Text("", "small", textInteractionFlags=_SELECTABLE)
        self.body.addLayout(row_of(None, (self.heading, 1), self.mark, self.edit_button, gap=tokens.SPACE_2))
        self.body.addWidget(self.text)
        self.body.addWidget(self.note)

    def show_answer(self, answer: JudgedAnswer, heading: str, preferred: bool) -> None:
        name = texts.name_answer(answer)
        self.heading.setText(f"{heading} · {name}" if name != texts.UNNAMED else heading)
        self.edit_button.setAccessibleName(texts.EDIT_NAME.format(name=heading))
        self.text.setText(answer.text.strip() or "–")
        notes = [texts.ORIGINAL.format(text=answer.original)] if answer.original is not None else []
        notes += filter(None, (texts.CUTS.get(answer.finish),))
        self.note.setText("\n".join(notes))
        self.note.setVisible(bool(notes))
        self.mark.setVisible(preferred)
        self.set_selected(preferred)


def _facts(judgement: Judgement) -> str:
    judge = judgement.judge_name or texts.JUDGES[judgement.judge]
    source = judgement.origin or texts.SOURCES.get(judgement.source, judgement.source)
    said = [texts.FACTS.format(judge=judge, date=texts.describe_moment(judgement.created), source=source)]
    said += [texts.SHOWN_FIRST[judgement.shown]] if judgement.is_pair and judgement.shown else []
    said += [texts.CONFIDENCE.format(value=judgement.confidence)] if judgement.confidence is not None else []
    said += [texts.COMPUTED_BY.format(who=judgement.judged_by.describe())] if judgement.judged_by is not None else []
    return "\n".join(said)
