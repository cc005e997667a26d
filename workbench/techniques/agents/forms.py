"""Forms: how tools, calls and results are written in a prompt.

A form turns a history, in which calls and results are message parts, into the messages and the beginning of an answer
from which the model writes the next thought, name or arguments. Each prompt extends the one before it, so that the
engine's prefix cache has all but the end. ``react`` is one growing answer (Yao et al. 2022, arXiv:2210.03629); ``json``
has a turn for each call and each result.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.engine.inference_calls import AssistantStart, Marker
from workbench.records.agents import ToolInfo
from workbench.records.messages import Message, ThoughtPart, ToolCallPart
from workbench.techniques.agents.agent import FINAL

_REACT = """You can use these tools:

{tools}

Work in this form:
Thought: what to do next
Action: the name of a tool, or {final} to answer
Action Input: the arguments as JSON
Observation: the result of the tool
(as often as needed)
Thought: what is known now
Action: {final}
Answer: the answer to the question"""

_JSON = """You can use these tools:

{tools}

To use one, reply with JSON: {{"name": "the tool", "arguments": {{...}}}}. Its result follows. Reply with the name \
"{final}" to answer."""


class Form(ABC):
    """How tools, calls and results are written. ``stops`` end a thought, ``answer_stops`` an answer; ``name_end``
    follows a name."""

    stops: tuple[str, ...] = ("\n",)
    answer_stops: tuple[str, ...] = ()
    name_end = "\n"

    def definitions(self, tools: Mapping[str, ToolInfo]) -> tuple[dict[str, Any], ...]:
        """The tools as the chat template takes them; () where ``messages`` describe them."""
        return ()

    @abstractmethod
    def messages(self, history: Sequence[Message], tools: Mapping[str, ToolInfo]) -> tuple[Message, ...]:
        """The messages before the answer that the model writes."""

    @abstractmethod
    def thought(self, history: Sequence[Message], step_text: str = "") -> AssistantStart:
        """The answer up to where a thought begins."""

    @abstractmethod
    def name(self, history: Sequence[Message], thought: str) -> AssistantStart:
        """Up to where the name of a tool begins."""

    @abstractmethod
    def arguments(self, history: Sequence[Message], thought: str, name: str) -> AssistantStart:
        """Up to where a tool's arguments begin."""

    @abstractmethod
    def answer(self, history: Sequence[Message], thought: str) -> AssistantStart:
        """Up to where the final answer begins."""


class ReactForm(Form):
    """Lines of one answer: Thought, Action, Action Input, Observation."""

    answer_stops = ("\nObservation:", "\nThought:", "\nAction:")

    def messages(self, history: Sequence[Message], tools: Mapping[str, ToolInfo]) -> tuple[Message, ...]:
        end = _turn(history)
        shown = _with_system(history[:end], _REACT.format(tools=describe(tools), final=FINAL))
        return tuple(_as_text(shown))

    def thought(self, history: Sequence[Message], step_text: str = "") -> AssistantStart:
        note = f"({step_text})\n" if step_text else ""
        return _literal(f"{_transcript(history[_turn(history) :])}{note}Thought:")

    def name(self, history: Sequence[Message], thought: str) -> AssistantStart:
        return _literal(f"{self._begun(history, thought)}Action:")

    def arguments(self, history: Sequence[Message], thought: str, name: str) -> AssistantStart:
        return _literal(f"{self._begun(history, thought)}Action: {name}\nAction Input: ")

    def answer(self, history: Sequence[Message], thought: str) -> AssistantStart:
        return _literal(f"{self._begun(history, thought)}Action: {FINAL}\nAnswer:")

    def _begun(self, history: Sequence[Message], thought: str) -> str:
        return _transcript(history[_turn(history) :]) + _thought_line(thought)


class JsonForm(Form):
    """Calls as JSON objects, each a turn of the assistant; results as turns of the user."""

    name_end = '"'

    def messages(self, history: Sequence[Message], tools: Mapping[str, ToolInfo]) -> tuple[Message, ...]:
        shown = _with_system(history, _JSON.format(tools=describe(tools), final=FINAL))
        folded: list[Message] = []
        for message in shown:
            if message.tool_calls:
                calls = [f'{{"name": "{call.name}", "arguments": {call.arguments}}}' for call in message.tool_calls]
                folded.append(Message("assistant", "\n".join(filter(None, (message.content, *calls)))))
            elif message.role == "tool":
                name = message.tool_result.name if message.tool_result is not None else ""
                folded.append(Message("user", f"Result of {name or 'the tool'}: {message.content}"))
            else:
                folded.append(message)
        return tuple(folded)

    def thought(self, history: Sequence[Message], step_text: str = "") -> AssistantStart:
        return _literal(f"({step_text}) " if step_text else "")

    def name(self, history: Sequence[Message], thought: str) -> AssistantStart:
        return _literal(self._begun(thought) + '{"name": "')

    def arguments(self, history: Sequence[Message], thought: str, name: str) -> AssistantStart:
        return _literal(self._begun(thought) + f'{{"name": "{name}", "arguments": ')

    def answer(self, history: Sequence[Message], thought: str) -> AssistantStart:
        return _literal(self._begun(thought))

    def _begun(self, thought: str) -> str:
        return f"{thought}\n" if thought else ""


def describe(tools: Mapping[str, ToolInfo]) -> str:
    """Names, descriptions and schemas, one tool a line."""
    lines = []
    for tool in tools.values():
        parameters = json.dumps(_readable(tool.parameters), ensure_ascii=False)
        lines.append(f"{tool.name}: {tool.description} Arguments: {parameters}")
    return "\n".join(lines) or "(none)"


def _readable(schema: Any) -> Any:
    """A schema without patterns, which are for constraining and not for reading."""
    if isinstance(schema, list):
        return [_readable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    hidden = isinstance(schema.get("pattern"), str)  # a property may have that name
    return {key: _readable(value) for key, value in schema.items() if not (hidden and key == "pattern")}


def _literal(text: str) -> AssistantStart:
    return (Marker(text, literal=True),) if text else ""


def _turn(history: Sequence[Message]) -> int:
    """Where the answer to the last question begins: after the last message of the user."""
    return max((place + 1 for place, one in enumerate(history) if one.role == "user"), default=len(history))


def _with_system(history: Sequence[Message], rules: str) -> list[Message]:
    head = [one.content for one in history if one.role == "system"]
    return [Message("system", "\n\n".join([*head, rules])), *(one for one in history if one.role != "system")]


def _thought_line(thought: str) -> str:
    return f"Thought: {thought}\n" if thought else ""


def _transcript(messages: Sequence[Message]) -> str:
    """Calls and results as the lines of ReAct."""
    lines = []
    for message in messages:
        if message.role == "tool":
            lines.append(f"Observation: {message.content.strip()}\n")
        elif message.tool_calls:
            lines.append(_thought_line(message.content.strip()))
            lines += [_call_lines(call) for call in message.tool_calls]
        elif lines:
            thought = next((part.text for part in message.parts if isinstance(part, ThoughtPart)), "")
            lines.append(f"{_thought_line(thought)}Action: {FINAL}\nAnswer: {message.content.strip()}\n")
        else:
            lines.append(f"{message.content.strip()}\n")
    return "".join(lines)


def _call_lines(call: ToolCallPart) -> str:
    return f"Action: {call.name}\nAction Input: {call.arguments}\n"


def _as_text(messages: Sequence[Message]) -> list[Message]:
    """Earlier turns with their calls and results as text of the assistant."""
    shown: list[Message] = []
    waiting: list[Message] = []
    for message in messages:
        if message.role in ("assistant", "tool"):
            waiting.append(message)
            continue
        if waiting:
            shown.append(Message("assistant", _transcript(waiting).strip()))
            waiting = []
        shown.append(message)
    return [*shown, Message("assistant", _transcript(waiting).strip())] if waiting else shown
