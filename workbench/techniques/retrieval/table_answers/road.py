"""The road of a table: a question is answered by a query of a table of the collection, without a model.

The answer is the value with its unit, the calculation in one sentence, and the rows as the source. What is not sure is
a *perhaps* with its reason. Where no table has to do with the question there is no grounding: the road of one place is
taken.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.records.messages import Message, Statement
from workbench.records.recipes import Recipe
from workbench.techniques.context import AnswerContext
from workbench.techniques.embedding_calls import TableReply
from workbench.techniques.retrieval.citations import as_citation
from workbench.techniques.retrieval.grounded import Grounding
from workbench.techniques.retrieval.quoting import Quotes
from workbench.text.language import detect_question_language

LANGUAGES = ("en", "de", "fr", "es")


def run(
    conversation: Sequence[Message], recipe: Recipe, context: AnswerContext
) -> Generator[Event, None, Grounding | None]:
    """Answer the conversation's last message from a table. Needs ``context.retriever``."""
    assert context.retriever is not None
    if context.decoding.format != "text":
        return None
    question = conversation[-1].content.strip()
    step = context.step("search", "Ask the tables", question)
    yield step.started
    reply = context.retriever.ask_tables(question, detect_question_language(question, LANGUAGES))
    if reply is None:
        yield step.finished("No table answers this.")
        return None
    yield step.finished(f"{reply.value}\n{reply.calculation}".strip(), score=reply.sure)
    yield events.Retrieved(query=question, passages=reply.passages, step=step.id)
    if reply.empty:
        return Grounding(question, reply.passages, question, declined=reply.calculation, reasons=reply.reasons)
    quotes = _written(reply)
    return Grounding(question, reply.passages, question, quotes=quotes, own_words=False, reasons=reply.reasons)


def _written(reply: TableReply) -> Quotes:
    """The answer as a text that is not verified again: it is computed of the rows, not taken from them."""
    marks = "".join(f"[{passage.n}]" for passage in reply.passages)
    text = f"{reply.value}\n\n{reply.calculation} {marks}"
    first = reply.passages[0]
    statement = Statement(
        start=0,
        end=len(reply.value),
        verdict="supported",
        value=1.0,
        n=first.n,
        sentence_start=first.start,
        sentence_end=first.end,
    )
    citations = tuple(
        msgspec.structs.replace(as_citation(one, claimed=False), sentence_start=one.start, sentence_end=one.end)
        for one in reply.passages
    )
    return Quotes(text=text, statements=(statement,), citations=citations, passages=reply.passages, computed=True)
