"""A question set: its figures, what was left out of it, and its questions, fetched as they are seen."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.components.basics import PlainButton, PrimaryButton, QuietButton, Text
from ui.components.choice_box import ChoiceRow
from ui.components.grid_view import GridView
from ui.components.layout import column_of, row_of
from ui.components.notices import ConfirmRow
from ui.features.evaluation import texts
from ui.features.evaluation.grid import QuestionTable
from ui.theme import tokens
from workbench.records.evaluation import QuestionSet
from workbench.subjects.evaluation.calls import QuestionPage

_WIDTHS = (64, 140)


class SetView(QWidget):
    """``filtered``: another part of the set is to be shown."""

    filtered = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.shown: QuestionSet | None = None
        self.title, self.figures, self.notes = Text("", "heading"), Text("", "small"), Text("", "small")
        self.evaluate_button = PrimaryButton(texts.NEW_EVALUATION, small=True)
        self.optimise_button = PlainButton(texts.OPTIMISE, "search", small=True)
        self.review_button = PlainButton(texts.REVIEW, "check", small=True)
        self.delete_button = QuietButton(texts.DELETE, "trash", small=True)
        self.confirm = ConfirmRow(self.delete_button)
        self.delete_button.clicked.connect(self.confirm.ask)
        self.part = ChoiceRow(texts.PART_OF_SET, list(texts.PARTS.items()), chosen=self._on_part)
        self.table = QuestionTable(self)
        self.grid = GridView(texts.QUESTIONS_OF, _WIDTHS)
        self.grid.setModel(self.table)
        names = column_of(None, self.title, self.figures, gap=0)
        buttons = (self.review_button, self.optimise_button, self.evaluate_button, self.delete_button)
        head = row_of(None, (names, 1), *buttons, gap=tokens.SPACE_2)
        column_of(
            self, head, self.confirm, self.notes, self.part, (self.grid, 1), gap=tokens.SPACE_2,
            margins=(tokens.SPACE_5, tokens.SPACE_3, tokens.SPACE_4, 0),
        )  # fmt: skip

    def show_set(self, found: QuestionSet) -> None:
        """Show a set; the one that is shown stays as it is."""
        if self.shown is not None and found.id == self.shown.id:
            self.update_set(found)
            return
        self._describe(found)
        self.confirm.hide()
        self.part.show_value("all")
        self._restart()

    def update_set(self, found: QuestionSet) -> None:
        """The set as it is now: its questions may have been edited."""
        self._describe(found)
        self.table.expire()

    def _describe(self, found: QuestionSet) -> None:
        self.shown = found
        self.title.setText(found.name)
        origin = f" · {texts.SET_FROM.format(origin=found.origin)}" if found.origin else ""
        self.figures.setText(f"{texts.describe_set(found)}{origin}")
        self.notes.setText("\n".join(found.notes[:4]))
        self.notes.setVisible(bool(found.notes))
        self.confirm.set_question(texts.ASK_DELETE_SET.format(name=found.name), texts.DELETE)

    def put_page(self, page: QuestionPage) -> None:
        self.table.put_rows(page.first, page.total, page.questions)

    def _on_part(self, name: str) -> None:
        self.part.show_value(name)
        self._restart()

    def _restart(self) -> None:
        self.table.show_set(0)
        self.grid.show_widths()
        self.filtered.emit()
