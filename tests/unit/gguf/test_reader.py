"""Reading sound GGUF files: ones made here and the real starter models."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.gguf.ggml_types import REMOVED_TENSOR_TYPES, TENSOR_TYPES
from workbench.gguf.inspection import inspect_path
from workbench.gguf.reader import read_gguf


def test_tiny_file_is_described(make_gguf: Callable[..., Path]) -> None:
    details = inspect_path(make_gguf())
    model = details.model
    assert (model.name, model.kind, model.format) == ("Tiny", "base", "gguf")
    assert (model.architecture, model.quantization, model.licence) == ("llama", "Q8_0", "Apache-2.0")
    assert model.parameters == 32 * 100 + 32
    assert model.bytes == Path(model.path).stat().st_size
    assert (model.context_tokens, details.layers, details.embedding_length) == (2048, 1, 32)
    assert (details.tokenizer, details.vocabulary) == ("gpt2 (smollm)", 100)
    assert "tokenizer.ggml.tokens" not in details.metadata
    assert details.metadata["general.name"] == "Tiny"


def test_a_chat_template_makes_a_chat_model(make_gguf: Callable[..., Path]) -> None:
    details = inspect_path(make_gguf(changes={"tokenizer.chat_template": "{{ messages }}"}))
    assert details.model.kind == "chat"
    assert details.chat_template == "{{ messages }}"


@pytest.mark.parametrize(
    "changes",
    [{"general.architecture": "nomic-bert"}, {"llama.pooling_type": 3, "tokenizer.chat_template": "x"}],
)
def test_embedders_are_told_apart(make_gguf: Callable[..., Path], changes: dict[str, object]) -> None:
    assert inspect_path(make_gguf(changes=changes)).model.kind == "embedder"


@pytest.mark.parametrize(
    ("file_type", "expected"),
    [(7, "Q8_0"), (15, "Q4_K_M"), (15 + 1024, "Q4_K_M"), (0, "Q8_0"), (None, "Q8_0"), (999, "Q8_0")],
)
def test_quantisation_is_as_declared_unless_the_weights_contradict(
    make_gguf: Callable[..., Path], file_type: int | None, expected: str
) -> None:
    assert inspect_path(make_gguf(changes={"general.file_type": file_type})).model.quantization == expected


def test_short_lists_are_kept_and_long_ones_counted(make_gguf: Callable[..., Path]) -> None:
    path = make_gguf(changes={"short": ["a", "b"], "long": list(range(100_000)), "nan": math.nan, "nested": [[1], [2]]})
    file = read_gguf(path)
    assert file.metadata["short"] == ["a", "b"]
    assert file.lengths["long"] == 100_000
    assert "long" not in file.metadata
    assert file.metadata["nan"] == "nan"
    assert file.lengths["nested"] == 2


def test_texts_longer_than_a_read_block_are_walked_over(make_gguf: Callable[..., Path]) -> None:
    texts = [f"{n}" + "x" * (n * 301) for n in range(200)]
    file = read_gguf(make_gguf(changes={"long": texts, "after": "found"}))
    assert file.metadata["after"] == "found"
    assert [text.decode() for text in file.texts("long")] == texts
    assert not list(file.texts("after"))


def test_version_2_and_other_alignments_are_read(make_gguf: Callable[..., Path]) -> None:
    file = read_gguf(make_gguf(changes={"general.alignment": 256}, version=2, alignment=256))
    assert file.version == 2
    assert len(file.tensors) == 2


def test_smollm_is_described(smollm_path: Path) -> None:
    details = inspect_path(smollm_path)
    model = details.model
    assert (model.kind, model.architecture, model.quantization) == ("chat", "llama", "Q4_1")
    assert (model.parameters, model.context_tokens, model.licence) == (134_515_008, 8192, "Apache-2.0")
    assert (details.vocabulary, details.tokenizer, details.layers) == (49_152, "gpt2 (smollm)", 30)
    assert "<|im_start|>" in details.chat_template


def test_gemma_is_described(gemma_path: Path) -> None:
    details = inspect_path(gemma_path)
    model = details.model
    assert (model.kind, model.architecture, model.quantization) == ("base", "gemma3", "Q4_K_M")
    assert (model.parameters, model.context_tokens) == (268_098_176, 32_768)
    assert model.licence == "Gemma Terms of Use"
    assert details.vocabulary == 262_144


def test_block_sizes_are_those_of_ggml() -> None:
    package = pytest.importorskip("llama_cpp")
    candidates = [p for p in (Path(package.__file__).parent / "lib").iterdir() if "ggml-base" in p.name]
    library = ctypes.CDLL(str(sorted(candidates)[0]))
    library.ggml_blck_size.restype = ctypes.c_int64
    library.ggml_type_size.restype = ctypes.c_size_t
    for number in range(43):
        block, size = library.ggml_blck_size(number), library.ggml_type_size(number)
        if block == 0:
            assert number in REMOVED_TENSOR_TYPES
        else:
            assert (TENSOR_TYPES[number].block, TENSOR_TYPES[number].bytes) == (block, size), number
