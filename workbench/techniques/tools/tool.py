"""Tool: a typed function that a model can call, with its schema, its effects and its limits."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

import msgspec

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.records.agents import Effect, Output, ToolInfo
from workbench.records.messages import Passage

LONGEST_OUTPUT = 4_000
"""Characters of a result that the model sees."""


class ToolOutput(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a call. ``failed``: ``text`` says why there is none. ``passages`` are what a search has found,
    numbered from 1 in its ``text``; ``passages.numbered`` numbers them across the calls of an answer. ``question``: the
    call has no result before the person has answered this; ``Tool.answered`` gives it."""

    text: str = ""
    failed: bool = False
    passages: tuple[Passage, ...] = ()
    question: str = ""


class Tool(ToolInfo, frozen=True, kw_only=True):
    """A tool that can be run. ``run`` takes arguments that fit ``parameters`` and raises only errors.Cancelled: a
    failure is a ToolOutput. ``context`` is cancelled by Stop and at the deadline of ``seconds``. ``answered`` is as
    ``run`` with the person's answer to the ``question`` of an earlier result; None for a tool that asks none."""

    run: Callable[[dict[str, Any], RequestContext], ToolOutput]
    seconds: float = 30.0
    answered: Callable[[dict[str, Any], str, RequestContext], ToolOutput] | None = None


def schema_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The JSON schema of a function's parameters, from their annotations; ``Annotated[T, "help"]`` describes one,
    ``msgspec.Meta`` limits it. Raises TypeError for a parameter without annotation."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    for name, (kind, described) in _parameters(function).items():
        (schema,), _ = msgspec.json.schema_components([kind])
        properties[name] = schema | ({"description": described} if described else {})
        if inspect.signature(function).parameters[name].default is inspect.Parameter.empty:
            required.append(name)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _parameters(function: Callable[..., Any]) -> dict[str, tuple[Any, str]]:
    """The type of each parameter, with the limits of its ``msgspec.Meta``, and its description."""
    hints = typing.get_type_hints(function, include_extras=True)
    found: dict[str, tuple[Any, str]] = {}
    for name in inspect.signature(function).parameters:
        if name == "context":
            continue
        if name not in hints:
            raise TypeError(f"{function.__name__}: the parameter {name} has no annotation")
        kind, described = hints[name], ""
        if typing.get_origin(kind) is typing.Annotated:
            kind, *notes = typing.get_args(kind)
            described = next((note for note in notes if isinstance(note, str)), "")
            for note in notes:
                kind = typing.Annotated[kind, note] if isinstance(note, msgspec.Meta) else kind
        found[name] = kind, described
    return found


def tool_from(
    function: Callable[..., ToolOutput | str],
    *,
    name: str = "",
    effects: tuple[Effect, ...] = ("read",),
    output: Output = "untrusted",
    seconds: float = 30.0,
) -> Tool:
    """A tool from a typed function: its name, its docstring as the description, its annotations as the schema. Each
    argument is converted to the type of its parameter, such as a text to a date. A parameter ``context`` gets the
    RequestContext. A UserError that it raises is a failed result, and so is an argument of another type."""
    takes_context = "context" in inspect.signature(function).parameters
    parameters = _parameters(function)

    def run(arguments: dict[str, Any], context: RequestContext) -> ToolOutput:
        given: dict[str, Any] = {"context": context} if takes_context else {}
        for key, value in arguments.items():
            try:
                given[key] = msgspec.convert(value, parameters[key][0])
            except (KeyError, msgspec.ValidationError) as error:
                return ToolOutput(text=f"The argument {key} does not fit: {error}.", failed=True)
        try:
            made = function(**given)
        except UserError as error:
            return ToolOutput(text=f"{error.message} {error.hint}".strip(), failed=True)
        return made if isinstance(made, ToolOutput) else ToolOutput(text=made)

    return Tool(
        name=name or function.__name__,
        description=" ".join((inspect.getdoc(function) or "").split()),
        parameters=schema_of(function),
        effects=effects,
        output=output,
        run=run,
        seconds=seconds,
    )
