"""Embedders: from texts to unit vectors whose dot products are cosines; and the queue in which they compute.

All embedding of the worker happens on one thread, in small batches, and a query goes before the next batch of an
ingest. An embedder is loaded on that thread, so that work without vectors does not wait for it.
"""

from __future__ import annotations

import itertools
import queue
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future
from enum import IntEnum
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from workbench.base.errors import UserError
from workbench.techniques.retrieval.cross_encoder import Reader
from workbench.techniques.retrieval.tokens import Tokens
from workbench.text.language import is_unspaced

R = TypeVar("R")
Vectors = NDArray[np.float32]

BATCH_TEXTS = 16
BATCH_CHARACTERS = 5_000
"""Limits of an ingest batch: so many texts, and so many characters with padding. About 0.3 s on one core."""

TRY_ANOTHER_EVERY = 12
"""So many batches use the fastest known thread count before another one is tried."""

KEPT_QUERIES = 64
"""The vectors of so many queries are kept: the router embeds a question, and so does the search for it."""

FLUENCY_TEXTS = 24
CHARACTERS_OF_A_WORD = 1.5
"""The mean length of a word in scripts without spaces."""
WORST_PIECES = 9
"""An unknown word counts like one that falls into so many pieces."""

KNOWN_FLUENCY = 0.65
"""An embedder knows a language badly where ``measure_fluency`` of its texts is less on average: of all-MiniLM-L6-v2 it
is 0.88 in English, 0.60 in French, 0.55 in Spanish, 0.47 in German, 0.1 in Chinese."""
MULTILINGUAL_VOCABULARY = 100_000
"""Tokens of a vocabulary that was made for many languages. XLM-R has 250,037, BERT of one language 30,522."""

_ALPHABETIC = re.compile(r"[^\W\d_]+")


class Embedder(Protocol):
    """Turns texts into vectors of length 1: float32, shape (n_texts, dimensions). Used by one thread at a time."""

    @property
    def dimensions(self) -> int: ...

    @property
    def max_tokens(self) -> int:
        """How many tokens of a text are looked at; special tokens are not counted."""

    @property
    def fingerprint(self) -> str:
        """The same for the same weights, wherever their folder is and whatever computes them: vectors of different
        number formats are used together, as their cosine is at least 0.9999."""

    @property
    def unrelated(self) -> float:
        """The mean cosine of unrelated texts: 0.05 for all-MiniLM-L6-v2, 0.78 for multilingual-e5-small."""

    @property
    def tokens(self) -> Tokens:
        """May be used by any thread."""

    @property
    def has_loras(self) -> bool:
        """Whether there are weights for this embedder by which it reads questions (``shipped_lora``)."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors: ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors: ...

    def embed_searches(self, texts: Sequence[str], plain: Vectors) -> Vectors:
        """The vectors of questions that passages are searched with (``question_encoder``); ``plain``, those of
        ``embed_queries``, where there are no weights for this embedder."""

    def cross_encode(
        self, question: str, passages: Sequence[Sequence[str]], reader: Reader = "sentences"
    ) -> tuple[tuple[float, ...], ...]:
        """For each part of each passage the logarithm of the odds that it answers the question (``cross_encoder``); ()
        where there are no weights for this embedder. What stands above a passage goes before its parts."""

    def close(self) -> None:
        """Free its memory; it embeds no more."""


class ThreadChoice:
    """The number of threads per batch: the one that has lately been the fastest.

    Beside other computations the threads of torch, and those of llama.cpp, wait for each other: on two busy cores, two
    threads embed a third as many texts as one, and a question takes 80 ms instead of 15; on two idle cores they embed
    twice as many. So when the chat model begins to compute, it has a core to itself a batch or two later.
    """

    def __init__(self, cores: int) -> None:
        self._choices = sorted({max(1, cores // 4), max(1, cores // 2), cores})
        self._rates: dict[int, float] = {}
        self._batches = 0

    @property
    def fewest(self) -> int:
        """For a short text, which gains nothing from more threads."""
        return self._choices[0]

    def choose(self) -> int:
        """The fastest number; now and then another one, since the load of the machine changes."""
        self._batches += 1
        untried = [n for n in self._choices if n not in self._rates]
        if untried:
            return untried[0]
        if self._batches % TRY_ANOTHER_EVERY == 0:
            return self._choices[self._batches // TRY_ANOTHER_EVERY % len(self._choices)]
        return max(self._choices, key=lambda n: self._rates[n])

    def note(self, threads: int, rate: float) -> None:
        """``rate``: characters or tokens per second of a batch."""
        self._rates[threads] = 0.5 * self._rates.get(threads, rate) + 0.5 * rate


class Urgency(IntEnum):
    """Priority: a waiting person before an ingest."""

    WAITING = 0
    INGEST = 1


class EmbeddingQueue:
    """One thread for all embedding, the most urgent first. Thread-safe.

    ``load`` makes the embedder of a folder; the last one is kept.
    """

    def __init__(self, load: Callable[[Path], Embedder]) -> None:
        self._load = load
        self._loaded: tuple[Path, Embedder] | None = None
        self._queries: OrderedDict[tuple[Path, str, bool], Vectors] = OrderedDict()
        self._queries_lock = threading.Lock()
        self._numbers = itertools.count()
        self._work: queue.PriorityQueue[tuple[int, int, Callable[[], None]]] = queue.PriorityQueue()
        threading.Thread(target=self._run, name="embedding", daemon=True).start()

    def warm_up(self, action: Callable[[], object]) -> None:
        """Do slow work (an import) on the thread ahead of its first use. An exception is raised again at that use."""

        def quietly() -> None:
            try:
                action()
            except Exception:  # noqa: BLE001 - see above
                return

        self._work.put((Urgency.WAITING, next(self._numbers), quietly))

    def embedder(self, folder: Path) -> Embedder:
        """The embedder of a folder, loaded on first use. Raises UserError when it cannot be loaded."""
        loaded = self._loaded
        if loaded is not None and loaded[0] == folder:
            return loaded[1]
        return self._do(Urgency.WAITING, lambda: self._get(folder))

    def embed_query(self, folder: Path, text: str, *, search: bool = False) -> Vectors:
        """The vector of a query, of shape (dimensions,); with ``search`` that which passages are searched with. Those
        of the latest queries are kept."""
        key = folder, text, search
        with self._queries_lock:
            if key in self._queries:
                self._queries.move_to_end(key)
                return self._queries[key]
        if search:
            plain = self.embed_query(folder, text)[None]
            vector: Vectors = self._do(Urgency.WAITING, lambda: self._get(folder).embed_searches([text], plain))[0]
        else:
            vector = self._do(Urgency.WAITING, lambda: self._get(folder).embed_queries([text]))[0]
        with self._queries_lock:
            self._queries[key] = vector
            while len(self._queries) > KEPT_QUERIES:
                self._queries.popitem(last=False)
        return vector

    def cross_encode(
        self, folder: Path, question: str, passages: Sequence[Sequence[str]], reader: Reader = "sentences"
    ) -> tuple[tuple[float, ...], ...]:
        """See ``Embedder``."""
        return self._do(Urgency.WAITING, lambda: self._get(folder).cross_encode(question, passages, reader))

    def forget(self, texts: Collection[str]) -> None:
        """Drop the vectors that are kept of these queries."""
        with self._queries_lock:
            for key in [key for key in self._queries if key[1] in texts]:
                del self._queries[key]

    def embed_passages(self, folder: Path, texts: Sequence[str], urgency: Urgency = Urgency.INGEST) -> Vectors:
        """One batch: see ``batches`` for its size."""
        return self._do(urgency, lambda: self._get(folder).embed_passages(texts))

    def _do(self, urgency: Urgency, action: Callable[[], R]) -> R:
        done: Future[R] = Future()

        def work() -> None:
            try:
                done.set_result(action())
            except BaseException as error:  # noqa: BLE001 - belongs to whoever waits for the result
                done.set_exception(error)

        self._work.put((urgency, next(self._numbers), work))
        return done.result()

    def _get(self, folder: Path) -> Embedder:
        if self._loaded is None or self._loaded[0] != folder:
            if self._loaded is not None:  # two models together would need twice the memory
                loaded, self._loaded = self._loaded, None
                loaded[1].close()
            with self._queries_lock:
                self._queries.clear()  # a folder may hold another model when it is loaded again
            self._loaded = (folder, self._load(folder))
        return self._loaded[1]

    def _run(self) -> None:
        while True:
            _, _, work = self._work.get()
            work()


def batches(texts: Sequence[str]) -> list[list[int]]:
    """Indices of the texts in small batches of nearly equal length, so that padding costs little."""
    found: list[list[int]] = []
    batch: list[int] = []
    longest = 0
    for index in sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True):
        longest = max(longest, len(texts[index]))
        if batch and (len(batch) == BATCH_TEXTS or longest * (len(batch) + 1) > BATCH_CHARACTERS):
            found.append(batch)
            batch, longest = [], len(texts[index])
        batch.append(index)
    return [*found, batch] if batch else found


def read_texts(embedder: Embedder, given: Sequence[str | tuple[int, ...]]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The texts, of which some are given as token ids, and how many tokens of each the embedder looks at. Raises
    UserError for an id that its vocabulary does not have."""
    tokens = embedder.tokens
    for wrong in (token for one in given if not isinstance(one, str) for token in one if not 0 <= token < tokens.size):
        raise UserError(
            f"The embedder has no token {wrong}: its token ids are 0 to {tokens.size - 1}.",
            "Send the texts themselves; the tokens of another model's vocabulary mean something else.",
        )
    texts = [one if isinstance(one, str) else tokens.decode(one) for one in given]
    most = embedder.max_tokens + tokens.special
    return tuple(texts), tuple(len(tokens.ids(text, most)) for text in texts)


def measure_fluency(tokens: Tokens, texts: Sequence[str]) -> float:
    """How well an embedder's vocabulary knows the words of some texts: 1 as whole words, towards 0 in fragments.

    The number of words over the number of their tokens: an English model takes English words whole (0.9), German ones
    in halves (0.45), and has no tokens at all for most Chinese characters (0.1). Vectors of words that it was not
    trained on are unreliable, and fusion gives them less weight. It is 1 for the vocabulary of a hundred languages,
    which has the words of none of them whole.
    """
    if tokens.size >= MULTILINGUAL_VOCABULARY:
        return 1.0
    words = [
        word
        for text in texts[:: max(1, len(texts) // FLUENCY_TEXTS)][:FLUENCY_TEXTS]
        for word in _ALPHABETIC.findall(text)
    ]
    if not words:
        return 1.0
    expected = pieces = 0.0
    for word in words:
        expected += max(1.0, len(word) / CHARACTERS_OF_A_WORD) if is_unspaced(word) else 1.0
        pieces += sum(WORST_PIECES if token == tokens.unknown else 1 for token in tokens.plain_ids(word))
    return min(1.0, expected / max(1.0, pieces))


def unknown_languages(documents: Iterable[tuple[str, float]]) -> tuple[str, ...]:
    """The languages that an embedder knows badly, by the language ("": undecided) and fluency of each document."""
    by_language: dict[str, list[float]] = {}
    for language, fluency in documents:
        if language:
            by_language.setdefault(language, []).append(fluency)
    return tuple(sorted(code for code, of in by_language.items() if sum(of) / len(of) < KNOWN_FLUENCY))
