"""Sound safetensors folders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.gguf.inspection import inspect_path
from workbench.gguf.licences import spell_licence


def test_folder_is_described(make_folder: Callable[..., Path]) -> None:
    folder = make_folder(**{"README.md": "---\nlicense: apache-2.0\ntags: [x]\n---\n# Tiny\n"})
    details = inspect_path(folder)
    model = details.model
    assert (model.name, model.kind, model.format) == ("Tiny-Llama", "base", "safetensors")
    assert (model.architecture, model.parameters, model.quantization) == ("llama", 32, "BF16")
    assert (model.context_tokens, model.licence) == (4096, "Apache-2.0")
    assert (details.vocabulary, details.layers, details.embedding_length) == (100, 2, 16)
    assert [Path(f).name for f in model.files] == ["README.md", "config.json", "model.safetensors", "tokenizer.json"]
    assert model.bytes == sum(Path(f).stat().st_size for f in model.files)


@pytest.mark.parametrize(
    "files",
    [
        {"chat_template.jinja": "{{ x }}"},
        {"tokenizer_config.json": '{"chat_template": "{{ x }}"}'},
        {"tokenizer_config.json": '{"chat_template": [{"name": "default", "template": "{{ x }}"}]}'},
        {"chat_template.json": '{"chat_template": "{{ x }}"}'},
    ],
)
def test_chat_templates_are_found(make_folder: Callable[..., Path], files: dict[str, str]) -> None:
    details = inspect_path(make_folder(**files))
    assert (details.model.kind, details.chat_template) == ("chat", "{{ x }}")
    assert not details.model.thinking


def test_weights_in_several_files_are_added(
    make_folder: Callable[..., Path], safetensors: Callable[..., bytes]
) -> None:
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    folder = make_folder(
        **{
            "model.safetensors": None,
            "model-1.safetensors": safetensors({"a": ("F16", (10,), 20)}),
            "model-2.safetensors": safetensors({"b": ("F32", (2, 3), 24)}),
            "model.safetensors.index.json": json.dumps(index),
        }
    )
    model = inspect_path(folder).model
    assert (model.parameters, model.quantization) == (16, "F32")


def test_pickles_beside_safetensors_are_left_out(make_folder: Callable[..., Path]) -> None:
    model = inspect_path(make_folder(**{"pytorch_model.bin": "x", "modeling_tiny.py": "x"})).model
    assert not [f for f in model.files if f.endswith((".bin", ".py"))]


def test_packed_weights_are_counted_as_what_they_stand_for(
    make_folder: Callable[..., Path], safetensors: Callable[..., bytes]
) -> None:
    folder = make_folder(
        **{
            "config.json": '{"model_type": "llama", "quantization_config": {"quant_method": "gptq", "bits": 4}}',
            "model.safetensors": safetensors({"w": ("I32", (10,), 40), "norm": ("F16", (3,), 6)}),
        }
    )
    model = inspect_path(folder).model
    assert (model.parameters, model.quantization) == (83, "GPTQ 4-bit")


@pytest.mark.parametrize(
    ("files", "licence"),
    [
        ({"LICENSE": "MIT License\n\nCopyright"}, "MIT"),
        ({"README.md": "---\nlicense: other\nlicense_name: tiny-terms\n---\n"}, "tiny-terms"),
        ({"README.md": "# license: mit"}, ""),
    ],
)
def test_licence_is_read(make_folder: Callable[..., Path], files: dict[str, str], licence: str) -> None:
    assert inspect_path(make_folder(**files)).model.licence == licence


def test_sentence_transformer_is_an_embedder(minilm_path: Path) -> None:
    details = inspect_path(minilm_path)
    model = details.model
    assert (model.name, model.kind, model.architecture) == ("all-MiniLM-L6-v2", "embedder", "bert")
    assert (model.parameters, model.quantization, model.context_tokens) == (22_713_728, "F32", 256)
    assert (details.embedding_length, details.vocabulary) == (384, 30_522)
    assert any(f.endswith("1_Pooling/config.json") for f in (Path(f).as_posix() for f in model.files))


def test_licences_are_spelled_as_usual() -> None:
    spelled = [spell_licence(n) for n in ("apache-2.0", "MIT", "cc-by-4.0", "other", "my own")]
    assert spelled == ["Apache-2.0", "MIT", "CC-BY-4.0", "", "my own"]
