"""The verdict of a verification from its counts, with the reasons in words."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec

from workbench.gguf.adapter_deltas import read_changes
from workbench.gguf.base_model import read_base
from workbench.gguf.reader import read_gguf, read_pieces
from workbench.records.training import Agreement, VerificationReport
from workbench.records.training.verdicts import agreement_words, divergence_words, share, shares_apart, verdict_words
from workbench.training.protocol import Served
from workbench.verification.comparison import BASE, EXACT, PLAIN, REFERENCE, SERVED, TRAINED, Comparison

CONVERTED = 0.99
"""Of all positions, at how many torch and the float32 merge must agree."""

PACKED = {"F32": 0.99, "F16": 0.99, "BF16": 0.98, "Q8_": 0.95, "Q6_": 0.9, "Q5_": 0.85, "Q4_": 0.75, "IQ4": 0.75}
"""At how many the float32 merge and what is served must, by the format of what changed."""

COARSE = 0.5
"""The same for formats below four bits."""

ADAPTER_MARGIN = 0.15
"""How much less an adapter, or virtual tokens, over a packed base may agree with float32 than the base alone does.

llama.cpp rounds what it multiplies packed weights with to 8 bits, 32 numbers at a time, and what was trained lets some
stand out: an adapter that answers 64 of 64 trained facts agrees at 0.91 of all positions, the base at 0.97; rows in a
wrong order at 0.56. That the adapter is computed rightly is seen against the float32 merge, which is allowed nothing.
"""

PACKED_MARGIN = 0.05
"""How much less a merged model may agree with torch than with a float32 merge, where the other weights are packed:
llama.cpp rounds what it multiplies these with, and torch does not."""

NEAR = 0.02
"""Nats: where the distributions are as near as this on average, the likeliest tokens that differ were about equally
likely. llama.cpp rounds the activations that it multiplies packed weights with, so that the smallest change turns such
positions over: the base itself is 0.006 away from float32 (SmolLM2 Q4_1), a Q8_0 merge that answers 64 of 64 trained
facts 0.014 with 0.89 of the tokens the same; a 4-bit merge that lost the training is 3.4 to 4.1 away."""

KEPT = 0.95
"""The share of what the trained model says right that must still be right."""

GAINED = 0.5
"""The share of the trained tokens that the training added to what the base says right which must still be there: where
a training adds little, all of it can be lost within ``KEPT``. Twice the root of the positions at which rounding turned
the likeliest token over may be missing besides."""

FEWEST = 8
"""With fewer answers that are trained whole, single tokens are counted instead; with fewer of those, nothing is."""


def judge(
    found: Comparison,
    served: Served,
    trained: Path,
    base: Path,
    metric: str,
    notes: tuple[str, ...],
    seconds: float,
    *,
    apart: bool = False,
) -> VerificationReport:
    """The verdict. ``apart``: torch was given other weights than llama.cpp, those of the folder that was trained on,
    where ``base`` is the GGUF file that is served; the two are to agree as far as the bases do.

    Raises UserError when the files that were compared cannot be read any more.
    """
    reasons: list[str] = []
    agreements: list[Agreement] = []
    own = found.pairs.get((PLAIN, BASE))
    kind, needed = _needed(served, trained, base, own.top1 if own else 1.0)
    for (first, second), pair in found.pairs.items():
        converted = max(COARSE, min(CONVERTED, own.top1 - ADAPTER_MARGIN)) if apart and own else CONVERTED
        limit = {SERVED: needed, EXACT: converted}.get(second, 0.0)
        if (first, second) == (BASE, SERVED):  # which are to differ
            limit = 0.0
            notes += ("Only the base model was there to compare it with, from which it is expected to differ.",)
        elif (first, second) == (TRAINED, SERVED) and served.kind == "merged" and _is_packed(base):
            limit = max(COARSE, limit - PACKED_MARGIN)
        near = NEAR if limit and second == SERVED else 0.0
        agreement = pair.agreement(limit)
        passed = agreement.passed or agreement.kl <= near
        agreement = msgspec.structs.replace(agreement, near=near, passed=passed)
        agreement = msgspec.structs.replace(agreement, why=agreement_words(agreement))
        agreements.append(agreement)
        if not agreement.passed:
            reasons.append(_disagreement(agreement, second, kind, own.top1 if apart and own else None))
    metric, right = _counts(found, metric)
    trained_share = served_share = base_share = None
    counted, at_least = 0, None
    if right:
        said = TRAINED if TRAINED in right else EXACT if EXACT in right else None
        count, counted = right[SERVED]
        served_share, base_share = count / counted, right[BASE][0] / counted
        if said is not None:
            expected = right[said][0]
            trained_share = expected / counted
            allowance = 1 if counted >= FEWEST and expected > 1 else 0
            at_least = max(0, math.ceil(KEPT * expected - allowance - 1e-9))
            if count < at_least:
                reasons.append(_lost(metric, count, expected, counted, kind))
            elif lost := _lost_gain(found, said, kind):
                reasons.append(lost)
            if expected < FEWEST:
                notes += ("The trained model has too few correct answers to detect a loss.",)
    verification = VerificationReport(
        passed=not reasons,
        agreements=tuple(agreements),
        metric=metric if right else "",
        trained=trained_share,
        served=served_share,
        base=base_share,
        counted=counted,
        needed=at_least,
        reasons=tuple(reasons),
        notes=notes,
        seconds=seconds,
    )
    return msgspec.structs.replace(verification, verdict=verdict_words(verification))


def _lost_gain(found: Comparison, said: str, kind: str) -> str:
    """Why what the training added to the base is lost, "" where it is not."""
    trained, served, base = (found.counts[name].count("token_accuracy")[0] for name in (said, SERVED, BASE))
    total = found.counts[SERVED].count("token_accuracy")[1]
    turned = total * (1 - min(pair.top1 for (_, second), pair in found.pairs.items() if second == SERVED))
    at_least = base + GAINED * (trained - base) - 2 * math.sqrt(turned)
    if trained <= base or served >= at_least:
        return ""
    return (
        f"The training is lost: of {total:,} trained tokens the base model predicts {base:,} and the trained "
        f"model {trained:,}; {_served_as(kind)} {served:,} are correct, and {math.ceil(at_least):,} are needed to "
        f"keep half of the gain.{_finer(kind)}"
    )


def _is_packed(base: Path) -> bool:
    return any(t.type not in ("F32", "F16", "BF16") for piece in read_pieces(base) for t in piece.tensors)


def _counts(found: Comparison, metric: str) -> tuple[str, dict[str, tuple[int, int]]]:
    """The correct answers of each model; tokens where the trained model has too few correct answers."""
    best = found.counts.get(TRAINED) or found.counts.get(EXACT) or found.counts[SERVED]
    if metric != "exact_match" or best.count("exact_match")[0] < FEWEST:
        metric = "token_accuracy"
    counts = {name: one.count(metric) for name, one in found.counts.items() if name != REFERENCE}
    return metric, counts if counts[SERVED][1] else {}


def _needed(served: Served, trained: Path, base: Path, own: float) -> tuple[str, float]:
    """In which format what was trained is served, and how far that must agree with float32."""
    if served.kind != "merged":
        return "an adapter", max(COARSE, min(PACKED["F16"], own - ADAPTER_MARGIN))
    touched = set(read_changes(trained, read_base(base)).targets())
    kinds = {t.type for t in read_gguf(Path(served.path)).tensors if t.name in touched and len(t.shape) > 1}
    limits = {kind: PACKED.get(kind[:3], COARSE) for kind in kinds or {"F32"}}
    worst = min(limits, key=lambda kind: limits[kind])
    return worst, limits[worst]


def _disagreement(found: Agreement, second: str, kind: str, bases: float | None = None) -> str:
    """``bases``: how far the folder that was trained on and the GGUF model agree, where they are two."""
    same, needed = shares_apart(found.top1, found.needed)
    at = f"at {same} of {found.positions:,} positions the most likely token is the same, and {needed} are needed"
    if second == EXACT and bases is not None:
        return (
            f"On the GGUF model the adapter does not behave as trained on the folder: {at}. Without the adapter "
            f"the two agree at {share(bases)}; a low share means that they are different models."
        )
    if second == EXACT:
        return (
            f"llama.cpp does not compute the trained model: {at}. The converted weights are in a wrong order or place."
        )
    how = "With the adapter on the quantised base" if kind == "an adapter" else f"Merged as {kind}"
    return f"{how} the model does not answer as in float32: {at}; {divergence_words(found.kl, found.near)}."


def _lost(metric: str, count: int, expected: int, total: int, kind: str) -> str:
    what = "answers" if metric == "exact_match" else "trained tokens"
    return (
        f"The training is lost: of {total:,} {what} the trained model says {expected:,} right, {_served_as(kind)} "
        f"it says {count:,}.{_finer(kind)}"
    )


def _served_as(kind: str) -> str:
    return "as an adapter" if kind == "an adapter" else f"as {kind}"


def _finer(kind: str) -> str:
    coarse = kind != "an adapter" and PACKED.get(kind[:3], COARSE) < PACKED["Q8_"]
    return " Merge as Q8_0 or F16." if coarse else ""
