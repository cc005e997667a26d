"""Blocks become the numbers that ``gguf`` makes of them, whoever unpacks them."""

from __future__ import annotations

import warnings

import gguf
import numpy as np
import pytest

from workbench.gguf.ggml_types import TENSOR_TYPES
from workbench.gguf.weights import can_unpack
from workbench.training.weights import dequantization as unpacking
from workbench.training.weights.dequantization import row_bytes, unpack

KINDS = sorted(kind.name for kind in TENSOR_TYPES.values() if can_unpack(kind.name) and kind.name not in ("F64", "I8"))


def random_blocks(kind: str, rows: int, length: int) -> np.ndarray:
    """Blocks of any bits, but for numbers that are not finite."""
    blocks = np.random.default_rng(0).integers(0, 256, (rows, row_bytes(kind, length)), np.uint8)
    for _ in range(40):
        with np.errstate(all="ignore"):
            numbers = gguf.quants.dequantize(blocks, gguf.GGMLQuantizationType[kind])
        wrong = ~np.isfinite(numbers).all(axis=1)
        if not wrong.any():
            break
        blocks[wrong] &= 0xBB  # clears the exponents' highest bits
    assert np.isfinite(numbers).all()
    return blocks


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("threads", [1, 2])
def test_every_format_is_unpacked_as_gguf_does(kind: str, threads: int) -> None:
    blocks = random_blocks(kind, 264, 512)
    expected = gguf.quants.dequantize(blocks, gguf.GGMLQuantizationType[kind])
    found = np.empty((264, 512), np.float32)
    blocks.flags.writeable = False  # as a file's are
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        unpack(kind, blocks, found, threads)
    assert np.allclose(found, expected, rtol=1e-6, atol=0)


def test_without_ggml_it_is_done_in_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = random_blocks("Q4_K", 4, 512)
    first, second = np.empty((2, 4, 512), np.float32)
    unpack("Q4_K", blocks, first)
    monkeypatch.setattr(unpacking, "_library", lambda: None)
    unpacking._unpacker.cache_clear()
    try:
        assert "_by_gguf" in repr(unpacking._unpacker("Q4_K"))
        unpack("Q4_K", blocks, second)
    finally:
        unpacking._unpacker.cache_clear()
    assert np.allclose(first, second, rtol=1e-6)
