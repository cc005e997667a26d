"""The page *What pays*: which way of adapting is enough for a person's questions, measured from the cheapest to the
dearest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtWidgets import QFileDialog, QFrame, QStackedWidget, QWidget

from ui.bridge import Bridge
from ui.components.basics import PrimaryButton
from ui.components.layout import column_of, row_of
from ui.components.picture_file import write_picture
from ui.components.run_follower import ACTIVE, RunFollower, RunFollowers
from ui.components.wording import how_far, in_words
from ui.features import Found, ShellActions
from ui.features.ladder import texts
from ui.features.ladder.extend_dialog import ExtendDialog
from ui.features.ladder.report import LadderReportView
from ui.features.ladder.setup import LadderSetup
from ui.state import Listing
from workbench.api import events
from workbench.api.events import Progress, Terminal
from workbench.api.protocol import error_of
from workbench.base.catalogue import translated
from workbench.base.errors import UserError
from workbench.records.ladder import Ladder, LadderList, LadderReport, RungReport
from workbench.subjects.ladder.calls import ExportLadder, ExtendLadder, GetLadder, ListLadders, RemoveLadder
from workbench.subjects.runs.calls import RunList, RunRecord


class LadderPage(QWidget):
    """See ``ui.features`` for what the frame asks of a page."""

    name, title, icon = "ladder", texts.WHAT_PAYS, "evaluate"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self._bridge = bridge
        self._shell = shell
        self._ladders: dict[str, Ladder] = {}
        self._wanted = ""
        self._known = False
        self._listing: Listing[LadderReport] | None = None
        self._progress: dict[str, Progress] = {}  # the latest of each run
        self._build()
        self._runs = RunFollowers(bridge, ("ladder",), self)
        self._runs.began.connect(self._on_began)
        self._runs.ended.connect(self._on_ended)
        bridge.home.listing(ListLadders()).follow(self._on_ladders)
        bridge.home.runs.follow(self._show_progress)
        self._runs.find()

    def open_target(self, ladder: str = "", question_set: str = "") -> None:
        """Show a comparison, or begin one with a question set, by their ids."""
        if question_set:
            self.show_setup()
            self.setup.choose_set(question_set)
        elif ladder:
            self._wanted = ladder
            self._show_wanted()

    def find_entries(self) -> Sequence[Found]:
        """The comparisons, for the palette."""
        return [
            Found(texts.title_of(one), "comparison", self.icon, partial(self._shell.open_page, self.name, ladder=id))
            for id, one in self._ladders.items()
        ]

    def header(self) -> QWidget:
        """The button for a new comparison."""
        return self._header

    @property
    def shown(self) -> LadderReport | None:
        """The comparison that is looked at; None while one is put together."""
        return self.view.report if self._views.currentWidget() is self.view else None

    def show_setup(self) -> None:
        """Put a comparison together."""
        self._follow("")
        self._views.setCurrentWidget(self.setup)
        self._show_header()

    # -- building ------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.setup = LadderSetup(self._bridge)
        self.setup.started.connect(self._on_started)
        self.setup.left.connect(self._show_latest)
        self.setup.models_wanted.connect(lambda: self._shell.open_page("models"))
        view = self.view = LadderReportView()
        view.opened.connect(self._on_opened)
        view.use_wanted.connect(self._on_use)
        view.export_wanted.connect(self._on_export)
        view.add_wanted.connect(self.begin_adding)
        view.confirm.confirmed.connect(self._on_delete)
        view.progress.stop_clicked.connect(self._on_stop)
        self._views = QStackedWidget()
        for part in (self.setup, view):
            self._views.addWidget(part)
        column_of(self, self._views)
        view.choice.chosen.connect(self._show)
        self.new_button = PrimaryButton(texts.NEW, "plus", small=True, clicked=self.show_setup)
        self._header = QFrame()
        row_of(self._header, self.new_button)
        self._show_header()

    def _show_header(self) -> None:
        there = bool(self._ladders)
        beginning = self._views.currentWidget() is self.setup
        self.new_button.setVisible(there and not beginning)
        self.setup.show_way_back(there)

    # -- what there is -------------------------------------------------------------------------------

    def _on_ladders(self, found: LadderList) -> None:
        first, self._known = not self._known, True
        self._ladders = {one.id: one for one in found.ladders}
        self.view.choice.set_choices([(texts.title_of(one), id) for id, one in self._ladders.items()])
        shown = self._listing.call.ladder if self._listing is not None else ""  # type: ignore[attr-defined]
        gone = bool(shown) and shown not in self._ladders
        begins = first and not self.setup.questions.value and not self._wanted
        if not self._show_wanted() and (gone or begins):
            self._show_latest()
        self._show_header()

    def _show_wanted(self) -> bool:
        if self._wanted and self._wanted in self._ladders:
            wanted, self._wanted = self._wanted, ""
            self._show(wanted)
            return True
        return False

    def _show_latest(self) -> None:
        if self._ladders:
            self._show(next(iter(self._ladders)))
        else:
            self.show_setup()

    def _show(self, ladder: str) -> None:
        self.view.choice.show_value(ladder)
        self._views.setCurrentWidget(self.view)
        self._follow(ladder)
        self._show_header()

    def _follow(self, ladder: str) -> None:
        wanted = self._bridge.home.listing(GetLadder(ladder=ladder)) if ladder else None
        if wanted is self._listing:
            return
        if self._listing is not None:
            self._listing.leave(self._on_report)
        self._listing = wanted
        if wanted is not None:
            wanted.follow(self._on_report)

    def _on_report(self, report: LadderReport) -> None:
        ladder = report.ladder
        tasks = texts.TASKS[ladder.task].lower()
        facts = texts.FACTS.format(
            held_out=texts.questions(report.held_out), tune=report.tune, task=tasks, model=ladder.recipe.model.name
        )
        self.view.show_report(report, facts)
        self._show_progress()

    # -- runs ----------------------------------------------------------------------------------------

    def _on_started(self, run: RunRecord) -> None:
        self._bridge.home.runs.put_run(run)
        self._runs.follow(run)
        self._wanted = str(run.config.get("ladder", ""))
        self._show_wanted()
        self._bridge.home.listing(ListLadders()).refresh()

    def _on_began(self, work: RunFollower) -> None:
        work.progressed.connect(partial(self._on_progress, work))
        self._show_progress()

    def _on_progress(self, work: RunFollower, progress: Progress) -> None:
        self._progress[work.run.id] = progress
        if work is self._work:
            words = texts.STAGE.format(stage=translated(progress.stage)) if progress.stage else texts.RUNNING
            share, numbers = how_far(progress)
            self.view.progress.set_progress(words, share, numbers, progress.seconds_left)

    def _on_ended(self, work: RunFollower) -> None:
        report = self.view.report
        if report is not None and report.ladder.id == work.run.config.get("ladder"):
            if isinstance(work.terminal, events.Failed):
                self._complain(error_of(work.terminal))
            if self._listing is not None:
                self._listing.refresh()
        self._show_progress()

    @property
    def _work(self) -> RunFollower | None:
        """What is being done for the comparison that is shown."""
        shown = self.view.report.ladder.id if self.view.report is not None else ""
        found = [work for work in self._runs.open.values() if work.run.config.get("ladder") == shown]
        return found[-1] if found else None

    def _show_progress(self, _: RunList | None = None) -> None:
        work, report, view = self._work, self.view.report, self.view
        if work is not None and work.run.id in self._progress:
            self._on_progress(work, self._progress[work.run.id])
        elif work is not None:
            view.progress.set_progress(texts.WAITING)
        view.progress.setVisible(work is not None)
        for button in (view.add_button, view.delete_button):
            button.setEnabled(work is None)
            button.setToolTip(texts.WHILE_RUNNING if work is not None else "")
        ended = self._state_of_run()
        if work is not None:
            view.message.hide()
        elif report is not None and ended in ("cancelled", "interrupted") and self._unfinished(report):
            words = texts.STOPPED_WORDS if ended == "cancelled" else texts.INTERRUPTED_WORDS
            view.message.show_message(words, "attention", texts.CONTINUE, self._on_continue)
        elif view.message.action_button.text() == texts.CONTINUE:
            view.message.hide()

    def _state_of_run(self) -> str:
        runs, report = self._bridge.home.runs.value, self.view.report
        if runs is None or report is None:
            return ""
        run = next((run for run in runs.runs if run.id == report.ladder.run), None)
        return run.state if run is not None and run.state not in ACTIVE else ""

    def _unfinished(self, report: LadderReport) -> bool:
        return any(rung.state not in ("measured", "skipped", "failed") for rung in report.rungs)

    def _on_stop(self) -> None:
        if self._work is not None:
            self.view.progress.set_progress(texts.STOPPING)
            self._work.stop()

    def _on_continue(self) -> None:
        report = self.view.report
        if report is not None:
            self.view.message.hide()
            self._bridge.call(ExtendLadder(ladder=report.ladder.id), self._on_started, self._complain, self)

    def begin_adding(self) -> ExtendDialog | None:
        """Ask for further rungs."""
        report = self.view.report
        if report is None:
            return None
        dialog = ExtendDialog(self._bridge, report, self)
        dialog.started.connect(self._on_started)
        dialog.open()
        return dialog

    # -- what is done with the result ------------------------------------------------------------------

    def _rung(self, name: str) -> RungReport | None:
        report = self.view.report
        return next((rung for rung in report.rungs if rung.offer.name == name), None) if report is not None else None

    def _on_opened(self, name: str) -> None:
        report, rung = self.view.report, self._rung(name)
        if report is not None and rung is not None and rung.column is not None:
            self._shell.open_page("evaluate", evaluation=report.ladder.evaluation, column=rung.column)

    def _on_use(self, name: str) -> None:
        rung = self._rung(name)
        if rung is not None and rung.recipe is not None:
            self._shell.open_page("chat", new=True, recipe=rung.recipe)

    def _on_delete(self) -> None:
        report = self.view.report
        if report is not None:
            call = RemoveLadder(ladder=report.ladder.id)
            self._bridge.call(call, self._bridge.home.listing(ListLadders()).put, self._complain, self)

    def _on_export(self, form: str) -> None:
        if form == "recipes":
            path = QFileDialog.getExistingDirectory(self, texts.CHOOSE_FOLDER)
        else:
            kinds = next(kinds for name, _, kinds in texts.EXPORTS if name == form)
            path, _ = QFileDialog.getSaveFileName(self, texts.EXPORT, "", kinds)
            ending = f".{texts.ENDINGS.get(form, form)}"
            path = path if not path or path.lower().endswith(ending) else path + ending
        if path:
            self.export_to(path, form)

    def export_to(self, path: str, form: str) -> None:
        """Write the comparison that is shown to a file, or its recipes into a folder."""
        report = self.view.report
        if report is None:
            return
        if form in ("png", "svg"):
            try:
                write_picture(path, form, self.view.chart.draw_for_slide, texts.CHART)
            except UserError as error:
                self._complain(error)
                return
            self.view.message.show_message(texts.EXPORTED.format(path=path), "success")
            return

        def ended(terminal: Terminal) -> None:
            if isinstance(terminal, events.Finished):
                self.view.message.show_message(texts.EXPORTED.format(path=path), "success")
            else:
                self._complain(error_of(terminal))

        call = ExportLadder(ladder=report.ladder.id, path=path, form=form)  # type: ignore[arg-type]
        self._bridge.stream(call, lambda batch: None, ended, self)

    def _complain(self, error: Exception) -> None:
        self.view.message.show_message(in_words(error), "danger")
