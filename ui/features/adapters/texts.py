"""Adapters in words: what each kind is, how it was made, what it changed in numbers, what the gate found.

Everything here is text made of an ``AdapterRecord``; nothing is drawn.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ui.components.wording import describe_count, describe_large, describe_seconds
from workbench.records.methods import Methods
from workbench.records.recipes import AdapterUse, Recipe
from workbench.records.training import (
    AdapterRecord,
    ArtifactKind,
    Scores,
    ScoresPair,
    gain,
)

KINDS: dict[ArtifactKind, tuple[str, str]] = {
    "lora": ("LoRA", "A small change of the weights. It is switched on over its base model, at a strength you choose."),
    "merged": ("Model of its own", "The change is written into the weights: it is a model under Models."),
    "soft-prompt": ("Soft prompt", "Trained tokens that stand before every text. It is on or off."),
    "prefix": ("Prefix", "Trained keys and values that stand before every text, in each layer. It is on or off."),
    "unknown": ("Unknown", "Its card cannot be read. It stays as it is, and cannot be used until it can."),
}
STRENGTH_STEP = 0.05
MOST_STRENGTH = 2.0


@dataclass(frozen=True)
class ScoreRow:
    """One measure before and after. ``better`` says whether the change is one for the better, None: there is none."""

    name: str
    help: str
    before: str
    after: str
    change: str
    better: bool | None


def takes_strength(kind: ArtifactKind) -> bool:
    """Whether it can be on by a part; the others are on or off."""
    return kind == "lora"


def describe_use(use: AdapterUse) -> str:
    """``my-notes 0.8``; at full strength the name alone."""
    return use.name if use.scale == 1 else f"{use.name} {use.scale:.4g}"


def describe_asked(recipe: Recipe, most: int = 2) -> str:
    """The model with what is on over it: ``SmolLM2 + my-notes 0.8``; more than ``most`` are counted."""
    name, uses = recipe.model.name, recipe.model.adapters
    if not name or not uses:
        return name
    if len(uses) > most:
        return f"{name} + {len(uses)} adapters"
    return " + ".join([name, *map(describe_use, uses)])


def describe_date(seconds: float) -> str:
    """``24 Nov 2026, 14:02``"""
    return time.strftime("%d %b %Y, %H:%M", time.localtime(seconds)).lstrip("0") if seconds else ""


def describe_day(seconds: float) -> str:
    """``24 Nov``; with the year when it is another one."""
    if not seconds:
        return ""
    day = time.localtime(seconds)
    this_year = day.tm_year == time.localtime().tm_year
    return time.strftime("%d %b" if this_year else "%d %b %Y", day).lstrip("0")


def describe_origin(record: AdapterRecord, methods: Methods[Any]) -> list[tuple[str, str]]:
    """Name and value of each thing that is known of how it came to be."""
    config = record.config
    pairs = [("Base model", record.base or "not known")]
    if record.origin == "imported":
        pairs.append(("Came from", "an import: how it was trained is not known here"))
    elif record.origin == "merged":
        pairs.append(("Came from", "an adapter, merged into its base"))
    if config is not None:
        weights = config.weights
        row = methods.row(weights.method, "weights")
        where = weights.targets if weights.targets != "all" else "all linear layers"
        layers = f"layers {weights.layers}" if weights.layers else f"{weights.last_layers} layers"
        told = {  # by the groups of settings that the method reads
            "low-rank": f"rank {weights.rank}",
            "rotations": f"blocks of {weights.block_size}",
            "targets": where,
            "selection": layers,
            "soft prompts": f"{weights.virtual_tokens} virtual tokens",
        }
        method = ", ".join([row.title, *(words for group, words in told.items() if group in row.groups)])
        pairs += [("Method", method)]
    data = record.data or (config.data.path if config is not None else "")
    if data:
        counted = f" ({describe_count(record.examples, 'example')})" if record.examples else ""
        pairs.append(("Trained on", f"{data}{counted}"))
    if record.steps:
        took = f" in {describe_seconds(record.seconds)}" if record.seconds else ""
        pairs.append(("Steps", f"{record.steps:,}{took}"))
    if record.created:
        pairs.append(("Made", describe_date(record.created)))
    if record.licence:
        pairs.append(("Licence", record.licence))
    notes = record.parity.notes if record.parity is not None else ()
    if record.note and not (notes and all(note in record.note for note in notes)):  # else they stand under The check
        pairs.append(("Note", record.note))
    return pairs


def score_rows(pair: ScoresPair, general: bool = False) -> list[ScoreRow]:
    """The measures that are known, before and after, with the difference. Answers to ``general`` questions count as
    right when they contain the expected words."""
    before, after = pair.before, pair.after
    known = after or before
    if known is None:
        return []
    answers = describe_count(known.answers, "answer")
    right = (
        ("Right answers", f"Of {answers}, the share that contains the expected words.")
        if general
        else ("Answers exactly right", f"Of {answers}, the share that is the expected one.")
    )
    measures = (
        ("exact_match", *right, "share", True),
        ("rouge_l", "Likeness to the expected answer", f"ROUGE-L of {answers} with the expected ones.", "share", True),
        ("token_accuracy", "Next token right", "The share of tokens that were the likeliest.", "share", True),
        ("loss", "Loss", "How surprised it is by the right tokens, in nats; less is better.", "number", False),
        ("perplexity", "Perplexity", "Between how many tokens it wavers; less is better.", "number", False),
    )
    rows = []
    for name, title, help, form, more_is_better in measures:
        old, new = _value(before, name), _value(after, name)
        if old is None and new is None:
            continue
        change, better = "", None
        if old is not None and new is not None:
            change = _describe_change(new - old, form)
            moved = abs(new - old) >= (0.0005 if form == "share" else 0.005)
            better = ((new > old) is more_is_better) if moved else None
        rows.append(ScoreRow(title, help, _describe(old, form), _describe(new, form), change, better))
    return rows


def describe_forgetting(pair: ScoresPair) -> str:
    """Whether it got worse at what it was not trained for: at texts by their loss, at questions by their answers."""
    before, after = pair.before, pair.after
    if before is None or after is None:
        return ""
    fewer = _fewer_answers(before, after)
    matter = "general texts" if fewer else "general texts and questions"
    share = (after.loss - before.loss) / before.loss if before.loss else 0.0
    if share < 0.01:
        return f"It is as good as before at {matter}.{fewer}"
    words = "a little worse" if share < 0.1 else "clearly worse"
    advice = " Fewer epochs or a lower learning rate keep more." if share >= 0.1 else ""
    return f"It became {words} at {matter}: their loss went up by {share:.0%}.{fewer}{advice}"


def _fewer_answers(before: Scores, after: Scores) -> str:
    """By how many fewer general questions it answers right, and whether that may be chance; empty: by none."""
    if before.exact_match is None or after.exact_match is None or not after.answers:
        return ""
    fewer = round(before.exact_match * after.answers) - round(after.exact_match * after.answers)
    if fewer <= 0:
        return ""
    _, high = gain(before.exact_match, after.exact_match, after.answers)
    chance = ", which may be chance" if high >= 0 else ""
    return f" Of {after.answers} general questions it answers {fewer} fewer right{chance}."


def gate_verdict(record: AdapterRecord) -> str:
    """What the gate found, in a sentence."""
    if record.state == "unreadable":
        return record.note
    if record.state == "checking":
        return record.note or (
            "It is being compared with what was trained. It can be used already; if it lost what was learnt, it will "
            "be taken back."
        )
    parity = record.parity
    if parity is None:
        return (
            "It was imported, so there is nothing trained here to compare it with."
            if (record.origin == "imported")
            else "It was not compared with what was trained."
        )
    if parity.passed and not parity.agreements:
        return "It was not compared with what was trained."
    if parity.passed:
        return "It says what was trained."
    return "It does not say what was trained, so it is not offered."


def why_failed(record: AdapterRecord) -> str:
    """Why it is not offered."""
    reasons = record.parity.reasons if record.parity is not None else ()
    return " ".join(_sentence(reason) for reason in reasons) or _sentence(record.note) or "It did not pass the check."


def find_problem(uses: Sequence[AdapterUse], known: Mapping[str, AdapterRecord], model: str) -> tuple[str, str]:
    """The first adapter of a recipe that cannot be used with ``model``, and why; two empty words when all can.

    ``known`` are the adapters that fit the model, failed ones included; a path of a file is not judged here.
    """
    for use in uses:
        if use.name.lower().endswith(".gguf"):
            continue
        record = known.get(use.name)
        if record is None:
            return use.name, f"The adapter {use.name} is not here any more, or does not fit {model}."
        if record.state == "unreadable":
            return use.name, f"The adapter {use.name} cannot be used: {record.note}"
        if record.state == "failed":
            return use.name, f"The adapter {use.name} did not pass the check: {why_failed(record)}"
    return "", ""


def _value(scores: Scores | None, name: str) -> float | None:
    value: float | None = getattr(scores, name) if scores is not None else None
    return value


def _describe(value: float | None, form: str) -> str:
    if value is None:
        return "–"
    return f"{value:.1%}".replace(".0%", "%") if form == "share" else describe_large(value)


def _describe_change(change: float, form: str) -> str:
    if form == "share":
        return f"{'+' if change > 0 else '−' if change < 0 else '±'}{abs(change) * 100:.1f} points".replace(".0 ", " ")
    return f"{'+' if change > 0 else '−' if change < 0 else '±'}{describe_large(abs(change))}"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _sentence(text: str) -> str:
    return _capital(text) if not text or text[-1] in ".!?" else f"{_capital(text)}."
