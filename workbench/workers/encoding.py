"""Embedding and reranking models in the inference worker: one stays loaded, beside the chat model."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from workbench.api.events import Event, Progress
from workbench.api.protocol import RequestContext, finish
from workbench.engine.encoding import Encoder, open_encoder
from workbench.engine.inference_calls import Embed, Embedded, Rank, Ranked
from workbench.engine.machine import read_machine

CHUNK_TEXTS, CHUNK_CHARACTERS = 64, 8_000
"""Cancellation is checked after so many texts, and after texts of so many characters (tokens for token ids)."""

_LOOK_S = 0.05
T = TypeVar("T", bound=str | tuple[int, ...])


class Encoding:
    """The handlers, and the encoder that they share. One request computes at a time; the others wait."""

    def __init__(self) -> None:
        self._turn = threading.Lock()  # guards what follows
        self._encoder: Encoder | None = None
        self._file: tuple[str, int, int] | None = None

    def embed(self, call: Embed, context: RequestContext) -> Iterator[Event]:
        with self._encoder_of(call.path, context) as encoder:
            vectors: list[tuple[float, ...]] = []
            tokens = 0
            for texts in _chunks(call.texts):
                context.raise_if_cancelled()
                found, read = encoder.embed(texts)
                tokens += read
                vectors += [tuple(float(value) for value in vector) for vector in found]
                yield Progress(stage="embedding", done=len(vectors), total=len(call.texts))
        yield finish(Embedded(vectors=tuple(vectors), tokens=tokens))

    def rank(self, call: Rank, context: RequestContext) -> Iterator[Event]:
        with self._encoder_of(call.path, context) as encoder:
            scores: list[float] = []
            tokens = 0
            for documents in _chunks(call.documents):
                context.raise_if_cancelled()
                found, read = encoder.rank(call.query, documents)
                tokens += read
                scores += found
                yield Progress(stage="ranking", done=len(scores), total=len(call.documents))
        yield finish(Ranked(scores=tuple(scores), tokens=tokens))

    @contextmanager
    def _encoder_of(self, path: str, context: RequestContext) -> Iterator[Encoder]:
        """The encoder of a file in its present state, in place of another one; no other request uses it meanwhile."""
        while not self._turn.acquire(timeout=_LOOK_S):
            context.raise_if_cancelled()
        try:
            yield self._open(Path(path))
        finally:
            self._turn.release()

    def _open(self, path: Path) -> Encoder:
        stat = path.stat() if path.is_file() else None
        file = (str(path), stat.st_mtime_ns, stat.st_size) if stat else None
        if self._encoder is not None and file is not None and file == self._file:
            return self._encoder
        if self._encoder is not None:
            self._encoder.close()
        self._encoder = self._file = None
        self._encoder = open_encoder(path, read_machine(path.parent).cores)
        self._file = file
        return self._encoder


def _chunks(texts: Sequence[T]) -> Iterator[Sequence[T]]:
    """The texts in their order, a few at a time; one chunk without texts where there are none."""
    begin = size = 0
    for place, text in enumerate(texts):
        if place > begin and (place - begin == CHUNK_TEXTS or size + len(text) > CHUNK_CHARACTERS):
            yield texts[begin:place]
            begin, size = place, 0
        size += len(text)
    yield texts[begin:]
