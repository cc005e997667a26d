"""How long answers of a recipe take here now, measured on a few of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from workbench.api.protocol import RequestContext, drain, follow
from workbench.records.answers import AskResult
from workbench.records.messages import Message
from workbench.records.recipes import Recipe
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest, Services
from workbench.subjects.evaluation.runs import TOGETHER
from workbench.subjects.ladder.estimates import Point

PROBED = 2 * TOGETHER
"""Answers that count in a measurement."""
ASKED = TOGETHER + PROBED
"""Questions of a measurement: the answers to the first ones do not count. They load what the recipe needs, and compute
what all prompts begin with, in each of the places of the engine."""
LONG_S = 4.0
"""No question is asked later; those that were asked before are answered to their ends."""


def probe(recipe: Recipe, asked: Sequence[tuple[Message, ...]], services: Services, context: RequestContext) -> Point:
    """The answers to all but the first four questions (the first one, where it takes long), as many side by side as in
    a ladder. An answer takes its share of the time from the first question to the last answer: the engine reads prompts
    one after the other, so that of those that begin together the first one is answered long before the last one. Raises
    as an answer does."""

    def ask(conversation: tuple[Message, ...]) -> AskResult:
        request = AnswerRequest(recipe=recipe, conversation=conversation)
        return drain(follow(AskResult, answer(request, services, context, background=True)))

    def ask_all(questions: Sequence[tuple[Message, ...]]) -> list[AskResult]:
        waiting, lock, began = list(reversed(questions)), threading.Lock(), time.monotonic()
        made, raised = list[AskResult](), list[Exception]()

        def work() -> None:
            while not raised:
                with lock:
                    if not waiting or time.monotonic() - began > LONG_S:
                        return
                    conversation = waiting.pop()
                try:
                    made.append(ask(conversation))
                except Exception as error:  # noqa: BLE001 - raised again on the caller's thread
                    raised.append(error)

        threads = [threading.Thread(target=work, name="probe", daemon=True) for _ in range(TOGETHER)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if raised:
            raise raised[0]
        return made

    began = time.monotonic()
    ask(asked[0])
    slow = time.monotonic() - began > LONG_S
    if not slow:
        ask_all(asked[1:TOGETHER])
    counted = asked[1:] if slow else asked[TOGETHER:]
    began = time.monotonic()
    made = ask_all(counted[:PROBED] or asked)
    count = len(made)
    return Point(
        sum(one.usage.prompt_tokens for one in made) / count,
        sum(one.usage.new_tokens for one in made) / count,
        (time.monotonic() - began) / count,
        count,
        sum(one.usage.cached_tokens for one in made) / count,
    )
