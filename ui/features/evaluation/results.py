"""An evaluation in full: how far it is, means and comparisons, the grid with its filter, and a cell beside it.

One cell of the grid in full: question, answer, scores, sources, steps, and how it differs from another answer.

What the search for a better prompt found, with the ways on: use the recipe, or look at the comparison.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QMenu, QScrollArea, QSplitter, QStackedWidget, QWidget

from ui.components.basics import (
    Card,
    ElidedLabel,
    FoldButton,
    IconButton,
    InlineMessage,
    PlainButton,
    PrimaryButton,
    ProgressLine,
    QuietButton,
    Text,
)
from ui.components.choice_box import ChoiceBox, ChoiceRow
from ui.components.feedback_buttons import FeedbackButtons
from ui.components.layout import ScrolledColumn, column_of, row_of
from ui.components.notices import ConfirmRow
from ui.components.picture_file import SIZE, write_picture
from ui.components.word_diff import WordDiff
from ui.components.wording import describe_count, in_words
from ui.features.evaluation import texts
from ui.features.evaluation.bars_picture import slide_height
from ui.features.evaluation.grid import AnswerGrid, GridTable
from ui.features.evaluation.mean_bars import MeanBars
from ui.features.evaluation.score_table import MOST_RECIPES, ScoreTable
from ui.theme import tokens
from workbench.base.catalogue import translated
from workbench.base.errors import UserError
from workbench.records.evaluation import CellDetails, EvaluationReport, GridPage, ScorerResult
from workbench.records.optimisation import OptimisationResult
from workbench.records.trust import describe_outcome
from workbench.records.visible import visible_name
from workbench.subjects.runs.calls import RunRecord

ALL = "all"
"""The choice that shows all scores at once; the grid stays with the scorer that was chosen before."""
_PANEL = 400
_MOST_BARS = 195
"""Height of the bars, above which they are scrolled: a search has many candidates. Half a bar shows that there are
more."""


class ResultsView(QWidget):
    """Asks for nothing itself: ``filtered`` is sent when other rows are wanted, by the person's choice."""

    filtered = Signal()
    export_wanted = Signal(str)
    resume_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.report: EvaluationReport | None = None
        self.title, self.figures = ElidedLabel("", "heading"), ElidedLabel("", "small")
        self.score_button = PlainButton(texts.ADD_SCORERS, "plus", small=True)
        self.export_button = PlainButton(texts.EXPORT, "export", small=True)
        menu = QMenu(self.export_button)
        for form, words, _ in texts.EXPORTS:
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
        self.overview = ScoreTable()
        self.overview.hide()
        self._shows_all = False
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
            self._bars_area, self.overview, self.sentence, self.rescored, filters, (self._rows, 1), gap=tokens.SPACE_2,
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

    def write_picture(self, path: str, form: str) -> None:
        """Write the bars of the chosen scorer to a ``png`` or ``svg`` file."""
        report = self.report
        if report is None or not report.results:
            return
        title = texts.SLIDE_TITLE.format(set=report.evaluation.set_name, score=report.results[self._scorer].title)
        size = QSize(SIZE.width(), slide_height(len(report.evaluation.columns)))
        try:
            write_picture(path, form, lambda painter, size: self.bars.draw_for_slide(painter, size, title), title, size)
        except UserError as error:
            self.message.show_message(in_words(error), "danger")
        else:
            self.message.show_message(texts.EXPORTED.format(path=path), "success")

    def show_report(self, report: EvaluationReport) -> None:
        """Show an evaluation, or how far it is now."""
        before, self.report = self.report, report
        self._split.show()
        evaluation = report.evaluation
        names = [column.name for column in evaluation.columns]
        if before is None or before.evaluation.id != evaluation.id:
            self._scorer = self.table.scorer = 0
            # rates of what became of a question are read side by side
            self._shows_all = any(result.fewer for result in report.results) and len(names) <= MOST_RECIPES
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
                questions=describe_count(evaluation.questions, "question"),
                part=texts.PART_WORDS[evaluation.part], answered=report.answered,
                cells=report.cells, date=texts.describe_moment(evaluation.created),
            )
        )  # fmt: skip
        rescored = evaluation.rescored
        self.rescored.setText(translated(rescored.words) if rescored else "")
        self.rescored.setVisible(rescored is not None)
        if report.leaks:
            self.leaks.show_message("\n".join(report.leaks), "attention")
        else:
            self.leaks.hide()
        choices = [(str(place), result.title) for place, result in enumerate(report.results)]
        if len(choices) > 1 and len(names) <= MOST_RECIPES:
            choices.append((ALL, texts.ALL_SCORES))
        self.scorers.set_choices(choices)
        self.overview.show_results(names, report.results if len(names) <= MOST_RECIPES else ())
        self.scorers.setVisible(len(report.results) > 1)
        self._show_scorer()

    def put_page(self, page: GridPage) -> None:
        self.table.put_rows(page.first, page.total, page.rows)
        self.count.setText(describe_count(page.total, "question"))
        self._rows.setCurrentWidget(self.grid if page.total else self.nothing)

    def show_panel(self, shown: bool) -> None:
        self.cell.setVisible(shown)

    def _show_scorer(self) -> None:
        report = self.report
        if report is None or not report.results:
            return
        self._scorer = min(self._scorer, len(report.results) - 1)
        result = report.results[self._scorer]
        self.table.fewer = result.fewer
        self._shows_all = self._shows_all and len(report.results) > 1
        self.scorers.show_value(ALL if self._shows_all else str(self._scorer))
        self.overview.setVisible(self._shows_all)
        self._bars_area.setVisible(not self._shows_all)
        names = [column.name for column in report.evaluation.columns]
        self.bars.show_result(names, result, report.costs)
        self._bars_area.setFixedHeight(min(self.bars.height(), _MOST_BARS))
        loops = [
            texts.LOOPS.format(name=name, looped=cost.looped, answers=cost.answers)
            for name, cost in zip(names, report.costs, strict=False)
            if cost.looped
        ]
        said = loops if self._shows_all else [*result.sentences, *filter(None, (result.agreement,)), *loops]
        self.sentence.setText("\n".join(said))
        self.sentence.setVisible(bool(said))

    def _on_scorer(self, name: str) -> None:
        self._shows_all = name == ALL
        if self._shows_all:
            self._show_scorer()
            return
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


EXPECTED = "expected"


class CellPanel(QFrame):
    """``column_wanted`` asks for the answer of another recipe, ``other_wanted`` for one to compare with, by number."""

    closed = Signal()
    column_wanted = Signal(int)
    other_wanted = Signal(int)
    rated = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.setMinimumWidth(300)
        self._details: CellDetails | None = None
        self._column = 0
        self.title = Text("", "heading")
        self.close_button = IconButton("close", texts.CLOSE_CELL, clicked=lambda: self.closed.emit())
        self.recipes = ChoiceRow(texts.ANSWER_OF, (), chosen=lambda name: self.column_wanted.emit(int(name)))
        self.question, self.expected, self.answer = _selectable(), _selectable(), _selectable()
        self.figures, self.error, self.doubt = Text("", "small"), Text("", "error"), Text("", "attention")
        self.feedback = FeedbackButtons()
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
        for widget in (self.doubt, self.error, self.figures):
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
        self._show(texts.EXPECTED, self.expected, question.gold)
        text = answer.text if answer is not None else texts.NO_ANSWER_YET
        if answer is not None and answer.declined:
            text = f"{texts.DECLINED}: {text}"
        self._show(texts.ANSWER, self.answer, text)
        doubt = translated(describe_outcome(answer.outcome, answer.reasons)) if answer is not None else ""
        self.doubt.setText(doubt)
        self.doubt.setVisible(bool(doubt))
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


class SearchResult(Card):
    """Hidden unless ``show_run`` is given a search that has ended. ``use_wanted`` sends the recipe, ``compare_wanted``
    the id of the evaluation on held-out questions."""

    use_wanted = Signal(object)
    compare_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__(margin=tokens.SPACE_3)
        self.result: OptimisationResult | None = None
        self.text, self.instructions = Text(""), Text("", "small")
        self.use_button = PrimaryButton(texts.USE_RECIPE, small=True)
        self.compare_button = PlainButton(texts.COMPARE_RECIPES, small=True, toolTip=texts.COMPARE_HELP)
        self.use_button.clicked.connect(lambda: self.result and self.use_wanted.emit(self.result.recipe))
        self.compare_button.clicked.connect(lambda: self.result and self.compare_wanted.emit(self.result.held_out))
        row = row_of(None, (self.text, 1), self.compare_button, self.use_button, gap=tokens.SPACE_2)
        self.body.addLayout(row)
        self.body.addWidget(self.instructions)
        self.hide()

    def show_run(self, run: RunRecord | None) -> None:
        ended = run is not None and run.kind == "optimise" and run.state == "finished" and not run.unreadable
        self.setVisible(ended)
        if not ended or run is None:
            return
        result = self.result = msgspec.convert(run.result, OptimisationResult)
        words = texts.FOUND if result.candidate else texts.FOUND_NOTHING
        shown = words.format(
            candidate=result.candidate, candidates=result.candidates, questions=result.questions,
            before=texts.amount(result.before, ""), after=texts.amount(result.after, ""), sentence=result.sentence,
        )  # fmt: skip
        saved = [texts.SAVED_AS.format(name=one.name, number=one.version) for one in result.recipe.prompting.sources]
        self.text.setText(" ".join(filter(None, (shown, *(saved if result.candidate else ()), result.ended))))
        self.instructions.setText(result.recipe.prompting.instructions)
        self.instructions.setVisible(bool(result.candidate and result.recipe.prompting.instructions))
        self.use_button.setVisible(bool(result.candidate))
        self.use_button.setToolTip(texts.USE_HELP.format(path=result.path))
        self.compare_button.setVisible(bool(result.held_out))
