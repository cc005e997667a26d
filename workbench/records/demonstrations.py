"""Demonstrations: programs with tools that a person found right, perhaps after correcting them, and saved as examples.

Paranjape et al. 2023, ART (arXiv:2303.09014), section 3.3: people edit programs, and these join the task library.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Annotated

import msgspec
from msgspec import Meta

from workbench.base.errors import UserError
from workbench.base.stored import Stored
from workbench.records.thoughts import text_to_edit
from workbench.records.trace import Trace

MOST_DEMONSTRATIONS = 200
LONGEST_QUESTION, LONGEST_TEXT, MOST_STEPS = 4_000, 400, 16
THINK = "think"
"""The step that calls no tool."""

Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
_STEP = re.compile(r"Step \d+: ([^:\n]{1,40}): (.*)")
_ANSWER = "Answer: "


class DemonstrationStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A call of ``tool`` with its input and ``result``; the step "think" has no result."""

    tool: Annotated[str, Meta(max_length=40)]
    input: Text
    result: Text = ""


class Demonstration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question with the steps that lead to its answer. ``message`` is the answer that it was saved from."""

    id: str
    created: float
    question: Annotated[str, Meta(max_length=LONGEST_QUESTION)]
    steps: Annotated[tuple[DemonstrationStep, ...], Meta(min_length=1, max_length=MOST_STEPS)]
    answer: Text
    message: str = ""

    @property
    def tools(self) -> frozenset[str]:
        return frozenset(step.tool for step in self.steps) - {THINK}

    def program(self) -> str:
        """The steps, their results and the answer as lines, as the model writes them."""
        lines: list[str] = []
        for number, step in enumerate(self.steps, 1):
            lines.append(f"Step {number}: {step.tool}: {step.input}")
            if step.tool != THINK:
                lines.append(f"Result {number}: {step.result}")
        return "\n".join([*lines, f"{_ANSWER}{self.answer}"])


class DemonstrationFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's task library, the oldest first."""

    demonstrations: Annotated[tuple[Demonstration, ...], Meta(max_length=MOST_DEMONSTRATIONS)] = ()


DEMONSTRATIONS = Stored("task library of this home", DemonstrationFile)


def demonstration_of(question: str, answer: str, trace: Trace, *, message: str, created: float) -> Demonstration:
    """The program that the steps of an answer hold. Raises UserError for an answer without one, and for a program that
    is no example to follow: with a failed step, or without an answer."""
    steps: list[DemonstrationStep] = []
    said = " ".join(answer.split())
    for one in trace.steps:
        if one.kind == "line" and one.state == "done":
            line = text_to_edit(one)
            if line.startswith(_ANSWER):
                said = line.removeprefix(_ANSWER).strip() or said
            elif (found := _STEP.fullmatch(line)) is not None:
                steps.append(DemonstrationStep(tool=found[1], input=found[2].strip()))
        elif one.kind == "tool" and steps and one.title == steps[-1].tool:
            if one.error or one.state != "done":
                raise UserError(
                    f"The step {len(steps)} of this program failed: {one.error or one.state}.",
                    "Edit the step, so that the program goes on from there, and save the new answer.",
                )
            steps[-1] = msgspec.structs.replace(steps[-1], result=one.output)
    if not steps:
        raise UserError(
            "This answer was not made by a program with tools.",
            "Choose the technique Program with tools (ART) in the recipe, and ask again.",
        )
    if not said:
        raise UserError("This program has no answer.", "Edit its last step, so that it comes to one.")
    content = msgspec.json.encode([question.strip(), msgspec.to_builtins(steps), said])
    made = Demonstration(
        id=blake2b(content, digest_size=6).hexdigest(), created=created, question=question.strip(),
        steps=tuple(steps), answer=said, message=message,
    )  # fmt: skip
    try:
        return msgspec.convert(msgspec.to_builtins(made), Demonstration)
    except msgspec.ValidationError as error:
        raise UserError(
            f"This program cannot be a demonstration: {error}.", "Take a shorter question or program as an example."
        ) from error
