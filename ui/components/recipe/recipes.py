"""Recipes of a chat: how they are restored and changed, and the adapters that fit their model."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from PySide6.QtCore import QObject, Signal

from ui.bridge import Bridge
from ui.components.adapter_texts import find_problem
from ui.components.recipe import texts
from ui.state import Listing
from workbench.records.documents import Collection
from workbench.records.recipes import AdapterUse, ModelPart, Recipe, RetrievalPart, without_attachments
from workbench.records.training import AdapterList, AdapterRecord
from workbench.subjects.adapters.calls import ListAdapters

DESCRIBED = ("json_schema", "regex", "choice", "gbnf", "quote")
"""The kinds of form that have to be described."""


def with_model(recipe: Recipe, name: str) -> Recipe:
    """The recipe with this model; adapters stay with the model that they are for."""
    adapters = recipe.model.adapters if name == recipe.model.name else ()
    return msgspec.structs.replace(recipe, model=msgspec.structs.replace(recipe.model, name=name, adapters=adapters))


def plain(recipe: Recipe) -> Recipe:
    """The usual settings, with the model and the documents of a recipe."""
    documents = recipe.retrieval
    kept = None
    if documents is not None and documents.collection:
        kept = RetrievalPart(collection=documents.collection, more=documents.more)
    return Recipe(model=ModelPart(name=recipe.model.name), retrieval=kept)


def begun_anew(recipe: Recipe) -> Recipe:
    """The recipe of a new chat: plain, with the way in which documents are answered from as it was chosen."""
    made, documents = plain(recipe), recipe.retrieval
    if made.retrieval is None or documents is None:
        return made
    kept = msgspec.structs.replace(made.retrieval, mode=documents.mode, quote_length=documents.quote_length)
    return msgspec.structs.replace(made, retrieval=kept)


def collections_of(recipe: Recipe) -> tuple[str, ...]:
    """The names of a recipe's collections; "" alone for none."""
    part = recipe.retrieval
    return (part.collection, *part.more) if part is not None and part.collection else ("",)


def lack_of(collection: Collection) -> str:
    """What answers from a collection lack: it is empty, or not read to its end; "" for nothing."""
    if collection.unfinished:
        return texts.COLLECTION_UNREAD.format(name=collection.name)
    return "" if collection.documents else texts.COLLECTION_EMPTY.format(name=collection.name)


class ChatAdapters(QObject):
    """``changed`` is sent when another list is known for the model that is followed."""

    changed = Signal()

    def __init__(self, bridge: Bridge, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._model = ""
        self._listing: Listing[AdapterList] | None = None

    @property
    def fitting(self) -> tuple[AdapterRecord, ...]:
        """What fits the model, failed ones included, the latest first."""
        known = self._listing.value if self._listing is not None else None
        return known.adapters if known is not None else ()

    def follow(self, model: str) -> None:
        """Know the adapters of this model from now on."""
        if model == self._model:
            return
        if self._listing is not None:
            self._listing.leave(self._on_fitting)
        self._model = model
        self._listing = self._bridge.home.listing(ListAdapters(model=model)) if model else None
        if self._listing is not None:
            self._listing.follow(self._on_fitting)

    def problem(self, recipe: Recipe) -> tuple[str, str]:
        """The first adapter of the recipe that cannot be used, and why; empty words while all can or none is known."""
        if self._listing is None or self._listing.value is None or recipe.model.name != self._model:
            return "", ""
        known = {record.name: record for record in self.fitting}
        return find_problem(recipe.model.adapters, known, recipe.model.name)

    def find(self, name: str, take: Callable[[AdapterRecord | None], None]) -> None:
        """Look an adapter up by its name, whichever model it is for."""
        self._bridge.home.listing(ListAdapters()).once(
            lambda found: take(next((record for record in found.adapters if record.name == name), None)), self
        )

    def _on_fitting(self, found: AdapterList) -> None:
        self.changed.emit()


def with_adapter(recipe: Recipe, record: AdapterRecord) -> Recipe:
    """The recipe with an adapter on over its base at full strength, or with the model that it was merged into."""
    if record.kind == "merged":
        return with_model(recipe, record.model)
    on = with_model(recipe, record.base) if record.base else recipe  # a file without a card names no base
    uses = (AdapterUse(name=record.name),)
    return msgspec.structs.replace(on, model=msgspec.structs.replace(on.model, adapters=uses))


def unresolved(made: Recipe) -> Recipe:
    """The recipe of an answer as it would be asked with, without what was filled in when it was resolved."""
    replace, retrieval = msgspec.structs.replace, without_attachments(made).retrieval
    adapters = tuple(replace(use, sha256="") for use in made.model.adapters)
    return replace(
        made,
        model=replace(made.model, adapters=adapters, sha256="", engine="", context_tokens=0),
        decoding=replace(made.decoding, seed=-1),
        retrieval=replace(retrieval, revision=0) if retrieval is not None else None,
    )


def without_adapters(recipe: Recipe) -> Recipe:
    """The recipe as the base model answers it."""
    return msgspec.structs.replace(recipe, model=msgspec.structs.replace(recipe.model, adapters=()))


class FormTexts:
    """Remembers a description for each kind. A recipe holds one only, that of a kind that may be off just now."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._kind = ""

    def follow(self, kind: str, text: str) -> None:
        """Take note of what a recipe holds now."""
        if kind in DESCRIBED:
            self._kind = kind
            self._texts[kind] = text
        elif text != self._texts.get(self._kind, ""):
            self._kind = ""  # of which kind it is nobody knows

    def text_for(self, kind: str, text: str) -> str:
        """What is to stand in place of the present text when this kind is chosen."""
        if kind not in DESCRIBED or self._kind in ("", kind):
            return text
        return self._texts.get(kind, "")
