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
from workbench.techniques.retrieval.parts_search import asks_for_several
from workbench.techniques.retrieval.roads import places
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
    wanted = recipe.retrieval.road if recipe.retrieval is not None else "automatic"
    if choice.road == "place" and wanted == "automatic" and asks_for_several(conversation[-1].content):
        # the question says by its form that it needs more than one place, which the router was not sure of
        grounding = yield from places.run(conversation, recipe, context, steps=False)
        if grounding is not None:
            others: tuple[Road, ...] = ("place", *(road for road in choice.roads if road != "places"))
            return Way("places", dataclasses.replace(grounding, road="places"), others)
    run = load(choice.road)
    grounding = (yield from run(conversation, recipe, context)) if run is not None else None
    if grounding is not None:
        return Way(choice.road, dataclasses.replace(grounding, road=choice.road), choice.roads)
    if wanted != "automatic":
        yield from context.note(NOTHING_THERE.format(title=ROADS[choice.road].title))
    grounding = yield from grounded.run(conversation, recipe, context)
    left = tuple(road for road in choice.roads if road != "place")
    return Way("place", dataclasses.replace(grounding, road="place"), left)
