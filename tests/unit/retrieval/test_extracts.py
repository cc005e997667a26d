"""Units for summaries and lists, on a document of which the right ones are plain."""

from __future__ import annotations

from tests.fakes import FakeRetriever, document_text
from workbench.techniques.retrieval.extracts import (
    choose_for_list,
    choose_for_summary,
    days_in,
    leads_of,
    match_sections,
    measure_likeness,
    words_of_summary,
)
from workbench.techniques.retrieval.outline import Section, read_outline
from workbench.text.terms import Vocabulary

TEXT = """# Contract

## Term

The contract runs for 24 months from 1 February 2025. Either party may end it. It was signed.

## Rates

The hour costs 42 euros. The hour costs 42 euros on every day. Invoices are paid within 35 days.

## Dates

- 21 June: summer party
- 5 July: outing
- 23 August: championship

## Footer

initials and a stamp
"""
SIMILAR = FakeRetriever().similarities


def sections() -> tuple[Section, ...]:
    return read_outline(document_text(TEXT))


def summary(words: int) -> list[str]:
    found = sections()
    likeness = [measure_likeness(section, leads_of(found), SIMILAR) for section in found]
    extracts = choose_for_summary(found, likeness, words, "en")
    return [unit.text for extract in extracts for unit in extract.units]


def test_short_summary_takes_the_first_of_each_section() -> None:
    assert summary(18) == [
        "The contract runs for 24 months from 1 February 2025.",
        "The hour costs 42 euros.",
        "5 July: outing",
    ]


def test_nothing_is_said_twice() -> None:
    said = summary(40)
    assert "The hour costs 42 euros on every day." not in said
    assert "Invoices are paid within 35 days." in said


def test_an_overview_begins_with_what_a_document_says_first() -> None:
    text = "The vans are for hire. It costs 42 euros, with 20 litres and 300 km. Paid in 14 days by card, or 7 in cash."
    found = read_outline(document_text(f"# Hire\n\n{text}\n"))
    (extract,) = choose_for_summary(found, [[0.0] * 3], 10, "en", first=2.0, figures=0.5)
    assert extract.units[0].text == "The vans are for hire."
    (extract,) = choose_for_summary(found, [[0.0] * 3], 10, "en")
    assert extract.units[0].text.startswith("It costs")


def test_text_that_repeats_itself_is_quoted_once() -> None:
    found = read_outline(document_text("# Mill\n\n" + "The mill was built in 1902. " * 50))
    likeness = [measure_likeness(section, leads_of(found), SIMILAR) for section in found]
    (extract,) = choose_for_summary(found, likeness, 100, "en")
    assert len(extract.units) == 1


def test_summary_keeps_the_order_and_the_length() -> None:
    for words in (10, 20, 40, 80):
        said = summary(words)
        assert [TEXT.index(one) for one in said] == sorted(TEXT.index(one) for one in said)
        assert sum(len(one.split()) for one in said) <= words


def test_length_of_a_summary_grows_slower_than_the_document() -> None:
    assert [words_of_summary(n) for n in (50, 400, 1600, 100_000)] == [50, 240, 450, 450]


def matched(request: str, names: frozenset[str] = frozenset()) -> Section:
    vocabulary = Vocabulary("en")
    terms = [t for t in vocabulary.content_terms(request) if t not in names]
    return max(
        match_sections(request, terms, names, sections(), SIMILAR, vocabulary), key=lambda one: one.score
    ).section


def test_list_is_the_section_that_the_request_names() -> None:
    section = matched("all dates of the contract", frozenset({"contract"}))
    assert section.title == "Dates"
    units = choose_for_list("all dates", ["date"], section, SIMILAR, Vocabulary("en"))
    assert [unit.text for unit in units] == ["21 June: summer party", "5 July: outing", "23 August: championship"]


def test_list_of_named_days() -> None:
    units = choose_for_list("what is on 5 July and 23 August", ["on"], matched("dates"), SIMILAR, Vocabulary("en"))
    assert [unit.text for unit in units] == ["5 July: outing", "23 August: championship"]


def test_days_in_words_and_figures() -> None:
    assert days_in("am 4. und 5. November") == {(4, 11), (5, 11)}
    assert days_in("di 4.11. 8.05 workshop") == {(4, 11)}
    assert days_in("on 2025-05-13, May 13th or le 13 mai") == {(13, 5)}
    assert days_in("42 euros and 24 months") == set()
