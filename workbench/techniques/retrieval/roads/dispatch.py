"""Takes the road of a question over documents, and falls back to one place where that road has nothing to go on.

Where one place or a table is likely and a table of the collection has an answer, that is shown which is more probably
right: the table's or the quoted sentences (``table_answers/preference.py``). Rather than nothing, and rather than
sentences that lack its name, the row is shown that the question calls by it; rather than nothing the one that has all
that is asked, this also rather than doubted sentences of several places, and what was computed rather than rows that do
not tell what has to be computed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Sequence

from workbench.api.events import Event
from workbench.records.messages import Message
from workbench.records.outcomes import Road
from workbench.records.recipes import Recipe
from workbench.records.roads import ROADS
from workbench.techniques.context import AnswerContext
from workbench.techniques.embedding_calls import TableReply
from workbench.techniques.retrieval import grounded
from workbench.techniques.retrieval.grounded import Grounding
from workbench.techniques.retrieval.parts_search import asks_for_several
from workbench.techniques.retrieval.roads import places
from workbench.techniques.retrieval.roads.registry import load
from workbench.techniques.retrieval.roads.route import Choice, choose_road
from workbench.techniques.retrieval.roads.understood import understand
from workbench.techniques.retrieval.table_answers import road as table
from workbench.techniques.retrieval.table_answers.preference import EVEN, is_preferred, preference

NOTHING_THERE = "{title}: there was nothing to go on here, so the answer was looked up at one place."

PREFERRED, KEPT = 0.5, 0.25
"""The least preference for a table's answer with which it is shown, and with which it is where the router has chosen
the road of the table."""


@dataclasses.dataclass(frozen=True)
class Way:
    """The road that a question has taken, with what it has found. Without a ``grounding`` the question is answered from
    the conversation alone. ``roads`` are the others that can be taken, the likeliest first."""

    road: Road
    grounding: Grounding | None
    roads: tuple[Road, ...] = ()


def take_road(conversation: Sequence[Message], recipe: Recipe, context: AnswerContext) -> Generator[Event, None, Way]:
    """Choose the road of the conversation's last message, and take it. Needs ``context.retriever``.

    A follow-up is written out as a question of its own before."""
    conversation, asks = yield from understand(conversation, context)
    choice = yield from choose_road(conversation, recipe, context, asks)
    if choice.road == "chat":
        return Way("chat", None, choice.roads)
    wanted = recipe.retrieval.road if recipe.retrieval is not None else "automatic"
    automatic = wanted == "automatic"
    reply = choice.table if automatic and choice.road in ("place", "places", "table") else None
    partial = reply is not None and reply.partial
    several = choice.road == "places" or (
        # the question says by its form that it needs more than one place, which the router was not sure of
        automatic and (choice.road == "place" or partial) and asks_for_several(asks or conversation[-1].content)
    )
    if several and not (reply is not None and _is_sure(reply, choice)):
        grounding = yield from places.run(conversation, recipe, context, steps=choice.road == "places")
        if grounding is not None:
            every = (choice.road, *choice.roads)
            others: tuple[Road, ...] = ("place", *(road for road in every if road not in ("place", "places")))
            if reply is not None and grounding.reasons and _has_all_parts(reply):
                at_table = yield from table.run(conversation, recipe, context)
                if at_table is not None:
                    return Way("table", dataclasses.replace(at_table, road="table"), others)
            return Way("places", dataclasses.replace(grounding, road="places"), others)
    if reply is not None:
        return (yield from _table_or_place(reply, choice, conversation, recipe, context))
    run = None if several else load(choice.road)
    grounding = (yield from run(conversation, recipe, context)) if run is not None else None
    if grounding is not None:
        return Way(choice.road, dataclasses.replace(grounding, road=choice.road), choice.roads)
    if not automatic:
        yield from context.note(NOTHING_THERE.format(title=ROADS[choice.road].title))
    grounding = yield from grounded.run(conversation, recipe, context)
    left = tuple(road for road in choice.roads if road != "place")
    return Way("place", dataclasses.replace(grounding, road="place"), left)


def _is_sure(reply: TableReply, choice: Choice) -> bool:
    """Whether a table's value is preferred to sentences of which nothing is known, as to those of several places."""
    known = not reply.empty and not reply.partial
    return known and preference(reply.sure, EVEN, choice.table_likelihood) > PREFERRED


def _has_all_parts(reply: TableReply) -> bool:
    """Whether one row of a table has all that is asked, which is rather shown than sentences that are doubted."""
    return reply.several and _is_likely(reply)


def _is_likely(reply: TableReply) -> bool:
    """Whether a table's answer is likely where the sentences and the router tell nothing: a question of several parts
    is for several places by its form."""
    return preference(reply.sure, EVEN, EVEN) > KEPT


def _table_or_place(
    reply: TableReply, choice: Choice, conversation: Sequence[Message], recipe: Recipe, context: AnswerContext
) -> Generator[Event, None, Way]:
    """Take the road of the table or that of one place, whichever has found what is more probably the answer."""
    others = tuple(road for road in choice.roads if road not in ("place", "table"))
    likelihood = EVEN if reply.empty else choice.table_likelihood
    least = KEPT if choice.road == "table" else PREFERRED
    preferred = is_preferred(reply.sure, likelihood, least)
    at_place: Grounding | None = None
    if not preferred:
        at_place = yield from grounded.run(conversation, recipe, context)
        if preferred is None:
            preferred = preference(reply.sure, at_place.strength, likelihood) > least
        lacking = at_place.declined or (reply.named and any(one.kind == "missing" for one in at_place.reasons))
        if lacking and (reply.named or reply.several) and not reply.empty:
            preferred = True  # the row that the question names is shown rather than nothing, or what lacks the name
        if reply.computed and any(one.kind == "table" for one in at_place.reasons) and _is_likely(reply):
            preferred = True  # what the rows come to, rather than the rows that do not tell it
    if preferred:
        grounding = yield from table.run(conversation, recipe, context)
        if grounding is not None:
            return Way("table", dataclasses.replace(grounding, road="table"), ("place", *others))
    if at_place is None:
        at_place = yield from grounded.run(conversation, recipe, context)
    return Way("place", dataclasses.replace(at_place, road="place"), ("table", *others))
