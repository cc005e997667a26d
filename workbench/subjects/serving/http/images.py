"""Images in requests of other programs: only those whose content is in the request itself. Nothing is fetched."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Any

from workbench.records.messages import ImagePart
from workbench.subjects.images.calls import MOST_IMAGES
from workbench.subjects.serving.http.errors import invalid

IMAGE_PARTS = ("image_url", "input_image")
"""The types of an image's part in chat completions and in responses."""
LARGEST_BYTES = 20_000_000

_DATA = re.compile(r"data:(image/[a-z0-9.+-]+);base64,", re.IGNORECASE)


def image_of(part: dict[str, Any], where: str, images: dict[str, bytes]) -> ImagePart:
    """The image of a message's part; its content is put into ``images`` by its SHA-256. Raises ApiError for an address,
    for what is no base64, and for too many or too large images."""
    url = part.get("image_url")
    if isinstance(url, dict):
        url = url.get("url")
    if not isinstance(url, str):
        raise invalid("An image has an image_url that is a text.", where)
    found = _DATA.match(url)
    if found is None:
        scheme = url.partition(":")[0][:20]
        raise invalid(
            f"The image_url begins with {scheme!r}. Images are not fetched: send the content as "
            "data:image/png;base64,...",
            where,
        )
    return _image(found[1].lower(), url[found.end() :], where, images)


def image_part(media_type: Any, data: Any) -> dict[str, Any]:
    """A part with the content of an image, as chat completions have it."""
    return {"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{data}"}}


def _image(media_type: str, content: str, where: str, images: dict[str, bytes]) -> ImagePart:
    if len(content) > LARGEST_BYTES * 4 // 3 + 4:
        raise invalid(f"An image has at most {LARGEST_BYTES // 10**6} MB.", where)
    try:
        data = base64.b64decode(content, validate=True)
    except (ValueError, binascii.Error):
        raise invalid("The content of the image is not valid base64.", where) from None
    if not data:
        raise invalid("The image is empty.", where)
    sha256 = hashlib.sha256(data).hexdigest()
    images[sha256] = data
    if len(images) > MOST_IMAGES:
        raise invalid(f"A request has at most {MOST_IMAGES} images.", where)
    return ImagePart(sha256=sha256, media_type=media_type)
