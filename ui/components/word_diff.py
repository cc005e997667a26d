"""The differences of two texts by words: what only the second one says, and what only the first one says."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from html import escape
from typing import Any, Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from ui.components.basics import set_up
from ui.theme.theme import current_theme

Change = Literal["same", "added", "removed"]

LONGEST = 4_000
"""Words: of longer texts the beginnings are compared."""
_PIECES = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")


def compare_words(before: str, after: str) -> list[tuple[Change, str]]:
    """Pieces that are joined to either text: ``same`` and ``removed`` to the first, ``same`` and ``added`` to the
    second one."""
    first, second = (_PIECES.findall(text)[:LONGEST] for text in (before, after))
    pieces: list[tuple[Change, str]] = []
    for kind, begin, end, begins, ends in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(("same", "".join(first[begin:end])))
            continue
        for change, part in (("removed", first[begin:end]), ("added", second[begins:ends])):
            if part:
                pieces.append((change, "".join(part)))  # type: ignore[arg-type]
    return pieces


class WordDiff(QLabel):
    """Added words are underlined on a quiet ground, removed ones struck through."""

    def __init__(self, parent: QWidget | None = None, **properties: Any) -> None:
        super().__init__(parent, textFormat=Qt.TextFormat.RichText, wordWrap=True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._texts = ("", "")
        current_theme().changed.connect(self._draw)
        set_up(self, properties)

    def show_texts(self, before: str, after: str) -> None:
        self._texts = (before, after)
        self._draw()

    def _draw(self) -> None:
        palette = current_theme().palette
        styles: dict[Change, str] = {
            "added": f"background:{palette.success_soft};color:{palette.success};text-decoration:underline",
            "removed": f"color:{palette.muted};text-decoration:line-through",
        }
        pieces = compare_words(*self._texts)
        shown = (
            text if change == "same" else f'<span style="{styles[change]}">{text}</span>'
            for change, text in ((change, escape(text).replace("\n", "<br>")) for change, text in pieces)
        )
        self.setText("".join(shown))
        said = [f"{change}: {text}" for change, text in pieces if change != "same" and text.strip()]
        self.setAccessibleName("; ".join(said) or "no difference")
