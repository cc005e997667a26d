"""Which passages the cross-encoder reads, and which of their sentences are chosen from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.fakes import FakeRetriever, passage
from workbench.records.messages import Passage
from workbench.techniques.retrieval.second_look import (
    CHOICE_NAMES,
    PASSAGES,
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


def tabled(passages: list[Passage] = NOTES) -> Tabled:
    return tabulate(QUESTION, passages, FakeRetriever(passages))


def scores_of(of: Tabled, best: int) -> np.ndarray:
    """The sentences of the passage of that rank are the best, those of the later ones follow."""
    return np.array([9.0 if unit.rank == best else float(unit.rank) for unit in of.candidates])


def test_the_best_hits_are_read() -> None:
    assert passages_to_read(tabled()) == [*range(PASSAGES)]
    assert passages_to_read(tabled(NOTES[:2])) == [0, 1]


def test_the_sentences_of_what_was_read_are_chosen_from() -> None:
    found = tabled()
    scores = scores_of(found, 5)
    compared = [next(n for n, unit in enumerate(found.candidates) if unit.rank == rank) for rank in (2, 5)]
    first = embed(found, compared, FakeRetriever(NOTES))
    looked = look_again(found, scores, first, Reader(NOTES, "hose"))
    assert looked is not None
    ranks = [unit.rank for unit in looked.comparison.chosen]
    assert {*ranks} == {*passages_to_read(found)}, "what was compared and not read is no candidate"
    places = [(unit.rank, unit.number) for unit in looked.comparison.chosen]
    of_compared = places.index((2, found.candidates[compared[0]].number))
    assert looked.comparison.cosines[of_compared] == first.cosines[0]
    assert {row[READ] for row in choice_features(looked)} == {4.0, -3.0}


def test_without_a_cross_encoder_there_is_no_second_look() -> None:
    found = tabled()
    assert look_again(found, scores_of(found, 5), embed(found, [0], FakeRetriever(NOTES)), FakeRetriever(NOTES)) is None


def test_what_it_says_counts_once_more_in_another_language() -> None:
    found = tabled()
    looked = look_again(found, scores_of(found, 0), embed(found, [0], FakeRetriever(NOTES)), Reader(NOTES, "hose"))
    assert looked is not None
    features = looked.comparison.features.copy()
    features[:, COLUMN["other"]] = 1.0
    elsewhere = Looked(replace(looked.comparison, features=features), looked.picked, looked.read)
    named = CHOICE_NAMES.index("other_read")
    assert not choice_features(looked)[:, named].any()
    rows = choice_features(elsewhere)
    assert np.array_equal(rows[:, named], rows[:, READ])
