"""An answer from a collection's passages: search, pack, decline or generate, cite.

Retrieval-augmented generation: Lewis et al. 2020, "Retrieval-Augmented Generation for Knowledge-Intensive NLP
Tasks" (arXiv:2005.11401), with passages in the prompt as in Ram et al. 2023, "In-Context Retrieval-Augmented
Language Models" (arXiv:2302.00083).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from workbench.api import events
from workbench.api.calls import AskResult
from workbench.api.events import Event
from workbench.api.protocol import finish
from workbench.engine.protocol import Generated
from workbench.records.messages import Message, Passage
from workbench.records.recipes import Recipe, RetrievalPart
from workbench.techniques.context import AnswerContext
from workbench.techniques.retrieval.abstention import weigh_evidence
from workbench.techniques.retrieval.citations import CitationEditor, citations_of, cited
from workbench.techniques.retrieval.packing import pack
from workbench.techniques.retrieval.prompting import grounded_messages
from workbench.techniques.retrieval.query_rewriting import search_all, search_queries
from workbench.techniques.streaming import answered, edit, ending

CANDIDATES = 10  # passages looked at; fewer are shown
CLOSEST_NAMED = 3  # when a question is declined


def run(conversation: Sequence[Message], recipe: Recipe, context: AnswerContext) -> Iterator[Event]:
    """Answer the conversation's last message from the passages found for it.

    Streams Retrieved, then Thought, TextDelta and Log(notice). Ends in Finished with an ``AskResult``, or in Cancelled
    with the answer so far. Needs ``context.retriever``.
    """
    assert context.retriever is not None
    part = recipe.retrieval or RetrievalPart()
    question = conversation[-1].content.strip()
    queries = search_queries(conversation)
    hits = search_all(queries, context.retriever.search, CANDIDATES)
    shown = pack(hits, context.model, part, recipe.decoding)
    context.raise_if_cancelled()
    if part.decline and not weigh_evidence(queries[0], hits, context.retriever).suffices:
        yield from _decline(queries[0], hits)
        return
    yield events.Retrieved(query=queries[0], passages=tuple(shown))
    context.raise_if_cancelled()
    notices: list[str] = []
    messages = grounded_messages(shown, conversation, recipe.prompting.system, context.model)
    stream = context.model.generate(messages, recipe.decoding)
    verbatim = recipe.decoding.format != "text"
    step = context.step("generation", "Answer", writes_answer=True)
    edited = yield from edit(stream, lambda: CitationEditor(shown, question, verbatim=verbatim), step, notices=notices)
    generated = edited.generated
    result = AskResult(
        answer=generated.text,
        sequences=cited(generated, edited.editors),
        citations=citations_of(edited.editors[0], shown),
        query=queries[0],
        passages=tuple(shown),
        notices=tuple(notices),
    )
    yield ending(result, generated)


def _decline(query: str, hits: Sequence[Passage]) -> Iterator[Event]:
    """Say that the documents do not hold the answer, and what came closest."""
    closest = tuple(msgspec.structs.replace(hit, n=n) for n, hit in enumerate(hits[:CLOSEST_NAMED], start=1))
    yield events.Retrieved(query=query, passages=closest)
    text = declined_text(closest)
    yield events.TextDelta(text=text)
    yield finish(
        AskResult(
            answer=text,
            sequences=answered(Generated(text=text)),
            declined=True,
            query=query,
            passages=closest,
        )
    )


def declined_text(closest: Sequence[Passage]) -> str:
    """What a question is answered with that the documents do not answer."""
    if not closest:
        return "I could not find anything about this in these documents."
    titles = list(dict.fromkeys(f"{p.title or p.path}{f', page {p.page}' if p.page else ''}" for p in closest))
    return f"I could not find the answer to this in these documents. The closest I found: {'; '.join(titles)}."
