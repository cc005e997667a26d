"""Figures and names of a question, things told apart by a letter, and whether passages have them."""

from __future__ import annotations

import pytest

from workbench.techniques.retrieval.question_terms import (
    figures_of,
    identified_of,
    missing_figures,
    missing_identified,
    missing_names,
    names_of,
)

LIFTS = "Building A has two lifts, building C has one and building B has none."


@pytest.mark.parametrize(
    ("question", "language", "names"),
    [
        ("Wann beginnt der Mietvertrag?", "", []),  # a noun, not a name, though the language is not told
        ("Wie hoch ist die Miete von Frau Brandl?", "de", ["Brandl"]),
        ("Was hat Anna Lenz unterschrieben?", "de", ["Anna", "Lenz"]),
        ("When did Brandl sign the lease?", "en", ["Brandl"]),
    ],
)
def test_names_of_a_question(question: str, language: str, names: list[str]) -> None:
    assert names_of(question, language) == names


def test_figures_are_the_same_in_every_notation() -> None:
    assert figures_of("Is order KA-77120 of 1,250.00 from 2019?") == ["KA-77120", "1,250.00", "2019"]
    texts = ["Der Auftrag KA-77120 über 1.250,00 EUR"]
    assert missing_figures(["KA-77120", "2019"], texts, "en") == ["2019"]
    assert missing_figures(["12"], ["They are twelve."], "en") == []


def test_names_are_there_with_another_ending() -> None:
    assert missing_names(["Brandl", "Lenz"], ["Brandls Vertrag"]) == ["Lenz"]


def test_a_month_is_there_in_another_language() -> None:
    assert missing_names(["June", "March"], ["Ab Juni macht Frau Sandow die Buchhaltung."]) == ["March"]
    assert missing_names(["Mai"], ["The tenant may keep a dog."]) == ["Mai"]


@pytest.mark.parametrize(
    ("question", "language", "found"),
    [
        ("How many lifts does building D have?", "en", [("building", "D")]),
        ("Wie viele Aufzüge hat Haus D?", "de", [("Haus", "D")]),
        ("Is lot 12B sold, and who is in room 7?", "en", [("lot", "12B"), ("room", "7")]),
        ("Qui est dans la salle 3 ?", "fr", [("salle", "3")]),
        ("May I come on May 5 before 9, or in 2024?", "en", []),
        ("Kommt er am 3. Mai oder um 9 Uhr?", "de", []),
        ("Was kosten 2 Nächte in Zimmer 7?", "de", [("Zimmer", "7")]),
        ("How early must I book 3 nights in room 7?", "en", [("room", "7")]),
    ],
)
def test_a_letter_or_number_after_a_noun_tells_its_things_apart(
    question: str, language: str, found: list[tuple[str, str]]
) -> None:
    assert identified_of(question, language) == found


@pytest.mark.parametrize(
    ("asked", "text", "missing"),
    [
        (("building", "D"), LIFTS, ["building D"]),
        (("building", "B"), LIFTS, []),
        (("building", "B"), "No lifts in buildings A, B and C.", []),
        (("building", "C"), "No: 53 | Building: A | What: door", ["building C"]),
        (("Haus", "C"), "Die Häuser stehen am Ring. Block C hat einen Aufzug, Haus A keinen.", []),
        (("building", "D"), "The building has two lifts.", []),
        (("room", "7"), "Room 3 is free, room 9 is not.", ["room 7"]),
        (("room", "7"), "Room 3 is free for 7 days.", []),
        (("lot", "12B"), "Lot 12A is sold.", ["lot 12B"]),
    ],
)
def test_what_stands_beside_no_other_letter_or_number_is_missing(
    asked: tuple[str, str], text: str, missing: list[str]
) -> None:
    assert missing_identified([asked], [text]) == missing
