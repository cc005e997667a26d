"""The verdict on a ladder: intervals that hold for all rungs at once, standings, the winner, the sentence."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import msgspec
import pytest

from workbench.records.ladder import AS_IT_IS, RungCost, in_order_of_cost
from workbench.subjects.ladder.verdict import (
    FEWEST,
    Scored,
    could_be_shown_better,
    critical_value,
    judge,
    paired_intervals,
    student,
)


def rung(
    name: str, right: list[float], answer_s: float = 1.0, preparing_s: float = 0.0, title: str = "", **more: bool
) -> Scored:
    cost = RungCost(answer_s=answer_s, preparing_s=preparing_s)
    return Scored(name=name, title=title or name, values=dict(enumerate(right)), cost=cost, **more)


def share(right: int, n: int) -> list[float]:
    return [1.0] * right + [0.0] * (n - right)


def test_the_cheapest_rung_that_is_not_shown_to_be_worse_wins() -> None:
    found = judge(
        [
            rung(AS_IT_IS, share(40, 100), answer_s=0.5, title="As it is"),
            rung("similar", share(79, 100), answer_s=1.1, title="Three similar examples", plural=True),
            rung("lora", share(81, 100)[::-1], answer_s=0.9, preparing_s=840.0, title="LoRA"),
        ]
    )
    assert found.winner == "similar"
    assert [one.standing for one in found.rungs.values()] == ["worse", "not worse", "not worse"]
    assert found.sentence.startswith("Three similar examples are enough: 79 % (")
    told = "at 1.1 s an answer. LoRA reaches 81 % and is not shown to be better (the difference is between "
    assert told in found.sentence
    assert " points). It takes 14 minutes more to prepare. About " in found.sentence
    assert found.more > 0
    assert found.questions == 100


def test_the_sentence_says_what_preparing_takes() -> None:
    trained = rung("lora", share(76, 80), preparing_s=840.0, title="LoRA")
    found = judge([rung(AS_IT_IS, share(20, 80), answer_s=3.0, title="“As it is”"), trained])
    assert found.sentence.startswith("LoRA is the best: 95 % (")
    assert " at 1.0 s an answer, once it is prepared in 14 minutes. " in found.sentence
    layers = rung("layers", share(76, 80), preparing_s=840.0, title="Last layers", plural=True)
    found = judge([rung(AS_IT_IS, share(20, 80), answer_s=3.0, title="“As it is”"), layers])
    assert found.sentence.startswith("Last layers are the best: 95 % (")
    assert " at 1.0 s an answer, once they are prepared in 14 minutes. " in found.sentence


def test_a_rung_that_is_better_than_all_others_is_the_best() -> None:
    found = judge([rung(AS_IT_IS, share(20, 80)), rung("examples", share(76, 80), answer_s=2.0)])
    assert (found.winner, found.rungs["examples"].standing) == ("examples", "best")
    difference = found.rungs["examples"].difference
    assert difference is not None
    assert difference.value == pytest.approx(0.7)
    assert difference.low > 0.5
    assert found.rungs[AS_IT_IS].difference is None
    assert found.more == 0


def test_of_few_questions_nothing_is_said() -> None:
    found = judge([rung(AS_IT_IS, share(1, 8)), rung("examples", share(8, 8))])
    assert (found.winner, found.more) == ("", FEWEST - 8)
    assert {one.standing for one in found.rungs.values()} == {"open"}
    assert found.sentence == "With 8 questions nothing can be said yet: all techniques have to answer at least 12."


def test_a_single_rung_is_told_without_a_comparison() -> None:
    found = judge([rung(AS_IT_IS, share(4, 30), title="“As it is”")])
    assert (found.winner, found.more) == ("", 0)
    assert found.sentence == ("“As it is” reaches 13 % (5 to 30) at 1.0 s an answer; nothing else has been measured.")
    assert judge([]).sentence == "There are no answers to compare yet."


def test_where_nothing_is_right_no_rung_is_enough() -> None:
    found = judge([rung(AS_IT_IS, share(0, 40)), rung("lora", share(0, 40), preparing_s=600.0)])
    assert (found.winner, found.more) == ("", 0)
    assert found.sentence == "None of the techniques has answered any of the 40 questions rightly."


def test_the_named_rung_says_that_it_is_right_most_often() -> None:
    rungs = [
        rung(AS_IT_IS, share(12, 90), answer_s=0.3, title="“As it is”"),
        rung("lora", share(42, 90), answer_s=0.2, preparing_s=305.0, title="LoRA"),
        rung("joined", share(37, 90), answer_s=0.25, preparing_s=305.0, title="LoRA + Beam search", plural=True),
    ]
    assert judge(rungs).sentence == (
        "LoRA is enough, and right most often: 47 % (35 to 59) at 0.2 s an answer, once it is prepared in 5 minutes."
    )
    alike = [rung(AS_IT_IS, share(17, 90)), rung("hint", share(18, 90)[::-1], answer_s=0.5, title="A hint")]
    assert judge(alike).sentence.startswith("A hint is enough: 20 %")  # one answer more says nothing


def test_only_questions_that_all_rungs_have_answered_count() -> None:
    half = Scored(name="half", title="Half", values=dict.fromkeys(range(20), 1.0))
    found = judge([rung(AS_IT_IS, share(20, 40)), half])
    assert found.questions == 20
    assert found.rungs[AS_IT_IS].score.value == 1.0


def test_nothing_is_on_the_frontier_that_costs_more_and_is_no_better() -> None:
    found = judge(
        [
            rung(AS_IT_IS, share(30, 60), answer_s=1.0),
            rung("slow", share(30, 60), answer_s=2.0),
            rung("good", share(50, 60), answer_s=3.0),
        ]
    )
    assert {name for name, one in found.rungs.items() if one.frontier} == {AS_IT_IS, "good"}


def test_a_row_of_costs_that_are_each_about_the_next_leaves_one_on_the_frontier() -> None:
    """The first costs about the same as the second, and the second as the third, but not the first as the third."""
    found = judge([rung(name, share(30, 60), answer_s=cost) for name, cost in (("a", 1.9), ("b", 1.4), ("c", 1.0))])
    assert {name for name, one in found.rungs.items() if one.frontier} == {"b"}


def test_preparing_counts_over_the_questions_that_will_be_asked() -> None:
    rungs = [
        rung(AS_IT_IS, share(10, 60)),
        rung("slow", share(55, 60), answer_s=3.0),
        rung("trained", share(55, 60), answer_s=1.0, preparing_s=600.0),
    ]
    assert judge(rungs, questions=100).winner == "slow"
    assert judge(rungs, questions=1_000).winner == "trained"


def test_the_critical_value_grows_with_independent_rungs_and_not_with_equal_ones() -> None:
    draw = random.Random(1)
    rows = [[float(draw.random() < 0.5) for _ in range(200)] for _ in range(8)]
    assert critical_value(rows[:1]) == pytest.approx(1.96, abs=0.001)
    # Šidák's value for eight independent ones is 2.73
    assert critical_value(rows) == pytest.approx(2.73, abs=0.06)
    assert critical_value([rows[0]] * 8) < critical_value(rows) - 0.1


@pytest.mark.parametrize(("freedom", "expected"), [(1, 12.706), (5, 2.571), (30, 2.042)])
def test_student_is_that_of_the_tables(freedom: int, expected: float) -> None:
    assert student(1.959964, freedom) == pytest.approx(expected, rel=0.01)


def test_the_interval_of_the_chosen_rung_holds_its_value() -> None:
    """Twelve rungs of the same true value: the one that looks best is chosen, and a plain interval of 95 % would miss
    the truth far more often than the adjusted one."""
    draw, held, n = random.Random(7), 0, 60
    for _ in range(300):
        rungs = [rung(str(k), [float(draw.random() < 0.6) for _ in range(n)]) for k in range(12)]
        found = judge(rungs)
        best = max(found.rungs.values(), key=lambda one: one.score.value)
        held += best.score.low <= 0.6 <= best.score.high
    assert held / 300 >= 0.93


def test_scores_that_are_no_rates_have_intervals_too() -> None:
    draw = random.Random(2)
    first = [draw.random() * 0.4 for _ in range(50)]
    found = judge([rung(AS_IT_IS, first), rung("better", [one + 0.3 + 0.1 * draw.random() for one in first])])
    assert found.winner == "better"
    assert found.rungs["better"].standing == "best"


def test_there_is_no_room_above_a_rung_that_a_perfect_one_could_not_be_told_from() -> None:
    assert not could_be_shown_better(share(39, 40))
    assert could_be_shown_better(share(20, 40))
    assert not could_be_shown_better([])


def test_paired_intervals_hold_all_differences_at_once() -> None:
    one, two = paired_intervals(share(20, 40), [share(30, 40), share(20, 40)], True)
    assert (one.value, two.value) == (0.25, 0.0)
    assert one.low > 0
    assert two.low < 0 < two.high


def test_the_critical_value_is_the_same_each_time_and_grows_with_the_rungs() -> None:
    rng = random.Random(1)
    scores = [[float(rng.random() < share) for _ in range(90)] for share in (0.1, 0.2, 0.3, 0.3, 0.5)]
    scores.append(scores[2])  # one that answers alike
    values = [critical_value(scores[:count]) for count in range(1, 7)]
    assert values == sorted(values)
    assert values == [critical_value(scores[:count]) for count in range(1, 7)]
    assert values[-1] - values[-2] < 0.04


LADDERS = {
    "milliseconds": [
        rung(AS_IT_IS, share(40, 80), answer_s=0.002),
        rung("instructions", share(42, 80), answer_s=0.0021, plural=True),
        rung("beam", share(41, 80)[::-1], answer_s=0.003),
        rung("searched", share(44, 80), answer_s=0.0025, preparing_s=1.5),
        rung("lora", share(43, 80), answer_s=0.002, preparing_s=0.9),
    ],
    "equal scores": [
        rung(AS_IT_IS, share(30, 90), answer_s=1.0),
        rung("fixed", share(30, 90), answer_s=1.05),
        rung("similar", share(30, 90), answer_s=0.98),
        rung("beam", share(30, 90), answer_s=2.0),
    ],
    "trained alike": [
        rung(AS_IT_IS, share(10, 90), answer_s=0.5),
        rung("similar", share(50, 90), answer_s=1.2),
        rung("lora", share(60, 90), answer_s=0.4, preparing_s=2_400.0),
        rung("layers", share(60, 90)[::-1], answer_s=0.4, preparing_s=2_500.0),
    ],
}


def measured_again(rungs: Sequence[Scored], draw: random.Random) -> list[Scored]:
    """The same answers with times that are each off by up to 15 %."""

    def off(seconds: float) -> float:
        return seconds * draw.uniform(0.85, 1.15)

    return [
        msgspec.structs.replace(
            one, cost=RungCost(preparing_s=off(one.cost.preparing_s), answer_s=off(one.cost.answer_s))
        )
        for one in rungs
    ]


def without_times(sentence: str) -> str:
    sentence = re.sub(r"prepared in [0-9.]+ (s|minutes?)\.", "prepared in #.", sentence)
    return re.sub(r"[0-9.]+ (s|minutes?) (more|an)", r"# \1 \2", sentence)


@pytest.mark.parametrize("rungs", LADDERS.values(), ids=LADDERS)
def test_times_that_are_measured_again_lead_to_the_same_sentence(rungs: list[Scored]) -> None:
    found, draw = judge(rungs), random.Random(5)
    for _ in range(20):
        again = judge(measured_again(rungs, draw))
        assert again.winner == found.winner
        assert without_times(again.sentence) == without_times(found.sentence)
        assert {name: one.frontier for name, one in again.rungs.items()} == {
            name: one.frontier for name, one in found.rungs.items()
        }
        assert {name: one.standing for name, one in again.rungs.items()} == {
            name: one.standing for name, one in found.rungs.items()
        }


def test_answers_in_milliseconds_lead_to_the_same_words() -> None:
    rungs, draw = LADDERS["milliseconds"], random.Random(6)
    assert {judge(measured_again(rungs, draw)).sentence for _ in range(20)} == {judge(rungs).sentence}


def test_of_rungs_that_cost_the_same_the_better_one_is_named_and_then_the_earlier_one() -> None:
    rungs = [
        rung("beam", share(30, 60), answer_s=1.2),
        rung("quoted", share(34, 60), answer_s=1.3),
        rung("lookup", share(34, 60), answer_s=1.1),
    ]
    assert judge(rungs).winner == "quoted"


def test_costs_that_are_about_the_same_keep_their_order() -> None:
    assert in_order_of_cost([11.0, 10.0, 12.0, 3.0], 0.0) == [3, 0, 1, 2]
    assert in_order_of_cost([30.0, 10.0], 0.0) == [1, 0]
    assert in_order_of_cost([30.0, 10.0], 25.0) == [0, 1]
    assert in_order_of_cost([], 0.0) == []
