"""The trash in the settings: how much is in it, and the way to it."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from ui import texts
from ui.bridge import Bridge
from ui.components.basics import Card, PlainButton, Text
from ui.components.layout import row_of
from ui.components.trash_dialog import TrashDialog, describe_trash
from ui.theme import tokens
from workbench.subjects.trash.calls import KEPT_DAYS, ListTrash, TrashList


class TrashCard(Card):
    def __init__(self, bridge: Bridge) -> None:
        super().__init__(margin=tokens.SPACE_5)
        self._bridge = bridge
        self.amount = Text("", "body")
        self.open_button = PlainButton(texts.TRASH_OPEN, "trash", small=True, clicked=self.open_trash)
        self.body.setSpacing(tokens.SPACE_3)
        for part in (Text(texts.TRASH, "heading"), Text(texts.TRASH_HELP.format(days=KEPT_DAYS), "muted"), self.amount):
            self.body.addWidget(part)
        self.body.addLayout(row_of(None, self.open_button, None))
        bridge.home.listing(ListTrash()).follow(self._on_found)

    def part(self, field: str) -> QWidget:
        """The button that opens it. Raises KeyError for another part."""
        return {"": self.open_button, "open": self.open_button}[field]

    def open_trash(self) -> TrashDialog:
        dialog = TrashDialog(self._bridge, self.window())
        dialog.open()
        return dialog

    def _on_found(self, found: TrashList) -> None:
        self.amount.setText(describe_trash(found))
