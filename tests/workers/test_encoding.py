"""Embedding and reranking GGUF models in the real inference worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.bert_gguf import write_bert
from workbench.base.errors import UserError
from workbench.engine.inference_calls import Embed, Rank
from workbench.processes.host import WorkerHost


@pytest.fixture
def worker() -> Iterator[WorkerHost]:
    host = WorkerHost("inference")
    yield host
    host.stop()


def test_one_encoder_follows_another_and_a_wrong_one_is_refused(
    worker: WorkerHost, minilm_path: Path, smollm_path: Path, tmp_path: Path
) -> None:
    embedder = write_bert(minilm_path, tmp_path / "embedder.gguf", None)
    head = (np.full((1, 384), 0.05, np.float32), np.zeros(1, np.float32))
    reranker = write_bert(minilm_path, tmp_path / "reranker.gguf", head)
    texts = tuple(f"text number {n}" for n in range(70))
    vectors = worker.call(Embed(path=str(embedder), texts=texts)).vectors
    assert np.asarray(vectors).shape == (70, 384)
    scores = worker.call(Rank(path=str(reranker), query="which?", documents=texts[:3])).scores
    assert len(scores) == 3
    with pytest.raises(UserError, match="text generation model"):
        worker.call(Embed(path=str(smollm_path), texts=texts))
    with pytest.raises(UserError, match=r"gone\.gguf"):
        worker.call(Embed(path=str(tmp_path / "gone.gguf"), texts=texts))
    again = worker.call(Embed(path=str(embedder), texts=texts[:1]))
    assert again.vectors[0] == pytest.approx(vectors[0], abs=1e-3)
    assert worker.call(Embed(path=str(embedder), texts=())).vectors == ()
