"""Accepted answers: notations of amounts, dates and hours, groups that are needed, points, numbers found by chance."""

from __future__ import annotations

import pytest

from workbench.records.evaluation import QuestionRow
from workbench.records.messages import Message
from workbench.subjects.evaluation.accepted import SHORT_WORDS, is_right, names, says_unknown


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("The deposit is EUR 1,350.00, payable on signing.", "1.350 €"),
        ("Die Kaution beträgt 1.350 €.", "EUR 1,350.00"),
        ("1.350 €", "EUR 1,350.00"),
        ("The value is 38,500.", "38.500"),
        ("Due on 03.05.2025.", "3 May 2025"),
        ("Fällig am 3. Mai 2025", "2025-05-03"),
        ("It is due on 3 May 2025", "3 May"),
        ("Die Sitzung beginnt um 8 Uhr.", "8:00"),
        ("It begins at 8:30 in the morning", "8.30 Uhr"),
        ("until 22:00, then quiet", "10 pm"),
        ("Es sind zwölf Wochen.", "12 weeks"),
        ("Only 1.200 l remain", "1,200 litres"),
        ("CHF 1'350.–", "1350 CHF"),
        ("Frau Dr. Yıldız [2]", "Yıldız"),
        ("Two.", "=two"),
        ("wird mit 96 € je Stunde berechnet", "96 €"),
        ("bei 31 mg je Liter", "31 mg"),
        ("word " * 70 + "for 8 €", "8 €"),
        ("Polarstern's depot closes at noon.", "Polarstern"),
        ("bei 31 mg je Liter", "31 mg/l"),
        ("It came on 2025-09-09, 9 in all", "9"),
    ],
)
def test_notations_that_mean_the_same(answer: str, accepted: str) -> None:
    assert names(answer, [accepted])


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("EUR 1,350.00", "1.35 €"),
        ("1.350 €", "EUR 13.50"),
        ("It is version 4.2.1", "4.2"),
        ("12.5 kg", "12"),
        ("Due on 03.05.2024", "3 May 2025"),
        ("At 18 Uhr", "8:00"),
        ("Two rooms", "=two"),
        ("It came on 2025-09-09.", "9"),
        ("from the 61st minute on", "6"),
        ("It drives 5 km per hour.", "5 km"),
        ("The lease runs for 18 months.", "8 months"),
        ("", "x"),
    ],
)
def test_notations_that_do_not(answer: str, accepted: str) -> None:
    assert not names(answer, [accepted])


def test_a_small_number_alone_does_not_count_in_a_long_quotation() -> None:
    short, long = "word " * (SHORT_WORDS - 1) + "12", "word " * SHORT_WORDS + "12 weeks"
    assert names(short, ["12"])
    assert not names(long, ["12"])
    assert names(long, ["12 weeks"])


def test_groups_are_all_needed_and_of_points_most() -> None:
    def asked(**fields: object) -> QuestionRow:
        return QuestionRow(messages=(Message("user", "?"),), **fields)  # type: ignore[arg-type]

    both = asked(need=(("Kolbe",), ("EUR 12", "twelve euros")))
    assert is_right(both, "Ms Kolbe pays twelve euros.")
    assert not is_right(both, "Ms Kolbe pays.")
    five = asked(points=(("a1",), ("b1", "bb"), ("c1",), ("d1",), ("e1",)))
    assert is_right(five, "a1, bb, c1 and d1")
    assert not is_right(five, "a1, b1 and c1")
    assert not is_right(asked(answerable=False), "anything")
    assert not is_right(asked(), "anything")


def test_answers_that_say_they_do_not_know() -> None:
    assert says_unknown("The passages do not state how much it weighs.")
    assert says_unknown("Der Hersteller wird nicht genannt.")
    assert says_unknown("Das weiß ich nicht.")
    assert says_unknown("Le document n'indique pas le prix.")
    assert says_unknown("El documento no menciona el precio.")
    assert not says_unknown("Nadie lo indica mejor que el contrato.")
    assert not says_unknown("Printers are not covered.")
    assert not says_unknown("Sonntags wird nie gearbeitet.")
