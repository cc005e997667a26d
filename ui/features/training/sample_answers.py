"""Sample answers to evaluation questions before, during and after a training, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from ui.components.basics import Chip, LinkButton, Text
from ui.components.choice_box import ChoiceBox
from ui.components.layout import column_of, empty_layout, row_of
from ui.features.training import texts
from ui.theme import tokens
from workbench.records.training import SampleAnswer

SHOWN = 12
_Question = tuple[str, str, dict[int, SampleAnswer]]
_LEAST = 130
"""Pixels of a column below which the answers stand under each other."""
_LONGEST = 160
"""Characters of a text that are shown; the whole is in its tooltip."""


class SampleAnswers(QWidget):
    """A table of questions. It is rebuilt only where another answer has come, or the width calls for another form."""

    def __init__(self) -> None:
        super().__init__()
        self._questions: list[_Question] = []
        self._state: object = None
        self._all = False
        self._ended = False
        self._under = False  # the answers stand below their question
        self.nothing = Text(texts.NO_SAMPLES, "muted")
        self.step = ChoiceBox(texts.STEP_HELP, characters=10, activated=lambda _: self._draw())
        self._picked = QWidget()
        row_of(self._picked, Text(texts.ON_THE_WAY, "muted"), self.step, None, gap=tokens.SPACE_2)
        self._table = QWidget()
        self._grid = QGridLayout(self._table)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(tokens.SPACE_4)
        self._grid.setVerticalSpacing(tokens.SPACE_2)
        self.more = LinkButton("", clicked=self._on_more)
        column = column_of(self, gap=tokens.SPACE_2)
        for part in (self.nothing, self._picked, self._table):
            column.addWidget(part)
        column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        self._draw()

    def show_questions(self, questions: Sequence[tuple[str, str, Mapping[int, SampleAnswer]]], ended: bool) -> None:
        """Questions with what was expected and what was answered at which step. ``ended``: no answer will follow."""
        state = (ended, [(question, sorted(answers)) for question, _, answers in questions])
        if state == self._state:
            return
        self._state = state
        self._ended = ended
        self._questions = [(question, expected, dict(answers)) for question, expected, answers in questions]
        self._fill_steps()
        self._draw()

    @property
    def steps(self) -> list[int]:
        """All the steps at which something was answered."""
        return sorted({step for _, _, answers in self._questions for step in answers})

    def answers_at(self, step: int) -> list[SampleAnswer]:
        """The answers at a step."""
        return [answers[step] for _, _, answers in self._questions if step in answers]

    def _fill_steps(self) -> None:
        before = self.step.currentData()
        steps = self.steps
        between = [step for step in steps if step != 0 and not (self._ended and step == steps[-1])]
        followed = self.step.currentIndex() in (-1, self.step.count() - 1)
        self.step.clear()
        for step in between:
            self.step.addItem(texts.STEP_CHOICE.format(step=step), step)
        found = self.step.findData(before)
        self.step.setCurrentIndex(self.step.count() - 1 if followed or found < 0 else found)

    def _columns(self) -> list[tuple[str, int]]:
        steps = self.steps
        columns = [(texts.BEFORE, 0)] if 0 in steps else []
        middle = self.step.currentData()
        if isinstance(middle, int):
            columns.append((texts.STEP_HEADING.format(middle=middle), middle))
        if self._ended and steps and steps[-1]:
            columns.append((texts.AT_THE_END, steps[-1]))
        return columns

    def _draw(self) -> None:
        empty_layout(self._grid)
        there = bool(self._questions)
        columns = self._columns()
        self.nothing.setVisible(not there)
        self._picked.setVisible(self.step.count() > 1)
        self._table.setVisible(there)
        shown = self._questions if self._all else self._questions[:SHOWN]
        left = len(self._questions) - len(shown)
        self.more.setText(texts.MORE_QUESTIONS.format(left=left))
        self.more.setVisible(left > 0)
        if not there:
            return
        for place in range(self._grid.columnCount()):
            self._grid.setColumnStretch(place, 0)
        self._under = self._too_narrow()
        if self._under:
            self._put_under_each_other(shown, columns)
        else:
            self._put_in_columns(shown, columns)

    def _too_narrow(self) -> bool:
        return self.width() < _LEAST * (2 + len(self._columns()))

    def _put_in_columns(self, shown: Sequence[_Question], columns: Sequence[tuple[str, int]]) -> None:
        named = any(expected for _, expected, _ in shown)
        titles = [texts.QUESTION, *([texts.EXPECTED] if named else []), *(title for title, _ in columns)]
        for place, title in enumerate(titles):
            self._grid.addWidget(Text(title, "small"), 0, place)
            self._grid.setColumnStretch(place, 3 if place == 0 else 2)
        for line, (question, expected, answers) in enumerate(shown, 1):
            self._grid.addWidget(_words(question), line, 0)
            if named:
                self._grid.addWidget(_words(expected, "muted"), line, 1)
            for place, (title, step) in enumerate(columns, 1 + named):
                self._grid.addWidget(_Answer(answers.get(step), title), line, place)

    def _put_under_each_other(self, shown: Sequence[_Question], columns: Sequence[tuple[str, int]]) -> None:
        """Each question with its answers below it, named at the left."""
        self._grid.setColumnStretch(1, 1)
        line = 0
        for question, expected, answers in shown:
            self._grid.addWidget(_words(question, "strong"), line, 0, 1, 2)
            cells: list[tuple[str, QWidget]] = [(texts.EXPECTED, _words(expected, "muted"))] if expected else []
            cells += [(title, _Answer(answers.get(step), title)) for title, step in columns]
            for place, (title, text) in enumerate(cells, line + 1):
                name = Text(title, "small", wordWrap=False)
                self._grid.addWidget(name, place, 0, Qt.AlignmentFlag.AlignTop)
                self._grid.addWidget(text, place, 1)
            line += len(cells) + 1

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._questions and self._too_narrow() != self._under:
            self._draw()

    def _on_more(self) -> None:
        self._all = True
        self._draw()


class _Answer(QWidget):
    """One answer, marked where it is exactly what was expected."""

    def __init__(self, sample: SampleAnswer | None, title: str) -> None:
        super().__init__()
        column = column_of(self, gap=2)
        if sample is None:
            column.addWidget(Text("–", "muted"))
            column.addStretch(1)
            return
        column.addWidget(_words(sample.answer or texts.NOTHING_ANSWERED))
        if sample.exact:
            column.addWidget(Chip(texts.EXACT, "success"))
        column.addStretch(1)
        self.setAccessibleName(f"{title}: {sample.answer}{texts.AS_EXPECTED if sample.exact else ''}")


def _words(text: str, role: str = "body") -> Text:
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    label = Text(short.strip(), role)  # type: ignore[arg-type]
    label.setMinimumWidth(60)
    label.setAlignment(Qt.AlignmentFlag.AlignTop)  # in the layout it would be given the height of one line
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if short != text:
        label.setToolTip(text[:4000])
    return label
