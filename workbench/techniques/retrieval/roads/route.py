"""Chooses the road of a request: by what a person or the recipe asks for, by rules, and by the classifier.

Whether a request is one for a table is decided with the tables of the collection: they say how sure their answer is.

What is unsure goes the way of one place, since each other road falls back to it and takes longer.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

import msgspec

from workbench.api.events import Event
from workbench.records.messages import Message
from workbench.records.outcomes import Road
from workbench.records.recipes import Recipe
from workbench.records.roads import ROADS
from workbench.techniques.context import AnswerContext
from workbench.techniques.retrieval.query_rewriting import needs_no_documents, search_queries
from workbench.techniques.retrieval.roads.classifier import LANGUAGES, likelihoods, with_tables
from workbench.techniques.retrieval.roads.cues import asks_on, is_of_conversation
from workbench.text.language import detect_question_language

SURE: dict[Road, float] = {
    "place": 0.0, "places": 0.6, "table": 0.4, "other": 0.5, "whole": 0.55, "compare": 0.5, "chat": 0.6,
}  # fmt: skip
"""The least likelihood with which a road is taken. Several places and tables fall back to one place by themselves;
whole documents take minutes, and nothing in the documents supports an answer from the conversation."""


ASKED = 0.02
"""The least likelihood of the road of a table with which the tables of the collection are asked for an answer."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The ``road`` of a request, and the others that can be taken in its place, the likeliest first."""

    road: Road
    roads: tuple[Road, ...] = ()


def choose_road(
    conversation: Sequence[Message], recipe: Recipe, context: AnswerContext
) -> Generator[Event, None, Choice]:
    """The road of the conversation's last message. Yields the step *route*, unless the answer has a form: then the
    question goes the way of one place. Needs ``context.retriever``."""
    assert context.retriever is not None
    text = conversation[-1].content.strip()
    wanted = recipe.retrieval.road if recipe.retrieval is not None else "automatic"
    others = bool(context.helpers.other_collections())
    small_talk = wanted == "automatic" and needs_no_documents(text)
    if wanted == "automatic" and context.decoding.format != "text" and not small_talk:
        return Choice(road="place")
    step = context.step("route", "Choose the road", text)
    yield step.started
    if small_talk:
        found: Mapping[Road, float] = {"chat": 1.0}
    else:
        question = context.retriever.embed_question(text)
        found = likelihoods(text, question.vector, question.embedder)
        if wanted == "automatic" and found["table"] >= ASKED:
            found = with_tables(found, _ask_tables(conversation, context))
    begun = any(one.role == "assistant" for one in conversation[:-1])
    road = decide(text, found, begun=begun, others=others) if wanted == "automatic" else wanted
    offered = sorted(ROADS, key=lambda one: -found.get(one, 0.0))
    roads = tuple(one for one in offered if one != road and (others or one != "other"))
    yield step.finished(_describe(road, roads, found, asked=wanted != "automatic"), score=found.get(road))
    return Choice(road=road, roads=roads)


def decide(text: str, found: Mapping[Road, float], *, begun: bool, others: bool) -> Road:
    """The road of a request by the likelihood of each. ``begun``: an answer was given before it; ``others``: there are
    other collections."""
    possible = {road: share for road, share in found.items() if others or road != "other"}
    road = max(possible, key=lambda one: possible[one])
    if road == "chat" and found[road] < 1 and (asks_on(text) or (not begun and not is_of_conversation(text))):
        road = "place"
    return road if found[road] >= SURE[road] else "place"


def _ask_tables(conversation: Sequence[Message], context: AnswerContext) -> float | None:
    """How probable it is that a query of the tables is what is asked for; None where no table has to do with it."""
    assert context.retriever is not None
    query = search_queries(conversation)[0]
    reply = context.retriever.ask_tables(query, detect_question_language(conversation[-1].content.strip(), LANGUAGES))
    return reply.sure if reply is not None else None


def _describe(road: Road, roads: Sequence[Road], found: Mapping[Road, float], *, asked: bool) -> str:
    title = ROADS[road].title
    said = f"{title}: asked for." if asked else f"{title}. {ROADS[road].summary}"
    next_ones = [f"{ROADS[one].title} {found[one]:.0%}" for one in roads if found.get(one, 0.0) >= 0.1]
    return f"{said}\nAlso possible: {', '.join(next_ones)}." if next_ones else said
