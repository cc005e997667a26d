"""A table's answer or quoted sentences: whichever is more probably right is shown."""

from __future__ import annotations

import msgspec
import pytest

from tests.fakes import FakeModelBackend, FakeRetriever, passage
from workbench.records.messages import Message, Passage
from workbench.records.outcomes import Reason
from workbench.records.recipes import Recipe
from workbench.techniques.context import AnswerContext
from workbench.techniques.embedding_calls import TableReply
from workbench.techniques.retrieval.roads.dispatch import Way, take_road
from workbench.techniques.retrieval.table_answers.preference import EVEN, is_preferred, preference

TOLD = passage("The harbour fee of the Gannet is 40 euros a night.", "notes.txt")
QUESTION = "What is the harbour fee of the Gannet?"
DOUBT = Reason(kind="table", text="Several rows have this value.")


def way(reply: TableReply | None, question: str = QUESTION, told: Passage = TOLD) -> Way:
    retriever = FakeRetriever([told])
    retriever.table_reply = reply
    context = AnswerContext(model=FakeModelBackend(), retriever=retriever, cancelled=lambda: False)
    run = take_road((Message("user", question),), Recipe(), context)
    while True:
        try:
            next(run)
        except StopIteration as end:
            found: Way = end.value
            return found


def reply(sure: float, *reasons: Reason, value: str = "40 EUR") -> TableReply:
    row = passage("Boat: Gannet | Fee EUR: 40", "fees.csv", start=10, n=1)
    return TableReply(
        value=value, calculation="Fee EUR in fees.csv.", passages=(row,), of_rows=1, sure=sure, reasons=reasons,
        empty=not value,
    )  # fmt: skip


def test_the_surer_a_table_and_the_weaker_the_sentences_the_more_a_table_is_preferred() -> None:
    assert preference(0.6, 0.3, EVEN) > preference(0.3, 0.3, EVEN)
    assert preference(0.4, 0.1, EVEN) > preference(0.4, 0.9, EVEN)
    assert preference(0.4, 0.3, 0.9) > preference(0.4, 0.3, 0.01)
    assert is_preferred(0.95, 0.9, 0.5) is True
    assert is_preferred(0.05, 0.01, 0.5) is False
    assert is_preferred(0.35, EVEN, 0.5) is None


def test_a_sure_table_is_shown_and_the_sentence_is_offered() -> None:
    taken = way(reply(0.95))
    assert taken.road == "table"
    assert taken.roads[0] == "place"
    assert taken.grounding is not None
    assert taken.grounding.quotes is not None
    assert taken.grounding.quotes.text.startswith("40 EUR")


@pytest.mark.parametrize("given", [None, reply(0.06, DOUBT)])
def test_an_unsure_table_gives_way_to_the_sentence_that_answers(given: TableReply | None) -> None:
    taken = way(given)
    assert taken.road == "place"
    assert "table" in taken.roads
    assert taken.grounding is not None
    assert taken.grounding.quotes is not None
    assert TOLD.text in taken.grounding.quotes.text
    assert 0.0 < taken.grounding.strength <= 1.0


def test_a_table_that_is_sure_enough_goes_before_several_places() -> None:
    asked = "What do three nights of the harbour fee of the Gannet cost?"
    assert way(reply(0.9, DOUBT), asked).road == "table"
    taken = way(reply(0.1, DOUBT), asked)
    assert taken.road == "places"
    assert taken.grounding is not None
    assert taken.grounding.quotes is not None
    assert taken.grounding.quotes.text.endswith("3 × 40 = 120 EUR")


@pytest.mark.parametrize("known", [{"named": True}, {"several": True}])
def test_the_row_that_a_question_names_is_shown_rather_than_nothing(known: dict[str, bool]) -> None:
    asked = "Mrs Castellano's cold water meter at the end of 2024?"
    given = reply(0.1, DOUBT)
    assert way(given, asked).grounding is not None
    declined = way(given, asked)
    assert (declined.road, bool(declined.grounding and declined.grounding.declined)) == ("place", True)
    shown = way(msgspec.structs.replace(given, **known), asked)
    assert shown.road == "table"
    assert shown.grounding is not None
    assert shown.grounding.reasons == (DOUBT,)
    answered = way(msgspec.structs.replace(given, **known))  # by a sentence
    assert answered.road == "place"


def test_the_row_that_a_question_names_is_shown_rather_than_sentences_that_lack_the_name() -> None:
    asked = "What is the harbour fee of the Petrel?"
    given = reply(0.1, DOUBT)
    lacking = way(given, asked)
    assert lacking.road == "place"
    assert lacking.grounding is not None
    assert [reason.kind for reason in lacking.grounding.reasons] == ["missing"]
    assert way(msgspec.structs.replace(given, named=True), asked).road == "table"


def test_what_was_computed_goes_before_rows_that_do_not_tell_it() -> None:
    rows = (
        "Boat: Gannet | Log 31.12.2023: 386 | Log 31.12.2024: 448\nBoat: Tern | Log 31.12.2023: 12 | Log 31.12.2024: 15"
    )
    asked = "How much fuel did the Gannet use in 2024 by the log?"
    given = reply(0.28, DOUBT, value="448 − 386 = 62")
    told = passage(rows, "log.csv")
    assert way(given, asked, told).road == "place"
    assert way(msgspec.structs.replace(given, computed=True, sure=0.06), asked, told).road == "place"
    taken = way(msgspec.structs.replace(given, computed=True), asked, told)
    assert taken.road == "table"
    assert taken.grounding is not None
    assert taken.grounding.reasons == (DOUBT,)


def test_a_row_that_has_all_that_is_asked_goes_before_places_that_are_doubted() -> None:
    asked = "What is the harbour fee of the Gannet and how long is its mast?"
    given = reply(0.3, DOUBT)
    assert way(given, asked).road == "places"
    assert way(msgspec.structs.replace(given, several=True), asked).road == "table"
    assert way(msgspec.structs.replace(given, several=True, sure=0.06), asked).road == "places"


def test_one_number_of_a_table_gives_way_where_more_is_asked() -> None:
    asked = "How many ropes does the Gannet have, and how many should there be?"
    told = passage("The Gannet has three ropes. There should be five ropes on the Gannet.", "notes.txt")
    given = msgspec.structs.replace(reply(0.9, DOUBT, value="5"), computed=True)
    assert way(given, asked, told).road == "table"
    taken = way(msgspec.structs.replace(given, partial=True), asked, told)
    assert taken.road == "places"
    assert "table" in taken.roads
    nothing = passage("Nothing of boats is written here.", "notes.txt")
    assert way(msgspec.structs.replace(given, partial=True), asked, nothing).road == "table"


def test_a_cell_that_is_surely_empty_is_told() -> None:
    taken = way(reply(0.9, value=""))
    assert taken.road == "table"
    assert taken.grounding is not None
    assert taken.grounding.declined == "Fee EUR in fees.csv."
