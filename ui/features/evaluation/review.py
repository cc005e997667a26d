"""The review of a question set: its questions in a list, each kept, edited or dropped by a key, with undo.

What a person decides is stored at once, so that closing the dialog loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from ui.bridge import Bridge
from ui.components.basics import InlineMessage, PlainButton, Text
from ui.components.dialog import Dialog
from ui.components.layout import column_of, row_of
from ui.components.wording import in_words
from ui.features.evaluation import texts
from ui.features.evaluation.edit_question import EditQuestionDialog
from ui.theme import tokens
from workbench.api.protocol import Call
from workbench.records.evaluation import NumberedQuestion, QuestionSet
from workbench.subjects.evaluation.calls import EditQuestion, ListQuestions, QuestionPage

MOST_REVIEWED = 1_000
KEPT, DROPPED = "kept", "dropped"


class ReviewDialog(Dialog):
    """``changed`` sends the set as it is after each decision that changes it."""

    changed = Signal(object)

    def __init__(self, bridge: Bridge, question_set: QuestionSet, parent: QWidget | None = None) -> None:
        super().__init__(texts.REVIEW_TITLE.format(name=question_set.name), texts.REVIEW_HELP, texts.DONE, parent, 760)
        self._bridge = bridge
        self._set = question_set
        self._rows: list[NumberedQuestion] = []
        self._marks: list[str] = []
        self._undone: list[Callable[[], None]] = []  # what takes back each decision, the last one at the end
        self.list = _List(self._on_key)
        self.list.currentRowChanged.connect(lambda _: self._show_current())
        self.place = Text("", "small")
        self.question = Text("", "strong")
        self.expected = Text("")
        self.evidence = Text("", "muted")
        self.keep_button = PlainButton(texts.KEEP_KEY, "check", small=True, clicked=lambda: self._on_key("K"))
        self.edit_button = PlainButton(texts.EDIT_KEY, "edit", small=True, clicked=lambda: self._on_key("E"))
        self.drop_button = PlainButton(texts.DROP_KEY, "trash", small=True, clicked=lambda: self._on_key("D"))
        self.undo_button = PlainButton(texts.UNDO_KEY, "restart", small=True, clicked=lambda: self._on_key("U"))
        self.counts = Text("", "small")
        self.message = InlineMessage(visible=False)
        buttons = (self.keep_button, self.edit_button, self.drop_button, self.undo_button)
        shown = column_of(None, self.place, self.question, self.expected, self.evidence, gap=tokens.SPACE_1)
        self._shown = QWidget()
        self._shown.setLayout(shown)
        self._shown.setMinimumHeight(150)
        self.list.setMinimumHeight(240)
        self.inside.addWidget(self.list, 1)
        self.inside.addWidget(self._shown)
        self.inside.addLayout(row_of(None, *buttons, (self.counts, 1), gap=tokens.SPACE_2))
        self.below.addWidget(self.message)
        self.leave.hide()
        self.go.clicked.connect(self.accept)
        self.resize(820, 680)
        call = ListQuestions(question_set=question_set.id, limit=MOST_REVIEWED)
        bridge.call(call, self._on_questions, self._on_refused, self)

    def _on_questions(self, page: QuestionPage) -> None:
        self._rows = list(page.questions)
        self._marks = [""] * len(self._rows)
        for one in self._rows:
            self.list.addItem(QListWidgetItem(" ".join(one.question.text.split())))
        self.list.setCurrentRow(0)
        self.list.setFocus()
        self._show_counts()

    # -- deciding ------------------------------------------------------------------------------------

    def _on_key(self, key: str) -> None:
        row = self.list.currentRow()
        if key == "U":
            if self._undone:
                self._undone.pop()()
                self._show_counts()
        elif not 0 <= row < len(self._rows) or self._marks[row] == DROPPED:
            return
        elif key == "K":
            self._mark(row, KEPT)
            self._go_on(row)
        elif key == "E":
            self._edit(row)
        elif key == "D":
            self._drop(row)

    def _mark(self, row: int, mark: str) -> None:
        before = self._marks[row]
        self._undone.append(lambda: self._show_mark(row, before))
        self._show_mark(row, mark)
        self._show_counts()

    def _edit(self, row: int) -> None:
        before = self._rows[row]
        dialog = EditQuestionDialog(self._bridge, self._set.id, before, self)
        dialog.remove_button.hide()  # it is dropped by its own key, which can be undone
        dialog.edited.connect(lambda found: self._on_edited(row, before, found))
        dialog.open()

    def _on_edited(self, row: int, before: NumberedQuestion, found: QuestionSet) -> None:
        self._take(found)
        mark = self._marks[row]

        def undo() -> None:
            self._send(EditQuestion(question_set=self._set.id, number=before.number, question=before.question))
            self._put(row, before)
            self._show_mark(row, mark)

        self._undone.append(undo)
        self._show_mark(row, KEPT)
        self._show_counts()
        call = ListQuestions(question_set=self._set.id, limit=MOST_REVIEWED)

        def put(page: QuestionPage) -> None:
            now = next((one for one in page.questions if one.number == before.number), before)
            self._put(row, now)

        self._bridge.call(call, put, self._on_refused, self)
        self._go_on(row)

    def _drop(self, row: int) -> None:
        if self._marks.count(DROPPED) == len(self._rows) - 1:
            self.message.show_message(texts.LAST_QUESTION, "attention")
            return
        one, mark = self._rows[row], self._marks[row]

        def undo() -> None:
            back = EditQuestion(question_set=self._set.id, number=one.number, question=one.question, split=one.split)
            self._send(back)
            self._show_mark(row, mark)

        self._undone.append(undo)
        self._send(EditQuestion(question_set=self._set.id, number=one.number))
        self._show_mark(row, DROPPED)
        self._show_counts()
        self._go_on(row)

    def _go_on(self, row: int) -> None:
        """To the next question that is not dropped."""
        following = (place for place in range(row + 1, len(self._rows)) if self._marks[place] != DROPPED)
        self.list.setCurrentRow(next(following, row))
        self.list.setFocus()
        self._show_current()

    def _send(self, call: Call[QuestionSet]) -> None:
        self._bridge.call(call, self._take, self._on_refused, self)

    def _take(self, found: QuestionSet) -> None:
        self._set = found
        self.changed.emit(found)

    def _on_refused(self, error: Exception) -> None:
        self.message.show_message(in_words(error), "danger")

    # -- showing -------------------------------------------------------------------------------------

    def _put(self, row: int, one: NumberedQuestion) -> None:
        self._rows[row] = one
        self._show_mark(row, self._marks[row])
        self._show_current()

    def _show_mark(self, row: int, mark: str) -> None:
        self._marks[row] = mark
        item = self.list.item(row)
        words = " ".join(self._rows[row].question.text.split())
        item.setText({KEPT: f"✓  {words}", DROPPED: f"×  {words}"}.get(mark, words))
        font = item.font()
        font.setStrikeOut(mark == DROPPED)
        item.setFont(font)
        if row == self.list.currentRow():
            self._show_current()

    def _show_current(self) -> None:
        row = self.list.currentRow()
        there = 0 <= row < len(self._rows)
        for button in (self.keep_button, self.edit_button, self.drop_button):
            button.setEnabled(there and self._marks[row] != DROPPED)
        if not there:
            return
        question = self._rows[row].question
        where = ", ".join(question.sources)
        self.place.setText(f"{row + 1:,} / {len(self._rows):,}" + (f" · {where}" if where else ""))
        self.question.setText(question.text)
        self.expected.setText(texts.EXPECTED_IS.format(expected=question.gold))
        self.evidence.setText("\n".join(f"“{one}”" for one in question.evidence))
        self.evidence.setVisible(bool(question.evidence))

    def _show_counts(self) -> None:
        kept, dropped = self._marks.count(KEPT), self._marks.count(DROPPED)
        self.counts.setText(texts.REVIEWED.format(kept=kept, dropped=dropped, left=len(self._rows) - kept - dropped))
        self.undo_button.setEnabled(bool(self._undone))


class _List(QListWidget):
    """A list whose keys K, E, D and U decide."""

    def __init__(self, decide: Callable[[str], None]) -> None:
        super().__init__()
        self.setAccessibleName(texts.QUESTIONS_OF)
        self._decide = decide
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.text().upper()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and event.key() == Qt.Key.Key_Z:
            self._decide("U")
        elif key in ("K", "E", "D", "U") and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._decide(key)
        else:
            super().keyPressEvent(event)
