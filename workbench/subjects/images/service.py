"""Keeps images for the questions that show them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.api.events import Event, Progress
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import UserError
from workbench.base.paths import absolute_path
from workbench.core.foundation import Foundation
from workbench.core.images import ImageStore
from workbench.core.streams import unary
from workbench.subjects.images.calls import AddImage, GetImage, ImagePixels
from workbench.subjects.subject import Subject


@dataclass(frozen=True, eq=False)
class Images:
    _store: ImageStore

    def add(self, call: AddImage, context: RequestContext) -> Iterator[Event]:
        if bool(call.path) == bool(call.data):
            raise UserError("An image is a file or its content.", "Give one of both.")
        yield Progress(stage="reading", detail="the image")
        kept, cancelled = not call.temporary, lambda: context.cancelled
        if call.path:
            path = absolute_path(call.path)
            yield finish(self._store.add(path, call.name or path.name, cancelled, kept=kept))
        else:
            yield finish(self._store.add_bytes(call.data, Path(call.name).name, cancelled, kept=kept))

    def get(self, call: GetImage) -> ImagePixels:
        pixels = self._store.pixels_of(call.sha256, whole=call.whole)
        return ImagePixels(width=pixels.width, height=pixels.height, rgb=pixels.rgb)


def wire(base: Foundation) -> Subject:
    """The subject of images."""
    store = base.images
    images = Images(store)
    return Subject(
        handlers={AddImage: images.add, GetImage: unary(images.get)},
        watches={"passing images": lambda context: store.delete_passing()},
        close=(store.close,),
    )
