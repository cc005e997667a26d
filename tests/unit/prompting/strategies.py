"""What tests of the prompting techniques share: a recipe's technique run on a fake model, and a model that obeys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from tests.fakes import FakeModelBackend, FakeRetriever, FakeServices, Reply
from workbench.api import events
from workbench.api.answer_state import AnswerState
from workbench.api.protocol import RequestContext, error_of
from workbench.records.answers import AskResult
from workbench.records.demonstrations import Demonstration
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart, PromptingPart, Recipe, RetrievalPart
from workbench.records.trace import StepEdit, TraceStep
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest

QUESTION = "A pen costs 3 and a book 5 more. What do both cost?"


def ask(
    technique: str,
    model: FakeModelBackend,
    *,
    question: str = QUESTION,
    decoding: DecodingPart | None = None,
    retriever: FakeRetriever | None = None,
    earlier: Sequence[TraceStep] = (),
    edit: StepEdit | None = None,
    demonstrations: Sequence[Demonstration] = (),
    **options: Any,
) -> AskResult:
    """The answer of a technique with these options. Raises what the answer fails with."""
    recipe = Recipe(
        prompting=PromptingPart(technique=technique, options=options),
        decoding=decoding or DecodingPart(),
        retrieval=None if retriever is None else RetrievalPart(collection="papers", decline=False),
    )
    request = AnswerRequest(recipe=recipe, conversation=(Message("user", question),), earlier=tuple(earlier), edit=edit)
    services = FakeServices(model, retriever)
    services.saved_demonstrations = demonstrations
    seen = list(answer(request, services, RequestContext()))
    last = seen[-1]
    if isinstance(last, events.Failed):
        raise error_of(last)
    assert isinstance(last, events.Finished)
    result = msgspec.convert(last.result, AskResult)
    state = AnswerState.of(seen)
    # what streams leads to what is stored
    assert " ".join(state.thought.split()) == " ".join(result.sequences[0].thought.split())
    assert state.text == result.answer
    return result


def obedient(reply: Callable[[Sequence[Message], DecodingPart, str], str]) -> Callable[..., Reply]:
    """Replies of at most ``max_tokens`` words, as a real model gives."""

    def cut(messages: Sequence[Message], decoding: DecodingPart, start: str) -> Reply:
        return " ".join(reply(messages, decoding, start).split()[: decoding.max_tokens])

    return cut


def steps_of(result: AskResult, kind: str = "") -> list[TraceStep]:
    assert result.trace is not None
    return [step for step in result.trace.steps if not kind or step.kind == kind]
