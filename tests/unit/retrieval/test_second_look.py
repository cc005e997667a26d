"""Which passages the cross-encoder reads, and which of their sentences are chosen from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.fakes import FakeRetriever, passage
from workbench.records.messages import Passage
from workbench.techniques.retrieval.second_look import (
    CHOICE_NAMES,
    PASSAGES,
    PASSAGES_IN_OTHER,
    Looked,
    choice_features,
    look_again,
    passages_to_read,
)
from workbench.techniques.retrieval.sentence_columns import COLUMN
from workbench.techniques.retrieval.sentence_features import Tabled, embed, tabulate

QUESTION = "What does the pump weigh?"
NOTES = [passage(f"The pump of hall {n} is green. Its hose is dry.", f"{n}.txt", score=1 - n / 10) for n in range(7)]
READ = CHOICE_NAMES.index("read")


class Reader(FakeRetriever):
    """A collection whose cross-encoder finds one word."""

    def __init__(self, passages: list[Passage], word: str) -> None:
        super().__init__(passages)
        self._word = word

    def cross_encode(self, question: str, passages: list[list[str]]) -> list[list[float]]:
        return [[4.0 if self._word in part else -3.0 for part in parts] for _, *parts in passages]


class Counting(Reader):
    """It notes how many passages it is given to read."""

    def __init__(self, passages: list[Passage], word: str) -> None:
        super().__init__(passages, word)
        self.counts: list[int] = []

    def cross_encode(self, question: str, passages: list[list[str]]) -> list[list[float]]:
        self.counts.append(len(passages))
        return super().cross_encode(question, passages)


def tabled(passages: list[Passage] = NOTES) -> Tabled:
    return tabulate(QUESTION, passages, FakeRetriever(passages))


def scores_of(of: Tabled, best: int) -> np.ndarray:
    """The sentences of the passage of that rank are the best, those of the later ones follow."""
    return np.array([9.0 if unit.rank == best else float(unit.rank) for unit in of.candidates])


def test_hits_and_the_passages_of_the_best_sentences_take_turns() -> None:
    found = tabled()
    assert passages_to_read(found, scores_of(found, 5), 4) == [0, 5, 1, 6]
    assert passages_to_read(found, scores_of(found, 0), 4)[0] == 0


def test_each_passage_is_read_once() -> None:
    found = tabled(NOTES[:2])
    assert passages_to_read(found, scores_of(found, 1), PASSAGES) == [0, 1]


def test_sentences_that_were_compared_stay_where_their_passage_is_not_read() -> None:
    found = tabled()
    scores = scores_of(found, 5)
    unread = next(number for number, unit in enumerate(found.candidates) if unit.rank == 3)
    first = embed(found, [unread], FakeRetriever(NOTES))
    looked = look_again(found, scores, first, Reader(NOTES, "hose"), other=False)
    assert looked is not None
    ranks = {unit.rank for unit in looked.comparison.chosen}
    assert ranks == {*passages_to_read(found, scores, PASSAGES), 3}
    of_unread = [unit.rank for unit in looked.comparison.chosen].index(3)
    assert np.isnan(looked.read[of_unread])
    assert looked.compared[of_unread] == 0
    assert looked.comparison.cosines[of_unread] == first.cosines[0]
    features = choice_features(looked, np.array([1.5]))
    assert features[of_unread, CHOICE_NAMES.index("unread")] == 1
    assert features[of_unread, READ] == 0
    assert {row[READ] for row in np.delete(features, of_unread, axis=0)} == {4.0, -3.0}


def test_without_a_cross_encoder_there_is_no_second_look() -> None:
    found = tabled()
    first = embed(found, [0], FakeRetriever(NOTES))
    assert look_again(found, scores_of(found, 5), first, FakeRetriever(NOTES), other=False) is None


def test_what_it_says_counts_once_more_in_another_language() -> None:
    found = tabled()
    looked = look_again(
        found, scores_of(found, 0), embed(found, [0], FakeRetriever(NOTES)), Reader(NOTES, "hose"), other=False
    )
    assert looked is not None
    features = looked.comparison.features.copy()
    features[:, COLUMN["other"]] = 1.0
    elsewhere = Looked(replace(looked.comparison, features=features), looked.picked, looked.read, looked.compared)
    named = CHOICE_NAMES.index("other_read")
    assert not choice_features(looked, np.array([1.0]))[:, named].any()
    rows = choice_features(elsewhere, np.array([1.0]))
    assert np.array_equal(rows[:, named], rows[:, READ])


def test_more_passages_are_read_where_the_best_sentence_is_in_another_language() -> None:
    many = [
        passage(f"The pump of hall {n} is green. Its hose is dry.", f"{n}.txt", score=1 - n / 20) for n in range(12)
    ]
    found = tabled(many)
    first, read = embed(found, [0], FakeRetriever(many)), Counting(many, "hose")
    for other in (False, True):
        look_again(found, scores_of(found, 0), first, read, other=other)
    assert read.counts == [PASSAGES, PASSAGES_IN_OTHER]
