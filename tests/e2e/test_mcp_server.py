"""``workbench mcp serve`` as another program uses it: a real process over its standard input and output."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from workbench.base.launching import import_path
from workbench.base.paths import Home

mcp = pytest.importorskip("mcp")


def test_collections_and_recipes_are_offered_and_nothing_that_writes(home: Home, tmp_path: Path) -> None:
    recipe = tmp_path / "short answers.toml"
    recipe.write_text("schema = 3\n", "utf-8")
    parameters = mcp.StdioServerParameters(
        command=sys.executable,
        args=["-m", "workbench", "--home", str(home.root), "mcp", "serve", "--recipe", str(recipe)],
        env=import_path(),
    )

    async def use() -> None:
        async with mcp.Client(parameters) as client:
            tools = {one.name: one for one in (await client.list_tools()).tools}
            assert set(tools) == {
                "list_collections", "list_documents", "search_documents", "read_document", "ask_short_answers",
            }  # fmt: skip
            assert all(one.annotations and one.annotations.read_only_hint for one in tools.values())
            listed = await client.call_tool("list_collections", {})
            assert listed.content[0].text == "There are no collections."
            unknown = await client.call_tool("search_documents", {"collection": "x", "query": "y"})
            assert unknown.is_error
            assert "There is no collection 'x'" in unknown.content[0].text

    asyncio.run(use())
