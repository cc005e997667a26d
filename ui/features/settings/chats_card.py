"""Chats of other programs, imported from the settings."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from ui import texts
from ui.bridge import Bridge
from ui.components.basics import Card, InlineMessage, PlainButton, Text
from ui.components.chat_import import ChatImport
from ui.components.layout import row_of
from ui.theme import tokens


class ChatsCard(Card):
    def __init__(self, bridge: Bridge) -> None:
        super().__init__(margin=tokens.SPACE_5)
        self.message = InlineMessage()
        self.imports = ChatImport(bridge, self.message.show_message, self)
        self.file_button = PlainButton(texts.IMPORT_FILE, "upload", small=True, clicked=self.imports.choose_file)
        self.folder_button = PlainButton(texts.IMPORT_FOLDER, "folder", small=True, clicked=self.imports.choose_folder)
        self.body.setSpacing(tokens.SPACE_3)
        for part in (Text(texts.OTHER_CHATS, "heading"), Text(texts.OTHER_CHATS_HELP, "muted"), self.message):
            self.body.addWidget(part)
        self.body.addLayout(row_of(None, self.file_button, self.folder_button, None, gap=tokens.SPACE_2))

    def part(self, field: str) -> QWidget:
        """The button that chooses a file. Raises KeyError for another part."""
        return {"": self.file_button, "import": self.file_button}[field]
