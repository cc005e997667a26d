"""The tools of a recipe, made for one answer."""

from __future__ import annotations

from collections.abc import Generator

from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.errors import UserError
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
    of_servers = [name for name in part.tools if "." in name]
    for name in part.tools:
        if name in of_servers:
            continue
        if name not in _ROWS:
            raise UserError(f"There is no tool {name!r}.", f"Known: {', '.join(_ROWS) or 'none'}.")
        if context.tools is None:
            raise UserError(f"The tool {name} cannot be used here.", "Remove it from the recipe.")
        try:
            found[name] = _ROWS[name].load()(context.tools)
        except ToolUnavailable as reason:
            yield from context.note(f"The tool {_ROWS[name].title} is not available: {reason}")
    if of_servers and context.tools is not None:
        for tool in context.tools.server_tools(of_servers, RequestContext()):
            found[tool.name] = tool
    if context.guard is not None:
        return {name: context.guard.protect(tool, part.allowed) for name, tool in found.items()}
    return found
