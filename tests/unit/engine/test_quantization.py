"""Whole models written anew by llama.cpp."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.unit import tiny_models
from workbench.base.errors import UserError
from workbench.engine.quantization import quantize
from workbench.gguf.ggml_types import FILE_TYPES, NEEDS_IMPORTANCE, WRITABLE_TYPES
from workbench.gguf.model import describe_gguf
from workbench.gguf.reader import read_gguf


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "base.gguf"
    return tiny_models.write_gguf(tiny_models.build("llama"), "llama", path, tokenizer="gpt2")


def test_every_type_is_one_that_llama_cpp_numbers() -> None:
    assert set(WRITABLE_TYPES) | set(NEEDS_IMPORTANCE) <= set(FILE_TYPES.values())
    assert not set(WRITABLE_TYPES) & set(NEEDS_IMPORTANCE)


@pytest.mark.parametrize("type_name", ["F16", "Q8_0", "Q4_1"])
def test_a_model_is_written_in_another_format(model: Path, tmp_path: Path, type_name: str) -> None:
    out = tmp_path / "out.gguf"
    size = quantize(model, out, type_name, threads=1)
    assert size == out.stat().st_size < model.stat().st_size
    assert describe_gguf(out).model.quantization == type_name
    assert list(tmp_path.iterdir()) == [out]
    plain = tiny_models.llama_logits(model)
    distance = np.abs(tiny_models.llama_logits(out) - plain).max() / np.abs(plain).max()
    assert 0 < distance < {"F16": 1e-2, "Q8_0": 5e-2, "Q4_1": 0.6}[type_name]


def test_a_quantised_model_is_quantised_again(smollm_path: Path, tmp_path: Path) -> None:
    quantize(smollm_path, tmp_path / "small.gguf", "Q2_K", threads=1)
    assert describe_gguf(tmp_path / "small.gguf").model.quantization == "Q2_K"


def test_a_type_that_cannot_be_written_is_refused_naming_those_that_can(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Q9_X is unknown.*Q8_0.*Q4_K_M"):
        quantize(model, tmp_path / "out.gguf", "Q9_X")
    with pytest.raises(UserError, match="IQ2_XS needs an importance matrix"):
        quantize(model, tmp_path / "out.gguf", "IQ2_XS")
    assert list(tmp_path.iterdir()) == []


def test_a_model_is_never_written_over_itself(model: Path) -> None:
    with pytest.raises(UserError, match="is the source model itself"):
        quantize(model, model, "Q8_0")
    assert read_gguf(model).tensors


def test_llama_cpp_s_reason_is_told(model: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(model.read_bytes().replace(b"llama.block_count", b"llama.block_hount"))
    with pytest.raises(UserError, match="block_count"):
        quantize(broken, tmp_path / "out.gguf", "Q8_0", threads=1)
    assert list(tmp_path.iterdir()) == [broken]
