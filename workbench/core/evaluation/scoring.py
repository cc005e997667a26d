"""The services that scorers use: probabilities by the home's models, similarities by its embedder, format checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.answering import AnswerRequest, Services
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, drain, follow
from workbench.engine.inference_calls import Scored, Scores
from workbench.errors import UserError
from workbench.prompt_preview import score
from workbench.records.messages import Message
from workbench.records.recipes import Recipe


class HomeScorerContext:
    """``scorers.ScorerContext`` of a home. ``report`` hears how a model is loaded."""

    def __init__(self, services: Services, context: RequestContext, report: Callable[[Event], None]) -> None:
        self._services = services
        self._context = context
        self._report = report

    def score(self, recipe: Recipe, conversation: Sequence[Message], continuations: Sequence[str]) -> list[Scored]:
        request = AnswerRequest(recipe=recipe, conversation=tuple(conversation))
        stream = score(request, continuations, self._services, self._context)
        return list(drain(follow(Scores, stream), self._report).values)

    def similarities(self, text: str, others: Sequence[str]) -> list[float]:
        (found,) = self._services.similarities((text,), others, self._context)
        return list(found)

    def find_problem(self, format: str, grammar: str, text: str) -> str:
        from workbench.techniques.decoding.formats import check_format  # loads the grammars' library

        check = check_format(format, grammar, text)
        if check.problem:
            raise UserError(check.problem)
        return check.text_problem
