"""Write a text file into the workspace."""

from __future__ import annotations

from typing import Annotated

from workbench.base.counting import counted
from workbench.techniques.tools.read_file import workspace_of
from workbench.techniques.tools.services import ToolServices
from workbench.techniques.tools.tool import Tool, tool_from


def make(services: ToolServices) -> Tool:
    workspace = workspace_of(services)

    def write_file(
        path: Annotated[str, "relative to the workspace, such as notes/a.txt"],
        text: Annotated[str, "the whole content of the file"],
    ) -> str:
        """Write a text file of the workspace; an existing one is replaced."""
        replaced = workspace.write(path, text)
        return f"{path} was {'replaced' if replaced else 'written'}: {counted(len(text), 'character')}."

    return tool_from(write_file, effects=("write",), output="trusted")
