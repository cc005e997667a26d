"""The result of an exam: rates and their intervals, what follows from them, and how it is stored."""

from __future__ import annotations

import pytest

from workbench.base.stored import Unreadable
from workbench.records.exam import (
    EXAM,
    EXAM_VERSION,
    ExamRates,
    ExamResult,
    Rate,
    describe_mode,
    describe_poor,
    describe_rate,
    tenths,
)
from workbench.records.messages import Statement, Verification
from workbench.records.trust import describe_trust

RATES = ExamRates(own=Rate(12, 30), quoted=Rate(24, 30), answers=Rate(12, 40), unmarked=Rate(8, 12))
RESULT = ExamResult(version=EXAM_VERSION, sha256="ab", ended=1.0, seconds=9.0, languages={"en": RATES})


@pytest.mark.parametrize(  # statsmodels.stats.proportion.proportion_confint(right, count, method="wilson")
    ("rate", "low", "high"),
    [(Rate(8, 10), 0.4902, 0.9433), (Rate(0, 10), 0.0, 0.2775), (Rate(12, 30), 0.2459, 0.5768), (Rate(), 0.0, 1.0)],
)
def test_interval_is_wilsons(rate: Rate, low: float, high: float) -> None:
    assert rate.interval == pytest.approx((low, high), abs=1e-4)


def test_quotes_are_preferred_where_their_lower_bound_is_above_the_own_words() -> None:
    def prefers(own: int, quoted: int) -> bool | None:
        return ExamRates(own=Rate(own, 30), quoted=Rate(quoted, 30)).prefers_quotes

    assert prefers(12, 24) is True
    assert prefers(20, 24) is None
    assert prefers(28, 20) is False
    assert ExamRates().prefers_quotes is None


def test_rates_of_an_answer_are_those_of_answers_marked_alike() -> None:
    assert RATES.of_answer(marked=False) == Rate(8, 12)
    assert RATES.of_answer(marked=True) == Rate(4, 28)
    few = ExamRates(own=Rate(12, 30), answers=Rate(12, 40), unmarked=Rate(2, 2))
    assert few.of_answer(marked=False) == Rate(12, 30)


def test_languages_are_added_where_the_language_is_unknown() -> None:
    german = ExamRates(own=Rate(3, 30), quoted=Rate(14, 30))
    both = ExamResult(version=1, sha256="", ended=0, seconds=0, languages={"en": RATES, "de": german})
    whole = both.rates("")
    assert whole is not None
    assert (whole.own, whole.quoted) == (Rate(15, 60), Rate(38, 60))
    assert both.rates("zh") is None
    assert describe_poor(both) == "In German fewer than half of its answers are right, also when quoting."
    assert describe_mode(both) == "In English and German answers are quoted: quoting is measurably better."


def test_rates_in_words() -> None:
    assert describe_rate(RATES, "own") == ("40 %", "12 of 30, 25–58 %")
    assert describe_rate(RATES, "unmarked") == ("67 %", "8 of 12, 39–86 %; 12 of 40 not marked")
    assert describe_rate(ExamRates(), "declined") == ("none", "")
    said = [tenths(Rate(right, 30)) for right in (0, 1, 12, 29, 30)]
    assert said == ["0 of 10", "1 of 10", "4 of 10", "9 of 10", "10 of 10"]


def test_stored_results_are_read_and_newer_ones_are_not() -> None:
    assert EXAM.decode(EXAM.encode(RESULT)) == RESULT
    newer = EXAM.decode({**EXAM.plain(RESULT), "format": 99})
    assert isinstance(newer, Unreadable)
    assert "newer version" in newer.reason
    damaged = EXAM.decode('{"version": "one"}')
    assert isinstance(damaged, Unreadable)


def test_line_below_an_answer_tells_how_often_such_answers_are_right() -> None:
    statement = Statement(start=0, end=9, verdict="supported")
    own = Verification(statements=(statement,), own_rate=Rate(4, 10), quoted_rate=Rate(21, 30))
    assert describe_trust(own)[0] == (
        "Your documents support this statement. This model is right in about 4 of 10 such answers in its own words; "
        "quoted answers in 7 of 10."
    )
    quoted = Verification(statements=(statement,), quoted=9, own_rate=Rate(4, 10), quoted_rate=Rate(21, 30))
    assert describe_trust(quoted)[0].endswith(" Quoted answers hold what was asked for in about 7 of 10 cases.")
    assert describe_trust(Verification(statements=(statement,)))[0] == "Your documents support this statement."


def test_an_exam_of_the_release_before_the_office_opens_and_is_out_of_date() -> None:
    stored = (
        '{"format":1,"version":6,"sha256":"ab","ended":1.0,"seconds":9.0,"confidence_shift":-0.5,"languages":{"en":'
        '{"own":{"right":12,"count":30},"quoted":{"right":24,"count":30},"answers":{"right":12,"count":40},'
        '"unmarked":{"right":8,"count":12},"abstained":{"right":0,"count":0},"declined":{"right":0,"count":0}}}}'
    )
    old = EXAM.get(stored)
    assert (old.current, old.office, old.languages["en"]) == (False, (), RATES)
    assert list(old.rows) == ["English"]
