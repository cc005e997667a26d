"""Images for a vision model: a stranger's image file becomes plain pixels. Runs in the reader process only."""

from __future__ import annotations

from PIL import Image, ImageOps

from workbench.base.pixels import LONGEST_SIDE, Pixels
from workbench.reading.pictures import check_size, on_white, opened, scaled
from workbench.reading.reader_calls import DecodedImage

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")

SHORTEST_SIDE, LONGEST_RATIO = 32, 50
"""A smaller or longer image gets white beside it: image encoders cut images into squares of some 16 pixels, and fail
where nothing is left of a side."""


SMALL_SIDE = 320
"""Pixels on the longer side of the copy that lists show."""


def decode_image(data: bytes) -> tuple[Pixels, Pixels, DecodedImage]:
    """The first frame of an image, upright, on white, with at most ``LONGEST_SIDE`` pixels on a side; the same with
    ``SMALL_SIDE``; and what its file says. Raises UserError when it is no image of these formats, is damaged, or has
    too many pixels."""
    with opened(data, FORMATS) as image:
        check_size(image)
        image.load()
        media_type = Image.MIME.get(image.format or "", "")
        shown = on_white(ImageOps.exif_transpose(image))
    decoded = DecodedImage(width=shown.width, height=shown.height, media_type=media_type)
    shown = scaled(shown, min(1.0, LONGEST_SIDE / max(shown.size)))
    least = max(SHORTEST_SIDE, -(-max(shown.size) // LONGEST_RATIO))
    size = max(shown.width, least), max(shown.height, least)
    if size != shown.size:
        paper = Image.new("RGB", size, "white")
        paper.paste(shown, ((size[0] - shown.width) // 2, (size[1] - shown.height) // 2))
        shown = paper
    return _pixels(shown), _pixels(scaled(shown, min(1.0, SMALL_SIDE / max(shown.size)))), decoded


def _pixels(image: Image.Image) -> Pixels:
    return Pixels(image.width, image.height, image.tobytes())
