"""An evaluation in full: how far it is, means and comparisons, the grid with its filter, and a cell beside it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QMenu, QScrollArea, QSplitter, QStackedWidget, QWidget

from ui.components.basics import ElidedLabel, InlineMessage, PlainButton, ProgressLine, QuietButton, Text
from ui.components.choice_box import ChoiceRow
from ui.components.layout import column_of, row_of
from ui.components.notices import ConfirmRow
from ui.features.evaluation import texts
from ui.features.evaluation.bars import MeanBars
from ui.features.evaluation.cell_panel import CellPanel
from ui.features.evaluation.grid import AnswerGrid, GridTable
from ui.features.evaluation.search_result import SearchResult
from ui.theme import tokens
from workbench.records.evaluation import EvaluationReport, GridPage

_PANEL = 400
_MOST_BARS = 195
"""Height of the bars, above which they are scrolled: a search has many candidates. Half a bar shows that there are
more."""


class ResultsView(QWidget):
    """Asks for nothing itself: ``filtered`` is sent when other rows are wanted, by the person's choice."""

    filtered = Signal()
    export_wanted = Signal(str)
    resume_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.report: EvaluationReport | None = None
        self.title, self.figures = ElidedLabel("", "heading"), ElidedLabel("", "small")
        self.score_button = PlainButton(texts.ADD_SCORERS, "plus", small=True)
        self.export_button = PlainButton(texts.EXPORT, "export", small=True)
        menu = QMenu(self.export_button)
        for form, words in texts.EXPORT_FORMS:
            menu.addAction(words).triggered.connect(lambda _=False, form=form: self.export_wanted.emit(form))
        self.export_button.setMenu(menu)
        self.delete_button = QuietButton(texts.DELETE, "trash", small=True)
        self.confirm = ConfirmRow(self.delete_button)
        self.confirm.set_question(texts.ASK_DELETE_EVALUATION, texts.DELETE)
        self.delete_button.clicked.connect(self.confirm.ask)
        self.progress = ProgressLine(visible=False)
        self.message = InlineMessage()
        self.leaks = InlineMessage(closable=False)
        self.found = SearchResult()
        self.scorers = ChoiceRow(texts.SCORED_BY, (), chosen=self._on_scorer)
        self.bars = MeanBars()
        self._bars_area = QScrollArea(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self._bars_area.setWidget(self.bars)
        self.sentence = Text("", "strong")
        self.rescored = Text("", "small", visible=False)
        self.filter = ChoiceRow(texts.FILTER, texts.FILTERS, chosen=self._on_filter)
        self.filter.show_value("all")
        self.count = Text("", "small", wordWrap=False)
        self.table = GridTable(self)
        self.grid = AnswerGrid(texts.GRID)
        self.grid.setModel(self.table)
        self.nothing = Text(texts.NO_ROW, "muted", alignment=Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.cell = CellPanel()
        self.cell.hide()
        self._rows = QStackedWidget()
        self._rows.addWidget(self.grid)
        self._rows.addWidget(self.nothing)
        self._arrange()
        self._scorer = 0

    def _arrange(self) -> None:
        names = column_of(None, self.title, self.figures, gap=0)
        head = row_of(None, (names, 1), self.score_button, self.export_button, self.delete_button, gap=tokens.SPACE_2)
        filters = row_of(None, (self.filter, 1), self.count, gap=tokens.SPACE_2)
        left = QWidget()
        margins = (tokens.SPACE_5, tokens.SPACE_3, tokens.SPACE_4, 0)
        column_of(
            left, head, self.confirm, self.progress, self.message, self.leaks, self.found, self.scorers,
            self._bars_area, self.sentence, self.rescored, filters, (self._rows, 1), gap=tokens.SPACE_2,
            margins=margins,
        )  # fmt: skip
        left.setMinimumWidth(420)
        self._split = QSplitter()
        for part in (left, self.cell):
            self._split.addWidget(part)
        self._split.setCollapsible(0, False)
        self._split.setCollapsible(1, False)
        self._split.setStretchFactor(0, 1)
        self._split.setSizes([900, _PANEL])
        self._split.hide()  # until there is something to show
        column_of(self, self._split)

    @property
    def keep(self) -> str:
        return self.filter.value

    @property
    def scorer(self) -> int:
        return self._scorer

    def show_report(self, report: EvaluationReport) -> None:
        """Show an evaluation, or how far it is now."""
        before, self.report = self.report, report
        self._split.show()
        evaluation = report.evaluation
        names = [column.name for column in evaluation.columns]
        if before is None or before.evaluation.id != evaluation.id:
            self._scorer = self.table.scorer = 0
            self.filter.show_value("all")
            self.table.show_recipes(names)
            self.grid.scrollToTop()
            self.cell.hide()
            self.confirm.hide()
            self.message.hide()
            self.grid.show_widths()
        self.title.set_full_text(evaluation.set_name)
        self.figures.set_full_text(
            texts.FIGURES.format(
                questions=evaluation.questions, part=texts.PART_WORDS[evaluation.part], answered=report.answered,
                cells=report.cells, date=texts.describe_moment(evaluation.created),
            )
        )  # fmt: skip
        rescored = evaluation.rescored
        self.rescored.setText(rescored.words if rescored else "")
        self.rescored.setVisible(rescored is not None)
        if report.leaks:
            self.leaks.show_message("\n".join(report.leaks), "attention")
        else:
            self.leaks.hide()
        self.scorers.set_choices([(str(place), result.title) for place, result in enumerate(report.results)])
        self.scorers.setVisible(len(report.results) > 1)
        self._show_scorer()

    def put_page(self, page: GridPage) -> None:
        self.table.put_rows(page.first, page.total, page.rows)
        self.count.setText(texts.COUNT_ROWS.format(count=page.total))
        self._rows.setCurrentWidget(self.grid if page.total else self.nothing)

    def show_panel(self, shown: bool) -> None:
        self.cell.setVisible(shown)

    def _show_scorer(self) -> None:
        report = self.report
        if report is None or not report.results:
            return
        self._scorer = min(self._scorer, len(report.results) - 1)
        result = report.results[self._scorer]
        self.scorers.show_value(str(self._scorer))
        names = [column.name for column in report.evaluation.columns]
        self.bars.show_result(names, result, report.costs)
        self._bars_area.setFixedHeight(min(self.bars.height(), _MOST_BARS))
        loops = [
            texts.LOOPS.format(name=name, looped=cost.looped, answers=cost.answers)
            for name, cost in zip(names, report.costs, strict=False)
            if cost.looped
        ]
        said = [*result.sentences, *filter(None, (result.agreement,)), *loops]
        self.sentence.setText("\n".join(said))
        self.sentence.setVisible(bool(said))

    def _on_scorer(self, name: str) -> None:
        self._scorer = self.table.scorer = int(name)
        self._show_scorer()
        self._restart_rows()

    def _on_filter(self, name: str) -> None:
        self.filter.show_value(name)
        self._restart_rows()

    def _restart_rows(self) -> None:
        """Other rows are wanted, or the same in other colours."""
        if self.report is not None:
            self.table.show_recipes([column.name for column in self.report.evaluation.columns])
            self.grid.show_widths()
            self.filtered.emit()
