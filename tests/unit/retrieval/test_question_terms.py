"""What a question names: figures, names, and things that a letter or a number tells apart."""

from __future__ import annotations

import pytest

from workbench.techniques.retrieval.question_terms import identified_of, missing_identified

LIFTS = "Building A has two lifts, building C has one and building B has none."


@pytest.mark.parametrize(
    ("question", "language", "found"),
    [
        ("How many lifts does building D have?", "en", [("building", "D")]),
        ("Wie viele Aufzüge hat Haus D?", "de", [("Haus", "D")]),
        ("Is lot 12B sold, and who is in room 7?", "en", [("lot", "12B"), ("room", "7")]),
        ("Qui est dans la salle 3 ?", "fr", [("salle", "3")]),
        ("May I come on May 5 before 9, or in 2024?", "en", []),
        ("Kommt er am 3. Mai oder um 9 Uhr?", "de", []),
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
