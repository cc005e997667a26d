"""Ask the person: the agent's run waits for their answer."""

from __future__ import annotations

from typing import Annotated

import msgspec

from workbench.techniques.tools.results import plain
from workbench.techniques.tools.services import ToolServices
from workbench.techniques.tools.tool import LONGEST_OUTPUT, Tool, ToolOutput, tool_from

LONGEST_QUESTION = 1_000


def ask_person(question: Annotated[str, "one short question"]) -> ToolOutput:
    """Ask the person something that only they know."""
    asked = plain(question, LONGEST_QUESTION).strip()
    if not asked:
        return ToolOutput(text="The question is empty.", failed=True)
    return ToolOutput(question=asked)


def make(services: ToolServices) -> Tool:
    asking = tool_from(ask_person, output="trusted")
    return msgspec.structs.replace(
        asking, answered=lambda arguments, answer, context: ToolOutput(text=plain(answer, LONGEST_OUTPUT))
    )
