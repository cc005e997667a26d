"""Several collections searched as one."""

from __future__ import annotations

import msgspec
import pytest

from tests.fakes import FakeRetriever
from workbench.base.errors import UserError
from workbench.records.documents import Collection
from workbench.records.messages import Passage
from workbench.subjects.documents.joined_retriever import joined, merged


def passage(name: str, score: float, similarity: float) -> Passage:
    return Passage(
        collection="c", document=name, document_hash="h", path=f"/{name}.txt", title=name, start=0, end=4, text="text",
        score=score, similarity=similarity,
    )  # fmt: skip


def test_the_best_hit_of_a_far_collection_stands_below_the_good_ones_of_a_near_one() -> None:
    """Each search gives its best hit about the same score, also where it holds nothing of the matter."""
    near = [passage("a", 1.0, 0.7), passage("b", 0.9, 0.6)]
    far = [passage("x", 1.0, 0.1), passage("y", 0.4, 0.1)]
    assert [hit.document for hit in merged([far, near])] == ["a", "b", "x", "y"]


def test_a_hit_by_words_alone_is_kept_where_nothing_is_alike() -> None:
    assert [hit.document for hit in merged([[passage("a", 1.0, -0.1)], [], [passage("b", 0.5, 0.0)]])] == ["a", "b"]


def test_a_joined_retriever_answers_for_all_of_its_collections() -> None:
    papers = Collection(id="1", name="Papers", documents=2, chunks=5)
    attached = Collection(id="2", name="the attached files", documents=1, chunks=2, unfinished=True)
    first, second = [passage("a", 1.0, 0.5)], [passage("b", 1.0, 0.6)]
    both = joined(
        [
            FakeRetriever(first, results=[first], collection=papers),
            FakeRetriever(second, results=[second], collection=attached),
        ]
    )
    assert both.collection.name == "Papers and the attached files"
    assert (both.collection.documents, both.collection.unfinished) == (3, True)
    assert [hit.document for hit in both.search("text", 1).hits] == ["b"]
    assert both.count_terms("text").chunks >= 2
    with pytest.raises(UserError):
        both.document("nowhere")


def test_one_collection_is_searched_as_it_is() -> None:
    alone = FakeRetriever([passage("a", 1.0, 0.5)], collection=msgspec.convert({"id": "1", "name": "A"}, Collection))
    assert joined([alone]) is alone
