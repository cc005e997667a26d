"""A line that offers what can be bettered in a collection: another embedding model, or to read its files again."""

from __future__ import annotations

from PySide6.QtCore import Signal

from ui.bridge import Bridge
from ui.components.basics import InlineMessage
from workbench.records.documents import Collection
from workbench.records.offers import MULTILINGUAL, Offer, offers
from workbench.subjects.documents.calls import ReadAgain, SetEmbedder


class OfferLine(InlineMessage):
    """Hidden where there is nothing to offer, and while files are read. ``begun`` sends the run that reads again,
    ``changed`` the collection, ``failed`` the exception."""

    begun = Signal(object)
    changed = Signal(object)
    failed = Signal(object)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(closable=False)
        self._bridge = bridge

    def show_collection(self, collection: Collection) -> None:
        offer = next(iter(offers(collection)), None)
        if offer is None or collection.unfinished:
            self.hide()
            return
        self.show_message(offer.text, "info", offer.action, lambda: self._take(offer, collection.id))

    def _take(self, offer: Offer, collection: str) -> None:
        self.hide()
        if offer.kind == "languages":
            embed = SetEmbedder(collection=collection, model=MULTILINGUAL)
            self._bridge.call(embed, self.changed.emit, self.failed.emit, self)
        else:
            self._bridge.call(ReadAgain(collection=collection), self.begun.emit, self.failed.emit, self)
