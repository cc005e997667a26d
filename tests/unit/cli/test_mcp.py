"""``workbench mcp``: servers and agreements, and what this program offers to others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes import passage
from tests.unit.cli.conftest import FakeFront, Ran
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.cli.mcp_server import Offered
from workbench.cli.session import Session
from workbench.records.agents import Approval, ToolCall
from workbench.records.answers import AskResult
from workbench.records.documents import Collection, SearchResult
from workbench.records.mcp import McpServer, McpTool
from workbench.records.recipes import Recipe
from workbench.subjects.agents.calls import (
    AgreeToMcpTools,
    ListMcpServers,
    McpServerList,
    McpServerRecord,
    McpToolRecord,
    RemoveMcpServer,
    SaveMcpServer,
)
from workbench.subjects.chats.calls import Ask, ChatRecord, DeleteChat
from workbench.subjects.documents.calls import CollectionList, ListCollections, SearchDocuments

Run = Callable[..., Ran]

SERVER = McpServer(name="box", command=("server", "-v"))
BOX = McpServerRecord(
    server=SERVER,
    tools=(
        McpToolRecord(name="box.add", definition=McpTool(name="add", description="Adds."), digest="d1", state="new"),
        McpToolRecord(
            name="box.send", definition=McpTool(name="send", description="Sends\x1b[31m."), digest="d2", state="changed"
        ),
    ),
    left_out=("a b: its name is not one of letters.",),
)


@pytest.fixture
def servers(front: FakeFront) -> FakeFront:
    front.answer(ListMcpServers, McpServerList(servers=(BOX,)))
    front.answer(SaveMcpServer, BOX)
    front.answer(AgreeToMcpTools, BOX)
    front.answer(RemoveMcpServer, None)
    return front


def test_servers_are_listed_with_what_changed(run: Run, servers: FakeFront) -> None:
    lines = run("mcp", "list").out.splitlines()
    assert lines == [
        "box: server -v",
        "TOOL      STATE       WHAT THE SERVER SAYS OF IT",
        "box.add   not agreed  Adds.",
        "box.send  CHANGED     Sends[31m.",
        "  left out: a b: its name is not one of letters.",
    ]
    servers.answer(ListMcpServers, McpServerList(problem="the package mcp is not installed."))
    assert "not installed" in run("mcp", "list", "--offline").out
    assert [one.connect for one in servers.asked(ListMcpServers)] == [True, False]


def test_a_server_is_added_with_its_command_or_address(run: Run, servers: FakeFront) -> None:
    run("mcp", "add", "--variable", "KEY=a=b", "--folder", "/notes", "box", "--", "server", "-v")
    run("mcp", "add", "web", "--url", "https://x.org/mcp", "--header", "Authorization=Bearer x")
    one, two = (call.server for call in servers.asked(SaveMcpServer))
    assert one == McpServer(name="box", command=("server", "-v"), environment={"KEY": "a=b"}, folder="/notes")
    assert two == McpServer(name="web", url="https://x.org/mcp", headers={"Authorization": "Bearer x"})
    assert run("mcp", "add", "box", "--variable", "KEY").status == 1


def test_tools_are_agreed_to_by_the_definitions_that_were_shown(run: Run, servers: FakeFront) -> None:
    run("mcp", "agree", "box")
    run("mcp", "agree", "box", "add")
    run("mcp", "agree", "box", "add", "--reads", "send")
    given = [(one.digests, one.reads) for one in servers.asked(AgreeToMcpTools)]
    assert given == [(("d1", "d2"), ()), (("d1",), ()), (("d1", "d2"), ("d2",))]
    assert "has no tool 'x'" in run("mcp", "agree", "box", "x").err
    assert "no MCP server 'other'" in run("mcp", "agree", "other").err


def test_definitions_are_shown_and_servers_removed(run: Run, servers: FakeFront) -> None:
    assert "box.send (CHANGED, d2)\nSends[31m." in run("mcp", "show", "box").out
    assert run("mcp", "remove", "box").out == "box was removed.\n"


# -- this program as a server ----------------------------------------------------------------------------


@pytest.fixture
def offered(front: FakeFront, tmp_path: Path) -> Iterator[Offered]:
    session = Session(Home(tmp_path), lambda home: front)
    known = (Collection(id="1", name="papers"), Collection(id="2", name="taxes"))
    front.answer(ListCollections, CollectionList(collections=known))
    front.answer(SearchDocuments, SearchResult(hits=(passage("It\x1b leaks."),), revision=1))
    yield Offered(session, ("papers",), {"ask_short": Recipe()})
    session.close()


def test_only_what_is_offered_is_searched(offered: Offered, front: FakeFront) -> None:
    assert offered.list_collections() == "papers: 0 documents"
    assert offered.search_documents("papers", "leak", 999) == "[1] pump, characters 0-10\nIt leaks."
    assert front.asked(SearchDocuments)[0].limit == 20
    with pytest.raises(UserError, match="no collection 'taxes'"):
        offered.search_documents("taxes", "income")


def test_a_question_leaves_no_chat_behind(offered: Offered, front: FakeFront) -> None:
    front.answer(Ask, AskResult(answer="It leaks.", chat="c1"))
    front.answer(DeleteChat, ChatRecord(id="c1", title="What?", created=1.0, updated=1.0))
    assert offered.ask("ask_short", "What?") == "It leaks."
    waiting = Approval(step="1", call=ToolCall(tool="write_file"))
    front.answer(Ask, AskResult(answer="", chat="c2", waiting=waiting))
    assert "confirmation" in offered.ask("ask_short", "Write!")
    assert [one.chat for one in front.asked(DeleteChat)] == ["c1", "c2"]
