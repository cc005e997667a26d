"""The parts of a question, and whether two values are to be put together."""

from __future__ import annotations

import pytest

from workbench.techniques.retrieval.question_parts import combination, split_question


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("Who signed the lease, and when does it end?", ("Who signed the lease", "when does it end")),
        ("who signed the lease and in which year does it end", ("who signed the lease", "in which year does it end")),
        (
            "Wer trainiert die Gruppe, und wann hört diese Person auf?",
            ("Wer trainiert die Gruppe", "wann hört diese Person auf"),
        ),
        (
            "à qui écrire pour le jumelage, et combien d'heures est-elle employée ?",
            ("à qui écrire pour le jumelage", "combien d'heures est-elle employée"),
        ),
        ("¿Cómo se llama y qué día fue el golpe?", ("¿Cómo se llama", "qué día fue el golpe")),
        (
            "Stain in 203: who was told, and what is his job?",
            ("Stain in 203: who was told", "Stain in 203: what is his job"),
        ),
        ("Who has the key? Where does she live?", ("Who has the key", "Where does she live")),
    ],
)
def test_a_question_is_cut_into_its_parts_with_their_topic(question: str, parts: tuple[str, ...]) -> None:
    assert split_question(question) == parts


@pytest.mark.parametrize(
    "question",
    [
        "Which of the first-aiders leads a fitting team?",
        "How long is the warranty of pumps and valves?",
        "Was kostet die Änderung nach der Freigabe?",
        "Who, when, where, why and how?",
        "",
    ],
)
def test_a_question_of_one_part_stays_whole(question: str) -> None:
    assert split_question(question) == (question,)


def test_differences_and_sums_are_told_apart() -> None:
    assert combination("By how much is offer A cheaper than offer B?") == "difference"
    assert combination("Um wie viel ist die Stunde teurer geworden?") == "difference"
    assert combination("De combien la cotisation a-t-elle augmenté ?") == "difference"
    assert combination("What do the rooms plus the bar come to?") == "sum"
    assert combination("Was kosten beide zusammen?") == "sum"
    assert combination("Combien coûte en plus la crédence ?") == ""
    assert combination("When does the lease end?") == ""


def test_what_is_no_question_is_no_part() -> None:
    asked = "Is the record of the women above or below the norm? Name both times."
    assert split_question(asked) == (asked,)
    assert split_question("After the merger, who became chair?") == ("After the merger, who became chair?",)
    assert combination("Cable plus the electrician's trip: what did it come to?") == "sum"
