"""The path from preferences to a better model: a strip of four steps, each with what is done and what is next."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from ui.bridge import Bridge
from ui.components.basics import Card, Chip, InlineMessage, PlainButton, PrimaryButton, Text, Tone, WordedButton
from ui.components.layout import ScrolledColumn, column_of, empty_layout, row_of
from ui.components.training_setup import TrainingSetupCard
from ui.components.wording import in_words
from ui.features import ShellActions
from ui.features.feedback import path_texts as texts
from ui.features.feedback import texts as page_texts
from ui.features.feedback.path_steps import PathAction, PathStep, steps_of
from ui.features.feedback.seen_panel import SeenPanel
from ui.theme import tokens
from ui.theme.theme import set_property
from workbench.base.errors import UserError
from workbench.records.judgement_reports import Learnable
from workbench.records.judging import WinRate
from workbench.records.methods import Methods
from workbench.records.training import AdapterList, DataSet
from workbench.subjects.adapters.calls import ListAdapters
from workbench.subjects.judgements.calls import GetLearnable, GetWinRate, ListQueues, MakePreferenceSet, QueueList
from workbench.subjects.machine.calls import ListMethods, MethodList
from workbench.subjects.runs.calls import RunList

_TONES: Mapping[str, Tone] = {"done": "success", "next": "accent", "working": "attention"}
_MOST_TESTS = 8


class PathPanel(SeenPanel):
    def __init__(self, bridge: Bridge, shell: ShellActions) -> None:
        super().__init__(bridge)
        self._shell = shell
        self._learnable: Learnable | None = None
        self._rates: dict[str, WinRate] = {}
        self._methods: Methods[Any] = Methods()
        self.message = InlineMessage()
        self.packages = TrainingSetupCard(bridge, page_texts.LEARN_NEEDS_PACKAGES)
        self.cards = {name: StepCard(number, name) for number, name in enumerate(texts.TITLES, 1)}
        for card in self.cards.values():
            card.wanted = self.act
        area = ScrolledColumn(tokens.SPACE_3, width=960)
        for part in (Text(texts.TITLE, "title"), Text(texts.HELP, "muted"), self.packages, self.message):
            area.column.addWidget(part)
        for card in self.cards.values():
            area.column.addWidget(card)
        area.column.addWidget(Text(texts.SHORTER.replace("*", ""), "small"))
        area.column.addStretch(1)
        area.setAccessibleName(texts.STEPS)
        column_of(self, area)
        self.message.hide()
        bridge.home.listing(ListMethods()).follow(self._on_methods)
        bridge.home.listing(ListAdapters()).follow(self._on_listed)
        bridge.home.listing(ListQueues()).follow(self._on_queues)
        bridge.home.runs.follow(self._on_listed)

    def act(self, action: PathAction) -> None:
        """Do what a button of a step says; a set of the preferences is made first where it needs one."""
        if not action.make:
            self._shell.open_page(action.page, **action.target)
            return
        self.message.show_message(texts.MAKING_SET, "info")

        def made(found: DataSet) -> None:
            self.message.hide()
            self._shell.open_page(action.page, data=found.name, **action.target)

        name = texts.SET_NAME.format(date=time.strftime("%d %b %H-%M-%S"))
        self._bridge.call(MakePreferenceSet(name=name), made, self._on_refused, self)

    # -- what happens --------------------------------------------------------------------------------

    def read_again(self) -> None:
        self._bridge.call(GetLearnable(), self._on_learnable, owner=self)
        known = self._bridge.home.listing(ListQueues()).value
        if known is not None:
            self._ask_rates(known)

    def _on_learnable(self, found: Learnable) -> None:
        self._learnable = found
        self._show()

    def _on_queues(self, found: QueueList) -> None:
        self.expire()
        self._show()

    def _ask_rates(self, found: QueueList) -> None:
        tests = [queue for queue in found.queues if queue.purpose == "verdict" and queue.judged][:_MOST_TESTS]
        for queue in tests:
            self._bridge.call(
                GetWinRate(queue=queue.id), partial(self._on_rate, queue.id), lambda error: None, self
            )  # a queue of one recipe has none

    def _on_rate(self, queue: str, rate: WinRate) -> None:
        self._rates[queue] = rate
        self._show()

    def _on_methods(self, found: MethodList) -> None:
        self._methods = Methods(found.methods)
        self._show()

    def _on_listed(self, found: AdapterList | RunList) -> None:
        self._show()

    def _on_refused(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self.message.show_message(in_words(error), "danger")

    def _show(self) -> None:
        home = self._bridge.home
        adapters, queues, runs = home.listing(ListAdapters()).value, home.listing(ListQueues()).value, home.runs.value
        if self._learnable is None or adapters is None or queues is None or runs is None:
            return
        for step in steps_of(self._learnable, adapters.adapters, runs.runs, queues.queues, self._rates, self._methods):
            self.cards[step.name].show_step(step)


class StepCard(Card):
    """``wanted`` is called with the action of a button that is pressed."""

    def __init__(self, number: int, name: str) -> None:
        super().__init__(margin=tokens.SPACE_4)
        self.wanted: Any = None
        self.number = QLabel(str(number))
        self.number.setProperty("role", "number")
        self.number.setFixedSize(28, 28)
        self.number.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.state = Chip("")
        self.told, self.needs = Text("", "strong"), Text("", "muted")
        self.buttons: list[WordedButton] = []
        self._actions = row_of(gap=tokens.SPACE_2)
        head = row_of(None, self.number, (Text(texts.TITLES[name], "heading"), 1), self.state, gap=tokens.SPACE_3)
        self.body.addLayout(head)
        for part in (Text(texts.HELPS[name], "body"), self.told, self.needs):
            self.body.addWidget(part)
        self.body.addLayout(self._actions)
        self._shown: PathStep | None = None

    def show_step(self, step: PathStep) -> None:
        if step == self._shown:
            return
        self._shown = step
        self.state.setText(texts.STATES[step.state])
        self.state.set_tone(_TONES.get(step.state, "plain"))
        set_property(self.number, "done", step.state == "done")
        self.set_selected(step.state in ("next", "working"))
        for label, words in ((self.told, step.told), (self.needs, " ".join(filter(None, (step.needs, step.takes))))):
            label.setText(words)
            label.setVisible(bool(words))
        empty_layout(self._actions)
        self.buttons = []
        for place, action in enumerate(step.actions):
            kind = PrimaryButton if step.state == "next" and not place else PlainButton
            button = kind(action.title, small=True)
            button.clicked.connect(lambda _=False, action=action: self.wanted(action))
            self._actions.addWidget(button)
            self.buttons.append(button)
        self._actions.addStretch(1)
