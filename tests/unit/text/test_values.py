"""Values of a text in the notations of several languages."""

from __future__ import annotations

import pytest

from workbench.text.values import find_values


def values_of(text: str, language: str = "en") -> list[tuple[str, str]]:
    return [(one.kind, f"{max(one.readings)} {one.unit}".strip()) for one in find_values(text, language)[1]]


@pytest.mark.parametrize(
    ("first", "second", "languages"),
    [
        ("84.600 €", "EUR 84,600", "de en"),
        ("14.250,00 €", "14250 euros", "de en"),
        ("2.4 million pounds", "£2,400,000", "en en"),
        ("1,84 Millionen Kubikmeter", "1.840.000 m³", "de de"),
        ("1. März 2026", "01/03/2026", "de en"),
        ("March 1st, 2026", "1er mars 2026", "en fr"),
        ("4 de febrero de 2025", "2025-02-04", "es en"),
        ("am 4. September", "04.09.", "de de"),
        ("17:30", "5:30 pm", "en en"),
        ("16 Uhr", "16:00", "de en"),
        ("ninety days", "90 Tage", "en de"),
        ("trois mois", "3 Monate", "fr de"),
        ("forty percent", "40 %", "en en"),
        ("P-12", "P12", "en en"),
        ("one year", "1 year", "en en"),
        ("half past eight", "8:30", "en en"),
        ("halb elf", "22:30", "de de"),
        ("8.30 pm", "20:30", "en en"),
        ("16/09", "16 September", "en en"),
        ("23 h", "23:00", "fr fr"),
        ("0800 555 0142", "0800-555-0142", "en en"),
    ],
)
def test_two_notations_of_a_value_are_equal(first: str, second: str, languages: str) -> None:
    one, other = languages.split()
    (a,), (b,) = find_values(first, one)[1], find_values(second, other)[1]
    assert a.equals(b)
    assert b.equals(a)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("84,600 EUR", "8,460 EUR"),
        ("36 EUR", "36 USD"),
        ("12 months", "12 weeks"),
        ("1 March 2026", "3 January 2025"),
        ("March 2026", "April 2026"),
        ("P-12", "P-15"),
        ("8:30", "18:30"),
        ("5 percent", "5 per mille"),
    ],
)
def test_other_values_differ(first: str, second: str) -> None:
    (a,), (b,) = find_values(first, "en")[1], find_values(second, "en")[1]
    assert not a.equals(b)


def test_each_value_has_its_place_in_the_text_with_digits() -> None:
    text, found = find_values("Twelve instalments of EUR 7,050 each are due on 3 May 2026 at 9:15.", "en")
    assert [text[one.start : one.end] for one in found] == ["12", "EUR 7,050", "3 May 2026", "9:15"]
    assert [one.kind for one in found] == ["amount", "amount", "date", "time"]


def test_what_is_no_value_is_not_read_as_one() -> None:
    assert values_of("One of them may march on; a mare and an ova are no dates.") == []
    assert values_of("The month of May is not read without a day or a year.") == []
    assert values_of("Ein Mann sieht eine Frau.", "de") == []
    assert find_values("", "en") == ("", ())


def test_only_what_measures_the_same_competes() -> None:
    (rent,), (deposit,), (area,) = (find_values(one, "en")[1] for one in ("€800", "2,400 EUR", "38 m²"))
    assert rent.competes(deposit, rent)
    assert not rent.competes(area, rent)
    assert not rent.competes(rent, rent)
    litres, more = find_values("One tank holds 74 litres, the other 21.", "en")[1]
    assert (more.unit, more.implied) == ("", "l")
    assert litres.competes(more, litres)


def test_a_long_number_is_read_in_reasonable_time() -> None:
    assert len(find_values("9" * 5000 + " million", "en")[1]) <= 1
    assert find_values("1.2.3.4.5.6.7.8.9." * 200, "de")[1]
