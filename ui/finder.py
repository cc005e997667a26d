"""Ctrl+K: one field that finds chats, documents, models, pages, actions, settings, fields of a recipe and terms of the
course by a few letters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QGraphicsDropShadowEffect,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QWidget,
)

from ui import texts
from ui.bridge import Bridge
from ui.components.basics import Chip, ElidedLabel, IconLabel, Text
from ui.components.layout import column_of, row_of
from ui.components.wording import describe_count, shown_fields_of
from ui.features import GROUPS, WELCOME, Found
from ui.state import Listing
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.base.catalogue import _, localised
from workbench.base.finding import folded, holds
from workbench.base.settings import SECTIONS, Settings
from workbench.records.documents import Document, DocumentList
from workbench.records.recipes import PARTS
from workbench.records.terms import Term, course_terms
from workbench.records.training import AdapterList
from workbench.records.visible import visible_name
from workbench.subjects.adapters.calls import ListAdapters
from workbench.subjects.chats.calls import ChatList, ListChats
from workbench.subjects.documents.calls import CollectionList, ListCollections, ListDocuments
from workbench.subjects.machine.calls import ChangeSettings
from workbench.subjects.models.calls import ListModels, LoadModel, ModelList
from workbench.subjects.runs.calls import Status

if TYPE_CHECKING:
    from ui.shell import Shell

WIDTH = 600
MOST_LINES = 40


class Finder(QFrame):
    """Floats over the window while it is open; Esc or a click elsewhere closes it."""

    def __init__(self, bridge: Bridge, shell: Shell) -> None:
        super().__init__(shell)
        self.setProperty("role", "floating")
        self.setAccessibleName(texts.FIND)
        self._bridge = bridge
        self._shell = shell
        self._chats: tuple[Found, ...] = ()
        self._collections: tuple[Found, ...] = ()
        self._models: tuple[Found, ...] = ()
        self._adapters: tuple[Found, ...] = ()
        self._documents: dict[str, tuple[Found, ...]] = {}  # by collection
        self._leave_documents: list[Callable[[], None]] = []
        self._found: list[Found] = []
        self._before: QWidget | None = None
        self._chats_listing: Listing[ChatList] | None = None
        shadow = QGraphicsDropShadowEffect(self)
        shadow.setBlurRadius(32)
        shadow.setOffset(0, 8)
        colour = current_theme().colour("shadow")
        colour.setAlpha(90)
        shadow.setColor(colour)
        self.setGraphicsEffect(shadow)
        column = column_of(
            self, gap=tokens.SPACE_2, margins=(tokens.SPACE_3, tokens.SPACE_3, tokens.SPACE_3, tokens.SPACE_2)
        )
        self.field = QLineEdit(placeholderText=texts.FIND_PLACEHOLDER, accessibleName=texts.FIND_ANYTHING)
        self.list = QListWidget(accessibleName=texts.RESULTS)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the arrow keys of the field move in it
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._hint = Text(texts.FIND_KEYS, "small")
        column.addWidget(self.field)
        column.addWidget(self.list, 1)
        self.card = _Explanation()
        column.addWidget(self.card)
        column.addWidget(self._hint)
        self._search = QTimer(self, singleShot=True, interval=150, timeout=self._follow_chats)
        self.field.textChanged.connect(self._on_text)
        self.field.installEventFilter(self)
        self.list.itemClicked.connect(self._on_item)
        self.list.currentRowChanged.connect(self._on_row)
        self.hide()

    def open(self) -> None:
        """Show it, empty, with what there is now; when it is open already, close it."""
        if self.isVisible():
            self.dismiss()
            return
        self._before = QApplication.focusWidget()
        self.field.clear()
        home = self._bridge.home
        home.listing(ListCollections()).follow(self._on_collections)
        home.listing(ListModels()).follow(self._on_models)
        home.listing(ListAdapters()).follow(self._on_adapters)
        self._follow_chats()
        self.place()
        self._fill()
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        QApplication.instance().installEventFilter(self)  # type: ignore[union-attr]

    def dismiss(self) -> None:
        """Close it and give the keyboard back. Nothing is done where it is closed: the keys of a window that is not
        active still come to the field that had its focus last."""
        if self.isHidden():
            return
        QApplication.instance().removeEventFilter(self)  # type: ignore[union-attr]
        self._search.stop()
        self._bridge.home.listing(ListCollections()).leave(self._on_collections)
        self._bridge.home.listing(ListModels()).leave(self._on_models)
        self._bridge.home.listing(ListAdapters()).leave(self._on_adapters)
        self._leave_chats()
        self._leave_all_documents()
        self.hide()
        if self._before is not None:
            self._before.setFocus(Qt.FocusReason.OtherFocusReason)
            self._before = None

    def place(self) -> None:
        width = min(WIDTH, self._shell.width() - 2 * tokens.SPACE_6)
        height = min(460, self._shell.height() - 160)
        self.setGeometry((self._shell.width() - width) // 2, 80, width, height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._on_key(event)
        if event.type() == QEvent.Type.MouseButtonPress and isinstance(watched, QWidget):
            inside = watched is self or self.isAncestorOf(watched)
            if not inside and watched.window() is self._shell:
                self._before = None  # the click decides where the keyboard goes
                self.dismiss()
        return False

    # -- what there is -------------------------------------------------------------------------------

    def _on_text(self) -> None:
        self._search.start()
        self._fill()

    def _follow_chats(self) -> None:
        self._leave_chats()
        self._chats_listing = self._bridge.home.listing(ListChats(search=self.field.text().strip()))
        self._chats_listing.follow(self._on_chats)

    def _leave_chats(self) -> None:
        if self._chats_listing is not None:
            self._chats_listing.leave(self._on_chats)
        self._chats_listing = None

    def _on_chats(self, found: ChatList) -> None:
        self._chats = tuple(
            Found(
                chat.title or chat.attached or texts.NEW_CHAT,
                "chat",
                "chat",
                partial(self._shell.open_page, "chat", chat=chat.id),
            )
            for chat in found.chats
        )
        self._fill()

    def _on_collections(self, found: CollectionList) -> None:
        self._collections = tuple(
            Found(
                collection.name,
                "documents",
                "documents",
                partial(self._shell.open_page, "documents", collection=collection.id),
                describe_count(collection.documents, "document"),
            )
            for collection in found.collections
        )
        self._leave_all_documents()
        for collection in found.collections:
            take = partial(self._on_documents, collection.id, collection.name)
            listing = self._bridge.home.listing(ListDocuments(collection=collection.id))
            self._leave_documents.append(partial(listing.leave, take))
            listing.follow(take)
        self._fill()

    def _leave_all_documents(self) -> None:
        for leave in self._leave_documents:
            leave()
        self._leave_documents.clear()
        self._documents.clear()

    def _on_documents(self, collection: str, name: str, found: DocumentList) -> None:
        def entry(document: Document) -> Found:
            run = partial(self._shell.open_page, "documents", collection=collection, document=document.id)
            return Found(visible_name(document.path) or document.title, "document", "file", run, name)

        self._documents[collection] = tuple(map(entry, found.documents))
        if self.field.text().strip():
            self._fill()

    def _on_models(self, found: ModelList) -> None:
        self._models = tuple(
            Found(
                model.name,
                "model",
                "models",
                partial(self._shell.open_page, "models", model=model.name),
                model.quantization,
            )
            for model in found.models
        )
        loads = tuple(
            Found(texts.LOAD_MODEL.format(name=model.name), "action", "play", partial(self._load, model.name))
            for model in found.models
            if model.kind != "embedder"
        )
        self._models = (*self._models, *loads)
        self._fill()

    def _on_adapters(self, found: AdapterList) -> None:
        open_page = self._shell.open_page
        self._adapters = tuple(
            Found(adapter.name, "adapter", "adapters", partial(open_page, "adapters", adapter=adapter.name))
            for adapter in found.adapters
        )
        self._fill()

    def _pages(self) -> list[Found]:
        groups = {group.name: group.title for group in GROUPS}
        return [
            Found(
                entry.title,
                "page",
                entry.icon,
                partial(self._shell.open_page, entry.name),
                groups.get(entry.group, ""),
                f"{groups.get(entry.group, '')} {entry.also}",
            )
            for entry in (*self._shell.pages, WELCOME)
        ]

    def _actions(self) -> list[Found]:
        shell = self._shell
        dark = current_theme().is_dark
        return [
            Found(texts.NEW_CHAT, "action", "plus", lambda: shell.open_page("chat", new=True)),
            Found(texts.IMPORT_MODEL, "action", "plus", lambda: shell.open_page("models", add=True)),
            Found(
                texts.LIGHT_THEME if dark else texts.DARK_THEME,
                "action",
                "sun" if dark else "moon",
                lambda: self._change("general", "theme", "light" if dark else "dark"),
            ),
            Found(texts.SHOW_RUNS, "action", "clock", shell.show_runs),
            Found(texts.SHORTCUTS, "action", "info", shell.show_shortcuts),
            *(
                Found(title, "action", icon, partial(shell.open_page, "settings", section=section, field=part))
                for (section, part), (title, icon) in texts.SETTINGS_ACTIONS.items()
            ),
        ]

    def _settings(self) -> list[Found]:
        found = []
        for section, config in SECTIONS.items():
            for field in shown_fields_of(config):
                run = partial(self._shell.open_page, "settings", section=section, field=field.name)
                found.append(Found(field.title, "setting", "settings", run, section))
        terms = {(term.name, term.place.get("field")): term for term in localised(course_terms())}
        for part, kind in PARTS.items():
            for field in shown_fields_of(kind):
                run = partial(self._shell.open_page, "chat", part=part, field=field.name)
                line = Found(field.title, "recipe", "sidebar", run, part)
                term = terms.get((field.title, field.name))  # a setting that is named as a term is
                found.append(line if term is None else explained(line, term))
        return found

    def _terms(self) -> list[Found]:
        titles = {entry.name: entry.title for entry in (*self._shell.pages, WELCOME)}
        lines = []
        for term in localised(course_terms()):
            run = partial(self._shell.open_page, term.place["page"], **term.target)
            lines.append(explained(Found(term.name, "term", "info", run, _name_place(term, titles)), term))
        return lines

    def _from_pages(self) -> list[Found]:
        found: list[Found] = []
        for entry in self._shell.pages:
            page = self._shell.made_page(entry.name)
            if page is not None and hasattr(page, "find_entries"):
                found.extend(page.find_entries())
        return found

    def _load(self, name: str) -> None:
        self._bridge.call(LoadModel(name=name), self._on_loaded, owner=self._shell)

    def _on_loaded(self, status: Status) -> None:
        self._shell.show_message(texts.MODEL_LOADED.format(model=status.model), "success")

    def _change(self, section: str, field: str, value: object) -> None:
        self._bridge.call(ChangeSettings(values={section: {field: value}}), self._on_changed, owner=self._shell)

    def _on_changed(self, settings: Settings) -> None:
        self._bridge.refresh_status()

    # -- the list ------------------------------------------------------------------------------------

    def _fill(self) -> None:
        text = self.field.text().strip()
        fixed = [
            *self._pages(),
            *self._actions(),
            *self._collections,
            *self._models,
            *self._adapters,
            *self._settings(),
        ]
        if text:
            fixed += [found for documents in self._documents.values() for found in documents] + self._from_pages()
            named = {(line.text, line.about) for line in fixed}
            fixed += [line for line in self._terms() if (line.text, line.about) not in named]
        matching = [found for found in fixed if holds(text, found.text, found.kind, found.also)]
        matching.sort(key=lambda found: _rank(found, text))
        chats = self._chats if text else self._chats[:5]  # the core has searched them, in their messages too
        self._found = ([*matching, *chats] if text else [*chats, *matching])[:MOST_LINES]
        self.list.clear()
        for found in self._found:
            item = QListWidgetItem()
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{found.text}, {texts.KINDS.get(found.kind, found.kind)}")
            item.setSizeHint(QSize(0, 40))
            self.list.addItem(item)
            self.list.setItemWidget(item, _FoundLine(found))
        self.list.setCurrentRow(0 if self._found else -1)
        self._on_row(self.list.currentRow())
        self._hint.setText(texts.FIND_KEYS if self._found else texts.NOTHING_FOUND.format(text=text))

    def _on_key(self, event: QKeyEvent) -> bool:
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}
        key = Qt.Key(event.key())
        if key in steps and self._found:
            row = min(max(self.list.currentRow() + steps[key], 0), len(self._found) - 1)
            self.list.setCurrentRow(row)
            self.field.setAccessibleDescription(self._found[row].text)
            return True
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if 0 <= self.list.currentRow() < len(self._found):
                self._run(self._found[self.list.currentRow()].run)
            return True
        if key in (Qt.Key.Key_Escape, Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self.dismiss()
            return True
        return False

    def _on_row(self, row: int) -> None:
        self.card.explain(self._found[row] if 0 <= row < len(self._found) else None)

    def _on_item(self, item: QListWidgetItem) -> None:
        self._run(self._found[self.list.row(item)].run)

    def _run(self, run: Callable[[], None]) -> None:
        self.dismiss()
        run()


class _FoundLine(QWidget):
    """One line: icon, text, detail, and what kind of thing it is."""

    def __init__(self, found: Found) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row = row_of(
            self,
            IconLabel(found.icon, "muted"),
            (ElidedLabel(found.text), 1),
            gap=tokens.SPACE_3,
            margins=(tokens.SPACE_2, 0),
        )
        if found.detail:
            row.addWidget(Text(found.detail, "small"))
        row.addWidget(Chip(texts.KINDS.get(found.kind, found.kind)))


class _Explanation(QFrame):
    """What the chosen line means, and where that comes from."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self._about, self._source = Text("", "body"), Text("", "small")
        column_of(self, self._about, self._source, gap=tokens.SPACE_1, margins=tokens.SPACE_3)
        self.hide()

    def explain(self, found: Found | None) -> None:
        self.setVisible(found is not None and bool(found.about))
        if found is not None and found.about:
            self._about.setText(found.about)
            self._source.setText(found.source)


def explained(line: Found, term: Term) -> Found:
    """The line with what its term means."""
    return replace(line, also=term.also, about=term.text, source=term.source)


def _name_place(term: Term, titles: dict[str, str]) -> str:
    """``Chat · Technique``: the page that a term opens, and the field or section of it."""
    place = term.place
    within = _(place.get("section", "").capitalize())
    if "part" in place:
        within = next(field.title for field in shown_fields_of(PARTS[place["part"]]) if field.name == place["field"])
    return " · ".join(filter(None, (titles.get(place["page"], ""), within)))


def _rank(found: Found, typed: str) -> tuple[int, str]:
    """Texts that begin with the first typed word come first."""
    text = folded(found.text)
    if text == folded(typed):
        return -1, text
    starts = bool(typed) and text.startswith(folded(typed).split()[0])
    kinds = ("page", "documents", "document", "model", "adapter", "action", "setting", "recipe", "term", "chat")
    order = kinds.index(found.kind) if found.kind in kinds else len(kinds)
    return (0 if starts else 1) * 10 + order, text if typed else ""
