"""What the gate's words say."""

from __future__ import annotations

import msgspec

from workbench.records.training import Agreement, Scores, ScoresPair, VerificationReport
from workbench.records.training.verdicts import (
    NO_FORGETTING,
    agreement_words,
    counted_words,
    describe_forgetting,
    forgets,
    verdict_words,
    why,
)

FOUND = Agreement(first="trained, in torch", second="as served", top1=0.976, kl=0.004, positions=1000, needed=0.977)


def test_what_passes_by_its_divergence_says_so() -> None:
    """ "97.6 %, 97.7 % needed", passed: that must not be all."""
    words = agreement_words(msgspec.structs.replace(FOUND, near=0.02))
    assert "97.6% of 1,000 places, below the 97.7% that is enough by itself. It passes because" in words
    assert "KL divergence 0.004 nats, where at most 0.02 is allowed." in words
    old = agreement_words(FOUND)  # a report that was kept does not say how much was allowed
    assert "It passes because" in old
    assert "allowed" not in old


def test_shares_that_would_look_the_same_are_told_apart() -> None:
    close = msgspec.structs.replace(FOUND, top1=0.97651, needed=0.97688, positions=100_000, near=0.02)
    assert "97.65% of 100,000 places, below the 97.69%" in agreement_words(close)


def test_what_is_enough_what_is_not_and_of_what_nothing_is_asked() -> None:
    assert agreement_words(msgspec.structs.replace(FOUND, top1=0.99)).endswith(
        "at 99% of 1,000 places, where 97.7% is needed; KL divergence 0.004 nats. That is enough."
    )
    far = msgspec.structs.replace(FOUND, kl=0.41, near=0.02, passed=False)
    assert agreement_words(far).endswith("KL divergence 0.41 nats, where at most 0.02 is allowed. That is not enough.")
    assert "It is not required" in agreement_words(msgspec.structs.replace(FOUND, needed=0.0))
    none = msgspec.structs.replace(FOUND, top1=0.99, kl=1e9, passed=False)
    assert "some of its numbers are not finite" in agreement_words(none)
    assert why(msgspec.structs.replace(FOUND, why="As it was written.")) == "As it was written."


def test_what_was_counted_says_how_much_is_needed() -> None:
    verification = VerificationReport(
        passed=True, metric="exact_match", trained=1.0, served=63 / 64, base=2 / 64, counted=64, needed=60
    )
    words = counted_words(verification)
    assert words == "Of 64 answers the trained model says 64 right, as served 63 (at least 60 needed), the base 2."
    alone = msgspec.structs.replace(verification, trained=None, needed=None)
    assert counted_words(alone) == "Of 64 answers as served 63 are right, the base 2."


def test_the_verdict_of_what_was_not_compared_claims_nothing() -> None:
    assert verdict_words(VerificationReport(passed=True, notes=("Not checked: no.",))) == "Not checked: no."
    assert verdict_words(VerificationReport(passed=False, reasons=("It is lost.",))) == (
        "The exported file does not answer as the trained model does. It is lost."
    )


def general(loss: float, right: int) -> Scores:
    return Scores(loss=loss, tokens=500, exact_match=right / 24, answers=24)


def verdict_of(before: Scores, after: Scores) -> tuple[bool, str]:
    pair = ScoresPair(before=before, after=after)
    return forgets(pair), describe_forgetting(pair)


def test_a_training_that_costs_general_abilities_is_a_warning_with_what_to_do() -> None:
    serious, words = verdict_of(general(3.466, 12), general(4.06, 5))  # 12 facts, 20 epochs on SmolLM2
    assert serious
    assert "perplexity on general texts rose from 32 to 58 (+81%), and 7 fewer of 24 general questions" in words
    assert words.endswith("with a lower learning rate or fewer epochs, or add general rows to the data.")
    assert verdict_of(general(2.0, 20), general(2.0, 3))[0]  # by its answers alone
    assert verdict_of(general(2.0, 20), general(2.3, 20))[0]  # by its perplexity alone


def test_what_may_be_chance_or_is_small_is_no_warning() -> None:
    assert verdict_of(general(3.45, 12), general(3.46, 12)) == (False, NO_FORGETTING)
    assert verdict_of(general(3.45, 12), general(3.0, 14)) == (False, NO_FORGETTING)
    serious, words = verdict_of(general(3.45, 12), general(3.55, 9))
    assert not serious
    assert words.startswith("Slight forgetting: perplexity")
    assert "3 fewer of 24 general questions are answered correctly (may be chance)." in words
    assert describe_forgetting(ScoresPair()) == ""
