"""The icon set: one outline each, drawn on 20 x 20, tinted with a token's colour when it is needed."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap

from ui.theme.tokens import ICON_SIZE

ICONS = Path(__file__).resolve().parents[2] / "resources" / "icons"


def draw_pixmap(name: str, colour: str, size: int = ICON_SIZE, ratio: float = 1.0) -> QPixmap:
    """The icon ``name`` in a colour (``#rrggbb``), ``size`` logical pixels wide on a screen of that pixel ratio.

    Raises FileNotFoundError when there is no such icon.
    """
    from PySide6.QtSvg import QSvgRenderer  # only here: a window without icons starts without it

    svg = (ICONS / f"{name}.svg").read_bytes().replace(b"currentColor", colour.encode())
    pixels = round(size * ratio)
    pixmap = QPixmap(pixels, pixels)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg)).render(painter, QRectF(0, 0, pixels, pixels))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def draw_icon(name: str, colour: str, disabled: str, size: int = ICON_SIZE) -> QIcon:
    """The icon for buttons and lists, sharp on screens of ratio 1 and 2; ``disabled`` is its colour when off."""
    icon = QIcon()
    for ratio in (1.0, 2.0):
        icon.addPixmap(draw_pixmap(name, colour, size, ratio))
        icon.addPixmap(draw_pixmap(name, disabled, size, ratio), QIcon.Mode.Disabled)
    return icon
