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
from workbench.engine.inference_calls import Generated
from workbench.records.messages import Message, Passage
from workbench.records.recipes import Recipe, RetrievalPart
from workbench.techniques.context import AnswerContext, Step
from workbench.techniques.retrieval.abstention import Evidence, weigh_evidence
from workbench.techniques.retrieval.citations import CitationEditor, citations_of, cited
from workbench.techniques.retrieval.packing import pack
from workbench.techniques.retrieval.prompting import grounded_messages
from workbench.techniques.retrieval.query_rewriting import search_all, search_queries
from workbench.techniques.streaming import answered, edit, ending

CANDIDATES = 10  # passages looked at; fewer are shown
CLOSEST_NAMED = 3  # when a question is declined


def run(conversation: Sequence[Message], recipe: Recipe, context: AnswerContext) -> Iterator[Event]:
    """Answer the conversation's last message from the passages found for it.

    Streams the steps rewrite (of a follow-up), search, check and generation, with Retrieved, Thought, TextDelta and
    Log(notice). Ends in Finished with an ``AskResult``, or in Cancelled with the answer so far. Needs
    ``context.retriever``.
    """
    assert context.retriever is not None
    part = recipe.retrieval or RetrievalPart()
    question = conversation[-1].content.strip()
    queries = search_queries(conversation)
    if len(queries) > 1:
        rewrite = context.step("rewrite", "Complete the follow-up question", question)
        yield rewrite.started
        yield rewrite.finished(queries[0])
    search = context.step("search", "Search the documents", "\n".join(queries))
    yield search.started
    hits = search_all(queries, context.retriever.search, CANDIDATES)
    shown = pack(hits, context.model, part, recipe.decoding)
    yield search.finished(f"{len(hits)} passages found, {len(shown)} of them shown to the model")
    context.raise_if_cancelled()
    if part.decline:
        check = context.step("check", "Check that the passages answer the question", queries[0])
        yield check.started
        evidence = weigh_evidence(queries[0], hits, context.retriever)
        yield check.finished(describe_evidence(evidence), score=evidence.strength)
        if not evidence.suffices:
            yield from _decline(queries[0], hits, search)
            return
    yield events.Retrieved(query=queries[0], passages=tuple(shown), step=search.id)
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


def describe_evidence(evidence: Evidence) -> str:
    """The result of the check, with the sentence that decided it."""
    verdict = "Sufficient" if evidence.suffices else "Not sufficient"
    said = f"{verdict}: evidence {evidence.strength:.2f}, at least {evidence.needed:.2f} is needed."
    return f"{said}\n{evidence.sentence}".strip()


def _decline(query: str, hits: Sequence[Passage], search: Step) -> Iterator[Event]:
    """Say that the documents do not hold the answer, and what came closest."""
    closest = tuple(msgspec.structs.replace(hit, n=n) for n, hit in enumerate(hits[:CLOSEST_NAMED], start=1))
    yield events.Retrieved(query=query, passages=closest, step=search.id)
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
