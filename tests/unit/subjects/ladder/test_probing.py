"""How long answers of a recipe take, by a few of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from tests.fakes import FakeModelBackend, FakeServices
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import UserError
from workbench.records.answers import AskResult
from workbench.records.messages import Message, Usage
from workbench.records.recipes import Recipe
from workbench.subjects.answering.request import AnswerRequest
from workbench.subjects.ladder import probing
from workbench.subjects.ladder.estimates import Point
from workbench.subjects.ladder.probing import ASKED, LONG_S, PROBED, probe

QUESTIONS = [(Message(role="user", content=f"question {number}"),) for number in range(ASKED)]


class Machine:
    """Reads prompts one after the other, for so many seconds each by its own clock."""

    def __init__(self, seconds: float) -> None:
        self.now, self.asked = 0.0, list[str]()
        self._seconds, self._busy = seconds, threading.Lock()

    def answer(self, request: AnswerRequest, *others: object, **more: object) -> Iterator[Event]:
        (message,) = request.conversation
        with self._busy:
            self.asked.append(message.content)
            self.now += self._seconds
        usage = Usage(prompt_tokens=100, cached_tokens=30, new_tokens=4)
        yield finish(AskResult(answer="B", usage=usage))


def measured(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Point:
    monkeypatch.setattr(probing, "answer", machine.answer)
    monkeypatch.setattr(time, "monotonic", lambda: machine.now)
    return probe(Recipe(), QUESTIONS, FakeServices(FakeModelBackend()), RequestContext())


def test_an_answer_takes_its_share_where_prompts_are_read_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(0.25)
    found = measured(machine, monkeypatch)
    assert sorted(machine.asked) == sorted(one.content for (one,) in QUESTIONS)
    assert (found.answers, found.seconds) == (PROBED, 0.25)
    assert (found.read, found.cached, found.written) == (100, 30, 4)


def test_where_answers_are_slow_fewer_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(LONG_S + 1)
    found = measured(machine, monkeypatch)
    assert found.answers < PROBED
    assert len(machine.asked) == found.answers + 1  # one alone, which loads the model
    assert found.seconds == LONG_S + 1


def test_what_cannot_be_answered_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: AnswerRequest, *others: object, **more: object) -> Iterator[Event]:
        if request.conversation != QUESTIONS[0]:
            raise UserError("The documents are gone.")
        yield finish(AskResult(answer="B"))

    monkeypatch.setattr(probing, "answer", refuse)
    with pytest.raises(UserError, match="The documents are gone"):
        probe(Recipe(), QUESTIONS, FakeServices(FakeModelBackend()), RequestContext())
