"""Documents that were read and split ahead of the embedding: a queue that holds a bounded amount of text."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

import msgspec

from workbench.base import errors
from workbench.base.catalogue import Shown
from workbench.reading.reader_calls import ReadDocument
from workbench.records.documents import Chunk
from workbench.techniques.retrieval.file_scan import FoundFile

AHEAD_DOCUMENTS = 64
AHEAD_CHARACTERS = 4_000_000
"""Maximum that is read ahead of the embedding."""


class Prepared(msgspec.Struct, frozen=True):
    """The result of reading a file ahead: a document with its chunks, or the reason why there is none. ``same``: its
    bytes are those of the last reading; ``locked``: it needs a password."""

    file: FoundFile
    document: ReadDocument | None = None
    chunks: Sequence[Chunk] = ()
    reason: Shown = ""
    same: bool = False
    locked: bool = False


class ChunkQueue:
    """The queue between the reading and the embedding thread: holds a bounded amount of text."""

    def __init__(self) -> None:
        self._items: deque[Prepared] = deque()
        self._characters = 0
        self._changed = threading.Condition()
        self._finished = False
        self._error: BaseException | None = None
        self.closed = False

    def put(self, item: Prepared) -> None:
        """Waits while the queue is full. Raises errors.Cancelled when nothing will be taken any more."""
        with self._changed:
            while not self.closed and self._items and not self._has_room():
                self._changed.wait()
            if self.closed:
                raise errors.Cancelled
            self._items.append(item)
            self._characters += _characters(item)
            self._changed.notify_all()

    def take(self, chunks: int, wait_s: float) -> list[Prepared] | None:
        """The queued items, at least one and up to so many chunks; none at the end. None when none came in time.

        Raises the exception that ended the reading early.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._items or self._finished, wait_s):
                return None
            taken: list[Prepared] = []
            total = 0
            while self._items and total < chunks:
                taken.append(self._items.popleft())
                self._characters -= _characters(taken[-1])
                total += len(taken[-1].chunks)
            self._changed.notify_all()
            if not taken and self._error is not None:
                raise self._error
            return taken

    def wait_until_full(self, wait_s: float) -> list[Prepared] | None:
        """All items, which stay in the queue, once it is full or nothing more will come; None when that is not so yet.

        Raises the exception that ended the reading early.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._finished or not self._has_room(), wait_s):
                return None
            if self._error is not None:
                raise self._error
            return list(self._items)

    def finish(self, error: BaseException | None = None) -> None:
        with self._changed:
            self._finished, self._error = True, error
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def _has_room(self) -> bool:
        return len(self._items) < AHEAD_DOCUMENTS and self._characters < AHEAD_CHARACTERS


def _characters(item: Prepared) -> int:
    return len(item.document.text) if item.document is not None else 0
