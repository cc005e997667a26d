"""Scores that models' authors report on the hub, beside the leaderboard: shown when asked for, labelled as theirs."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QGridLayout, QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, InlineMessage, PlainButton, Text
from ui.components.layout import column_of, empty_layout, row_of
from ui.components.wording import in_words
from ui.features.models import benchmark_texts as texts
from ui.theme import tokens
from workbench.records.hub import HubCard
from workbench.subjects.models.calls import ReadHubCard
from workbench.subjects.runs.calls import RunList


class ReportedScores(Card):
    """Hidden while no model of the leaderboard was downloaded from the hub."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._repositories: dict[str, tuple[str, str]] = {}
        self._board: tuple[str, ...] = ()
        self._waiting = 0
        self.results: dict[str, tuple[tuple[str, str, str], ...]] = {}
        self.button = PlainButton(texts.SHOW_REPORTED, "globe", clicked=self._on_show)
        self.message = InlineMessage()
        self.body.addLayout(row_of(None, (Text(texts.REPORTED, "heading"), 1), self.button))
        self.body.addWidget(Text(texts.REPORTED_HELP, "small"))
        self.body.addWidget(self.message)
        holder = QWidget()
        self._tables = column_of(holder, gap=tokens.SPACE_3)
        self.body.addWidget(holder)
        self.hide()
        bridge.home.runs.follow(self._on_runs)

    def show_models(self, names: tuple[str, ...]) -> None:
        """The models of the leaderboard."""
        self._board = names
        self.setVisible(any(name in self._repositories for name in names))

    def _on_runs(self, found: RunList) -> None:
        done = [run for run in found.runs if run.kind == "download" and run.state == "finished"]
        self._repositories = {
            str(run.result.get("model", "")): (
                str(run.config.get("repository", "")),
                str(run.config.get("revision", "")),
            )
            for run in done
        }
        self.show_models(self._board)

    def _on_show(self) -> None:
        known = [name for name in self._board if name in self._repositories]
        self.results, self._waiting = {}, len(known)
        self.message.hide()
        self.button.setEnabled(False)
        for name in known:
            repository, revision = self._repositories[name]
            call = ReadHubCard(repository=repository, revision=revision)
            self._bridge.call(call, partial(self._on_card, name), self._on_refused, self)

    def _on_card(self, name: str, card: HubCard) -> None:
        if card.results:
            self.results[name] = card.results
        self._end_one()

    def _on_refused(self, error: Exception) -> None:
        self.message.show_message(in_words(error), "attention")
        self._end_one()

    def _end_one(self) -> None:
        self._waiting -= 1
        if self._waiting:
            return
        self.button.setEnabled(True)
        empty_layout(self._tables)
        if not self.results and self.message.isHidden():
            self.message.show_message(texts.NONE_REPORTED, "info")
        for name, results in sorted(self.results.items()):
            table = QWidget()
            grid = QGridLayout(table)
            grid.setContentsMargins(0, 0, 0, 0)
            grid.setHorizontalSpacing(tokens.SPACE_4)
            grid.setColumnStretch(3, 1)
            for line, row in enumerate(results):
                for place, value in enumerate(row):
                    grid.addWidget(Text(value, "body", wordWrap=False), line, place)
            self._tables.addWidget(Text(name, "strong"))
            self._tables.addWidget(table)
