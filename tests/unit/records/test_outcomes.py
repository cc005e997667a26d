"""What a training taught and what it cost, and what it was measured on, in words."""

from __future__ import annotations

import pytest

from workbench.records.training import CARD, Measured, Scores, ScoresPair
from workbench.records.training.measured import explain_measured, measured_heading
from workbench.records.training.outcomes import (
    learnt_words,
    loses_half,
    lost_words,
    outcome_of,
    outcome_warning,
)

TRAINED = Measured(on="trained", examples=12, shared=12)


def answered(before: int, after: int, of: int, measured: Measured | None = None) -> ScoresPair:
    return ScoresPair(
        before=Scores(loss=3.0, exact_match=before / of, answers=of),
        after=Scores(loss=2.5, exact_match=after / of, answers=of),
        measured=measured,
    )


def test_what_was_learnt_and_what_was_lost_are_said_alike() -> None:
    scores, general = answered(0, 12, 12, TRAINED), answered(11, 4, 24)
    assert learnt_words(scores) == (
        "12 of 12 trained questions are answered exactly as expected, 0 before the training (+100 points, 95% interval "
        "+66 to +100)."
    )
    assert lost_words(general) == "4 of 24 general questions are answered right, 11 before the training."


def test_the_loss_of_half_of_the_general_abilities_is_no_success() -> None:
    scores = answered(0, 12, 12, TRAINED)
    assert loses_half(answered(11, 5, 24))
    assert not loses_half(answered(12, 6, 24))
    assert outcome_of(scores, answered(11, 5, 24)) == "lost"
    assert outcome_warning(scores, answered(11, 5, 24)).startswith(
        "The model lost more than half of its general abilities: it answered 11 of 24 general questions before the "
        "training and answers 5 now."
    )
    assert outcome_of(scores, answered(12, 6, 24)) == "learnt"
    assert outcome_warning(scores, ScoresPair()) == ""


def test_a_lower_strength_is_advised_where_the_result_has_one() -> None:
    scores, general = answered(0, 12, 12, TRAINED), answered(11, 5, 24)
    lora = outcome_warning(scores, general, "lora")
    assert "use it at a lower strength" in lora.lower()
    for kind in ("merged", "soft-prompt", "prefix"):
        words = outcome_warning(scores, general, kind)
        assert "strength" not in words
        assert words.endswith("fewer epochs or a lower learning rate, or add general rows to the data.")


def test_an_adapter_that_is_not_better_than_the_base_is_no_success() -> None:
    assert outcome_of(answered(110, 108, 110), ScoresPair()) == "no better"
    assert outcome_of(answered(110, 110, 110), ScoresPair()) == "no better"
    assert "did not make the model better at evaluation examples" in outcome_warning(
        answered(110, 108, 110), ScoresPair()
    )
    assert outcome_of(answered(0, 0, 5), ScoresPair()) == "learnt"  # whole sentences: the loss fell
    assert outcome_of(ScoresPair(), ScoresPair()) == "unknown"
    pairs = ScoresPair(after=Scores(loss=0.7, tokens=5, metrics={"pair_accuracy": 0.4}))
    assert outcome_of(pairs, ScoresPair()) == "no better"


@pytest.mark.parametrize(
    ("measured", "claims"),
    [
        (None, False),
        (TRAINED, False),
        (Measured(on="trained", examples=12, shared=3), False),
        (Measured(on="trained", examples=12, shared=12, earlier="first"), False),
        (Measured(on="held out", examples=12), True),
        (Measured(on="unseen", examples=12), True),
    ],
)
def test_held_out_is_said_of_what_was_held_out_alone(measured: Measured | None, claims: bool) -> None:
    scores = answered(0, 2, 12, measured)
    words = " ".join(
        (
            learnt_words(scores),
            measured_heading(measured),
            explain_measured(measured),
            outcome_warning(answered(2, 2, 12, measured), ScoresPair()),
        )
    )
    claimed = [one for one in ("held-out", "Held-out", "held out", "unseen", "not used in training") if one in words]
    assert bool(claimed) is claims
    assert ("first" in words) is (measured is not None and measured.earlier == "first")


def test_cards_of_earlier_releases_claim_what_is_known_of_them() -> None:
    """They do not say what they were measured on: without a split it was what they were trained on."""
    card = {"format": 2, "name": "a", "kind": "lora", "scores": {"after": {"loss": 1.0}}, "forgetting": {}}
    config = {"schema": 4, "data": {"path": "facts.jsonl", "evaluation_share": 0.0}}
    assert CARD.get({**card, "config": config}).scores.measured == Measured(on="trained", examples=0)
    split = {"schema": 4, "data": {"path": "facts.jsonl", "evaluation_share": 0.1}}
    assert CARD.get({**card, "config": split}).scores.measured is None
    assert CARD.get({**card, "config": None}).scores.measured is None
