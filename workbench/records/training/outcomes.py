"""The gain and the cost of a training, in the sentences that window, terminal and model card lead with."""

from __future__ import annotations

from typing import Literal

from workbench.base.catalogue import Shown
from workbench.records.training.measured import examples_scored, questions_scored
from workbench.records.training.scores import Scores, ScoresPair, gain
from workbench.records.training.weights import ArtifactKind

Outcome = Literal["learnt", "no better", "lost", "unknown"]
"""``lost``: the model answers fewer than half of the general questions that it answered before, whatever it learnt.
``no better``: it does not answer better than the model before."""

LOSS = "Loss on {examples}: {loss:.3f}."
EXACT_CHANGE = (
    "{right} of {answers} {questions} are answered exactly as expected, {was} before the training ({gain_words})."
)
EXACT_SAME = "{was} of {answers} {questions} are answered exactly as expected, as before."
PAIRS_AHEAD = "In {ahead:,} of {pairs:,} pairs ({examples}) the preferred answer is ahead; half is chance."
REWARD_CHANGED = (
    "The mean reward of answers ({examples}) {word} from {before:.2f} to {after:.2f}, at a KL divergence of {kl:.1f} "
    "nats per answer from the model before."
)
LOSS_SAME = "{lead} The loss on {examples} did not change."
LOSS_CHANGED = "{lead} The loss on {examples} {word} from {loss:.3f} to {loss2:.3f}."
INTERVAL = "{value:+.0f} points, 95% interval {value2:+.0f} to {value3:+.0f}"
MAY_BE_CHANCE = "{words}: it may be chance"
GENERAL_QUESTIONS = "{now} of {answers} general questions are answered right, {was} before the training."
GENERAL_LOSS = "The loss on general texts is {now:.2f}, {was:.2f} before the training."
LOST = (
    "The model lost more than half of its general abilities: it answered {was} of {answers} general questions before "
    "the training and answers {now} now. {advice}"
)
TRAIN_AGAIN = "Train again with fewer epochs or a lower learning rate, or add general rows to the data."
LOWER_STRENGTH = (
    "Use it at a lower strength, such as 0.6, which can give some of them back and cost some of what was learnt, or "
    "add general rows to the data and train again."
)
NO_BETTER = (
    "The training did not make the model better at {examples}. Use the model without it, or train with more epochs, a "
    "higher learning rate or more examples."
)


def outcome_of(scores: ScoresPair, forgetting: ScoresPair) -> Outcome:
    """The outcome of a training, by its scores before and after."""
    if loses_half(forgetting):
        return "lost"
    better = _is_better(scores)
    return "unknown" if better is None else "learnt" if better else "no better"


def outcome_warning(scores: ScoresPair, forgetting: ScoresPair, kind: ArtifactKind = "unknown") -> Shown:
    """Why a result is no success and what to do, in sentences that stand before it is offered; "" where it is one.
    ``kind``: a LoRA has a strength, which gives general abilities back (docs/benchmarks.md, "A first training")."""
    match outcome_of(scores, forgetting):
        case "lost":
            was, now, answers = _general(forgetting)
            return LOST.format(
                was=was, now=now, answers=answers, advice=LOWER_STRENGTH if kind == "lora" else TRAIN_AGAIN
            )
        case "no better":
            return NO_BETTER.format(examples=examples_scored(scores.measured))
        case _:
            return ""


def loses_half(forgetting: ScoresPair) -> bool:
    """Whether fewer than half of the general questions are answered that were before."""
    was, now, answers = _general(forgetting)
    return bool(answers) and 2 * now < was


def learnt_words(scores: ScoresPair) -> Shown:
    """The change in the number that matters most, also when it is none."""
    before, after, examples = scores.before, scores.after, examples_scored(scores.measured)
    if after is None:
        return ""
    if before is not None and "reward" in after.metrics and "reward" in before.metrics:
        was, now = before.metrics["reward"], after.metrics["reward"]
        word, kl = "rose" if now >= was else "fell", after.metrics.get("kl", 0.0)
        return REWARD_CHANGED.format(examples=examples, word=word, before=was, after=now, kl=kl)
    if before is None:
        return LOSS.format(examples=examples, loss=after.loss)
    lead = ""
    if "pair_accuracy" in after.metrics:
        pairs = after.tokens  # a pair counts as one trained place
        ahead = round(after.metrics["pair_accuracy"] * pairs)
        lead = PAIRS_AHEAD.format(ahead=ahead, pairs=pairs, examples=examples)
    elif after.exact_match is not None and before.exact_match is not None and after.answers:
        lead, changed = _exact_words(before, after, questions_scored(scores.measured))
        if changed:
            return lead
    change = before.loss - after.loss
    if abs(change) < _CHANGED:
        return LOSS_SAME.format(lead=lead, examples=examples).strip()
    word = "fell" if change > 0 else "rose"
    return LOSS_CHANGED.format(lead=lead, examples=examples, word=word, loss=before.loss, loss2=after.loss).strip()


def lost_words(forgetting: ScoresPair) -> Shown:
    """``4 of 24 general questions are answered right, 11 before the training.``; "" where it was not measured."""
    before, after = forgetting.before, forgetting.after
    if before is None or after is None:
        return ""
    was, now, answers = _general(forgetting)
    if answers:
        return GENERAL_QUESTIONS.format(was=was, now=now, answers=answers)
    return GENERAL_LOSS.format(was=before.loss, now=after.loss)


def gain_words(before: float, after: float, answers: int) -> str:
    """The change in percentage points with its interval; that it may be chance, where it may."""
    low, high = gain(before, after, answers)
    words = INTERVAL.format(value=100 * (after - before), value2=100 * low, value3=100 * high)
    return MAY_BE_CHANCE.format(words=words) if low <= 0 <= high else words


_CHANGED = 0.005


def _exact_words(before: Scores, after: Scores, questions: str) -> tuple[str, bool]:
    """A sentence on the answers, and whether another number of them is right."""
    assert before.exact_match is not None
    assert after.exact_match is not None
    right, was = round(after.exact_match * after.answers), round(before.exact_match * before.answers)
    if right == was:
        return EXACT_SAME.format(was=was, answers=before.answers, questions=questions), False
    words = gain_words(before.exact_match, after.exact_match, after.answers)
    lead = EXACT_CHANGE.format(right=right, answers=after.answers, questions=questions, was=was, gain_words=words)
    return lead, True


def _is_better(scores: ScoresPair) -> bool | None:
    """Whether the scores after are better; None where that cannot be told. Answers count before the loss, unless none
    is right before and after: then no answer could be expected word for word."""
    before, after = scores.before, scores.after
    if after is not None and "pair_accuracy" in after.metrics:
        return after.metrics["pair_accuracy"] > 0.5
    if before is None or after is None:
        return None
    if "reward" in after.metrics and "reward" in before.metrics:
        return after.metrics["reward"] > before.metrics["reward"]
    if before.exact_match is not None and after.exact_match is not None and (before.exact_match or after.exact_match):
        return after.exact_match > before.exact_match
    return before.loss - after.loss >= _CHANGED


def _general(forgetting: ScoresPair) -> tuple[int, int, int]:
    """General questions answered right before and after, and how many were asked; 0 where none were."""
    before, after = forgetting.before, forgetting.after
    if before is None or after is None or before.exact_match is None or after.exact_match is None:
        return 0, 0, 0
    return round(before.exact_match * before.answers), round(after.exact_match * after.answers), after.answers
