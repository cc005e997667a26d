"""Solved examples of calls, which a small model sees before the question, as the prompts of ReAct did.

They are those of the task library (``resources/tasks``) that take only tools that the agent has, and a few that take
none. The ones most like the question are shown, the nearest last.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated

import msgspec

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.base.fields import about
from workbench.base.paths import RESOURCES
from workbench.records.agents import ToolCall
from workbench.records.messages import Message, TextPart, ThoughtPart
from workbench.techniques.agents.calling import Caller
from workbench.techniques.services import Similarities, compare
from workbench.techniques.tools.tool import Tool, ToolOutput

FOLDER = RESOURCES / "tasks"
PLAIN_SHARE = 4
"""At most one in so many examples takes no tool."""
SMALL = 1_000_000_000
"""Parameters: larger models need no examples."""
_NEEDS, _KNOWS = "I use {tool} for this.", "Now I know the answer."


class Demonstrated(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The setting that methods have in common."""

    examples: Annotated[
        int,
        about("Examples", ge=0, le=12),
        "A small model (below a billion parameters) sees this number of solved examples first.",
    ] = 4


class Demonstration(msgspec.Struct, frozen=True):
    """A question with its calls and the answer. A step is a tool's word and its input; ``think`` is a thought.
    ``results`` are given where the tool cannot compute them."""

    question: str
    answer: str
    steps: tuple[tuple[str, str], ...] = ()
    results: tuple[str, ...] = ()


class _Task(msgspec.Struct, frozen=True):
    examples: tuple[Demonstration, ...] = msgspec.field(name="example", default=())


class _Library(msgspec.Struct, frozen=True):
    tasks: tuple[_Task, ...] = msgspec.field(name="task", default=())


THINK = "think"
WITHOUT_TOOLS = (
    Demonstration("What is the capital of France?", "Paris."),
    Demonstration("Hello, who are you?", "I am an assistant. What can I do for you?"),
    Demonstration("What colour is the sky on a clear day?", "Blue."),
)


@cache
def library() -> tuple[Demonstration, ...]:
    """All of them. Raises UserError for a file that cannot be read."""
    found = list(WITHOUT_TOOLS)
    for path in sorted(FOLDER.glob("*.toml")):
        try:
            read = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _Library)
        except (OSError, ValueError) as error:
            raise UserError(
                f"The task library {path.name} cannot be read: {error}.", "Install the program again."
            ) from error
        found += [one for task in read.tasks for one in task.examples]
    return tuple(found)


def possible(tools: Mapping[str, Tool]) -> list[Demonstration]:
    """The examples that these tools can do; none where no tool is used in one."""
    able = [one for one in library() if all(word == THINK or _tool_of(word, tools) for word, _ in one.steps)]
    return able if any(word != THINK for one in able for word, _ in one.steps) else []


def nearest(
    question: str, able: Sequence[Demonstration], similarities: Similarities, count: int
) -> list[Demonstration]:
    """The examples that are most like a question, the nearest last."""
    scores = compare(question, [one.question.strip() for one in able], similarities)
    ranked = sorted(range(len(able)), key=lambda place: -scores[place])
    plain = [place for place in ranked if not able[place].steps][: count // PLAIN_SHARE]
    places = [place for place in ranked if able[place].steps or place in plain][:count]
    return [able[place] for place in reversed(places)]


def shown(
    chosen: Sequence[Demonstration], tools: Mapping[str, Tool], caller: Caller, *, thoughts: bool
) -> tuple[Message, ...]:
    """The examples as turns of a conversation, with their calls."""
    messages: tuple[Message, ...] = ()
    for one in chosen:
        messages = (*messages, Message("user", one.question.strip()))
        thought, results = "", list(one.results)
        for word, given in one.steps:
            tool = _tool_of(word, tools)
            if tool is None:
                thought = given
                continue
            call = ToolCall(tool=tool.name, arguments={_parameter_of(tool): given})
            output = ToolOutput(text=results.pop(0)) if results else tool.run(call.arguments, RequestContext())
            said = (thought or _NEEDS.format(tool=tool.name)) if thoughts else ""
            messages, thought = caller.with_call(messages, said, call, output), ""
        known = (ThoughtPart(_KNOWS),) if thoughts else ()
        messages = (*messages, Message.of_parts("assistant", (*known, TextPart(one.answer))))
    return messages


def _tool_of(word: str, tools: Mapping[str, Tool]) -> Tool | None:
    """The tool that a step means by a word of its name; one that takes a single text, and that computes its result or
    only reads."""
    fits = (tool for tool in tools.values() if word in tool.name.split("_") and not tool.acts)
    return next((tool for tool in fits if _parameter_of(tool)), None)


def _parameter_of(tool: Tool) -> str:
    """The name of a tool's only parameter, "" where it has several."""
    names = list(tool.parameters.get("properties", {}))
    return names[0] if len(names) == 1 else ""
