"""Pictures as documents: PNG, JPEG, WebP, and the pages of TIFF files. Their text is recognised, they have no other.

Pillow decodes them, told by their content which of these formats they are. Runs in the reader process only.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from workbench.base.errors import UserError
from workbench.reading.content import signature_of
from workbench.reading.extract import PAGE_BREAK, Extracted
from workbench.records.documents import PagePicture

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF")
MOST_PIXELS = 120_000_000
"""Of one page: those of the largest cameras, decoded in 360 MB."""
MOST_PAGES = 2_000
LARGEST_DRAWN = 24_000_000
"""Pixels of a drawn page; a larger one is drawn smaller."""
POINTS_WIDE = 595.0
"""The width at which a picture is shown at the scale 1: that of A4, as dots per inch are seldom right."""
LEAST_SIDE = 1_000
"""A smaller picture is enlarged for recognition, up to ``MOST_ENLARGED`` times."""
MOST_ENLARGED = 3.0


def read_picture(data: bytes) -> Extracted:
    """No text yet; all pages in ``scanned``. Raises UserError when it is no picture of these formats, is damaged, or
    has too many pixels or pages."""
    with opened(data) as image:
        pages = int(getattr(image, "n_frames", 1)) if image.format == "TIFF" else 1
        if pages > MOST_PAGES:
            raise UserError(f"The picture has {pages:,} pages; the limit is {MOST_PAGES:,}.", "Split it.")
        check_size(image)
    starts = tuple(number * len(PAGE_BREAK) for number in range(pages))
    return Extracted(PAGE_BREAK * (pages - 1), page_starts=starts, scanned=tuple(range(1, pages + 1)))


def draw_for_recognition(data: bytes, number: int, longest_side: int) -> Any:
    """The pixels of page ``number`` (from 1), of the shape (height, width, 3), blue first, with at most so many on a
    side. Raises UserError when there is no such page or it cannot be decoded."""
    with _page(data, number) as page:
        scale = min(longest_side / max(page.size), max(1.0, min(MOST_ENLARGED, LEAST_SIDE / max(page.size))))
        return np.asarray(scaled(page, scale))[:, :, ::-1].copy()


def draw_picture(data: bytes, number: int, scale: float) -> PagePicture:
    """Page ``number`` (from 1) as a PNG, ``POINTS_WIDE`` wide at the scale 1. Raises UserError when there is no such
    page or it cannot be decoded."""
    with _page(data, number) as page:
        width, height = page.size
        factor = min(scale * POINTS_WIDE / width, (LARGEST_DRAWN / (width * height)) ** 0.5)
        drawn = scaled(page, factor)
        png = io.BytesIO()
        drawn.save(png, "PNG", compress_level=4)
    with opened(data) as image:
        pages = int(getattr(image, "n_frames", 1)) if image.format == "TIFF" else 1
    return PagePicture(png=png.getvalue(), width=drawn.width, height=drawn.height, page=number, pages=pages)


@contextmanager
def opened(data: bytes | BinaryIO, formats: tuple[str, ...] = FORMATS) -> Iterator[Image.Image]:
    """The picture in a file's content, or in an open file, in one of these formats. Raises UserError when it is none,
    or is damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes, which are checked here, and of broken metadata
            with Image.open(io.BytesIO(data) if isinstance(data, bytes) else data, formats=formats) as image:
                yield image
    except UserError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except UnidentifiedImageError as error:
        meaning = signature_of(data) if isinstance(data, bytes) else None
        if meaning is None or "picture" in meaning:
            raise UserError("The file is damaged or not a picture.", "Copy it again.") from error
        raise UserError(
            f"The file is not a picture but {meaning}.", "Rename it with the extension of its type."
        ) from error
    except (OSError, SyntaxError, ValueError, KeyError, IndexError, TypeError, EOFError, OverflowError) as error:
        raise UserError(
            "The picture is damaged or incomplete: it cannot be decoded.", "Copy it again, or save it anew."
        ) from error


@contextmanager
def _page(data: bytes, number: int) -> Iterator[Image.Image]:
    """A page, upright and in colours on white."""
    with opened(data) as image:
        if number > 1:
            try:
                image.seek(number - 1)
            except EOFError as error:
                raise UserError(f"The picture has no page {number}.") from error
        check_size(image)
        image.load()
        upright = ImageOps.exif_transpose(image) if image.format != "TIFF" else image
        yield on_white(upright)


def check_size(image: Image.Image) -> None:
    """Raises UserError for a picture of too many pixels; nothing is decoded yet."""
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise _too_large(width, height)


def _too_large(width: int = 0, height: int = 0) -> UserError:
    size = f"{width:,} x {height:,}" if width else "far too many"
    return UserError(f"The picture has {size} pixels; the limit is {MOST_PIXELS:,}.", "Save a smaller copy.")


def on_white(image: Image.Image) -> Image.Image:
    """The picture in colours, on white where it is transparent."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):  # of 16 bits and more
        values = np.asarray(image, dtype=np.float32)
        low, high = float(values.min()), float(values.max())
        return Image.fromarray(((values - low) * (255 / max(1.0, high - low))).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        clear = image.convert("RGBA")
        paper = Image.new("RGB", clear.size, "white")
        paper.paste(clear, mask=clear.getchannel("A"))
        return paper
    return image.convert("RGB")


def scaled(page: Image.Image, factor: float) -> Image.Image:
    """The picture with so many times the pixels on each side."""
    size = max(1, round(page.width * factor)), max(1, round(page.height * factor))
    way = Image.Resampling.BOX if factor < 0.5 else Image.Resampling.BICUBIC
    return page.resize(size, way) if size != page.size else page
