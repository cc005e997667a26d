"""GGUF embedders and rerankers against torch, on all-MiniLM-L6-v2 written as GGUF."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.bert_gguf import write_bert
from workbench.base.errors import UserError
from workbench.engine.encoding import Encoder, open_encoder
from workbench.engine.library import llama
from workbench.gguf.inspection import inspect_path

TEXTS = [
    "A heron stands in the shallows.",
    "The bird waits at the edge of the lake, quite still.",
    "Interest rates were raised by half a point on Thursday.",
    "",
    "naïve café, 東京 42!",
    "The Python language has no braces. " * 20,
]
QUERY = "Which bird fishes at the shore?"


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
    found, count = embedder.embed(TEXTS)
    assert [vector.shape for vector in found] == [(384,)] * len(TEXTS)
    assert [float(np.linalg.norm(vector)) for vector in found] == pytest.approx([1.0] * len(TEXTS), abs=1e-5)
    assert min(float(a @ b) for a, b in zip(found, expected, strict=True)) > 0.999
    ids = [[int(one) for one in torch_model.tokenizer(text)["input_ids"]] for text in TEXTS]
    assert count == sum(map(len, ids))
    (by_ids,), _ = embedder.embed([ids[0][1:-1]])
    assert float(by_ids @ found[0]) > 0.9999
    with pytest.raises(UserError, match="no token 30522"):
        embedder.embed([[12, 30_522]])


def test_a_text_has_the_same_vector_in_any_company(embedder: Encoder) -> None:
    many = [f"{TEXTS[n % 3]} {n}" for n in range(70)]
    together, _ = embedder.embed(many)
    for place in (0, 31, 32, 69):
        assert float(together[place] @ embedder.embed([many[place]])[0][0]) > 0.9999
    assert embedder.embed([]) == ([], 0)


def test_what_is_too_long_is_cut_at_the_models_context(embedder: Encoder) -> None:
    assert embedder.longest == 512
    begun = "word " * 510
    (long, cut), _ = embedder.embed([begun + "and something quite different about rivers " * 300, begun])
    assert float(long @ cut) > 0.9999


def test_scores_are_those_of_torch(
    reranker: Encoder, minilm_path: Path, head: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(minilm_path)
    model = AutoModel.from_pretrained(minilm_path, dtype=torch.float32).eval()
    expected, read = [], 0
    for text in TEXTS[:5]:
        tokens = tokenizer(QUERY, text, return_tensors="pt")
        read += tokens["input_ids"].shape[1]
        tokens["token_type_ids"].zero_()  # llama.cpp takes everything for the first text
        with torch.no_grad():
            first = model(**tokens).last_hidden_state[0, 0].numpy()
        expected.append(float(head[0][0] @ first + head[1][0]))
    found, count = reranker.rank(QUERY, TEXTS[:5])
    assert count == pytest.approx(read, abs=1)  # one character is split otherwise
    # llama.cpp computes GELU from a table of half precision
    assert found == pytest.approx(expected, abs=0.01)
    assert np.ptp(expected) > 0.2
    assert len(reranker.rank(QUERY, ["long " * 3_000])[0]) == 1


@pytest.mark.parametrize("template", ["{query} in {document}?", "is {document} about {query}?"])
def test_a_template_says_where_query_and_document_stand(
    reranker: Encoder, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llama, "llama_model_chat_template", lambda *_: template.encode())
    written = reranker._vocabulary.text(reranker._pair_maker("boats")("fish"))
    assert written.split() == template.format(query="boats", document="fish").replace("?", " ?").split()


def test_each_kind_refuses_what_it_cannot_do(embedder: Encoder, reranker: Encoder, smollm_path: Path) -> None:
    with pytest.raises(UserError, match="no classification head"):
        embedder.rank(QUERY, TEXTS)
    with pytest.raises(UserError, match="reranking model"):
        reranker.embed(TEXTS)
    with pytest.raises(UserError, match="text generation model"):
        open_encoder(smollm_path, 2)


def test_the_catalogue_knows_them_for_what_they_are(embedder_path: Path, reranker_path: Path) -> None:
    assert inspect_path(embedder_path).model.kind == "embedder"
    assert inspect_path(reranker_path).model.kind == "embedder"
