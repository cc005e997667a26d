"""A reward model's report in words that terminal and window share."""

from __future__ import annotations

from workbench.base.catalogue import Shown
from workbench.records.training.rewards import RewardReport


def describe_agreement(report: RewardReport) -> Shown:
    """``Agrees with you on 63% of 297 held-out pairs (57% to 68%). Taking the shorter answer agrees on 54%.``"""
    which = "held-out pairs" if report.held_out else "pairs whose prompts, some or all, are in the training data"
    interval = f" ({report.low:.0%} to {report.high:.0%})" if report.held_out else ""
    return (
        f"Agrees with you on {report.accuracy:.0%} of {report.pairs:,} {which}{interval}. "
        f"Taking the {report.length_rule} answer agrees on {report.length_accuracy:.0%}."
    )


def describe_worth(report: RewardReport) -> Shown:
    """Whether the scores say more than chance and more than the length."""
    if not report.held_out:
        return "Keep some pairs with other prompts apart to see whether it agrees with you on those."
    if not report.beats_chance:
        return "That is not shown to be better than chance: compare more pairs before you use it."
    gain = f"{100 * report.gain:.0f} points ({100 * report.gain_low:.0f} to {100 * report.gain_high:.0f})"
    if not report.beats_length:
        return f"It is not shown to be better than the length alone: {gain}."
    return f"It is better than the length alone by {gain}."


def describe_calibration(report: RewardReport) -> str:
    """How far its probabilities are from the shares of agreement."""
    return f"Its probabilities are off by {100 * report.calibration_error:.0f} points on average."


def describe_reward(report: RewardReport) -> tuple[Shown, ...]:
    """All of it, a sentence or two each."""
    return (describe_agreement(report), describe_worth(report), describe_calibration(report))
