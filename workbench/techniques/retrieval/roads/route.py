"""Chooses the road of a request: by what a person or the recipe asks for, by rules, and by the classifier.

Whether a request is one for a table is decided with the tables of the collection: they say how sure their answer is. A
question for a cell that is empty is one too.

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
from workbench.techniques.embedding_calls import TableReply
from workbench.techniques.retrieval.query_rewriting import needs_no_documents
from workbench.techniques.retrieval.question_parts import split_question
from workbench.techniques.retrieval.roads.classifier import LANGUAGES, likelihoods, with_tables
from workbench.techniques.retrieval.roads.cues import asks_on, compares, is_of_conversation
from workbench.text.language import detect_question_language

SURE: dict[Road, float] = {
    "place": 0.0, "places": 0.5, "table": 0.35, "other": 0.35, "whole": 0.5, "compare": 0.4, "chat": 0.45,
}  # fmt: skip
"""The least likelihood with which a road is taken. Several places and tables fall back to one place by themselves;
whole documents take minutes, and nothing in the documents supports an answer from the conversation."""


ASKED = 0.02
"""The least likelihood of the road of a table with which the tables of the collection are asked for an answer."""
EMPTY_SURE = 0.6
"""The least probability with which a question means a cell that is empty, and takes the road of the table, which says
so: in benchmarks/offices each of 19 such questions has no answer anywhere."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The ``road`` of a request, and the others that can be taken in its place, the likeliest first. ``table`` is what
    the tables of the collection answer, where they were asked, and ``table_likelihood`` how likely their road is
    without them."""

    road: Road
    roads: tuple[Road, ...] = ()
    table: TableReply | None = None
    table_likelihood: float = 0.0


def choose_road(
    conversation: Sequence[Message], recipe: Recipe, context: AnswerContext, asks: str = ""
) -> Generator[Event, None, Choice]:
    """The road of the conversation's last message. Yields the step *route*, unless the answer has a form: then the
    question goes the way of one place. Needs ``context.retriever``. ``asks`` is the part of a
    follow-up that tells its road, which is not that of the conversation."""
    assert context.retriever is not None
    text = asks or conversation[-1].content.strip()
    wanted = recipe.retrieval.road if recipe.retrieval is not None else "automatic"
    others = bool(context.helpers.other_collections())
    small_talk = wanted == "automatic" and needs_no_documents(text)
    if wanted == "automatic" and context.decoding.format != "text" and not small_talk:
        return Choice(road="place")
    step = context.step("route", "Choose the route", text)
    yield step.started
    if small_talk:
        found: Mapping[Road, float] = {"chat": 1.0}
    else:
        question = context.retriever.embed_question(text)
        found = likelihoods(text, question.vector, question.embedder)
    begun = not asks and any(one.role == "assistant" for one in conversation[:-1])
    road = decide(text, found, begun=begun, others=others) if wanted == "automatic" else wanted
    reply, table_likelihood = None, found.get("table", 0.0)
    if wanted == "automatic" and (road in ("place", "places") or found.get("table", 0.0) >= ASKED):
        reply = _ask_tables(conversation, context, read=table_likelihood >= ASKED)
        if found.get("table", 0.0) >= ASKED:
            found = with_tables(found, reply.sure if reply is not None else None)
            road = decide(text, found, begun=begun, others=others)
        if road == "place" and reply is not None and reply.empty and reply.sure >= EMPTY_SURE:
            road = "table"
    offered = sorted(ROADS, key=lambda one: -found.get(one, 0.0))
    roads = tuple(one for one in offered if one != road and (others or one != "other"))
    said = _describe(road, roads, found, asked=wanted != "automatic")
    if reply is not None and road in ("place", "places", "table"):
        said += f"\nA table of the collection answers it with a probability of {reply.sure:.0%}."
    yield step.finished(said, score=found.get(road))
    return Choice(road=road, roads=roads, table=reply, table_likelihood=table_likelihood)


def decide(text: str, found: Mapping[Road, float], *, begun: bool, others: bool) -> Road:
    """The road of a request by the likelihood of each. ``begun``: an answer was given before it; ``others``: there are
    other collections."""
    possible = {road: share for road, share in found.items() if others or road != "other"}
    road = max(possible, key=lambda one: possible[one])
    if road == "chat" and found[road] < 1 and (asks_on(text) or (not begun and not is_of_conversation(text))):
        road = "place"
    if road == "compare" and len(split_question(text)) > 1 and not compares(text):
        return "places"  # "what did we aim at, and what did we get?"
    return road if found[road] >= SURE[road] else "place"


def _ask_tables(conversation: Sequence[Message], context: AnswerContext, *, read: bool) -> TableReply | None:
    """What the tables of the collection answer; None where none has to do with the question."""
    assert context.retriever is not None
    question = conversation[-1].content.strip()
    return context.retriever.ask_tables(question, detect_question_language(question, LANGUAGES), read=read)


def _describe(road: Road, roads: Sequence[Road], found: Mapping[Road, float], *, asked: bool) -> str:
    title = ROADS[road].title
    said = f"{title}: asked for." if asked else f"{title}. {ROADS[road].summary}"
    next_ones = [f"{ROADS[one].title} {found[one]:.0%}" for one in roads if found.get(one, 0.0) >= 0.1]
    return f"{said}\nAlso possible: {', '.join(next_ones)}." if next_ones else said
