"""The shipped LoRAs: what llama.cpp computes with them beside the same in torch, and what is read together."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tiny_embedders import SIZES, write_embedder
from workbench.engine.vector_encoder import VectorEncoder
from workbench.gguf.safetensors import SafetensorsFile
from workbench.techniques.retrieval import cross_encoder, engine_embedder, question_encoder, shipped_lora
from workbench.techniques.retrieval.engine_embedder import EngineEmbedder
from workbench.techniques.retrieval.preparation import fingerprint

RANK = 8
WIDTH, INNER = SIZES["hidden_size"], SIZES["intermediate_size"]
SHAPES = {
    "query": (WIDTH, WIDTH),
    "key": (WIDTH, WIDTH),
    "value": (WIDTH, WIDTH),
    "attention": (WIDTH, WIDTH),
    "up": (WIDTH, INNER),
    "down": (INNER, WIDTH),
}
PLACES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention": "attention.output.dense",
    "up": "intermediate.dense",
    "down": "output.dense",
}
QUESTION = "how is the bread?"
PASSAGES = (
    ("bread", "the bread was slowly in the tower", "", "a boat"),
    ("", "the river flows under the bridge and the music is over"),
)


def write_weights(path: Path, layers: tuple[int, ...]) -> None:
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(3)
    found = {"head.weight": torch.randn(1, WIDTH), "head.bias": torch.tensor([0.25])}
    for layer in layers:
        for name, (into, out) in SHAPES.items():
            found[f"{layer}.{name}.a"] = torch.randn(RANK, into) * 0.1
            found[f"{layer}.{name}.b"] = torch.randn(out, RANK) * 0.1
    save_file(found, path)


def model_of(folder: Path, weights: Path) -> tuple[Any, Any]:
    """The model in torch with the LoRA in its weights, and the weights of the file."""
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModel

    model: Any = AutoModel.from_pretrained(folder)
    read = load_file(weights)
    with torch.no_grad():
        for name, value in read.items():
            if name.endswith(".a"):
                layer, part, _ = name.split(".")
                matrix = model.encoder.layer[int(layer)].get_submodule(PLACES[part])
                matrix.weight += 2.0 * read[f"{layer}.{part}.b"] @ value
    return model, read


def scores_by_torch(folder: Path, weights: Path, texts: list[cross_encoder.Text]) -> list[float]:
    import torch

    model, read = model_of(folder, weights)
    with torch.no_grad():
        found: list[float] = []
        for text in texts:
            states = model(input_ids=torch.tensor([text.ids])).last_hidden_state[0]
            means = [states[start:end].mean(dim=0) for _, start, end in text.parts]
            found += [float(mean @ read["head.weight"][0] + read["head.bias"][0]) for mean in means]
        return found


def ship(module: Any, weights: Path, number_format: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have ``module`` ship these weights for the embedder in ``folder``."""
    lora = shipped_lora.ShippedLora("shipped")
    lora.weights = SafetensorsFile(weights)
    if module is cross_encoder:
        monkeypatch.setitem(cross_encoder.LORAS, "tables", lora)
    else:
        monkeypatch.setattr(module, "LORA", lora)
    monkeypatch.setattr(engine_embedder, "EMBEDDER", fingerprint(folder))
    monkeypatch.setattr(engine_embedder, "layer_format", lambda of_embedder: number_format)


@pytest.mark.process
@pytest.mark.parametrize(("number_format", "near"), [("F32", 0.05), ("Q8_0", 0.15)])
def test_llama_cpp_computes_the_lora_as_torch_does(
    number_format: str, near: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_embedder(tmp_path / "m", "bert", prompts={"query": "question: ", "document": "text: "})
    write_weights(tmp_path / "weights.safetensors", (1, 2))
    ship(cross_encoder, tmp_path / "weights.safetensors", number_format, folder, monkeypatch)
    cross_encoder.read_head.cache_clear()
    try:
        with contextlib.closing(EngineEmbedder(folder, tmp_path / "home")) as embedder:
            plain = embedder.embed_passages([QUESTION])
            first, second = found = embedder.cross_encode(QUESTION, PASSAGES, "tables")
            assert np.allclose(plain, embedder.embed_passages([QUESTION]), atol=1e-6), (
                "vectors are those without the adapter"
            )
            again = embedder.cross_encode(QUESTION, PASSAGES, "tables")
            assert all(one == pytest.approx(other, abs=1e-4) for one, other in zip(found, again, strict=True))
            around = embedder.tokens.ids("", 2)
            asked = embedder.tokens.plain_ids(f"question: {QUESTION}")
            texts = [
                text
                for context, *parts in PASSAGES
                for text in cross_encoder.read_together(
                    asked,
                    embedder.tokens.plain_ids(f"text: {context}"),
                    [embedder.tokens.plain_ids(part) for part in parts],
                    around,
                )
            ]
    finally:
        cross_encoder.read_head.cache_clear()
    expected = scores_by_torch(folder, tmp_path / "weights.safetensors", texts)
    assert max(expected) - min(expected) > 0.1
    assert first[1] == cross_encoder.EMPTY_PART
    assert [first[0], first[2], *second] == pytest.approx(expected, abs=near)


@pytest.mark.process
def test_a_passage_is_read_by_every_number_of_threads_before_the_fastest_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    folder = write_embedder(tmp_path / "m", "bert")
    write_weights(tmp_path / "weights.safetensors", (1, 2))
    ship(cross_encoder, tmp_path / "weights.safetensors", "F32", folder, monkeypatch)
    used: list[int] = []
    use = VectorEncoder.use_threads

    def noted(encoder: VectorEncoder, threads: int) -> None:
        used.append(threads)
        use(encoder, threads)

    monkeypatch.setattr(VectorEncoder, "use_threads", noted)
    cross_encoder.read_head.cache_clear()
    try:
        with contextlib.closing(EngineEmbedder(folder, tmp_path / "home")) as embedder:
            used.clear()
            embedder.cross_encode(QUESTION, PASSAGES, "tables")
    finally:
        cross_encoder.read_head.cache_clear()
    assert used == [1, 2]


@pytest.mark.process
def test_a_search_takes_both_vectors_of_a_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    folder = write_embedder(tmp_path / "m", "bert", prompts={"query": "question: ", "document": "text: "})
    write_weights(tmp_path / "weights.safetensors", (1, 2))
    ship(question_encoder, tmp_path / "weights.safetensors", "F32", folder, monkeypatch)
    with contextlib.closing(EngineEmbedder(folder, tmp_path / "home")) as embedder:
        (plain,) = embedder.embed_queries([QUESTION])
        (searched,) = embedder.embed_searches([QUESTION], plain[None])
        assert np.allclose(plain, embedder.embed_queries([QUESTION])[0], atol=1e-6)
        ids = embedder.tokens.ids(f"question: {QUESTION}", 100)
    model, _ = model_of(folder, tmp_path / "weights.safetensors")
    with torch.no_grad():
        mean = model(input_ids=torch.tensor([ids])).last_hidden_state[0].mean(dim=0).numpy()
    expected = 0.4 * plain + 0.6 * mean / np.linalg.norm(mean)
    assert plain @ searched < 0.999
    assert searched == pytest.approx(expected / np.linalg.norm(expected), abs=0.02)


@pytest.mark.process
def test_another_embedder_has_none(tmp_path: Path) -> None:
    folder = write_embedder(tmp_path / "m", "bert")
    with contextlib.closing(EngineEmbedder(folder, tmp_path / "home")) as embedder:
        assert embedder.cross_encode(QUESTION, PASSAGES) == ()
        plain = embedder.embed_queries([QUESTION])
        assert embedder.embed_searches([QUESTION], plain) is plain
    assert not list((tmp_path / "home").glob("*_encoder*"))


def test_the_layers_of_an_earlier_release_are_deleted(tmp_path: Path) -> None:
    earlier, other = tmp_path / "cross_encoder_00000000_q8_0.gguf", tmp_path / "layers.gguf"
    earlier.touch()
    other.touch()
    lora = cross_encoder.LORAS["sentences"]
    written = lora.prepared(tmp_path, "Q8_0", Path.touch)
    assert sorted(tmp_path.iterdir()) == sorted((written, other))
    earlier.touch()
    assert lora.prepared(tmp_path, "Q8_0", Path.touch) == written
    assert earlier.exists(), "nothing was written"


def test_a_lora_of_8_bit_integers_adds_the_product_of_its_scaled_matrices(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    chance = np.random.default_rng(3)
    stored: dict[str, Any] = {}
    products = []
    for part in ("query", "key", "value"):
        a, b = (chance.integers(-127, 128, shape, dtype=np.int8) for shape in ((3, WIDTH), (WIDTH, 3)))
        scale = chance.random(3, np.float32)
        stored |= {f"1.{part}.a": a, f"1.{part}.b": b, f"1.{part}.scale": scale}
        products.append(sum(scale[n] * np.outer(b[:, n].astype(float), a[n].astype(float)) for n in range(3)))
    save_file(stored, tmp_path / "weights.safetensors")
    lora = shipped_lora.ShippedLora("shipped")
    lora.weights = SafetensorsFile(tmp_path / "weights.safetensors")
    before = np.ones((3 * WIDTH, WIDTH), np.float32)
    assert np.allclose(lora.added("blk.1.attn_qkv.weight", before), 1 + 2.0 * np.concatenate(products), atol=0.1)
    assert lora.added("blk.1.ffn_up.weight", before) is before


def test_it_is_in_8_bits_but_where_bf16_is_the_fastest() -> None:
    assert [shipped_lora.layer_format(kind) for kind in ("F32", "F16", "BF16")] == ["Q8_0", "Q8_0", "BF16"]


def test_question_context_and_parts_are_cut_to_what_it_has_learnt() -> None:
    (text,) = cross_encoder.read_together(range(10, 200), range(300, 400), [range(500, 900)], (0, 2))
    before = 1 + cross_encoder.QUESTION_TOKENS + 2 + cross_encoder.CONTEXT_TOKENS
    assert text.ids[0] == 0
    assert text.ids[65:67] == [2, 2]
    assert text.parts == [(0, before, before + cross_encoder.PART_TOKENS)]
    assert text.ids[-2:] == [500 + cross_encoder.PART_TOKENS - 1, 2]
    short = cross_encoder.read_together([7], [3], [[8, 9], [], [4]], (0, 2))
    assert short == [cross_encoder.Text([0, 7, 2, 2, 3, 8, 9, 4, 2], [(0, 5, 7), (2, 7, 8)])]
    assert cross_encoder.read_together([7], [3], [], (0, 2)) == []


def test_a_long_passage_is_read_in_several_texts() -> None:
    parts = [[number] * 100 for number in range(9)]
    texts = cross_encoder.read_together([7], [3], parts, (0, 2))
    assert [number for text in texts for number, _, _ in text.parts] == list(range(9))
    assert all(len(text.ids) <= cross_encoder.TEXT_TOKENS for text in texts)
    for text in texts:
        assert text.ids[:5] == [0, 7, 2, 2, 3]
        assert all(text.ids[start:end] == parts[number] for number, start, end in text.parts)


@pytest.mark.parametrize(
    ("lora", "first_layer", "rank"),
    [(question_encoder.LORA, 4, 8), (cross_encoder.LORAS["sentences"], 0, 12), (cross_encoder.LORAS["tables"], 4, 8)],
    ids=lambda value: getattr(value, "name", None),
)
def test_the_weights_that_are_shipped_fit_the_embedder(
    lora: shipped_lora.ShippedLora, first_layer: int, rank: int
) -> None:
    names = lora.weights.names()
    assert sorted({int(name.split(".")[0]) for name in names if name[0].isdigit()}) == list(range(first_layer, 12))
    assert lora.weights.shape("11.query.a") == (rank, 384)
    assert lora.weights.shape("11.up.b") == (1536, rank)


@pytest.mark.parametrize("reader", cross_encoder.LORAS)
def test_each_cross_encoder_has_a_head(reader: cross_encoder.Reader) -> None:
    assert len(cross_encoder.read_head(reader).weights) == 384
