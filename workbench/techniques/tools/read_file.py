"""Read a text file of the workspace, a part at a time."""

from __future__ import annotations

from typing import Annotated

from workbench.techniques.tools.results import plain
from workbench.techniques.tools.services import ToolServices, ToolUnavailable
from workbench.techniques.tools.tool import LONGEST_OUTPUT, Tool, tool_from
from workbench.techniques.tools.workspace import Workspace

NO_FOLDER = "no workspace folder is chosen in the recipe."


def workspace_of(services: ToolServices) -> Workspace:
    """Raises ToolUnavailable without a folder."""
    if services.folder is None:
        raise ToolUnavailable(NO_FOLDER)
    return Workspace(services.folder)


def make(services: ToolServices) -> Tool:
    workspace = workspace_of(services)

    def read_file(
        path: Annotated[str, "relative to the workspace, such as notes/a.txt"],
        start: Annotated[int, "the first character to read, from 0"] = 0,
    ) -> str:
        """Read a text file of the workspace."""
        text = workspace.read(path)[max(0, start) :]
        return plain(text, LONGEST_OUTPUT) if text else "(nothing from there on)"

    return tool_from(read_file)
