"""The objections of tools to an answer, sentence by sentence: wrong figures, and claims that the documents do not
support.

Used by CRITIC (``critic.py``), with the tools that the agent has and no others. Nothing is asked of the model but the
calculation behind a figure, whose numbers have to stand in the question; its value is computed, not generated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Sequence
from fractions import Fraction

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.base.catalogue import Shown
from workbench.records.messages import Message, Passage, Statement
from workbench.techniques.agents.planning import constrained
from workbench.techniques.agents.session import Session
from workbench.techniques.agents.tool_results import computed
from workbench.techniques.budget import Exhausted
from workbench.techniques.context import AnswerContext, Ask
from workbench.techniques.tools.arithmetic import ArithmeticProblem, evaluate, show
from workbench.techniques.tools.figures import SIGN, has_equation, numbers_in, wrong_equation
from workbench.techniques.tools.methods import CALCULATOR, SEARCH
from workbench.techniques.tools.passages import numbered
from workbench.techniques.tools.results import one_line
from workbench.techniques.tools.tool import ToolOutput
from workbench.text.sentences import split_sentences

MOST_SENTENCES = 20
LOOKED_UP = 3
"""Passages that a claim is compared with."""
CALCULATION_TOKENS = 48
ARROW = " → "
_VALUE = re.compile(r"^[\d(][^a-z]* is (-?[\d.]+?)(?:\.$|, not )")

_SCHEMA = {
    "type": "object",
    "properties": {"expression": {"type": "string", "pattern": r"^[0-9(][0-9 .()+*/-]{0,60}$"}},
    "required": ["expression"],
    "additionalProperties": False,
}
_CALCULATION = (
    "Question: {question}\n\nSentence of an answer: {sentence}\n\nWrite the calculation that gives the number in the "
    'sentence, with the numbers of the question, as JSON: {{"expression": "3 * (4 + 5)"}}'
)
_ANSWER = (
    "Question: {question}\n\nWrite the calculation that gives the answer, with the numbers of the question, as JSON: "
    '{{"expression": "3 * (4 + 5)"}}'
)
SAYS = "The documents say: {text}"
SILENT = "The documents do not say this."


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence of an answer, its white space collapsed, and ``why`` it is wrong."""

    sentence: str
    why: Shown

    @property
    def figure(self) -> str:
        """The value that was calculated, "" of a claim."""
        value = _VALUE.search(self.why)
        return value.group(1) if value is not None else ""


def collapsed(text: str) -> str:
    return " ".join(text.split())


def written(problems: Sequence[Problem]) -> str:
    """Problems as lines of text, which ``read`` reads."""
    return "\n".join(f"{one.sentence}{ARROW}{one.why}" for one in problems)


def read(text: str) -> list[Problem]:
    pairs = [line.rpartition(ARROW) for line in text.splitlines() if ARROW in line]
    return [Problem(sentence=sentence, why=why) for sentence, _, why in pairs]


def checks_figures(session: Session) -> bool:
    """Whether the agent may calculate."""
    return CALCULATOR in session.agent.tools


def checks_claims(session: Session) -> bool:
    """Whether the agent may search documents."""
    services = session.context.agent.tools
    return SEARCH in session.agent.tools and services is not None and services.retriever is not None


def problems_of(
    question: str, answer: str, session: Session, context: AnswerContext
) -> Generator[Event, None, list[Problem]]:
    """The objections of the agent's own tools to an answer, at most one problem a sentence. Raises Exhausted."""
    found: list[Problem] = []
    spans = split_sentences(answer)[:MOST_SENTENCES]
    for sentence in (collapsed(answer[start:end]) for start, end in spans):
        if session.spent:
            raise Exhausted("tokens")
        why = ""
        if checks_figures(session):
            equation = has_equation(sentence)
            why = (
                wrong_equation(sentence)
                if equation
                else (yield from _wrong_figure(question, sentence, session, context))
            )
            if equation and not why:
                continue
        if not why and checks_claims(session):
            why = yield from _wrong_claim(question, sentence, session, context)
        if why:
            found.append(Problem(sentence=sentence, why=collapsed(why)))
    return found


# -- figures -------------------------------------------------------------------------------------------------


def _wrong_figure(
    question: str, sentence: str, session: Session, context: AnswerContext
) -> Generator[Event, None, str]:
    """Why the figure of a sentence is not what the question's numbers give; "" where it is, where a tool has given it,
    or where nothing is to be calculated. An objection needs two calculations that agree: one that explains the figure,
    and one that answers the question without seeing it."""
    asked, said = numbers_in(question), numbers_in(sentence)
    if len(asked) < 2 or said <= asked:  # it says what was given
        return ""
    given = computed(session.executor.results, session.agent.asked)
    if any(not one.remark and one.is_stated(sentence) for one in given):
        return ""
    values: list[tuple[str, Fraction]] = []
    for wording in (_CALCULATION, _ANSWER):
        text = wording.format(question=question, sentence=sentence)
        ask = Ask(
            messages=(Message("user", text),),
            title="Calculation",
            kind="calculation",
            input=sentence,
            decoding=constrained(context, _SCHEMA, CALCULATION_TOKENS),
        )
        made = yield from session.budget.generate_one(ask, context=context, counts=False)
        calculation = _calculation(made.text, asked)
        if calculation is None or calculation[1] in said:
            return ""
        values.append(calculation)
    (expression, value), (_, other) = values
    return f"{expression} is {show(value)}." if value == other else ""


def _calculation(text: str, asked: set[Fraction]) -> tuple[str, Fraction] | None:
    """A calculation with all the numbers of the question and no other ones, with its value; None for another text."""
    try:
        expression = str(json.loads(text)["expression"])
        value = evaluate(expression)
    except (ValueError, KeyError, TypeError, ArithmeticProblem):
        return None
    return (expression, value) if SIGN.search(expression) and numbers_in(expression) == asked else None


# -- claims --------------------------------------------------------------------------------------------------


def _wrong_claim(question: str, sentence: str, session: Session, context: AnswerContext) -> Generator[Event, None, str]:
    """Why the documents do not bear a sentence out; "" where they do. A sentence of which they say a part, and nothing
    against it, stands."""
    assert session.context.agent.tools is not None
    retriever = session.context.agent.tools.retriever
    assert retriever is not None
    step = context.step("search", "Look it up", sentence)
    yield step.started
    hits = tuple(retriever.search(sentence, LOOKED_UP).hits)
    found = numbered(ToolOutput(text="", passages=hits), session.executor.passages).passages
    session.executor.add_passages(found)
    yield events.Retrieved(query=sentence, passages=found, step=step.id)
    statements = session.agent.verify(sentence, found, question)
    why = "".join(_against(statement, found) for statement in statements[:1])
    yield step.finished(why or "The documents say nothing against it.")
    return why


def _against(statement: Statement, passages: Sequence[Passage]) -> str:
    """The objection of a statement's passages to it; "" for one of which they say all or a part."""
    if statement.verdict in ("supported", "partly"):
        return ""
    passage = next((one for one in passages if one.n == statement.n), None)
    if passage is None or statement.verdict == "outside":
        return SILENT
    best = passage.text[statement.sentence_start - passage.start : statement.sentence_end - passage.start]
    return SAYS.format(text=one_line(best or passage.text, 240))
