"""The road of other collections: each is searched, and the one that answers best is quoted.

Nothing of them is shown to the model, since the recipe names the documents that it may see.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.records.messages import Message, Passage
from workbench.records.recipes import Recipe
from workbench.techniques.context import AnswerContext
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.retrieval.abstention import Evidence, measure_evidence
from workbench.techniques.retrieval.grounded import CLOSEST_NAMED, Grounding, describe_evidence, listed
from workbench.techniques.retrieval.quoting import quote
from workbench.techniques.retrieval.roads.cues import fold
from workbench.techniques.retrieval.roads.understood import question_of
from workbench.techniques.retrieval.sentence_features import HITS_SEARCHED

MOST_COLLECTIONS = 12
"""So many are searched, those with the most documents."""


def run(
    conversation: Sequence[Message], recipe: Recipe, context: AnswerContext
) -> Generator[Event, None, Grounding | None]:
    """Quote the answer from another collection, or say in which ones it is not; None where there are none.

    A request that only names the place ("look in my mails") repeats the question before it.
    """
    request = conversation[-1].content.strip()
    others = _named(request, context.helpers.other_collections())
    if not others:
        return None
    asked = list(conversation)
    earlier = [n for n, one in enumerate(conversation[:-1]) if one.role == "user"]
    if earlier and (recipe.retrieval is None or recipe.retrieval.road == "automatic"):
        asked = asked[: earlier[-1] + 1]
    question = question_of(asked, others[0]).question
    best: tuple[Evidence, Retriever] | None = None
    closest: list[Passage] = []
    for retriever in others:
        context.raise_if_cancelled()
        step = context.step("search", f"Search {retriever.collection.name}", question)
        yield step.started
        hits = retriever.search(question, HITS_SEARCHED).hits
        evidence = measure_evidence(question, hits, retriever)
        yield step.finished(describe_evidence(evidence), score=evidence.strength)
        closest += hits[:1]
        if evidence.suffices and (best is None or evidence.strength > best[0].strength):
            best = evidence, retriever
    quotes = quote(best[0].sentences, ()) if best is not None else None
    if best is None or quotes is None:
        nearest = sorted(closest, key=lambda one: -(one.similarity or 0.0))[:CLOSEST_NAMED]
        shown = tuple(msgspec.structs.replace(one, n=n) for n, one in enumerate(nearest, 1))
        yield events.Retrieved(query=question, passages=shown)
        return Grounding(question, shown, request, declined=_not_there(others, shown))
    yield events.Retrieved(query=question, passages=quotes.passages)
    yield from context.note(f"This is from {best[1].collection.name}, another collection than that of this chat.")
    return Grounding(
        question,
        quotes.passages,
        question,
        quotes=quotes,
        own_words=False,
        sentences=best[0].sentences,
        reasons=best[0].reasons,
    )


def _named(request: str, others: Sequence[Retriever]) -> list[Retriever]:
    """The collections that a request names, else all, the largest first."""
    folded = f" {fold(request)} "
    named = [one for one in others if f" {fold(one.collection.name)} " in folded]
    return sorted(named or others, key=lambda one: -one.collection.documents)[:MOST_COLLECTIONS]


def _not_there(others: Sequence[Retriever], closest: Sequence[Passage]) -> str:
    names = listed([f"{one.collection.name} ({one.collection.documents:,})" for one in others])
    said = f"I could not find the answer to this in the other collections either: {names}."
    titles = list(dict.fromkeys(one.title or one.path for one in closest))
    return f"{said} The closest I found: {'; '.join(titles)}." if titles else said
