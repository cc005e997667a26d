"""Reflexion: try, check, reflect on what went wrong, try again with the reflections in mind.

Shinn et al. 2023, "Reflexion: Language Agents with Verbal Reinforcement Learning" (arXiv:2303.11366). The signal is a
test that the person wrote, the support of the answer in the passages that were found, or a critic; it never is the
expected answer. At most three trials, of which the last three reflections are remembered. A later trial takes the place
of an earlier one only where the check finds it better; where the model itself is the critic, it has to prefer it in
both orders, and an answer that a tool has given stays. What a test has refused is
not tried again: the last call of such a trial is masked, since a small model would repeat it whatever it reflects.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from workbench.api.events import Event
from workbench.base.errors import UserError
from workbench.base.fields import about
from workbench.records.agents import ToolCall
from workbench.records.messages import Message
from workbench.techniques.agents.agent import Agent, Outcome
from workbench.techniques.agents.checks import Checked, CheckKind, check_answer, resolve_check, support_in
from workbench.techniques.agents.demonstrations import Demonstrated
from workbench.techniques.agents.react import work
from workbench.techniques.agents.session import OUT_OF_BUDGET, Session
from workbench.techniques.agents.steps import CHECK, REFLECTION, TRIAL, VERDICT
from workbench.techniques.agents.tool_execution import Waiting
from workbench.techniques.agents.tool_results import computed
from workbench.techniques.budget import Exhausted
from workbench.techniques.context import AnswerContext, Ask
from workbench.techniques.corrections import prefers

REMEMBERED = 3
TESTED: tuple[CheckKind, ...] = ("automatic", "test")
"""Checks that a test decides, where there is one: the last call of a trial that fails it is not made again."""
REFLECTION_TOKENS = 80

_LESSONS = "You have tried this before and failed. What you have learnt:\n{lessons}"
_REFLECT = (
    "{question}\n\nYour answer was:\n{answer}\n\nIt was checked: {why}\n\nIn one or two sentences: what was the "
    "mistake, and what will you do differently next time?"
)
BETTER = "This trial is better."
NO_BETTER = "The earlier trial is kept: the check finds this one no better."
CONFIRMED = "The earlier trial is kept: a tool has given its result, and none has given this one."
UNDECIDED = "The earlier trial is kept: the model does not prefer this one in both orders."
UNCHECKED = "No trial passed the check: this is the best of {trials}. {why}"


class Options(Demonstrated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often it is tried, and what tells whether a trial has succeeded."""

    trials: Annotated[
        int,
        about("Trials", ge=1, le=3),
        "The agent attempts the task at most this many times. The first attempt that passes is the answer.",
    ] = 3
    check: Annotated[
        CheckKind,
        about("Check"),
        "Success is told by your test, by the support in the passages found, or by the model as a critic. Automatic "
        "takes the first of these that there is.",
    ] = "automatic"
    test: Annotated[
        str,
        about("Test", multiline=True),
        "The check by a test runs this Python program with the variables question and answer. The attempt fails where "
        "the program ends with an exception, or where its last value is False.",
    ] = ""


@dataclass(frozen=True)
class _Trial:
    """The ``answer`` of a trial and how it was checked; ``given``: it states what a tool has computed."""

    answer: str
    checked: Checked
    given: bool


def run(messages: tuple[Message, ...], options: Options, agent: Agent) -> Generator[Event, None, Outcome]:
    """Try until a trial passes the check. A later one takes the place of an earlier one only where it is better."""
    if options.check == "test" and not options.test.strip():
        raise UserError("The check is a test, and there is none.", "Write a Python program as the test of the agent.")
    session = Session(agent)
    yield from session.begin()
    best: _Trial | None = None
    lessons: list[str] = []
    trials = 0
    try:
        examples = yield from session.demonstrated(messages[-1].content, options.examples, session.context)
        for number in range(1, options.trials + 1):
            if session.spent:
                yield from session.context.note(OUT_OF_BUDGET)
                break
            opened = yield from session.opened(TRIAL, f"Trial {number}", messages[-1].content, session.context)
            inside = session.context.inside(opened.step)
            session.executor.repetition.restart()
            most = max(1, session.executor.calls_left // (options.trials - number + 1))
            answer, last, given = yield from _try(session, messages, lessons, most, examples, inside)
            trials += 1
            checked = yield from _check(session, messages[-1].content, answer, options, inside)
            trial = _Trial(answer, checked, given)
            if best is None or (yield from _is_better(session, messages[-1].content, best, trial, options, inside)):
                best = trial
            if last is not None and not checked.passed and options.test.strip() and options.check in TESTED:
                session.executor.repetition.forbid(last)
            if not checked.passed and number < options.trials and not session.spent:
                lesson = yield from _reflect(session, messages[-1].content, answer, checked, inside)
                lessons = [*lessons, lesson][-REMEMBERED:]
            yield from opened.finished(answer, score=checked.score)
            if checked.passed:
                break
    except Waiting as waiting:
        return session.waits(waiting)
    except Exhausted:
        yield from session.context.note(OUT_OF_BUDGET)
    if best is None:
        return session.answered(session.answer(messages, "", session.context))
    if not best.checked.passed:
        yield from session.context.note(UNCHECKED.format(trials=trials, why=best.checked.why).strip())
    return session.given(best.answer)


def _try(
    session: Session,
    messages: tuple[Message, ...],
    lessons: Sequence[str],
    most: int,
    examples: Sequence[Message],
    context: AnswerContext,
) -> Generator[Event, None, tuple[str, ToolCall | None, bool]]:
    """One trial: the task with tools, its answer, the last call, and whether the answer states what a tool has
    computed. Raises Waiting, Exhausted."""
    learnt = _LESSONS.format(lessons="\n".join(f"- {one}" for one in lessons))
    history = with_system(messages, learnt) if lessons else messages
    done = yield from work(session, history, context, most=most, examples=examples)
    answer = yield from session.drafted(done.history, done.thought, context)
    made = computed(done.results, session.agent.asked)
    given = any(not one.remark and one.is_stated(answer) for one in made)
    return answer, done.results[-1][0] if done.results else None, given


def _is_better(
    session: Session, question: str, best: _Trial, trial: _Trial, options: Options, context: AnswerContext
) -> Generator[Event, None, bool]:
    """Whether a trial takes the place of the best one so far, as a step of the kind ``verdict`` that says why. Raises
    Exhausted."""

    def make() -> Generator[Event, None, str]:
        step = context.step(VERDICT, "Compare with the best trial so far", trial.answer)
        yield step.started
        why = yield from _why_kept(session, question, best, trial, options, context.inside(step))
        yield step.finished(said := why or BETTER)
        return said

    return (yield from session.text_of(VERDICT, make())) == BETTER


def _why_kept(
    session: Session, question: str, best: _Trial, trial: _Trial, options: Options, context: AnswerContext
) -> Generator[Event, None, str]:
    """Why the best trial so far stays, as a sentence; "" where the new one is better. Raises Exhausted."""
    kind = resolve_check(options.check, options.test, session.executor.passages)
    if kind == "test":
        return "" if trial.checked.score > best.checked.score else NO_BETTER
    if best.given and not trial.given:
        return CONFIRMED
    if kind == "citations":
        before, after = (support_in(session, one.answer, question) for one in (best, trial))
        return "" if after.score > before.score and not after.contradicted else NO_BETTER
    if trial.checked.score <= best.checked.score:
        return NO_BETTER
    better = yield from prefers(question, best.answer, trial.answer, session.budget, context)
    return "" if better else UNDECIDED


def _check(
    session: Session, question: str, answer: str, options: Options, context: AnswerContext
) -> Generator[Event, None, Checked]:
    """Whether an answer is right, as a step of the kind ``check``."""
    taken = session.recorded.take(CHECK)
    if taken is not None:
        return Checked.of(taken)
    kind = resolve_check(options.check, options.test, session.executor.passages)
    step = context.step(CHECK, f"Check: {kind}", answer)
    yield step.started
    checked = yield from check_answer(kind, question, answer, options.test, session, context.inside(step))
    yield step.finished(checked.why, score=checked.score)
    return checked


def _reflect(
    session: Session, question: str, answer: str, checked: Checked, context: AnswerContext
) -> Generator[Event, None, str]:
    """What went wrong, in the model's words. Raises Exhausted."""
    text = _REFLECT.format(question=question, answer=answer, why=checked.why or "it is not right.")
    part = msgspec.structs.replace(context.decoding, format="text", grammar="", n=1, max_tokens=REFLECTION_TOKENS)
    ask = Ask(messages=(Message("user", text),), title="Reflect", kind=REFLECTION, decoding=part)
    return " ".join((yield from session.written(ask, context)).split())


def with_system(messages: Sequence[Message], more: str) -> tuple[Message, ...]:
    """The messages with more instructions below those there are."""
    head = [one.content for one in messages if one.role == "system"]
    return (Message("system", "\n\n".join([*head, more])), *(one for one in messages if one.role != "system"))
