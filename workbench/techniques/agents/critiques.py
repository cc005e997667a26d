"""What tools say against an answer, sentence by sentence: wrong figures, and claims that the documents do not support.

Used by CRITIC (``critic.py``). Nothing is asked of the model but the calculation behind a figure, whose numbers have to
stand in the question; its value is computed, not generated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Sequence
from fractions import Fraction

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.errors import UserError
from workbench.records.messages import Message, Passage, Statement
from workbench.techniques.agents.planning import constrained
from workbench.techniques.agents.session import Session
from workbench.techniques.budget import Exhausted
from workbench.techniques.context import AnswerContext, Ask
from workbench.techniques.tools.arithmetic import ArithmeticProblem, evaluate, show
from workbench.techniques.tools.passages import numbered
from workbench.techniques.tools.results import one_line
from workbench.techniques.tools.tool import ToolOutput
from workbench.text.sentences import split_sentences

MOST_SENTENCES = 20
LOOKED_UP = 3
"""Passages that a claim is compared with."""
CALCULATION_TOKENS = 48
ARROW = " → "

_NUMBER = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?")
_EQUATION = re.compile(r"([-+(]?[\d(][\d\s.,()+\-*/×÷·^%]*?)\s*(?:=|equals|is)\s*\$?(-?\d+(?:,\d{3})*(?:\.\d+)?)")
_SIGN = re.compile(r"\d\s*[-+*/×÷·^]\s*[\d(]")
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
SAYS = "The documents say: {text}"
SILENT = "The documents do not say this."


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence of an answer, its white space collapsed, and ``why`` it is wrong."""

    sentence: str
    why: str


def collapsed(text: str) -> str:
    return " ".join(text.split())


def written(problems: Sequence[Problem]) -> str:
    """Problems as lines of text, which ``read`` reads."""
    return "\n".join(f"{one.sentence}{ARROW}{one.why}" for one in problems)


def read(text: str) -> list[Problem]:
    pairs = [line.rpartition(ARROW) for line in text.splitlines() if ARROW in line]
    return [Problem(sentence=sentence, why=why) for sentence, _, why in pairs]


def problems_of(
    question: str, answer: str, session: Session, context: AnswerContext
) -> Generator[Event, None, list[Problem]]:
    """What is wrong in an answer, at most one problem a sentence. Raises Exhausted."""
    found: list[Problem] = []
    spans = split_sentences(answer)[:MOST_SENTENCES]
    for sentence in (collapsed(answer[start:end]) for start, end in spans):
        if session.spent:
            raise Exhausted("tokens")
        if _EQUATION.search(sentence) and _SIGN.search(sentence):
            why = wrong_equation(sentence)
        else:
            why = yield from _wrong_figure(question, sentence, session, context)
            if not why:
                why = yield from _wrong_claim(question, sentence, session, context)
        if why:
            found.append(Problem(sentence=sentence, why=collapsed(why)))
    return found


# -- figures -------------------------------------------------------------------------------------------------


def wrong_equation(sentence: str) -> str:
    """Why an equation in a sentence is wrong; "" where all are right."""
    for left, right in _EQUATION.findall(sentence):
        if not _SIGN.search(left):
            continue
        try:
            value = evaluate(left.strip())
        except ArithmeticProblem:
            continue
        if not _same(value, right):
            return f"{left.strip()} is {show(value)}, not {right}."
    return ""


def with_right_results(text: str, question: str) -> str:
    """The text with the values of its wrong equations in place of their results, also where these come again later,
    unless they are numbers of the question."""
    place = 0
    while match := _EQUATION.search(text, place):
        left, right = match.group(1), match.group(2)
        place = match.end()
        try:
            value = evaluate(left.strip()) if _SIGN.search(left) else None
        except ArithmeticProblem:
            value = None
        if value is None or _same(value, right):
            continue
        rest = text[match.end() :]
        if right not in _NUMBER.findall(question):
            rest = re.sub(rf"(?<![\d.,]){re.escape(right)}(?!\d|[.,]\d)", show(value), rest)
        begun = text[: match.start(2)] + show(value)
        text, place = begun + rest, len(begun)
    return text


def _wrong_figure(
    question: str, sentence: str, session: Session, context: AnswerContext
) -> Generator[Event, None, str]:
    """Why the figure of a sentence is not what the question's numbers give; "" where it is, or nothing is to be
    calculated."""
    asked, said = _numbers(question), _NUMBER.findall(sentence)
    if len(asked) < 2 or _numbers(" ".join(said)) <= asked:  # it says what was given
        return ""
    text = _CALCULATION.format(question=question, sentence=sentence)
    ask = Ask(
        messages=(Message("user", text),),
        title="Calculation",
        kind="calculation",
        input=sentence,
        decoding=constrained(context, _SCHEMA, CALCULATION_TOKENS),
    )
    made = yield from session.budget.generate_one(ask, context=context, counts=False)
    try:
        expression = str(json.loads(made.text)["expression"])
    except (ValueError, KeyError, TypeError):
        return ""
    if not _SIGN.search(expression) or not _numbers(expression) <= asked:
        return ""
    value = _value(expression, session)
    if value is None or any(_same(value, one) for one in said):
        return ""
    return f"{expression} is {show(value)}."


def _value(expression: str, session: Session) -> Fraction | None:
    """The value of an expression: exact, or as the sandbox computes it."""
    try:
        return evaluate(expression)
    except ArithmeticProblem:
        pass
    if session.context.tools is None:
        return None
    try:
        made = session.context.tools.run_python(expression, {}, RequestContext())
        return Fraction(made.value) if made.value and not made.error else None
    except (UserError, ValueError, ZeroDivisionError):
        return None


def _numbers(text: str) -> set[Fraction]:
    return {Fraction(one.replace(",", "").lstrip("-")) for one in _NUMBER.findall(text)}


def _same(value: Fraction, shown: str) -> bool:
    """Whether a number is the value, rounded to the places that it is shown with."""
    plain = shown.replace(",", "")
    places = len(plain.partition(".")[2])
    return abs(value - Fraction(plain)) * 2 <= Fraction(1, 10**places) if places else value == Fraction(plain)


# -- claims --------------------------------------------------------------------------------------------------


def _wrong_claim(question: str, sentence: str, session: Session, context: AnswerContext) -> Generator[Event, None, str]:
    """Why the documents do not bear a sentence out; "" where they do, or there are none."""
    retriever = session.context.tools.retriever if session.context.tools is not None else None
    if retriever is None:
        return ""
    step = context.step("search", "Look it up", sentence)
    yield step.started
    hits = tuple(retriever.search(sentence, LOOKED_UP).hits)
    found = numbered(ToolOutput(text="", passages=hits), session.executor.passages).passages
    session.executor.add_passages(found)
    yield events.Retrieved(query=sentence, passages=found, step=step.id)
    statements = session.agent.verify(sentence, found, question)
    why = "".join(_against(statement, found) for statement in statements[:1])
    yield step.finished(why or "The documents say so.")
    return why


def _against(statement: Statement, passages: Sequence[Passage]) -> str:
    """What a statement's passages hold against it; "" for a supported one."""
    if statement.verdict == "supported":
        return ""
    passage = next((one for one in passages if one.n == statement.n), None)
    if passage is None or statement.verdict == "outside":
        return SILENT
    best = passage.text[statement.sentence_start - passage.start : statement.sentence_end - passage.start]
    return SAYS.format(text=one_line(best or passage.text, 240))
