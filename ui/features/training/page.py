"""The Train page: set up a training, watch it, review and compare earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QApplication, QSplitter, QStackedWidget, QWidget

from ui.bridge import Bridge
from ui.components.layout import column_of, row_of
from ui.components.notices import DropCover, EmptyState, TakesFiles
from ui.components.recipe.saved_recipes import saved_recipes
from ui.components.training_setup import TrainingSetupCard
from ui.components.wording import in_words
from ui.features import Found, ShellActions
from ui.features.training import texts
from ui.features.training.actions import RunActions, TrainIntake
from ui.features.training.planning import PlanningController
from ui.features.training.run_list import RunList
from ui.features.training.setup import TrainSetup
from ui.features.training.state import TrainingFollower, TrainingState
from ui.features.training.texts import config_of
from ui.theme import tokens
from workbench.api.events import Event, Terminal
from workbench.base.stored import Unreadable
from workbench.records.methods import Methods
from workbench.records.training import TRAINING, AdapterList, AdapterRecord, DataSetList, TrainingConfig
from workbench.records.training_packages import TrainingPackages
from workbench.subjects.adapters.calls import ListAdapters
from workbench.subjects.datasets.calls import ListDataSets, RemoveDataSet
from workbench.subjects.machine.calls import ListMethods, MethodList
from workbench.subjects.models.calls import ListModels, ModelList
from workbench.subjects.runs.calls import FollowRun, RunRecord
from workbench.subjects.runs.calls import RunList as RunRecords
from workbench.subjects.trainings.calls import Train

if TYPE_CHECKING:
    from ui.features.training.compare import TrainCompare
    from ui.features.training.run_view import TrainRun


class TrainPage(TakesFiles, QWidget):
    """See ``ui.features`` for what the frame asks of a page."""

    name, title, icon = "train", texts.TRAINING, "train"

    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__()
        self._bridge = bridge
        self._shell = shell
        self._runs: dict[str, RunRecord] = {}
        self._watches: dict[str, TrainingFollower] = {}
        self._made: dict[str, AdapterRecord] | None = None  # by the run that made it; None until it is known
        self._shown = ""  # id of the run that is looked at; "": the setup
        self._wanted = ""  # id of a run to be shown once it is known
        self._moves_keyboard = False  # to that run
        self._ticked: list[str] = []  # in the order of ticking, so that each keeps its colour
        self._first_look = True
        self._has_models = True  # until it is known
        self._methods: Methods[Any] = Methods()
        self._run_view: TrainRun | None = None
        self._compare_view: TrainCompare | None = None
        self.packages = TrainingSetupCard(bridge, texts.NEEDS_PACKAGES)
        self.runs = RunList()
        self.setup = TrainSetup()
        self.planning = PlanningController(bridge, self.setup, self)
        self.intake = TrainIntake(bridge, self.setup, self)
        self.run_actions = RunActions(bridge, shell, lambda: self.shown_run, self._made_here, self)
        self._views = QStackedWidget()
        self.no_model = EmptyState("train", texts.NO_MODEL, texts.NO_MODEL_HELP, texts.GO_TO_MODELS)
        if self.no_model.button is not None:
            self.no_model.button.clicked.connect(lambda: self._shell.open_page("models"))
        self._views.addWidget(self.setup)
        self._views.addWidget(self.no_model)
        self.runs.setMinimumWidth(190)
        self._needed, right = QWidget(), QWidget()
        row_of(self._needed, self.packages, margins=(tokens.SPACE_5, tokens.SPACE_4))
        self._needed.hide()
        column_of(right, self._needed, (self._views, 1))
        self._split = QSplitter(Qt.Orientation.Horizontal)
        for number, part in enumerate((self.runs, right)):
            self._split.addWidget(part)
            self._split.setCollapsible(number, False)
            self._split.setStretchFactor(number, number)
        self._split.setSizes([250, 1000])
        row_of(self, self._split)
        self.cover = DropCover(self)
        self.setAcceptDrops(True)
        self._connect()
        self._views.setCurrentWidget(self.setup)
        self.packages.changed.connect(self._on_packages)
        home = bridge.home
        home.listing(ListMethods()).follow(self._on_methods)  # before what is shown with their titles
        home.listing(ListModels()).follow(self._on_models)
        home.listing(ListDataSets()).follow(self._on_sets)
        home.listing(ListAdapters()).follow(self._on_adapters)
        home.runs.follow(self._on_runs)

    def open_target(
        self, run: str = "", data: str = "", model: str = "", objective: str = "", method: str = "", reward: str = ""
    ) -> None:
        """Show a run (its id), or the setup with these examples (a path or the name of a set), this model, this
        objective with the line of a ``reward``, and this method. Examples that another page hands over begin with what
        the program proposes for them."""
        self._first_look = False
        if run:
            self._wanted = run
            if run in self._runs:
                self._show_wanted()
            else:
                self._bridge.home.runs.refresh()
        if data or model or objective:
            self.show_setup()
            if data:
                self._set_config(TrainingConfig(model=model or self._model()))
            elif model:
                self._set_config(msgspec.structs.replace(self.setup.config, model=model))
            if data:
                self.setup.choose_data(data)
            if objective:
                self.setup.choose_objective(objective)
            if reward:
                self.setup.choose_reward(reward)
            if method:
                self.setup.choose_method(method)

    def find_entries(self) -> Sequence[Found]:
        """Trainings and what can be begun here, for the palette."""
        found = [Found(texts.NEW_TRAINING, "action", "plus", self._open_anew)]
        for run in self._runs.values():
            show = partial(self._shell.open_page, "train", run=run.id)
            found.append(Found(run.title, "training", "train", show))
        return found

    def _open_anew(self) -> None:
        self._shell.open_page("train", model=self._model())
        self.begin_anew()

    def remember(self) -> str:
        """The training that is being put together."""
        return TRAINING.encode(self.setup.config).decode()

    def recall(self, words: str) -> None:
        config = TRAINING.decode(words)
        if not isinstance(config, Unreadable):  # nothing, or what another program kept
            self._set_config(config)

    def _on_packages(self, state: TrainingPackages) -> None:
        self._needed.setVisible(not state.ready)
        self.planning.set_ready(state.ready)

    # -- what is shown ---------------------------------------------------------------------------------

    @property
    def shown_run(self) -> RunRecord | None:
        """The run that is looked at; None while a training is put together or several are compared."""
        return self._runs.get(self._shown)

    @property
    def trainings(self) -> Sequence[RunRecord]:
        """All that are known, the latest first."""
        return tuple(self._runs.values())

    @property
    def run_view(self) -> TrainRun | None:
        """The view of a run, once one was looked at."""
        return self._run_view

    @property
    def compare_view(self) -> TrainCompare | None:
        return self._compare_view

    def show_setup(self) -> None:
        """Put a training together."""
        self._shown = ""
        self.runs.choose("")
        self._views.setCurrentWidget(self.setup if self._has_models else self.no_model)
        self._drop_watches()

    def begin_anew(self) -> None:
        """Put a training together from what the program proposes. Settings that were not started can be put back."""
        before, fresh = self.setup.config, TrainingConfig(model=self._model())
        self.show_setup()
        self.setup.message.hide()
        if before == fresh:
            return
        self._set_config(fresh)
        put_back = partial(self._put_back, before)
        self.setup.message.show_message(texts.BEGUN_ANEW, "info", texts.PUT_BACK, put_back)

    def _put_back(self, config: TrainingConfig) -> None:
        self.setup.message.hide()
        self._set_config(config)

    def show_run(self, run: str) -> None:
        """Look at a run; one that is not in the list is passed over."""
        if run not in self._runs:
            return
        self._shown = run
        self.runs.choose(run)
        self._views.setCurrentWidget(self._run_view or self._make_run_view())
        self._watch(run)
        self._drop_watches()
        self._draw()

    def _make_run_view(self) -> TrainRun:
        from ui.features.training.run_view import TrainRun

        view = self._run_view = TrainRun()
        self._views.addWidget(view)
        view.copy_wanted.connect(lambda: self.copy(self._shown))
        self.run_actions.serve(view)
        return view

    def _show_comparison(self) -> None:
        for run in self._ticked:
            self._watch(run)
        view = self._compare_view
        if view is None:
            from ui.features.training.compare import TrainCompare

            view = self._compare_view = TrainCompare()
            self._views.addWidget(view)
        self._views.setCurrentWidget(view)
        self._draw()

    def _draw(self) -> None:
        """Show what the watched runs have told so far; nobody looks while another page is open."""
        if not self.isVisible():
            return
        view = self._views.currentWidget()
        if view is self._run_view and self._run_view is not None and self._shown in self._watches:
            made = self._made.get(self._shown) if self._made is not None else None
            gone = self._made is not None and made is None and self._runs[self._shown].state == "finished"
            self._run_view.methods = self._methods
            self._run_view.show_run(self._runs[self._shown], self._watches[self._shown].story, made, gone)
        elif view is self._compare_view and self._compare_view is not None:
            shown = [(self._runs[id], self._watches[id].story) for id in self._ticked if id in self._watches]
            self._compare_view.methods = self._methods
            self._compare_view.show_runs(shown)

    def _watch(self, run: str) -> None:
        if run not in self._watches:
            watch = self._watches[run] = TrainingFollower(self._bridge, self._runs[run], self)
            watch.changed.connect(self._draw)

    def _drop_watches(self) -> None:
        """Follow only what can be seen."""
        for run in [run for run in self._watches if run != self._shown and run not in self._ticked]:
            self._watches.pop(run).leave()

    # -- what is there ---------------------------------------------------------------------------------

    def _connect(self) -> None:
        self.runs.new_wanted.connect(self.begin_anew)
        self.runs.opened.connect(self.show_run)
        self.runs.ticked.connect(self._on_ticked)
        self.runs.deleted.connect(self.run_actions.delete)
        self.runs.copied.connect(self.copy)
        self.setup.start_wanted.connect(self._on_start)
        self.setup.remove_wanted.connect(self._on_remove_set)
        self.run_actions.answered.connect(self._on_answered)
        self.run_actions.refused.connect(self._bridge.home.runs.refresh)
        self.run_actions.removed.connect(self._on_removed)
        self._bridge.connected_changed.connect(self._on_connected)

    def _on_connected(self, connected: bool) -> None:
        if connected:
            self.planning.look_again()

    def _on_methods(self, found: MethodList) -> None:
        self._methods = Methods(found.methods)
        self.setup.set_methods(self._methods)
        self.runs.set_methods(self._methods)
        self._draw()

    def _on_models(self, found: ModelList) -> None:
        models = [model for model in found.models if model.kind in ("chat", "base") and not model.missing]
        self.setup.show_models(models)
        names = [model.name for model in models]
        self._has_models = bool(names)
        if self._views.currentWidget() in (self.setup, self.no_model):
            self._views.setCurrentWidget(self.setup if names else self.no_model)
        self.planning.set_models(names)
        if self.setup.config.model not in names and names:
            status = self._bridge.status
            loaded = status.model if status is not None and status.model in names else names[0]
            self._set_config(msgspec.structs.replace(self.setup.config, model=loaded))

    def _on_sets(self, found: DataSetList) -> None:
        self.setup.show_sets(found.sets)
        self.setup.settings.offer_sets([one.name for one in found.sets])

    def _on_remove_set(self, name: str) -> None:
        def removed(left: DataSetList) -> None:
            self.setup.forget_data(name)  # before it is missing in the list, which a file may be as well
            self._bridge.home.listing(ListDataSets()).put(left)
            self._shell.show_message(texts.SET_REMOVED.format(name=name), "info")

        def refused(error: Exception) -> None:
            self.setup.message.show_message(in_words(error), "danger")

        self._bridge.call(RemoveDataSet(name=name), removed, refused, self)

    def _on_adapters(self, found: AdapterList) -> None:
        self._made = {record.run: record for record in found.adapters if record.run and record.origin == "trained"}
        rewarding = [record.name for record in found.adapters if record.usable and record.kind == "reward"]
        self.setup.settings.offer(rewarding, [path.stem for path in saved_recipes(self._bridge)])
        self._draw()

    def _on_runs(self, found: RunRecords) -> None:
        trainings = [run for run in found.runs if run.kind == "train"]
        if not self._first_look and trainings == list(self._runs.values()):
            return
        self._runs = {run.id: run for run in trainings}
        self.runs.show_runs(trainings)
        for id, watch in list(self._watches.items()):
            if id in self._runs:
                watch.update_run(self._runs[id])
        gone = [id for id in self._ticked if id not in self._runs]
        if gone:
            self._on_ticked([id for id in self._ticked if id in self._runs])
        if self._shown and self._shown not in self._runs:
            self.show_setup()
        self._drop_watches()
        if self._first_look:
            self._first_look = False
            self._wanted = next((run.id for run in trainings if run.state == "running"), "")
        self._show_wanted()
        self._draw()

    def _show_wanted(self) -> None:
        wanted = self._wanted
        if wanted in self._runs:
            self._wanted = ""
            self.show_run(wanted)
            if self._moves_keyboard and self._run_view is not None:
                self._draw()
                self._run_view.take_keyboard()
            self._moves_keyboard = False

    # -- putting one together --------------------------------------------------------------------------

    def _model(self) -> str:
        return self.setup.config.model

    def _set_config(self, config: TrainingConfig) -> None:
        self.setup.show_config(config)
        self.planning.take(self.setup.config)

    def copy(self, run: str) -> None:
        """Put a training together like one that was there."""
        config = config_of(self._runs[run]) if run in self._runs else None
        self.show_setup()
        self.setup.begin()
        if config is None:
            why = self._runs[run].unreadable if run in self._runs else texts.TRAINING_MISSING
            self.setup.message.show_message(why, "attention")
            return
        self._put_copy(run, config)
        words = texts.COPIED_SETTINGS.format(title=self._runs[run].title)
        self.setup.message.show_message(words, "info")

    def _put_copy(self, run: str, config: TrainingConfig) -> None:
        """Put the run's config down, and once its log has told what was asked for, that: what was left to the program
        then is again, so that other epochs make other steps."""
        self._set_config(msgspec.structs.replace(config, name=""))
        put, story = self.setup.config, TrainingState()

        def take(batch: Sequence[Event]) -> None:
            if story.asked is None:
                story.tell(batch)
                if story.asked is not None and self.setup.config == put:
                    self._set_config(msgspec.structs.replace(story.asked, name=""))
                    handle.cancel()

        handle = self._bridge.stream(FollowRun(run=run), take, _leave, self)

    def _on_start(self) -> None:
        focused = QApplication.focusWidget()
        had_keyboard = focused is None or self.setup.isAncestorOf(focused)  # a dialog may have taken it

        def started(run: RunRecord) -> None:
            self.planning.set_starting(False)
            self._wanted = run.id
            self._moves_keyboard = had_keyboard
            self._bridge.home.runs.put_run(run)
            self._set_config(TrainingConfig(model=self._model()))  # the next one begins with what is proposed for it

        def refused(error: Exception) -> None:
            self.planning.set_starting(False)
            self.setup.message.show_message(in_words(error), "danger")

        self.setup.message.hide()
        self.planning.set_starting(True)
        self._bridge.call(Train(config=self.setup.config), started, refused, self)

    # -- what was done with a run ----------------------------------------------------------------------

    def _on_answered(self, run: RunRecord) -> None:
        self._bridge.home.runs.put_run(run)

    def _on_removed(self, run: str) -> None:
        if self._shown == run:
            self.show_setup()
        self._bridge.home.runs.refresh()

    def _on_ticked(self, ticked: list[str]) -> None:
        self._ticked = [id for id in self._ticked if id in ticked] + [id for id in ticked if id not in self._ticked]
        if len(self._ticked) > 1:
            self._show_comparison()
        elif self._views.currentWidget() is self._compare_view:
            if self._shown:
                self.show_run(self._shown)
            else:
                self.show_setup()
        self._drop_watches()

    def _made_here(self) -> AdapterRecord | None:
        """The adapter that the shown run made, under the name that it has now."""
        watch = self._watches.get(self._shown)
        adapter = watch.story.adapter if watch is not None else None
        return (self._made or {}).get(self._shown, adapter)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._draw()

    # -- drops -----------------------------------------------------------------------------------------

    def show_drop(self, over: bool) -> None:
        if over:
            self.cover.cover(texts.DROP_EXAMPLES)
        else:
            self.cover.hide()

    def take_files(self, paths: list[str]) -> None:
        self.show_setup()
        self.intake.offer(paths)


def _leave(ended: Terminal) -> None:
    """The run that was looked for was found, or is not there."""
