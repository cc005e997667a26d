"""ReAct: a thought, a call, its result, again and again, until the model answers or its budget ends.

Yao et al. 2022, "ReAct: Synergizing Reasoning and Acting in Language Models" (arXiv:2210.03629). Every part is asked
for by itself and constrained, so that nothing is parsed out of free text. The last step allows only the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.api.events import Event
from workbench.base.errors import UserError
from workbench.records.agents import ToolCall
from workbench.records.messages import Message
from workbench.techniques.agents.agent import FINAL, Agent, Outcome
from workbench.techniques.agents.demonstrations import Demonstrated
from workbench.techniques.agents.lookup import SEARCHES, can_look_up, look_up
from workbench.techniques.agents.session import OUT_OF_BUDGET, OUT_OF_STEPS, Session
from workbench.techniques.agents.steps import ARGUMENTS, CHOOSE, THOUGHT, read_arguments
from workbench.techniques.agents.tool_execution import Waiting
from workbench.techniques.context import AnswerContext
from workbench.techniques.tools.methods import SEARCH
from workbench.techniques.tools.tool import Tool, ToolOutput

TOLD_AT = 3
"""From so many calls left on, the model is told how many."""


class Options(Demonstrated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many solved examples a small model sees. The budgets are the agent's."""


@dataclass(frozen=True)
class Work:
    """Calls on one task: the ``history`` with them, the last ``thought``, which led to the answer, and the ``results``
    in their order. ``finished``: the model chose to answer, rather than being stopped by a budget."""

    history: tuple[Message, ...]
    thought: str = ""
    results: tuple[tuple[ToolCall, ToolOutput], ...] = ()
    finished: bool = True


def run(messages: tuple[Message, ...], options: Options, agent: Agent) -> Generator[Event, None, Outcome]:
    """Call tools until the model answers."""
    session = Session(agent)
    yield from session.begin()
    try:
        examples = yield from session.demonstrated(messages[-1].content, options.examples, session.context)
        done = yield from work(session, messages, session.context, examples=examples)
        found = yield from _from_documents(session, messages[-1].content, done, session.context)
    except Waiting as waiting:
        return session.waits(waiting)
    return found or session.answered(session.answer(done.history, done.thought, session.context))


def _from_documents(
    session: Session, question: str, done: Work, context: AnswerContext
) -> Generator[Event, None, Outcome | None]:
    """The answer quoted from the documents, where answers from them are quoted: the model has made no call that found
    something else, and they hold an answer. A small model seldom searches by itself, and retells badly. Raises
    Waiting."""
    if any(call.tool != SEARCH for call, _ in done.results) or not can_look_up(session):
        return None
    found = yield from look_up(session, question, SEARCHES, context)
    return session.quoted(found) if found.suffices else None


def work(
    session: Session,
    history: tuple[Message, ...],
    context: AnswerContext,
    *,
    tools: Mapping[str, Tool] | None = None,
    most: int | None = None,
    examples: Sequence[Message] = (),
) -> Generator[Event, None, Work]:
    """Think, choose, call, until the model chooses to answer, has made ``most`` calls, or the budget ends. ``examples``
    are turns before the conversation. Raises Waiting."""
    head = tuple(message for message in history if message.role == "system")
    history = (*head, *examples, *history[len(head) :])
    tools = session.agent.tools if tools is None else tools
    caller, executor = session.caller(context, tools), session.executor
    results: list[tuple[ToolCall, ToolOutput]] = []
    exhausted: dict[str, str] = {}  # tools that have no further arguments
    most = executor.calls_left if most is None else min(most, executor.calls_left)
    while tools:
        left = min(most - len(results), executor.calls_left)
        if left <= 0 or session.spent:
            if session.spent or not executor.calls_left:
                yield from context.note(OUT_OF_BUDGET if left > 0 else OUT_OF_STEPS.format(steps=executor.calls))
            return Work(history, "", tuple(results), finished=False)
        closed = {**executor.repetition.masked_tools(tuple(tools.values())), **exhausted}
        names = tuple(name for name in tools if name not in closed)
        if not names:
            break
        history = yield from session.fitted(history, context)
        thought = yield from _thought(session, caller.thought, history, left)
        name = yield from session.text_of(
            CHOOSE, caller.choose(history, thought, names, may_answer=True, reason=closed)
        )
        tool = tools.get(name)
        if name == FINAL or tool is None:
            finished = session.affords(names)
            if not finished:
                yield from context.note(OUT_OF_BUDGET)
            return Work(history, thought, tuple(results), finished=finished)
        masked = executor.repetition.masked(name)
        arguments = yield from _arguments(session, caller.arguments(history, thought, tool, masked=masked), masked)
        if arguments is None:
            exhausted[name] = "it has no further arguments"
            continue
        exhausted.clear()
        called = yield from executor.execute(tool, ToolCall(tool=name, arguments=arguments), context)
        results.append((called.call, called.output))
        history = caller.with_call(history, thought, called.call, called.shown)
    return Work(history, "", tuple(results))


def _thought(
    session: Session, think: Callable[..., Generator[Event, None, str]], history: tuple[Message, ...], left: int
) -> Generator[Event, None, str]:
    """The next thought, as one line; "" where the recipe wants none, or nothing is left for one."""
    tokens = session.agent.part.thought_tokens
    if not tokens:
        return ""
    told = f"{left} {'step is' if left == 1 else 'steps are'} left" if left <= TOLD_AT else ""
    text = yield from session.text_of(THOUGHT, think(history, tokens=tokens, step_text=told))
    return " ".join(text.split())


def _arguments(
    session: Session, make: Generator[Event, None, dict[str, Any] | None], masked: Sequence[dict[str, Any]]
) -> Generator[Event, None, dict[str, Any] | None]:
    """The arguments of the next call; None when there are none."""
    taken = session.recorded.take(ARGUMENTS)
    if taken is None:
        return (yield from make)
    make.close()
    try:
        arguments = read_arguments(taken.output)
    except UserError:  # they were cut short
        return None
    return None if arguments in masked else arguments
