"""The second search: hits of the question, and what their names lead to."""

from __future__ import annotations

from collections import deque

from tests.fakes import passage
from workbench.records.documents import SearchResult
from workbench.records.messages import Passage
from workbench.techniques.retrieval.second_search import BEST_HITS, added_names, search_further

QUESTION = "Who directed the film that was shot in Leland?"
FILM = passage("Blue Velvet was shot in Leland in 1985.", "leland.txt", score=0.8)
WEATHER = passage("Leland has mild winters.", "weather.txt", score=0.4)
DIRECTOR = passage("Blue Velvet was directed by David Lynch.", "lynch.txt", score=0.5)


class Searches:
    """Answers searches in their order; ``asked`` keeps what was searched for."""

    def __init__(self, *results: tuple[Passage, ...]) -> None:
        self.results = deque(results)
        self.asked: list[str] = []

    def __call__(self, query: str, limit: int) -> SearchResult:
        self.asked.append(query)
        return SearchResult(hits=self.results.popleft()[:limit] if self.results else ())


def test_a_hit_adds_its_names_and_figures_that_the_question_lacks() -> None:
    assert added_names(QUESTION, FILM.text) == ["Blue", "Velvet", "1985"]
    assert added_names("", "") == []


def test_a_passage_that_a_hit_leads_to_comes_before_weaker_first_hits() -> None:
    search = Searches((FILM, DIRECTOR), ())
    found = search_further(QUESTION, (FILM, WEATHER), search, 5)
    assert search.asked[0] == f"{QUESTION} Blue Velvet 1985"
    assert [hit.document for hit in found] == ["leland.txt", "lynch.txt", "weather.txt"]
    assert [round(hit.score, 3) for hit in found] == [1.0, 0.95, 0.5]


def test_a_passage_never_gets_a_lower_score_than_the_first_search_gave_it() -> None:
    close = passage("Leland was founded in 1830.", "founded.txt", score=0.79)
    search = Searches((DIRECTOR, passage(close.text, close.document, score=0.1)), ())
    found = search_further(QUESTION, (FILM, close), search, 5)
    assert {hit.document: round(hit.score, 4) for hit in found}["founded.txt"] == round(0.79 / 0.8, 4)


def test_each_of_the_best_hits_is_followed_once_and_hits_without_names_are_not() -> None:
    plain = passage("it was shot there.", "plain.txt", score=0.7)
    more = [passage(f"Town{n} is near.", f"{n}.txt", score=0.6 - n / 100) for n in range(5)]
    search = Searches()
    found = search_further(QUESTION, (FILM, plain, *more), search, 4)
    assert len(search.asked) == BEST_HITS - 1
    assert len(found) == 4


def test_without_hits_nothing_is_searched() -> None:
    search = Searches()
    assert search_further(QUESTION, (), search, 5) == ()
    assert search.asked == []
