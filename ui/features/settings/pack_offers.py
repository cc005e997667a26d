"""Runtime packs that can be downloaded: asked for when the button is pressed, after the network was allowed."""

from __future__ import annotations

from collections.abc import Set

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.basics import ElidedLabel, InlineMessage, PlainButton, Text
from ui.components.layout import column_of, empty_layout, row_of
from ui.components.wording import describe_bytes, in_words
from ui.features.settings import texts
from ui.theme import tokens
from workbench.base.settings import Settings
from workbench.records.runtime import BACKENDS, PackFileOffer
from workbench.subjects.machine.calls import ChangeSettings, FindPacks, GetSettings, PackOffers


class PackOffersPart(QWidget):
    """``wanted`` carries the name of a pack to download. ``find_button`` is placed by the page. Hidden while empty."""

    wanted = Signal(str)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._settings = Settings()
        self._installed: Set[str] = frozenset()
        self._offers: tuple[PackFileOffer, ...] = ()
        self.rows: dict[str, PlainButton] = {}
        self.find_button = PlainButton(texts.FIND_PACKS, "download", small=True, clicked=self._on_find)
        self.message = InlineMessage()
        self.message.closed.connect(self.hide)
        self._rows = column_of(gap=tokens.SPACE_2)
        column_of(self, self._rows, self.message, gap=tokens.SPACE_2)
        self.hide()
        bridge.home.listing(GetSettings()).follow(self._on_settings)

    @property
    def buttons(self) -> list[PlainButton]:
        return list(self.rows.values())

    def show_installed(self, names: Set[str]) -> None:
        """Packs of these names are here already."""
        if names != self._installed:
            self._installed = frozenset(names)
            self._show()

    def _on_settings(self, settings: Settings) -> None:
        self._settings = settings

    def _on_find(self) -> None:
        offline = self._settings.general.offline
        if self._settings.network.updates and not offline:
            self._ask()
        else:
            words = f"{texts.PACKS_OFF} {texts.OFFLINE_TOO}" if offline else texts.PACKS_OFF
            self._say(words, "info", texts.ALLOW)

    def _on_allow(self) -> None:
        def allowed(settings: Settings) -> None:
            self._bridge.home.listing(GetSettings()).put(settings)
            self._ask()

        call = ChangeSettings(values={"network": {"updates": True}, "general": {"offline": False}})
        self._bridge.call(call, allowed, lambda error: self._say(in_words(error), "danger"), self)

    def _ask(self) -> None:
        self._say(texts.ASKING_PACKS)
        self._bridge.call(FindPacks(), self._on_found, lambda error: self._say(in_words(error), "danger"), self)

    def _on_found(self, found: PackOffers) -> None:
        self._offers = found.packs
        self.message.hide()
        self._show()
        if not self.rows:
            self._say(texts.NO_PACKS)

    def _say(self, words: str, kind: str = "info", action: str = "") -> None:
        self.message.show_message(words, kind, action, self._on_allow if action else None)
        self.show()

    def _show(self) -> None:
        empty_layout(self._rows)
        self.rows = {}
        for offer in self._offers:
            if offer.name in self._installed:
                continue
            button = self.rows[offer.name] = PlainButton(texts.DOWNLOAD, "download", small=True)
            button.setAccessibleName(texts.DOWNLOAD_PACK.format(name=offer.name))
            button.clicked.connect(lambda _=False, name=offer.name: self.wanted.emit(name))
            facts = texts.PACK_OFFER.format(backend=BACKENDS[offer.backend], bytes=describe_bytes(offer.bytes))
            holder = QWidget()
            row_of(holder, (ElidedLabel(offer.name, "body"), 1), Text(facts, "small", wordWrap=False), button)
            self._rows.addWidget(holder)
        self.setVisible(bool(self.rows) or not self.message.isHidden())
