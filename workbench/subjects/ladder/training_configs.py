"""The training config of a rung that is trained."""

from __future__ import annotations

import math
from typing import Any

from workbench.base.errors import UserError
from workbench.records.reward_lines import join_line
from workbench.records.training import (
    DataPart,
    EvaluationPart,
    ObjectivePart,
    OptimiserPart,
    TrainingConfig,
    WeightsPart,
)
from workbench.subjects.ladder.rung import Pairs, Policy, Rung, Setting, Tuning

_EVALUATION = EvaluationPart(sample_answers=0, forgetting=False)
"""The ladder itself measures what was learnt."""
_TOKEN_CHARACTERS = 3
_LEAST_TOKENS = 8


def training_config(rung: Rung, setting: Setting, path: str, name: str, seed: int) -> TrainingConfig:
    """``path`` is the set of examples, ``name`` what the adapter is called. What is not set here is chosen by the
    program, by model and data. Raises UserError for a rung that is not trained."""
    optimiser, objective = OptimiserPart(seed=seed), ObjectivePart()
    match rung.preparation:
        case Tuning(method=method):
            pass
        case Pairs(objective=name_of, weights=method, options=settings):
            objective = ObjectivePart(name=name_of, options=settings)
        case Policy(objective=name_of, weights=method, steps=steps):
            options: dict[str, Any] = {
                "rewards": (reward_line(setting),),
                "max_new_tokens": max(_LEAST_TOKENS, math.ceil(setting.longest / _TOKEN_CHARACTERS) + 4),
            }
            objective, optimiser = (
                ObjectivePart(name=name_of, options=options),
                OptimiserPart(max_steps=steps, seed=seed),
            )
        case _:
            raise UserError(f"{rung.title} is not trained.")
    return TrainingConfig(
        model=setting.recipe.model.name,
        name=name,
        data=DataPart(path=path),
        weights=WeightsPart(method=method),
        objective=objective,
        optimiser=optimiser,
        evaluation=_EVALUATION,
    )


def reward_line(setting: Setting) -> str:
    """The reward that measures what the scorer measures, as a line. Raises UserError where there is none."""
    reward = setting.reward
    if reward is None:
        raise UserError("There is no reward that measures what the scorer measures.")
    return join_line([reward.name, *(f"{name}={value}" for name, value in reward.options.items())])
