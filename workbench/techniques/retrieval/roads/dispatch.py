"""Takes the road of a question over documents, and falls back to one place where that road has nothing to go on."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Sequence

from workbench.api.events import Event
from workbench.records.messages import Message
from workbench.records.outcomes import Road
from workbench.records.recipes import Recipe
from workbench.records.roads import ROADS
from workbench.techniques.context import AnswerContext
from workbench.techniques.retrieval import grounded
from workbench.techniques.retrieval.grounded import Grounding
from workbench.techniques.retrieval.roads.registry import load
from workbench.techniques.retrieval.roads.route import choose_road

NOTHING_THERE = "{title}: there was nothing to go on here, so the answer was looked up at one place."


@dataclasses.dataclass(frozen=True)
class Way:
    """The road that a question has taken, with what it has found. Without a ``grounding`` the question is answered from
    the conversation alone. ``roads`` are the others that can be taken, the likeliest first."""

    road: Road
    grounding: Grounding | None
    roads: tuple[Road, ...] = ()


def take_road(conversation: Sequence[Message], recipe: Recipe, context: AnswerContext) -> Generator[Event, None, Way]:
    """Choose the road of the conversation's last message, and take it. Needs ``context.retriever``."""
    choice = yield from choose_road(conversation, recipe, context)
    if choice.road == "chat":
        return Way("chat", None, choice.roads)
    run = load(choice.road)
    grounding = (yield from run(conversation, recipe, context)) if run is not None else None
    if grounding is not None:
        return Way(choice.road, dataclasses.replace(grounding, road=choice.road), choice.roads)
    if recipe.retrieval is not None and recipe.retrieval.road != "automatic":
        yield from context.note(NOTHING_THERE.format(title=ROADS[choice.road].title))
    grounding = yield from grounded.run(conversation, recipe, context)
    left = tuple(road for road in choice.roads if road != "place")
    return Way("place", dataclasses.replace(grounding, road="place"), left)
