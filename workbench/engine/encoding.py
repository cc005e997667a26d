"""GGUF embedding and reranking models, on a context of their own.

They run on the processor, beside the chat model. Each computation is short, so that these threads and those of the
chat, which spin while they wait, do not delay each other for long.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.base.errors import UserError
from workbench.engine.batch import Batch
from workbench.engine.library import can_repack, llama, start_library
from workbench.engine.machine import read_machine
from workbench.engine.parameters import not_loaded
from workbench.engine.vocabulary import Vocabulary
from workbench.gguf.model import describe_gguf
from workbench.gguf.reader import read_pieces
from workbench.records.models import ModelDetails

LONGEST_TEXT = 4_096
"""Maximum tokens per text, also where a model was trained with more."""

BATCH_TOKENS = 512
"""Texts are batched up to so many tokens; a longer text has a batch of its own."""

BATCH_TEXTS = 32

_RANK, _MEAN, _NONE = llama.LLAMA_POOLING_TYPE_RANK, llama.LLAMA_POOLING_TYPE_MEAN, llama.LLAMA_POOLING_TYPE_NONE
_HEAD = "cls."  # llama.cpp's tensor names of a classification head
_SPARE_BYTES = 256 << 20
_OTHER_HINT = "Choose an embedding or a reranking model as GGUF."


def open_encoder(path: Path, threads: int) -> Encoder:
    """Load an embedding or reranking model. Raises UserError when the file is neither, or does not fit into memory."""
    details = describe_gguf(path)
    names = {tensor.name for piece in read_pieces(path) for tensor in piece.tensors}
    has_head = any(name.startswith(_HEAD) for name in names)
    if details.model.kind != "embedder" and not has_head:
        raise UserError(
            f"{details.model.name} is a text generation model, not an embedding or reranking model.", _OTHER_HINT
        )
    free = read_machine(path.parent).memory_free_bytes - _SPARE_BYTES
    if details.model.bytes > free:
        raise UserError(
            f"{details.model.name} needs {details.model.bytes / 1e9:.1f} GB; {max(0, free) / 1e9:.1f} GB are free.",
            "Choose a smaller model, or unload the chat model.",
        )
    log = start_library()
    log.forget_errors()
    parameters = llama.llama_model_default_params()
    parameters.n_gpu_layers = 0
    parameters.use_extra_bufts = can_repack()
    with contextlib.ExitStack() as undo:
        pointer = llama.llama_model_load_from_file(details.model.path.encode(), parameters)
        if not pointer:
            raise not_loaded(str(path), details.model.name, log)
        undo.callback(llama.llama_model_free, pointer)
        if llama.llama_model_has_encoder(pointer) and llama.llama_model_has_decoder(pointer):
            raise UserError(
                f"{details.model.name} is an encoder-decoder model, which translates text into text.", _OTHER_HINT
            )
        length = min(llama.llama_model_n_ctx_train(pointer) or BATCH_TOKENS, LONGEST_TEXT)
        context = _make_context(pointer, details, max(length, BATCH_TOKENS), threads, has_head)
        if not context:
            raise UserError(f"llama.cpp cannot run {details.model.name}: {_reason(log.errors())}", _OTHER_HINT)
        undo.callback(llama.llama_free, context)
        encoder = Encoder(pointer, context, details, length, has_head)
        undo.pop_all()
    return encoder


class Encoder:
    """A loaded embedding or reranking model. One call at a time.

    ``longest`` is the maximum number of tokens per text, special ones included; longer texts are truncated. ``ranks``
    is True for a reranking model.
    """

    def __init__(self, pointer: Any, context: Any, details: ModelDetails, longest: int, has_head: bool) -> None:
        self.name = details.model.name
        self.longest = longest
        self.ranks = has_head
        self._pointer, self._context = pointer, context
        self._memory = llama.llama_get_memory(context)
        self._vocabulary = Vocabulary(llama.llama_model_get_vocab(pointer))
        self._pooling: int = llama.llama_pooling_type(context)
        self._batch = Batch(max(longest, BATCH_TOKENS))
        words = self._vocabulary.pointer
        self._is_wordpiece = llama.llama_vocab_type(words) == llama.LLAMA_VOCAB_TYPE_WPM
        self._ends = bool(
            self._is_wordpiece or llama.llama_vocab_get_add_eos(words) or llama.llama_vocab_get_add_sep(words)
        )

    def embed(self, texts: Sequence[str | Sequence[int]]) -> tuple[list[npt.NDArray[np.float32]], int]:
        """A vector of length 1 per text, shape (width,), and the number of tokens that were read.

        Pooled as the model says; an encoder that does not say is pooled by the mean. Texts may be given as token ids
        and are truncated to ``longest`` tokens. Raises UserError for a reranking model, and for a token id that the
        model does not have.
        """
        if self.ranks or self._pooling == _RANK:
            raise UserError(
                f"{self.name} is a reranking model and computes no embeddings.", "Choose an embedding model."
            )
        width: int = llama.llama_model_n_embd_out(self._pointer)
        given = [self._tokens(text) for text in texts]
        vectors = []
        for vector in self._compute(given, width):
            length = float(np.linalg.norm(vector))
            if not np.isfinite(length):
                raise RuntimeError(f"{self.name} computed an embedding with values that are not numbers")
            vectors.append(vector / np.float32(length or 1.0))
        return vectors, sum(map(len, given))

    def rank(self, query: str, documents: Sequence[str]) -> tuple[list[float], int]:
        """The relevance of each document to the query, higher is better: the model's raw score. And the number of
        tokens that were read.

        The query may take half of ``longest`` tokens; documents are truncated to the rest. Raises UserError when the
        model has no classification head.
        """
        if not self.ranks:
            raise UserError(
                f"{self.name} has no classification head and cannot rerank documents.", "Choose a reranking model."
            )
        outputs: int = llama.llama_model_n_cls_out(self._pointer)
        make = self._pair_maker(query)
        pairs = [make(text) for text in documents]
        return [float(scores[0]) for scores in self._compute(pairs, max(1, outputs))], sum(map(len, pairs))

    def close(self) -> None:
        """Free everything; the encoder cannot be used afterwards."""
        self._batch.close()
        llama.llama_free(self._context)
        llama.llama_model_free(self._pointer)

    def _compute(self, texts: Sequence[list[int]], width: int) -> list[npt.NDArray[np.float32]]:
        found: list[npt.NDArray[np.float32]] = []
        for together in _batches(texts):
            self._batch.clear()
            for sequence, tokens in enumerate(together):
                self._batch.add(sequence, tokens, 0, len(tokens), 0)
            if self._memory:
                llama.llama_memory_clear(self._memory, True)
                status = llama.llama_decode(self._context, self._batch.struct)
            else:
                status = llama.llama_encode(self._context, self._batch.struct)
            if status:
                raise RuntimeError(f"{self.name} could not compute: llama.cpp status {status}")
            for sequence in range(len(together)):
                row = llama.llama_get_embeddings_seq(self._context, sequence)
                if not row:
                    raise RuntimeError(f"{self.name} computed nothing for a text")
                found.append(np.ctypeslib.as_array(row, (width,)).copy())
        return found

    def _tokens(self, text: str | Sequence[int]) -> list[int]:
        """A text's tokens, with the first and the last special token of the model."""
        tokens = self._vocabulary.tokenize(text, special=False) if isinstance(text, str) else list(text)
        for wrong in (token for token in tokens if not 0 <= token < self._vocabulary.size):
            raise UserError(
                f"{self.name} has no token {wrong}: its token ids are 0 to {self._vocabulary.size - 1}.",
                "Send the texts themselves; the tokens of another model's vocabulary mean something else.",
            )
        first, last = self._first(), self._last()
        return [*first, *tokens[: self.longest - len(first) - len(last)], *last] or [max(0, self._vocabulary.eos)]

    def _first(self) -> list[int]:
        return [self._vocabulary.bos] if self._is_wordpiece or self._vocabulary.adds_bos else []

    def _last(self) -> list[int]:
        words = self._vocabulary.pointer
        last = llama.llama_vocab_sep(words) if self._is_wordpiece else self._vocabulary.eos
        if last < 0:
            last = llama.llama_vocab_sep(words)
        return [last] if self._ends and last >= 0 else []

    def _pair_maker(self, query: str) -> Callable[[str], list[int]]:
        """Builds the tokens of query and document, by the model's own template or as encoders have it: first, query,
        last, (separator,) document, last."""
        tokenize = self._vocabulary.tokenize
        asked = tokenize(query, special=False)[: self.longest // 2]

        def with_query(part: str) -> list[int]:
            first, *others = (tokenize(piece, special=True) for piece in part.split("{query}"))
            return [*first, *(token for piece in others for token in (*asked, *piece))]

        raw: bytes | None = llama.llama_model_chat_template(self._pointer, b"rerank")
        if raw:
            before, _, after = raw.decode("utf-8", "replace").partition("{document}")
            start, end = with_query(before), with_query(after)
        else:
            separator = []
            if not self._is_wordpiece and llama.llama_vocab_get_add_sep(self._vocabulary.pointer):
                separator = [llama.llama_vocab_sep(self._vocabulary.pointer)]
            start = [*self._first(), *asked, *self._last(), *separator]
            end = self._last()
        room = self.longest - len(start) - len(end)
        if room < 1:
            raise UserError(
                f"The query is too long: it leaves no room for a document in {self.longest:,} tokens.",
                "Shorten the query.",
            )
        return lambda document: [*start, *tokenize(document, special=False)[:room], *end]


def _batches(texts: Sequence[list[int]]) -> Iterator[list[list[int]]]:
    """The texts in batches, in their order."""
    together: list[list[int]] = []
    size = 0
    for tokens in texts:
        if together and (size + len(tokens) > BATCH_TOKENS or len(together) == BATCH_TEXTS):
            yield together
            together, size = [], 0
        together.append(tokens)
        size += len(tokens)
    if together:
        yield together


def _make_context(pointer: Any, details: ModelDetails, room: int, threads: int, has_head: bool) -> Any:
    parameters = llama.llama_context_default_params()
    # without a causal mask every text must be computed in one batch
    parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = room
    parameters.n_seq_max = BATCH_TEXTS
    parameters.kv_unified = True
    parameters.swa_full = True
    parameters.embeddings = True
    parameters.n_threads = parameters.n_threads_batch = threads
    parameters.no_perf = True
    pooling = details.metadata.get(f"{details.model.architecture}.pooling_type")
    if has_head:
        parameters.pooling_type = _RANK
    elif pooling in (None, _NONE):
        parameters.pooling_type = _MEAN
    return llama.llama_init_from_model(pointer, parameters)


def _reason(errors: Sequence[str]) -> str:
    said = errors[0].partition(": ")[2] or errors[0] if errors else "llama.cpp gave no reason"
    return said.rstrip(".") + "."
