"""What can be fetched from the network: asked for when the button is pressed, after the network was allowed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.basics import ElidedLabel, InlineMessage, PlainButton, Text
from ui.components.layout import column_of, empty_layout, row_of
from ui.components.wording import in_words
from ui.features.settings import texts
from ui.theme import tokens
from workbench.api.protocol import Call
from workbench.base.settings import Settings
from workbench.subjects.machine.calls import ChangeSettings, GetSettings


class OfferRow(NamedTuple):
    """One offer: its name, what is said of it, and its button with the name for screen readers."""

    name: str
    facts: str
    action: str
    accessible: str


class OffersPart(QWidget):
    """``wanted`` carries the name of the offer whose button was pressed. ``find_button`` is placed by the user of the
    part. Hidden while empty. A subclass makes the call and shows what was found."""

    wanted = Signal(str)

    ALLOWS: ClassVar[str]
    """The setting of the network that has to be on."""
    OFF: ClassVar[str]
    ASKING: ClassVar[str]
    FIND: ClassVar[str]

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._settings = Settings()
        self.rows: dict[str, PlainButton] = {}
        self.find_button = PlainButton(self.FIND, "download", small=True, clicked=self._on_find)
        self.message = InlineMessage()
        self.message.closed.connect(self.hide)
        self._rows = column_of(gap=tokens.SPACE_2)
        column_of(self, self._rows, self.message, gap=tokens.SPACE_2)
        self.hide()
        bridge.home.listing(GetSettings()).follow(self._on_settings)

    @property
    def buttons(self) -> list[PlainButton]:
        return list(self.rows.values())

    def _find(self) -> Call[Any]:
        raise NotImplementedError

    def _on_found(self, found: Any) -> None:
        raise NotImplementedError

    def _on_settings(self, settings: Settings) -> None:
        self._settings = settings

    def _on_find(self) -> None:
        offline = self._settings.general.offline
        if getattr(self._settings.network, self.ALLOWS) and not offline:
            self._ask()
        else:
            self._say(f"{self.OFF} {texts.OFFLINE_TOO}" if offline else self.OFF, "info", texts.ALLOW)

    def _on_allow(self) -> None:
        def allowed(settings: Settings) -> None:
            self._bridge.home.listing(GetSettings()).put(settings)
            self._ask()

        call = ChangeSettings(values={"network": {self.ALLOWS: True}, "general": {"offline": False}})
        self._bridge.call(call, allowed, lambda error: self._say(in_words(error), "danger"), self)

    def _ask(self) -> None:
        def found(offers: Any) -> None:
            self.message.hide()
            self._on_found(offers)

        self._say(self.ASKING)
        self._bridge.call(self._find(), found, lambda error: self._say(in_words(error), "danger"), self)

    def _say(self, words: str, kind: str = "info", action: str = "") -> None:
        self.message.show_message(words, kind, action, self._on_allow if action else None)
        self.show()

    def _show_rows(self, offers: Iterable[OfferRow]) -> None:
        empty_layout(self._rows)
        self.rows = {}
        for offer in offers:
            button = self.rows[offer.name] = PlainButton(offer.action, "download", small=True)
            button.setAccessibleName(offer.accessible)
            button.clicked.connect(lambda _=False, name=offer.name: self.wanted.emit(name))
            holder = QWidget()
            row_of(holder, (ElidedLabel(offer.name, "body"), 1), Text(offer.facts, "small", wordWrap=False), button)
            self._rows.addWidget(holder)
        self.setVisible(bool(self.rows) or not self.message.isHidden())
