"""Two versions of rules compared."""

from __future__ import annotations

import pytest

from tests.fakes import FakeRetriever, document_text
from workbench.techniques.retrieval.comparison import choose_differences, compare_documents, compare_units
from workbench.techniques.retrieval.outline import Section, Unit, read_outline

OLD = """# Rules

## Forklifts

At most 12 km/h in the hall. Batteries are charged at the weekend.

## Racks

At most 1,000 kg in each place.

## Rates

Item: Export declaration | EUR: 45.00
Item: Bill of lading | EUR: 55.00

## Radio

The radio plays from noon until evening.
"""
NEW = """# Rules

## Forklifts

At most 10 km/h in the hall. Batteries are charged after every shift.

## Racks

At most 1,000 kg in each place.

## Rates

Item: Export declaration | EUR: 49.00
Item: Bill of lading | EUR: 55.00

## Dogs

Dogs stay in the car.
"""


def rules(text: str) -> tuple[Section, ...]:
    return read_outline(document_text(text))


def test_changes_are_paired_and_equal_ones_left_out() -> None:
    found = compare_units(rules(OLD), rules(NEW), FakeRetriever().similarities, "en")
    pairs = [(one.first[1].text, one.second[1].text) for one in found if one.first and one.second]
    assert pairs == [
        ("At most 12 km/h in the hall.", "At most 10 km/h in the hall."),
        ("Batteries are charged at the weekend.", "Batteries are charged after every shift."),
        ("Item: Export declaration | EUR: 45.00", "Item: Export declaration | EUR: 49.00"),
    ]


def test_what_only_one_has_is_told() -> None:
    found = compare_units(rules(OLD), rules(NEW), FakeRetriever().similarities, "en")
    assert [one.second[1].text for one in found if one.first is None and one.second] == ["Dogs stay in the car."]
    assert [one.first[1].text for one in found if one.second is None and one.first] == [
        "The radio plays from noon until evening."
    ]


def test_equal_documents_do_not_differ() -> None:
    assert compare_units(rules(OLD), rules(OLD), FakeRetriever().similarities, "en") == []


def test_documents_are_compared_with_the_older_one_first_and_each_statement_at_its_place() -> None:
    new = document_text(NEW, "rules 2025.md")
    old = document_text(OLD, "rules 2023.md")
    found = compare_documents(new, old, FakeRetriever().similarities)
    assert (found.first, found.second) == (old, new)
    said = [(OLD[slice(*one.first)], NEW[slice(*one.second)], one.section) for one in found.differences]
    assert ("At most 12 km/h in the hall.", "At most 10 km/h in the hall.", "Forklifts") in said
    assert ("", "Dogs stay in the car.", "Dogs") in said
    assert ("The radio plays from noon until evening.", "", "Radio") in said


def test_other_figures_come_before_other_words_where_not_all_fits() -> None:
    found = compare_units(rules(OLD), rules(NEW), FakeRetriever().similarities, "en")
    both = [one for one in found if one.first is not None and one.second is not None]
    chosen = choose_differences(both, most=2, words=100)
    assert [one.second[1].text for one in chosen if one.second] == [
        "At most 10 km/h in the hall.",
        "Item: Export declaration | EUR: 49.00",
    ]
    assert len(choose_differences(both, most=9, words=1)) == 1, "one is shown whatever its length"


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("2.1 The van costs 45.00 euros.", ("45.00",)),
        ("(3) Er bleibt im Hof.", ()),
        ("1. Rooms are booked in the app.", ()),
        ("8.30 Breakfast in the hall", ("8.30",)),
        ("49.00 EUR per day", ("49.00",)),
        ("2.5 hours per week are paid.", ("2.5",)),
        ("15. März: Abgabe der Listen", ("15",)),
    ],
)
def test_the_number_of_a_clause_is_no_figure_and_times_prices_and_days_are(text: str, figures: tuple[str, ...]) -> None:
    assert Unit(0, len(text), "sentence", text).figures == figures
