"""The differences of two texts by words, drawn: what only the second one says, and what only the first one says."""

from __future__ import annotations

from html import escape
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from ui import texts
from ui.components.basics import set_up
from ui.theme.theme import current_theme
from workbench.text.word_diff import Change, compare_words


class WordDiff(QLabel):
    """Added words are underlined on a quiet ground, removed ones struck through."""

    def __init__(self, **properties: Any) -> None:
        super().__init__(textFormat=Qt.TextFormat.RichText, wordWrap=True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._pieces: list[tuple[Change, str]] = []
        current_theme().changed.connect(self._draw)
        set_up(self, properties)

    def show_texts(self, before: str, after: str) -> None:
        self._pieces = compare_words(before, after)
        self._draw()

    def _draw(self) -> None:
        palette = current_theme().palette
        styles: dict[Change, str] = {
            "added": f"background:{palette.success_soft};color:{palette.success};text-decoration:underline",
            "removed": f"color:{palette.muted};text-decoration:line-through",
        }
        shown = (
            text if change == "same" else f'<span style="{styles[change]}">{text}</span>'
            for change, text in ((change, escape(text).replace("\n", "<br>")) for change, text in self._pieces)
        )
        self.setText("".join(shown))
        said = [
            f"{texts.CHANGES[change]}: {text}" for change, text in self._pieces if change != "same" and text.strip()
        ]
        self.setAccessibleName("; ".join(said) or texts.NO_DIFFERENCE)
