"""The services that rewards use within a training: format checks and the sandbox of this process; reward models and
judges as the training has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.records.messages import Message
from workbench.rewards.reward import ProgramResult, Sample
from workbench.techniques.decoding.formats import find_problem
from workbench.techniques.tools.sandbox_host import Sandbox

ScoreSamples = Callable[[str, Sequence[Sample]], list[float]]
GradePrompts = Callable[[str, Sequence[Sequence[Message]], Sequence[str]], list[list[float]]]


class LocalRewardContext:
    """``rewards.RewardContext`` of this process. ``model_scores`` and ``grade_logprobs`` are None where the training
    has no reward model and no judge; the argument ``close`` frees what they hold. Thread-safe as far as they are."""

    def __init__(
        self,
        context: RequestContext | None = None,
        *,
        sandbox: Sandbox | None = None,
        model_scores: ScoreSamples | None = None,
        grade_logprobs: GradePrompts | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._context = context or RequestContext()
        self._sandbox = sandbox or Sandbox()  # its process starts with the first program
        self._model_scores = model_scores
        self._grade_logprobs = grade_logprobs
        self._close = close

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
        self._close()
