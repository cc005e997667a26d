"""The trash: what was deleted, until when it can be restored, and the way to restore it or delete it for good."""

from __future__ import annotations

import time
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QWidget

from ui import texts
from ui.bridge import Bridge
from ui.components.basics import (
    DangerButton,
    ElidedLabel,
    IconLabel,
    InlineMessage,
    Line,
    PlainButton,
    QuietButton,
    Text,
)
from ui.components.dialog import Dialog
from ui.components.layout import column_of, empty_layout, row_of
from ui.components.notices import ConfirmRow
from ui.components.wording import describe_bytes, describe_count, in_words
from ui.theme import tokens
from workbench.subjects.trash.calls import (
    KEPT_DAYS,
    DeleteForGood,
    EmptyTrash,
    ListTrash,
    RestoreDeleted,
    TrashEntry,
    TrashList,
)

_ICONS = {
    "chat": "chat", "document": "file", "folder": "folder", "collection": "documents", "model": "models",
    "endpoint": "globe", "adapter": "adapters", "recipe": "sidebar", "prompt": "edit",
}  # fmt: skip
_WIDTH, _HEIGHT = 720, 520


def describe_trash(found: TrashList) -> str:
    """How much is in the trash."""
    if not found.entries:
        return texts.TRASH_EMPTY
    count = describe_count(len(found.entries), "item")
    return texts.TRASH_SIZE.format(count=count, size=describe_bytes(found.bytes))


class TrashRow(QFrame):
    """One thing, with its buttons."""

    def __init__(self, entry: TrashEntry) -> None:
        super().__init__()
        self.entry = entry
        title = ElidedLabel(entry.title, "body")
        words = texts.TRASH_UNTIL_FROM if entry.place else texts.TRASH_UNTIL
        described = words.format(
            kind=texts.TRASH_KINDS.get(entry.kind, entry.kind),
            place=entry.place,
            deleted=_date(entry.deleted),
            until=_date(entry.until),
        )
        size = Text(describe_bytes(entry.bytes) if entry.bytes > 1 else "", "small")
        self.restore = PlainButton(texts.TRASH_RESTORE, small=True, autoDefault=False)
        self.restore.setAccessibleName(f"{texts.TRASH_RESTORE}: {entry.title}")
        self.delete = QuietButton(texts.TRASH_DELETE_NOW, autoDefault=False)
        self.delete.setAccessibleName(f"{texts.TRASH_DELETE_NOW}: {entry.title}")
        self.delete.setProperty("small", True)
        self.setAccessibleName(f"{entry.title}. {described}")
        lines = column_of(None, title, Text(described, "small"), gap=0)
        icon = IconLabel(_ICONS.get(entry.kind, "file"), "muted")
        row_of(
            self, icon, (lines, 1), size, self.restore, self.delete,
            gap=tokens.SPACE_3, margins=(0, tokens.SPACE_2, 0, tokens.SPACE_2),
        )  # fmt: skip


class TrashDialog(Dialog):
    def __init__(self, bridge: Bridge, parent: QWidget | None) -> None:
        explanation = texts.TRASH_HELP.format(days=KEPT_DAYS)
        super().__init__(texts.TRASH, explanation, texts.TRASH_EMPTY_NOW, parent, _WIDTH)
        self._bridge = bridge
        self.rows: list[TrashRow] = []
        self.setMinimumHeight(_HEIGHT)
        self.go.setProperty("kind", DangerButton.kind)
        self.go.setDefault(False)
        self.go.setAutoDefault(False)
        self.leave.setText(texts.TRASH_CLOSE)
        self.go.clicked.connect(self._on_empty)
        self.empty = Text(texts.TRASH_EMPTY, "muted", alignment=Qt.AlignmentFlag.AlignHCenter)
        self._list = column_of(None)
        self.inside.addWidget(self.empty)
        self.inside.addLayout(self._list)
        self.inside.addStretch(1)
        self.amount = Text("", "small")
        self.confirm = ConfirmRow(self.go)
        self.confirm.confirmed.connect(self._on_empty_confirmed)
        self.message = InlineMessage()
        for part in (self.amount, self.confirm, self.message):
            self.below.addWidget(part)
        self._found = bridge.home.listing(ListTrash())
        self._found.follow(self._on_found)

    def _on_found(self, found: TrashList) -> None:
        known = [row.entry for row in self.rows]
        self.amount.setText(describe_trash(found) if found.entries else "")
        self.empty.setVisible(not found.entries)
        self.go.setVisible(bool(found.entries))
        if known == list(found.entries):
            return
        empty_layout(self._list)
        self.rows = [TrashRow(entry) for entry in found.entries]
        for place, row in enumerate(self.rows):
            if place:
                self._list.addWidget(Line())
            self._list.addWidget(row)
            row.restore.clicked.connect(partial(self._on_restore, row.entry))
            row.delete.clicked.connect(partial(self._on_delete, row.entry))
        following = self.rows[0].restore if self.rows else self.leave
        following.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_restore(self, entry: TrashEntry) -> None:
        def restored(back: TrashEntry) -> None:
            self.message.show_message(texts.RESTORED.format(title=back.title), "success")
            self._found.refresh()

        self._bridge.call(RestoreDeleted(item=entry.id), restored, self._on_refused, self)

    def _on_delete(self, entry: TrashEntry) -> None:
        self.message.hide()
        self._bridge.call(DeleteForGood(item=entry.id), lambda _: self._found.refresh(), self._on_refused, self)

    def _on_empty(self) -> None:
        self.message.hide()
        count = describe_count(len(self.rows), "item")
        self.confirm.set_question(texts.TRASH_ASK_EMPTY.format(count=count), texts.TRASH_EMPTY_NOW)
        self.confirm.ask()

    def _on_empty_confirmed(self) -> None:
        def emptied(left: TrashList) -> None:
            self._found.put(left)
            if left.entries:
                self.message.show_message(texts.TRASH_LEFT.format(title=left.entries[0].title), "attention")

        self._bridge.call(EmptyTrash(), emptied, self._on_refused, self)

    def _on_refused(self, error: Exception) -> None:
        self.message.show_message(in_words(error), "danger")


def _date(at: float) -> str:
    return time.strftime("%d %B %Y", time.localtime(at)).lstrip("0")
