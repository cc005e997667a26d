"""Image files as a stranger might send them: cut off, changed, lying about their sizes, or no images at all."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator

from tests.projectors import draw_pictures, encoded

FORMS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


def hostile_images() -> Iterator[tuple[str, bytes]]:
    """60 files with their names."""
    chance = random.Random(5)
    sound = {form: encoded(draw_pictures()[4], form) for form in FORMS}
    for form, data in sound.items():
        yield f"{form} cut after its first bytes", data[:12]
        yield f"{form} cut in the middle", data[: len(data) // 2]
        yield f"{form} without its end", data[:-7]
        yield f"{form} with noise for its content", data[:40] + chance.randbytes(len(data))
        for times in (1, 20):
            changed = bytearray(data)
            for _ in range(times):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
            yield f"{form} with {times} changed bytes", bytes(changed)
        yield f"{form} after 2 MB of nothing", bytes(2_000_000) + data
        yield f"{form} many times over", data * 40
    for side in (0, 65_500, 2**31 - 1, 2**32 - 1):
        yield f"a PNG that claims {side} x {side}", png_claiming(side, side)
        yield f"a PNG that claims {side} x 1", png_claiming(side, 1)
    yield "a PNG whose pixels unpack to 1 GB", png_claiming(20_000, 5_000, zlib.compress(bytes(200_000_000)))
    yield "a BMP that claims to be huge", bmp_claiming(2**31 - 1, 2**31 - 1)
    yield "a BMP of negative height", bmp_claiming(4, -(2**31))
    yield "a GIF of the largest screen", gif_claiming(65_535, 65_535)
    yield "a TIFF", encoded(draw_pictures()[4], "TIFF")
    yield "an SVG", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    yield "PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file\n"
    yield "a PDF", b"%PDF-1.7\n1 0 obj <<>> endobj\n"
    yield "a program", b"\x7fELF" + chance.randbytes(400)
    yield "noise", chance.randbytes(5_000)
    yield "one byte", b"\x89"
    yield "a PNG with an endless comment", png_with_text(60_000_000)


def png_claiming(width: int, height: int, pixels: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = pixels or zlib.compress(bytes(1_000))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", content) + _chunk(b"IEND", b"")


def png_with_text(length: int) -> bytes:
    header = struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)
    text = b"Comment\0\0" + zlib.compress(bytes(length))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"zTXt", text) + _chunk(b"IEND", b"")


def bmp_claiming(width: int, height: int) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 48, 0, 0, 54) + info + bytes(48)


def gif_claiming(width: int, height: int) -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return screen + b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x4c\x01\x00;"


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
