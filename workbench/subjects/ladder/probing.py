"""How long answers of a recipe take here, measured on a few of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from workbench.api.protocol import RequestContext, drain, follow
from workbench.records.answers import AskResult
from workbench.records.messages import Message
from workbench.records.recipes import Recipe
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.evaluation.runs import TOGETHER
from workbench.subjects.ladder.estimates import Point

PROBED = TOGETHER


def probe(
    recipe: Recipe, asked: Sequence[tuple[Message, ...]], services: HomeServices, context: RequestContext
) -> Point:
    """The answers to all but the first of the questions, side by side; the first one loads the model, and is asked
    again where it is alone. Raises as an answer does."""
    first, *others = asked
    others = others or [first]
    made: list[AskResult] = []
    raised: list[Exception] = []

    def ask(conversation: tuple[Message, ...]) -> None:
        request = AnswerRequest(recipe=recipe, conversation=conversation)
        try:
            made.append(drain(follow(AskResult, answer(request, services, context, background=True))))
        except Exception as error:  # noqa: BLE001 - raised again on the caller's thread
            raised.append(error)

    ask(first)
    made.clear()
    began = time.monotonic()
    if not raised:
        threads = [threading.Thread(target=ask, args=(one,), name="probe", daemon=True) for one in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if raised:
        raise raised[0]
    count = len(made)
    return Point(
        sum(one.usage.prompt_tokens for one in made) / count,
        sum(one.usage.new_tokens for one in made) / count,
        (time.monotonic() - began) / count,
        count,
    )
