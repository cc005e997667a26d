"""The images that questions show, in the window: their small copies are asked of the core and kept within limits.

There is one ``ShownImages`` for a QApplication, its child: ``current_images()`` finds it. The core gives plain pixels,
so no decoder of image files runs in the window.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from ui.components.layout import FlowLayout, empty_layout
from ui.theme import tokens
from workbench.records.messages import ImagePart
from workbench.subjects.images.calls import GetImage, ImagePixels

if TYPE_CHECKING:
    from ui.bridge import Bridge

_MOST_KEPT = 100
TILE = QSize(220, 160)
"""The largest image in the conversation, in px."""


class ShownImages(QObject):
    """``came`` tells that the pixels of an image are there, by its SHA-256."""

    came = Signal(str)

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self.setObjectName("shown images")
        self._bridge: Bridge | None = None
        self._known: OrderedDict[str, QPixmap] = OrderedDict()
        self._wanted: set[str] = set()

    def draw_with(self, bridge: Bridge | None) -> None:
        """Ask this core for images from now on; what is kept is forgotten."""
        self._bridge = bridge
        self._known.clear()
        self._wanted.clear()

    def find(self, sha256: str) -> QPixmap | None:
        """The small copy of an image; None where it is not known yet: then it is asked for, and ``came`` tells of it.
        An image that cannot be shown stays unknown."""
        known = self._known.get(sha256)
        if known is not None:
            self._known.move_to_end(sha256)
        elif self._bridge is not None and sha256 not in self._wanted:
            self._wanted.add(sha256)
            self._bridge.call(GetImage(sha256=sha256), lambda pixels: self._take(sha256, pixels), lambda _: None, self)
        return known

    def _take(self, sha256: str, pixels: ImagePixels) -> None:
        self._wanted.discard(sha256)
        image = QImage(pixels.rgb, pixels.width, pixels.height, 3 * pixels.width, QImage.Format.Format_RGB888)
        self._known[sha256] = QPixmap.fromImage(image)  # which copies the pixels
        while len(self._known) > _MOST_KEPT:
            self._known.popitem(last=False)
        self.came.emit(sha256)


def current_images() -> ShownImages:
    """The application's images; made on first use. Raises RuntimeError before there is a QApplication."""
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        raise RuntimeError("there is no QApplication yet")
    found = application.findChild(ShownImages, "shown images", Qt.FindChildOption.FindDirectChildrenOnly)
    return found if isinstance(found, ShownImages) else ShownImages(application)


class ImageRow(QWidget):
    """The images of a question, beside each other, each at most as large as ``largest``; hidden while there are
    none."""

    def __init__(self, largest: QSize = TILE) -> None:
        super().__init__()
        self._largest = largest
        self._images: tuple[ImagePart, ...] = ()
        self.tiles: list[QLabel] = []
        self._flow = FlowLayout(self, tokens.SPACE_2)
        current_images().came.connect(self._on_came)
        self.hide()

    def show_images(self, images: Sequence[ImagePart]) -> None:
        if tuple(images) == self._images:
            return
        self._images = tuple(images)
        empty_layout(self._flow)
        self.tiles = []
        for image in self._images:
            tile = QLabel()
            tile.setAccessibleName(image.name)
            tile.setToolTip(image.name)
            self.tiles.append(tile)
            self._flow.addWidget(tile)
            self._show(tile, image)
        self.setVisible(bool(self._images))

    def _on_came(self, sha256: str) -> None:
        for tile, image in zip(self.tiles, self._images, strict=True):
            if image.sha256 == sha256:
                self._show(tile, image)

    def _show(self, tile: QLabel, image: ImagePart) -> None:
        pixmap = current_images().find(image.sha256)
        if pixmap is None:
            tile.setText(image.name)
            return
        size = pixmap.size().scaled(self._largest, Qt.AspectRatioMode.KeepAspectRatio).boundedTo(pixmap.size())
        ratio = self.devicePixelRatioF()
        sharp = pixmap.scaled(
            size * ratio, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        sharp.setDevicePixelRatio(ratio)
        tile.setPixmap(sharp)
        tile.setFixedSize(size)
        self.updateGeometry()
