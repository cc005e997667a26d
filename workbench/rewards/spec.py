"""The rewards that lines name (``records/reward_lines.py``), as one weighted sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.base.errors import UserError
from workbench.records.methods import Method, Methods
from workbench.records.reward_lines import RewardLine, read_line
from workbench.rewards.models import JudgeGrade, RewardModelUse
from workbench.rewards.reward import WeightedPart, WeightedSum


def checked_line(line: str, methods: Methods[Method]) -> RewardLine:
    """Raises UserError that names the line and what is wrong with it, or with its settings together."""
    read = read_line(line, methods)
    if reason := problem_of_settings(methods.find(read.name, "reward").decode(read.options)):
        raise UserError(reason, f"Correct the reward {line!r}.")
    return read


def problem_of_settings(options: Any) -> str:
    """Why the settings of a reward are of no use, where their type can tell; else ""."""
    return str(options.problem()) if hasattr(options, "problem") else ""


def weighted_sum(lines: Sequence[str], methods: Methods[Method]) -> WeightedSum:
    """The sum of the rewards of these lines; empty ones are skipped. Raises UserError for none."""
    read = [checked_line(line, methods) for line in lines if line.strip()]
    if not read:
        names = ", ".join(row.name for row in methods.of("reward"))
        raise UserError("No reward is chosen: add at least one.", f"There are: {names}.")
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
