"""The road of several places: the names of one part's answer lead to the answer of the next."""

from __future__ import annotations

import pytest

from tests.fakes import FakeRetriever, passage
from workbench.techniques.embedding_calls import NamedIn
from workbench.techniques.retrieval.abstention import measure_evidence
from workbench.techniques.retrieval.doubt_texts import calculated_reason, two_steps_reason
from workbench.techniques.retrieval.parts_search import (
    MOST_SENTENCES,
    _asks_value_alone,
    _telling,
    asks_for_several,
    gather,
)
from workbench.techniques.retrieval.question_parts import split_question
from workbench.text.terms import Vocabulary

QUESTION = "Which driver holds no certificate for dangerous goods, and which vehicle does that driver use?"
LIST = passage("The driver Jana Mertens holds no certificate for dangerous goods. The course is in May.", "list.txt")
FLEET = (
    passage("Vehicle: Actros | Driver: Birger Olthoff | Vehicle of the year, which many use.", "fleet.txt"),
    passage("Vehicle: Atego | Driver: Jana Mertens", "fleet.txt", start=200),
)


def test_of_two_rows_that_answer_a_part_the_one_with_the_name_of_the_answer_before_is_quoted() -> None:
    retriever = FakeRetriever([LIST, *FLEET])
    retriever.named = {"Jana Mertens": NamedIn(names=("Jana Mertens",), passages=(LIST, FLEET[1]))}
    found = gather(QUESTION, retriever)
    assert found is not None
    assert [one.passage.start for one in found.sentences[:2]] == [0, 200]
    assert "Atego" in found.sentences[1].text
    assert any("Jana Mertens" in query for query in found.queries)


def test_a_name_beside_the_best_sentence_leads_to_the_next_part() -> None:
    diary = passage("Room 203: water stain on the ceiling. Not ours. Nobody hurt; told Pascal.", "diary.md")
    contract = passage("Pascal Thoma has the job of a head of technics.", "contract.txt")
    retriever = FakeRetriever([diary, passage("The job is done by noon.", "rules.txt"), contract])
    retriever.named = {"Pascal": NamedIn(names=("Pascal Thoma",), passages=(diary, contract))}
    found = gather("Who heard of the water stain on the ceiling, and what is his job?", retriever)
    assert found is not None
    assert any("head of technics" in one.text for one in found.sentences)


def test_one_thing_that_is_asked_of_two_is_looked_up_for_each() -> None:
    question = "What is the name of the driver who holds a certificate, and of the driver of the Atego?"
    assert split_question(question) == (
        "What is the name of the driver who holds a certificate",
        "What is the name of the driver of the Atego",
    )
    assert split_question("What is the weight of the tiles and of what are they made?")[0].endswith("of the tiles")


def test_a_difference_that_has_nearly_all_of_the_probability_is_not_marked() -> None:
    costs = passage("The old projector cost 900 euros and the new projector cost 650 euros.", "a.txt")
    question = "By how much is the new projector cheaper than the old projector in euros?"
    alone = gather(question, FakeRetriever([costs]))
    assert alone is not None
    assert alone.reasons == (calculated_reason("en"),)  # no other two amounts were there to be preferred to
    found = gather(question, FakeRetriever([costs, passage("Snacks for the opening were 40 euros.", "b.txt")]))
    assert found is not None
    assert found.calculation is not None
    assert found.calculation.result == "250 EUR"
    assert found.reasons == ()
    fees = (passage(f"The fee of group {n} is {n}00 euros a year.", f"{n}.txt") for n in range(1, 6))
    unsure = gather("By how much is the fee of one group higher than of another?", FakeRetriever(fees))
    assert unsure is not None
    assert unsure.reasons == (calculated_reason("en"),)


@pytest.mark.parametrize(
    ("question", "text", "result"),
    [
        ("By how much is the new crate heavier than the old crate?",
         "The old crate weighs 2.07 kg and the new crate weighs 1.935 kg.", "1,932.93 kg"),
        ("How much more does the firm Veldstra charge for a crate than the firm Brandl?",
         "The firm Veldstra charges 48 euros for a crate and any other firm charges 42 euros for a crate.", "6 EUR"),
        ("By how much is the old crate dearer than the new crate in euros?",
         "The old crate costs 48 euros and the new crate has a lid of type 30.", "18 EUR"),
    ],
)  # fmt: skip
def test_a_difference_of_values_that_may_be_others_is_marked(question: str, text: str, result: str) -> None:
    others = passage("Snacks for the opening were 4000 euros and had 90 kg and 77 parts.", "b.txt")
    found = gather(question, FakeRetriever([passage(text, "a.txt"), others]))
    assert found is not None
    assert found.calculation is not None
    assert found.calculation.result == result
    assert found.calculation.share > 0.9
    assert found.reasons == (calculated_reason("en"),)


@pytest.mark.parametrize(
    ("question", "text", "result"),
    [
        ("Wie viel kosten Zelt und Hütte zusammen?", "Das Zelt kostet 1.600 Euro. Die Hütte kostet 2.000,50 Euro.",
         "3.600,5 EUR"),
        ("What do the tent and the hut cost together?", "The tent costs 1,600 euros. The hut costs 2,000.50 euros.",
         "3,600.5 EUR"),
    ],
)  # fmt: skip
def test_what_is_calculated_is_in_the_style_of_the_language_of_the_question(
    question: str, text: str, result: str
) -> None:
    found = gather(question, FakeRetriever([passage(text, "a.txt")]))
    assert found is not None
    assert found.calculation is not None
    assert found.calculation.result == result


def test_a_question_of_one_part_without_a_calculation_does_not_ask_for_several() -> None:
    assert not asks_for_several("Who holds the certificate?")
    assert asks_for_several(QUESTION)
    assert asks_for_several("What do three nights cost?")


def test_a_person_who_is_called_by_one_name_alone_leads_to_the_next_part() -> None:
    groups = passage("Group: Otters | Coach: Leonie Thoms. Group: Seals | Coach: Mia Stover.", "groups.txt")
    leaving = passage("Leonie leaves in the summer of 2026 for Trondheim.", "news.txt")
    other = passage("The other person leaves the boathouse key when she leaves the hall.", "rules.txt")
    retriever = FakeRetriever([groups, other, leaving])
    retriever.named = {"Leonie": NamedIn(names=("Leonie Thoms",), passages=(groups, leaving))}
    found = gather("Who is the coach of the Otters, and when does this person leave?", retriever)
    assert found is not None
    assert "Leonie Thoms" in found.sentences[0].text
    assert found.sentences[1].passage.document == "news.txt"
    assert not any(reason == two_steps_reason("en") for reason in found.reasons)


def test_a_part_that_leans_on_a_sentence_without_a_name_is_doubted() -> None:
    retriever = FakeRetriever([passage("the blue canoe is used until the rigger comes. it is heavy.", "mail.txt")])
    found = gather("Which canoe is used until the rigger comes, and how heavy is it?", retriever)
    assert found is not None
    assert two_steps_reason("en") in found.reasons


def test_function_words_of_the_language_of_the_question_do_not_tell_amounts_apart() -> None:
    vocabulary = Vocabulary("en")
    weights = {"wie": 0.6, "viel": 0.6, "der": 0.6, "kindergeburtstag": 0.7}
    assert list(_telling("Wie viel kostet der Kindergeburtstag?", weights, vocabulary)) == ["kindergeburtstag"]
    assert _telling("Wie viel?", {"wie": 0.6}, vocabulary) == {"wie": 0.6}


def test_a_part_that_asks_a_value_alone_is_answered_by_the_sentence_of_the_part_before() -> None:
    rules = passage("Solar panels must be reported to the office at least three weeks before they are put up.", "r.txt")
    paths = passage("Charcoal is allowed on the paved square. It opens early.", "grill.txt")
    found = gather("Do solar panels have to be reported, and how early?", FakeRetriever([rules, paths]))
    assert found is not None
    assert [one.passage.path for one in found.sentences] == [rules.path]
    assert two_steps_reason("en") not in found.reasons


def test_a_part_asks_a_value_alone_where_it_names_nothing_else() -> None:
    earlier = "Do I need to tell anyone before I mount a panel"
    assert all(_asks_value_alone(part, earlier) for part in ("how early", "for how long", "when", "for how much"))
    assert not any(_asks_value_alone(part, earlier) for part in ("when does the course end", "which panel"))


def test_the_reasons_are_told_in_the_language_of_the_question() -> None:
    costs = passage("Der alte Projektor kostete 900 Euro und der neue Projektor kostete 650 Euro.", "a.txt")
    found = gather("Um wie viel ist der neue Projektor billiger als der alte?", FakeRetriever([costs]))
    assert found is not None
    assert [reason.text for reason in found.reasons] == [
        "Das Ergebnis ist aus Werten der Dokumente berechnet: Prüfen Sie, ob es die richtigen sind."
    ]


def test_the_parts_of_a_question_come_before_what_two_values_of_it_come_to() -> None:
    rules = passage("After the harvest 37 shears are left. A lost pair costs 11 euros.", "rules.txt")
    found = gather(
        "How many shears are left after the harvest, and what does a lost pair cost?", FakeRetriever([rules])
    )
    assert found is not None
    assert found.calculation is None
    assert "37" in found.sentences[0].text
    assert any("11" in one.text for one in found.sentences)


def test_what_a_second_search_has_added_is_doubted_also_where_one_document_has_both() -> None:
    report = passage("The house on the dyke was built by the architect Ludger Thoms.", "report.txt")
    later = passage("Ludger Thoms was born in Ostrava in 1931.", "report.txt", start=400)
    found = gather("Where was the architect of the house on the dyke born?", FakeRetriever([report, later]))
    assert found is not None
    assert len(found.sentences) == 2
    assert found.reasons == (two_steps_reason("en"),)


def test_where_a_part_is_doubted_what_the_whole_question_finds_is_shown_as_well() -> None:
    question = "When does the kiosk at the pool close, and what does the lifeguard at the pool earn?"
    passages = [
        passage("The kiosk at the pool may close at 18:00.", "kiosk.txt"),
        passage("When the kiosk at the pool must close, it is 17:00.", "pool.txt"),
        passage("What lifeguards at the pool earn is told by the office.", "office.txt"),
        passage("A lifeguard at the pool may earn more at night.", "night.txt"),
        passage("The lifeguard of the pool has the key of its kiosk, and earns thanks when it does close.", "keys.txt"),
    ]
    found = gather(question, FakeRetriever(passages))
    assert found is not None
    assert found.reasons
    whole = measure_evidence(question, passages, FakeRetriever(passages))
    assert whole.sentence in {one.text for one in found.sentences}
    assert len(found.sentences) <= MOST_SENTENCES
