"""Images in requests to an endpoint: ``image_url`` parts of chat completions, with their content as data URIs."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.base.pixels import Pixels, png_of, read_pixels, reduced
from workbench.records.messages import ImagePart, Message

LONGEST_SENT = 1_536
"""Pixels on the longer side; services make larger images smaller themselves."""
PIXELS_PER_TOKEN = 750
"""By which the tokens of an image are estimated, on the high side: services count 600 to 1,400 pixels a token."""


def content_of(message: Message, path_of: Callable[[ImagePart], str]) -> str | list[dict[str, Any]]:
    """The content of a message as chat completions have it. Raises UserError where an image's pixels are missing or
    damaged."""
    if not message.images:
        return message.content
    images = [
        {"type": "image_url", "image_url": {"url": data_url(reduced(read_pixels(Path(path_of(one))), LONGEST_SENT))}}
        for one in message.images
    ]
    return [*images, {"type": "text", "text": message.content}]


def data_url(pixels: Pixels) -> str:
    """An image as a PNG file in an address."""
    return f"data:image/png;base64,{base64.b64encode(png_of(pixels)).decode()}"


def image_tokens(message: Message) -> int:
    """The tokens that the images of a message take, estimated."""
    return sum(
        1
        + min(one.width or LONGEST_SENT, LONGEST_SENT)
        * min(one.height or LONGEST_SENT, LONGEST_SENT)
        // PIXELS_PER_TOKEN
        for one in message.images
    )
