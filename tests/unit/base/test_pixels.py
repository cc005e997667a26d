"""The file of an image's pixels, and what is refused of one."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from workbench.base.errors import UserError
from workbench.base.pixels import LONGEST_SIDE, Pixels, pack_pixels, png_of, read_pixels, reduced, unpack_pixels

PIXELS = Pixels(3, 2, bytes(range(18)))
HEAD = b"WORKBENCH PIXELS 1\n"


def test_pixels_are_what_they_were(tmp_path: Path) -> None:
    path = tmp_path / "a.pixels"
    path.write_bytes(pack_pixels(PIXELS))
    assert read_pixels(path) == PIXELS
    assert Image.open(io.BytesIO(png_of(PIXELS))).convert("RGB").tobytes() == PIXELS.rgb


def test_a_large_image_is_reduced_to_means_of_squares() -> None:
    assert reduced(PIXELS, 3) is PIXELS
    rows = [[(10 * row + column, 0, 200) for column in range(5)] for row in range(4)]
    image = Pixels(5, 4, bytes(value for row in rows for pixel in row for value in pixel))
    small = reduced(image, 4)
    assert (small.width, small.height) == (2, 2)
    assert list(small.rgb[::3]) == [6, 8, 26, 28]  # of 5.5, 7.5, 25.5 and 27.5
    assert set(small.rgb[2::3]) == {200}
    line = reduced(Pixels(2_000, 1, bytes(6_000)), 1_000)
    assert (line.width, line.height) == (1_000, 1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEAD,
        HEAD.replace(b"1", b"2") + pack_pixels(PIXELS)[len(HEAD) :],
        pack_pixels(PIXELS)[:-3],
        pack_pixels(PIXELS)[: len(HEAD) + 8] + b"no zlib",
        HEAD + struct.pack("<II", 3, 3) + zlib.compress(bytes(18)),
        HEAD + struct.pack("<II", 3, 2) + zlib.compress(bytes(19)),
        HEAD + struct.pack("<II", 0, 2) + zlib.compress(b""),
        HEAD + struct.pack("<II", LONGEST_SIDE + 1, 1) + zlib.compress(bytes(3 * LONGEST_SIDE + 3)),
        HEAD + struct.pack("<II", 2, 2) + zlib.compress(bytes(100_000_000)),
    ],
)
def test_a_damaged_file_is_refused(data: bytes) -> None:
    with pytest.raises(UserError, match="damaged"):
        unpack_pixels(data)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\.pixels is missing"):
        read_pixels(tmp_path / "a.pixels")


@pytest.mark.parametrize(
    ("width", "height", "count"), [(0, 1, 0), (1, LONGEST_SIDE + 1, 3 * LONGEST_SIDE + 3), (2, 2, 11)]
)
def test_impossible_pixels_are_a_bug(width: int, height: int, count: int) -> None:
    with pytest.raises(ValueError, match="pixels"):
        Pixels(width, height, bytes(count))
