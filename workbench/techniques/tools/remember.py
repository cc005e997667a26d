"""Remember a fact about the person or their work, for later chats."""

from __future__ import annotations

from typing import Annotated

from workbench.base.errors import UserError
from workbench.techniques.tools.results import plain
from workbench.techniques.tools.services import ToolServices
from workbench.techniques.tools.tool import Tool, tool_from

LONGEST_FACT = 500


def make(services: ToolServices) -> Tool:
    def remember(fact: Annotated[str, "one sentence that is true later on, too"]) -> str:
        """Remember a fact that the person has told you, for later chats."""
        text = " ".join(plain(fact, LONGEST_FACT).split())
        if not text:
            raise UserError("There is nothing to remember.")
        return f"Remembered: {services.remember(text, 'an agent').text}"

    return tool_from(remember, effects=("write",), output="trusted")
