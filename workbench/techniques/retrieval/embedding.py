"""Embedders: from texts to unit vectors whose dot products are cosines; and the queue in which they compute.

All embedding of the worker happens on one thread, in small batches, and a query goes before the next batch of an
ingest. torch is imported on that thread, so that work without vectors does not wait for it.
"""

from __future__ import annotations

import hashlib
import importlib
import itertools
import queue
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from workbench.base.errors import UserError
from workbench.base.files import open_regular, refuse_special_files
from workbench.text.language import is_unspaced

R = TypeVar("R")
Vectors = NDArray[np.float32]

BATCH_TEXTS = 16
BATCH_CHARACTERS = 5_000
"""Limits of an ingest batch: so many texts, and so many characters with padding. About 0.3 s on one core."""

TRY_ANOTHER_EVERY = 12
"""So many batches use the fastest known thread count before another one is tried."""

FLUENCY_TEXTS = 24
CHARACTERS_OF_A_WORD = 1.5
"""The mean length of a word in scripts without spaces."""
WORST_PIECES = 9
"""An unknown word counts like one that falls into so many pieces."""

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
        """The same for the same weights, wherever their folder is."""

    @property
    def tokenizer(self) -> Tokenizer: ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors: ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors: ...


class SentenceEmbedder:
    """A sentence-transformers model, from a folder; never from the network.

    It computes on a GPU where torch finds one. Raises UserError when the folder holds no such model.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / "modules.json").is_file():
            raise UserError(
                f"{folder} holds no sentence-transformers model: there is no modules.json in it.",
                "Choose another embedder on the Models page, or import this one again.",
            )
        from sentence_transformers import SentenceTransformer  # 7 s, torch with it

        for place in (folder, *folder.glob("*/")):
            refuse_special_files(place)
        try:
            self._model: Any = SentenceTransformer(str(folder), local_files_only=True, trust_remote_code=False)
            self.tokenizer = Tokenizer.from_str(self._model.tokenizer.backend_tokenizer.to_str())
        except Exception as error:  # whatever is wrong with the files, dozens of libraries may say it
            raise UserError(
                f"The embedder in {folder} cannot be loaded: {_first_line(error)}", "Import it again."
            ) from error
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        special = self.tokenizer.num_special_tokens_to_add(False)
        self.max_tokens: int = int(self._model.max_seq_length or 512) - special
        self.fingerprint = _fingerprint(folder)
        self._torch: Any = importlib.import_module("torch")
        self._threads = ThreadChoice(int(self._torch.get_num_threads()))
        self.dimensions: int = int(self._model.encode_query(["dimensions"]).shape[1])

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        threads = self._threads.choose()
        self._torch.set_num_threads(threads)
        began = time.perf_counter()
        vectors = self._vectors(self._model.encode_document, texts)
        self._threads.note(threads, sum(map(len, texts)) / (time.perf_counter() - began))
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        self._torch.set_num_threads(self._threads.fewest)
        return self._vectors(self._model.encode_query, texts)

    def _vectors(self, encode: Callable[..., Any], texts: Sequence[str]) -> Vectors:
        found = encode(list(texts), batch_size=max(1, len(texts)), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(found, dtype=np.float32)


class ThreadChoice:
    """The number of threads per batch: the one that has lately been the fastest.

    Beside other computations torch's threads wait for each other: on two busy cores, two threads embed a third as many
    texts as one, and a question takes 80 ms instead of 15; on two idle cores they embed twice as many. So when the chat
    model begins to compute, it has a core to itself a batch or two later.
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
        """``rate``: characters per second of a batch."""
        self._rates[threads] = 0.5 * self._rates.get(threads, rate) + 0.5 * rate


class Urgency(IntEnum):
    """Priority: a waiting person before an ingest."""

    WAITING = 0
    INGEST = 1


class EmbeddingQueue:
    """One thread for all embedding, the most urgent first. Thread-safe.

    ``load`` makes the embedder of a folder; the last one is kept.
    """

    def __init__(self, load: Callable[[Path], Embedder] = SentenceEmbedder) -> None:
        self._load = load
        self._loaded: tuple[Path, Embedder] | None = None
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

    def embed_queries(self, folder: Path, texts: Sequence[str]) -> Vectors:
        return self._do(Urgency.WAITING, lambda: self._get(folder).embed_queries(texts))

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
            self._loaded = None  # two models together would need twice the memory
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
    size = embedder.tokenizer.get_vocab_size()
    for wrong in (token for one in given if not isinstance(one, str) for token in one if not 0 <= token < size):
        raise UserError(
            f"The embedder has no token {wrong}: its token ids are 0 to {size - 1}.",
            "Send the texts themselves; the tokens of another model's vocabulary mean something else.",
        )
    texts = [one if isinstance(one, str) else embedder.tokenizer.decode(list(one)) for one in given]
    most = embedder.max_tokens + embedder.tokenizer.num_special_tokens_to_add(False)
    return tuple(texts), tuple(min(len(one.ids), most) for one in embedder.tokenizer.encode_batch(texts))


def measure_fluency(tokenizer: Tokenizer, texts: Sequence[str]) -> float:
    """How well an embedder's vocabulary knows the words of some texts: 1 as whole words, towards 0 in fragments.

    The number of words over the number of their tokens: an English model takes English words whole (0.9), German ones
    in halves (0.45), and has no tokens at all for most Chinese characters (0.1). Vectors of words that it was not
    trained on are unreliable, and fusion gives them less weight.
    """
    words = [
        word
        for text in texts[:: max(1, len(texts) // FLUENCY_TEXTS)][:FLUENCY_TEXTS]
        for word in _ALPHABETIC.findall(text)
    ]
    if not words:
        return 1.0
    unknown = tokenizer.model.unk_token if hasattr(tokenizer.model, "unk_token") else None
    expected = pieces = 0.0
    for word, encoded in zip(words, tokenizer.encode_batch(words, add_special_tokens=False), strict=True):
        expected += max(1.0, len(word) / CHARACTERS_OF_A_WORD) if is_unspaced(word) else 1.0
        tokens = encoded.tokens
        pieces += sum(WORST_PIECES if token == unknown else 1 for token in tokens)
    return min(1.0, expected / max(1.0, pieces))


def _fingerprint(folder: Path) -> str:
    """A hash of the small files whole, and of the ends and size of the big ones."""
    digest = hashlib.sha256()
    for file in sorted(p for p in folder.rglob("*") if p.suffix in (".json", ".txt", ".model", ".safetensors", ".bin")):
        size = file.stat().st_size
        digest.update(f"{file.relative_to(folder).as_posix()} {size}\n".encode())
        with open_regular(file) as opened:
            digest.update(opened.read(1 << 20))
            if size > 1 << 20:
                opened.seek(-(1 << 20), 2)
                digest.update(opened.read())
    return digest.hexdigest()[:32]


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
