"""Writing the chart of a comparison into a picture file that can be put on a slide."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRect, QSaveFile, QSize, QSizeF, Qt
from PySide6.QtGui import QImage, QPainter

from ui.features.ladder import texts
from workbench.base.errors import UserError

SIZE = QSize(1600, 1000)
"""Pixels of the picture."""
_RATIO = 2
"""A PNG has so many pixels for each one in each direction."""

Draw = Callable[[QPainter, QSizeF], None]


def write_picture(path: str, form: str, draw: Draw) -> None:
    """Write a picture as ``png`` or ``svg``; a file that is there is replaced once the new one is whole. Raises
    UserError where it cannot be written."""
    content = _png(draw) if form == "png" else _svg(draw)
    file = QSaveFile(path)
    if not (file.open(QIODevice.OpenModeFlag.WriteOnly) and file.write(content) == content.size() and file.commit()):
        raise UserError(texts.NOT_WRITTEN.format(path=path))


def _png(draw: Draw) -> QByteArray:
    image = QImage(SIZE * _RATIO, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(_RATIO)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    draw(painter, QSizeF(SIZE))
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return buffer.data()


def _svg(draw: Draw) -> QByteArray:
    from PySide6.QtSvg import QSvgGenerator

    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(SIZE)
    generator.setViewBox(QRect(0, 0, SIZE.width(), SIZE.height()))
    generator.setTitle(texts.CHART)
    painter = QPainter(generator)
    draw(painter, QSizeF(SIZE))
    painter.end()
    return buffer.data()
