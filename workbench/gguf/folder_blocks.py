"""The 4-bit numbers that this program keeps in a folder of safetensors: rows of ggml's Q4_0 blocks, stored as bytes.

A folder that holds them says so in config.json: ``"quantization_config": {"quant_method": "q4_0"}``.
"""

from __future__ import annotations

from typing import Any

PACKED = "q4_0"
BLOCK, BLOCK_BYTES = 32, 18
"""So many numbers are stored in so many bytes."""


def is_packed(config: dict[str, Any]) -> bool:
    """Whether the tensors of bytes in a folder with this config.json are such blocks."""
    method = config.get("quantization_config")
    return isinstance(method, dict) and method.get("quant_method") == PACKED


def packed_width(numbers: int) -> int:
    """The bytes of a row."""
    return numbers // BLOCK * BLOCK_BYTES


def unpacked_width(stored: int) -> int:
    """The numbers in a row of so many bytes."""
    return stored // BLOCK_BYTES * BLOCK
