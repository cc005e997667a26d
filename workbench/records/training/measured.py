"""The examples that a training was measured on, as a value, and the words that follow from it.

Window, terminal and model card say "held out" by these functions alone, so that it stands nowhere it is not true.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.base.catalogue import Shown

MeasuredOn = Literal["trained", "held out", "unseen"]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The examples that a training was scored on. ``on``: "held out" are examples of the same set that were kept
    apart; "unseen" those of another file; "trained" as soon as one of their questions, or of plain texts one, stands in
    the training data, word for word or nearly, of this training or of an earlier one that the base model comes from.
    ``examples`` were there to be scored, ``shared`` of them were trained; ``earlier`` names the adapter whose training
    they were, "" for this one's."""

    on: MeasuredOn
    examples: int
    shared: int = 0
    earlier: str = ""


_EXAMPLES = {"trained": "examples that were trained", "held out": "held-out examples", "unseen": "unseen examples"}
_QUESTIONS = {"trained": "trained questions", "held out": "held-out questions", "unseen": "unseen questions"}
_HEADINGS = {"trained": "Trained examples", "held out": "Held-out examples", "unseen": "Unseen examples"}
_PARTS = {"trained": "trained", "held out": "held out", "unseen": "unseen"}
_EXPLAINED = {
    "trained": "The model was trained on these examples: they show what it has learnt by heart.",
    "held out": "These examples are of the same set and were not used in training.",
    "unseen": "These examples are of another file and were not used in training.",
}
_SOME_SHARED = (
    "Of these {examples:,} examples, {shared:,} stand in the training data{earlier} with their question or their whole "
    "text, word for word or nearly. On them the model shows what it has learnt by heart, so the scores say little of "
    "others."
)
_EARLIER = " of {name}, which the base model comes from"
_NOT_KNOWN = "It is not known whether these examples were used in training."


def examples_scored(measured: Measured | None) -> Shown:
    """``held-out examples``; where it is not known, or only some were trained, words that claim nothing."""
    return _words(_EXAMPLES, measured, "evaluation examples")


def questions_scored(measured: Measured | None) -> str:
    """``held-out questions``"""
    return _words(_QUESTIONS, measured, "evaluation questions")


def measured_heading(measured: Measured | None) -> Shown:
    """``Held-out examples``"""
    return _words(_HEADINGS, measured, "Evaluation examples")


def measured_part(measured: Measured | None) -> Shown:
    """``held out``, behind a number"""
    return _words(_PARTS, measured, "evaluation")


def explain_measured(measured: Measured | None) -> Shown:
    """A sentence on what the scores were measured on."""
    if measured is None:
        return _NOT_KNOWN
    if _some(measured):
        earlier = _EARLIER.format(name=measured.earlier) if measured.earlier else ""
        return _SOME_SHARED.format(shared=measured.shared, examples=measured.examples, earlier=earlier)
    return _EXPLAINED[measured.on]


def _some(measured: Measured) -> bool:
    """Whether the examples are not those of the training itself, and some of them were trained all the same."""
    return measured.on == "trained" and (measured.shared < measured.examples or bool(measured.earlier))


def _words(words: dict[str, str], measured: Measured | None, neutral: str) -> str:
    return neutral if measured is None or _some(measured) else words[measured.on]
