"""Look up and quote: searches of the documents, each for what the one before left open, and as the answer the sentences
that were found, word for word.

No model chooses the searches or writes the answer: small ones do neither well (docs/benchmarks.md). What to search for
and which sentences answer is known to the ``Lookup`` of the agent. Iterated retrieval: Qi et al. 2019
(arXiv:1910.07000).
"""

from __future__ import annotations

from collections.abc import Collection, Generator
from typing import Annotated

import msgspec

from workbench.api.events import Event
from workbench.base.errors import UserError
from workbench.base.fields import about
from workbench.records.agents import ToolCall
from workbench.records.messages import Message
from workbench.techniques.agents.agent import Agent, Lookup, Outcome
from workbench.techniques.agents.session import Session
from workbench.techniques.agents.tool_execution import Waiting
from workbench.techniques.context import AnswerContext
from workbench.techniques.tools.methods import SEARCH

SEARCHES = 2


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many searches an answer may take."""

    searches: Annotated[
        int,
        about("Searches", ge=1, le=5),
        "The agent searches at most this many times, each time for what the search before left open.",
    ] = SEARCHES


def run(messages: tuple[Message, ...], options: Options, agent: Agent) -> Generator[Event, None, Outcome]:
    """Search and quote. Raises UserError as ``require_documents``."""
    require_documents(agent.tools, agent.look_up is not None)
    session = Session(agent)
    yield from session.begin()
    try:
        found = yield from look_up(session, messages[-1].content, options.searches, session.context)
    except Waiting as waiting:
        return session.waits(waiting)
    return session.quoted(found)


def require_documents(tools: Collection[str], documents: bool) -> None:
    """Raises UserError where there are no documents, or the tool that searches them is not among the agent's."""
    if not documents:
        raise UserError(
            "“Look up and quote” answers with sentences of documents, and this recipe has none.",
            "Choose the documents to ask, or another way to work.",
        )
    if SEARCH not in tools:
        raise UserError(
            "“Look up and quote” searches the documents, and the tool “Search documents” is not among its tools.",
            f"Let the agent use it ({SEARCH}), or choose another way to work.",
        )


def can_look_up(session: Session) -> bool:
    """Whether answers from documents are quoted, and there is a call left to search them."""
    agent = session.agent
    return agent.quotes and agent.look_up is not None and SEARCH in agent.tools and session.executor.calls_left > 0


def look_up(session: Session, question: str, most: int, context: AnswerContext) -> Generator[Event, None, Lookup]:
    """Make at most so many searches, as calls of the agent. Raises Waiting."""
    assert session.agent.look_up is not None
    lookup, tool = session.agent.look_up(question), session.agent.tools[SEARCH]
    for _ in range(min(most, session.executor.calls_left)):
        query = lookup.next_query()
        if not query:
            break
        called = yield from session.executor.execute(tool, ToolCall(tool=SEARCH, arguments={"query": query}), context)
        context.raise_if_cancelled()
        lookup.add(query, called.output.passages)
    return lookup
