"""Figures and names of a question, and whether passages have them."""

from __future__ import annotations

import pytest

from workbench.techniques.retrieval.question_terms import figures_of, missing_figures, missing_names, names_of


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
