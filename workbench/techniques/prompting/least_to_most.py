"""Least-to-most: the question is taken apart into smaller ones, which are answered one after another.

Zhou et al. 2022, "Least-to-Most Prompting Enables Complex Reasoning in Large Language Models" (arXiv:2205.10625).
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Annotated

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.base.fields import about
from workbench.engine.inference_calls import Generated
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart
from workbench.techniques.budget import Budget, Exhausted
from workbench.techniques.context import AnswerContext, Ask
from workbench.techniques.prompting.extraction import (
    RESERVE,
    Extracting,
    conclude,
    extraction_of,
    thinking,
    too_small,
)

_LINE = r"\. [^\n]{4,160}\n"
_NUMBERED = re.compile(r"^\s*\d+\.\s*(.+?)\s*$", re.MULTILINE)
_TAKE_APART = (
    "{question}\n\nDo not answer yet. Which smaller questions have to be answered first? List at most {most}, one a "
    "line, the easiest first."
)
_FIRST = "{question}\n\nWe answer it by smaller questions. First: {smaller}"
_NEXT = "Next: {smaller}"
_LAST = "Now answer the question itself: {question}"


class Options(Extracting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Into how many questions it is taken apart, and the form of the answer."""

    questions: Annotated[
        int, about("Smaller questions", ge=1, le=8), "The question is divided into at most this many smaller ones."
    ] = 4
    step_tokens: Annotated[
        int,
        about("Smaller answers", ge=16, le=1024, unit="tokens"),
        "The answer to a smaller question has at most this number of tokens.",
    ] = 96


def smaller_questions(text: str, question: str, most: int) -> list[str]:
    """The listed questions, each once, without the question itself."""
    found = dict.fromkeys(listed_lines(text))
    return [one for one in found if one.casefold() != " ".join(question.split()).casefold()][:most]


def listed_lines(text: str) -> list[str]:
    """The lines of a numbered list, without their numbers."""
    return [" ".join(line.split()) for line in _NUMBERED.findall(text)]


def list_format(most: int) -> str:
    """The regular expression of a numbered list of one to ``most`` lines."""
    pattern = ""
    for number in range(most, 0, -1):
        pattern = f"{number}{_LINE}({pattern})?" if pattern else f"{number}{_LINE}"
    return pattern


def run(messages: tuple[Message, ...], options: Options, context: AnswerContext) -> Generator[Event, None, Generated]:
    """Take the question apart, answer the smaller ones in their order, each after those before it, then itself."""
    budget = Budget(options, context)
    extraction = extraction_of(options, messages, context.decoding)
    *earlier, asked = messages
    question = asked.content
    listed = DecodingPart(
        temperature=0.0, max_tokens=48 * options.questions, format="regex", grammar=list_format(options.questions)
    )
    apart = Message("user", _TAKE_APART.format(question=question, most=options.questions))
    with too_small():
        made = yield from budget.generate_one(
            Ask(messages=(*earlier, apart), title="Take the question apart", kind="plan", decoding=listed),
            reserve=RESERVE,
        )
    conversation = list(earlier)
    reasoning: list[str] = []
    part = msgspec.structs.replace(extraction.reasoning, max_tokens=options.step_tokens)
    try:
        for number, smaller in enumerate(smaller_questions(made.text, question, options.questions)):
            said = _NEXT.format(smaller=smaller) if number else _FIRST.format(question=question, smaller=smaller)
            conversation.append(Message("user", said))
            ask = Ask(messages=tuple(conversation), title=smaller, kind="reasoning", input=smaller, decoding=part)
            yield events.Thought(text=f"\n\n{smaller}\n" if reasoning else f"{smaller}\n")
            answered = yield from thinking(budget.generate_one(ask, reserve=RESERVE))
            conversation.append(Message("assistant", answered.text.strip()))
            reasoning.append(f"{smaller}\n{answered.text.strip()}")
    except Exhausted as spent:
        conversation.pop()
        yield from context.note(budget.describe(spent.what))
    conversation.append(Message("user", _LAST.format(question=question) if reasoning else question))
    thought = "\n\n".join(reasoning)
    return (yield from conclude(conversation, "", extraction, budget, context, thought=thought))
