"""Takes the road of a question over documents, and falls back to one place where that road has nothing to go on."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Sequence

from workbench.api.events import Event
from workbench.records.messages import Message
from workbench.records.outcomes import Road
from workbench.records.recipes import Recipe
from workbench.techniques.context import AnswerContext
from workbench.techniques.retrieval import grounded
from workbench.techniques.retrieval.grounded import Grounding
from workbench.techniques.retrieval.query_rewriting import needs_no_documents
from workbench.techniques.retrieval.roads.registry import load


@dataclasses.dataclass(frozen=True)
class Way:
    """The road that a question has taken, with what it has found. Without a ``grounding`` the question is answered from
    the conversation alone. ``roads`` are the others that can be taken, the likeliest first."""

    road: Road
    grounding: Grounding | None
    roads: tuple[Road, ...] = ()


def take_road(conversation: Sequence[Message], recipe: Recipe, context: AnswerContext) -> Generator[Event, None, Way]:
    """Choose the road of the conversation's last message, and take it. Needs ``context.retriever``."""
    asked = recipe.retrieval.road if recipe.retrieval is not None else "automatic"
    road: Road = "place" if asked == "automatic" else asked
    if asked == "automatic" and needs_no_documents(conversation[-1].content):
        road = "chat"
    if road == "chat":
        return Way(road, None)
    run = load(road)
    grounding = (yield from run(conversation, recipe, context)) if run is not None else None
    if grounding is None:
        road = "place"
        grounding = yield from grounded.run(conversation, recipe, context)
    return Way(road, dataclasses.replace(grounding, road=road))
