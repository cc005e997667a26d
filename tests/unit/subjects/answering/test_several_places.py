"""The road of several places: parts are searched and quoted together, a part that is missing is named."""

from __future__ import annotations

import msgspec

from tests.fakes import FakeModelBackend, FakeRetriever, FakeServices, passage
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.records.answers import AskResult
from workbench.records.messages import Message
from workbench.records.recipes import Recipe, RetrievalPart
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest

LEASE = passage("The lease of the hall was signed by Anna Kolbe in the spring.", "lease.txt")
END = passage("The lease of the hall ends on 31 March 2027 without notice.", "addendum.txt")
JOB = passage("The office of Anna Kolbe is that of the treasurer.", "handbook.txt")
FILLER = [passage(f"Unrelated remark number {n} about weather.", f"{n}.txt") for n in range(5)]
QUESTION = "Who signed the lease of the hall, and when does the lease of the hall end?"


def ask(
    question: str, *passages: object, mode: str = "quoted", replies: tuple[str, ...] = ()
) -> tuple[AskResult, FakeRetriever, FakeModelBackend]:
    retriever = FakeRetriever([*passages, *FILLER])
    model = FakeModelBackend(list(replies))
    part = msgspec.convert({"collection": "papers", "mode": mode, "road": "places"}, RetrievalPart)
    request = AnswerRequest(recipe=Recipe(retrieval=part), conversation=(Message("user", question),))
    *_, last = answer(request, FakeServices(model, retriever), RequestContext())
    assert isinstance(last, events.Finished)
    return msgspec.convert(last.result, AskResult), retriever, model


def test_the_parts_of_a_question_are_quoted_together_with_their_places() -> None:
    made, retriever, _ = ask(QUESTION, LEASE, END)
    assert made.road == "places"
    assert f"“{LEASE.text}” [1]" in made.answer
    assert f"“{END.text}” [2]" in made.answer
    assert {citation.document for citation in made.citations} == {"lease.txt", "addendum.txt"}
    assert made.verification is not None
    assert made.verification.quoted == len(made.answer)
    assert not made.declined
    assert QUESTION in retriever.queries


def test_a_later_part_is_searched_with_the_names_of_the_answer_to_the_one_before() -> None:
    made, retriever, _ = ask("Who signed the lease of the hall, and what is her office?", LEASE, JOB)
    assert any(query.startswith("what is her office") and "Anna Kolbe" in query for query in retriever.queries)
    assert JOB.text in made.answer


COSTS = passage("The guided tour of the mill costs 8 euros for each person.", "prices.txt")
LASTS = passage("The guided tour of the mill lasts 40 minutes without the tower.", "tours.txt")
TRAIN = passage("The train to the coast takes 3 hours, and it takes 4 hours on Sundays.", "train.txt")
TOUR = "What does the guided tour of the mill cost, and how long does it take?"


def test_a_later_part_is_about_what_the_part_before_is_about() -> None:
    made, retriever, _ = ask(TOUR, COSTS, LASTS, TRAIN)
    assert "guided tour mill how long does it take" in retriever.queries
    assert COSTS.text in made.answer
    assert LASTS.text in made.answer
    assert TRAIN.text not in made.answer
    assert made.outcome == "perhaps"


def test_a_sentence_that_tells_the_values_of_both_parts_is_quoted_alone() -> None:
    both = passage("The guided tour of the mill costs 8 euros for each person and lasts 40 minutes.", "prices.txt")
    made, _, _ = ask(TOUR, both, TRAIN)
    assert made.answer.strip() == f"“{both.text}” [1]"
    dates = passage("The certificate list was promised for 30 September and done on 14 November.", "mail.txt")
    made, _, _ = ask("When was the certificate list promised, and when was it really done?", dates, TRAIN)
    assert made.answer.strip() == f"“{dates.text}” [1]"
    one = passage("The certificate list was promised for 30 September 2025 by the office.", "mail.txt")
    made, _, _ = ask("When was the certificate list promised, and when was it really done?", one, TRAIN)
    assert made.outcome != "found"


def test_a_part_that_nothing_answers_is_named_as_a_reason() -> None:
    made, _, _ = ask("Who signed the lease of the hall, and which bananas are sold in Peru?", LEASE)
    assert made.outcome == "perhaps"
    assert LEASE.text in made.answer
    assert [reason.kind for reason in made.reasons][-1] == "partial"
    assert "“which bananas are sold in Peru”" in made.reasons[-1].text


def test_the_sentence_beside_that_names_the_answer_to_the_next_part_is_quoted_as_well() -> None:
    alarm = passage("The cool cell alarm went at three. Nobody answered. The phone lay beside Noah Pryce.", "notes.txt")
    job = passage("His job at the depot: Noah Pryce is the trainee.", "manual.txt")
    made, retriever, _ = ask("At which time went the cool cell alarm, and what is his job at the depot?", alarm, job)
    assert any(
        query.startswith("what is his job at the depot") and "Noah Pryce" in query for query in retriever.queries
    )
    assert f"“{alarm.text}” [1]" in made.answer
    assert job.text in made.answer


def test_a_question_that_says_that_it_has_parts_is_searched_part_by_part_where_the_router_is_unsure() -> None:
    retriever = FakeRetriever([LEASE, END, *FILLER])
    recipe = Recipe(retrieval=RetrievalPart(collection="papers", mode="quoted"))
    request = AnswerRequest(recipe=recipe, conversation=(Message("user", QUESTION),))
    *_, last = answer(request, FakeServices(FakeModelBackend([]), retriever), RequestContext())
    assert isinstance(last, events.Finished)
    made = msgspec.convert(last.result, AskResult)
    assert made.road == "places"
    assert LEASE.text in made.answer
    assert END.text in made.answer


def test_two_values_are_put_together_and_marked() -> None:
    ours = passage("Customers are charged a waiting rate of 48 euros per hour.", "manual.txt")
    theirs = passage("Veldstra is paid a waiting rate of 42 euros per hour.", "contract.txt")
    made, _, _ = ask("By how much does Veldstra's waiting rate differ from what customers are charged?", ours, theirs)
    assert made.answer.endswith("= 6 EUR")
    assert made.outcome == "perhaps"
    assert "calculated" in made.reasons[0].text


def test_where_nothing_is_found_the_question_goes_the_way_of_one_place_and_is_declined() -> None:
    made, _, _ = ask("Which bananas grow in Peru, and who ships them to Oslo?", LEASE)
    assert (made.outcome, made.road, made.declined) == ("not_found", "place", True)


def test_a_model_with_its_own_words_gets_the_passages_of_all_parts() -> None:
    made, _, model = ask(
        QUESTION, LEASE, END, mode="own-words", replies=("Anna Kolbe signed it [1]; it ends in 2027.",)
    )
    prompt = "\n".join(message.content for message in model.requests[-1])
    assert LEASE.text in prompt
    assert END.text in prompt
    assert made.road == "places"
    assert "“" not in made.answer


def test_one_sentence_for_two_parts_is_quoted_once_and_doubted() -> None:
    made, _, _ = ask("Who signed the lease of the hall, and when was the lease of the hall signed?", LEASE)
    assert made.answer.count(LEASE.text) == 1
    assert made.outcome == "perhaps"
    assert made.reasons
