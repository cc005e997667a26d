"""Judges of pairs: both orders, agreement with the person, and who is refused; win rates."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from workbench.records.judgements import JudgedAnswer, Judgement
from workbench.records.messages import Message
from workbench.subjects.judgements.judging.agreement import cohens_kappa, measure, names_one_place
from workbench.subjects.judgements.judging.comparing import Opinion, PairToJudge, ask, judging_prompt
from workbench.subjects.judgements.judging.win_rate import control_length, measure_wins, rate_of

Script = Callable[[str, str], float]
"""The log-odds of the answer shown first."""


def pairs(count: int) -> list[PairToJudge]:
    """Answers of two lengths, the shorter one now a, now b."""
    numbers = random.Random(0)
    made = []
    for number in range(count):
        short, long = "word " * numbers.randint(1, 9), "word " * numbers.randint(10, 30)
        first, second = (short, long) if numbers.random() < 0.5 else (long, short)
        made.append(PairToJudge(prompt=(Message("user", f"Question {number}?"),), a=first, b=second))
    return made


def scripted(script: Script) -> Callable[[Sequence[Sequence[Message]]], list[list[float]]]:
    """A judge that reads the two answers out of its prompt."""

    def judge(prompts: Sequence[Sequence[Message]]) -> list[list[float]]:
        found = []
        for (message,) in prompts:
            first = message.content.partition("Answer A:\n")[2].partition("\n\nAnswer B:\n")
            second = first[2].partition("\n\nWhich answer")
            odds = script(first[0], second[0])
            found.append([min(0.0, odds) - 0.5, min(0.0, -odds) - 0.5])
        return found

    return judge


def shorter(first: str, second: str) -> float:
    return 1.0 if len(first) < len(second) else -1.0


TASTE = [("a" if len(one.a) < len(one.b) else "b") for one in pairs(60)]


def test_a_judge_that_shares_the_taste_is_accepted() -> None:
    report = measure(ask(pairs(60), scripted(shorter)), TASTE)  # type: ignore[arg-type]
    assert report.accepted
    assert report.kappa.value == 1.0
    assert report.kappa.low > 0.8
    assert (report.kept, report.agreement.value, report.order_agreement.value) == (60, 1.0, 1.0)
    assert report.a_share.value == 0.5


@pytest.mark.parametrize("place", [1.0, -1.0])
def test_a_judge_that_always_names_one_place_is_seen_within_twenty_pairs(place: float) -> None:
    opinions = ask(pairs(20), scripted(lambda first, second: place))
    assert names_one_place(opinions)
    report = measure(opinions, TASTE[:20])  # type: ignore[arg-type]
    assert not report.accepted
    assert report.kept == 0
    assert "40 of 40 times" in report.reasons[0]
    assert report.bias == pytest.approx(place)


def test_a_constant_preference_for_a_place_is_taken_out() -> None:
    opinions = ask(pairs(60), scripted(lambda first, second: 0.6 + shorter(first, second)))
    report = measure(opinions, TASTE)  # type: ignore[arg-type]
    assert report.accepted
    assert report.bias == pytest.approx(0.6)
    strong = ask(pairs(60), scripted(lambda first, second: 3 + shorter(first, second)))
    assert measure(strong, TASTE).uncorrected.value == 1.0  # type: ignore[arg-type]
    assert not measure(strong, TASTE).accepted, "its orders disagree: nothing is kept"  # type: ignore[arg-type]


def test_a_judge_at_chance_is_refused_with_its_figures() -> None:
    refused = 0
    for seed in range(20):
        numbers = random.Random(seed)
        opinions = ask(pairs(60), scripted(lambda first, second, n=numbers: n.gauss(0, 1)))
        report = measure(opinions, TASTE)  # type: ignore[arg-type]
        refused += not report.accepted
        assert 0.2 < report.order_agreement.value < 0.8
        if report.kappa.low <= 0:
            assert "kappa" in report.reasons[-1]
    assert refused >= 18, "with intervals of 95 % about one in forty passes by chance"


def test_a_judge_of_the_opposite_taste_is_refused() -> None:
    report = measure(ask(pairs(60), scripted(lambda a, b: -shorter(a, b))), TASTE)  # type: ignore[arg-type]
    assert report.kappa.high < -0.9
    assert not report.accepted


def test_few_pairs_tell_nothing() -> None:
    report = measure(ask(pairs(12), scripted(shorter)), TASTE[:12])  # type: ignore[arg-type]
    assert not report.accepted
    assert "At least 30" in report.reasons[0]


def test_kappa_and_its_interval_are_those_of_the_textbook() -> None:
    # Fleiss, Cohen and Everitt's formula for 2 x 2 (40, 10, 5, 45), worked out by statsmodels' cohens_kappa
    verdicts = [("a", "a")] * 40 + [("a", "b")] * 10 + [("b", "a")] * 5 + [("b", "b")] * 45
    found = cohens_kappa(verdicts)
    assert found.value == pytest.approx(0.7)
    from statsmodels.stats.inter_rater import cohens_kappa as oracle

    expected = oracle([[40, 10], [5, 45]])
    assert found.low == pytest.approx(expected.kappa_low, abs=1e-6)
    assert found.high == pytest.approx(expected.kappa_upp, abs=1e-6)
    assert cohens_kappa([("a", "a")] * 50).low == -1.0, "both said one word only: nothing was told apart"


def test_the_prompt_has_both_answers_in_either_order_and_the_constitution() -> None:
    pair = PairToJudge(prompt=(Message("user", "Why?"),), a="Because.", b="No idea.")
    straight, swapped = (judging_prompt(pair, "Be kind.", swapped=swapped)[0].content for swapped in (False, True))
    assert "Be kind." in straight
    assert "Answer A:\nBecause." in straight
    assert "Answer B:\nBecause." in swapped


def test_an_opinion_within_the_threshold_is_no_verdict() -> None:
    opinion = Opinion(shown_first=0.2, shown_second=0.1)
    assert opinion.winner() == "a"
    assert opinion.winner(0.2) == ""
    assert 0.5 < opinion.confidence < 0.6


def judged(verdict: str, text_of_tuned: str = "tuned", shown: str = "ab", swap: bool = False) -> Judgement:
    base, tuned = JudgedAnswer(text="base answer", name="base"), JudgedAnswer(text=text_of_tuned, name="tuned")
    a, b = (tuned, base) if swap else (base, tuned)
    return Judgement(prompt=(Message("user", "Why?"),), a=a, b=b, shown=shown, verdict=verdict)  # type: ignore[arg-type]


def test_a_win_rate_counts_ties_half_and_positions() -> None:
    rows = [judged("b"), judged("a", swap=True), judged("a"), judged("tie"), judged("bad", shown="ba"), judged("")]
    rows.append(msg_other := judged("b"))
    rows[-1] = Judgement(prompt=msg_other.prompt, a=msg_other.a, b=JudgedAnswer(text="x", name="third"), verdict="b")
    found = measure_wins(rows, "base", "tuned")
    assert (found.n, found.won, found.lost, found.tied, found.both_bad, found.waiting) == (5, 2, 1, 1, 1, 1)
    assert found.rate.value == pytest.approx(0.6)
    assert found.rate.low < 0.5 < found.rate.high
    assert "No difference" in found.verdict
    assert found.second_shown_first.value == pytest.approx(2 / 5)
    assert found.characters_second.value == 5


def test_wins_by_length_alone_are_none_at_equal_lengths() -> None:
    numbers = random.Random(0)
    differences = [numbers.gauss(-1, 1) for _ in range(400)]
    by_length = [float(one < 0) for one in differences]
    assert rate_of(by_length).low > 0.7
    controlled = control_length(by_length, differences)
    assert controlled.low < 0.5 < controlled.high
    whatever = [float(numbers.random() < 0.8) for _ in differences]
    controlled = control_length(whatever, differences)
    assert controlled.value == pytest.approx(0.8, abs=0.06)
    assert controlled.low > 0.5


def test_a_win_of_everything_has_a_finite_interval() -> None:
    found = control_length([1.0] * 64, [float(n % 7) for n in range(64)])
    assert 0.5 < found.low < found.value < 1
    assert rate_of([]).n == 0
    assert rate_of([1.0] * 64).low > 0.9


def test_ties_alone_are_doubted() -> None:
    rows = [judged("tie")] * 6
    assert "All 6 prompts are ties" in measure_wins(rows, "base", "tuned").verdict
    assert "All" not in measure_wins(rows[:4], "base", "tuned").verdict
