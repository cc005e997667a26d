"""The answer of a reasoning: extracted by a second generation whose form is constrained, and compared by what it means.

Kojima et al. 2022, "Large Language Models are Zero-Shot Reasoners" (arXiv:2205.11916), extract in a second prompt; here
the answer's form is a grammar, so that there is always one to read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Literal, TypeVar

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.base.errors import UserError
from workbench.base.fields import about
from workbench.engine.inference_calls import Generated, GeneratedSequence
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart
from workbench.techniques.budget import Budget, Budgeted, Exhausted, mirrored
from workbench.techniques.context import AnswerContext, Ask
from workbench.techniques.prompting.final_answer import short_answer
from workbench.techniques.tools.arithmetic import ArithmeticProblem, evaluate
from workbench.text.metrics import normalise_answer

_T = TypeVar("_T")
AnswerForm = Literal["automatic", "text", "number", "expression", "choice", "schema"]

THEREFORE = "\n\nTherefore, the answer is:\n"
NUMBER = r"-?[0-9]{1,15}(\.[0-9]{1,6})?"
"""A number that a model writes. More decimals are mostly a loop: 40.5050505050."""
EXPRESSION = """root ::= term (" "? [-+*/] " "? term){0,12}
term ::= "-"? [0-9]{1,12} ("." [0-9]{1,6})? | "(" term (" "? [-+*/] " "? term){1,8} ")"
"""
_LETTERED = re.compile(r"^\s*\(?([A-Z])[.):]\s+\S", re.MULTILINE)
EXTRACTION_TOKENS = 48
TEXT_TOKENS = 256
RESERVE = 64
"""Tokens that a reasoning leaves for the extraction of its answer."""


class Extracting(Budgeted, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of strategies whose answer is extracted from a reasoning."""

    answer: Annotated[
        AnswerForm,
        about("Final answer"),
        "A final answer of this kind is extracted from the reasoning. Automatic takes the answer format of the recipe, "
        "or a letter where the question lists choices, or text.",
    ] = "automatic"
    choices: Annotated[
        tuple[str, ...],
        about("Choices", multiline=True, when="answer=choice"),
        "The final answer is one of these choices. Each line is one choice.",
    ] = ()
    schema: Annotated[
        str, about("Schema", multiline=True, when="answer=schema"), "The final answer is valid by this JSON schema."
    ] = ""


class Reasoned(Extracting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of strategies that write a reasoning before the answer."""

    trigger: Annotated[str, about("First words"), "Each reasoning begins with these words."] = (
        "Let's think step by step."
    )
    reasoning_tokens: Annotated[
        int,
        about("Length of a reasoning", ge=16, le=4096, unit="tokens"),
        "One reasoning has at most this number of tokens.",
    ] = 256


class Extraction(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer is extracted: its ``form``, the ``decoding`` that constrains it, and that of the ``reasoning``."""

    form: AnswerForm
    decoding: DecodingPart
    reasoning: DecodingPart
    choices: tuple[str, ...] = ()
    question: str = ""

    def ask(self, messages: Sequence[Message], reasoning: str, *, parent: str = "") -> Ask:
        """The generation that extracts. Its text begins with the reasoning where its form is constrained: ``read``
        takes what follows."""
        if self.form == "text":
            said = (Message("assistant", reasoning.strip()), Message("user", _FINALLY)) if reasoning.strip() else ()
            asked = (*messages, *said)
            return Ask(messages=asked, title=_TITLE, kind="extraction", parent=parent, decoding=self.decoding)
        return Ask(
            messages=messages,
            title=_TITLE,
            kind="extraction",
            parent=parent,
            decoding=self.decoding,
            assistant_start=self.start(reasoning),
        )

    def start(self, reasoning: str) -> str:
        """How the text of an extraction begins."""
        return "" if self.form == "text" else f"{reasoning.strip()}{THEREFORE}".lstrip()

    def read(self, text: str, reasoning: str) -> str:
        """The extracted answer."""
        return text.removeprefix(self.start(reasoning)).strip()

    def key(self, answer: str) -> str:
        """The same for answers that mean the same; "" for none."""
        return short_answer(answer, self.question) if self.form == "text" else normalised(answer, self.form)


_FORMS: dict[str, AnswerForm] = {"choice": "choice", "json_schema": "schema", "json": "schema"}
_TITLE = "Extract the answer"
_FINALLY = "Now give only the final answer."


def extraction_of(options: Extracting, messages: Sequence[Message], decoding: DecodingPart) -> Extraction:
    """How the answer to the last message is extracted. Raises UserError for a form without its choices or schema."""
    base = DecodingPart(temperature=0.0, repetition_penalty=1.0, max_tokens=EXTRACTION_TOKENS, seed=decoding.seed)
    reasoning = msgspec.structs.replace(decoding, format="text", grammar="")
    form, choices, question = options.answer, options.choices, messages[-1].content
    if form == "automatic":
        if decoding.format != "text":
            form = _FORMS.get(decoding.format, "number")
            constrained = msgspec.structs.replace(
                base, format=decoding.format, grammar=decoding.grammar, max_tokens=decoding.max_tokens
            )
            listed = tuple(filter(None, map(str.strip, decoding.grammar.splitlines()))) if form == "choice" else ()
            return Extraction(form=form, decoding=constrained, reasoning=reasoning, choices=listed, question=question)
        choices = tuple(dict.fromkeys(_LETTERED.findall(question)))
        form = "choice" if len(choices) > 1 else "text"
    match form:
        case "number":
            part = msgspec.structs.replace(base, format="regex", grammar=NUMBER)
        case "expression":
            part = msgspec.structs.replace(base, format="gbnf", grammar=EXPRESSION)
        case "choice":
            if not choices:
                raise UserError(
                    "The final answer is a choice, and there are no choices.", "Write one choice in each line."
                )
            part = msgspec.structs.replace(base, format="choice", grammar="\n".join(choices))
        case "schema":
            if not options.schema.strip():
                raise UserError("The final answer is JSON by a schema, and there is no schema.", "Write a JSON schema.")
            most = max(TEXT_TOKENS, decoding.max_tokens)
            part = msgspec.structs.replace(base, format="json_schema", grammar=options.schema, max_tokens=most)
        case _:
            part = msgspec.structs.replace(reasoning, max_tokens=min(TEXT_TOKENS, decoding.max_tokens))
    return Extraction(form=form, decoding=part, reasoning=reasoning, choices=choices, question=question)


def normalised(answer: str, form: AnswerForm) -> str:
    """An answer's meaning as a key: 1,000.0 is 1000, an expression its value, JSON without the order of its fields, a
    text as all answers are compared (``workbench.text.normalisation``)."""
    text = answer.strip()
    if form == "expression":
        try:
            return str(evaluate(text))
        except ArithmeticProblem:
            return "".join(text.split())
    if form == "schema":
        try:
            return json.dumps(json.loads(text), sort_keys=True)
        except ValueError:
            return text
    return normalise_answer(text) if any(map(str.isalnum, text)) else ""


def answer_of(text: str, thought: str, generated: Generated) -> Generated:
    """A strategy's answer, made by ``generated``, with its reasoning as its thought."""
    first = generated.sequences[0] if generated.sequences else GeneratedSequence(text=text)
    finish = first.finish if first.finish != "cancelled" else "length"
    sequence = msgspec.structs.replace(first, text=text, thought=thought, finish=finish)
    return msgspec.structs.replace(
        generated, text=text, thought=thought, finish=finish, sequences=(sequence,), prompt=()
    )


def reason_ask(messages: Sequence[Message], options: Reasoned, extraction: Extraction, title: str) -> Ask:
    """A generation that reasons in free text, whatever the form of the answer."""
    part = msgspec.structs.replace(extraction.reasoning, max_tokens=options.reasoning_tokens)
    return Ask(
        messages=messages,
        title=title,
        kind="reasoning",
        decoding=part,
        assistant_start=options.trigger,
    )


def conclude(
    messages: Sequence[Message],
    reasoning: str,
    extraction: Extraction,
    budget: Budget,
    context: AnswerContext,
    *,
    thought: str = "",
) -> Generator[Event, None, Generated]:
    """The answer after a reasoning; where the budget is used up, the last line of the reasoning. Its ``thought`` is the
    reasoning, unless there is more."""
    thought = thought or reasoning
    ask = extraction.ask(messages, reasoning)
    try:
        stream = budget.generate_one(ask, counts=False)
        if extraction.form == "text":
            stream = mirrored(stream, lambda text: events.TextDelta(text=text))
        made = yield from stream
    except Exhausted as spent:
        yield from context.note(budget.describe(spent.what))
        last = next((line for line in reversed(thought.splitlines()) if line.strip()), "")
        return answer_of(last, thought, Generated(text=last))
    return answer_of(extraction.read(made.text, reasoning), thought, made)


@contextmanager
def too_small() -> Iterator[None]:
    """A budget that does not suffice for the first thought is the person's to change."""
    try:
        yield
    except Exhausted as spent:
        raise UserError(
            f"The budget of {spent.what} does not suffice for a first thought.",
            "Raise the maximum of tokens, of thoughts or of time in the settings of the technique.",
        ) from spent


def thinking(stream: Generator[Event, None, _T]) -> Generator[Event, None, _T]:
    """The stream of steps whose text is shown as the answer's thought as well."""
    return mirrored(stream, lambda text: events.Thought(text=text))
