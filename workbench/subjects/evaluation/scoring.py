"""The services that scorers use: probabilities by the home's models, similarities by its embedder, format checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.api.events import Event
from workbench.api.protocol import RequestContext, drain, follow
from workbench.engine.inference_calls import Scored, Scores
from workbench.records.messages import Message
from workbench.records.origins import Origins, joined
from workbench.records.recipes import Recipe
from workbench.rewards.reward import ProgramResult, Sample
from workbench.subjects.answering.preview import score
from workbench.subjects.answering.request import AnswerRequest
from workbench.subjects.answering.resolver import HomeServices


class HomeScorerContext:
    """``scorers.ScorerContext`` of a home. ``report`` hears how a model is loaded, ``origins`` is what the texts that
    are scored were made from."""

    def __init__(
        self,
        services: HomeServices,
        context: RequestContext,
        report: Callable[[Event], None],
        origins: Origins = None,
    ) -> None:
        self._services = services
        self._context = context
        self._report = report
        self._origins = origins

    def made_from(self, *origins: Origins) -> HomeScorerContext:
        """The same for texts that were made from other sources."""
        return HomeScorerContext(self._services, self._context, self._report, joined(*origins))

    def score(self, recipe: Recipe, conversation: Sequence[Message], continuations: Sequence[str]) -> list[Scored]:
        request = AnswerRequest(recipe=recipe, conversation=tuple(conversation), origins=self._origins)
        stream = score(request, continuations, self._services, self._context)
        return list(drain(follow(Scores, stream), self._report).values)

    def similarities(self, text: str, others: Sequence[str]) -> list[float]:
        (found,) = self._services.similarities((text,), others, self._context)
        return list(found)

    def find_problem(self, format: str, grammar: str, text: str) -> str:
        from workbench.techniques.decoding.formats import find_problem

        return find_problem(format, grammar, text)

    def run_program(self, code: str) -> ProgramResult:
        return self._services.run_program(code, self._context)

    def model_scores(self, adapter: str, samples: Sequence[Sample]) -> list[float]:
        return self._services.reward_scores(adapter, samples, self._context, self._report)

    def grade_logprobs(
        self, recipe: str, prompts: Sequence[Sequence[Message]], continuations: Sequence[str]
    ) -> list[list[float]]:
        judge = self._services.recipe(recipe) if recipe else Recipe()
        return [[one.logprob for one in self.score(judge, prompt, continuations)] for prompt in prompts]
