"""Engines: which one computes models and why; adding one from a file or the package index, testing, using, removing.

Adding is a run, which goes on when the window is closed; it is followed here whoever started it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from ui.bridge import Bridge, Handle
from ui.components.basics import (
    Card,
    Chip,
    ElidedLabel,
    InlineMessage,
    PlainButton,
    ProgressLine,
    QuietButton,
    Text,
    Tone,
)
from ui.components.layout import column_of, empty_layout, row_of
from ui.components.notices import ConfirmRow
from ui.components.run_follower import RunFollower, RunFollowers
from ui.components.wording import describe_bytes, how_far, in_words
from ui.features.settings import engine_texts as texts
from ui.features.settings.offers_part import OfferRow, OffersPart
from ui.theme import tokens
from workbench.api import events
from workbench.api.events import Event, Progress, Terminal
from workbench.api.protocol import Call, error_of, read_result
from workbench.base.catalogue import translated
from workbench.records.engines import BUNDLED, EngineOffer, EngineRecord, EngineState, EngineTest
from workbench.subjects.machine.calls import (
    AddEngine,
    EngineOffers,
    FindEngines,
    GetEngines,
    RemoveEngine,
    TryEngine,
    UseEngine,
)


class EngineCard(Card):
    """One engine is added or tested at a time."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(margin=tokens.SPACE_5)
        self._bridge = bridge
        self._state = EngineState()
        self._testing: Handle | None = None
        self._run: RunFollower | None = None
        self.rows: dict[str, EngineRow] = {}
        self.reason = Text("", "body")
        self.problem = Text("", "attention", visible=False)
        self.add_button = PlainButton(texts.ADD, "plus", small=True, clicked=self._on_add)
        self.progress = ProgressLine(visible=False)
        self.progress.stop_clicked.connect(self.stop)
        self.message = InlineMessage()
        self._rows = column_of(gap=tokens.SPACE_3)
        self.offers = EngineOffersPart(bridge)
        self.offers.wanted.connect(lambda version: self._add(AddEngine(version=version)))
        actions = row_of(None, self.add_button, self.offers.find_button, None, gap=tokens.SPACE_2)
        self.body.setSpacing(tokens.SPACE_3)
        for words in (Text(texts.ENGINE, "heading"), Text(texts.ENGINE_HELP, "muted"), self.reason, self.problem):
            self.body.addWidget(words)
        self.body.addLayout(self._rows)
        for part in (self.offers, self.progress, self.message):
            self.body.addWidget(part)
        self.body.addLayout(actions)
        self._runs = RunFollowers(bridge, ("engine",), self)
        self._runs.began.connect(self._on_began)
        self._runs.ended.connect(self._on_ended)
        bridge.home.listing(GetEngines()).follow(self._on_state)
        self._runs.find()

    @property
    def busy(self) -> bool:
        return self._testing is not None or self._run is not None

    def part(self, field: str) -> PlainButton:
        """The button of a part: add or find. Raises KeyError."""
        return {"": self.add_button, "add": self.add_button, "find": self.offers.find_button}[field]

    def add(self, path: str) -> None:
        """Install an engine from a file and test it."""
        self._add(AddEngine(path=path))

    def stop(self) -> None:
        """Stop what is going on; nothing has changed then."""
        self.progress.set_progress(texts.STOPPING)
        if self._run is not None:
            self._run.stop()
        if self._testing is not None:
            self._testing.cancel()

    # -- what is shown -------------------------------------------------------------------------------

    def _on_state(self, state: EngineState) -> None:
        if state != self._state or not self.rows:
            self._state = state
            given_up = state.used != state.chosen
            self.reason.setVisible(not given_up)
            self.reason.setText(state.reason)
            self.problem.setVisible(given_up)
            self.problem.setText(state.reason)
            self.rows.clear()
            empty_layout(self._rows)
            for engine in (None, *state.engines):
                row = EngineRow(engine, state)
                row.use_wanted.connect(lambda name: self._try(UseEngine(name=name), name))
                row.test_wanted.connect(lambda name: self._try(TryEngine(name=name), name))
                row.removal_wanted.connect(self._remove)
                self.rows[row.name] = row
                self._rows.addWidget(row)
            self.offers.show_installed(state)
        self._show_busy()

    def _show_busy(self) -> None:
        self.progress.setVisible(self.busy)
        for row in self.rows.values():
            if self.busy:
                row.confirm.hide()
        buttons = [button for row in self.rows.values() for button in row.buttons]
        for button in (self.add_button, self.offers.find_button, *self.offers.buttons, *buttons):
            button.setEnabled(not self.busy)
            button.setToolTip(texts.BUSY if self.busy else _HELP.get(button.text(), ""))

    def _complain(self, error: Exception) -> None:
        self.message.show_message(in_words(error), "danger")

    # -- adding --------------------------------------------------------------------------------------

    def _on_add(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, texts.ADD, "", texts.FILES)
        if path:
            self.add(path)

    def _add(self, call: AddEngine) -> None:
        self.message.hide()
        self._bridge.call(call, self._runs.follow, self._complain, self)

    def _on_began(self, follower: RunFollower) -> None:
        self._run = follower
        follower.progressed.connect(partial(self._on_progress, follower))
        self.progress.set_progress(texts.ADDING.format(title=follower.run.title, stage=texts.READING))
        self._show_busy()

    def _on_progress(self, follower: RunFollower, progress: Progress) -> None:
        share, numbers = how_far(progress)
        words = texts.ADDING.format(title=follower.run.title, stage=translated(progress.stage))
        self.progress.set_progress(words, share, numbers, progress.seconds_left)

    def _on_ended(self, follower: RunFollower) -> None:
        self._run = None
        self._show_busy()
        ended = follower.terminal
        if isinstance(ended, events.Finished):
            name = str(ended.result["name"])
            test = msgspec.convert(ended.result["test"], EngineTest)
            if test.problem:
                self.message.show_message(texts.NOT_USED.format(name=name, problem=test.problem), "attention")
            else:
                self.message.show_message(texts.ADDED.format(name=name), "success")
        elif isinstance(ended, events.Cancelled):
            self.message.show_message(texts.STOPPED)
        elif ended is not None:
            self._complain(error_of(ended))
        self._bridge.home.listing(GetEngines()).refresh()

    # -- testing, using, removing --------------------------------------------------------------------

    def _try(self, call: Call[EngineState], name: str) -> None:
        def progressed(batch: Sequence[Event]) -> None:
            for event in batch:
                if isinstance(event, Progress):
                    self.progress.set_progress(texts.TESTING.format(name=name, stage=translated(event.stage)))

        def ended(terminal: Terminal) -> None:
            self._testing = None
            if isinstance(terminal, events.Finished):
                state = read_result(call, terminal.result)
                self._bridge.home.listing(GetEngines()).put(state)
                self._tell(name, state)
            elif isinstance(terminal, events.Cancelled):
                self.message.show_message(texts.STOPPED)
            else:
                self._complain(error_of(terminal))
            self._bridge.home.listing(GetEngines()).refresh()
            self._show_busy()

        self.message.hide()
        self.progress.set_progress(texts.TESTING.format(name=name, stage=texts.READING))
        self._testing = self._bridge.stream(call, progressed, ended, self)
        self._show_busy()

    def _tell(self, name: str, state: EngineState) -> None:
        if name == BUNDLED:
            self.message.show_message(texts.BUNDLED_CHOSEN, "success")
            return
        test = next((engine.test for engine in state.engines if engine.name == name), None)
        if test is not None and test.problem:
            self.message.show_message(texts.NOT_USED.format(name=name, problem=test.problem), "attention")
        elif state.used == name:
            self.message.show_message(texts.ADDED.format(name=name), "success")
        else:
            self.message.show_message(texts.TESTED.format(name=name), "success")

    def _remove(self, name: str) -> None:
        def removed(state: EngineState) -> None:
            self._bridge.home.listing(GetEngines()).put(state)
            self.message.show_message(texts.REMOVED.format(name=name), "success")

        self._bridge.call(RemoveEngine(name=name), removed, self._complain, self)


class EngineRow(QWidget):
    """An engine (None: the bundled one), whether it is used and how its test ended. The signals carry its name."""

    use_wanted = Signal(str)
    test_wanted = Signal(str)
    removal_wanted = Signal(str)

    def __init__(self, engine: EngineRecord | None, state: EngineState) -> None:
        super().__init__()
        self.name = engine.name if engine is not None else BUNDLED
        used = state.used == self.name
        self.use_button = QuietButton(texts.USE, "check", small=True)
        self.test_button = QuietButton(texts.TEST, "restart", small=True)
        self.remove_button = QuietButton(texts.REMOVE, "trash", small=True)
        self.use_button.clicked.connect(lambda: self.use_wanted.emit(self.name))
        self.test_button.clicked.connect(lambda: self.test_wanted.emit(self.name))
        self.confirm = ConfirmRow(self.remove_button)
        self.confirm.set_question(texts.REMOVE_QUESTION.format(name=self.name), texts.REMOVE_NOW)
        self.confirm.confirmed.connect(lambda: self.removal_wanted.emit(self.name))
        self.remove_button.clicked.connect(self.confirm.ask)
        title, facts, chips = texts.BUNDLED, texts.BUNDLED_FACTS.format(version=state.bundled), []
        facts = f"{facts}\n{texts.BUNDLED_IMAGES if state.bundled_images else texts.BUNDLED_NO_IMAGES}"
        if used:
            chips.append(Chip(texts.IN_USE, "success"))
        self.words = ""
        if engine is not None:
            word, tone, self.words = _judged(engine)
            if self.name == state.chosen and not used and not engine.outdated:
                word, tone = texts.GIVEN_UP, "attention"  # the sentence above says why
            if not used:
                chips.append(Chip(word, tone))
            title = engine.name
            facts = texts.FACTS.format(
                version=engine.version, bytes=describe_bytes(engine.bytes),
                source=texts.SIGNED if engine.signed else engine.source,
            )  # fmt: skip
        label = ElidedLabel(title, "body")
        label.setSizePolicy(label.sizePolicy().Policy.Maximum, label.sizePolicy().Policy.Fixed)
        own = (self.test_button, self.remove_button) if engine is not None else ()
        failed = engine is not None and engine.test is not None and bool(engine.test.problem) and not engine.outdated
        self.buttons = [*(() if used or failed else (self.use_button,)), *own]
        for hidden in {self.use_button, self.test_button, self.remove_button} - set(self.buttons):
            hidden.setParent(self)
            hidden.hide()
        for button in self.buttons:
            button.setAccessibleName(f"{button.text()} {title}")
        top = row_of(None, label, *chips, None, *self.buttons, gap=tokens.SPACE_2)
        column_of(self, top, Text(f"{facts}\n{self.words}".strip(), "small"), self.confirm, gap=tokens.SPACE_1)


def _judged(engine: EngineRecord) -> tuple[str, Tone, str]:
    """State, tone, and the result of the test."""
    test = engine.test
    if test is None:
        return texts.NOT_TESTED, "plain", ""
    if engine.outdated:
        return texts.OUTDATED, "plain", texts.OUTDATED_HELP
    if test.problem:
        return texts.FAILED, "attention", test.problem
    words = texts.RESULT.format(build=test.build, speed=test.speed, bundled=test.bundled_speed)
    images = texts.IMAGES_UNTRIED if test.images is None else translated(test.images) or texts.IMAGES
    return texts.PASSED, "plain", f"{words}\n{images}"


_HELP = {
    texts.ADD: texts.ADD_HELP,
    texts.FIND: texts.FIND_HELP,
    texts.USE: texts.USE_HELP,
    texts.TEST: texts.TEST_HELP,
}


class EngineOffersPart(OffersPart):
    """Engines of the package index; ``wanted`` carries a version to install."""

    ALLOWS, OFF, ASKING, FIND = "packages", texts.NETWORK_OFF, texts.ASKING, texts.FIND
    MOST_SHOWN = 5

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._state = EngineState()
        self._offers: tuple[EngineOffer, ...] = ()

    def show_installed(self, state: EngineState) -> None:
        """Versions that are here already are not offered."""
        self._state = state
        self._show()

    def _find(self) -> Call[EngineOffers]:
        return FindEngines()

    def _on_found(self, found: EngineOffers) -> None:
        self._offers = found.engines
        self._show()
        if not found.engines:
            self._say(texts.NOTHING)
        elif found.engines[0].version in self._known():
            self._say(texts.NOTHING_NEWER.format(version=found.engines[0].version))

    def _known(self) -> set[str]:
        return {one.rpartition(" ")[2] for one in (self._state.bundled, *(e.version for e in self._state.engines))}

    def _show(self) -> None:
        known = self._known()
        new = [one for one in self._offers if one.version not in known][: self.MOST_SHOWN]
        forms = {True: texts.OFFER_WHEEL, False: texts.OFFER_SOURCE}
        self._show_rows(
            OfferRow(
                one.version, forms[one.wheel].format(bytes=describe_bytes(one.bytes)), texts.INSTALL,
                texts.INSTALL_OFFER.format(version=one.version),
            )
            for one in new
        )  # fmt: skip
