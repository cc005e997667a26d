"""Follow-ups: told from questions that stand on their own, and searched with what was talked about."""

from __future__ import annotations

import pytest

from tests.fakes import FakeRetriever, passage
from workbench.records.messages import Message
from workbench.techniques.retrieval.query_rewriting import is_follow_up, search_all, search_queries


@pytest.mark.parametrize(
    "question",
    [
        "And when was it rebuilt?",
        "What about Norway?",
        "Why?",
        "How old was he then?",
        "Where is it based?",
        "Und wann wurde es gebaut?",
    ],
)
def test_follow_up_is_seen(question: str) -> None:
    assert is_follow_up(question)


@pytest.mark.parametrize(
    "question",
    [
        "When was the Royal Castle in Warsaw rebuilt?",
        "How long does the warranty of the pump run?",
        "Who discovered oxygen?",
        "Did Peter lose his claim against ENEL in Milan?",
    ],
)
def test_question_of_its_own_is_left_alone(question: str) -> None:
    assert not is_follow_up(question)
    earlier = [Message("user", "Where are bananas grown?"), Message("assistant", "In Ecuador [1].")]
    assert search_queries([*earlier, Message("user", question)]) == [question]


def test_first_question_is_searched_as_it_stands() -> None:
    assert search_queries([Message("user", "And when was it rebuilt?")]) == ["And when was it rebuilt?"]


def test_names_and_rare_words_are_carried_over() -> None:
    conversation = [
        Message("system", "Be polite to Ludwig."),
        Message("user", "Who built the Royal Castle in Warsaw?"),
        Message("assistant", "It was built for Sigismund III Vasa [1]."),
        Message("user", "And when was it rebuilt?"),
    ]
    carried, plain = search_queries(conversation)
    assert plain == "And when was it rebuilt?"
    assert carried.startswith(plain)
    assert {"royal", "castle", "warsaw", "sigismund"} <= set(carried.split())
    assert not {"ludwig", "the", "[1]", "1"} & set(carried.split())


def test_chain_of_follow_ups_goes_back_to_the_topic() -> None:
    conversation = [
        Message("user", "Who built the Royal Castle?"),
        Message("assistant", "Sigismund."),
        Message("user", "And when?"),
        Message("assistant", "In 1619."),
        Message("user", "Why was it destroyed?"),
    ]
    assert "castle" in search_queries(conversation)[0]


def test_results_of_several_queries_are_fused() -> None:
    a, b, c = passage("alpha", start=0), passage("beta", start=10), passage("gamma", start=20)
    retriever = FakeRetriever(results=[[a, b], [b, c]])
    hits = search_all(["one", "two"], retriever.search, 2)
    assert [h.text for h in hits] == ["beta", "alpha"]
    assert retriever.queries == ["one", "two"]
    assert hits[0].score > hits[1].score
