"""The road of a table: the reply of the tables as an answer with its rows as citations."""

from __future__ import annotations

import msgspec
import pytest

from tests.fakes import FakeModelBackend, FakeRetriever, passage
from workbench.api import events
from workbench.records.messages import Message
from workbench.records.outcomes import Reason
from workbench.records.recipes import DecodingPart, Recipe
from workbench.techniques.context import AnswerContext
from workbench.techniques.embedding_calls import TableReply
from workbench.techniques.retrieval.grounded import Grounding
from workbench.techniques.retrieval.roads.route import choose_road
from workbench.techniques.retrieval.table_answers import road


def travelled(reply: TableReply | None, form: str = "text") -> tuple[list[events.Event], Grounding | None]:
    decoding = DecodingPart(format=form)  # type: ignore[arg-type]
    retriever = FakeRetriever()
    retriever.table_reply = reply
    context = AnswerContext(model=FakeModelBackend(), retriever=retriever, cancelled=lambda: False, decoding=decoding)
    seen: list[events.Event] = []
    run = road.run((Message("user", "How many repairs for Moser?"),), Recipe(), context)
    while True:
        try:
            seen.append(next(run))
        except StopIteration as end:
            return seen, end.value


def reply(**changes: object) -> TableReply:
    rows = tuple(passage(f"No: {n} | Customer: Moser", "a.csv", start=start, n=n) for n, start in ((1, 5), (2, 90)))
    fields: dict[str, object] = {
        "value": "2", "calculation": "Number of rows in a.csv where Customer is Moser.", "passages": rows, "of_rows": 2,
        "sure": 0.9,
    }  # fmt: skip
    return TableReply(**(fields | changes))  # type: ignore[arg-type]


def test_the_value_comes_first_and_the_rows_are_cited() -> None:
    seen, grounding = travelled(reply())
    assert grounding is not None
    assert grounding.quotes is not None
    assert grounding.quotes.text == "2\n\nNumber of rows in a.csv where Customer is Moser. [1][2]"
    assert grounding.quotes.computed
    assert not grounding.own_words
    assert [(c.n, c.sentence_start, c.sentence_end) for c in grounding.quotes.citations] == [(1, 5, 28), (2, 90, 113)]
    assert [type(event).__name__ for event in seen] == ["StepStarted", "StepFinished", "Retrieved"]


def test_a_doubt_is_a_reason() -> None:
    doubt = Reason(kind="table", text="The question can be read in several ways.")
    _, grounding = travelled(reply(reasons=(doubt,)))
    assert grounding is not None
    assert grounding.reasons == (doubt,)


def test_an_empty_cell_is_declined() -> None:
    _, grounding = travelled(reply(value="", calculation="The cell is empty.", empty=True))
    assert grounding is not None
    assert grounding.declined == "The cell is empty."


@pytest.mark.parametrize(("given", "form"), [(None, "text"), ("a reply", "json")])
def test_nothing_to_go_on(given: str | None, form: str) -> None:
    _, grounding = travelled(reply() if given else None, form)
    assert grounding is None


def chosen(reply: TableReply | None) -> str:
    retriever = FakeRetriever()
    retriever.table_reply = reply
    context = AnswerContext(model=FakeModelBackend(), retriever=retriever, cancelled=lambda: False)
    run = choose_road((Message("user", "What is Moser's e-mail address?"),), Recipe(), context)
    while True:
        try:
            next(run)
        except StopIteration as end:
            return str(end.value.road)


def test_a_question_for_a_cell_that_is_surely_empty_takes_the_road_of_the_table() -> None:
    empty = reply(value="", calculation="The cell is empty.", empty=True)
    assert chosen(empty) == "table"
    assert chosen(msgspec.structs.replace(empty, sure=0.4)) == "place"
    assert chosen(reply(sure=0.2)) == "place"
    assert chosen(None) == "place"
