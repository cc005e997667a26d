"""How llama.cpp orders rows, against orders written down by hand."""

from __future__ import annotations

import gguf
import numpy as np
import pytest

from workbench.gguf.architectures import FAMILIES, architecture_of, row_order


def test_every_architecture_is_one_of_llama_cpp() -> None:
    assert set(FAMILIES) <= set(gguf.MODEL_ARCH_NAMES.values())


def test_no_model_type_is_of_two_architectures() -> None:
    types = [model_type for family in FAMILIES.values() for model_type in family.model_types]
    assert len(types) == len(set(types))
    assert architecture_of("mistral") == "llama"
    assert architecture_of("no such model") is None


def test_the_halves_of_each_head_are_interleaved_where_llama_cpp_turns_pairs() -> None:
    order = row_order("llama", "blk.1.attn_q.weight", 12, 2, 1)
    assert order is not None
    assert order.tolist() == [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]
    keys = row_order("llama", "blk.1.attn_k.weight", 6, 2, 1)
    assert keys is not None
    assert keys.tolist() == [0, 3, 1, 4, 2, 5]


def test_queries_keys_and_values_of_a_head_are_taken_apart() -> None:
    order = row_order("gptneox", "blk.0.attn_qkv.weight", 12, 2, 2)
    assert order is not None
    assert order.tolist() == [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]  # q of both heads, k of both, v of both
    grouped = row_order("falcon", "blk.0.attn_qkv.weight", 8, 4, 2)  # two groups of two queries, a key and a value
    assert grouped is not None
    assert grouped.tolist() == [0, 1, 4, 5, 2, 6, 3, 7]


@pytest.mark.parametrize(
    ("architecture", "tensor"),
    [
        ("llama", "blk.0.attn_v.weight"),
        ("llama", "blk.0.attn_output.weight"),
        ("llama", "output.weight"),
        ("qwen2", "blk.0.attn_q.weight"),
        ("gemma3", "blk.0.attn_k.weight"),
        ("phi3", "blk.0.attn_qkv.weight"),
    ],
)
def test_other_rows_stay_where_they_are(architecture: str, tensor: str) -> None:
    assert row_order(architecture, tensor, 12, 2, 2) is None


def test_rows_that_are_not_those_of_the_heads_are_an_error() -> None:
    with pytest.raises(ValueError, match="reshape"):
        row_order("llama", "blk.0.attn_q.weight", 12, 5, 5)


def test_an_order_loses_no_row() -> None:
    for family in FAMILIES.values():
        for order in family.orders.values():
            assert np.array_equal(np.sort(order(96, 8, 2)), np.arange(96))
