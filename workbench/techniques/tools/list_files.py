"""List the files of the workspace, a folder at a time."""

from __future__ import annotations

from typing import Annotated

from workbench.techniques.tools.read_file import workspace_of
from workbench.techniques.tools.results import one_line, plain
from workbench.techniques.tools.services import ToolServices
from workbench.techniques.tools.tool import LONGEST_OUTPUT, Tool, tool_from


def make(services: ToolServices) -> Tool:
    workspace = workspace_of(services)

    def list_files(folder: Annotated[str, "a folder of the workspace; empty: the workspace itself"] = "") -> str:
        """List the files and folders of the workspace."""
        entries, more = workspace.list_folder(folder)
        lines = [f"{one_line(one.name, 200)}{'/' if one.is_folder else f' ({one.bytes:,} bytes)'}" for one in entries]
        lines += ["(there are more)"] if more else []
        return plain("\n".join(lines), LONGEST_OUTPUT) or "(empty)"

    return tool_from(list_files)
