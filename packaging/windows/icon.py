"""Draws an SVG as an icon of Windows: icon.py IN.svg OUT.ico (a container of PNGs)."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QGuiApplication, QIcon

SIZES = (16, 24, 32, 48, 64, 128, 256)


def container(pictures: dict[int, bytes]) -> bytes:
    """An .ico file of PNGs by their size in pixels."""
    entries, data = b"", b""
    offset = 6 + 16 * len(pictures)
    for size, png in pictures.items():
        entries += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(png), offset + len(data))
        data += png
    return struct.pack("<HHH", 0, 1, len(pictures)) + entries + data


def draw(svg: str, size: int) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QIcon(svg).pixmap(size).save(buffer, "PNG")
    return bytes(buffer.data().data())


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QGuiApplication(sys.argv[:1])
    Path(sys.argv[2]).write_bytes(container({size: draw(sys.argv[1], size) for size in SIZES}))
