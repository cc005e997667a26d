"""Checks of an answer without the expected one: a test, the support in passages, or the model as a critic."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Literal

import msgspec

from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.base.catalogue import Shown
from workbench.base.errors import UserError
from workbench.records.messages import Message, Passage
from workbench.records.trace import TraceStep
from workbench.techniques.agents.session import Session, certainty
from workbench.techniques.context import AnswerContext, ScoreAsk
from workbench.techniques.support import Support, support_of
from workbench.techniques.tools.results import one_line

CheckKind = Literal["automatic", "test", "citations", "critic"]

PASSES = 0.5
"""From this score on an answer passes the check of a critic; of citations no statement may be against the passages."""
_CRITIC = "Question: {question}\n\nProposed answer: {answer}\n\nIs the proposed answer right? Reply yes or no."
_VERDICTS = ("yes", "no")
_LONGEST_WHY = 400


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a check: ``score`` from 0 to 1, and ``why`` it did not pass, as a sentence."""

    passed: bool
    score: float
    why: Shown = ""

    @classmethod
    def of(cls, step: TraceStep) -> Checked:
        """The result that a step of the kind ``check`` holds."""
        return cls(passed=not step.output, score=step.score or 0.0, why=step.output)


def resolve_check(kind: CheckKind, test: str, passages: Sequence[Passage]) -> CheckKind:
    """The check that ``automatic`` means."""
    if kind != "automatic":
        return kind
    return "test" if test.strip() else "citations" if passages else "critic"


def check_answer(
    kind: CheckKind, question: str, answer: str, test: str, session: Session, context: AnswerContext
) -> Generator[Event, None, Checked]:
    """Whether an answer passes. Raises Exhausted, and UserError where a test cannot be run."""
    if not answer.strip():
        return Checked(passed=False, score=0.0, why="The answer is empty.")
    if kind == "test":
        return run_test(test, question, answer, session)
    if kind == "citations":
        found = support_in(session, answer, question)
        return Checked(passed=not found.contradicted, score=found.score, why=found.why if found.contradicted else "")
    return (yield from _criticised(question, answer, session, context))


def run_test(test: str, question: str, answer: str, session: Session) -> Checked:
    """Run the person's test in the sandbox. Raises UserError where there is none."""
    if session.context.agent.tools is None:
        raise UserError("The test cannot be run here.", "Choose another check.")
    made = session.context.agent.tools.run_python(test, {"question": question, "answer": answer}, RequestContext())
    if made.error:
        return Checked(passed=False, score=0.0, why=f"The test failed: {one_line(made.error, _LONGEST_WHY)}")
    if made.value.strip() == "False":
        printed = one_line(made.printed, _LONGEST_WHY)
        return Checked(passed=False, score=0.0, why=f"The test failed. {printed}".strip())
    return Checked(passed=True, score=1.0)


def support_in(session: Session, answer: str, question: str) -> Support:
    """How far the passages that were found support an answer."""
    passages = session.executor.passages
    return support_of(session.agent.verify(answer, passages, question), passages, question)


def _criticised(
    question: str, answer: str, session: Session, context: AnswerContext
) -> Generator[Event, None, Checked]:
    ask = ScoreAsk(
        messages=(Message("user", _CRITIC.format(question=question, answer=answer)),),
        continuations=_VERDICTS,
        title="Is it right?",
    )
    (scores,) = yield from session.budget.score((ask,), certainty, context=context)
    share = scores.probabilities()[0]
    passed = share >= PASSES
    return Checked(passed=passed, score=share, why="" if passed else "The critic does not think that it is right.")
