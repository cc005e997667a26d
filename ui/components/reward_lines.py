"""Rewards as the training keeps them, one per line: a name, its settings, and its weight. No widgets.

letter-share letters=e prefer=few
listed-words unwanted=very,really weight=0.5
"""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.base.fields import parse_text
from workbench.records.methods import MethodInfo, Methods
from workbench.records.reward_lines import join_line, split_line

WEIGHT = "weight"


class RewardLine(msgspec.Struct, frozen=True, kw_only=True):
    """A reward by its name in the registry, the settings that differ from their defaults, and its weight."""

    name: str
    options: dict[str, Any] = {}
    weight: float = 1.0


def read_line(line: str, methods: Methods[MethodInfo]) -> RewardLine:
    """Raises UserError for a line that names no reward, or a setting that it has not."""
    try:
        name, *settings = split_line(line)
    except ValueError as error:
        raise UserError(f"The reward {line!r} cannot be read.") from error
    row = next((one for one in methods.of("reward") if one.name == name), None)
    if row is None:
        raise UserError(f"There is no reward {name!r}.")
    fields = {field.name: field for field in row.fields}
    options: dict[str, Any] = {}
    weight = 1.0
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or (key != WEIGHT and key not in fields):
            raise UserError(f"{setting!r} is no setting of the reward {name!r}.")
        if key == WEIGHT:
            weight = float(text)
        else:
            options[key] = parse_text(fields[key], text)
    return RewardLine(name=name, options=options, weight=weight)


def write_line(reward: RewardLine) -> str:
    """The line that ``read_line`` reads as this reward."""
    parts = [reward.name, *(f"{name}={_typed(value)}" for name, value in reward.options.items())]
    if reward.weight != 1.0:
        parts.append(f"{WEIGHT}={reward.weight:g}")
    return join_line(parts)


def _typed(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
