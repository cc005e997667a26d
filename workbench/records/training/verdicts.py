"""Verdicts in words that card, terminal and window share: whether the exported file answers as the trained model does,
and whether a training cost the model general abilities.
"""

from __future__ import annotations

import math

from workbench.base.catalogue import Shown
from workbench.base.counting import counted
from workbench.records.training.results import Agreement, VerificationReport
from workbench.records.training.scores import ScoresPair, gain

AGREES = "The exported file answers as the trained model does."
DIFFERS = "The exported file does not answer as the trained model does."
COUNTED = {"exact_match": "answers", "token_accuracy": "trained tokens"}


def why(found: Agreement) -> Shown:
    """``agreement_words`` as verification wrote them down; of a report from before it did, made now."""
    return found.why or agreement_words(found)


def agreement_words(found: Agreement) -> str:
    """``Trained, in torch – as served: the same next token at 99.1% of 5,000 places, where 97.7% is needed; KL ...``"""
    enough = is_enough(found)
    same, needed = shares_apart(found.top1, found.needed)
    places = counted(found.positions, "place")
    compared = f"{found.first[:1].upper()}{found.first[1:]} – {found.second}: the same next token at {same} of {places}"
    if not found.needed:
        asked = "It is not required: it shows what to expect."
        return f"{compared}; {divergence_words(found.kl)}. {asked if found.passed else 'They are not finite.'}"
    if enough and found.passed:
        return f"{compared}, where {needed} is needed; {divergence_words(found.kl)}. That is enough."
    if enough:
        return f"{compared}, but some of its numbers are not finite. That does not pass."
    allowed = divergence_words(found.kl, found.near)
    if found.passed:
        return (
            f"{compared}, below the {needed} that is enough by itself. It passes because the tokens that differ "
            f"were about equally likely: {allowed}."
        )
    return f"{compared}, where {needed} is needed; {allowed}. That is not enough."


def counted_words(report: VerificationReport) -> Shown:
    """``Of 64 answers the trained model says 64 right, as served 63 (at least 60 needed), the base 2.``"""
    if report.served is None or report.metric not in COUNTED:
        return ""
    if not report.counted:  # a report of before that was kept
        sides = (("as trained", report.trained), ("as served", report.served), ("base", report.base))
        shown = ", ".join(f"{name} {share(value)}" for name, value in sides if value is not None)
        return f"Right of all {COUNTED[report.metric]}: {shown}."
    at_least = f" (at least {report.needed:,} needed)" if report.needed is not None else ""
    trained = (
        f"the trained model says {_of(report.trained, report.counted)} right, " if report.trained is not None else ""
    )
    base = f", the base {_of(report.base, report.counted)}" if report.base is not None else ""
    served = f"as served {_of(report.served, report.counted)}{' are right' if not trained else ''}"
    return f"Of {report.counted:,} {COUNTED[report.metric]} {trained}{served}{at_least}{base}."


def verdict_words(report: VerificationReport) -> Shown:
    """All of it in a few sentences, for a report that is read by itself. Of a reward model as its verification wrote
    it down, which compares scores and not answers."""
    if report.verdict and report.passed and not report.agreements and not report.notes:
        return report.verdict
    if not report.passed:
        return f"{DIFFERS} {' '.join(report.reasons)}".rstrip()
    if not report.agreements:
        return " ".join(report.notes) or "Nothing was compared."
    near = any(one.needed and one.passed and not is_enough(one) for one in report.agreements)
    how = (
        "Its most likely tokens match less often than would be enough by itself, but those that differ were about "
        "equally likely."
        if near
        else ""
    )
    return " ".join(part for part in (AGREES, how, counted_words(report)) if part)


def is_enough(found: Agreement) -> bool:
    """Whether the likeliest tokens agree as often as is needed, whatever the divergence."""
    return found.top1 * found.positions >= found.needed * found.positions - 1e-9


NO_FORGETTING = "No forgetting measured on general texts and questions."
SLIGHT = "Slight forgetting: {changes}."
FORGETTING = (
    "Warning: the model lost general abilities: {changes}. Train again with a lower learning rate or fewer epochs, or "
    "add general rows to the data."
)
PERPLEXITY_ROSE = "perplexity on general texts rose from {before:.3g} to {after:.3g} ({share:+.0%})"
FEWER_ANSWERS = "{fewer} fewer of {answers} general questions are answered correctly{chance}"
MAY_BE_CHANCE = " (may be chance)"

SLIGHT_RISE, SERIOUS_RISE = 0.05, 0.25
"""By how much the perplexity of general texts may rise before it counts as forgetting, and before that is a warning."""


def forgets(pair: ScoresPair) -> bool:
    """Whether a training cost general abilities: the perplexity of general texts rose beyond ``SERIOUS_RISE``, or fewer
    general questions are answered right than chance explains."""
    before, after = pair.before, pair.after
    return before is not None and after is not None and (_rise(pair) >= SERIOUS_RISE or _fewer(pair)[1])


def describe_forgetting(pair: ScoresPair) -> Shown:
    """The verdict on the general scores in a sentence or two; "" where they were not measured."""
    before, after = pair.before, pair.after
    if before is None or after is None:
        return ""
    changes, (fewer, certain) = [], _fewer(pair)
    if (rise := _rise(pair)) >= SLIGHT_RISE:
        was, now = (math.exp(min(one.loss, 50.0)) for one in (before, after))
        changes.append(PERPLEXITY_ROSE.format(before=was, after=now, share=rise))
    if fewer > 0:
        chance = "" if certain else MAY_BE_CHANCE
        changes.append(FEWER_ANSWERS.format(fewer=fewer, answers=after.answers, chance=chance))
    if not changes:
        return NO_FORGETTING
    return (FORGETTING if forgets(pair) else SLIGHT).format(changes=", and ".join(changes))


def _rise(pair: ScoresPair) -> float:
    """By which share the perplexity rose."""
    assert pair.before is not None
    assert pair.after is not None
    return math.exp(min(pair.after.loss - pair.before.loss, 50.0)) - 1


def _fewer(pair: ScoresPair) -> tuple[int, bool]:
    """By how many fewer general questions are answered right, and whether that is more than chance."""
    before, after = pair.before, pair.after
    if before is None or after is None or before.exact_match is None or after.exact_match is None or not after.answers:
        return 0, False
    fewer = round(before.exact_match * after.answers) - round(after.exact_match * after.answers)
    return fewer, fewer > 0 and gain(before.exact_match, after.exact_match, after.answers)[1] < 0


def share(value: float, digits: int = 1) -> str:
    """``97.6%``, ``95%``"""
    number = f"{100 * value:.{digits}f}"
    return f"{number.rstrip('0').rstrip('.') if digits else number}%"


def shares_apart(one: float, other: float) -> tuple[str, str]:
    """Two shares with as many digits as it takes to tell them apart."""
    digits = next((d for d in (1, 2, 3) if share(one, d) != share(other, d)), 1)
    return share(one, digits), share(other, digits)


def divergence_words(kl: float, near: float = 0.0) -> str:
    """``KL divergence 0.41 nats, where at most 0.02 is allowed``"""
    words = f"KL divergence {_nats(kl)} nats" if kl < 1e6 else "KL divergence beyond measure"
    return f"{words}, where at most {_nats(near)} is allowed" if near else words


def _nats(value: float) -> str:
    text = f"{value:.4f}" if value < 0.1 else f"{value:.2f}"
    return text.rstrip("0").rstrip(".") if float(text) else text


def _of(part: float | None, total: int) -> str:
    return f"{round((part or 0.0) * total):,}"
