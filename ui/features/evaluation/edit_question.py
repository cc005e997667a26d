"""Change a question of a set: its text, what is expected, its choices; or remove it."""

from __future__ import annotations

from string import ascii_uppercase

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QPlainTextEdit, QWidget

from ui.bridge import Bridge
from ui.components.basics import QuietButton
from ui.components.call_dialog import CallDialog
from ui.components.choice_box import ChoiceBox
from ui.components.dialog import LabelledField
from ui.features.evaluation import texts
from workbench.records.evaluation import NumberedQuestion, QuestionRow, QuestionSet, without_answer
from workbench.subjects.evaluation.calls import EditQuestion


class EditQuestionDialog(CallDialog):
    """``edited`` sends the set as it is afterwards."""

    edited = Signal(object)

    def __init__(self, bridge: Bridge, question_set: str, row: NumberedQuestion, parent: QWidget | None = None) -> None:
        title = texts.EDIT_TITLE.format(number=row.number)
        help = texts.EDIT_HELP.format(split=texts.EDIT_SPLITS[row.split])
        super().__init__(bridge, title, help, texts.EDIT_GO, parent)
        self._set, self._row = question_set, row
        question = row.question
        self.question = _lines(question.text, 120)
        self.expected = _lines("\n".join(question.expected), 70)
        self.choices = _lines("\n".join(question.choices), 100)
        self.right = ChoiceBox(texts.RIGHT_CHOICE, [(letter, letter) for letter in ascii_uppercase])
        self.right.show_value(question.answer)
        self.inside.addWidget(LabelledField(texts.QUESTION, "", self.question))
        self.no_answer = QCheckBox(texts.NO_ANSWER, checked=not question.answerable, toolTip=texts.NO_ANSWER_HELP)
        self.no_answer.toggled.connect(self.expected.setDisabled)
        self.expected.setDisabled(self.no_answer.isChecked())
        help = texts.GROUPS_HELP if question.need or question.points else texts.EXPECTED_LINES_HELP
        expected = LabelledField(texts.EXPECTED_LINES, help, self.expected)
        choices = LabelledField(texts.CHOICES, texts.CHOICES_HELP, self.choices)
        right = LabelledField(texts.RIGHT_CHOICE, "", self.right)
        for field in (choices, right) if question.choices else (expected, self.no_answer):
            self.inside.addWidget(field)
        self.inside.addStretch(1)
        self.remove_button = QuietButton(texts.REMOVE_QUESTION, "trash", small=True, clicked=self._on_remove)
        self._foot.insertWidget(0, self.remove_button)
        self.resize(600, 460)

    def _edited(self) -> QuestionRow:
        question = self._row.question.with_text(self.question.toPlainText().strip())
        if not question.choices and self.no_answer.isChecked():
            return without_answer(question)
        if not question.choices:
            return msgspec.structs.replace(question, expected=_of_lines(self.expected), answerable=True)
        choices, choice = _of_lines(self.choices), ascii_uppercase.find(self.right.value or "?")
        known = 0 <= choice < len(choices)
        expected = (ascii_uppercase[choice], choices[choice]) if known else ()
        return msgspec.structs.replace(question, choices=choices, choice=choice, expected=expected)

    def make_call(self) -> EditQuestion:
        return EditQuestion(question_set=self._set, number=self._row.number, question=self._edited())

    def _on_remove(self) -> None:
        self._send(EditQuestion(question_set=self._set, number=self._row.number))

    def take_result(self, found: QuestionSet) -> None:
        self.edited.emit(found)
        self.accept()


def _lines(text: str, height: int) -> QPlainTextEdit:
    field = QPlainTextEdit(text)
    field.setTabChangesFocus(True)
    field.setFixedHeight(height)
    return field


def _of_lines(field: QPlainTextEdit) -> tuple[str, ...]:
    return tuple(line.strip() for line in field.toPlainText().splitlines() if line.strip())
