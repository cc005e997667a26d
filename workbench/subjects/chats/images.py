"""The images that chats show: written with their exports, deleted with the last chat that shows them."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from dataclasses import dataclass

from workbench.api.protocol import RequestContext
from workbench.base.pixels import png_of, reduced
from workbench.core.images import UNUSED_S, ImageStore
from workbench.records.messages import ImagePart
from workbench.subjects.chats.exporting.transcript import Picture, PictureOf
from workbench.subjects.chats.store import ChatStore

LONGEST_EXPORTED = 1_024
"""Pixels on the longer side of an exported image: twice as many as are shown."""
MOST_WHOLE = 60
"""Images of one export with so many pixels: 200 MB in the worst case."""

UNASKED_S = 3_600.0
"""An image that was added for a chat that is not kept, and not asked about, is there so long."""
TIDY_S = 600.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class ChatImages:
    """Those of the chats in ``_store``, which are kept or not."""

    _store: ChatStore
    _images: ImageStore
    _kept: bool = True

    def pictures(self) -> PictureOf:
        """The images of one export; those after the first ``MOST_WHOLE`` are the small copies. Raises UserError for one
        that is not kept."""
        numbers = itertools.count()

        def picture_of(image: ImagePart) -> Picture:
            small = self._images.pixels_of(image.sha256, whole=False)
            shown = small
            if next(numbers) < MOST_WHOLE:
                shown = reduced(self._images.pixels_of(image.sha256, whole=True), LONGEST_EXPORTED)
            return Picture(image.name or "image", png_of(shown), shown.width, shown.height, png_of(small))

        return picture_of

    def delete_unused(self, once_shown: set[str], ended: float = 0.0) -> None:
        """Delete those of the images that no chat shows any more, nor one in the trash. With chats that are not kept go
        also the images that nothing shows and that were added before one of them ``ended`` (seconds since the epoch):
        for questions that were not asked."""
        if not self._kept:
            once_shown = once_shown | {sha256 for sha256, added in self._images.held().items() if added < ended}
        self._images.delete(once_shown - self._store.images_of(), kept=self._kept)

    def tidy_held(self, context: RequestContext) -> None:
        """Delete the images that were added for chats that are not kept and that none shows, an hour later."""
        leaving = threading.Event()
        context.when_cancelled(leaving.set)
        while not leaving.wait(TIDY_S):
            self.delete_unused(set(), time.time() - UNASKED_S)

    def tidy(self, context: RequestContext) -> None:
        """Delete the images that no chat shows, a day after they were added: questions that were not asked, and what a
        core that has died did not come to delete. An image whose messages cannot be read is kept."""
        if self._store.has_unreadable_parts():
            _log.warning("Unused images are kept, since the parts of a message cannot be read.")
            return
        kept = self._images.kept()
        shown, old = self._store.images_of(), time.time() - UNUSED_S
        self._images.delete(sha256 for sha256, added in kept.items() if added < old and sha256 not in shown)
