"""Images that are shown to a vision model."""

from __future__ import annotations

import msgspec

from workbench.api.protocol import Call
from workbench.records.messages import ImagePart

MOST_IMAGES = 8
"""Of one question."""


class ImagePixels(msgspec.Struct, frozen=True, kw_only=True):
    """Decoded pixels: three bytes for each, red, green and blue, row by row from the top."""

    width: int
    height: int
    rgb: bytes


class AddImage(Call[ImagePart], frozen=True, kw_only=True, tag="images.add"):
    """Keep an image, so that a question can show it: a file (absolute path), or its content. It is decoded in a process
    of its own. An image that no question shows is deleted after a day. Raises UserError when it is no image (PNG, JPEG,
    WebP, BMP, or the first frame of a GIF), or too large. A ``temporary`` one is for a chat that is not kept: it is
    stored in memory where the system has such files, and goes with that chat, or with the core. It is kept where a
    chat that is kept shows it."""

    path: str = ""
    data: bytes = b""
    name: str = ""
    temporary: bool = False


class GetImage(Call[ImagePixels], frozen=True, kw_only=True, tag="images.get"):
    """The pixels of a kept image, small ones for a list unless ``whole``. Raises UserError when it is not kept."""

    made_by = ("window", "It is drawn; the terminal names the file of an image.")

    sha256: str
    whole: bool = False
