"""Duplicates, contradictions, cycles and biases of judgements, and what can be learnt from them."""

from __future__ import annotations

import msgspec
import pytest

from workbench.records.judgements import JudgedAnswer, Judgement, Verdict
from workbench.records.messages import Message
from workbench.subjects.judgements.learnable import half_width, what_can_be_learnt
from workbench.subjects.judgements.statistics import measure_judgements
from workbench.subjects.judgements.training_rows import CONFLICTING, OF_A_VERDICT, TWICE, training_rows
from workbench.techniques.registry import METHODS

OBJECTIVES = [
    (row.describe(), row.load()(row.decode({}))) for row in METHODS.of("objective") if hasattr(row.load(), "advise")
]


def pair(id: str, question: str, a: str, b: str, verdict: Verdict = "a", **fields: object) -> Judgement:
    return Judgement(
        id=id,
        prompt=(Message("user", question),),
        a=JudgedAnswer(text=a, name="base"),
        b=JudgedAnswer(text=b, name="tuned"),
        verdict=verdict,
        **fields,  # type: ignore[arg-type]
    )


def rated(id: str, question: str, text: str, good: bool) -> Judgement:
    answer = JudgedAnswer(text=text)
    return Judgement(id=id, prompt=(Message("user", question),), a=answer, verdict="good" if good else "poor")


def test_a_repeated_verdict_is_a_duplicate_and_the_opposite_one_a_contradiction() -> None:
    found = measure_judgements(
        [
            pair("1", "High?", "Yes.", "No."),
            pair("2", "High?", "No.", "Yes.", "b"),  # the same, the other way round
            pair("3", "High?", "Yes.", "No.", "b"),
            pair("4", "Deep?", "Yes.", "No.", "tie"),
            rated("5", "Long?", "Very.", True),
            rated("6", "Long?", "Very.", False),
        ]
    )
    assert found.duplicate_ids == ("2",)
    [pairs, single] = found.contradictions
    assert (pairs.prompt, pairs.ids) == ("High?", ("1", "2", "3"))
    assert (single.prompt, single.answers, single.ids) == ("Long?", ("Very.",), ("5", "6"))
    assert found.verdicts == {"a": 1, "b": 2, "tie": 1, "good": 1, "poor": 1}
    assert found.prompts == 3


def test_a_cycle_of_preferences_is_named_in_its_order() -> None:
    found = measure_judgements(
        [
            pair("1", "Best?", "A", "B"),
            pair("2", "Best?", "B", "C"),
            pair("3", "Best?", "C", "A"),
            pair("4", "Best?", "A", "D"),
            pair("5", "Other?", "C", "A"),
        ]
    )
    [cycle] = found.cycles
    assert set(cycle.ids) == {"1", "2", "3"}
    better = dict(zip(cycle.answers, (*cycle.answers[1:], cycle.answers[0]), strict=True))
    assert better == {"A": "B", "B": "C", "C": "A"}
    assert found.contradictions == ()


def test_length_and_position_bias_have_intervals() -> None:
    longer = [pair(str(n), f"{n}?", "A long answer.", "Short.", shown="ba") for n in range(30)]
    found = measure_judgements([*longer, pair("t", "t?", "Same", "Size", "b", shown="ba")])
    assert found.longer_preferred.n == 30  # that of equal length does not count
    assert found.longer_preferred.value == 1.0
    assert found.longer_preferred.low == pytest.approx(0.886, abs=0.001)  # Wilson, 30 of 30
    assert found.longer_preferred.is_shown
    assert found.length_difference.value == pytest.approx(8 * 30 / 31)
    assert found.first_preferred.value == pytest.approx(1 / 31)
    unknown = measure_judgements([msgspec.structs.replace(one, shown="") for one in longer])
    assert unknown.first_preferred.n == 0
    assert not unknown.first_preferred.is_shown


def test_ties_count_one_half_in_the_share_of_a_recipe() -> None:
    found = measure_judgements(
        [
            pair("1", "1?", "A", "B"),
            pair("2", "2?", "A", "B"),
            pair("3", "3?", "A", "B", "b"),
            pair("4", "4?", "A", "B", "tie"),
        ]
    )
    assert [(one.name, one.won, one.lost, one.tied, one.share.value) for one in found.columns] == [
        ("base", 2, 1, 1, 0.625),
        ("tuned", 1, 2, 1, 0.375),
    ]


def test_training_rows_leave_out_what_cannot_be_learnt_and_say_why() -> None:
    edited = msgspec.structs.replace(
        pair("e", "Edit?", "What I wanted.", "Another."),
        a=JudgedAnswer(text="What I wanted.", original="What it said."),
    )
    made = training_rows(
        [
            pair("1", "High?", "Yes.", "No."),
            pair("2", "High?", "Yes.", "No."),
            pair("3", "Deep?", "Yes.", "No."),
            pair("4", "Deep?", "Yes.", "No.", "b"),
            pair("5", "Tie?", "Yes.", "No.", "tie"),
            pair("6", "Verdict?", "Yes.", "No.", source="verdict"),
            rated("7", "Rated?", "Yes.", True),
            edited,
        ],
        "pairs",
    )
    said = [(row["judgement"], row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in made.rows]
    assert said == [
        ("1", "Yes.", "No."),
        ("e", "What I wanted.", "Another."),
        ("e", "What I wanted.", "What it said."),
    ]
    assert made.prompts == 2
    reasons = {one.reason: one.count for one in made.left_out}
    assert reasons[CONFLICTING] == 2
    assert reasons[TWICE] == 1
    assert reasons[OF_A_VERDICT] == 1
    assert sum(reasons.values()) == 6
    all_of_them = training_rows(
        [pair("3", "Deep?", "Yes.", "No."), pair("4", "Deep?", "Yes.", "No.", "b")], "pairs", skip_conflicts=False
    )
    assert len(all_of_them.rows) == 2


def test_rated_rows_are_of_thumbs_of_both_bad_and_of_edits() -> None:
    edited = msgspec.structs.replace(pair("e", "Edit?", "Mine.", "Its."), a=JudgedAnswer(text="Mine.", original="Its."))
    made = training_rows([rated("1", "1?", "Yes.", True), pair("2", "2?", "A", "B", "bad"), edited], "rated")
    assert [(row["completion"][0]["content"], row["label"]) for row in made.rows] == [
        ("Yes.", True), ("A", False), ("B", False), ("Mine.", True),
    ]  # fmt: skip
    assert made.good == 2


def test_what_can_be_learnt_names_the_objectives_that_suit_and_why_others_do_not() -> None:
    found = what_can_be_learnt([pair(str(n), f"{n}?", "Yes.", "No!!") for n in range(100)], OBJECTIVES, 0.2)
    fits = {one.objective: one for one in found.objectives}
    assert found.objectives[0].objective == "dpo"
    assert found.objectives[0].advised
    assert fits["dpo"].usable == 100
    assert fits["dpo"].held_out == 20
    assert fits["dpo"].half_width == pytest.approx(0.19, abs=0.005)
    assert not fits["kto"].fits
    assert "rated answers" in fits["kto"].reason
    assert (fits["ppo"].fits, fits["ppo"].advised) == (True, False)
    assert "needs a reward" in fits["ppo"].reason
    few = what_can_be_learnt([pair("1", "1?", "Yes.", "No.")], OBJECTIVES)
    assert not any(one.fits for one in few.objectives)
    assert "at least 10 pairs; there is one usable pair" in few.objectives[0].reason


def test_contradictions_move_the_advice_and_warn() -> None:
    given = [pair(str(n), f"{n}?", "Yes.", "No!!") for n in range(50)]
    given += [pair(f"x{n}", f"{n}?", "Yes.", "No!!", "b") for n in range(5)]
    found = what_can_be_learnt(given, OBJECTIVES)
    assert found.pairs == 45
    assert found.objectives[0].objective == "ipo"
    assert any("5 pairs of answers are preferred one way and the other" in one for one in found.warnings)


def test_length_bias_is_a_warning_with_its_share() -> None:
    found = what_can_be_learnt([pair(str(n), f"{n}?", "A long one.", "Short.") for n in range(50)], OBJECTIVES)
    [warning] = found.warnings
    assert warning.startswith("The longer answer is preferred in 100% of 50 pairs")


def test_thumbs_alone_suit_what_learns_from_single_answers() -> None:
    found = what_can_be_learnt([rated(str(n), f"{n}?", f"{n}.", n % 2 == 0) for n in range(60)], OBJECTIVES)
    assert found.objectives[0].objective == "kto"
    assert found.objectives[0].fits
    assert [one.objective for one in found.objectives if one.fits] == ["kto"]


def test_the_expected_interval_narrows_with_the_examples() -> None:
    assert half_width(0) == 0.5
    assert half_width(400) < half_width(100) < half_width(25)
