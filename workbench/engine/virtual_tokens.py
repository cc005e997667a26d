"""Virtual tokens in llama.cpp's memory: the embeddings of a soft prompt computed, the keys and values of a prefix laid.

Both are put at the first positions of a sequence of a context, and the text goes on after them. llama.cpp computes
embeddings in the place of tokens (``llama_batch.embd``). A prefix it cannot be given: its keys and values are written
into a saved state of the sequence, which is restored then. The form of such a state is nobody's promise: so it is
taken apart to the last byte, and what was put is read back and compared (``sequence_state``).
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.engine.batch import check
from workbench.engine.library import llama
from workbench.engine.memory_planner import BATCH_TOKENS
from workbench.engine.sequence_state import SequenceState
from workbench.errors import UserError
from workbench.gguf.reader import GGUF, Tensor, read_gguf
from workbench.gguf.virtual_tokens import prefix_of, soft_prompt_of

Floats = npt.NDArray[np.float32]

_SECTIONS = (llama.LLAMA_ROPE_TYPE_MROPE, llama.LLAMA_ROPE_TYPE_VISION, llama.LLAMA_ROPE_TYPE_IMROPE)
"""Positions of several numbers, for pictures."""

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
                f"The soft prompt has embeddings of {self.embeddings.shape[1]:,} numbers; the model takes {width:,}.",
                "Choose an adapter that was trained on this model.",
            )
        if llama.llama_model_rope_type(model) in _SECTIONS:
            raise UserError("This model's positions are made for pictures: no soft prompt fits it.", _TORCH_HINT)
        batch = llama.llama_batch_init(min(self.count, BATCH_TOKENS), width, 1)
        try:
            for start in range(0, self.count, BATCH_TOKENS):
                rows = self.embeddings[start : start + BATCH_TOKENS]
                ctypes.memmove(batch.embd, rows.ctypes.data, rows.nbytes)
                batch.n_tokens = len(rows)
                for row in range(len(rows)):
                    batch.pos[row] = start + row
                    batch.n_seq_id[row] = 1
                    batch.seq_id[row][0] = sequence
                    batch.logits[row] = False
                check(llama.llama_decode(context, batch))
        finally:
            llama.llama_batch_free(batch)


class Prefix:
    """``keys`` and ``values``, for each layer an array of shape (count, heads x width), as llama.cpp's memory holds
    them: keys after their rotation. ``windowed``: which of the model's layers look back over a sliding window only."""

    def __init__(self, keys: list[Floats], values: list[Floats], windowed: Sequence[bool] = ()) -> None:
        self.keys = keys
        self.values = values
        self.count = len(keys[0])
        self._windowed = windowed

    def put(self, context: Any, sequence: int = 0) -> None:
        """Lay them at positions 0 to ``count - 1`` of an empty sequence.

        Raises UserError where the model's memory is none of plain keys and values of 16 or 32 bits for each layer, or
        where this llama.cpp saves states in another form than it is known to.
        """
        model = llama.llama_get_model(context)
        if llama.llama_model_is_recurrent(model) or llama.llama_model_is_hybrid(model):
            raise UserError("This model has layers without keys and values: no prefix fits it.", _TORCH_HINT)
        window = llama.llama_model_n_swa(model)
        if window and self.count > window:
            raise UserError(
                f"The prefix is {self.count:,} tokens long; some of the model's layers look back over {window:,} only.",
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
            raise RuntimeError("llama.cpp did not take the prefix")
        if not SequenceState.parse(save_sequence(context, sequence), self._windowed).holds(self.keys, self.values):
            llama.llama_memory_seq_rm(memory, sequence, -1, -1)
            raise UserError(
                "This version of llama.cpp does not give back the prefix that it was given.",
                "Install llama-cpp-python 0.3.36, or train a LoRA instead.",
            )


class Beginning:
    """What every sequence of a decode context begins with: ``count`` virtual tokens, computed with one set of adapters.

    They are computed once and kept as a saved sequence, for all contexts of the model.
    """

    def __init__(self, tokens: SoftPrompt | Prefix) -> None:
        self.count = tokens.count
        self._tokens = tokens
        self._saved: Any = None

    def put(self, context: Any, sequence: int) -> None:
        """Put them into an empty sequence. Raises what ``SoftPrompt.put`` and ``Prefix.put`` raise."""
        if self._saved is None:
            self._tokens.put(context, sequence)
            self._saved = save_sequence(context, sequence)
        elif not restore_sequence(context, sequence, self._saved):
            raise RuntimeError("there was no room for the virtual tokens in the model's memory")


def read_virtual_tokens(path: Path, windowed: Sequence[bool] = ()) -> SoftPrompt | Prefix:
    """A soft prompt or prefix out of its GGUF file. ``windowed``: which of the model's layers look back over a sliding
    window only. Raises UserError when it is neither or not sound."""
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
    """What llama.cpp saves of a sequence, as an array of bytes. Raises RuntimeError when it saves nothing."""
    size = llama.llama_state_seq_get_size(context, sequence)
    data = (ctypes.c_uint8 * size)()
    if not size or llama.llama_state_seq_get_data(context, data, size, sequence) != size:
        raise RuntimeError("llama.cpp did not save a sequence")
    return data


def restore_sequence(context: Any, sequence: int, data: Any) -> bool:
    """Put what was saved into an empty sequence. False, and the sequence is empty, when there is no room for it."""
    size = len(data)
    if llama.llama_state_seq_set_data(context, data, size, sequence) == size:
        return True
    llama.llama_memory_seq_rm(llama.llama_get_memory(context), sequence, -1, -1)
    return False


def _read(file: GGUF, tensor: Tensor) -> Floats:
    """A tensor of float32, in numpy's order of dimensions."""
    with file.path.open("rb") as stream:
        stream.seek(tensor.offset)
        numbers = np.frombuffer(stream.read(tensor.bytes), "<f4")
    return numbers.astype(np.float32).reshape(tuple(reversed(tensor.shape)))
