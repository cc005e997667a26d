"""Decoded images as plain pixels, in a form that no image decoder is needed for.

The reader process decodes a stranger's image file once; everything after it (the model, the window, an endpoint) gets
its pixels only. A file begins with a mark that ends in the number of the format, the width and the height (two unsigned
integers of 32 bits, the lowest byte first), and goes on with the pixels compressed by zlib: red, green and blue of
each, one byte each, row by row from the top.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from workbench.base.errors import UserError
from workbench.base.files import open_regular

LONGEST_SIDE = 2_048
"""Pixels on the longer side of a stored image; a larger one is made smaller. No usual vision model reads more."""

_MARK = b"WORKBENCH PIXELS 1\n"
_SIZE = struct.Struct("<II")
_LARGEST_FILE = LONGEST_SIDE * LONGEST_SIDE * 3 + 100_000
"""Bytes: zlib adds a few to what it cannot compress."""


@dataclass(frozen=True)
class Pixels:
    """An image of ``width`` x ``height`` pixels; ``rgb`` has three bytes for each, row by row from the top."""

    width: int
    height: int
    rgb: bytes

    def __post_init__(self) -> None:
        if not 1 <= self.width <= LONGEST_SIDE or not 1 <= self.height <= LONGEST_SIDE:
            raise ValueError(f"an image of {self.width} x {self.height} pixels")
        if len(self.rgb) != 3 * self.width * self.height:
            raise ValueError(f"{len(self.rgb)} bytes for {self.width} x {self.height} pixels")


def pack_pixels(pixels: Pixels) -> bytes:
    """The content of a file of pixels."""
    return _MARK + _SIZE.pack(pixels.width, pixels.height) + zlib.compress(pixels.rgb, 3)


def unpack_pixels(data: bytes) -> Pixels:
    """The pixels of a file's content. Raises UserError when it is damaged or of another format; never takes more memory
    than the largest image has."""
    start = len(_MARK) + _SIZE.size
    if not data.startswith(_MARK) or len(data) < start:
        raise _damaged()
    width, height = _SIZE.unpack_from(data, len(_MARK))
    if not 1 <= width <= LONGEST_SIDE or not 1 <= height <= LONGEST_SIDE:
        raise _damaged()
    inflating = zlib.decompressobj()
    try:
        rgb = inflating.decompress(data[start:], 3 * width * height + 1)
    except zlib.error as error:
        raise _damaged() from error
    if len(rgb) != 3 * width * height or not inflating.eof:
        raise _damaged()
    return Pixels(width, height, rgb)


def read_pixels(path: Path) -> Pixels:
    """The pixels of a file. Raises UserError when it is missing or damaged."""
    try:
        with open_regular(path) as file:
            data = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise UserError(
            f"The stored image {path.name} is missing.", "Add the image to a new question, or restore a backup."
        ) from error
    return unpack_pixels(data)


def reduced(pixels: Pixels, longest: int) -> Pixels:
    """The image with at most ``longest`` pixels on a side: the means of squares of 2 x 2 pixels, 3 x 3 and so on. What
    is over at the right and at the bottom is left out."""
    import numpy as np

    side = -(-max(pixels.width, pixels.height) // longest)
    if side <= 1:
        return pixels
    width, height = max(1, pixels.width // side), max(1, pixels.height // side)
    values = np.frombuffer(pixels.rgb, np.uint8).reshape(pixels.height, pixels.width, 3)
    across, down = min(side, pixels.width), min(side, pixels.height)
    squares = values[: height * down, : width * across].reshape(height, down, width, across, 3)
    return Pixels(width, height, np.rint(squares.mean(axis=(1, 3))).astype(np.uint8).tobytes())


def png_of(pixels: Pixels) -> bytes:
    """The pixels as a PNG file."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    row = 3 * pixels.width
    rows = b"".join(b"\0" + pixels.rgb[start : start + row] for start in range(0, len(pixels.rgb), row))
    header = struct.pack(">IIBBBBB", pixels.width, pixels.height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows, 6)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _damaged() -> UserError:
    return UserError("The stored image is damaged.", "Add the image to a new question, or restore a backup.")
