"""Virtual tokens in llama.cpp's memory: the embeddings of a soft prompt, the keys and values of a prefix.

Both take the first positions of a sequence of a context, and the text follows. llama.cpp computes embeddings in place
of tokens (``llama_batch.embd``). It has no call for a prefix: its keys and values are written into a saved state of the
sequence, which is then restored. The form of such a state is not a public interface: it is parsed to the last byte, and
the written values are read back and compared (``sequence_state``).
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.engine.batch import EmbeddingBatch, check
from workbench.engine.library import llama
from workbench.engine.memory_formulas import BATCH_TOKENS
from workbench.engine.sequence_state import SequenceState
from workbench.gguf.reader import GGUF, Tensor, read_gguf
from workbench.gguf.virtual_tokens import prefix_of, soft_prompt_of

Floats = npt.NDArray[np.float32]

_SECTIONS = (llama.LLAMA_ROPE_TYPE_MROPE, llama.LLAMA_ROPE_TYPE_VISION, llama.LLAMA_ROPE_TYPE_IMROPE)
"""Positions with several numbers, for images."""

_TORCH_HINT = "Train a LoRA instead."


class SoftPrompt:
    """``embeddings`` of shape (count, width), as ``llama_batch.embd`` takes them."""

    def __init__(self, embeddings: Floats) -> None:
        self.embeddings = np.ascontiguousarray(embeddings, np.float32)
        self.count = len(embeddings)

    def put(self, context: Any, sequence: int = 0) -> None:
        """Compute them at positions 0 to ``count - 1`` of an empty sequence, with the adapters that are set on the
        context. Raises UserError for a model that cannot take them, RuntimeError when there is no room."""
        model = llama.llama_get_model(context)
        width = llama.llama_model_n_embd_inp(model)
        if width != self.embeddings.shape[1]:
            raise UserError(
                f"The soft prompt has embeddings of width {self.embeddings.shape[1]:,}; the model's width is "
                f"{width:,}.",
                "Choose an adapter that was trained on this model.",
            )
        if llama.llama_model_rope_type(model) in _SECTIONS:
            raise UserError(
                "The model has multi-dimensional positions (for images) and does not support soft prompts.", _TORCH_HINT
            )
        batch = EmbeddingBatch(min(self.count, BATCH_TOKENS), width)
        try:
            for start in range(0, self.count, BATCH_TOKENS):
                rows = self.embeddings[start : start + BATCH_TOKENS]
                batch.set(sequence, rows, start, len(rows))
                check(llama.llama_decode(context, batch.struct))
        finally:
            batch.close()


class Prefix:
    """``keys`` and ``values``, per layer an array of shape (count, heads x width), as llama.cpp's memory holds them:
    keys after their rotation. ``windowed``: the model's layers that have a sliding window."""

    def __init__(self, keys: list[Floats], values: list[Floats], windowed: Sequence[bool] = ()) -> None:
        self.keys = keys
        self.values = values
        self.count = len(keys[0])
        self._windowed = windowed

    def put(self, context: Any, sequence: int = 0) -> None:
        """Write them to positions 0 to ``count - 1`` of an empty sequence.

        Raises UserError where the model's memory has no plain keys and values of 16 or 32 bits per layer, or where this
        llama.cpp saves states in an unknown form.
        """
        model = llama.llama_get_model(context)
        if llama.llama_model_is_recurrent(model) or llama.llama_model_is_hybrid(model):
            raise UserError("The model has layers without keys and values and does not support prefixes.", _TORCH_HINT)
        window = llama.llama_model_n_swa(model)
        if window and self.count > window:
            raise UserError(
                f"The prefix has {self.count:,} tokens, but some of the model's layers have a sliding window of "
                f"{window:,}.",
                _TORCH_HINT,
            )
        memory = llama.llama_get_memory(context)
        token = (llama.llama_token * 1)(max(0, llama.llama_vocab_bos(llama.llama_model_get_vocab(model))))
        batch = llama.llama_batch_init(1, 0, 1)
        try:
            batch.n_tokens = 1
            batch.token[0], batch.pos[0], batch.logits[0] = token[0], 0, False
            batch.n_seq_id[0], batch.seq_id[0][0] = 1, sequence
            check(llama.llama_decode(context, batch))
        finally:
            llama.llama_batch_free(batch)
        wanted = SequenceState.parse(save_sequence(context, sequence), self._windowed).filled(self.keys, self.values)
        llama.llama_memory_seq_rm(memory, sequence, -1, -1)
        if not restore_sequence(context, sequence, wanted):
            raise RuntimeError("llama.cpp did not accept the prefix")
        if not SequenceState.parse(save_sequence(context, sequence), self._windowed).holds(self.keys, self.values):
            llama.llama_memory_seq_rm(memory, sequence, -1, -1)
            raise UserError(
                "This version of llama.cpp does not return the prefix that was written to its cache.",
                "Install llama-cpp-python 0.3.36, or train a LoRA instead.",
            )


class VirtualPrefix:
    """The beginning of every sequence of a decode context: ``count`` virtual tokens, computed with one set of adapters.

    They are computed once and kept as a saved sequence, for all contexts of the model.
    """

    def __init__(self, tokens: SoftPrompt | Prefix) -> None:
        self.count = tokens.count
        self._tokens = tokens
        self._saved: Any = None

    def put(self, context: Any, sequence: int) -> None:
        """Write them into an empty sequence. Raises what ``SoftPrompt.put`` and ``Prefix.put`` raise."""
        if self._saved is None:
            self._tokens.put(context, sequence)
            self._saved = save_sequence(context, sequence)
        elif not restore_sequence(context, sequence, self._saved):
            raise RuntimeError("the model's memory has no room for the virtual tokens")


def read_virtual_tokens(path: Path, windowed: Sequence[bool] = ()) -> SoftPrompt | Prefix:
    """A soft prompt or prefix from its GGUF file. ``windowed``: the model's layers that have a sliding window. Raises
    UserError when the file is neither or is damaged."""
    file = read_gguf(path)
    kind = file.text("adapter.type")
    if kind == "soft-prompt":
        return SoftPrompt(_read(file, soft_prompt_of(file)))
    if kind == "prefix":
        pairs = prefix_of(file)
        return Prefix(
            [_read(file, pair.keys) for pair in pairs], [_read(file, pair.values) for pair in pairs], windowed
        )
    raise UserError(f"{path} is neither a soft prompt nor a prefix.", "Choose another adapter.")


def save_sequence(context: Any, sequence: int) -> Any:
    """llama.cpp's saved state of a sequence, as an array of bytes. Raises RuntimeError when it saves nothing."""
    size = llama.llama_state_seq_get_size(context, sequence)
    data = (ctypes.c_uint8 * size)()
    if not size or llama.llama_state_seq_get_data(context, data, size, sequence) != size:
        raise RuntimeError("llama.cpp did not save the sequence")
    return data


def restore_sequence(context: Any, sequence: int, data: Any) -> bool:
    """Restore a saved state into an empty sequence. False, with the sequence empty, when there is no room for it."""
    size = len(data)
    if llama.llama_state_seq_set_data(context, data, size, sequence) == size:
        return True
    llama.llama_memory_seq_rm(llama.llama_get_memory(context), sequence, -1, -1)
    return False


def _read(file: GGUF, tensor: Tensor) -> Floats:
    """A tensor of float32, in numpy's order of dimensions."""
    with open_regular(file.path) as stream:
        stream.seek(tensor.offset)
        numbers = np.frombuffer(stream.read(tensor.bytes), "<f4")
    return numbers.astype(np.float32).reshape(tuple(reversed(tensor.shape)))
