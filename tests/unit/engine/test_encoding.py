"""GGUF embedders and rerankers against torch, on all-MiniLM-L6-v2 written as GGUF."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt
import pytest
from safetensors.numpy import load_file

from workbench.engine.encoding import Encoder, open_encoder
from workbench.errors import UserError
from workbench.models.inspection import inspect_path

TEXTS = [
    "A heron stands in the shallows.",
    "The bird waits at the edge of the lake, quite still.",
    "Interest rates were raised by half a point on Thursday.",
    "",
    "naïve café, 東京 42!",
    "The Python language has no braces. " * 20,
]
QUERY = "Which bird fishes at the shore?"


def write_bert(folder: Path, out: Path, head: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None) -> Path:
    """A sentence-transformers BERT as llama.cpp's converter writes it. ``head``: weight (1, width) and bias (1,)."""
    config = json.loads((folder / "config.json").read_text())
    words = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    writer = gguf.GGUFWriter(out, "bert")
    writer.add_name("MiniLM")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.RANK if head else gguf.PoolingType.MEAN)
    writer.add_token_type_count(config["type_vocab_size"])
    tokens = sorted(words, key=words.__getitem__)
    special = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([t if t in special else t[2:] if t.startswith("##") else "\u2581" + t for t in tokens])
    writer.add_token_types([gguf.TokenType.CONTROL if t in special else gguf.TokenType.NORMAL for t in tokens])
    writer.add_bos_token_id(words["[CLS]"])
    writer.add_sep_token_id(words["[SEP]"])
    writer.add_pad_token_id(words["[PAD]"])
    writer.add_unk_token_id(words["[UNK]"])
    writer.add_mask_token_id(words["[MASK]"])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, config["num_hidden_layers"])
    for name, weight in load_file(folder / "model.safetensors").items():
        stem, _, end = name.rpartition(".")
        if end == "position_ids" or stem.startswith("pooler"):
            continue
        writer.add_tensor(f"{names.get_name(stem)}.{end}", weight.astype(np.float32))
    if head:
        writer.add_tensor("cls.output.weight", head[0])
        writer.add_tensor("cls.output.bias", head[1])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out


@pytest.fixture(scope="module")
def embedder_path(minilm_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bert(minilm_path, tmp_path_factory.mktemp("embedder") / "minilm.gguf", None)


@pytest.fixture(scope="module")
def head() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    rng = np.random.default_rng(7)
    weight = rng.normal(size=(1, 384))
    return (weight / np.linalg.norm(weight)).astype(np.float32), rng.normal(size=(1,)).astype(np.float32)


@pytest.fixture(scope="module")
def reranker_path(
    minilm_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    head: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]],
) -> Path:
    return write_bert(minilm_path, tmp_path_factory.mktemp("reranker") / "reranker.gguf", head)


@pytest.fixture(scope="module")
def embedder(embedder_path: Path) -> Iterator[Encoder]:
    encoder = open_encoder(embedder_path, 2)
    yield encoder
    encoder.close()


@pytest.fixture(scope="module")
def reranker(reranker_path: Path) -> Iterator[Encoder]:
    encoder = open_encoder(reranker_path, 2)
    yield encoder
    encoder.close()


def test_vectors_are_those_of_sentence_transformers(embedder: Encoder, minilm_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    torch_model = SentenceTransformer(str(minilm_path), device="cpu")
    expected = torch_model.encode(TEXTS, normalize_embeddings=True)
    found = embedder.embed(TEXTS)
    assert [vector.shape for vector in found] == [(384,)] * len(TEXTS)
    assert [float(np.linalg.norm(vector)) for vector in found] == pytest.approx([1.0] * len(TEXTS), abs=1e-5)
    assert min(float(a @ b) for a, b in zip(found, expected, strict=True)) > 0.999


def test_a_text_has_the_same_vector_in_any_company(embedder: Encoder) -> None:
    many = [f"{TEXTS[n % 3]} {n}" for n in range(70)]
    together = embedder.embed(many)
    for place in (0, 31, 32, 69):
        assert float(together[place] @ embedder.embed([many[place]])[0]) > 0.9999
    assert embedder.embed([]) == []


def test_what_is_too_long_is_cut_at_the_models_context(embedder: Encoder) -> None:
    assert embedder.longest == 512
    begun = "word " * 510
    long, cut = embedder.embed([begun + "and something quite different about rivers " * 300, begun])
    assert float(long @ cut) > 0.9999


def test_scores_are_those_of_torch(
    reranker: Encoder, minilm_path: Path, head: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(minilm_path)
    model = AutoModel.from_pretrained(minilm_path, dtype=torch.float32).eval()
    expected = []
    for text in TEXTS[:5]:
        tokens = tokenizer(QUERY, text, return_tensors="pt")
        tokens["token_type_ids"].zero_()  # llama.cpp takes everything for the first text
        with torch.no_grad():
            first = model(**tokens).last_hidden_state[0, 0].numpy()
        expected.append(float(head[0][0] @ first + head[1][0]))
    found = reranker.rank(QUERY, TEXTS[:5])
    # llama.cpp computes GELU from a table of half precision
    assert found == pytest.approx(expected, abs=0.01)
    assert np.ptp(expected) > 0.2
    assert len(reranker.rank(QUERY, ["long " * 3_000])) == 1


def test_each_kind_refuses_what_it_cannot_do(embedder: Encoder, reranker: Encoder, smollm_path: Path) -> None:
    with pytest.raises(UserError, match="no classification head"):
        embedder.rank(QUERY, TEXTS)
    with pytest.raises(UserError, match="reranking model"):
        reranker.embed(TEXTS)
    with pytest.raises(UserError, match="answers in text"):
        open_encoder(smollm_path, 2)


def test_the_catalogue_knows_them_for_what_they_are(embedder_path: Path, reranker_path: Path) -> None:
    assert inspect_path(embedder_path).model.kind == "embedder"
    assert inspect_path(reranker_path).model.kind == "embedder"
