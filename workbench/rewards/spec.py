r"""Rewards as a person writes them, one per line: the name of a reward, its settings, and its weight.

letter-share letters=e prefer=few
listed-words unwanted="very,really" weight=0.5
expression-match pattern=(?i)\b(we|our)\b
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.base.fields import parse_value
from workbench.records.methods import Method, Methods
from workbench.records.reward_lines import join_line, split_line
from workbench.rewards.models import JudgeGrade, RewardModelUse
from workbench.rewards.reward import WeightedPart, WeightedSum

WEIGHT = "weight"


class RewardLine(msgspec.Struct, frozen=True, kw_only=True):
    """A reward by its name in the registry, its ``options`` as they were typed, decoded, and its weight."""

    name: str
    options: dict[str, Any] = {}
    weight: float = 1.0


def read_line(line: str, methods: Methods[Method]) -> RewardLine:
    """Raises UserError that names the line and what is wrong."""
    try:
        name, *settings = split_line(line)
    except ValueError as error:
        raise UserError(
            f"The reward {line!r} cannot be read.", "Write NAME setting=value …, with quotes around spaces."
        ) from error
    row = methods.find(name, "reward")
    options: dict[str, Any] = {}
    weight = 1.0
    for setting in settings:
        field, equals, text = setting.partition("=")
        if not equals:
            raise UserError(f"{setting!r} in the reward {line!r} is no setting.", "Write setting=value.")
        if field == WEIGHT:
            weight = _weight(text, line)
        else:
            options[field] = parse_value(row.config, field, text)
    if reason := problem_of_settings(row.decode(options)):
        raise UserError(reason, f"Correct the reward {line!r}.")
    return RewardLine(name=name, options=options, weight=weight)


def problem_of_settings(options: Any) -> str:
    """Why the settings of a reward are of no use, where their type can tell; else ""."""
    return str(options.problem()) if hasattr(options, "problem") else ""


def write_line(reward: RewardLine) -> str:
    """The line that ``read_line`` reads as this reward."""
    settings = [f"{name}={_typed(value)}" for name, value in reward.options.items()]
    if reward.weight != 1.0:
        settings.append(f"{WEIGHT}={reward.weight:g}")
    return join_line([reward.name, *settings])


def weighted_sum(lines: Sequence[str], methods: Methods[Method]) -> WeightedSum:
    """The sum of the rewards of these lines; empty ones are skipped. Raises UserError for none."""
    read = [read_line(line, methods) for line in lines if line.strip()]
    if not read:
        names = ", ".join(row.name for row in methods.of("reward"))
        raise UserError(
            "No reward is chosen: add at least one.", f"In a terminal each is on a line of its own: {names}."
        )
    parts: list[WeightedPart] = []
    for one in read:
        row = methods.find(one.name, "reward")
        same = sum(part.name == one.name for part in parts)
        title = f"{row.title} {same + 1}" if same else row.title
        part = WeightedPart(
            name=one.name, title=title, weight=one.weight, score=row.load(), options=row.decode(one.options)
        )
        parts.append(part)
    return WeightedSum(parts)


def reward_models_of(lines: Sequence[str], methods: Methods[Method]) -> tuple[str, ...]:
    """The names of the reward models that these rewards ask. Raises UserError for a line that is wrong."""
    found = [one.adapter for one in _options_of(lines, methods) if isinstance(one, RewardModelUse)]
    return tuple(dict.fromkeys(filter(None, found)))


def judges_of(lines: Sequence[str], methods: Methods[Method]) -> tuple[str, ...]:
    """The names of the judge recipes that these rewards ask, "" for the default recipe. Raises UserError for a line
    that is wrong."""
    return tuple(dict.fromkeys(one.recipe for one in _options_of(lines, methods) if isinstance(one, JudgeGrade)))


def _options_of(lines: Sequence[str], methods: Methods[Method]) -> list[Any]:
    return [part.options for part in weighted_sum(lines, methods).parts] if any(map(str.strip, lines)) else []


def _weight(text: str, line: str) -> float:
    try:
        return msgspec.convert(text, float, strict=False)
    except msgspec.ValidationError as error:
        raise UserError(f"The weight {text!r} in the reward {line!r} is no number.") from error


def _typed(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
