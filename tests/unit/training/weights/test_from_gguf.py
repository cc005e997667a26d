"""A model out of a GGUF file computes what it computed before it was written there, and what llama.cpp computes."""

from __future__ import annotations

import struct
from pathlib import Path

import gguf
import numpy as np
import pytest

from tests.unit import tiny_models
from tests.unit.tiny_models import llama_logits, torch_logits
from tests.unit.training.weights import tiny_families
from workbench.base.errors import UserError
from workbench.training.weights.loading import load_base

IN_LLAMA_CPP = dict.fromkeys(("gemma", "gemma2", "gemma3", "phi2", "starcoder2"), 5e-3)
"""ggml looks their GELU up in a table of 16-bit numbers; the others agree to 2e-5 of their largest logit."""


@pytest.mark.parametrize("family", tiny_families.FAMILIES)
def test_a_model_of_each_family_computes_what_it_did(family: str, tmp_path: Path) -> None:
    model = tiny_families.build(family)
    path = tiny_families.write_gguf(model, family, tmp_path / "m.gguf")
    loaded = load_base(path, "f32")
    expected = torch_logits(model)
    size = np.abs(expected).max()
    assert np.abs(torch_logits(loaded.model) - expected).max() < 1e-5 * size
    assert np.abs(llama_logits(path) - expected).max() < IN_LLAMA_CPP.get(family, 2e-5) * size
    assert {name for name, _ in loaded.model.named_buffers()} == {name for name, _ in model.named_buffers()}
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
    assert not loaded.model.training


def test_gpt2_s_turned_layers_are_turned_back(tmp_path: Path) -> None:
    model = tiny_models.build("gpt2")
    loaded = load_base(tiny_models.write_gguf(model, "gpt2", tmp_path / "m.gguf"), "f32")
    assert np.abs(torch_logits(loaded.model) - torch_logits(model)).max() < 1e-5


@pytest.mark.parametrize(
    ("architecture", "words"), [("bloom", "cannot be trained out of a GGUF file"), ("mamba", "is unknown")]
)
def test_an_architecture_that_is_not_known_is_refused(tmp_path: Path, architecture: str, words: str) -> None:
    writer = gguf.GGUFWriter(tmp_path / "m.gguf", architecture)
    writer.add_block_count(1)
    writer.add_head_count(4)
    writer.add_tensor("token_embd.weight", np.zeros((96, 64), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(UserError, match=words):
        load_base(tmp_path / "m.gguf", "f32")


def test_a_mixture_of_the_llama_architecture_is_refused(tmp_path: Path) -> None:
    model = tiny_families.build("llama")
    path = tiny_families.write_gguf(model, "llama", tmp_path / "m.gguf")
    raw = path.read_bytes()
    key = b"llama.rope.dimension_count"
    assert key in raw
    path.write_bytes(raw.replace(struct.pack("<Q", len(key)) + key, struct.pack("<Q", 18) + b"llama.expert_count", 1))
    with pytest.raises(UserError, match="mixture of experts"):
        load_base(path, "f32")
