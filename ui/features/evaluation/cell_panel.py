"""One cell of the grid in full: question, answer, scores, sources, steps, and how it differs from another answer."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from ui.components.basics import FoldButton, IconButton, Text
from ui.components.choice_box import ChoiceBox, ChoiceRow
from ui.components.feedback_buttons import FeedbackButtons
from ui.components.layout import ScrolledColumn, column_of, row_of
from ui.components.word_diff import WordDiff
from ui.features.evaluation import texts
from ui.theme import tokens
from workbench.records.evaluation import CellDetails, ScorerResult
from workbench.records.visible import visible_name

EXPECTED = "expected"


class CellPanel(QFrame):
    """``column_wanted`` asks for the answer of another recipe, ``other_wanted`` for one to compare with, by number."""

    closed = Signal()
    column_wanted = Signal(int)
    other_wanted = Signal(int)
    rated = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setMinimumWidth(300)
        self._details: CellDetails | None = None
        self._column = 0
        self.title = Text("", "heading")
        self.close_button = IconButton("close", texts.CLOSE_CELL, clicked=lambda: self.closed.emit())
        self.recipes = ChoiceRow(texts.ANSWER_OF, (), chosen=lambda name: self.column_wanted.emit(int(name)))
        self.question, self.expected, self.answer = _selectable(), _selectable(), _selectable()
        self.figures, self.error = Text("", "small"), Text("", "error")
        self.feedback = FeedbackButtons()
        self.feedback.edit.hide()
        self.feedback.rated.connect(self.rated)
        self.compare = ChoiceBox(texts.COMPARE_WITH, chosen=self._on_compare)
        self.diff = WordDiff(visible=False)
        self.scores = Text("")
        self.sources = Text("")
        self._steps = QWidget()
        self._steps_column = column_of(self._steps)
        self._trace: QWidget | None = None
        self.steps_button = FoldButton(texts.STEPS, self._steps, toggled=lambda _: self._show_steps())
        area = ScrolledColumn(tokens.SPACE_1, width=tokens.READING_WIDTH)
        self._headings: dict[str, Text] = {}
        for name, part in (
            (texts.QUESTION, self.question),
            (texts.EXPECTED, self.expected),
            (texts.ANSWER, self.answer),
        ):
            self._add(area, name, part)
        for widget in (self.error, self.figures):
            area.column.addWidget(widget)
        area.column.addWidget(self.feedback, 0, Qt.AlignmentFlag.AlignLeft)
        self._add(area, texts.COMPARE_WITH, self.compare)
        area.column.addWidget(self.diff)
        self._add(area, texts.SCORES, self.scores)
        self._add(area, texts.SOURCES, self.sources)
        area.column.addSpacing(tokens.SPACE_2)
        area.column.addWidget(self.steps_button)
        area.column.addWidget(self._steps)
        head = row_of(None, (self.title, 1), self.close_button, gap=tokens.SPACE_2)
        top = column_of(None, head, self.recipes, gap=tokens.SPACE_2)
        top.setContentsMargins(tokens.SPACE_5, tokens.SPACE_3, tokens.SPACE_3, tokens.SPACE_1)
        column_of(self, top, (area, 1), gap=0)

    @property
    def number(self) -> int:
        """The question that is shown, 0 for none."""
        return self._details.question.number if self._details is not None else 0

    @property
    def column(self) -> int:
        return self._column

    def show_cell(
        self, details: CellDetails, column: int, names: Sequence[str], results: Sequence[ScorerResult]
    ) -> None:
        """Show an answer; what it is compared with stays chosen where it can be."""
        moved = (details.question.number, column) != (self.number, self._column)
        self._details, self._column = details, column
        question, answer = details.question.question, details.answer
        self.title.setText(f"{texts.QUESTION} {details.question.number:,}")
        self.recipes.set_choices([(str(place), name) for place, name in enumerate(names)])
        self.recipes.show_value(str(column))
        self._show(texts.QUESTION, self.question, question.conversation()[-1].content)
        self._show(texts.EXPECTED, self.expected, " | ".join(question.expected))
        text = answer.text if answer is not None else texts.NO_ANSWER_YET
        if answer is not None and answer.declined:
            text = f"{texts.DECLINED}: {text}"
        self._show(texts.ANSWER, self.answer, text)
        self.error.setText(answer.error if answer is not None else "")
        self.error.setVisible(bool(self.error.text()))
        self.feedback.setVisible(answer is not None)
        self.feedback.show_rating(details.rating)
        usage = answer.usage if answer is not None else None
        self.figures.setText(
            texts.CELL_FIGURES.format(prompt=usage.prompt_tokens, new=usage.new_tokens, seconds=answer.seconds)
            if answer is not None and usage is not None
            else ""
        )
        lines = [
            " · ".join(
                part for part in (f"{result.title}: {texts.amount(score.value, result.unit)}", score.note) if part
            )
            for result, score in zip(results, details.scores, strict=False)
            if score.value is not None or score.note
        ]
        self._show(texts.SCORES, self.scores, "\n".join(lines))
        citations = answer.citations if answer is not None else ()
        sources = "\n".join(f"[{one.n}] {visible_name(one.path)}" for one in citations)
        self._show(texts.SOURCES, self.sources, sources)
        self._show_choices(names)
        has_steps = answer is not None and answer.trace is not None and bool(answer.trace.steps)
        self.steps_button.setVisible(has_steps)
        if moved or not has_steps:
            self._forget_steps()
        self._on_compare(self.compare.value)

    def show_other(self, other: CellDetails) -> None:
        """The answer that was asked for with ``other_wanted``."""
        mine = self._details.answer if self._details is not None else None
        if mine is not None and other.answer is not None:
            self.diff.show_texts(other.answer.text, mine.text)
            self.diff.show()

    def _show_choices(self, names: Sequence[str]) -> None:
        choices = [(texts.COMPARE_NOTHING, "")]
        assert self._details is not None
        if self._details.question.question.expected:
            choices.append((texts.COMPARE_EXPECTED, EXPECTED))
        choices += [(name, str(place)) for place, name in enumerate(names) if place != self._column]
        self.compare.set_choices(choices)

    def _on_compare(self, value: str) -> None:
        self.diff.hide()
        details = self._details
        if details is None or details.answer is None or not value:
            return
        if value == EXPECTED:
            self.diff.show_texts(details.question.question.expected[-1], details.answer.text)
            self.diff.show()
        else:
            self.other_wanted.emit(int(value))

    def _show_steps(self) -> None:
        """The tree of steps is made when it is first opened."""
        details = self._details
        if self.steps_button.isChecked() and self._trace is None and details is not None and details.answer is not None:
            from ui.components.steps.trace_view import TraceView

            assert details.answer.trace is not None
            view = self._trace = TraceView()
            view.show_trace(details.answer.trace)
            self._steps_column.addWidget(view)

    def _forget_steps(self) -> None:
        self.steps_button.setChecked(False)
        if self._trace is not None:
            self._trace.hide()
            self._trace.deleteLater()
            self._trace = None

    def _add(self, area: ScrolledColumn, name: str, part: QWidget) -> None:
        heading = self._headings[name] = Text(name, "small")
        heading.setContentsMargins(0, tokens.SPACE_2, 0, 0)
        area.column.addWidget(heading)
        area.column.addWidget(part)

    def _show(self, name: str, part: Text, said: str) -> None:
        part.setText(said)
        part.setVisible(bool(said))
        self._headings[name].setVisible(bool(said))


def _selectable() -> Text:
    return Text(
        "",
        "body",
        textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse
        | Qt.TextInteractionFlag.TextSelectableByKeyboard,
    )
