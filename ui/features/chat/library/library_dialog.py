"""The library of prompts as a dialog: looked through, used, compared, restored, shared."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QMargins, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFileDialog, QLineEdit, QListWidget, QListWidgetItem, QWidget

from ui import texts as frame_texts
from ui.bridge import Bridge
from ui.components.basics import ElidedLabel, IconButton, InlineMessage, PlainButton, Text
from ui.components.choice_box import ChoiceBox, ChoiceRow
from ui.components.dialog import Dialog
from ui.components.layout import ScrolledColumn, column_of, empty_layout, row_of
from ui.components.lists import SearchField
from ui.components.notices import ConfirmRow, EmptyState
from ui.components.word_diff import WordDiff
from ui.components.wording import describe_count, in_words
from ui.features.chat import texts
from ui.theme import tokens
from workbench.api.protocol import Call
from workbench.base.catalogue import translated
from workbench.records.methods import Methods
from workbench.records.prompts import PromptRecord, PromptVersion, described, found_prompts
from workbench.records.recipes import PromptKind
from workbench.subjects.machine.calls import ListMethods
from workbench.subjects.prompts.calls import (
    ExportPrompt,
    GetPrompt,
    ImportPrompt,
    ListPrompts,
    PromptDetails,
    PromptList,
    RemovePrompt,
    RenamePrompt,
    RestorePrompt,
)
from workbench.subjects.trash.calls import KEPT_DAYS, RestoreDeleted, TrashEntry

_IDENTITY = Qt.ItemDataRole.UserRole
_TEXT, _CHANGES = "text", "changes"
_LONGEST_SHOWN = 20_000
"""Characters of a text: a label of more takes too long to lay out."""


class LibraryDialog(Dialog):
    """``used`` sends an entry and the version of it that is to be asked with."""

    used = Signal(object, object)

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(texts.LIBRARY, texts.LIBRARY_HELP, texts.USE_PROMPT, parent, 820)
        self._bridge = bridge
        self._records: tuple[PromptRecord, ...] = ()
        self._details: PromptDetails | None = None
        self._wanted = ""  # the id of an entry that is to be chosen once it is known
        self.search = SearchField(texts.SEARCH_LIBRARY, searched=lambda _: self._show_list())
        self.tag = ChoiceBox(texts.TAG, (), 18, chosen=lambda _: self._show_list())
        self.list = QListWidget(accessibleName=texts.LIBRARY)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentItemChanged.connect(lambda *_: self._on_entry())
        self.nothing = Text(texts.NOTHING_FOUND, "muted", visible=False)
        self.import_button = PlainButton(texts.IMPORT_PROMPTS, "upload", small=True, clicked=self._on_import)
        left = QWidget(maximumWidth=250, minimumWidth=250)
        column_of(left, self.search, self.tag, self.nothing, (self.list, 1), self.import_button, gap=tokens.SPACE_2)
        self.name = ElidedLabel("", "heading")
        self.about = ElidedLabel("", "small")
        self.versions = QListWidget(accessibleName=texts.VERSIONS)
        self.versions.setFixedHeight(104)
        self.versions.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.versions.currentItemChanged.connect(lambda *_: self._show_version())
        self.view = ChoiceRow(texts.VIEW, ((_TEXT, texts.VIEW_TEXT), (_CHANGES, texts.VIEW_CHANGES)))
        self.view.chosen.connect(self._on_view)
        self.view.show_value(_TEXT)
        self.body = ScrolledColumn(tokens.SPACE_3, margins=QMargins(0, 0, tokens.SPACE_2, 0))
        self.restore_button = PlainButton(texts.RESTORE, "restart", small=True, clicked=self._on_restore)
        self.rename_button = IconButton("edit", texts.RENAME_PROMPT, clicked=self._on_rename)
        self.name_field = QLineEdit(accessibleName=texts.PROMPT_NAME, visible=False, returnPressed=self._on_renamed)
        heading = row_of(None, (self.name, 1), (self.name_field, 1), self.rename_button, gap=tokens.SPACE_1)
        self.export_button = PlainButton(texts.EXPORT_PROMPT, "download", small=True, clicked=self._on_export)
        self.delete_button = PlainButton(texts.DELETE_PROMPT, "trash", small=True)
        self.confirm = ConfirmRow(self.delete_button)
        self.delete_button.clicked.connect(self.confirm.ask)
        self.confirm.confirmed.connect(self._on_delete)
        actions = row_of(None, self.restore_button, self.export_button, None, self.delete_button, gap=tokens.SPACE_2)
        right = self._right = QWidget()
        column_of(
            right, heading, self.about, self.versions, self.view, (self.body, 1), actions, self.confirm,
            gap=tokens.SPACE_2,
        )  # fmt: skip
        self._whole = QWidget(minimumHeight=430)
        row_of(self._whole, left, (right, 1), gap=tokens.SPACE_4)
        self.empty = EmptyState("file", texts.LIBRARY_EMPTY, texts.LIBRARY_EMPTY_HELP)
        self.empty.add_action(PlainButton(texts.IMPORT_PROMPTS, "upload", clicked=self._on_import))
        self.inside.addWidget(self._whole, 1)
        self.inside.addWidget(self.empty, 1)
        self.message = InlineMessage()
        self.below.addWidget(self.message)
        self.leave.setText(texts.CLOSE_LIBRARY)
        self.go.clicked.connect(self._on_use)
        self.resize(880, 640)
        self._whole.hide()
        self.empty.hide()
        self._show_details(None)
        bridge.home.listing(ListPrompts()).follow(self._on_prompts)

    # -- what is shown -------------------------------------------------------------------------------

    def _on_prompts(self, found: PromptList) -> None:
        self._records = found.prompts
        self._whole.setVisible(bool(found.prompts))
        self.empty.setVisible(not found.prompts)
        if found.prompts and self.focusWidget() in (None, self.leave):
            self.search.setFocus()
        tags = dict.fromkeys(tag for one in found.prompts for tag in one.tags)
        self.tag.setVisible(bool(tags))
        self.tag.set_choices([(texts.ALL_TAGS, ""), *((tag, tag) for tag in sorted(tags, key=str.casefold))])
        self._show_list()

    def _show_list(self) -> None:
        chosen = self._wanted or self._current
        found = found_prompts(self._records, self.search.text(), self.tag.value)
        self.list.blockSignals(True)
        self.list.clear()
        for one in found:
            item = _item(one.name, f"{one.name} ({texts.KINDS[one.kind]})")
            item.setData(_IDENTITY, one.id)
            self.list.addItem(item)
            if one.id == chosen:
                self.list.setCurrentItem(item)
                self._wanted = ""
        if self.list.currentItem() is None and found:
            self.list.setCurrentRow(0)
        self.list.blockSignals(False)
        self.nothing.setVisible(not found)
        self._on_entry()

    @property
    def _current(self) -> str:
        item = self.list.currentItem()
        return str(item.data(_IDENTITY)) if item is not None else ""

    @property
    def _version(self) -> PromptVersion | None:
        place = self.versions.currentRow()
        return self._details.versions[place] if self._details is not None and place >= 0 else None

    def _on_entry(self) -> None:
        if not self._current:
            self._show_details(None)
            return
        self._bridge.call(GetPrompt(prompt=self._current), self._on_details, self._on_refused, self)

    def _on_details(self, details: PromptDetails) -> None:
        if details.prompt.id == self._current:
            self._show_details(details)

    def _show_details(self, details: PromptDetails | None) -> None:
        before = self._details
        self._details = details
        self._right.setVisible(details is not None)
        self.confirm.hide()
        if details is not None:
            record = details.prompt
            if before is None or before.prompt.id != record.id:
                self._end_renaming()
            self.name.set_full_text(record.name)
            about = (texts.KINDS[record.kind], *(f"#{tag}" for tag in record.tags), record.unreadable)
            self.about.set_full_text(" · ".join(filter(None, about)))
            self.confirm.set_question(
                texts.ASK_DELETE_PROMPT.format(
                    name=record.name, versions=describe_count(len(details.versions), "version")
                ),
                texts.DELETE_PROMPT,
            )
            if before != details:
                self.versions.blockSignals(True)
                self.versions.clear()
                for one in details.versions:
                    self.versions.addItem(_item(describe_version(one), one.note))
                self.versions.setCurrentRow(0)
                self.versions.blockSignals(False)
        self._show_version()

    def _show_version(self) -> None:
        version, details = self._version, self._details
        self.go.setEnabled(version is not None and not version.unreadable)
        empty_layout(self.body.column)
        if version is None or details is None:
            return
        place, kind = self.versions.currentRow(), details.prompt.kind
        self.restore_button.setEnabled(place > 0 and not version.unreadable)
        earlier = details.versions[place + 1] if place + 1 < len(details.versions) else None
        self.view.setVisible(earlier is not None)
        if version.unreadable:
            self.body.column.addWidget(Text(version.unreadable, "error"))
            return
        if version.note:
            self.body.column.addWidget(Text(version.note, "muted"))
        after = self._described(version, kind)
        before = self._described(earlier, kind) if earlier is not None and self.view.value == _CHANGES else None
        changed = False
        for title in dict.fromkeys((*(before or {}), *after)):
            old, new = (before or {}).get(title, ""), after.get(title, "")
            if before is not None and old == new:
                continue
            changed = True
            self.body.column.addWidget(Text(translated(title), "strong"))
            if max(len(old), len(new)) > _LONGEST_SHOWN:
                old, new = old[:_LONGEST_SHOWN], new[:_LONGEST_SHOWN]
                self.body.column.addWidget(Text(texts.BEGINNING_SHOWN.format(characters=_LONGEST_SHOWN), "attention"))
            if before is None:
                shown = Text(new)
                shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                self.body.column.addWidget(shown)
            else:
                diff = WordDiff()
                diff.show_texts(old, new)
                self.body.column.addWidget(diff)
        if not changed:
            self.body.column.addWidget(Text(texts.NO_CHANGES, "muted"))

    def _described(self, version: PromptVersion, kind: PromptKind) -> dict[str, str]:
        """The texts of a version, with the title of its technique."""
        shown, known = described(version.content, kind), self._bridge.home.listing(ListMethods()).value
        if kind == "reasoning" and known is not None:
            title = Methods(known.methods).row(version.content.technique, "technique").title
            shown = {part: title if text == version.content.technique else text for part, text in shown.items()}
        return shown

    # -- what the person does ------------------------------------------------------------------------

    def _on_view(self, name: str) -> None:
        self.view.show_value(name)
        self._show_version()

    def _on_use(self) -> None:
        if self._details is not None and self._version is not None:
            self.used.emit(self._details.prompt, self._version)
            self.accept()

    def _on_rename(self) -> None:
        if self._details is not None:
            self.name_field.setText(self._details.prompt.name)
            self.name.hide()
            self.rename_button.hide()
            self.name_field.show()
            self.name_field.selectAll()
            self.name_field.setFocus()

    def _on_renamed(self) -> None:
        if self._details is None:
            return
        wanted = " ".join(self.name_field.text().split())
        if not wanted or wanted == self._details.prompt.name:
            self._end_renaming()
            return
        call = RenamePrompt(prompt=self._details.prompt.id, name=wanted)

        def done(found: PromptList) -> None:
            self._end_renaming()
            self._bridge.home.listing(ListPrompts()).put(found)

        self._send(call, done)

    def _end_renaming(self) -> None:
        self.name_field.hide()
        self.name.show()
        self.rename_button.show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter in the field of the name renames and does not use the entry; Esc leaves the field, not the dialog."""
        if self.name_field.isVisible() and self.name_field.hasFocus():
            if event.key() == Qt.Key.Key_Escape:
                self._end_renaming()
            if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
                return
        super().keyPressEvent(event)

    def _on_restore(self) -> None:
        if self._details is not None and (version := self._version) is not None:
            call = RestorePrompt(prompt=self._details.prompt.id, version=str(version.number))
            self._send(call, lambda _: None)

    def _on_delete(self) -> None:
        if self._details is not None:
            prompt = self._details.prompt

            def removed(left: PromptList) -> None:
                self._bridge.home.listing(ListPrompts()).put(left)
                said = frame_texts.IN_TRASH.format(title=prompt.name, days=KEPT_DAYS)
                undo = RestoreDeleted(item=prompt.id)
                self.message.show_message(said, "info", frame_texts.UNDO, lambda: self._send(undo, self._on_undone))

            self._send(RemovePrompt(prompt=prompt.id), removed)

    def _on_undone(self, entry: TrashEntry) -> None:
        self._wanted = entry.item
        self.message.show_message(frame_texts.RESTORED.format(title=entry.title), "success")

    def _on_export(self) -> None:
        if self._details is None:
            return
        start = f"{self._details.prompt.name}.json".replace("/", "-")
        path, _ = QFileDialog.getSaveFileName(self, texts.EXPORT_PROMPT, start, texts.FILTER_PROMPTS)
        if path:
            self.export_to(path)

    def export_to(self, path: str) -> None:
        """Write the chosen entry with all its versions."""
        if self._details is not None:
            call = ExportPrompt(prompts=(self._details.prompt.id,), path=path)
            said = texts.PROMPT_EXPORTED.format(name=self._details.prompt.name, path=path)
            self._send(call, lambda _: self.message.show_message(said, "success"))

    def _on_import(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, texts.IMPORT_PROMPTS, "", texts.FILTER_PROMPTS)
        if path:
            self.import_from(path)

    def import_from(self, path: str) -> None:
        """Add the entries of a file."""
        self._send(ImportPrompt(path=path), self._on_imported)

    def _on_imported(self, added: PromptList) -> None:
        names = ", ".join(one.name for one in added.prompts)
        self._wanted = added.prompts[0].id if added.prompts else ""
        self.message.show_message(texts.PROMPTS_IMPORTED.format(names=names) if names else texts.NONE_IMPORTED, "info")

    def _send(self, call: Call[Any], done: Callable[[Any], None]) -> None:
        self.message.hide()
        self._bridge.call(call, done, self._on_refused, self)

    def _on_refused(self, error: Exception) -> None:
        self.message.show_message(in_words(error), "danger")


def describe_version(version: PromptVersion) -> str:
    """``Version 3 · 24 Nov 2026, 15:30 · kinder``"""
    moment = time.strftime("%d %b %Y, %H:%M", time.localtime(version.created))
    note = " ".join(version.note.split())
    return " · ".join(filter(None, (texts.VERSION.format(number=version.number), moment, note)))


def _item(title: str, tip: str) -> QListWidgetItem:
    item = QListWidgetItem(title)
    item.setToolTip(tip)
    return item
