"""A question's way: which technique answers it, by what its recipe holds. The techniques do the work.

Knows nothing of storage, workers or processes: it is handed a model and a collection and yields events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.api import events
from workbench.api.calls import DocumentTask
from workbench.api.events import Event
from workbench.errors import Cancelled, UserError
from workbench.records.messages import Message
from workbench.records.recipes import Recipe
from workbench.techniques import continuation as branching
from workbench.techniques.context import AnswerContext
from workbench.techniques.continuation import Prefix
from workbench.techniques.prompting import direct
from workbench.techniques.retrieval import documents, grounded
from workbench.techniques.retrieval.query_rewriting import needs_no_documents

__all__ = ["AnswerContext", "Prefix", "answer", "go_on", "work_on_document"]


def answer(recipe: Recipe, conversation: Sequence[Message], context: AnswerContext) -> Iterator[Event]:
    """Answer the last message of a conversation, from the context's collection where there is one.

    Streams Retrieved, Thought, TextDelta, BeamStep and Log(notice). Ends in ``Finished`` with an ``AskResult``
    (``chat`` and ``message`` empty), whose ``answer`` is that of its first sequence: its TextDeltas joined, unless
    several were put into another order at their end; or in ``Cancelled`` with the answer so far. Raises UserError or
    WorkerDied as the model and the collection do.
    """
    if not conversation or conversation[-1].role != "user" or not conversation[-1].content.strip():
        raise UserError("There is no question to answer.", "Write a question first.")
    documents_asked = context.retriever is not None and not needs_no_documents(conversation[-1].content)
    method = grounded if documents_asked else direct
    try:
        yield from method.run(conversation, recipe, context)
    except Cancelled:  # before there was anything to keep
        yield events.Cancelled()


def work_on_document(task: DocumentTask, recipe: Recipe, context: AnswerContext) -> Iterator[Event]:
    """Summarise, extract from or translate one whole document. Streams and ends as ``answer`` does, with Progress.

    Raises UserError when there is no such document, or the task lacks its columns or its language.
    """
    try:
        yield from documents.run(task, recipe, context)
    except Cancelled:
        yield events.Cancelled()


def go_on(begun: Prefix, recipe: Recipe, context: AnswerContext) -> Iterator[Event]:
    """Make an answer that begins like an earlier one. Streams and ends as ``answer`` does."""
    yield from branching.run(begun, recipe, context)
