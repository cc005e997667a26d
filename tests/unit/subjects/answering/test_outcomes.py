"""The outcome of an answer: found, perhaps with reasons, not found with what was searched; and the road it took."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import msgspec
import pytest

from tests.fakes import FakeModelBackend, FakeRetriever, FakeServices, document_text, passage
from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.engine.inference_calls import Generated
from workbench.records.answers import AskResult
from workbench.records.documents import Collection
from workbench.records.messages import Message, Statement, Verification
from workbench.records.outcomes import Reason
from workbench.records.recipes import Recipe, RetrievalPart
from workbench.records.trust import outcome_of, reasons_in
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest
from workbench.techniques.context import AnswerContext
from workbench.techniques.retrieval.grounded import Grounding
from workbench.techniques.retrieval.roads import registry

QUESTION = "How long does the warranty of the pump run?"
PUMP = passage("The warranty of the pump runs for 36 months from delivery. Claims must be in writing.")
DOUBT = Reason(kind="missing", text="1588 is in none of these passages.")


def ask(
    replies: Sequence[str] = (), question: str = QUESTION, *, retriever: FakeRetriever | None = None, **part: object
) -> AskResult:
    recipe = Recipe(retrieval=msgspec.convert({"collection": "papers", "mode": "own-words", **part}, RetrievalPart))
    request = AnswerRequest(recipe=recipe, conversation=(Message("user", question),))
    services = FakeServices(FakeModelBackend(list(replies)), retriever or FakeRetriever([PUMP]))
    *_, last = answer(request, services, RequestContext())
    assert isinstance(last, events.Finished)
    return msgspec.convert(last.result, AskResult)


def test_a_supported_answer_is_found() -> None:
    made = ask(["The warranty of the pump runs for 36 months from delivery [1]."])
    assert (made.outcome, made.reasons, made.road) == ("found", (), "place")


def test_a_marked_statement_is_a_reason_to_say_perhaps() -> None:
    made = ask(["The warranty of the pump runs for 48 months [1]."])
    assert made.outcome == "perhaps"
    (reason,) = made.reasons
    assert (reason.kind, "48" in reason.text) == ("statement", True)


def test_what_is_not_found_says_what_was_searched_and_what_is_nearest() -> None:
    read = document_text(PUMP.text)
    read = msgspec.structs.replace(read, document=msgspec.structs.replace(read.document, language="en"))
    collection = Collection(id="c", name="papers", documents=1)
    retriever = FakeRetriever([PUMP], collection=collection, documents=[read])
    made = ask(question="Which bananas are sold in Peru?", retriever=retriever)
    assert (made.outcome, made.declined, made.road) == ("not_found", True, "place")
    assert made.answer.startswith("I could not find the answer to this in the document of papers (English).")
    assert made.answer.endswith("The closest I found: pump.")


def test_without_documents_there_is_no_outcome() -> None:
    made = ask(["You are welcome."], "Thanks a lot!")
    assert (made.outcome, made.road, made.passages) == (None, "chat", ())


def test_a_recipe_can_name_the_road() -> None:
    made = ask(["The pump has a warranty."], road="chat")
    assert (made.road, made.passages, made.outcome) == ("chat", (), None)


@pytest.mark.parametrize(("question", "shown"), [("Who painted the sky?", 1), ("In German, please", 3)])
def test_the_conversation_goes_on_without_what_documents_did_not_have(question: str, shown: int) -> None:
    recipe = Recipe(retrieval=RetrievalPart(collection="papers", road="chat"))
    declined = Message("assistant", "I could not find the answer to this.", declined=True)
    asked = (Message("user", "Which bananas are sold?"), declined, Message("user", question))
    model = FakeModelBackend(["A painter."])
    list(
        answer(
            AnswerRequest(recipe=recipe, conversation=asked),
            FakeServices(model, FakeRetriever([PUMP])),
            RequestContext(),
        )
    )
    (request,) = model.requests
    assert len([one for one in request if one.role != "system"]) == shown


def _sums(
    conversation: Sequence[Message], recipe: Recipe, context: AnswerContext
) -> Generator[Event, None, Grounding | None]:
    """A road that writes its answer itself, and doubts it; it has nothing to go on without a digit."""
    question = conversation[-1].content
    if not any(one.isdigit() for one in question):
        return None

    def write() -> Generator[Event, None, Generated]:
        yield events.TextDelta(text="36 months [1].")
        return Generated(text="36 months [1].")

    yield from context.note("It was added up.")
    shown = (msgspec.structs.replace(PUMP, n=1),)
    return Grounding(question, shown, question, write=write, reasons=(DOUBT,))


@pytest.fixture
def sums(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.ENTRIES, "table", f"{__name__}:_sums")


def test_a_road_writes_its_answer_and_gives_its_reasons(sums: None) -> None:
    made = ask(question="How much are 12 and 24 months?", road="table")
    assert (made.answer, made.road, made.outcome) == ("36 months [1].", "table", "perhaps")
    assert made.reasons[0] == DOUBT
    assert [one.n for one in made.citations] == [1]


def test_a_road_with_nothing_to_go_on_leads_to_one_place(sums: None) -> None:
    made = ask(["The warranty of the pump runs for 36 months from delivery [1]."], road="table")
    assert (made.road, made.outcome) == ("place", "found")


def test_a_road_that_is_not_built_leads_to_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(registry.ENTRIES, "compare", raising=False)
    assert ask(["The warranty of the pump runs for 36 months from delivery [1]."], road="compare").road == "place"


def test_more_marked_statements_than_are_shown_are_counted() -> None:
    text = "One is so. Two is so. Three is so. Four is so. Five is so."
    starts = [0, 11, 22, 35, 47]
    statements = tuple(
        Statement(start=start, end=end, verdict="outside") for start, end in zip(starts, [*starts[1:], 58], strict=True)
    )
    reasons = reasons_in(text, Verification(statements=statements))
    assert [one.kind for one in reasons] == ["statement"] * 4
    assert reasons[0].text.startswith("“One is so.”")
    assert reasons[-1].text == "2 more statements are marked."
    unsure = reasons_in("“x” [1]", Verification(quoted=8, unsure=True))
    assert [one.kind for one in unsure] == ["weak"]
    assert reasons_in(text, None) == ()


def test_an_abstention_with_reasons_is_not_found() -> None:
    assert (outcome_of(True, (DOUBT,)), outcome_of(False, (DOUBT,)), outcome_of(False, ())) == (
        "not_found",
        "perhaps",
        "found",
    )


def elsewhere(question: str, *others: FakeRetriever) -> AskResult:
    services = FakeServices(FakeModelBackend([]), FakeRetriever([]))
    services.other_collections = others
    recipe = Recipe(retrieval=RetrievalPart(collection="papers", road="other"))
    request = AnswerRequest(recipe=recipe, conversation=(Message("user", question),))
    *_, last = answer(request, services, RequestContext())
    assert isinstance(last, events.Finished)
    return msgspec.convert(last.result, AskResult)


def test_the_other_collections_are_searched_and_the_best_is_quoted() -> None:
    mails = FakeRetriever([PUMP], collection=Collection(id="m", name="mails", documents=4))
    recipes = FakeRetriever(
        [passage("Bananas ripen fast.")], collection=Collection(id="r", name="recipes", documents=9)
    )
    made = elsewhere(QUESTION, mails, recipes)
    assert (made.road, made.outcome) == ("other", "found")
    assert "36 months" in made.answer
    assert "This is from mails, another collection than that of this chat." in made.notices
    assert made.trace is not None
    assert [step.title for step in made.trace.steps] == ["Choose the route", "Search recipes", "Search mails"]
    assert "other" not in made.roads


def test_what_is_in_no_other_collection_names_them() -> None:
    mails = FakeRetriever([PUMP], collection=Collection(id="m", name="mails", documents=4))
    made = elsewhere("Which bananas are sold in Peru?", mails)
    assert (made.road, made.outcome) == ("other", "not_found")
    assert made.answer.startswith("I could not find the answer to this in the other collections either: mails (4).")


def test_without_other_collections_the_question_goes_the_way_of_one_place() -> None:
    made = elsewhere(QUESTION)
    assert made.road == "place"
    assert any("there was nothing to go on here" in notice for notice in made.notices)
    assert "other" not in made.roads
