"""The files of the collections that are asked, as a menu above the composer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QMenu

from ui.bridge import Bridge
from ui.components.basics import without_keys
from ui.components.recipe.recipes import collections_of
from ui.features import ShellActions
from ui.features.chat import texts
from ui.features.chat.layout import ChatLayout
from workbench.records.documents import Collection, Document, DocumentList
from workbench.records.recipes import Recipe
from workbench.records.visible import visible_name
from workbench.subjects.documents.calls import ListDocuments

_MOST = 30
"""Files that are listed."""


class AskedFiles(QObject):
    """A file that is chosen opens beside the conversation. ``choice_wanted``: some of them are to be asked."""

    choice_wanted = Signal()

    def __init__(self, bridge: Bridge, shell: ShellActions, parts: ChatLayout, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge, self._shell, self._parts = bridge, shell, parts
        self._files: dict[str, tuple[Document, ...]] = {}  # by collection
        self.menu: QMenu | None = None

    def open(self, recipe: Recipe, collections: Sequence[Collection]) -> None:
        """List the files of what a recipe asks, at once where they are known, else when they have been read."""
        asked = [one for one in collections if one.name in collections_of(recipe)]
        chosen = recipe.retrieval.files if recipe.retrieval is not None else ()
        files: dict[str, tuple[Document, ...]] = {}
        self._files = files  # what an earlier press still reads is no longer shown

        def take(collection: Collection, found: DocumentList) -> None:
            files[collection.id] = tuple(one for one in found.documents if not chosen or one.path in chosen)
            if len(files) == len(asked) and files is self._files:
                self._show(asked)

        for collection in asked:
            listing = self._bridge.home.listing(ListDocuments(collection=collection.id))
            if (known := listing.current) is not None:
                take(collection, known)
            else:
                listing.once(partial(take, collection), self)

    def _show(self, asked: Sequence[Collection]) -> None:
        menu = self.menu = QMenu(self._parts)
        menu.aboutToHide.connect(menu.deleteLater)
        files = [(collection, document) for collection in asked for document in self._files[collection.id]]
        for collection, document in files[:_MOST]:
            name = visible_name(document.path) or document.title
            action = menu.addAction(without_keys(name))
            action.triggered.connect(partial(self._open_file, collection.id, document))
        if len(files) > _MOST:
            menu.addAction(texts.FURTHER_FILES.format(rest=len(files) - _MOST)).setEnabled(False)
        menu.addSeparator()
        menu.addAction(texts.CHOOSE_FILES_MENU).triggered.connect(self.choice_wanted)
        menu.addAction(texts.OPEN_DOCUMENTS_MENU).triggered.connect(
            lambda: self._shell.open_page("documents", collection=asked[0].id)
        )
        chip = self._parts.composer.files_chip
        menu.popup(chip.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _open_file(self, collection: str, document: Document, checked: bool = False) -> None:
        self._parts.source.open_document(collection, document)
        self._parts.show_side(self._parts.source)
