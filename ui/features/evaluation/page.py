"""Evaluate: question sets at the left, and at the right a set's questions or what an evaluation on it shows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog, QSplitter, QStackedWidget, QWidget

from ui.bridge import Bridge
from ui.components.layout import column_of
from ui.components.notices import EmptyState
from ui.components.paged_table import PAGE_ROWS
from ui.components.questions_from_documents import FromDocuments
from ui.components.run_follower import ACTIVE, RunFollower, RunFollowers
from ui.components.wording import describe_count, how_far, in_words, stage_of
from ui.features import Found, ShellActions
from ui.features.evaluation import texts
from ui.features.evaluation.dialogs import ImportDialog, NewEvaluation, ScoreDialog
from ui.features.evaluation.edit_question import EditQuestionDialog
from ui.features.evaluation.grid import FIXED
from ui.features.evaluation.optimise_dialog import OptimiseDialog
from ui.features.evaluation.results import ResultsView
from ui.features.evaluation.review import ReviewDialog
from ui.features.evaluation.sample_button import SampleButton
from ui.features.evaluation.set_view import SetView
from ui.features.evaluation.side_list import EVALUATION, SET, SideList
from ui.state import Listing
from workbench.api import events
from workbench.api.events import Progress, Terminal
from workbench.api.protocol import error_of
from workbench.records.evaluation import (
    CellDetails,
    Evaluation,
    EvaluationReport,
    GridPage,
    GridRow,
    NumberedQuestion,
    QuestionSet,
)
from workbench.subjects.evaluation.calls import (
    EvaluationList,
    ExportEvaluation,
    GetCell,
    GetEvaluation,
    ListEvaluations,
    ListGrid,
    ListQuestions,
    ListQuestionSets,
    QuestionPage,
    QuestionSetList,
    RateCell,
    RemoveEvaluation,
    RemoveQuestionSet,
)
from workbench.subjects.runs.calls import ResumeRun, RunList, RunRecord

_SIDE = 250
_EXPIRE_MS = 1_000
"""While answers come in, rows in sight are read again this often."""


class EvaluatePage(QWidget):
    name, title, icon = "evaluate", texts.EVALUATIONS, "evaluate"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self._bridge = bridge
        self._shell = shell
        self._sets: dict[str, QuestionSet] = {}
        self._evaluations: dict[str, Evaluation] = {}
        self._lists: dict[str, Any] = {}
        self._wanted = ""
        self._wanted_column = -1
        self._progress: dict[str, Progress] = {}  # the latest of each run
        self._report: Listing[EvaluationReport] | None = None
        self._build()
        self._expiring = QTimer(self, singleShot=True, interval=_EXPIRE_MS, timeout=self.results.table.expire)
        self._runs = RunFollowers(bridge, ("evaluate", "optimise"), self)
        self._runs.began.connect(self._on_began)
        self._runs.ended.connect(self._on_ended)
        bridge.home.listing(ListQuestionSets()).follow(self._on_sets)
        bridge.home.listing(ListEvaluations()).follow(self._on_evaluations)
        bridge.home.runs.follow(self._show_progress)
        self._runs.find()

    def open_target(self, evaluation: str = "", question_set: str = "", column: int = -1) -> None:
        """Show an evaluation, or a question set, by id; with a ``column`` the first answer of that recipe."""
        self._wanted = evaluation or question_set
        self._wanted_column = column
        report = self.results.report
        if column >= 0 and report is not None and report.evaluation.id == evaluation:
            self._read_grid(0)  # it is shown already
        self._show_wanted()

    def find_entries(self) -> Sequence[Found]:
        """The sets, for the palette."""
        return [
            Found(found.name, texts.SET_KIND, self.icon, partial(self._shell.open_page, self.name, question_set=key))
            for key, found in self._sets.items()
        ]

    def begin_import(self) -> ImportDialog:
        dialog = ImportDialog(self._bridge, self)
        dialog.imported.connect(lambda made: self.open_target(question_set=made))
        dialog.open()
        return dialog

    def begin_edit(self, row: NumberedQuestion) -> EditQuestionDialog | None:
        """Change a question of the set that is shown."""
        if self.questions.shown is None:
            return None
        dialog = EditQuestionDialog(self._bridge, self.questions.shown.id, row, self)
        dialog.edited.connect(self._on_edited)
        dialog.open()
        return dialog

    def begin_review(self) -> ReviewDialog | None:
        """Keep, edit or drop the questions of the set that is shown."""
        if self.questions.shown is None:
            return None
        dialog = ReviewDialog(self._bridge, self.questions.shown, self)
        dialog.changed.connect(self._on_edited)
        dialog.open()
        return dialog

    def begin_evaluation(self) -> NewEvaluation:
        """Ask for an evaluation on the set that is shown."""
        kind, current = self.side.current
        if kind == EVALUATION and current in self._evaluations:
            current = self._evaluations[current].question_set
        dialog = NewEvaluation(self._bridge, current, self)
        dialog.started.connect(self._on_started)
        dialog.open()
        return dialog

    def begin_search(self) -> OptimiseDialog:
        """Ask for the search for a better prompt on the set that is shown."""
        dialog = OptimiseDialog(self._bridge, self.side.current[1], self)
        dialog.started.connect(self._on_started)
        dialog.open()
        return dialog

    def begin_scoring(self) -> ScoreDialog | None:
        report = self.results.report
        if report is None:
            return None
        dialog = ScoreDialog(self._bridge, report.evaluation, self)
        dialog.started.connect(self._on_started)
        dialog.open()
        return dialog

    # -- building ------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.side = SideList(self._bridge)
        self.side.from_documents.made.connect(self._on_made)
        self.side.samples.made.connect(self._on_sample)
        self.side.chosen.connect(self._on_chosen)
        self.side.new_button.clicked.connect(self.begin_evaluation)
        self.side.import_button.clicked.connect(self.begin_import)
        self.side.delete_pressed.connect(self._on_delete_pressed)
        self.questions = SetView()
        self.questions.table.page_wanted.connect(self._read_questions)
        self.questions.grid.opened.connect(lambda row, _: self.begin_edit(row))
        self.questions.filtered.connect(lambda: self._read_questions(0))
        self.questions.review_button.clicked.connect(self.begin_review)
        self.questions.optimise_button.clicked.connect(self.begin_search)
        self.questions.evaluate_button.clicked.connect(self.begin_evaluation)
        self.questions.confirm.confirmed.connect(self._on_delete_set)
        results = self.results = ResultsView()
        results.table.page_wanted.connect(self._read_grid)
        results.filtered.connect(lambda: self._read_grid(0))
        results.score_button.clicked.connect(self.begin_scoring)
        results.found.compare_wanted.connect(lambda evaluation: self.open_target(evaluation=evaluation))
        results.found.use_wanted.connect(lambda recipe: self._shell.open_page("chat", recipe=recipe))
        results.export_wanted.connect(self._on_export)
        results.confirm.confirmed.connect(self._on_delete_evaluation)
        results.progress.stop_clicked.connect(self._on_stop)
        results.grid.opened.connect(self._on_opened)
        results.cell.closed.connect(self._on_cell_closed)
        results.cell.column_wanted.connect(lambda column: self._read_cell(results.cell.number, column))
        results.cell.other_wanted.connect(self._read_other)
        results.cell.rated.connect(self._on_rated)
        self._right = QStackedWidget()
        self._right.addWidget(self.questions)
        self._right.addWidget(results)
        split = QSplitter()
        for part in (self.side, self._right):
            split.addWidget(part)
        split.setCollapsible(0, False)
        split.setCollapsible(1, False)
        split.setStretchFactor(1, 1)
        split.setSizes([_SIDE, 1000])
        self.empty = EmptyState(self.icon, texts.NO_SETS, texts.NO_SETS_HELP, texts.IMPORT)
        self.empty_documents = FromDocuments(self._bridge)
        self.empty_documents.made.connect(self._on_made)
        self.empty.add_action(self.empty_documents)
        self.empty_samples = SampleButton(self._bridge)
        self.empty_samples.made.connect(self._on_sample)
        self.empty.add_action(self.empty_samples)
        assert self.empty.button is not None
        self.empty.button.clicked.connect(self.begin_import)
        self._stack = QStackedWidget()
        self._stack.addWidget(split)
        self._stack.addWidget(self.empty)
        self._stack.setCurrentWidget(self.empty)
        column_of(self, self._stack)

    # -- what there is -------------------------------------------------------------------------------

    def _on_sets(self, found: QuestionSetList) -> None:
        self._sets = {one.id: one for one in found.sets}
        self._lists["sets"] = found
        self._show_lists()

    def _on_evaluations(self, found: EvaluationList) -> None:
        self._evaluations = {one.id: one for one in found.evaluations}
        self._lists["evaluations"] = found
        self._show_lists()

    def _show_lists(self) -> None:
        if len(self._lists) < 2:
            return
        self.side.show_all(tuple(self._sets.values()), tuple(self._evaluations.values()))
        there = bool(self._sets or self._evaluations)
        self._stack.setCurrentIndex(0 if there else 1)
        if not self._show_wanted() and there:
            self._show_current()

    def _show_wanted(self) -> bool:
        kind = EVALUATION if self._wanted in self._evaluations else SET
        if self._wanted and self.side.choose(kind, self._wanted):
            self._wanted = ""
            self._show_current()
            return True
        return False

    def _on_chosen(self, kind: str, identity: str) -> None:
        self._show_current()

    def _show_current(self) -> None:
        kind, identity = self.side.current
        self._follow_report(identity if kind == EVALUATION else "")
        if kind == SET and identity in self._sets:
            self._right.setCurrentWidget(self.questions)
            self.questions.show_set(self._sets[identity])
        elif kind == EVALUATION:
            self._right.setCurrentWidget(self.results)

    def _follow_report(self, evaluation: str) -> None:
        wanted = self._bridge.home.listing(GetEvaluation(evaluation=evaluation)) if evaluation else None
        if wanted is self._report:
            return
        if self._report is not None:
            self._report.leave(self._on_report)
        self._report = wanted
        if wanted is not None:
            wanted.follow(self._on_report)

    def _on_report(self, report: EvaluationReport) -> None:
        before = self.results.report
        self.results.show_report(report)
        if before is None or before.evaluation.id != report.evaluation.id:
            self._read_grid(0)
        elif not self._expiring.isActive():
            self._expiring.start()
        self._show_progress()

    def _on_made(self, found: QuestionSet) -> None:
        """A set was made from documents: show it, and let a person review it."""
        self._on_sample(found)
        self.begin_review()

    def _on_sample(self, found: QuestionSet) -> None:
        self._sets[found.id] = found
        self._show_lists()
        self.open_target(question_set=found.id)

    def _on_edited(self, found: QuestionSet) -> None:
        self._sets[found.id] = found
        self.questions.update_set(found)

    # -- runs ----------------------------------------------------------------------------------------

    def _on_started(self, run: RunRecord) -> None:
        self._runs.follow(run)
        self.open_target(evaluation=str(run.config["evaluation"]))
        self._bridge.home.listing(ListEvaluations()).refresh()

    def _on_began(self, work: RunFollower) -> None:
        work.progressed.connect(lambda progress: self._on_progress(work, progress))
        self._show_progress()

    def _on_progress(self, work: RunFollower, progress: Progress) -> None:
        self._progress[work.run.id] = progress
        if work is self._work:
            words = texts.STAGE_NAMES.get(progress.stage, "{name}").format(name=progress.detail)
            if progress.stage not in texts.STAGE_NAMES:
                words = stage_of(progress)
            share, numbers = how_far(progress)
            self.results.progress.set_progress(words, share, numbers, progress.seconds_left)

    def _on_ended(self, work: RunFollower) -> None:
        report = self.results.report
        if report is not None and report.evaluation.id == work.run.config.get("evaluation"):
            if isinstance(work.terminal, events.Failed):
                self.results.message.show_message(in_words(error_of(work.terminal)), "danger")
            if self._report is not None:
                self._report.refresh()
        self._show_progress()

    @property
    def _work(self) -> RunFollower | None:
        """What is being done for the evaluation that is shown."""
        report = self.results.report
        shown = report.evaluation.id if report is not None else ""
        found = [work for work in self._runs.open.values() if work.run.config.get("evaluation") == shown]
        return found[-1] if found else None

    def _show_progress(self, _: RunList | None = None) -> None:
        """Progress while it runs; afterwards that answers are missing, where they are."""
        work, report, results = self._work, self.results.report, self.results
        if work is not None and work.run.id in self._progress:
            self._on_progress(work, self._progress[work.run.id])
        elif work is not None:
            results.progress.set_progress(texts.WAITING)
        results.progress.setVisible(work is not None)
        results.found.show_run(self._search_of(report) if work is None and report is not None else None)
        results.score_button.setEnabled(work is None)
        results.delete_button.setEnabled(work is None)
        if work is not None:
            results.message.hide()
        elif report is not None and report.cells - report.answered > 0 and self._needs_answers(report):
            if results.message.isHidden():
                words = texts.UNFINISHED.format(
                    missing=describe_count(report.cells - report.answered, "answer is", "answers are")
                )
                results.message.show_message(words, "attention", texts.RESUME, self._on_resume)
        elif results.message.action_button.text() == texts.RESUME:
            results.message.hide()

    def _needs_answers(self, report: EvaluationReport) -> bool:
        """Whether its run ended early: one with scorers that need no answer has none."""
        run = self._run_of(report)
        return run is not None and run.state not in ("finished", *ACTIVE)

    def _run_of(self, report: EvaluationReport) -> RunRecord | None:
        runs = self._bridge.home.runs.value
        return next((run for run in runs.runs if run.id == report.evaluation.run), None) if runs is not None else None

    def _search_of(self, report: EvaluationReport) -> RunRecord | None:
        """The search whose candidates it shows, whichever run worked on it last."""
        runs = self._bridge.home.runs.value
        mine = (run for run in (runs.runs if runs is not None else ()) if run.kind == "optimise")
        return next((run for run in mine if run.config.get("evaluation") == report.evaluation.id), None)

    def _on_stop(self) -> None:
        if self._work is not None:
            self.results.progress.set_progress(texts.STOPPING)
            self._work.stop()

    def _on_resume(self) -> None:
        report = self.results.report
        if report is not None:
            self.results.message.hide()
            self._bridge.call(ResumeRun(run=report.evaluation.run), self._runs.follow, self._complain, self)

    # -- rows and cells ------------------------------------------------------------------------------

    def _read_questions(self, first: int) -> None:
        shown, part = self.questions.shown, self.questions.part.value
        if shown is None:
            return

        def put(page: QuestionPage) -> None:
            if self.questions.shown is shown and self.questions.part.value == part:
                self.questions.put_page(page)

        call = ListQuestions(question_set=shown.id, part=_part(part), first=first, limit=PAGE_ROWS)
        self._bridge.call(call, put, self._shell_complain, self)

    def _read_grid(self, first: int) -> None:
        results, report = self.results, self.results.report
        if report is None:
            return
        asked = (report.evaluation.id, results.keep, results.scorer)

        def put(page: GridPage) -> None:
            now = results.report
            if now is not None and asked == (now.evaluation.id, results.keep, results.scorer):
                results.put_page(page)
                self._open_wanted_column(page)

        call = ListGrid(
            evaluation=asked[0],
            first=first,
            limit=PAGE_ROWS,
            keep=results.keep,  # type: ignore[arg-type]
            scorer=asked[2],
        )
        self._bridge.call(call, put, self._complain, self)

    def _open_wanted_column(self, page: GridPage) -> None:
        column, self._wanted_column = self._wanted_column, -1
        if column >= 0 and page.rows:
            self._read_cell(page.rows[0].number, column)

    def _on_opened(self, row: GridRow, column: int) -> None:
        self._read_cell(row.number, column - FIXED if column >= FIXED else max(0, self.results.cell.column))

    def _read_cell(self, number: int, column: int) -> None:
        report = self.results.report
        if report is None:
            return
        column = min(column, len(report.evaluation.columns) - 1)

        def shown(details: CellDetails) -> None:
            names = [one.name for one in report.evaluation.columns]
            self.results.cell.show_cell(details, column, names, report.results)
            self.results.show_panel(True)

        call = GetCell(evaluation=report.evaluation.id, number=number, column=column)
        self._bridge.call(call, shown, self._complain, self)

    def _read_other(self, column: int) -> None:
        report, cell = self.results.report, self.results.cell
        if report is not None:
            call = GetCell(evaluation=report.evaluation.id, number=cell.number, column=column)
            self._bridge.call(call, cell.show_other, self._complain, self)

    def _on_rated(self, rating: int) -> None:
        report, cell = self.results.report, self.results.cell
        if report is not None:
            call = RateCell(
                evaluation=report.evaluation.id,
                number=cell.number,
                column=cell.column,
                rating=rating,  # type: ignore[arg-type]
            )
            self._bridge.call(call, lambda rated: cell.feedback.show_rating(rated.rating), self._complain, self)

    def _on_cell_closed(self) -> None:
        self.results.show_panel(False)
        self.results.grid.setFocus()

    # -- what is done --------------------------------------------------------------------------------

    def _on_export(self, form: str) -> None:
        kinds = next(kinds for name, _, kinds in texts.EXPORTS if name == form)
        path, _ = QFileDialog.getSaveFileName(self, texts.EXPORT, "", kinds)
        if path:
            ending = f".{texts.ENDINGS.get(form, form)}"
            self.export_to(path if path.lower().endswith(ending) else path + ending, form)

    def export_to(self, path: str, form: str) -> None:
        """Write the evaluation that is shown to a file."""
        report = self.results.report
        if report is None:
            return
        if form in ("png", "svg"):
            self.results.write_picture(path, form)
            return

        def ended(terminal: Terminal) -> None:
            if isinstance(terminal, events.Finished):
                self.results.message.show_message(texts.EXPORTED.format(path=path), "success")
            else:
                self._complain(error_of(terminal))

        call = ExportEvaluation(evaluation=report.evaluation.id, path=path, form=form)  # type: ignore[arg-type]
        self._bridge.stream(call, lambda batch: None, ended, self)

    def _on_delete_pressed(self) -> None:
        view = self.questions if self._right.currentWidget() is self.questions else self.results
        if view.delete_button.isEnabled():
            view.confirm.ask()

    def _on_delete_set(self) -> None:
        if self.questions.shown is not None:
            call = RemoveQuestionSet(question_set=self.questions.shown.id)
            self._bridge.call(call, self._bridge.home.listing(ListQuestionSets()).put, self._shell_complain, self)

    def _on_delete_evaluation(self) -> None:
        if self.results.report is not None:
            call = RemoveEvaluation(evaluation=self.results.report.evaluation.id)
            self._bridge.call(call, self._bridge.home.listing(ListEvaluations()).put, self._complain, self)

    def _complain(self, error: Exception) -> None:
        self.results.message.show_message(in_words(error), "danger")

    def _shell_complain(self, error: Exception) -> None:
        self._shell.show_message(in_words(error), "danger")


def _part(value: str) -> Any:
    return value if value in texts.PARTS else "all"
