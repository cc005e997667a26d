"""Effects: the fields of a decoding part that have an effect under its strategy, and the notes on the others.

Every function asks the row of the part's strategy (``MethodInfo``), never its name. A form shows the fields that have
an effect. A field that was set without effect is reported, beside the form before and beside the answer afterwards.
"""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.fields import fields_of
from workbench.records.methods import MethodInfo, Methods
from workbench.records.recipes.decoding import DEFAULT_STRATEGY, SAMPLING_ORDER, DecodingPart

FILTERS = "filters"
"""The group of fields that make up sampling: temperature, and the filters of the candidates."""

_PENALTIES = {
    "repetition_penalty": "penalties",
    "presence_penalty": "penalties",
    "frequency_penalty": "penalties",
    "dry_multiplier": "dry",
    "no_repeat_ngram_size": "",
    "logit_bias": "",
}
"""The fields that change the scores of single tokens, and the filter of ``order`` without which sampling omits them."""

_PRESET_GROUPS = ("strategy", FILTERS, "repetition")


def draws(part: DecodingPart, strategy: MethodInfo) -> bool:
    """Whether tokens are drawn at random: at temperature 0 the most probable one is taken."""
    return "draws" in strategy.traits and part.temperature > 0


def answers_of(part: DecodingPart, strategy: MethodInfo) -> int:
    """The number of answers: without randomness and without several sequences there is only one."""
    one = "one answer" in strategy.traits or ("draws" in strategy.traits and not draws(part, strategy))
    return 1 if one else part.n


def follows_beams(part: DecodingPart, strategy: MethodInfo) -> bool:
    """Whether the answer is a result of a beam search."""
    return "num_beams" in active_fields(part, strategy)


def normalized(part: DecodingPart, strategy: MethodInfo) -> DecodingPart:
    """The part as it is executed: without randomness there is one answer."""
    return msgspec.structs.replace(part, n=answers_of(part, strategy))


def active_fields(part: DecodingPart, strategy: MethodInfo) -> frozenset[str]:
    """Names of the fields that have an effect under the part's strategy and its other values, or that were set without
    effect and have to be reset."""
    fields = {field.name: field.group for field in fields_of(DecodingPart)}
    searches = "searches" in strategy.traits
    groups = {"strategy", "answers", "repetition", *strategy.groups}
    if "free text" not in strategy.traits or part.format != "text":
        groups.add("format")
    if not searches or part.speculation != "off":
        groups.add("speed")
    names = {name for name, group in fields.items() if group in groups}
    if "draws" not in strategy.traits:
        names -= {"seed", "ranked"}
    if "one answer" in strategy.traits and part.n == 1:
        names.discard("n")
    if not searches and FILTERS not in strategy.groups and part.order != SAMPLING_ORDER:
        names.add("order")  # a penalty that is left out of it is not applied
    punishes = bool(part.presence_penalty or part.frequency_penalty or part.dry_multiplier)
    punishes = punishes or (part.repetition_penalty != 1 and not searches)  # searches apply it to prompt and answer
    depends = {
        **_depends(part, strategy),
        "penalty_window": punishes,
    }
    return frozenset(name for name in names if depends.get(name, True))


def ignored_fields(part: DecodingPart, strategy: MethodInfo) -> tuple[str, ...]:
    """Names of the fields that were set without effect."""
    active, depends = active_fields(part, strategy), _depends(part, strategy)
    found = []
    for field in fields_of(DecodingPart):
        counts = field.name in active
        if field.group == FILTERS and field.name != "temperature" and not draws(part, strategy):
            counts = field.name == "order" and "searches" not in strategy.traits
        if not counts and getattr(part, field.name) != field.default and depends.get(field.name, True):
            found.append(field.name)
    return tuple(name for name in found if name != "seed")  # it is drawn when nobody sets it


def notes_on(part: DecodingPart, strategy: MethodInfo) -> tuple[Shown, ...]:
    """Notes on fields that were set without effect. Fields of another strategy are not mentioned."""
    notes = []
    answers = answers_of(part, strategy)
    if part.n > answers:
        alone = "Temperature 0" if "draws" in strategy.traits else strategy.title
        notes.append(
            f"{alone} gives one answer, not {part.n}. For several, set a temperature above 0, or use beam search."
        )
    if part.speculation != "off":
        if "searches" in strategy.traits:
            notes.append(f"No draft tokens {_under(strategy)}: its {strategy.groups[0]} are computed in parallel.")
        elif answers > 1:
            notes.append("No draft tokens for several answers: they are computed in parallel.")
    fields = {field.name: field for field in fields_of(DecodingPart)}
    idle = [fields[name] for name in ignored_fields(part, strategy) if fields[name].group in (FILTERS, "repetition")]
    if idle:
        named = ", ".join(f"{field.title} {_shown(getattr(part, field.name))}" for field in idle)
        notes.append(f"No effect {_under(strategy)}: {named}.")
    return tuple(notes)


def note_on_penalties(part: DecodingPart, strategy: MethodInfo) -> Shown:
    """A sentence that names the penalties, bans and biases that act on the choice of tokens; "" for none."""
    searches = "searches" in strategy.traits
    fields = {field.name: field for field in fields_of(DecodingPart)}
    acting = [
        fields[name]
        for name, step in _PENALTIES.items()
        if getattr(part, name) != fields[name].default and (searches or step in ("", *part.order))
    ]
    if not acting:
        return ""
    named = ", ".join(f"{field.title} {_shown(getattr(part, field.name))}" for field in acting)
    if draws(part, strategy):
        return f"These settings change the probabilities that tokens are drawn with: {named}."
    return f"These settings change which token counts as the most probable one: {named}."


def takes_best(part: DecodingPart, strategy: MethodInfo) -> bool:
    """Whether each token is the most probable one: nothing is drawn, searched, penalised or kept to a format."""
    chooses = draws(part, strategy) or "searches" in strategy.traits or part.format != "text"
    return not chooses and not note_on_penalties(part, strategy)


def notes_on_drafts(part: DecodingPart, strategy: MethodInfo, *, rewindable: bool, deterministic: bool) -> list[str]:
    """Notes on draft tokens that a loaded model cannot use."""
    if part.speculation == "off" or "searches" in strategy.traits or answers_of(part, strategy) > 1:
        return []
    if not rewindable:
        return ["No draft tokens: this model's memory cannot be truncated after a rejected token."]
    if deterministic and part.draft_tokens > 1:
        return [
            f"One draft token at a time, not {part.draft_tokens}: deterministic answers need the "
            "same number of tokens in every computation."
        ]
    return []


def problem_of(part: DecodingPart, strategy: MethodInfo) -> str:
    """Why the part cannot be executed by any model; "" when it can."""
    if follows_beams(part, strategy):
        if part.n > part.num_beams:
            return f"{part.n} answers need at least as many beams, but there are {part.num_beams}."
        if part.num_beams % part.num_beam_groups:
            return f"{part.num_beams} beams cannot be split into {part.num_beam_groups} groups of the same size."
    if "free text" in strategy.traits and part.format != "text":
        return f"{strategy.title} does not support answer formats. Choose free text, or another strategy."
    return ""


def with_preset(part: DecodingPart, preset: MethodInfo) -> DecodingPart:
    """The part with a preset in place of its sampling and repetition fields. One that draws nothing has one answer."""
    default = DecodingPart()
    groups = {field.name: field.group for field in fields_of(DecodingPart)}
    values = {name: getattr(default, name) for name, group in groups.items() if group in _PRESET_GROUPS}
    values |= preset.values
    if not values["temperature"]:
        values["n"] = 1
    return msgspec.structs.replace(part, **values)


def preset_of(part: DecodingPart, methods: Methods[Any]) -> MethodInfo | None:
    """The part's preset; None for none. Taking the most probable token is sampling at temperature 0."""
    strategy = methods.row(part.strategy, "decoding")
    if "searches" not in strategy.traits and "draws" not in strategy.traits:
        part = msgspec.structs.replace(part, strategy=DEFAULT_STRATEGY, temperature=0.0)
    replaced = ((preset, with_preset(part, preset)) for preset in methods.of("preset"))
    return next((preset for preset, new in replaced if msgspec.structs.replace(new, n=part.n) == part), None)


def _under(strategy: MethodInfo) -> str:
    return "at temperature 0" if "draws" in strategy.traits else f"in {strategy.title[:1].lower()}{strategy.title[1:]}"


def _depends(part: DecodingPart, strategy: MethodInfo) -> dict[str, bool]:
    """Fields that have an effect only with others: whether they have one."""
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
        "ranked": answers_of(part, strategy) > 1,
        "diversity_penalty": part.num_beam_groups > 1,
        "grammar": part.format not in ("text", "json"),
        "draft_model": part.speculation == "draft",
        "draft_tokens": part.speculation != "off",
    }


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
