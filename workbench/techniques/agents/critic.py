"""CRITIC: an answer is checked with tools, sentence by sentence, and corrected by what they say.

Gou et al. 2023, "CRITIC: Large Language Models Can Self-Correct with Tool-Interactive Critiquing" (arXiv:2305.11738).
With the calculator figures are calculated in exact arithmetic, with the search claims are looked up in the documents; a
tool that the agent does not have is not used. The model writes the answer again; an equation that is wrong even then
gets its calculated result. The correction takes the draft's place only where the same check finds it better; otherwise
the draft stays, and that ends it. What was corrected or kept, and why, is said.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Annotated

import msgspec

from workbench.api.events import Event
from workbench.base.fields import about
from workbench.records.messages import Message
from workbench.techniques.agents.agent import Agent, Outcome
from workbench.techniques.agents.checks import support_in
from workbench.techniques.agents.critiques import (
    Problem,
    checks_claims,
    checks_figures,
    collapsed,
    problems_of,
    read,
    written,
)
from workbench.techniques.agents.demonstrations import Demonstrated
from workbench.techniques.agents.react import work
from workbench.techniques.agents.session import OUT_OF_BUDGET, Session
from workbench.techniques.agents.steps import CORRECTION, CRITIQUE, DRAFT, ROUND
from workbench.techniques.agents.tool_execution import Waiting
from workbench.techniques.agents.tool_results import Computed
from workbench.techniques.budget import Exhausted
from workbench.techniques.context import AnswerContext, Ask
from workbench.techniques.tools.figures import with_right_results

_CORRECT = (
    "{question}\n\nAnswer:\n{answer}\n\nThe answer was checked with tools. What is wrong in it:\n{problems}\n\n"
    "Write the whole answer again with only this corrected."
)
CORRECTED = "Corrected after checking it with tools: {what}"
LEFT = "Not confirmed: {what}"
NOTHING_CHECKED = (
    "Nothing was checked: CRITIC checks figures with the calculator, and claims with the search of documents. Tick one "
    "of these tools."
)
SAME = "The draft is kept: the model wrote the same again."
WITHOUT_FIGURE = "The draft is kept: the correction does not state {figure}, which was calculated."
NOT_BETTER = "The draft is kept: the check finds the correction no better. {why}"
LESS_SUPPORTED = "The draft is kept: the documents support the correction no better."


class Options(Demonstrated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often an answer is checked and corrected."""

    rounds: Annotated[
        int,
        about("Rounds", ge=1, le=4),
        "The answer is checked and corrected at most this many times.",
    ] = 4


def run(messages: tuple[Message, ...], options: Options, agent: Agent) -> Generator[Event, None, Outcome]:
    """Draft an answer, then check and correct it as long as a correction is better."""
    session = Session(agent)
    yield from session.begin()
    question = messages[-1].content
    answer, corrected, left = "", list[Problem](), list[Problem]()
    try:
        examples = yield from session.demonstrated(question, options.examples, session.context)
        done = yield from work(session, messages, session.context, examples=examples)
        answer = yield from session.drafted(done.history, done.thought, session.context)
        session.checked = checks_figures(session) or checks_claims(session)
        if not session.checked:
            yield from session.context.note(NOTHING_CHECKED)
        for number in range(1, options.rounds + 1 if session.checked else 1):
            opened = yield from session.opened(ROUND, f"Round {number}", answer, session.context)
            inside = session.context.inside(opened.step)
            if number == 1:
                left = yield from _critique(session, question, answer, inside)
            if not left:
                yield from opened.finished(answer)
                break
            again = yield from _rewrite(session, question, answer, left, inside)
            if checks_figures(session):
                again = with_right_results(again or answer, question)  # a small model repeats the error
            found = yield from _critique(session, question, again, inside)
            kept = _why_kept(session, question, answer, left, again, found)
            yield from _tell(session, kept or f"Corrected:\n{written(left)}", again, inside)
            if kept:
                yield from opened.finished(answer)
                break
            corrected += [one for one in left if one not in found]
            answer, left = again, found
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


def _why_kept(
    session: Session, question: str, answer: str, problems: Sequence[Problem], again: str, found: Sequence[Problem]
) -> str:
    """Why the draft stays, as a sentence; "" where the check finds the correction better: it has fewer problems, states
    what was calculated, and where claims were looked up the passages support more of it."""
    if collapsed(again) == collapsed(answer):
        return SAME
    if len(found) >= len(problems):
        return NOT_BETTER.format(why=" ".join(dict.fromkeys(one.why for one in found)))
    solved = [one for one in problems if one not in found]
    for one in solved:
        if one.figure and not Computed(one.figure).is_stated(again):
            return WITHOUT_FIGURE.format(figure=one.figure)
    if all(one.figure for one in solved):
        return ""
    before, after = (support_in(session, text, question) for text in (answer, again))
    return "" if after.score > before.score and not after.contradicted else LESS_SUPPORTED


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


def _tell(session: Session, verdict: str, answer: str, context: AnswerContext) -> Generator[Event, None, None]:
    """What became of a correction, and why, as a step."""
    if session.recorded.take(CORRECTION) is None:
        step = context.step(CORRECTION, verdict.partition(":")[0], answer)
        yield step.started
        yield step.finished(verdict)
