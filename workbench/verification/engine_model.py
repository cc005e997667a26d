"""A GGUF model in llama.cpp, for its logits alone: one context, no cache of conversations, float32 for what it keeps.

The engine that answers has more around it; here it is llama.cpp's computation that is compared.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.base.errors import UserError
from workbench.engine.library import can_repack, llama, start_library
from workbench.engine.memory_formulas import find_windows
from workbench.engine.virtual_tokens import read_virtual_tokens
from workbench.gguf.adapter_files import check_adapter
from workbench.gguf.reader import read_gguf
from workbench.training.verifying import LARGE_FILE, block_tokens

Floats = NDArray[np.float32]


class Weights:
    """A model's weights, which llama.cpp maps from the file. Use it in a ``with``, around that of its models."""

    def __init__(self, path: Path) -> None:
        """Raises UserError when llama.cpp cannot load it."""
        log = start_library()
        log.forget_errors()
        parameters = llama.llama_model_default_params()
        parameters.n_gpu_layers = 0
        parameters.use_extra_bufts = can_repack() and path.stat().st_size < LARGE_FILE
        self.path = path
        self.pointer = llama.llama_model_load_from_file(str(path).encode(), parameters)
        if not self.pointer:
            raise UserError(f"llama.cpp cannot load {path.name}: {_reasons(log.errors())}.", "Make it again.")

    def __enter__(self) -> Weights:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        llama.llama_model_free(self.pointer)


class EngineModel:
    """Weights in a context of their own and, where given, with an adapter of any kind. Use it in a ``with``."""

    def __init__(self, weights: Weights, longest: int, adapter: Path | None = None, *, threads: int = 1) -> None:
        """``longest`` is how many tokens a prompt may have. Raises UserError when llama.cpp cannot run it."""
        self._model = weights.pointer
        self._undo = contextlib.ExitStack()
        self._virtual: Any = None
        lora: Any = None
        if adapter is not None:
            if read_gguf(adapter).text("adapter.type") == "lora":
                check_adapter(adapter, weights.path)
                lora = llama.llama_adapter_lora_init(self._model, str(adapter).encode())
                if not lora:
                    raise UserError(f"llama.cpp cannot load the adapter {adapter}.", "Convert it again.")
            else:
                described = read_gguf(weights.path)
                architecture = described.text("general.architecture")
                layers = described.number(f"{architecture}.block_count")
                windows = find_windows(architecture, layers, described.metadata)
                self._virtual = read_virtual_tokens(adapter, windows)
        self.vocabulary: int = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(self._model))
        self.block = block_tokens(self.vocabulary)
        self._make_context(longest + (self._virtual.count if self._virtual else 0), threads, weights.path)
        if lora:
            pointers = (llama.llama_adapter_lora_p_ctypes * 1)(lora)
            if llama.llama_set_adapters_lora(self._context, pointers, 1, (ctypes.c_float * 1)(1.0)):
                self._undo.close()
                raise RuntimeError("llama.cpp refused the adapter")

    def __enter__(self) -> EngineModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.close()

    def logits(self, tokens: Sequence[int]) -> Iterator[Floats]:
        """Blocks of (positions, vocabulary), ``block`` positions in each but the last; a block is gone with the next
        one. Raises UserError when llama.cpp does not compute."""
        for count in self._decode(tokens):
            yield np.ctypeslib.as_array(llama.llama_get_logits(self._context), (count, self.vocabulary))

    def states(self, tokens: Sequence[int]) -> Floats:
        """The last layer's output after its norm, (positions, width). Raises UserError as ``logits``."""
        width = llama.llama_model_n_embd_out(self._model)
        llama.llama_set_embeddings(self._context, True)
        try:
            blocks = [
                np.ctypeslib.as_array(llama.llama_get_embeddings(self._context), (count, width)).copy()
                for count in self._decode(tokens)
            ]
        finally:
            llama.llama_set_embeddings(self._context, False)
        return np.concatenate(blocks)

    def _decode(self, tokens: Sequence[int]) -> Iterator[int]:
        """Compute tokens in blocks; gives the number of each block's."""
        llama.llama_memory_clear(llama.llama_get_memory(self._context), True)
        before = 0
        if self._virtual:
            self._virtual.put(self._context)
            before = self._virtual.count
        batch = self._batch
        for start in range(0, len(tokens), self.block):
            piece = tokens[start : start + self.block]
            batch.n_tokens = len(piece)
            for row, token in enumerate(piece):
                batch.token[row], batch.pos[row], batch.logits[row] = token, before + start + row, 1
                batch.n_seq_id[row], batch.seq_id[row][0] = 1, 0
            if llama.llama_decode(self._context, batch):
                raise UserError("llama.cpp cannot compute this model.", "Make the model again.")
            yield len(piece)

    def set_threads(self, threads: int) -> None:
        llama.llama_set_n_threads(self._context, threads, threads)

    def tokens_of(self, text: str) -> tuple[int, ...]:
        """A text as the model's tokens."""
        raw = text.encode()
        room = len(raw) + 8
        found = (llama.llama_token * room)()
        vocabulary = llama.llama_model_get_vocab(self._model)
        count = llama.llama_tokenize(vocabulary, raw, len(raw), found, room, True, False)
        return tuple(found[: max(0, count)])

    def _make_context(self, tokens: int, threads: int, path: Path) -> None:
        options = llama.llama_context_default_params()
        options.n_ctx = -(-(tokens + 8) // 256) * 256
        options.n_batch = options.n_ubatch = self.block
        options.n_seq_max = 1
        options.n_outputs_max = options.n_outputs_max_per_seq = self.block
        options.type_k = options.type_v = llama.GGML_TYPE_F32
        options.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_DISABLED
        options.n_threads = options.n_threads_batch = threads
        options.no_perf = True
        self._context = llama.llama_init_from_model(self._model, options)
        if not self._context:
            raise UserError(f"llama.cpp cannot run {path.name}.", "Free some memory and try again.")
        self._undo.callback(llama.llama_free, self._context)
        self._batch = llama.llama_batch_init(self.block, 0, 1)
        self._undo.callback(llama.llama_batch_free, self._batch)


def _reasons(errors: Sequence[str]) -> str:
    return " ".join(errors).rstrip(".") or "it gives no reason"
