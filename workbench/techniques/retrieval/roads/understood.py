"""How a follow-up is understood: the question that is looked up in its place, shown as the step *rewrite* and beside
the answer.

A request about the conversation ("shorter", "in German") stays as it is, and so does one for another collection ("and
in the letters?"), since their roads read them with the conversation. Where a follow-up may be a question of its own as
well ("what does the lunch cost?"), both are looked up, and the one with the better evidence is kept.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import NamedTuple

from workbench.api.events import Event
from workbench.records.messages import Message
from workbench.techniques.context import AnswerContext
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.retrieval.abstention import measure_evidence
from workbench.techniques.retrieval.follow_ups import WrittenOut, may_stand_alone, written_out
from workbench.techniques.retrieval.query_rewriting import needs_no_documents
from workbench.techniques.retrieval.roads.cues import names_collections, speaks_of_conversation
from workbench.techniques.retrieval.sentence_features import HITS_SEARCHED

UNDERSTOOD = "Understood as: {question}"
BETTER_ALONE = 0.1
"""By so much the evidence for the question as it is must be better than that for what it is completed to."""


class Understood(NamedTuple):
    """A ``conversation`` whose last message is a question of its own. ``asks``, the text of its road, is "" for a
    message that was one already."""

    conversation: Sequence[Message]
    asks: str = ""


def understand(conversation: Sequence[Message], context: AnswerContext) -> Generator[Event, None, Understood]:
    """Write the conversation's last message out as a question of its own. Yields the step *rewrite* where it is not
    one."""
    assert context.retriever is not None
    question = conversation[-1].content.strip()
    if needs_no_documents(question) or speaks_of_conversation(question):
        return Understood(conversation)
    if names_collections(question) and context.helpers.other_collections():
        return Understood(conversation)
    written = question_of(conversation, context.retriever)
    if written.question == question:
        return Understood(conversation)
    step = context.step("rewrite", "Complete the follow-up question", question)
    yield step.started
    if may_stand_alone(question):
        with_it, alone = (_evidence(one, context.retriever) for one in (written.question, question))
        if alone > with_it + BETTER_ALONE:
            yield step.finished(question)
            return Understood(conversation)
    yield step.finished(written.question)
    yield from context.note(UNDERSTOOD.format(question=written.question))
    return Understood((*conversation[:-1], Message("user", written.question)), written.asks)


def question_of(conversation: Sequence[Message], retriever: Retriever) -> WrittenOut:
    """The conversation's last message as a question of its own."""
    return written_out(conversation, lambda text, others: retriever.similarities([text], others)[0])


def _evidence(question: str, retriever: Retriever) -> float:
    evidence = measure_evidence(question, retriever.search(question, HITS_SEARCHED).hits, retriever)
    return evidence.strength if evidence.suffices else 0.0
