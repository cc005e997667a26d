"""Looking up and quoting: the second search asks for what the first result leaves open; nothing is retold."""

from __future__ import annotations

import pytest

from tests.agents import ScriptedModel, ask
from tests.fakes import FakeModelBackend, FakeRetriever, FakeServices, passage
from workbench.api.events import Failed
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.records.messages import Message
from workbench.records.recipes import AgentPart, Recipe, RetrievalPart
from workbench.records.trace import TraceStep
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest
from workbench.techniques.agents.steps import read_call
from workbench.techniques.retrieval.lookup import Lookup

SEARCH = "search_documents"
HOUSE = "The Farnsworth House was designed by Ludwig Mies."
BORN = "Mies was born in the city of Aachen in 1886."
QUESTION = "In which city was the architect born who designed the Farnsworth House?"


def library() -> FakeRetriever:
    filler = [passage(f"Unrelated remark number {n} on weather.", f"{n}.txt") for n in range(6)]
    return FakeRetriever([passage(HOUSE, "house.txt"), passage(BORN, "mies.txt"), *filler])


def queries(steps: list[TraceStep]) -> list[str]:
    return [read_call(step).arguments["query"] for step in steps]


def test_the_second_search_has_the_open_words_and_the_names_of_the_first_result() -> None:
    retriever = library()
    made = ask(ScriptedModel([]), SEARCH, question=QUESTION, retriever=retriever, method="lookup")
    first, second = queries(made.of("call"))
    assert first == QUESTION
    assert {"city", "born", "Ludwig", "Mies"} <= set(second.split())
    assert "Farnsworth" not in second
    assert f"“{HOUSE}”" in made.result.answer
    assert f"“{BORN}”" in made.result.answer
    assert {c.document for c in made.result.citations} >= {"house.txt", "mies.txt"}
    assert made.result.verification is not None
    assert made.result.verification.quoted == len(made.result.answer)
    assert not made.of("generation")


def test_a_question_that_one_search_answers_whole_is_searched_once() -> None:
    asked = "Who designed the Farnsworth House?"
    made = ask(ScriptedModel([]), SEARCH, question=asked, retriever=library(), method="lookup")
    assert queries(made.of("call")) == [asked]
    assert HOUSE in made.result.answer


def test_what_the_documents_do_not_hold_is_declined_with_the_closest() -> None:
    asked = "How many goats graze beside the Farnsworth lighthouse at midnight?"
    made = ask(ScriptedModel([]), SEARCH, question=asked, retriever=library(), method="lookup")
    assert made.result.declined
    assert "“" not in made.result.answer
    assert made.result.passages


@pytest.mark.parametrize(("documents", "missing"), [(False, "has none"), (True, "not among its tools")])
def test_without_documents_or_its_tool_it_refuses_and_generates_nothing(documents: bool, missing: str) -> None:
    model = ScriptedModel([], ["I do not know."])
    retriever = FakeRetriever([passage(HOUSE)]) if documents else None
    with pytest.raises(UserError, match=missing) as raised:
        ask(model, question=QUESTION, method="lookup", retriever=retriever)
    assert raised.value.hint
    assert model.requests == []


def test_a_look_up_that_cannot_search_is_refused_before_anything_is_loaded() -> None:
    model = FakeModelBackend()
    services = FakeServices(model, FakeRetriever([passage(HOUSE)]))
    recipe = Recipe(agent=AgentPart(method="lookup"), retrieval=RetrievalPart(collection="papers"))
    request = AnswerRequest(recipe=recipe, conversation=(Message("user", QUESTION),))
    (failed,) = answer(request, services, RequestContext())
    assert isinstance(failed, Failed)
    assert "not among its tools" in failed.message
    assert SEARCH in failed.hint


@pytest.mark.parametrize("small", [True, False])
def test_a_small_model_that_answers_at_once_quotes_what_was_looked_up(small: bool) -> None:
    model = ScriptedModel([], ["Berlin."])
    model.parameters = 135_000_000 if small else 1_500_000_000
    made = ask(model, SEARCH, question=QUESTION, retriever=library())
    assert (BORN in made.result.answer, made.result.answer == "Berlin.") == (small, not small)
    assert len(made.of("call")) == (2 if small else 0)


def test_it_goes_on_from_its_calls() -> None:
    whole = ask(ScriptedModel([]), SEARCH, question=QUESTION, retriever=library(), method="lookup")
    retriever = library()
    again = ask(
        ScriptedModel([]), SEARCH, question=QUESTION, retriever=retriever, method="lookup", earlier=whole.of("call")[:1]
    )
    assert again.result.answer == whole.result.answer
    assert QUESTION not in retriever.queries
    assert len(again.of("call")) == 2


def test_nothing_more_is_searched_when_nothing_new_is_found() -> None:
    lookup = Lookup(QUESTION, library())
    assert lookup.next_query() == QUESTION
    lookup.add(QUESTION, ())
    assert lookup.next_query() == ""
    assert not lookup.suffices
    assert lookup.quotes(()) is None
