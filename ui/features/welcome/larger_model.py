"""A larger model from the hub for the first start: looked for when the person asks, downloaded in the background."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge, Handle
from ui.components.basics import InlineMessage, PlainButton, ProgressLine
from ui.components.downloads import Downloads
from ui.components.wording import describe_bytes, describe_speed, how_far, in_words, is_small
from ui.features import ShellActions
from ui.features.welcome import texts
from workbench.api import events
from workbench.api.events import Event, Progress, Terminal
from workbench.api.protocol import error_of, read_result
from workbench.base.settings import Settings
from workbench.records.recipes import ModelPart, Recipe
from workbench.subjects.machine.calls import ChangeSettings, GetSettings
from workbench.subjects.models.calls import DownloadModel, ListModels, ModelList, ModelSuggestion, SuggestModel
from workbench.subjects.runs.calls import RunRecord


class LargerModel(QObject):
    """``find_button`` and ``parts`` are placed by the page. The button is shown while all models are small ones."""

    def __init__(self, bridge: Bridge, shell: ShellActions, page: QWidget) -> None:
        super().__init__(page)
        self._bridge, self._shell = bridge, shell
        self._looking: Handle | None = None
        self._settings = Settings()
        self.suggestion: ModelSuggestion | None = None
        self.find_button = PlainButton(texts.FIND_LARGER, "download", toolTip=texts.FIND_LARGER_HELP)
        self.find_button.clicked.connect(self._on_find)
        self.progress = ProgressLine(visible=False, stop_clicked=self._on_stop)
        self.message = InlineMessage()
        self.message.closed.connect(self._show)
        self.downloads = Downloads(bridge)
        self.downloads.wanted.connect(self._on_ask)
        self.parts = (self.progress, self.message, self.downloads)
        bridge.home.listing(GetSettings()).follow(self._on_settings)
        bridge.home.listing(ListModels()).follow(lambda found: self._show())

    def _on_settings(self, settings: Settings) -> None:
        self._settings = settings

    def _show(self) -> None:
        """The button is there while it has something to find, and nothing of it is on the way."""
        found: ModelList | None = self._bridge.home.listing(ListModels()).value
        chats = [one for one in found.models if one.kind == "chat" and not one.missing] if found is not None else []
        busy = self._looking is not None or not self.message.isHidden() or bool(self.downloads.lines)
        self.find_button.setVisible(all(is_small(one) for one in chats) and not busy)
        self.progress.setVisible(self._looking is not None)

    # -- permission ----------------------------------------------------------------------------------

    def _on_find(self) -> None:
        network, offline = self._settings.network, self._settings.general.offline
        if network.hub and not offline:
            self._look()
            return
        words = texts.HUB_OFF.format(host=network.hub_address.partition("://")[2].strip("/"))
        if offline:
            words = f"{words} {texts.ENDS_OFFLINE}"
        self.message.show_message(words, "info", texts.ALLOW, self._on_allow)
        self._show()

    def _on_allow(self) -> None:
        def allowed(settings: Settings) -> None:
            self._bridge.home.listing(GetSettings()).put(settings)
            self._look()

        call = ChangeSettings(values={"network": {"hub": True}, "general": {"offline": False}})
        self._bridge.call(call, allowed, self._complain, self)

    # -- looking -------------------------------------------------------------------------------------

    def _look(self) -> None:
        call = SuggestModel()

        def progressed(batch: Sequence[Event]) -> None:
            for event in batch:
                if isinstance(event, Progress):
                    words = texts.LOOKING_UP.format(name=event.detail) if event.detail else texts.LOOKING
                    self.progress.set_progress(words, *how_far(event))

        def ended(terminal: Terminal) -> None:
            self._looking = None
            if isinstance(terminal, events.Finished):
                self._offer(read_result(call, terminal.result))
            elif isinstance(terminal, events.Failed):
                self._complain(error_of(terminal))
            self._show()

        self.message.hide()
        self.progress.set_progress(texts.LOOKING)
        self._looking = self._bridge.stream(call, progressed, ended, self)
        self._show()

    def _on_stop(self) -> None:
        if self._looking is not None:
            self._looking.cancel()

    def _offer(self, found: ModelSuggestion) -> None:
        self.suggestion = found
        words = texts.OFFERED.format(
            name=found.title,
            licence=found.licence,
            needed=describe_bytes(found.fit.needed),
            repository=found.repository,
        )
        if found.fit.tokens_per_s:
            words = f"{words} {texts.OFFERED_SPEED.format(speed=describe_speed(found.fit.tokens_per_s))}"
        self.message.show_message(
            words, "info", texts.DOWNLOAD_IT.format(bytes=describe_bytes(found.bytes)), self._on_download
        )

    # -- download ------------------------------------------------------------------------------------

    def _on_download(self) -> None:
        if self.suggestion is None:
            return
        found = self.suggestion
        call = DownloadModel(repository=found.repository, file=found.file, revision=found.revision)
        self.message.action_button.setEnabled(False)

        def began(run: RunRecord) -> None:
            self.message.action_button.setEnabled(True)
            self.message.hide()
            self.downloads.follow(run)
            self._show()

        self._bridge.call(call, began, self._complain, self)

    def _complain(self, error: Exception) -> None:
        self.message.action_button.setEnabled(True)
        self.message.show_message(in_words(error), "danger")
        self._show()

    def _on_ask(self, model: str) -> None:
        self._shell.open_page("chat", recipe=Recipe(model=ModelPart(name=model)))
