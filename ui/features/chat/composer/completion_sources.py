"""What the composer completes: documents behind ``#``, stored prompts behind ``/``, saved recipes behind ``@``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from ui.bridge import Bridge
from ui.components.recipe.recipes import collections_of
from ui.components.recipe.saved_recipes import saved_recipes
from ui.features import ShellActions
from ui.features.chat import texts
from ui.features.chat.composer.one_question import AskedFile
from ui.features.chat.layout import ChatLayout
from workbench.base.errors import UserError
from workbench.records.documents import Collection, Document, DocumentList
from workbench.records.prompts import PromptRecord
from workbench.records.recipes import load_recipe, written_out
from workbench.records.visible import visible_name
from workbench.subjects.documents.calls import CollectionList, ListCollections, ListDocuments
from workbench.subjects.prompts.calls import ListPrompts, PromptList

DOCUMENTS, PROMPTS, RECIPES = "#", "/", "@"
_DETAIL = 60  # characters


@dataclass(frozen=True)
class Offer:
    """One line of the list. ``text`` is put into the field; else ``take`` is called. ``also`` are other words that it
    is found by."""

    name: str
    detail: str
    icon: str
    also: str = ""
    text: str = ""
    take: Callable[[], None] = lambda: None


class CompletionSources(QObject):
    """Knows what there is while the list is open. ``changed``: there is something else now."""

    changed = Signal()

    def __init__(self, bridge: Bridge, shell: ShellActions, parts: ChatLayout, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge, self._shell, self._parts = bridge, shell, parts
        self._prompts: tuple[PromptRecord, ...] | None = None
        self._collections: tuple[Collection, ...] | None = None
        self._documents: dict[str, tuple[Document, ...]] = {}  # by the id of the collection
        self._paths: list[Path] = []
        self._leave: list[Callable[[], None]] = []

    def open(self, sign: str) -> None:
        """Follow what a sign completes."""
        self.close()
        home = self._bridge.home
        if sign == PROMPTS:
            prompts = home.listing(ListPrompts())
            self._leave.append(partial(prompts.leave, self._on_prompts))
            prompts.follow(self._on_prompts)
        elif sign == RECIPES:
            self._paths = saved_recipes(self._bridge)
        else:
            collections = home.listing(ListCollections())
            self._leave.append(partial(collections.leave, self._on_collections))
            collections.follow(self._on_collections)

    def close(self) -> None:
        for leave in self._leave:
            leave()
        self._leave.clear()
        self._prompts = self._collections = None
        self._documents.clear()
        self._paths = []

    def offers(self, sign: str) -> list[Offer]:
        """All that a sign completes, as far as it is known."""
        make = {DOCUMENTS: self._of_documents, PROMPTS: self._of_prompts, RECIPES: self._of_recipes}
        return make[sign]()

    def lack(self, sign: str) -> str:
        """Why nothing is offered."""
        if sign == RECIPES:
            return texts.NO_SAVED_RECIPES
        if sign == PROMPTS:
            return texts.NO_STORED_PROMPTS if self._prompts is not None else texts.LISTING
        known = self._collections is not None and len(self._documents) == len(self._asked)
        return texts.NO_DOCUMENTS_TO_ASK if known else texts.LISTING

    # -- documents -----------------------------------------------------------------------------------

    @property
    def _asked(self) -> tuple[Collection, ...]:
        """The collections that are asked; where none is, all of them."""
        every = self._collections or ()
        names = collections_of(self._parts.recipe.recipe)
        return tuple(one for one in every if one.name in names) or every

    def _on_collections(self, found: CollectionList) -> None:
        first = self._collections is None
        self._collections = found.collections
        if first:
            for collection in self._asked:
                listing = self._bridge.home.listing(ListDocuments(collection=collection.id))
                take = partial(self._on_documents, collection.id)
                self._leave.append(partial(listing.leave, take))
                listing.follow(take)
        self.changed.emit()

    def _on_documents(self, collection: str, found: DocumentList) -> None:
        self._documents[collection] = found.documents
        self.changed.emit()

    def _of_documents(self) -> list[Offer]:
        names = {one.id: one.name for one in self._asked}
        found = [("", texts.ATTACHED_HERE, one) for one in self._parts.files.documents]
        found += [(name, name, one) for id, name in names.items() for one in self._documents.get(id, ())]
        chosen = self._parts.composer.chosen.chosen.files
        return [
            Offer(
                visible_name(one.path) or one.title,
                detail,
                "file",
                one.title,
                take=partial(self._parts.composer.chosen.add_file, AskedFile(collection, one.path)),
            )
            for collection, detail, one in found
            if one.state != "failed" and AskedFile(collection, one.path) not in chosen
        ]

    # -- prompts and recipes -------------------------------------------------------------------------

    def _on_prompts(self, found: PromptList) -> None:
        self._prompts = found.prompts
        self.changed.emit()

    def _of_prompts(self) -> list[Offer]:
        """The entries that hold a text: examples and techniques cannot be written into the field."""
        found = []
        for one in self._prompts or ():
            text = written_out(one.head.content) if one.kind == "prompt" and not one.head.unreadable else ""
            if text:
                found.append(Offer(one.name, " ".join(text.split())[:_DETAIL], "edit", " ".join(one.tags), text))
        return found

    def _of_recipes(self) -> list[Offer]:
        return [
            Offer(path.stem, texts.FOR_THIS_QUESTION, "sidebar", take=partial(self._take_recipe, path))
            for path in self._paths
        ]

    def _take_recipe(self, path: Path) -> None:
        try:
            recipe = load_recipe(path)
        except UserError as error:
            self._shell.show_message(f"{error.message} {error.hint}".strip(), "danger")
            return
        self._parts.composer.chosen.choose_recipe(recipe, path.stem)
