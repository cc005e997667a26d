"""Writing a chart into a picture file that can be put on a slide."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRect, QSaveFile, QSize, QSizeF, Qt
from PySide6.QtGui import QImage, QPainter

from ui import texts
from workbench.base.errors import UserError

SIZE = QSize(1600, 1000)
"""Pixels of the picture."""
_RATIO = 2
"""A PNG has so many pixels for each one in each direction."""

Draw = Callable[[QPainter, QSizeF], None]


def write_picture(path: str, form: str, draw: Draw, title: str, size: QSize = SIZE) -> None:
    """Write a picture with a title as ``png`` or ``svg``; a file that is there is replaced once the new one is whole.
    Raises UserError where it cannot be written."""
    content = _png(draw, size) if form == "png" else _svg(draw, title, size)
    file = QSaveFile(path)
    if not (file.open(QIODevice.OpenModeFlag.WriteOnly) and file.write(content) == content.size() and file.commit()):
        raise UserError(texts.FILE_NOT_WRITTEN.format(path=path))


def _png(draw: Draw, size: QSize) -> QByteArray:
    image = QImage(size * _RATIO, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(_RATIO)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    draw(painter, QSizeF(size))
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return buffer.data()


def _svg(draw: Draw, title: str, size: QSize) -> QByteArray:
    from PySide6.QtSvg import QSvgGenerator

    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(size)
    generator.setViewBox(QRect(0, 0, size.width(), size.height()))
    generator.setTitle(title)
    painter = QPainter(generator)
    draw(painter, QSizeF(size))
    painter.end()
    return buffer.data()
