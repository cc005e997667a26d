"""A question with two answers beside each other, judged with one key."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ui.components.basics import Card, Chip, FoldButton, PlainButton, QuietButton, Text
from ui.components.layout import column_of, row_of
from ui.components.markdown_view import MarkdownView
from ui.components.verdict_bar import CHOICES, VerdictBar
from ui.components.words_editor import WordsEditor
from ui.features.feedback import texts
from ui.theme import tokens
from workbench.records.judgements import JudgedAnswer, Judgement

_KEYS = {key: choice for choice, _, key in CHOICES}
_ROLES = {"system": texts.SYSTEM, "user": texts.USER, "assistant": texts.ASSISTANT}
_STACKED = 620
"""Below this width, in px, the answers are below each other."""
_LONGEST_QUESTION = 140
"""Pixels of the question, above which it is scrolled, so that the answers stay visible."""
Side = Literal["a", "b"]


class PairView(QWidget):
    """``judged`` sends a verdict of the pair: ``a``, ``b``, ``tie`` or ``bad``, whichever stood where."""

    judged = Signal(str)
    edited = Signal(str, str)
    skip_wanted = Signal()
    undo_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(texts.PAIR)
        self.setAccessibleDescription(texts.LABEL_KEYS)
        self.pair: Judgement | None = None
        self._editing = 0
        self._stacked: bool | None = None
        self.question = Text("", "reading", textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
        self.earlier = Text("", "small")
        self.earlier_button = FoldButton("", self.earlier)
        self.sides = tuple(AnswerSide(title) for title in texts.ANSWER_SIDES)
        for place, side in enumerate(self.sides):
            side.edit_button.clicked.connect(lambda _=False, place=place: self.begin_edit(place))
        self.editor = WordsEditor(texts.EDITOR, texts.SAVE, texts.EDITOR_HELP, (4, 12))
        self.editor.taken.connect(self._on_edited)
        self.editor.given_up.connect(self._on_given_up)
        self.bar = VerdictBar(with_keys=True)
        self.bar.names_button.hide()
        self.bar.judged.connect(self._on_judged)
        self.skip_button = QuietButton(texts.SKIP, "chevron-right", small=True, clicked=self.skip_wanted)
        self.undo_button = QuietButton(texts.UNDO_LAST, "restart", small=True, clicked=self.undo_wanted)
        self._lay_out()

    @property
    def order(self) -> tuple[Side, Side]:
        """The answers at the left and at the right."""
        return ("b", "a") if self.pair is not None and self.pair.shown == "ba" else ("a", "b")

    def show_pair(self, pair: Judgement) -> None:
        """Show a pair in its order; its names are not known here."""
        if self.pair is not None and self.pair.id == pair.id:
            return
        self.pair = pair
        self.editor.hide()
        self.question.setText(pair.question)
        earlier = pair.prompt[:-1]
        self.earlier_button.setText(texts.BEFORE.format(count=len(earlier)))
        self.earlier_button.setVisible(bool(earlier))
        self.earlier_button.setChecked(False)
        self.earlier.setText("\n\n".join(f"{_ROLES.get(turn.role, turn.role)}: {turn.content}" for turn in earlier))
        answers = {"a": pair.a, "b": pair.b}
        for side, name in zip(self.sides, self.order, strict=True):
            answer = answers[name]
            if answer is not None:
                side.show_answer(answer)
        same = pair.b is not None and pair.a.text.strip() == pair.b.text.strip()
        self.bar.show_question("", decided=same)
        self._fit_question()
        self._area.verticalScrollBar().setValue(0)

    def set_can_undo(self, can: bool) -> None:
        self.undo_button.setEnabled(can)

    def begin_edit(self, place: int) -> None:
        """Write what one of the answers should have been."""
        pair = self.pair
        answer = (pair.a if self.order[place] == "a" else pair.b) if pair is not None else None
        if answer is not None:
            self._editing = place
            self.editor.begin(answer.text)
            QTimer.singleShot(0, self, lambda: self._area.ensureWidgetVisible(self.editor, 0, tokens.SPACE_2))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.text().upper()
        if event.isAutoRepeat() or event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier or self.pair is None:
            super().keyPressEvent(event)
        elif key in _KEYS:
            if self.bar.buttons[_KEYS[key]].isEnabled():
                self._on_judged(_KEYS[key])
        elif key == "S":
            self.skip_wanted.emit()
        elif key == "U":
            self.undo_wanted.emit()
        elif key in ("E", "R"):
            self.begin_edit("ER".index(key))
        else:
            super().keyPressEvent(event)

    def _on_judged(self, choice: str) -> None:
        places = {"left": self.order[0], "right": self.order[1]}
        self.judged.emit(places.get(choice, choice))
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_edited(self, text: str) -> None:
        self.editor.hide()
        self.edited.emit(self.order[self._editing], text)
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_given_up(self) -> None:
        self.editor.hide()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    # -- building ------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        asked = QFrame()
        asked.setProperty("role", "sunken")
        self._question_area = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self._question_area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inner = QWidget()
        inner.setProperty("role", "page")
        column_of(inner, self.question, None, gap=0)
        self._question_area.setWidget(inner)
        column_of(asked, self._question_area, gap=0, margins=(tokens.SPACE_4, tokens.SPACE_2))
        pair = QWidget()
        pair.setProperty("role", "page")
        self._beside, self._below = QHBoxLayout(), QVBoxLayout()
        for layout in (self._beside, self._below):
            layout.setSpacing(tokens.SPACE_3)
        column_of(pair, self._beside, self._below, self.editor, None, gap=tokens.SPACE_3)
        self._area = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setWidget(pair)
        foot = row_of(None, (self.bar, 1), self.undo_button, self.skip_button, gap=tokens.SPACE_2)
        keys = Text(texts.LABEL_KEYS, "small")
        column_of(self, asked, self.earlier_button, self.earlier, (self._area, 1), foot, keys, gap=tokens.SPACE_2)
        self._arrange(False)

    def _arrange(self, stacked: bool) -> None:
        if stacked == self._stacked:
            return
        self._stacked = stacked
        for layout in (self._beside, self._below):
            for side in self.sides:
                layout.removeWidget(side)
        for side in self.sides:
            (self._below if stacked else self._beside).addWidget(side, 1)

    def _fit_question(self) -> None:
        height = self.question.heightForWidth(max(self.width() - 2 * tokens.SPACE_5, 200))
        self._question_area.setFixedHeight(min(max(height, 24) + 4, _LONGEST_QUESTION))

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._arrange(self.width() < _STACKED)
        self._fit_question()


class AnswerSide(Card):
    """One of the answers."""

    def __init__(self, title: str) -> None:
        super().__init__(margin=tokens.SPACE_4)
        self.title = Text(title, "strong")
        self.cut = Chip(texts.CUT, "attention", visible=False)
        self.edit_button = PlainButton(
            texts.EDIT, "edit", small=True, accessibleName=texts.EDIT_NAME.format(name=title)
        )
        self.text = MarkdownView()
        self.body.addLayout(row_of(None, (self.title, 1), self.edit_button, gap=tokens.SPACE_2))
        self.body.addWidget(self.text)
        self.body.addWidget(self.cut)
        self.body.addStretch(1)

    def show_answer(self, answer: JudgedAnswer) -> None:
        self.text.set_text(answer.text.strip() or "–", ())
        self.cut.setText(texts.CUTS.get(answer.finish, ""))
        self.cut.setVisible(answer.finish in texts.CUTS)
