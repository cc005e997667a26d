"""What no sound model has, checked before llama.cpp reads a file: the assertions on which it would abort, and numbers
with which it would compute nonsense.

Held against the installed llama.cpp by ``tests/unit/engine/test_assertions.py``. What llama.cpp refuses by itself
(shapes that do not fit the architecture, missing tensors and entries) is left to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.base.errors import UserError
from workbench.gguf.reader import GGUF, Tensor

MAX_LAYERS, MAX_EXPERTS = 512, 1024  # llama-hparams.h of llama-cpp-python 0.3.36
MAX_VOCABULARY = 1 << 20
SHORTEST_CONTEXT, LONGEST_CONTEXT = 16, 1 << 30
"""In tokens, where it is known (not 0). No model was trained with less than some dozens; the longest that are claimed
are of 10 million."""

MAX_NUMBER = 1 << 31
"""llama.cpp keeps counts and sizes in 32 bits, partly with a sign."""

ROPE_SCALINGS = frozenset({"none", "linear", "yarn", "longrope"})
_SIZES = ("embedding_length", "embedding_length_out", "feed_forward_length", "vocab_size", "attention.key_length",
          "attention.value_length", "rope.dimension_count", "attention.sliding_window",
          "rope.scaling.original_context_length")  # fmt: skip

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
    _check_sizes(first, architecture)
    _check_heads(first, architecture)
    _check_rope(first, architecture)
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


def _check_sizes(file: GGUF, architecture: str) -> None:
    context = file.metadata.get(f"{architecture}.context_length")
    if isinstance(context, int) and context and not SHORTEST_CONTEXT <= context <= LONGEST_CONTEXT:
        raise UserError(
            f"{file.path} claims a context of {context:,} tokens; a model has {SHORTEST_CONTEXT} to "
            f"{LONGEST_CONTEXT:,}.",
            _HINT,
        )
    for name in _SIZES:
        size = file.metadata.get(f"{architecture}.{name}")
        if isinstance(size, int) and not 0 <= size < MAX_NUMBER:
            raise UserError(f"{file.path} is damaged: {architecture}.{name} is {size:,}.", _HINT)


def _check_heads(file: GGUF, architecture: str) -> None:
    """Of models with the same number in each layer. Without a length of their own, heads share the width evenly."""
    heads, groups, width, length = (
        file.metadata.get(f"{architecture}.{name}")
        for name in ("attention.head_count", "attention.head_count_kv", "embedding_length", "attention.key_length")
    )
    if not isinstance(heads, int) or heads == 0:  # a model without attention has none
        return
    groups = groups if isinstance(groups, int) else 0
    if heads < 0 or not 0 <= groups <= heads:
        raise UserError(
            f"{file.path} is damaged: it claims {heads:,} attention heads, of which {groups:,} have keys of their own.",
            _HINT,
        )
    if length is None and isinstance(width, int) and width % heads:
        raise UserError(
            f"{file.path} is damaged: its width of {width:,} is not divisible by its {heads:,} attention heads.", _HINT
        )


def _check_rope(file: GGUF, architecture: str) -> None:
    scaling = file.metadata.get(f"{architecture}.rope.scaling.type")
    if isinstance(scaling, str) and scaling not in ROPE_SCALINGS:
        raise UserError(
            f"{file.path} scales its positions by {scaling[:40]!r}, which llama.cpp does not know; it knows "
            f"{', '.join(sorted(ROPE_SCALINGS))}.",
            _HINT,
        )
    for name in ("rope.freq_base", "rope.scaling.factor", "rope.scaling.attn_factor"):
        value = file.metadata.get(f"{architecture}.{name}")
        if value is None:
            continue
        number = _as_float(value)
        if number is None or not 0 <= number < math.inf or (name == "rope.freq_base" and not number):
            raise UserError(f"{file.path} is damaged: {architecture}.{name} is {value!r}.", _HINT)


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
