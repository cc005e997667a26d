"""The pictures within a document as a row of thumbnails."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QToolButton, QWidget

from ui import texts
from ui.bridge import Bridge
from ui.components.layout import FlowLayout, empty_layout
from ui.theme import tokens
from workbench.records.documents import DocumentText, PagePicture
from workbench.subjects.documents.calls import DrawPage

MOST_SHOWN = 6
TILE = QSize(112, 72)
SCALE = 0.4
"""Of the pictures that are asked for: 238 px wide, sharp also on a screen with two pixels to a point."""


class DocumentPictures(QWidget):
    """``chosen`` sends the number of the picture that was clicked. Hidden while there are none; a picture has its place
    once it was drawn, since one that is damaged has none."""

    chosen = Signal(int)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._asked = 0  # counts documents: pictures of an earlier one are passed over
        self.tiles: dict[int, QToolButton] = {}
        self._flow = FlowLayout(self, tokens.SPACE_2)
        self.hide()

    def show_of(self, collection: str, text: DocumentText | None, start: int = 0, end: int = 0) -> None:
        """Ask for the pictures that belong to the passages at ``start:end`` of a document, without a passage for its
        first ones; None: there are none."""
        self._asked += 1
        asked = self._asked

        def on_picture(picture: PagePicture) -> None:
            if asked == self._asked:
                self._put(picture)

        numbers = [] if text is None else _pictures_of(text, start, end)
        self._expect(numbers)
        for number in numbers:
            assert text is not None
            call = DrawPage(collection=collection, document=text.document.id, picture=number, scale=SCALE)
            self._bridge.call(call, on_picture, lambda _: None, self)

    def _expect(self, numbers: Sequence[int]) -> None:
        """Begin anew, with a place for each of these pictures."""
        empty_layout(self._flow)
        self.tiles = {}
        for number in numbers:
            tile = QToolButton(autoRaise=True, iconSize=TILE, toolButtonStyle=Qt.ToolButtonStyle.ToolButtonIconOnly)
            tile.setToolTip(texts.OPEN_PICTURE.format(number=number))
            tile.setAccessibleName(tile.toolTip())
            tile.clicked.connect(lambda _=False, number=number: self.chosen.emit(number))
            tile.hide()
            self.tiles[number] = tile
            self._flow.addWidget(tile)
        self.hide()

    def _put(self, picture: PagePicture) -> None:
        """Show a picture in its place."""
        tile = self.tiles.get(picture.page)
        pixmap = QPixmap()
        if tile is None or not pixmap.loadFromData(picture.png):
            return
        tile.setIcon(QIcon(pixmap))
        tile.show()
        self.show()


def _pictures_of(text: DocumentText, start: int, end: int) -> list[int]:
    """The numbers of at most ``MOST_SHOWN`` pictures within a document: those that belong to the passages at
    ``start:end``, which may be empty, else the first ones."""
    if end <= start:
        return list(range(1, 1 + min(MOST_SHOWN, len(text.pictures))))
    passages = [one for one in text.chunks if one.start < end and one.end > start]
    return [
        number
        for number, one in enumerate(text.pictures, 1)
        if any(one.start <= passage.end and one.end >= passage.start for passage in passages)
    ][:MOST_SHOWN]
