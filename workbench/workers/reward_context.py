"""The services that rewards use within a training: format checks and the sandbox of this process; reward models and
judges as the training has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.api.protocol import RequestContext
from workbench.errors import UserError
from workbench.records.messages import Message
from workbench.rewards.reward import ProgramResult, Sample
from workbench.techniques.decoding.formats import check_format
from workbench.techniques.tools.sandbox_host import Sandbox

if TYPE_CHECKING:
    from workbench.training.protocol import TrainModel
    from workbench.workers.reward_models import EngineRewardModels

ScoreSamples = Callable[[str, Sequence[Sample]], list[float]]
GradePrompts = Callable[[str, Sequence[Sequence[Message]], Sequence[str]], list[list[float]]]


class LocalRewardContext:
    """``rewards.RewardContext`` of this process. ``model_scores`` and ``grade_logprobs`` are None where the training
    has no reward model and no judge. ``close`` ends the sandbox. Thread-safe as far as those two are."""

    def __init__(
        self,
        context: RequestContext | None = None,
        *,
        sandbox: Sandbox | None = None,
        model_scores: ScoreSamples | None = None,
        grade_logprobs: GradePrompts | None = None,
    ) -> None:
        self._context = context or RequestContext()
        self._sandbox = sandbox or Sandbox()  # its process starts with the first program
        self._model_scores = model_scores
        self._grade_logprobs = grade_logprobs
        self._models: EngineRewardModels | None = None

    @classmethod
    def of_training(cls, call: TrainModel, context: RequestContext) -> LocalRewardContext:
        """That of a training: its reward models are computed by llama.cpp over the model that it trains."""
        from workbench.workers.reward_models import EngineRewardModels  # loads llama.cpp

        base = call.over.path if call.over is not None else call.model.path
        models = EngineRewardModels(Path(base), call.reward_models, context, threads=call.threads)
        made = cls(context, model_scores=models.scores)
        made._models = models
        return made

    def find_problem(self, format: str, grammar: str, text: str) -> str:
        return find_problem(format, grammar, text)

    def run_program(self, code: str) -> ProgramResult:
        result = self._sandbox.run(code, {}, self._context)
        return ProgramResult(printed=result.printed, error=result.error)

    def model_scores(self, adapter: str, samples: Sequence[Sample]) -> list[float]:
        if self._model_scores is None:
            raise UserError("A reward model cannot score here.", "Choose a reward that is checked by a rule.")
        return self._model_scores(adapter, samples)

    def grade_logprobs(
        self, recipe: str, prompts: Sequence[Sequence[Message]], continuations: Sequence[str]
    ) -> list[list[float]]:
        if self._grade_logprobs is None:
            raise UserError("A judge cannot grade here.", "Choose a reward that is checked by a rule.")
        return self._grade_logprobs(recipe, prompts, continuations)

    def close(self) -> None:
        self._sandbox.close()
        if self._models is not None:
            self._models.close()


def find_problem(format: str, grammar: str, text: str) -> str:
    """``RewardContext.find_problem``. Raises UserError for a format that is wrong itself."""
    check = check_format(format, grammar, text)
    if check.problem:
        raise UserError(check.problem)
    return check.text_problem
