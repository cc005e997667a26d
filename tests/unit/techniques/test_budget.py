"""A budget of thoughts, tokens and seconds is never exceeded."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence

import pytest

from tests.fakes import FakeModelBackend
from tests.unit.prompting.strategies import obedient
from workbench.api.events import Cancelled, Event, TextDelta
from workbench.api.protocol import RequestContext, drain, finish
from workbench.engine.inference_calls import Generate, Generated
from workbench.records.messages import Message, Usage
from workbench.records.recipes import DecodingPart
from workbench.techniques.budget import Budget, Budgeted, Exhausted
from workbench.techniques.context import AnswerContext, Ask, ScoreAsk

ASKED = (Message("user", "How?"),)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def context_of(model: FakeModelBackend) -> AnswerContext:
    return AnswerContext(model=model, retriever=None, cancelled=lambda: False, decoding=DecodingPart(max_tokens=200))


def asks(count: int, tokens: int = 200) -> list[Ask]:
    part = DecodingPart(max_tokens=tokens)
    return [Ask(messages=ASKED, title="Thought", decoding=part) for _ in range(count)]


def test_nothing_is_exceeded_whatever_is_asked_for() -> None:
    rng = random.Random(3)
    for _ in range(200):
        model = FakeModelBackend(obedient(lambda *_: "word " * rng.choice((1, 5, 50, 500))))
        options = Budgeted(max_nodes=rng.randint(1, 30), max_tokens_total=rng.randint(16, 600))
        budget = Budget(options, context_of(model))
        used = 0
        ended = False
        while not ended:
            try:
                if rng.random() < 0.3:
                    score = ScoreAsk(messages=ASKED, continuations=("a b c", "d"), title="Judge")
                    scored = drain(budget.score([score] * rng.randint(1, 8), lambda _: 0.0))
                    used += sum(one.usage.new_tokens for one in scored)
                else:
                    wanted = asks(rng.randint(1, 8), rng.choice((1, 20, 200)))
                    made = drain(budget.generate(wanted, reserve=rng.choice((0, 0, 8))))
                    used += sum(one.usage.new_tokens for one in made)
                    assert 1 <= len(made) <= len(wanted)
            except Exhausted:
                ended = True
        assert used == budget.tokens <= options.max_tokens_total
        assert budget.nodes <= options.max_nodes
        assert sum(model.together) == budget.nodes


def test_the_time_that_is_up_begins_nothing() -> None:
    clock = Clock()
    model = FakeModelBackend(["One."])
    budget = Budget(Budgeted(seconds=10), context_of(model), clock)
    clock.now = 9.9
    assert [one.text for one in drain(budget.generate(asks(1)))] == ["One."]
    clock.now = 10.1
    for work in (budget.generate(asks(1)), budget.score([ScoreAsk(continuations=("a",), title="x")], lambda _: 0.0)):
        with pytest.raises(Exhausted, match="seconds"):
            drain(work)
    assert budget.describe("seconds").startswith("The budget of 10 seconds")


class Endless(FakeModelBackend):
    """Generates until it is stopped."""

    def generate_many(self, requests: Sequence[Generate], context: RequestContext) -> Iterator[tuple[int, Event]]:
        stopped = threading.Event()
        context.when_cancelled(stopped.set)
        yield 0, TextDelta(text="and so ")
        assert stopped.wait(20)
        told = finish(Generated(text="and so ", finish="cancelled", usage=Usage(new_tokens=2)))
        yield 0, Cancelled(result=told.result)


def test_what_runs_when_the_time_is_up_is_stopped() -> None:
    clock = Clock()
    budget = Budget(Budgeted(seconds=1), context_of(Endless()), clock)
    clock.now = 0.95
    (made,) = drain(budget.generate(asks(1)))
    assert (made.text, made.finish, budget.tokens) == ("and so ", "cancelled", 2)


def test_what_is_reserved_for_the_answer_is_left_for_it_alone() -> None:
    clock = Clock()
    model = FakeModelBackend(obedient(lambda *_: "word " * 500))
    budget = Budget(
        Budgeted(max_tokens_total=100, seconds=10), context_of(model), clock, answer_tokens=30, answer_seconds=4.0
    )
    drain(budget.generate(asks(1), counts=False))
    assert budget.tokens == 70
    with pytest.raises(Exhausted):
        drain(budget.generate(asks(1), counts=False))
    with pytest.raises(Exhausted):
        drain(budget.score([ScoreAsk(messages=ASKED, continuations=("a",), title="Judge")], lambda _: 0.0))
    clock.now = 6.5  # what is left is the answer's
    made = drain(budget.write(ASKED))
    assert len(made.text.split()) == 30
    assert budget.tokens == 100
    with pytest.raises(Exhausted):
        drain(budget.write(ASKED))


def test_an_answer_that_the_clock_stops_is_no_cancelled_one() -> None:
    clock = Clock()
    budget = Budget(Budgeted(seconds=1), context_of(Endless()), clock)
    clock.now = 0.95
    made = drain(budget.write(ASKED))
    assert made.finish == "length"
    assert made.sequences[0].finish == "length"
