"""Names in a text: what shows that something is one."""

from __future__ import annotations

import pytest

from workbench.techniques.retrieval.names import find_names, name_key


def found(text: str, language: str) -> dict[str, str]:
    """The names that the text shows, with their kinds."""
    return {one.shown: one.kind for one in find_names(text, language) if one.sure}


def test_english_names_stand_within_sentences() -> None:
    text = "The offer was written by Jonas Oertel. Timber comes from Vautrin, and the works council met in Tarnow."
    names = found(text, "en")
    assert set(names) == {"Jonas Oertel", "Vautrin", "Tarnow"}
    assert names["Tarnow"] == "place"


def test_a_word_that_only_begins_sentences_or_is_written_small_elsewhere_is_no_name() -> None:
    text = "Timber is dry. Visitors wait at the gate. We like timber. The Board decides; the board meets monthly."
    assert found(text, "en") == {}


def test_german_nouns_are_no_names_and_titles_firms_and_double_names_are() -> None:
    text = (
        "Die Rechnung ging an Frau Kolbe und an die Mühlenwerke Süderfelde KG. Der Antrag von Bastian Krug liegt im "
        "Büro. Später rief Krug wegen der Lieferung an. Firma Kammerer liefert den Lack."
    )
    names = found(text, "de")
    assert names == {
        "Kolbe": "person",
        "Mühlenwerke Süderfelde KG": "organisation",
        "Bastian Krug": "name",
        "Kammerer": "organisation",
    }


def test_a_last_name_is_the_one_person_who_has_it() -> None:
    text = "Bastian Krug leads the team. They asked Krug twice, and Mr Krug agreed."
    spans = find_names(f"We met Bastian Krug. {text}", "en")
    assert {one.key for one in spans} == {"bastian krug"}
    assert len(spans) == 4


def test_two_persons_of_one_last_name_stay_apart() -> None:
    text = "We met Gesine Averbeck and saw Hendrik Averbeck. Then we asked Averbeck."
    assert {one.key for one in find_names(text, "en")} == {"gesine averbeck", "hendrik averbeck", "averbeck"}


@pytest.mark.parametrize("code", ["KA-77120", "O25-148", "R25-019", "25-B-226", "FC-C131-0772"])
def test_codes_have_letters_and_digits(code: str) -> None:
    assert found(f"see the number {code}, please", "en") == {code: "code"}


@pytest.mark.parametrize("text", ["20KG of it", "on 2025-03-14", "in 3D", "a B5 sheet", "in Q3/2025", "1,200 and 34.5"])
def test_quantities_and_dates_are_no_codes(text: str) -> None:
    assert "code" not in found(text, "en").values()


def test_titles_weekdays_and_and_are_no_parts_of_names() -> None:
    text = "Ask Dr. Anna Kolbe and Mr. Tom Weber on Wednesdays; we wrote to Averbeck & Lorne Joinery GmbH in May."
    names = found(text, "en")
    assert names["Anna Kolbe"] == names["Tom Weber"] == "person"
    assert names["Averbeck & Lorne Joinery GmbH"] == "organisation"
    assert not [name for name in names if "Wednesday" in name or "May" in name]


def test_senders_of_mails_are_persons() -> None:
    text = (
        "From: Carla Thiemann <c.thiemann@post.example>\nSubject: AW: Angebot\n\nLiebe Frau Averbeck,\n\nvielen Dank."
    )
    assert found(text, "de") == {"Carla Thiemann": "person", "Averbeck": "person"}


def test_names_that_stand_side_by_side_in_a_table_are_cut_where_they_stand_alone() -> None:
    text = "Responsible  Stands in\nWe asked Callum Lorne. We asked Tomasz Wilk.\nProduction, Callum Lorne Tomasz Wilk"
    assert set(found(text, "en")) >= {"Callum Lorne", "Tomasz Wilk"}
    assert "Callum Lorne Tomasz Wilk" not in found(text, "en")


def test_a_word_that_may_be_a_name_is_kept_as_unsure() -> None:
    spans = {one.shown: one.sure for one in find_names("Wir haben bei Lamotte bestellt.", "de")}
    assert spans == {"Lamotte": False}


def test_mentions_have_their_places() -> None:
    text = "It was signed by Anna Kolbe here."
    (span,) = find_names(text, "en")
    assert text[span.start : span.end] == "Anna Kolbe"


def test_keys_are_without_titles_case_and_possessives() -> None:
    assert name_key("Dr. Anna Kolbe’s") == name_key("ANNA  KOLBE") == "anna kolbe"
    assert name_key("  ") == ""


def test_a_long_text_of_capitals_is_read_in_linear_time() -> None:
    text = "Alpha Beta Gamma " * 20_000 + "A" * 50_000 + "-1" * 20_000
    assert len({one.key for one in find_names(text, "en")}) < 50
