"""The form of the model's own chat template: calls stand between the marks that it was trained on.

The marks are control tokens where the model has such (``Marker``); names and arguments are not. A thought is text
before the call, where the template keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.engine.inference_calls import AssistantStart, Marker
from workbench.engine.tool_format import BLANK, ToolFormat
from workbench.records.agents import ToolInfo
from workbench.records.messages import Message
from workbench.techniques.agents.agent import FINAL
from workbench.techniques.agents.forms import Form

ANSWERING = ToolInfo(name=FINAL, description="Answer the user, once no other tool is needed.", parameters={})
_MARKS = ("<", "[", "＜", "｜")


class NativeForm(Form):
    """Calls as ``tool_format`` says."""

    def __init__(self, tool_format: ToolFormat) -> None:
        self.tool_format = tool_format
        self.name_end = _first_text(tool_format.named)
        self.tagged = tool_format.style == "tagged"

    def definitions(self, tools: Mapping[str, ToolInfo]) -> tuple[dict[str, Any], ...]:
        return tuple(_definition(tool) for tool in (*tools.values(), ANSWERING))

    def messages(self, history: Sequence[Message], tools: Mapping[str, ToolInfo]) -> tuple[Message, ...]:
        return tuple(history)

    def thought(self, history: Sequence[Message], step_text: str = "") -> AssistantStart:
        return (Marker(f"({step_text}) ", literal=True),) if step_text else ""

    def name(self, history: Sequence[Message], thought: str) -> AssistantStart:
        if thought and self.tool_format.follows:
            return (Marker(thought, literal=True), Marker(self.tool_format.follows))
        return (Marker(self.tool_format.begins),) if self.tool_format.begins else ()

    def arguments(self, history: Sequence[Message], thought: str, name: str) -> AssistantStart:
        before = self._named(history, thought, name)
        return before if self.tagged else (*before, *filled(self.tool_format.named, name))

    def answer(self, history: Sequence[Message], thought: str) -> AssistantStart:
        return (Marker(f"{thought}\n", literal=True),) if thought else ""

    def _named(self, history: Sequence[Message], thought: str, name: str) -> tuple[str | Marker, ...]:
        start = self.name(history, thought)
        shown = name
        if self.tool_format.by_id:
            number = sum(len(message.tool_calls) for message in history)
            shown = self.tool_format.call_id(name, number)
        return (*start, Marker(shown, literal=True))


def filled(text: str, name: str) -> tuple[Marker, ...]:
    """The template's own text with a name in it, which is none of its marks."""
    pieces = [piece for part in text.split(BLANK) for piece in (Marker(part), Marker(name, literal=True))][:-1]
    return tuple(piece for piece in pieces if piece.text)


def _definition(tool: ToolInfo) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {}, "required": []} | tool.parameters
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": parameters},
    }


def _first_text(text: str) -> str:
    """The first character of what follows a name, where it is no mark that may be a control token."""
    return "" if text[:1] in _MARKS else text[:1]
