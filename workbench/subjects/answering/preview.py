"""The prompt of an answer that is not made: shown to a person, or scored with continuations after it.

The method runs as ``workbench.subjects.answering.answer`` runs it, over a model that ends it at its first request.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.backends.backend import Loading, ModelBackend
from workbench.base.copying import shared
from workbench.base.errors import UserError
from workbench.engine.inference_calls import AssistantStart, Generate, Score, Scores
from workbench.records.answers import AskResult, PromptText
from workbench.records.capabilities import Capabilities, require
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart
from workbench.subjects.answering.answer import (
    check,
    context_for,
    resolve_specialists,
    retriever_for,
    run_method,
    with_engine,
)
from workbench.subjects.answering.request import AnswerRequest, Services
from workbench.techniques.agent_session import Specialist


def preview(request: AnswerRequest, services: Services, context: RequestContext) -> Iterator[Event]:
    """The prompt of the first generation that ``answer`` would make, which is not computed: what goes before it is.
    Streams as ``answer`` does; ends in ``Finished`` with a ``PromptText``. Raises what stops an answer."""
    with _prompt_reading(request, services, context) as reading:
        model, requests, answered = yield from reading
        shown = PromptText(text="", tokens=0, context_tokens=model.context_tokens, answer=answered)
        if requests:
            rendered = model.render(requests[0])
            shown = msgspec.structs.replace(shown, text=rendered.text, tokens=rendered.tokens, together=len(requests))
    yield finish(shown)


def score(
    request: AnswerRequest, continuations: Sequence[str], services: Services, context: RequestContext
) -> Iterator[Event]:
    """The log-probabilities of continuations after the prompt that ``preview`` shows, as background work. Streams as
    ``answer`` does; ends in ``Finished`` with ``Scores``. Raises what stops an answer, and UserError where nothing
    would be generated."""
    labels = all(len(one) == 1 for one in continuations)
    needs = Capabilities(labels=True) if labels else Capabilities(token_logprobs=True)
    with _prompt_reading(request, services, context, needs, background=True) as reading:
        model, requests, answered = yield from reading
        if not requests:
            raise UserError(f"Nothing is generated for this question: {answered}")
        asked = Score(continuations=tuple(continuations), **shared(requests[0], Score))
        (scores,) = model.score_many((asked,), context)
    yield finish(scores)


_PromptReading = Generator[Event, None, tuple[ModelBackend, Sequence[Generate], str]]


@contextmanager
def _prompt_reading(
    request: AnswerRequest,
    services: Services,
    context: RequestContext,
    needs: Capabilities | None = None,
    *,
    background: bool = False,
) -> Iterator[_PromptReading]:
    """Reads, and returns, what a method asks of the model first; without such a request the answer. The model is leased
    within the block."""
    resolved = services.resolve(request.recipe)
    check(request, resolved, services, sends=False)
    if needs is None:  # what would be sent is shown before anybody has allowed it
        resolved = msgspec.structs.replace(resolved, sends=False)
    else:
        resolved = services.declared(request, resolved)
        require(needs, services.capabilities(resolved), resolved.model.name)
    retriever = retriever_for(request, resolved, services, context)

    def reading(loading: Loading) -> _PromptReading:
        model = yield from loading
        recipe = with_engine(resolved.recipe, model)
        reader = _PromptReader(model)
        found = resolve_specialists(request.recipe, resolved, services)
        team = {name: Specialist(one.recipe, reader) for name, one in found.items()}
        answering = context_for(reader, retriever, recipe, request, resolved, services, context, None, team)
        try:
            for event in run_method(request, recipe, answering):
                if isinstance(event, events.Finished):
                    return model, (), msgspec.convert(event.result, AskResult).answer
        except _PromptRead as found:
            return model, found.requests, ""
        return model, (), ""

    with services.lease(resolved, context, background=background) as loading:
        yield reading(loading)


class _PromptRead(Exception):
    """What a method asks of the model first."""

    def __init__(self, requests: Sequence[Generate]) -> None:
        super().__init__("a prompt was read")
        self.requests = requests


class _PromptReader:
    """A model that generates nothing: it raises the first request."""

    def __init__(self, model: ModelBackend) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def generate(
        self,
        messages: Sequence[Message],
        decoding: DecodingPart,
        assistant_start: AssistantStart = "",
        tools: Sequence[dict[str, Any]] = (),
    ) -> Iterator[Event]:
        request = Generate(
            messages=tuple(messages), decoding=decoding, assistant_start=assistant_start, tools=tuple(tools)
        )
        raise _PromptRead((request,))

    def generate_many(self, requests: Sequence[Generate], context: RequestContext) -> Iterator[tuple[int, Event]]:
        raise _PromptRead(requests)

    def score_many(self, requests: Sequence[Score], context: RequestContext) -> list[Scores]:
        raise _PromptRead([Generate(**shared(one, Generate)) for one in requests])
