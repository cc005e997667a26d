"""The pictures within a document as a row of thumbnails."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QToolButton, QWidget

from ui import texts
from ui.components.layout import FlowLayout, empty_layout
from ui.theme import tokens
from workbench.records.documents import PagePicture

MOST_SHOWN = 6
TILE = QSize(112, 72)
SCALE = 0.4
"""Of the pictures that are asked for: 238 px wide, sharp also on a screen with two pixels to a point."""


class DocumentPictures(QWidget):
    """``chosen`` sends the number of the picture that was clicked. Hidden while there are none; a picture has its place
    once it was drawn, since one that is damaged has none."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tiles: dict[int, QToolButton] = {}
        self._flow = FlowLayout(self, tokens.SPACE_2)
        self.hide()

    def expect(self, numbers: Sequence[int]) -> None:
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

    def put(self, picture: PagePicture) -> None:
        """Show a picture in its place."""
        tile = self.tiles.get(picture.page)
        pixmap = QPixmap()
        if tile is None or not pixmap.loadFromData(picture.png):
            return
        tile.setIcon(QIcon(pixmap))
        tile.show()
        self.show()
