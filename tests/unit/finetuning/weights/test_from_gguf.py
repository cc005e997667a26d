"""A model out of a GGUF file computes what it computed before it was written there, and what llama.cpp computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.unit.finetuning.tiny_models import llama_logits, torch_logits
from tests.unit.finetuning.weights import tiny_families
from workbench.techniques.finetuning.weights.loading import load_base

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
