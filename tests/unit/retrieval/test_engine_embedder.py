"""Embedders computed by llama.cpp beside the same ones computed by sentence-transformers."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tiny_embedders import FAMILIES, TEXTS, write_embedder, write_json, write_modules
from workbench.base.errors import UserError
from workbench.gguf.sentence_folder import NotForEngineError
from workbench.techniques.retrieval.embedder_loading import EmbedderLoading
from workbench.techniques.retrieval.engine_embedder import EngineEmbedder
from workbench.techniques.retrieval.preparation import LAYERS, PREPARED_FILE, SPEEDS_FILE
from workbench.techniques.retrieval.sentence_embedder import SentenceEmbedder

pytestmark = pytest.mark.process

LEAST = 0.9999


def least_cosine(folder: Path, place: Path, texts: tuple[str, ...] = TEXTS) -> float:
    ours, theirs = EngineEmbedder(folder, place), SentenceEmbedder(folder, "")
    assert ours.fingerprint == theirs.fingerprint, "collections that were embedded by the other one stay as they are"
    assert (ours.dimensions, ours.max_tokens) == (theirs.dimensions, theirs.max_tokens)
    passages = (ours.embed_passages(texts) * theirs.embed_passages(texts)).sum(axis=1)
    queries = (ours.embed_queries(texts) * theirs.embed_queries(texts)).sum(axis=1)
    ours.close()
    return float(min(passages.min(), queries.min()))


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_is_computed_as_sentence_transformers_does(tmp_path: Path, family: str) -> None:
    folder = write_embedder(tmp_path / "m", family)
    assert least_cosine(folder, tmp_path / "home" / "m") >= LEAST


@pytest.mark.parametrize(
    "options",
    [
        {"pooling": "cls_token", "lower": True, "prompts": {"query": "question: ", "document": "the bread: "}},
        {"pooling": "lasttoken", "longest": 20, "prompts": {"passage": "the bread: "}},
        {"longest": None, "prompts": {"all": "the river: "}, "default_prompt_name": "all"},
    ],
    ids=str,
)
def test_pooling_prompts_and_length_are_those_of_the_folder(tmp_path: Path, options: dict[str, Any]) -> None:
    default = options.pop("default_prompt_name", None)
    folder = write_embedder(tmp_path / "m", "xlm-roberta", **options)
    if default:
        write_json(
            folder / "config_sentence_transformers.json",
            {"prompts": options["prompts"], "default_prompt_name": default},
        )
    assert least_cosine(folder, tmp_path / "home" / "m") >= LEAST


def test_a_model_that_was_saved_with_a_head_is_the_same(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = write_embedder(tmp_path / "m", "bert")
    with contextlib.closing(EngineEmbedder(folder, tmp_path / "home" / "plain")) as embedder:
        plain = embedder.embed_passages(TEXTS)
    weights = load_file(folder / "model.safetensors")
    save_file({f"bert.{name}": value for name, value in weights.items()}, folder / "model.safetensors")
    with contextlib.closing(EngineEmbedder(folder, tmp_path / "home" / "headed")) as embedder:
        again = embedder.embed_passages(TEXTS)
    assert np.allclose(plain, again, atol=1e-5)


def test_weights_of_16_bits_and_in_several_files_are_read(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder = write_embedder(tmp_path / "m", "bert")
    weights = load_file(folder / "model.safetensors")
    names = sorted(weights)
    weights = {name: weights[name].to((torch.float16, torch.bfloat16)[n % 2]) for n, name in enumerate(names)}
    parts = {"model-00001-of-00002.safetensors": names[:9], "model-00002-of-00002.safetensors": names[9:]}
    for part, held in parts.items():
        save_file({name: weights[name] for name in held}, folder / part)
    index = {"metadata": {}, "weight_map": {name: part for part, held in parts.items() for name in held}}
    write_json(folder / "model.safetensors.index.json", index)
    (folder / "model.safetensors").unlink()
    assert least_cosine(folder, tmp_path / "home" / "m") >= LEAST


def test_the_starter_keeps_its_vectors(minilm_path: Path, tmp_path: Path) -> None:
    texts = (*TEXTS, "Der Berliner Fernsehturm ist mit 368 Metern das höchste Bauwerk in Deutschland. " * 12)
    assert least_cosine(minilm_path, tmp_path / "home" / "m", texts) >= LEAST


def test_what_is_prepared_is_used_again_until_the_model_changes(tmp_path: Path) -> None:
    folder, place = write_embedder(tmp_path / "m", "bert"), tmp_path / "home" / "m"
    first = EngineEmbedder(folder, place)
    vectors = first.embed_passages(TEXTS)
    first.close()
    written = (place / LAYERS).stat().st_mtime_ns
    again = EngineEmbedder(folder, place)
    assert (place / LAYERS).stat().st_mtime_ns == written
    assert np.array_equal(again.embed_passages(TEXTS), vectors)
    again.close()

    shutil.rmtree(folder)
    write_embedder(folder, "bert", seed=7)
    other = EngineEmbedder(folder, place)
    assert other.fingerprint != first.fingerprint
    assert float((other.embed_passages(TEXTS) * vectors).sum(axis=1).min()) < 0.9
    other.close()
    assert not list(place.parent.glob(".unfinished-*"))


def test_a_home_of_another_machine_is_measured_again_and_damage_is_mended(tmp_path: Path) -> None:
    folder, place = write_embedder(tmp_path / "m", "bert"), tmp_path / "home" / "m"
    EngineEmbedder(folder, place).close()
    speeds = place.parent / SPEEDS_FILE
    plain = json.loads(speeds.read_text())
    assert set(plain["rates"]) == {"F32", "F16", "BF16"}
    write_json(speeds, {**plain, "machine": "another one", "rates": {"F32": 1.0}})
    (place / PREPARED_FILE).write_text("{")
    EngineEmbedder(folder, place).close()
    assert json.loads(speeds.read_text())["machine"] == plain["machine"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda f: write_modules(f, "mean_tokens", 64, ("Dense", "Normalize")), "Dense module"),
        (lambda f: write_modules(f, "max_tokens", 64), "pools by max_tokens"),
        (lambda f: _edit(f / "config.json", model_type="mpnet"), "family mpnet"),
        (lambda f: _edit(f / "config.json", hidden_act="relu"), "hidden_act relu"),
        (lambda f: _edit(f / "config.json", num_hidden_layers=4), r"no encoder\.layer\.3"),
        (lambda f: _edit(f / "config.json", num_hidden_layers=2), r"no place for its weights encoder\.layer\.2"),
        (lambda f: _edit(f / "config.json", quantization_config={"quant_method": "gptq"}), "quantised"),
        (lambda f: _edit(f / "tokenizer_config.json", truncation_side="left"), "beginnings"),
        (lambda f: (f / "tokenizer.json").unlink(), r"tokenizer\.json"),
    ],
)
def test_what_llama_cpp_cannot_compute_is_left_to_the_other_way(tmp_path: Path, change: Any, reason: str) -> None:
    folder = write_embedder(tmp_path / "m", "bert")
    change(folder)
    with pytest.raises(NotForEngineError, match=reason):
        EngineEmbedder(folder, tmp_path / "home" / "m")
    assert not (tmp_path / "home" / "m").exists()
    EmbedderLoading(tmp_path / "home").prepare(folder)  # nothing to make ahead, and no error


def test_a_dense_module_is_computed_by_sentence_transformers(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Dense

    folder = write_embedder(tmp_path / "m", "bert")
    model = SentenceTransformer(str(folder), device="cpu")
    model.insert(2, Dense(64, 24)) if hasattr(model, "insert") else model.add_module("3", Dense(64, 24))
    model.save(str(tmp_path / "dense"))
    embedder = EmbedderLoading(tmp_path / "home").load(tmp_path / "dense")
    assert isinstance(embedder, SentenceEmbedder)
    assert embedder.embed_passages(TEXTS).shape == (len(TEXTS), 24)


def test_without_the_packages_of_training_the_error_says_why_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_embedder(tmp_path / "m", "bert")
    write_modules(folder, "max_tokens", 64)
    monkeypatch.setattr("workbench.base.training_environment._is_own", lambda name: False)
    with pytest.raises(UserError, match=r"pools by max_tokens, needs packages .* torch") as failure:
        EmbedderLoading(tmp_path / "home").load(folder)
    assert "Set up training" in failure.value.hint


def test_a_tokenizer_with_more_tokens_than_word_vectors_is_left_to_the_other_way(tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    folder = write_embedder(tmp_path / "m", "bert")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.add_tokens(["zeppelin"])
    tokenizer.save(str(folder / "tokenizer.json"))
    with pytest.raises(NotForEngineError, match="more tokens"):
        EngineEmbedder(folder, tmp_path / "home" / "m")


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("tokenizer.json", "{}", r"tokenizer\.json cannot be read"),
        ("config.json", "[", r"config\.json is damaged"),
        ("modules.json", "3", r"modules\.json is damaged"),
        ("model.safetensors", "", r"model\.safetensors is empty"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, file: str, content: str, message: str) -> None:
    folder = write_embedder(tmp_path / "m", "bert")
    (folder / file).write_text(content)
    with pytest.raises(UserError, match=message):
        EngineEmbedder(folder, tmp_path / "home" / "m")
    assert not list((tmp_path / "home").glob("*m*"))


def test_a_folder_that_is_no_embedder_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no modules\.json"):
        EmbedderLoading(tmp_path / "home").load(tmp_path)


def _edit(path: Path, **changes: Any) -> None:
    write_json(path, {**json.loads(path.read_text("utf-8")), **changes})
