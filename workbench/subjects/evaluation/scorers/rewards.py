"""Scorers that are rewards: of a reward model, and the weighted sum that a policy is trained with."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from workbench.base.fields import about
from workbench.records.evaluation import Score
from workbench.records.methods import Method, Methods
from workbench.rewards.methods import METHODS
from workbench.rewards.models import JudgeGrade, RewardModelUse, reward_model
from workbench.rewards.spec import checked_line, weighted_sum
from workbench.subjects.evaluation.scorers.scorer import COMPARES_TEXTS, Scorable, ScorerContext, sample_of


class RewardLines(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rewards of a sum."""

    rewards: Annotated[
        tuple[str, ...],
        about("Rewards"),
        "Each line is a reward: its name, its settings and its weight, such as letter-share letters=e weight=2.",
    ] = ()


def model_score(cell: Scorable, options: RewardModelUse, context: ScorerContext) -> Score:
    """The reward model's score of the answer."""
    return reward_model((sample_of(cell),), options, context)[0]


def weighted(cell: Scorable, options: RewardLines, context: ScorerContext) -> Score:
    """The weighted sum of the rewards, with the parts as its note."""
    rewards = weighted_sum(options.rewards, Methods(METHODS))
    [found] = rewards.score((sample_of(cell),), context)
    note = ", ".join(f"{title}: {value:.2f}" for title, value in found.parts.items())
    return Score(found.value, note if len(found.parts) > 1 else "")


def models_asked(options: Any, methods: Methods[Method]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the reward models, and of the judge recipes ("" for the default recipe), that a scorer with these
    options asks. Raises UserError for rewards that cannot be read."""
    parts = [options]
    if isinstance(options, RewardLines):
        parts = [part.options for part in weighted_sum(options.rewards, methods).parts]
    adapters = [one.adapter for one in parts if isinstance(one, RewardModelUse)]
    recipes = [one.recipe for one in parts if isinstance(one, JudgeGrade)]
    return tuple(dict.fromkeys(adapters)), tuple(dict.fromkeys(recipes))


def compares_texts(method: Method, options: Any) -> bool:
    """Whether a scorer with these options, or a reward of it, compares by the rules of ``workbench.text.metrics``."""
    if COMPARES_TEXTS in method.traits:
        return True
    return any(COMPARES_TEXTS in row.traits for row in _rewards_of(options))


def only_reads_texts(method: Method, options: Any) -> bool:
    """Whether a scorer that compares texts asks for nothing: no model, no grammar, no sandbox."""
    return COMPARES_TEXTS in method.traits or all("text alone" in row.traits for row in _rewards_of(options))


def _rewards_of(options: Any) -> tuple[Method, ...]:
    if not isinstance(options, RewardLines):
        return ()
    rows = Methods(METHODS)
    return tuple(rows.find(checked_line(line, rows).name, "reward") for line in options.rewards if line.strip())
