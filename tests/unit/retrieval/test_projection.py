from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.unit.retrieval.fakes import FakeEmbedder
from tests.unit.retrieval.test_index import entry
from tests.unit.retrieval.test_search import FOLDER, TEXTS, index
from workbench.records.similarity import PassageMap
from workbench.techniques.retrieval.embedding import EmbeddingQueue
from workbench.techniques.retrieval.index import CollectionIndex
from workbench.techniques.retrieval.projection import plane_of, project_passages
from workbench.techniques.retrieval.search import search

__all__ = ["index"]
QUESTION = "Where does the lighthouse keeper live?"


@pytest.fixture
def project(index: CollectionIndex) -> Callable[..., PassageMap]:
    embedder = FakeEmbedder()
    queue = EmbeddingQueue(lambda folder: embedder)
    return lambda query, limit=3, most=240: project_passages(index, queue, FOLDER, "c", query, limit, most)


def test_the_best_passages_are_those_of_a_search_with_the_parts_of_their_scores(
    index: CollectionIndex, project: Callable[..., PassageMap]
) -> None:
    index.put(entry("/a.txt", *TEXTS))
    found = project(QUESTION)
    queue = EmbeddingQueue(lambda folder: FakeEmbedder())
    hits = search(index, queue, FOLDER, "c", QUESTION, 3).hits
    assert [one.passage.text for one in found.best] == [hit.text for hit in hits]
    for one, hit in zip(found.best, hits, strict=True):
        assert one.passage.score == hit.score == pytest.approx(one.words + one.feedback)
        assert found.points[one.point].text == hit.text
        assert found.points[one.point].similarity == pytest.approx(hit.similarity)
        assert not one.by_version
    assert found.best[0].words > 0
    assert sorted(one.rank_before for one in found.best)[0] == 1


def test_no_more_points_than_asked_for_and_the_best_among_them(
    index: CollectionIndex, project: Callable[..., PassageMap]
) -> None:
    index.put(entry("/a.txt", *(f"Ships in the harbour {number}" for number in range(40)), TEXTS[0]))
    found = project(QUESTION, 1, 10)
    assert len(found.points) == 10
    assert found.passages == 41
    assert found.points[found.best[0].point].text == TEXTS[0]


def test_the_version_of_a_document_that_is_asked_for_is_named_as_the_reason(
    index: CollectionIndex, project: Callable[..., PassageMap]
) -> None:
    index.put(entry("/rules-2024.txt", "The fee of the harbour is 40 euros."))
    index.put(entry("/rules-2026.txt", "The fee of the harbour is 50 euros a year."))
    found = project("What is the fee of the harbour?")
    assert [Path(one.passage.path).name for one in found.best] == ["rules-2026.txt", "rules-2024.txt"]
    assert any(one.by_version for one in found.best)


def test_an_empty_collection_and_an_empty_question_have_no_points(
    index: CollectionIndex, project: Callable[..., PassageMap]
) -> None:
    assert project(QUESTION).points == ()
    index.put(entry("/a.txt", *TEXTS))
    assert project("  ").points == ()


def test_the_plane_is_the_one_in_which_the_vectors_differ_most() -> None:
    random = np.random.default_rng(3)
    plane = random.normal(size=(50, 2)) * (5, 2)
    turned = np.linalg.qr(random.normal(size=(8, 8)))[0][:2]
    vectors = plane @ turned + 0.001 * random.normal(size=(50, 8))
    places, shown = plane_of(vectors)
    assert shown > 0.999
    assert np.abs(places).max() == pytest.approx(1.0)
    distances = np.linalg.norm(vectors[0] - vectors[1:], axis=1)
    drawn = np.linalg.norm(places[0] - places[1:], axis=1)
    assert np.corrcoef(distances, drawn)[0, 1] > 0.9999
    assert np.array_equal(places, plane_of(vectors)[0])


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_vectors_have_places_too(count: int) -> None:
    places, _ = plane_of(np.eye(3)[:count])
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()
