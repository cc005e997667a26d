"""The reward models and judges of a training, by its call."""

from __future__ import annotations

from pathlib import Path

from workbench.api.protocol import RequestContext
from workbench.training.protocol import TrainModel
from workbench.workers.reward_context import LocalRewardContext
from workbench.workers.reward_judges import EngineJudges
from workbench.workers.reward_models import EngineRewardModels


def rewards_of_training(call: TrainModel, context: RequestContext) -> LocalRewardContext:
    """Reward models are computed over the model that is trained, judges over their own."""
    base = call.over.path if call.over is not None else call.model.path
    longest = call.config.data.max_length
    models = EngineRewardModels(Path(base), call.reward_models, context, longest=longest, threads=call.threads)
    judges = EngineJudges(call.judges, context, threads=call.threads)

    def close() -> None:
        models.close()
        judges.close()

    return LocalRewardContext(context, model_scores=models.scores, grade_logprobs=judges.grade_logprobs, close=close)
