"""Values of a statement in the role that the passages give them."""

from __future__ import annotations

import pytest

from tests.fakes import passage
from workbench.techniques.retrieval.statements import StatementVerifier
from workbench.techniques.retrieval.verification import verify_statements

LEASE = (
    "The annual rent of the hall is EUR 96,000, payable in twelve instalments of EUR 8,000. The deposit amounts to "
    "EUR 24,000. The lease begins on 1 May 2027 and ends on 30 April 2032. Ms Ana Torres represents the landlord, "
    "Mr Leo Brandt the tenant. Members pay 12 euros for a course, guests 19 euros."
)
LEASE_DE = (
    "Die Jahresmiete beträgt 96.000 € und die Kaution 24.000 €. Der Vertrag beginnt am 1. Mai 2027. Hausmeister ist "
    "Herr Jonas Weber, die Schlüssel verwaltet Frau Petra Lang. Der Saal fasst 180 Personen, die Galerie 45 Personen."
)
TABLE = (
    "Rooms\n\nRoom | Seats | Price per day\nOak | 40 | 250 EUR\nBirch | 24 | 180 EUR\nMaple | 12 | 95 EUR\n\n"
    "Rooms are booked by telephone."
)
COAST = "Southport lies about 25 miles (40 km) south of the border and about 340 miles (547 km) north of Eastbay."


def contradictions(answer: str, text: str, question: str = "") -> tuple[str, ...]:
    (statement,) = StatementVerifier([passage(text, n=1)], question).verify(answer)
    assert set(statement.elsewhere) <= set(statement.contradictions)
    return statement.contradictions


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("Each year the rent is 96.000 €.", LEASE),
        ("Twelve instalments of 8,000 euros have to be paid.", LEASE),
        ("The lease starts on 01/05/2027.", LEASE),
        ("The landlord is represented by Ana Torres.", LEASE),
        ("For a course, guests pay €19 and members €12.", LEASE),
        ("Die Kaution liegt bei EUR 24.000.", LEASE_DE),
        ("45 Personen finden auf der Galerie Platz.", LEASE_DE),
        ("Frau Lang verwaltet die Schlüssel.", LEASE_DE),
        ("The room Birch has 24 seats and costs €180 per day.", TABLE),
        ("Maple costs 95 euros a day.", TABLE),
        ("Southport is 340 miles north of Eastbay.", COAST),
    ],
)
def test_right_values_in_other_words_are_not_contradicted(answer: str, text: str) -> None:
    assert contradictions(answer, text) == ()


@pytest.mark.parametrize(
    ("answer", "text", "value"),
    [
        ("The annual rent is EUR 24,000.", LEASE, "EUR 24,000"),
        ("The deposit amounts to EUR 96,000.", LEASE, "EUR 96,000"),
        ("The lease begins on 30 April 2032.", LEASE, "30 April 2032"),
        ("Mr Leo Brandt represents the landlord.", LEASE, "Leo Brandt"),
        ("Members pay 19 euros for a course.", LEASE, "19 euros"),
        ("Die Kaution beträgt 96.000 €.", LEASE_DE, "96.000 €"),
        ("Die Galerie fasst 180 Personen.", LEASE_DE, "180"),
        ("Hausmeister ist Frau Petra Lang.", LEASE_DE, "Petra Lang"),
        ("Birch costs 250 EUR per day.", TABLE, "250 EUR"),
        ("Oak has 12 seats.", TABLE, "12"),
        ("Southport is 25 miles south of Eastbay.", COAST, "25 miles"),
        ("Members pay 12 euros for a course, guests 12 euros.", LEASE, "12 euros"),
    ],
)
def test_a_value_that_the_passage_says_of_something_else_contradicts(answer: str, text: str, value: str) -> None:
    assert value in contradictions(answer, text)


def test_a_sentence_of_the_passage_is_never_contradicted_word_for_word() -> None:
    for text in (LEASE, LEASE_DE, COAST):
        for statement in StatementVerifier([passage(text, n=1)]).verify(text):
            assert (statement.verdict, statement.conflicts) == ("supported", ())


def test_a_value_that_the_question_says_is_not_held_against_the_answer() -> None:
    question = "What is the deposit if the rent is EUR 70,000?"
    assert contradictions("With a rent of EUR 70,000 the deposit is EUR 24,000.", LEASE, question) == ()


def test_of_an_answer_in_another_language_the_values_are_compared() -> None:
    passages = (passage(LEASE, n=1),)
    true = verify_statements("Die Kaution beträgt 24.000 € und die Miete im Jahr 96.000 €.", passages, "")
    false = verify_statements("Die Kaution beträgt 26.500 € und ist bei der Übergabe zu zahlen.", passages, "")
    silent = verify_statements("Die Kaution ist bei der Übergabe zu zahlen und wird nicht verzinst.", passages, "")
    assert [one.verdict for one in true.statements] == ["partly"]
    assert LEASE[true.statements[0].sentence_start :].startswith("The annual rent")
    assert true.statements[0].n == 1
    assert [one.contradictions for one in false.statements] == [("26.500 €",)]
    assert silent.statements == ()
    assert true.unsure
    assert "only its numbers" in true.problem
    assert "were not checked" in silent.problem
