"""Several generations and scores that begin together, as steps of one answer."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import fields
from typing import Any

import pytest

from tests.fakes import FakeModelBackend, passage
from workbench.api import events
from workbench.api.answer_state import AnswerState
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, drain
from workbench.base import errors
from workbench.base.errors import UserError
from workbench.engine.inference_calls import Generated
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart
from workbench.techniques.agent_session import AgentSession
from workbench.techniques.context import AnswerContext, Ask, ScoreAsk
from workbench.techniques.services import Helpers

ASKED = (Message("user", "How?"),)


def context_of(model: FakeModelBackend, cancelled: RequestContext | None = None) -> AnswerContext:
    request = cancelled or RequestContext()
    return AnswerContext(
        model=model, retriever=None, cancelled=lambda: request.cancelled, decoding=DecodingPart(seed=7)
    )


def run(work: Generator[Event, None, Any]) -> tuple[Any, AnswerState]:
    state = AnswerState()
    return drain(work, state.apply), state


def asks(*titles: str) -> list[Ask]:
    return [Ask(messages=ASKED, title=title, input=title, parent="9") for title in titles]


def test_each_is_a_step_with_its_text_its_usage_and_a_seed_of_its_own() -> None:
    model = FakeModelBackend(["One more.", "Two of them."])
    made, state = run(context_of(model).generate_many(asks("a", "b")))
    assert [one.text for one in made] == ["One more.", "Two of them."]
    steps = state.trace().steps
    assert [(step.title, step.output, step.parent, step.state) for step in steps] == [
        ("a", "One more.", "9", "done"),
        ("b", "Two of them.", "9", "done"),
    ]
    assert state.usage is not None
    assert state.usage.new_tokens == 5
    assert [part.seed for part in model.decodings] == [7, 8]
    assert model.together == [2]
    assert state.text == ""  # what is generated together is not the answer's text


def test_who_watches_can_stop_the_others_one_by_one() -> None:
    model = FakeModelBackend(["A b c d e f g.", "Short.", "A b c d e f g h."])
    seen: list[str] = []

    def watch(place: int, generated: Generated) -> list[int]:
        seen.append(generated.text)
        return [2] if place == 1 else []

    made, state = run(context_of(model).generate_many(asks("a", "b", "c"), watch=watch))
    assert [one.finish for one in made] == ["eos", "eos", "cancelled"]
    assert seen[0] == "Short."
    assert made[2].text != "A b c d e f g h."
    assert made[2].text == state.trace().steps[2].output


def test_a_limit_stops_all_and_leaves_what_there_is() -> None:
    limit = RequestContext()
    model = FakeModelBackend(["A b c d e f g.", "Short."])
    made, _ = run(context_of(model).generate_many(asks("a", "b"), limit=limit, watch=lambda *_: limit.cancel() or ()))
    assert [one.finish for one in made] == ["cancelled", "eos"]


def test_a_cancelled_request_raises_and_so_does_a_failure() -> None:
    request = RequestContext()
    model = FakeModelBackend(["A b c.", "D e f."], cancelled=lambda: request.cancelled)
    stream = context_of(model, request).generate_many(asks("a", "b"))
    with pytest.raises(errors.Cancelled):
        drain(stream, lambda event: request.cancel() if isinstance(event, events.TextDelta) else None)
    with pytest.raises(UserError, match="too long"):
        run(context_of(FakeModelBackend(["A.", UserError("It is too long.")])).generate_many(asks("a", "b")))


def test_scores_are_steps_with_the_share_of_each_continuation() -> None:
    model = FakeModelBackend(scores=[(-1.0, -1.0), (-1.0, -50.0)])
    wanted = [ScoreAsk(messages=ASKED, continuations=(" yes", " no"), title=f"Judge {n}") for n in range(2)]
    scored, state = run(context_of(model).score_many(wanted, lambda scores: scores.probabilities()[0]))
    assert [one.probabilities()[0] for one in scored] == pytest.approx([0.5, 1.0])
    steps = state.trace().steps
    assert [(step.kind, step.output) for step in steps] == [
        ("score", "yes 50% · no 50%"),
        ("score", "yes 100% · no 0%"),
    ]
    assert [step.score for step in steps] == pytest.approx([0.5, 1.0])
    assert state.usage is not None
    assert state.usage.new_tokens == 4


def test_tools_are_shown_to_a_generation_and_a_limit_stops_it() -> None:
    tool = {"type": "function", "function": {"name": "look"}}
    model = FakeModelBackend(["One.", "Two.", "Three."])
    context = context_of(model)
    for limit in (None, RequestContext()):
        made, state = run(context.generate(ASKED, tools=(tool,), limit=limit))
        assert state.text == made.text
    assert model.tools == [(tool,), (tool,)]
    stopped = RequestContext()
    stopped.cancel()
    made, _ = run(context.generate(ASKED, limit=stopped))
    assert made.finish == "cancelled"
    run(context.generate_many([Ask(messages=ASKED, title="a", tools=(tool,))]))
    assert model.tools[-1] == (tool,)


def test_what_a_technique_may_use_stays_small_and_without_a_home_refuses() -> None:
    """A new service is a field of ``Helpers``, and none of the context that every technique gets."""
    assert len(fields(AnswerContext)) <= 10
    assert len(fields(AgentSession)) <= 11
    helpers = Helpers()
    refused: list[Callable[[], object]] = [
        lambda: helpers.similarities(["a"], ["b"]),
        lambda: helpers.matches("a", "a"),
        lambda: helpers.run_python("1", {}),
        lambda: helpers.examples("asked"),
        lambda: helpers.reward_model("taste"),
        lambda: helpers.page_picture(passage("A page."), 0),
    ]
    assert len(fields(Helpers)) == len(refused) + 3  # support, demonstrations and other collections refuse nothing
    for use in refused:
        with pytest.raises(UserError):
            use()
    assert helpers.demonstrations() == ()
    assert helpers.support("It is so.") is None
