"""Image files as plain pixels: the formats, what is upright and on white, and how large they become."""

from __future__ import annotations

import pytest
from PIL import Image

from tests.projectors import draw_pictures, encoded
from workbench.base.errors import UserError
from workbench.base.pixels import LONGEST_SIDE
from workbench.reading.images import LONGEST_RATIO, SHORTEST_SIDE, SMALL_SIDE, decode_image


@pytest.mark.parametrize("form", ["PNG", "BMP", "GIF", "JPEG", "WEBP"])
def test_each_format_is_read(form: str) -> None:
    picture = draw_pictures()[3]
    options = {"lossless": True} if form == "WEBP" else {}
    pixels, small, decoded = decode_image(encoded(picture, form, **options))
    assert (pixels.width, pixels.height) == picture.size == (decoded.width, decoded.height)
    assert (small.width, small.height) == picture.size
    assert decoded.media_type == f"image/{form.lower()}"
    if form in ("PNG", "BMP", "WEBP"):
        assert pixels.rgb == picture.tobytes()


def test_the_first_frame_of_a_moving_picture_is_taken() -> None:
    red, blue = (Image.new("RGB", (40, 40), colour) for colour in ("red", "blue"))
    pixels, _, _ = decode_image(encoded(red, "GIF", save_all=True, append_images=[blue]))
    assert pixels.rgb[:3] == b"\xff\x00\x00"


def test_it_is_upright_and_on_white() -> None:
    wide = Image.new("RGB", (60, 40), "green")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    pixels, _, _ = decode_image(encoded(wide, "JPEG", exif=exif))
    assert (pixels.width, pixels.height) == (40, 60)
    clear, _, _ = decode_image(encoded(Image.new("RGBA", (40, 40), (0, 0, 0, 0))))
    assert set(clear.rgb) == {255}


def test_a_large_image_becomes_smaller_and_a_thin_one_gets_white_beside_it() -> None:
    large, small, decoded = decode_image(encoded(Image.new("RGB", (4_000, 1_000), "red")))
    assert (large.width, large.height) == (LONGEST_SIDE, LONGEST_SIDE // 4)
    assert (small.width, small.height) == (SMALL_SIDE, SMALL_SIDE // 4)
    assert (decoded.width, decoded.height) == (4_000, 1_000)
    for size in ((1, 1), (2_000, 1), (1, 2_000)):
        pixels, _, _ = decode_image(encoded(Image.new("RGB", size, "red")))
        assert min(pixels.width, pixels.height) >= SHORTEST_SIDE
        assert max(pixels.width, pixels.height) <= LONGEST_RATIO * min(pixels.width, pixels.height)
        assert b"\xff\x00\x00" in pixels.rgb


@pytest.mark.parametrize(
    "data", [b"", b"no image", encoded(draw_pictures()[0], "TIFF"), encoded(draw_pictures()[0])[:90]]
)
def test_what_is_no_image_of_these_formats_is_refused(data: bytes) -> None:
    with pytest.raises(UserError):
        decode_image(data)
