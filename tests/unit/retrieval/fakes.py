"""An embedder and a reader that cost nothing, for tests of what stands on them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers

from workbench.base.errors import UserError
from workbench.reading.kinds import kind_of
from workbench.reading.reader_calls import ReadDocument, ReadLimits
from workbench.reading.unlocking import FileLocked
from workbench.techniques.retrieval.cross_encoder import Reader
from workbench.techniques.retrieval.embedding import Vectors
from workbench.techniques.retrieval.json_tokens import JsonTokens

DIMENSIONS = 64


def word_tokenizer(words: Sequence[str] = ()) -> Tokenizer:
    """One token a word; ``words`` are those it knows."""
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys(["[UNK]", *words]))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def word_tokens(words: Sequence[str] = ()) -> JsonTokens:
    return JsonTokens(word_tokenizer(words))


class FakeEmbedder:
    """Texts that share words are near each other. Words in ``meanings`` count as the word they map to."""

    dimensions = DIMENSIONS
    max_tokens = 40
    closed = False
    unrelated = 0.0

    def __init__(self, meanings: dict[str, str] | None = None, fingerprint: str = "fake") -> None:
        self.fingerprint = fingerprint
        self.meanings = meanings or {}
        self.tokens = word_tokens()
        self.batches: list[list[str]] = []
        self.before_batch: Callable[[], None] = lambda: None

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.before_batch()
        self.batches.append(list(texts))
        return self._embed(texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._embed(texts)

    has_loras = False

    def embed_searches(self, texts: Sequence[str], plain: Vectors) -> Vectors:
        return plain

    def cross_encode(
        self, question: str, passages: Sequence[Sequence[str]], reader: Reader = "sentences"
    ) -> tuple[tuple[float, ...], ...]:
        return ()

    def close(self) -> None:
        self.closed = True

    def _embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.full((len(texts), DIMENSIONS), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                known = self.meanings.get(word, word)
                vectors[row, int.from_bytes(hashlib.sha256(known.encode()).digest()[:4]) % DIMENSIONS] += 1.0
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


class TextReader:
    """Reads UTF-8 files in this process; one that begins with "BAD" fails with the rest of it as the reason, one that
    begins with "LOCKED" needs the password "open". A form feed begins a page. ``read_paths`` keeps what was read;
    ``before`` runs before each.
    """

    def __init__(self) -> None:
        self.read_paths: list[str] = []
        self.before: Callable[[Path], None] = lambda path: None

    def read(
        self,
        path: Path,
        limits: ReadLimits,
        cancelled: Callable[[], bool],
        *,
        password: str = "",
        report: Callable[[str], None] = lambda place: None,
    ) -> ReadDocument:
        self.before(path)
        self.read_paths.append(path.name)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UserError(f"It cannot be opened: {error.strerror}.") from error
        text = data.decode()
        if text.startswith("BAD"):
            raise UserError(text[3:].strip())
        if text.startswith("LOCKED") and password != "open":
            raise FileLocked(password)
        pages = [0, *(m.end() for m in re.finditer("\f", text))]
        return ReadDocument(
            path=str(path),
            kind=kind_of(path) or "text",
            title=path.stem,
            text=text,
            hash=hashlib.sha256(data).hexdigest(),
            bytes=len(data),
            page_starts=tuple(pages) if len(pages) > 1 else (),
            warnings=("Page 2 could not be read.",) if "TORN" in text else (),
        )
