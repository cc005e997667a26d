"""Statements of an answer, verified against the sentences of its passages."""

from __future__ import annotations

import pytest

from tests.fakes import passage
from workbench.records.messages import Statement
from workbench.techniques.retrieval.statements import StatementVerifier

TERMS = (
    "The landlord may enter after ninety days' notice. The deposit is 12 months of rent. "
    "Northwind Ltd is not liable for frost damage. The pump P-20 was delivered to Oslo in March 2021."
)
LEASE = "Der Mietvertrag beginnt am 1. März 2023. Die Kaution beträgt drei Monatsmieten. Haustiere sind nicht erlaubt."


def verify(answer: str, text: str = TERMS, question: str = "") -> Statement:
    (statement,) = StatementVerifier([passage(text, n=1)], question).verify(answer)
    return statement


@pytest.mark.parametrize(
    "answer",
    [
        "The deposit is 12 months of rent [1].",
        "The deposit is twelve months of rent.",
        "The landlord may enter after ninety days' notice.",
        "Northwind Ltd is not liable for frost damage.",
        "The pump was delivered to Oslo in March 2021.",
    ],
)
def test_what_a_sentence_says_is_supported_and_points_to_it(answer: str) -> None:
    statement = verify(answer)
    assert (statement.verdict, statement.conflicts, statement.n) == ("supported", (), 1)
    assert TERMS[statement.sentence_start : statement.sentence_end].split()[0] in ("The", "Northwind")
    shared = set(answer.lower().split()) & set(TERMS[statement.sentence_start : statement.sentence_end].lower().split())
    assert len(shared) >= 4


@pytest.mark.parametrize(
    ("answer", "conflict"),
    [
        ("The deposit is 14 months of rent.", "14 months"),
        ("The deposit is 12 weeks of rent.", "12 weeks"),
        ("Southwind Ltd is not liable for frost damage.", "southwind"),
        ("Northwind Ltd is liable for frost damage.", "negation"),
        ("The pump was not delivered to Oslo in March 2021.", "negation"),
        ("The pump was delivered to Oslo in March 2019.", "March 2019"),
        ("The landlord may enter after 12 months' notice.", "12 months"),
    ],
)
def test_a_changed_number_unit_name_or_negation_is_never_supported(answer: str, conflict: str) -> None:
    statement = verify(answer)
    assert statement.verdict == "unsupported"
    assert conflict in statement.conflicts


@pytest.mark.parametrize(
    ("text", "answer", "other"),
    [
        ("The warranty of the pump lasts one year.", "The warranty lasts 1 year.", "The warranty lasts 2 years."),
        ("The warranty of the pump lasts 1 year.", "The warranty lasts one year.", "The warranty lasts one month."),
        ("The fee is due in 95 days.", "The fee is due in ninety-five days.", "The fee is due in five days."),
        ("The hall has 250 seats.", "The hall has two hundred and fifty seats.", "The hall has two hundred seats."),
        ("Die Garantie der Pumpe gilt ein Jahr.", "Die Garantie gilt 1 Jahr.", "Die Garantie gilt 1 Monat."),
        ("Die Kündigungsfrist beträgt 12 Monate. " + LEASE, "Die Kündigungsfrist beträgt zwölf Monate.",
         "Die Kündigungsfrist beträgt elf Monate."),
        ("Die Frist beträgt 3 Monate. " + LEASE, "Die Frist beträgt drei Monate.", "Die Frist beträgt einen Monat."),
        ("Der Saal hat 125 Plätze. " + LEASE, "Der Saal hat hundertfünfundzwanzig Plätze.", "Der Saal hat 100 Plätze."),
        ("合同的通知期限是三个月。", "合同的通知期限是3个月。", "合同的通知期限是5个月。"),
        ("这个大厅有120个座位。", "这个大厅有一百二十个座位。", "这个大厅有一百三十个座位。"),
        ("这台水泵的保修期是一年。", "这台水泵的保修期是1年。", "这台水泵的保修期是2年。"),
    ],
)  # fmt: skip
def test_numbers_in_words_and_in_digits_are_the_same(text: str, answer: str, other: str) -> None:
    statement = verify(answer, text)
    assert (statement.verdict, statement.conflicts) == ("supported", ())
    assert verify(other, text).verdict == "unsupported"


def test_german_names_and_negations_are_compared_too() -> None:
    assert verify("Die Kaution beträgt drei Monatsmieten.", LEASE).verdict == "supported"
    assert verify("Haustiere sind erlaubt.", LEASE).conflicts == ("negation",)
    assert verify("Die Kaution beträgt drei Jahresmieten.", LEASE).verdict == "unsupported"


def test_other_subjects_are_outside_the_documents_and_half_truths_are_not_supported() -> None:
    assert verify("Leonardo painted a portrait of a lady.").verdict in ("outside", "unsupported")
    half = verify("The deposit is 12 months of rent and covers broken windows, doors, kitchens and carpets.")
    assert half.verdict in ("partly", "unsupported")


def test_places_are_those_of_the_answer_with_its_citations() -> None:
    answer = "The deposit is 12 months of rent [1]. The pump was delivered to Oslo [1]."
    found = StatementVerifier([passage(TERMS, n=1)]).verify(answer)
    assert [answer[s.start : s.end].split()[0:2] for s in found] == [["The", "deposit"], ["The", "pump"]]


def test_an_answer_in_another_language_cannot_be_judged() -> None:
    verifier = StatementVerifier([passage(TERMS, n=1)])
    assert not verifier.can_judge("Die Kaution beträgt zwölf Monatsmieten und wird nach dem Auszug zurückgezahlt.")
    assert verifier.can_judge("The deposit is twelve months of rent.")


def test_words_put_together_from_several_sentences_are_held_against_those_that_answer_the_question() -> None:
    game = "Miller stripped the ball from Newton on third down. Ward recovered the ball near the line of the goal."
    question, answering = "Who stripped the ball from Newton?", ["Miller stripped the ball from Newton on third down."]
    verifier = StatementVerifier([passage(game, n=1)], question, answering)
    verdicts = {
        said: verifier.verify(said)[0].verdict
        for said in (
            "Miller stripped the ball from Newton.",
            "Ward recovered the ball near the line of the goal.",  # true, and beside the question
            "Ward stripped the ball from Newton.",
        )
    }
    assert list(verdicts.values()) == ["supported", "supported", "unsupported"]
    by_words = StatementVerifier([passage(game, n=1)], question)
    assert by_words.verify("Ward stripped the ball from Newton.")[0].verdict == "supported"


def test_of_sentences_that_say_the_same_the_one_that_answers_the_question_is_pointed_to() -> None:
    forts = "Governor Duquesne sent men to Fort Venango. The fort that was being built was named Fort Duquesne."
    question, answering = "What was the fort that was being built named?", forts.split(". ")[1:]
    (statement,) = StatementVerifier([passage(forts, n=1)], question, answering).verify("Fort Duquesne.")
    assert forts[statement.sentence_start : statement.sentence_end] == answering[0]
    (by_words,) = StatementVerifier([passage(forts, n=1)], question).verify("Fort Duquesne.")
    assert by_words.sentence_start == 0
