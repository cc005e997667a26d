"""The assertions of llama.cpp on a model, on which it would abort: checked here, so that such files are refused.

Held against the installed llama.cpp by ``tests/unit/engine/test_assertions.py``. What llama.cpp refuses by itself
(shapes that do not fit the architecture, missing tensors and entries) is left to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.errors import UserError
from workbench.gguf.reader import GGUF, Tensor

MAX_LAYERS, MAX_EXPERTS = 512, 1024  # llama-hparams.h of llama-cpp-python 0.3.36
MAX_VOCABULARY = 1 << 20

NOT_COMPUTED = frozenset({"Q8_1", "Q8_K", "I8", "I16", "I32", "I64", "F64"})
"""Formats of intermediate results, or of nothing at all: there is no product of a matrix in them."""

_TOKENS = "tokenizer.ggml.tokens"
_TABLES = ("tid2eid", "d2t")  # of whole numbers: which expert has which token, which token of the target a draft's is
_HINT = "Get the model in another quantisation, or from another source."


def check_assertions(pieces: Sequence[GGUF]) -> None:
    """Raises UserError for what llama.cpp would abort on, of a model in these files."""
    for piece in pieces:
        for tensor in piece.tensors:
            _check_type(piece, tensor)
    first = pieces[0]
    architecture = first.text("general.architecture")
    _check_counts(first, architecture)
    for key, value in first.metadata.items():
        # the reader has made a text of what is not finite
        if key.startswith(f"{architecture}.") and key.endswith("epsilon"):
            number = _as_float(value)
            if number is None or not 0 <= number < math.inf:
                raise UserError(f"{first.path} is damaged: {key} is {value!r}.", _HINT)
    _check_vocabulary(first)


def _check_type(file: GGUF, tensor: Tensor) -> None:
    """Norms, biases and scales are F32, as every converter writes them; matrices are in a format with a product."""
    small = len(tensor.shape) <= 1 or tensor.name.endswith("_norm.weight") or not tensor.name.endswith(".weight")
    if any(table in tensor.name for table in _TABLES):
        return
    if tensor.type in NOT_COMPUTED or (small and tensor.type != "F32"):
        only = " other than F32" if small else ""
        raise UserError(
            f"{file.path} stores {tensor.name!r} as {tensor.type}; llama.cpp cannot compute with a tensor of this "
            f"kind{only}.",
            _HINT,
        )


def _check_counts(file: GGUF, architecture: str) -> None:
    layers, experts, used = (
        file.metadata.get(f"{architecture}.{name}") for name in ("block_count", "expert_count", "expert_used_count")
    )
    if isinstance(layers, int) and not 1 <= layers <= MAX_LAYERS:
        raise UserError(f"{file.path} claims {layers:,} layers; llama.cpp takes 1 to {MAX_LAYERS}.", _HINT)
    if isinstance(experts, int | None) and isinstance(used, int | None):
        count, chosen = experts or 0, used or 0
        if not 0 <= chosen <= count <= MAX_EXPERTS or (count and not chosen):
            raise UserError(
                f"{file.path} claims {count:,} experts of which {chosen:,} are used; llama.cpp takes up to "
                f"{MAX_EXPERTS}, at least one of them used.",
                _HINT,
            )


def _check_vocabulary(file: GGUF) -> None:
    """Its words are different ones, and a vocabulary of the SentencePiece kind has every byte."""
    if file.lengths.get(_TOKENS, 0) > MAX_VOCABULARY:
        raise UserError(f"{file.path} claims a vocabulary of {file.lengths[_TOKENS]:,} tokens.", _HINT)
    seen: set[int] = set()
    bytes_missing = {f"<0x{byte:02X}>".encode(): bytes([byte]) for byte in range(256)}
    by_bytes = file.text("tokenizer.ggml.model") == "llama"
    single: set[bytes] = set()
    for token in file.texts(_TOKENS):
        mark = hash(token)
        if mark in seen and token:  # empty ones get names of their own
            text = token.decode("utf-8", "replace")[:40]
            raise UserError(f"{file.path} is damaged: its vocabulary has the token {text!r} twice.", _HINT)
        seen.add(mark)
        if by_bytes and len(token) <= 6:
            bytes_missing.pop(token, None)
            if len(token) == 1:
                single.add(token)
    lost = [byte for byte in bytes_missing.values() if byte not in single] if by_bytes and seen else []
    if lost:
        raise UserError(
            f"{file.path} has no token for {len(lost)} of the 256 bytes: llama.cpp aborts where one is needed.", _HINT
        )


def _as_float(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
