"""What of a decoding part makes a difference, and what is to be said of the rest.

A form shows the fields that count. What was set and does not count is said in words, beside the form before and beside
the answer afterwards: nothing is left out silently.
"""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.fields import Field, fields_of
from workbench.records.recipes.decoding import SAMPLING_ORDER, DecodingPart

SEARCHES = {
    "sampling": "at temperature 0",
    "greedy": "in greedy search",
    "beam": "in a beam search",
    "contrastive": "in a contrastive search",
}

_ALONE = {"sampling": "Temperature 0", "greedy": "Greedy search", "contrastive": "Contrastive search"}


def draws(part: DecodingPart) -> bool:
    """Whether chance has a part in the choice of tokens: temperature 0 is greedy."""
    return part.strategy == "sampling" and part.temperature > 0


def answers_of(part: DecodingPart) -> int:
    """How many answers are made: where nothing is drawn and no beams are followed there is only one to be had."""
    return part.n if draws(part) or part.strategy == "beam" else 1


def normalized(part: DecodingPart) -> DecodingPart:
    """The part as it is carried out: an answer that can only be one is made once."""
    return msgspec.structs.replace(part, n=answers_of(part))


def active_fields(part: DecodingPart) -> frozenset[str]:
    """Names of the fields that make a difference under the part's strategy and its other values, or that have to be
    taken back since they cannot."""
    fields = {field.name: field.group for field in fields_of(DecodingPart)}
    searches = part.strategy in ("beam", "contrastive")
    groups = {"strategy", "answers", "repetition", part.strategy}
    if part.strategy != "contrastive" or part.format != "text":
        groups.add("format")
    if not searches or part.speculation != "off":
        groups.add("speed")
    names = {name for name, group in fields.items() if group in groups}
    if part.strategy != "sampling":
        names -= {"seed", "ranked"}
    if part.strategy in ("greedy", "contrastive") and part.n == 1:
        names.discard("n")
    if part.strategy == "greedy" and part.order != SAMPLING_ORDER:
        names.add("order")  # a penalty that is left out of it is not applied
    punishes = bool(part.presence_penalty or part.frequency_penalty or part.dry_multiplier)
    depends = {
        **_depends(part),
        # elsewhere the repetition penalty looks at the prompt as well, whole
        "penalty_window": punishes or not searches,
    }
    return frozenset(name for name in names if depends.get(name, True))


def ignored_fields(part: DecodingPart) -> tuple[str, ...]:
    """Names of the fields that were set and make no difference."""
    counting, depends = active_fields(part), _depends(part)
    found = []
    for field in fields_of(DecodingPart):
        counts = field.name in counting
        if field.group == "sampling" and field.name != "temperature" and not draws(part):
            counts = field.name == "order" and part.strategy in ("sampling", "greedy")
        if not counts and getattr(part, field.name) != field.default and depends.get(field.name, True):
            found.append(field.name)
    return tuple(name for name in found if name != "seed")  # it is drawn when nobody sets it


def notes_on(part: DecodingPart) -> tuple[str, ...]:
    """Sentences about what was set of how tokens are chosen and has no effect. What belongs to another strategy alone
    is not spoken of."""
    notes = []
    if part.n > answers_of(part):
        notes.append(
            f"{_ALONE[part.strategy]} has one answer: it is made once, not {part.n} times. For several, draw with a "
            "temperature above 0, or search with beams."
        )
    if part.speculation != "off":
        if part.strategy in ("beam", "contrastive"):
            followed = "beams" if part.strategy == "beam" else "candidates"
            notes.append(f"Nothing is guessed ahead {SEARCHES[part.strategy]}: {followed} are computed side by side.")
        elif answers_of(part) > 1:
            notes.append("Nothing is guessed ahead for several answers: they are computed side by side.")
    fields = {field.name: field for field in fields_of(DecodingPart)}
    idle = [fields[name] for name in ignored_fields(part) if fields[name].group in ("sampling", "repetition")]
    if idle:
        named = ", ".join(f"{field.title} {_shown(field, getattr(part, field.name))}" for field in idle)
        notes.append(f"No effect {SEARCHES[part.strategy]}: {named}.")
    return tuple(notes)


def notes_on_guesses(part: DecodingPart, *, rewindable: bool, deterministic: bool) -> tuple[str, ...]:
    """Sentences about what of guessing ahead a loaded model makes no use of."""
    if part.speculation == "off" or part.strategy in ("beam", "contrastive") or answers_of(part) > 1:
        return ()
    if not rewindable:
        return ("Nothing is guessed ahead: the memory of this model cannot go back behind a wrong guess.",)
    if deterministic and part.draft_tokens > 1:
        return (
            f"One token is guessed ahead at a time, not {part.draft_tokens}: the model is to answer the same every "
            "time, and how many are computed together changes the last bits.",
        )
    return ()


def problem_of(part: DecodingPart) -> str:
    """Why the part cannot be carried out, whatever the model; "" when it can."""
    if part.strategy == "beam":
        if part.n > part.num_beams:
            return f"{part.n} answers cannot come of {part.num_beams} beams: set at least as many beams."
        if part.num_beams % part.num_beam_groups:
            return f"{part.num_beams} beams cannot be split into {part.num_beam_groups} groups of one size."
    if part.strategy == "contrastive" and part.format != "text":
        return "Contrastive search keeps to no form. Choose free text, or another strategy."
    return ""


def _depends(part: DecodingPart) -> dict[str, bool]:
    """Fields that count only with others: whether they do."""
    return {
        "dynamic_exponent": part.dynamic_temperature > 0,
        "xtc_threshold": part.xtc_probability > 0,
        "mirostat_tau": part.mirostat != "off",
        "mirostat_eta": part.mirostat != "off",
        "top_k": part.mirostat == "off",
        "top_p": part.mirostat == "off",
        "min_p": part.mirostat == "off",
        "typical_p": part.mirostat == "off",
        "dry_base": part.dry_multiplier > 0,
        "dry_allowed_length": part.dry_multiplier > 0,
        "ranked": answers_of(part) > 1,
        "diversity_penalty": part.num_beam_groups > 1,
        "grammar": part.format not in ("text", "json"),
        "draft_model": part.speculation == "draft",
        "draft_tokens": part.speculation != "off",
    }


def _shown(field: Field, value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
