"""CRITIC: an answer is checked with tools, sentence by sentence, and corrected by what they say.

Gou et al. 2023, "CRITIC: Large Language Models Can Self-Correct with Tool-Interactive Critiquing" (arXiv:2305.11738).
Figures are calculated, in exact arithmetic or, where that does not suffice, in the sandbox; claims are looked up in the
documents. The model writes the answer again; an equation that is wrong even then gets its calculated result. At most
four rounds; two without a change end it. What was corrected, and why, is said.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Annotated

import msgspec

from workbench.api.events import Event
from workbench.fields import about
from workbench.records.messages import Message
from workbench.techniques.agents.agent import Agent, Outcome
from workbench.techniques.agents.critiques import Problem, collapsed, problems_of, read, with_right_results, written
from workbench.techniques.agents.demonstrations import Demonstrated
from workbench.techniques.agents.react import work
from workbench.techniques.agents.session import OUT_OF_BUDGET, Session
from workbench.techniques.agents.steps import CORRECTION, CRITIQUE, DRAFT, ROUND
from workbench.techniques.agents.tool_execution import Waiting
from workbench.techniques.budget import Exhausted
from workbench.techniques.context import AnswerContext, Ask

MOST_UNCHANGED = 2

_CORRECT = (
    "{question}\n\nAnswer:\n{answer}\n\nThe answer was checked with tools. What is wrong in it:\n{problems}\n\n"
    "Write the whole answer again with only this corrected."
)
CORRECTED = "Corrected after checking it with tools: {what}"
LEFT = "Still not confirmed: {what}"


class Options(Demonstrated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often an answer is checked and corrected."""

    rounds: Annotated[int, about("Rounds", ge=1, le=4), "Checks with a correction after each, at most."] = 4


def run(messages: tuple[Message, ...], options: Options, agent: Agent) -> Generator[Event, None, Outcome]:
    """Draft an answer, then check and correct it until nothing is wrong, or nothing changes."""
    session = Session(agent)
    yield from session.begin()
    question = messages[-1].content
    answer, corrected, left = "", list[Problem](), list[Problem]()
    try:
        examples = yield from session.demonstrated(question, options.examples, session.context)
        done = yield from work(session, messages, session.context, examples=examples)
        answer = yield from session.drafted(done.history, done.thought, session.context)
        unchanged = 0
        for number in range(1, options.rounds + 1):
            if unchanged >= MOST_UNCHANGED:
                break
            opened = yield from session.opened(ROUND, f"Round {number}", answer, session.context)
            inside = session.context.inside(opened.step)
            left = yield from _critique(session, question, answer, inside)
            if not left:
                yield from opened.finished(answer)
                break
            again = yield from _rewrite(session, question, answer, left, inside)
            again = with_right_results(again or answer, question)  # a small model repeats the error
            gone = [one for one in left if one.sentence not in collapsed(again)]
            if gone:
                yield from _tell(session, gone, again, inside)
            corrected += gone
            left = [one for one in left if one not in gone]
            unchanged = unchanged + 1 if collapsed(again) == collapsed(answer) else 0
            answer = again
            yield from opened.finished(answer)
    except Waiting as waiting:
        return session.waits(waiting)
    except Exhausted:
        yield from session.context.note(OUT_OF_BUDGET)
    if not answer:
        return session.answered(session.answer(messages, "", session.context))
    for text, problems in ((CORRECTED, corrected), (LEFT, left)):
        if problems:
            what = " ".join(dict.fromkeys(one.why for one in problems))
            yield from session.context.note(text.format(what=what))
    return session.given(answer)


def _critique(
    session: Session, question: str, answer: str, context: AnswerContext
) -> Generator[Event, None, list[Problem]]:
    """What is wrong in an answer, as a step of the kind ``critique``. Raises Exhausted."""
    taken = session.recorded.take(CRITIQUE)
    if taken is not None:
        found = tuple(passage for step in session.recorded.within(taken) for passage in step.passages)
        session.executor.add_passages(found)
        return read(taken.output)
    step = context.step(CRITIQUE, "Check with tools", answer)
    yield step.started
    problems = yield from problems_of(question, answer, session, context.inside(step))
    yield step.finished(written(problems), score=0.0 if problems else 1.0)
    return problems


def _rewrite(
    session: Session, question: str, answer: str, problems: Sequence[Problem], context: AnswerContext
) -> Generator[Event, None, str]:
    """The answer, written again with what is wrong in it before the model's eyes. Raises Exhausted."""
    said = "\n".join(f"- {one.sentence} ({one.why})" for one in problems)
    text = _CORRECT.format(question=question, answer=answer, problems=said)
    part = msgspec.structs.replace(context.decoding, n=1)
    ask = Ask(messages=(Message("user", text),), title="Correct", kind=DRAFT, decoding=part)
    return (yield from session.written(ask, context)).strip()


def _tell(
    session: Session, corrected: Sequence[Problem], answer: str, context: AnswerContext
) -> Generator[Event, None, None]:
    """What was corrected, and why, as a step."""
    if session.recorded.take(CORRECTION) is None:
        step = context.step(CORRECTION, "Corrected", written(corrected))
        yield step.started
        yield step.finished(answer)
