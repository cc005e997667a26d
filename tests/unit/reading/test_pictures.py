"""Pictures as documents: their pages, their pixels, and files that are no pictures or are made to do harm."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from workbench.base.errors import UserError
from workbench.reading import ocr
from workbench.reading.page_pictures import draw_page
from workbench.reading.pictures import MOST_PIXELS, draw_for_recognition, draw_picture, read_picture
from workbench.reading.read import read_file
from workbench.reading.reader_calls import DrawDocumentPage, ReadLimits


def picture(kind: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (300, 200), **options: object) -> bytes:
    """White (clear, where there is transparency), with a black square at the top left."""
    image = Image.new(mode, size, 0 if mode in ("RGBA", "LA") else "white")
    ImageDraw.Draw(image).rectangle((0, 0, 99, 99), fill=(0, 255) if mode == "LA" else "black")
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def enormous_png(width: int, height: int) -> bytes:
    """The head of a picture of this size, and nothing else of it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_picture_is_a_scanned_page(kind: str) -> None:
    read = read_picture(picture(kind))
    assert (read.text, read.page_starts, read.scanned) == ("", (0,), (1,))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "L", "P", "1", "I;16"])
def test_pixels_are_black_on_white_in_every_mode(mode: str) -> None:
    if mode == "I;16":
        file = io.BytesIO()
        values = np.full((200, 300), 40_000, dtype=np.uint16)
        values[:100, :100] = 500
        Image.fromarray(values).save(file, "PNG")
        data = file.getvalue()
    elif mode == "P":
        file = io.BytesIO()
        Image.open(io.BytesIO(picture())).convert("P").save(file, "PNG")
        data = file.getvalue()
    else:
        data = picture(mode=mode)
    pixels = draw_for_recognition(data, 1, 300)
    assert pixels.shape == (200, 300, 3)
    assert pixels[20, 20].max() < 30
    assert pixels[150, 250].min() > 225


def test_a_photograph_stands_upright_as_its_camera_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned to the right by 90 degrees to be upright
    pixels = draw_for_recognition(picture("JPEG", exif=exif, quality=95), 1, 300)
    assert pixels.shape[:2] == (300, 200)
    assert pixels[20, 180].max() < 30


def test_large_pictures_are_made_smaller_and_small_ones_larger() -> None:
    assert draw_for_recognition(picture(size=(4000, 2000)), 1, 2000).shape == (1000, 2000, 3)
    assert draw_for_recognition(picture(size=(200, 100)), 1, 2000).shape == (300, 600, 3)


def test_each_page_of_a_tiff_is_a_page() -> None:
    first, second = Image.new("L", (200, 100), "white"), Image.new("L", (100, 200), "black")
    file = io.BytesIO()
    first.save(file, "TIFF", save_all=True, append_images=[second])
    read = read_picture(file.getvalue())
    assert (read.scanned, read.page_starts) == ((1, 2), (0, 2))
    drawn = draw_picture(file.getvalue(), 2, 1.0)
    assert (drawn.page, drawn.pages, drawn.width, drawn.height) == (2, 2, 595, 1190)
    with pytest.raises(UserError, match="no page 3"):
        draw_picture(file.getvalue(), 3, 1.0)


def test_a_picture_is_drawn_at_its_scale(tmp_path: Path) -> None:
    drawn = draw_page(picture(), DrawDocumentPage(path="/a/photo.PNG", page=1, scale=0.5))
    assert (drawn.width, drawn.height, drawn.pages, drawn.boxes) == (298, 198, 1, ())
    assert Image.open(io.BytesIO(drawn.png)).size == (298, 198)
    with pytest.raises(UserError, match="cannot be drawn"):
        draw_page(b"words", DrawDocumentPage(path="/a/words.txt", page=1, scale=1.0))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (enormous_png(60_000, 60_000), "pixels; the limit is"),
        (enormous_png(MOST_PIXELS // 1_000 + 1, 1_000), f"the limit is {MOST_PIXELS:,}"),
        (picture()[:-60], "damaged or incomplete"),
        (picture("JPEG")[:400], "damaged or incomplete|cannot be decoded"),
        (picture("TIFF")[:80], "damaged"),
        (b"%PDF-1.7 and so on", "not a picture but a PDF"),
        (b"words", "damaged or not a picture"),
        (b"GIF89a" + bytes(50), "damaged or not a picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "damaged|not a picture"),
    ],
)
def test_what_cannot_be_decoded_has_its_reason(data: bytes, reason: str) -> None:
    def decode() -> None:
        read_picture(data)
        draw_for_recognition(data, 1, 300)

    with pytest.raises(UserError, match=reason):
        decode()


def test_without_recognition_what_to_do_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(picture())
    with pytest.raises(UserError, match="switched off"):
        read_file(path, ReadLimits(recognise=False))
    monkeypatch.setattr(ocr, "recognisers", tuple)
    with pytest.raises(UserError, match="is a picture, and text recognition") as told:
        read_file(path, ReadLimits())
    assert "Install Tesseract" in told.value.hint
