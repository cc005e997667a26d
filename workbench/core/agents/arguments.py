"""A tool by its name, and whether arguments that a person gives fit it."""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.api.protocol import RequestContext
from workbench.errors import UserError
from workbench.techniques.decoding.validation import json_problem
from workbench.techniques.registry import METHODS
from workbench.techniques.tools.services import ToolServices, ToolUnavailable
from workbench.techniques.tools.tool import Tool


def tool_named(name: str, services: ToolServices, context: RequestContext) -> Tool:
    """Raises UserError for a tool that is not known, or cannot run here."""
    row = None if "." in name else METHODS.find(name, "tool")
    try:
        made: Tool = services.server_tool(name, context) if row is None else row.load()(services)
    except ToolUnavailable as reason:
        title = name if row is None else row.title
        raise UserError(f"The tool {title} is not available: {reason}") from reason
    return made


def check_arguments(tool: Tool, arguments: dict[str, Any]) -> None:
    """Raises UserError where they do not fit the tool's schema."""
    problem = json_problem(msgspec.json.encode(arguments).decode(), tool.parameters)
    if problem:
        known = ", ".join(tool.parameters.get("properties", {})) or "none"
        raise UserError(f"The arguments of {tool.name} do not fit: {problem}", f"It takes: {known}.")
