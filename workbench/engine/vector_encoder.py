"""An encoder that is given the vectors of its words and returns the vector of the text.

The model is a file as ``gguf.embedder_file`` writes it. Short texts are computed together, longer ones alone: texts
that are packed into one batch attend to the whole batch before the mask.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.base.errors import UserError
from workbench.engine.library import can_repack, llama, start_library
from workbench.engine.parameters import log_reason

Floats = NDArray[np.float32]

SHORT_TEXT = 512
"""llama.cpp reserves memory for texts of so many tokens, and four times as many whenever a longer one comes."""

MOST_TOGETHER, TOKENS_TOGETHER = 4, 256
"""Texts, and tokens, that are computed together."""


class VectorEncoder:
    """A loaded encoder, on the processor. One call at a time.

    ``longest``: the most tokens of a text. ``of_tokens``: it gives the vectors of tokens, not of texts. Raises
    UserError when llama.cpp cannot load the file.
    """

    def __init__(self, path: Path, longest: int, *, of_tokens: bool = False) -> None:
        self._path, self._longest, self._of_tokens = path, longest, of_tokens
        self._log = start_library()
        self._log.forget_errors()
        parameters = llama.llama_model_default_params()
        parameters.n_gpu_layers = 0
        parameters.use_extra_bufts = can_repack()
        self._model = llama.llama_model_load_from_file(str(path).encode(), parameters)
        if not self._model:
            raise UserError(f"llama.cpp cannot load {path}: {log_reason(self._log)}", "Import the embedder again.")
        self._undo = contextlib.ExitStack()
        self._undo.callback(llama.llama_model_free, self._model)
        self.width: int = llama.llama_model_n_embd_out(self._model)
        self._width_in: int = llama.llama_model_n_embd(self._model)
        self._threads = 1
        self._room = 0
        self._context: Any = None
        self._batch: Any = None
        self._of_context = contextlib.ExitStack()
        self._undo.push(self._of_context)
        try:
            self._make_room(1)
        except BaseException:
            self.close()
            raise

    def use_threads(self, threads: int) -> None:
        self._threads = threads
        llama.llama_set_n_threads(self._context, threads, threads)

    def encode(self, words: Floats) -> Floats:
        """The vector of a text, (width,), of length 1. ``words``: the vectors of its tokens, (tokens, width), at least
        one and at most ``longest``. Raises RuntimeError when llama.cpp fails or the numbers are not finite."""
        (vector,) = self._compute([words])
        return vector / np.float32(np.linalg.norm(vector) or 1.0)

    def encode_all(self, texts: Sequence[Floats]) -> list[Floats]:
        """The vectors of several texts as the model gives them, not of length 1. Raises as ``encode``."""
        found: list[Floats] = []
        together: list[Floats] = []
        most = min(TOKENS_TOGETHER, self._longest)
        for words in texts:
            if together and (len(together) == MOST_TOGETHER or sum(map(len, together)) + len(words) > most):
                found += self._compute(together)
                together = []
            together.append(words)
        return found + self._compute(together) if together else found

    def encode_tokens(self, words: Floats) -> Floats:
        """The vectors of the tokens of a text in its context, (tokens, width), of an encoder ``of_tokens``. Raises as
        ``encode``."""
        self._run([words])
        found = llama.llama_get_embeddings(self._context)
        states: Floats = np.ctypeslib.as_array(found, (len(words), self.width)).copy()
        return self._checked(states)

    def _compute(self, texts: Sequence[Floats]) -> list[Floats]:
        self._run(texts)
        rows = [llama.llama_get_embeddings_seq(self._context, number) for number in range(len(texts))]
        if not all(rows):
            raise RuntimeError(f"{self._path} has no vectors of texts")
        return [self._checked(np.ctypeslib.as_array(row, (self.width,)).copy()) for row in rows]

    def _checked(self, vectors: Floats) -> Floats:
        if not np.isfinite(vectors).all():
            raise RuntimeError(f"{self._path} computed values that are not numbers")
        return vectors

    def _run(self, texts: Sequence[Floats]) -> None:
        count = sum(map(len, texts))
        if count > self._room:
            self._make_room(count)
        place = 0
        for number, words in enumerate(texts):
            self._words[place : place + len(words)] = words
            for position in range(len(words)):
                self._batch.pos[place + position] = position
                self._batch.seq_id[place + position][0] = number
            place += len(words)
        self._batch.n_tokens = count
        status = llama.llama_encode(self._context, self._batch)
        if status:
            raise RuntimeError(f"{self._path} could not be computed: llama.cpp status {status}")

    def close(self) -> None:
        """Free everything; the encoder cannot be used afterwards."""
        self._undo.close()

    def _make_room(self, count: int) -> None:
        self._of_context.close()
        self._room = 0
        room = SHORT_TEXT
        while room < count:
            room *= 4
        room = min(room, self._longest)
        parameters = llama.llama_context_default_params()
        # without a causal mask a text must be computed in one batch
        parameters.n_ctx, parameters.n_seq_max = MOST_TOGETHER * room, MOST_TOGETHER
        parameters.n_batch = parameters.n_ubatch = room
        parameters.embeddings = True
        if self._of_tokens:
            parameters.pooling_type = llama.LLAMA_POOLING_TYPE_NONE
        parameters.attention_type = llama.LLAMA_ATTENTION_TYPE_NON_CAUSAL
        parameters.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_ENABLED
        parameters.n_threads = parameters.n_threads_batch = self._threads
        parameters.no_perf = True
        self._log.forget_errors()
        self._context = llama.llama_init_from_model(self._model, parameters)
        if not self._context:
            raise UserError(f"llama.cpp cannot run {self._path}: {log_reason(self._log)}", "Import the embedder again.")
        self._of_context.callback(llama.llama_free, self._context)
        self._batch = llama.llama_batch_init(room, self._width_in, 1)
        self._of_context.callback(llama.llama_batch_free, self._batch)
        for place in range(room):
            self._batch.n_seq_id[place] = 1
            self._batch.logits[place] = True
        self._words = np.ctypeslib.as_array(self._batch.embd, (room, self._width_in))
        self._room = room
