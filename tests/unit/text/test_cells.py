"""Values of cells in the styles of several countries."""

from __future__ import annotations

import datetime

import pytest

from workbench.text.cells import comma_style, date_of, number_of, time_of, unit_in


@pytest.mark.parametrize(
    ("text", "comma", "value"),
    [
        ("1.234,50 €", True, (1234.5, "EUR")),
        ("€ 1,234.50", False, (1234.5, "EUR")),
        ("1.234", True, (1234.0, "")),
        ("1.234", False, (1.234, "")),
        ("1,234", False, (1234.0, "")),
        ("1 234,6", True, (1234.6, "")),
        ("12'500.-", False, (12500.0, "")),
        ("CHF 1'250.–", False, (1250.0, "CHF")),
        ("1 250,50 zł", False, (1250.5, "PLN")),
        ("kr. 1.200", True, (1200.0, "kr")),
        ("¥ 12,000", False, (12000.0, "JPY")),
        ("1.234.567", False, (1234567.0, "")),
        ("0,125", False, (0.125, "")),
        ("-5 %", False, (-5.0, "%")),
        ("(120)", False, (-120.0, "")),
        ("12,5 m²", True, (12.5, "m²")),
    ],
)
def test_numbers(text: str, comma: bool, value: tuple[float, str]) -> None:
    assert number_of(text, comma) == value


@pytest.mark.parametrize("text", ["007", "4.2.1", "25-051", "1x", "19 August", "12 apples", "1,2,3", "", "x" * 50])
def test_what_is_no_number(text: str) -> None:
    assert number_of(text) is None


@pytest.mark.parametrize(
    "text",
    ["2025-03-14", "14.03.2025", "14/3/25", "14 March 2025", "14. März 2025", "March 14, 2025", "14 de marzo de 2025"],
)
def test_dates(text: str) -> None:
    assert date_of(text) == datetime.date(2025, 3, 14)


def test_what_is_no_date() -> None:
    assert date_of("31.02.2025") is None
    assert date_of("March") is None
    assert date_of("3/14/2025") is None
    assert date_of("3/14/2025", month_first=True) == datetime.date(2025, 3, 14)


def test_times_are_minutes() -> None:
    assert (time_of("9:15"), time_of("37:30:00"), time_of("9:75")) == (555.0, 2250.0, None)


def test_the_decimal_sign_is_told_by_most_cells() -> None:
    assert comma_style(["1.234", "2,50", "870,00 €"]) == 1
    assert comma_style(["1,234", "2.50"]) == -1
    assert comma_style(["1", "2"]) == 0


@pytest.mark.parametrize(
    ("cells", "style"),
    [
        (["1.935", "2.449", "994", "671"], 1),
        (["1,935", "2,449", "994", "671"], -1),
        (["1.935 €", "994 €", "12.500 €"], 1),
        (["386,043", "448,614"], 0),
        (["1.935", "994", "2000"], 0),  # a thousand without a sign
        (["1.125", "2", "2.375"], 0),
        (["1.935", "994", "0.5"], -1),
        (["3.141", "100", "250"], 0),  # no nearer to these as a thousand
        (["000", "1.200"], 0),
    ],
)
def test_thousands_beside_hundreds_tell_the_sign_between_them(cells: list[str], style: int) -> None:
    assert comma_style(cells) == style


def test_stored_numbers_have_no_sign_for_thousands() -> None:
    assert comma_style(["1.935", "994", "671"], stored=True) == 0
    assert comma_style(["1.93", "994"], stored=True) == -1


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("Amount (EUR)", "EUR"),
        ("EUR charged", "EUR"),
        ("Preis €/m²", "EUR/m²"),
        ("€ je Liter", "EUR/l"),
        ("Preis je m³", ""),
        ("Gross kg", "kg"),
        ("paid_eur", "EUR"),
        ("Remark", ""),
        ("Group A 2024", ""),
        ("Ladung t 2024", "t"),
    ],
)
def test_units_of_names(name: str, unit: str) -> None:
    assert unit_in(name) == unit
