"""Units: what of a passage can be quoted, and what belongs to it."""

from __future__ import annotations

import pytest

from tests.fakes import passage
from workbench.techniques.retrieval.sentence_choice import completed
from workbench.techniques.retrieval.sentence_units import split_units


def kinds(text: str, start: int = 1) -> list[tuple[str, str]]:
    (units,) = split_units([passage(text, start=start)])
    return [(unit.text, unit.kind) for unit in units]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "3.1 Sliding saw\n• Blade: 24 teeth\nPush stick\nThe scoring blade is set 0.1 mm wider than it.",
            ["heading", "item", "sentence", "sentence"],
        ),
        (
            "Spring sprint\nFifteen crews started on 1 May over 350 metres, and the water was high. Knut won.",
            ["heading", "sentence", "sentence"],
        ),
        ("Name | Price | Stock\nSeal | 12 | 3\nRotor | 99 | 0", ["head", "row", "row"]),
        ("Page 4 of 9\nThe hall is open on Mondays.", ["head", "sentence"]),
        ("# Costs\n\nRent: 900 euros\n\nWho pays it? The tenant does.", ["heading", "entry", "question", "sentence"]),
        ("- oak\n- ash\n2) elm", ["item", "item", "item"]),
        (
            "Dear Iris,\nthe letter is below.\n---- Forwarded message ----\nThe hall is open on Mondays.",
            ["sentence", "head", "sentence"],
        ),
        ("-- the hall is shut --\nIt opens in May.\n-- in May or in June", ["head", "sentence", "sentence"]),
    ],
)
def test_kinds_of_units(text: str, expected: list[str]) -> None:
    assert [kind for _, kind in kinds(text)] == expected


def test_a_line_that_stands_on_several_pages_is_the_head_of_a_page() -> None:
    first = passage("Averbeck Joinery - Manual\nThe saw takes blades of 315 mm.", start=1)
    second = passage("Averbeck Joinery - Manual\nThe press takes 45 minutes.", start=2)
    assert [[unit.kind for unit in units] for units in split_units([first, second])] == [["head", "sentence"]] * 2


def test_an_item_knows_the_sentence_that_leads_to_it() -> None:
    (units,) = split_units([passage("The rooms are fitted in three sections:\n- second floor\n- first floor")])
    assert [unit.lead for unit in units] == [None, 0, 0]
    assert completed(units[1], units) == (0, units[1].end)
    assert completed(units[2], units) == (units[2].start, units[2].end)


def test_what_stands_below_a_heading_knows_it() -> None:
    (units,) = split_units([passage("## Guarantee\n\nThree years on furniture.\n\n## Storage\n\nFree for two weeks.")])
    assert [(unit.text, unit.heading) for unit in units if unit.states] == [
        ("Three years on furniture.", "Guarantee"),
        ("Free for two weeks.", "Storage"),
    ]


def test_a_rule_of_marks_is_no_answer_and_what_is_below_it_keeps_its_heading() -> None:
    (units,) = split_units([passage("## Rates\n\n-----\nJoiner   54 EUR\n* * *\nGuest   8 EUR")])
    assert [unit.text for unit in units if unit.states] == ["Joiner   54 EUR", "Guest   8 EUR"]
    assert {unit.heading for unit in units if unit.states} == {"Rates"}


def test_the_subject_of_a_mail_is_a_heading_and_that_of_a_form_an_entry() -> None:
    (mail,) = split_units([passage("Subject: Crane\nFrom: Kim <kim@x.example>\n\nThe crane: it comes on Friday.")])
    assert [unit.kind for unit in mail] == ["heading", "entry", "entry"]
    (letter,) = split_units([passage("Betreff: Kran\n\nDer Kran kommt am Freitag.")])
    assert letter[0].kind == "heading"
    (form,) = split_units([passage("Teacher: Anna Berg\nSubject: Mathematics\nRoom: 12")])
    assert [unit.kind for unit in form] == ["entry", "entry", "entry"]
