"""The tools of a recipe, made for one answer."""

from __future__ import annotations

from collections.abc import Generator

from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.records.recipes import AgentPart
from workbench.techniques.context import AnswerContext
from workbench.techniques.tools.methods import METHODS
from workbench.techniques.tools.services import ToolUnavailable
from workbench.techniques.tools.tool import Tool

_ROWS = {row.name: row for row in METHODS}


def open_tools(part: AgentPart, context: AnswerContext) -> Generator[Event, None, dict[str, Tool]]:
    """The tools that a recipe names, by name, behind the answer's guard; one that cannot run here is left out with a
    notice that says why. Raises UserError for a name that is not known."""
    found: dict[str, Tool] = {}
    for name in part.tools:
        of_server = "." in name
        if not of_server and name not in _ROWS:
            raise UserError(f"There is no tool {name!r}.", f"Known: {', '.join(_ROWS) or 'none'}.")
        if context.agent.tools is None:
            raise UserError(f"The tool {name} cannot be used here.", "Remove it from the recipe.")
        try:
            if of_server:
                found[name] = context.agent.tools.server_tool(name, RequestContext())
            else:
                found[name] = _ROWS[name].load()(context.agent.tools)
        except ToolUnavailable as reason:
            title = name if of_server else _ROWS[name].title
            yield from context.note(f"The tool {title} is not available: {reason}")
    if context.agent.guard is not None:
        return {name: context.agent.guard.protect(tool, part.allowed) for name, tool in found.items()}
    return found
