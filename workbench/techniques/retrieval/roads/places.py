"""The road of several places: an answer that is put together from sentences of more than one place.

What is searched for and which sentences answer is in ``parts_search``. The answer is *found* only where each part of
the question is; a part that is not answered is named among the reasons. Where no part is, the question goes the way of
one place.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.base.counting import counted
from workbench.records.messages import Message, Passage
from workbench.records.recipes import Recipe, RetrievalPart
from workbench.techniques.context import AnswerContext
from workbench.techniques.retrieval.grounded import Grounding, pack, passages_for
from workbench.techniques.retrieval.parts_search import Gathered, gather
from workbench.techniques.retrieval.prompting import grounded_messages
from workbench.techniques.retrieval.quoting import Quotes, quote_all, resolve_mode


def run(
    conversation: Sequence[Message], recipe: Recipe, context: AnswerContext, *, steps: bool = True
) -> Generator[Event, None, Grounding | None]:
    """Search for the parts of the question, and quote what answers them; or give the model the passages of all parts.

    Yields the step search, and Retrieved. None for an empty collection, a form other than text, and where nothing
    answers any part. ``steps`` is as in ``gather``.
    """
    assert context.retriever is not None
    collection = context.retriever.collection
    if not collection.documents or context.decoding.format != "text":
        return None
    part = recipe.retrieval or RetrievalPart()
    question = conversation[-1].content.strip()
    search = context.step("search", "Search several places", question)
    yield search.started
    gathered = gather(question, context.retriever, context.raise_if_cancelled, steps=steps)
    if gathered is None:
        yield search.finished("No part of the question is answered.")
        return None
    places = len({(one.passage.document, one.passage.start) for one in gathered.sentences})
    said = f"{counted(len(gathered.sentences), 'sentence')} from {counted(places, 'place')}"
    yield search.finished("\n".join((said, *gathered.queries)))
    if collection.unfinished:
        yield from context.note(f"Not everything in {collection.name} is read yet: the answer is based on a part.")
    mode = resolve_mode(part, question, context.model, context.decoding.n, context.exam)
    all_parts = msgspec.structs.replace(part, passages=max(places, passages_for(context.model, part)))
    shown = () if mode == "quoted" else tuple(pack(_passages(gathered), context.model, all_parts, context.decoding))
    quotes = _quotes(gathered, shown) if mode != "own-words" else None
    if quotes is not None:
        shown = quotes.passages
    yield events.Retrieved(query=question, passages=shown, step=search.id)
    return Grounding(
        question,
        shown,
        question,
        grounded_messages(shown, conversation, recipe.prompting, context.model),
        quotes=quotes,
        own_words=mode != "quoted",
        sentences=gathered.sentences,
        reasons=gathered.reasons,
    )


def _quotes(gathered: Gathered, shown: Sequence[Passage]) -> Quotes | None:
    if gathered.calculation is not None:
        return gathered.calculation.quoted(shown)
    return quote_all(gathered.sentences, shown)


def _passages(gathered: Gathered) -> list[Passage]:
    """The passages of the sentences that answer, then the other hits; each once."""
    found = [*(one.passage for one in gathered.sentences), *gathered.hits]
    return list({(one.document, one.start): msgspec.structs.replace(one, n=0) for one in reversed(found)}.values())[
        ::-1
    ]
