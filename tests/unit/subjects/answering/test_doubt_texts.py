"""The reasons to doubt an answer, in the language of the question."""

from __future__ import annotations

import pytest

from tests.fakes import FakeRetriever, passage
from workbench.techniques.retrieval.abstention import measure_evidence
from workbench.techniques.retrieval.doubt import ATTRIBUTES_TOLD, VALUES_TOLD
from workbench.techniques.retrieval.doubt_texts import missing_reason, untold_reason, weak_reason

PUMP = "Die Gewährleistung der Pumpe beträgt 36 Monate und beginnt mit der Lieferung an den Kunden."


@pytest.mark.parametrize(
    ("language", "one", "more"),
    [
        ("en", "1588 is in none of these passages.", "1588, 1590 and Ada are in none of these passages."),
        ("de", "1588 steht in keiner dieser Stellen.", "1588, 1590 und Ada stehen in keiner dieser Stellen."),
        (
            "fr",
            "1588 ne figure dans aucun de ces passages.",
            "1588, 1590 et Ada ne figurent dans aucun de ces passages.",
        ),
        (
            "es",
            "1588 no aparece en ninguno de estos pasajes.",
            "1588, 1590 y Ada no aparecen en ninguno de estos pasajes.",
        ),
        ("zh", "1588 is in none of these passages.", "1588, 1590 and Ada are in none of these passages."),
    ],
)
def test_what_is_missing_is_said_in_the_language_of_the_question(language: str, one: str, more: str) -> None:
    assert missing_reason(["1588"], language).text == one
    assert missing_reason(["1588", "1590", "Ada"], language).text == more


def test_every_value_that_may_be_untold_has_its_words_in_every_language() -> None:
    for kind in (*ATTRIBUTES_TOLD, *VALUES_TOLD):
        assert len({untold_reason(kind, language).text for language in ("en", "de", "fr", "es")}) == 4
    assert untold_reason("colour", "de").text.endswith("nennen aber keine Farbe.")


def test_a_language_without_texts_is_answered_in_english() -> None:
    assert weak_reason("pt") == weak_reason("") == weak_reason("en") != weak_reason("es")


def test_the_doubt_about_a_german_question_is_said_in_german() -> None:
    pump = passage(PUMP)
    found = measure_evidence("Wie lange galt die Gewährleistung der Pumpe 1588?", [pump], FakeRetriever([pump]))
    assert found.reasons[0].text == "1588 steht in keiner dieser Stellen."
