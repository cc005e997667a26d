"""The four parts of a prompt joined: instructions, context, input data, output indicator (promptingguide.ai, Elements).

``{{name}}`` is replaced in one pass, so that braces in a question or a value stay what they are. Pure functions of a
recipe's prompting part.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from workbench.base.errors import UserError
from workbench.base.fields import fields_of
from workbench.records.messages import Message, TextPart
from workbench.records.recipes.parts import PromptingPart

QUESTION = "question"
_VARIABLE = re.compile(r"(\\?)\{\{\s*([^\W\d]\w*)\s*\}\}")
_NAME = re.compile(r"[^\W\d]\w*")


def fill(template: str, values: Mapping[str, str], where: str) -> str:
    """The template with each ``{{name}}`` replaced by its value; ``\\{{name}}`` stays, without the backslash.

    Raises UserError that names an undefined variable, and the part ``where`` it stands.
    """

    def value(found: re.Match[str]) -> str:
        escaped, name = found.groups()
        if escaped:
            return found.group()[1:]
        if name not in values:
            known = ", ".join(sorted(values)) or "none"
            raise UserError(
                f"The variable {{{{{name}}}}} of the prompt's {where.lower()} is not defined.",
                f"Add a line {name}=… to the variables of the prompt, or write \\{{{{{name}}}}} for the text. "
                f"Defined: {known}.",
            )
        return values[name]

    return _VARIABLE.sub(value, template)


def literal(text: str) -> str:
    """A text as a part of a prompt that means itself: what looks like a variable in it is none."""
    return _VARIABLE.sub(lambda found: f"\\{found.group()}", text)


def unescaped(template: str) -> str:
    """The template as a text that ``literal`` makes a template of again: without the backslashes before braces."""
    return _VARIABLE.sub(lambda found: found.group().removeprefix("\\"), template)


def variables_of(part: PromptingPart) -> dict[str, str]:
    """The variables by their names. Raises UserError for an entry that is no ``name=value``, and for a name twice."""
    values: dict[str, str] = {}
    for entry in part.variables:
        name, sign, value = entry.partition("=")
        name = name.strip()
        if not sign or not _NAME.fullmatch(name):
            raise UserError(f"The variable {entry!r} is not of the form name=value.", "Write tone=formal, for example.")
        if name in values or name == QUESTION:
            raise UserError(f"The variable {name} is defined twice.", "Give it another name.")
        values[name] = value.strip()
    return values


def system_text(part: PromptingPart) -> str:
    """What the system message holds: the instructions, then the context. Raises UserError."""
    values = variables_of(part)
    filled = [_part(part, name, values).strip() for name in ("instructions", "context")]
    return "\n\n".join(text for text in filled if text)


def asked_text(part: PromptingPart, question: str) -> str:
    """A question as the model reads it: put as ``input`` says, followed by ``output``. Raises UserError."""
    values = {**variables_of(part), QUESTION: question}
    asked = _part(part, "input", values)
    if not any(name == QUESTION and not escaped for escaped, name in _VARIABLE.findall(part.input)):
        asked = f"{asked.rstrip()}\n\n{question}" if asked.strip() else question
    output = _part(part, "output", values).strip()
    return f"{asked.rstrip()}\n\n{output}" if output else asked


def written_out(part: PromptingPart) -> str:
    """The four parts as one text that a person can send. ``{{question}}`` and what is no variable stay as they are."""
    try:
        values = variables_of(part)
    except UserError:
        values = {}

    def value(found: re.Match[str]) -> str:
        escaped, name = found.groups()
        return found.group()[1:] if escaped else values.get(name, found.group())

    parts = (part.instructions, part.context, part.input, part.output)
    return "\n\n".join(_VARIABLE.sub(value, text).strip() for text in parts if text.strip())


def with_question_asked(part: PromptingPart, conversation: Sequence[Message]) -> tuple[Message, ...]:
    """The conversation with its last message as ``asked_text``."""
    *earlier, last = conversation
    if not part.input.strip() and not part.output.strip():
        return (*earlier, last)
    return (*earlier, Message.of_parts(last.role, [*last.images, TextPart(asked_text(part, last.content))]))


def check_parts(part: PromptingPart) -> None:
    """Raises UserError for parts that cannot be filled, before anything is computed."""
    system_text(part)
    asked_text(part, "")


def _part(part: PromptingPart, name: str, values: Mapping[str, str]) -> str:
    text: str = getattr(part, name)
    return fill(text, values, next(field.title for field in fields_of(PromptingPart) if field.name == name))


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A question and its answer, shown to the model before the question that is asked. ``number`` is its place in the
    question set, from 1."""

    number: int
    question: str
    answer: str


def example_messages(part: PromptingPart, examples: Sequence[Example]) -> list[Message]:
    """Each example as a question of the person and an answer of the model, in the form in which questions are put."""
    return [
        message
        for one in examples
        for message in (Message("user", asked_text(part, one.question)), Message("assistant", one.answer))
    ]


def with_examples(part: PromptingPart, messages: Sequence[Message], examples: Sequence[Example]) -> tuple[Message, ...]:
    """The messages with the examples after the system message, before everything else."""
    head = next((place for place, message in enumerate(messages) if message.role != "system"), len(messages))
    return (*messages[:head], *example_messages(part, examples), *messages[head:])
