"""Rows of the tools: a typed function each, made for a request by its module's ``make``.

To add one, put its module beside this one and its row into the table: docs/adding-a-tool.md.
"""

from __future__ import annotations

import msgspec

from workbench.records.methods import Method, Trait


class NoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tool without settings."""


def tool_row(
    name: str, title: str, summary: str, source: str = "", *, cost: str = "", traits: tuple[Trait, ...] = ()
) -> Method:
    """The row of the module ``name`` of this package, which is also the tool's name for the model; its
    ``make(services)`` returns the ``Tool`` or raises ToolUnavailable."""
    return Method(
        name=name,
        kind="tool",
        technique="agents",
        title=title,
        summary=summary,
        source=source,
        config=NoOptions,
        entry=f"workbench.techniques.tools.{name}:make",
        cost=cost,
        traits=traits,
    )


SEARCH, CALCULATOR = "search_documents", "calculator"
PYTHON, READER, TABLES = "run_python", "read_value", "query_table"
_COMPUTES: tuple[Trait, ...] = ("computes",)
_ASKS: tuple[Trait, ...] = ("asks documents",)

METHODS = (
    tool_row(CALCULATOR, "Calculator", "It computes the exact value of an arithmetic expression.", traits=_COMPUTES),
    tool_row(
        PYTHON,
        "Run Python",
        "It runs a short Python program in a sandbox, without files, network or your environment.",
        traits=_COMPUTES,
    ),
    tool_row(
        SEARCH,
        "Search documents",
        "It finds passages in the documents of the recipe, which the answer can cite.",
        traits=_ASKS,
    ),
    tool_row("read_document", "Read documents", "It reads a part of one of the documents of the recipe.", traits=_ASKS),
    tool_row(
        READER,
        "Read a value",
        "It finds one number, date or choice in a document or file. The agent sees the value alone, and not the text.",
        "Debenedetti et al. 2025, Defeating Prompt Injections by Design, arXiv:2503.18813",
        traits=(*_COMPUTES, *_ASKS),
    ),
    tool_row(
        TABLES,
        "Query tables",
        "It reads the tables (CSV, TSV, XLSX) in the documents of the recipe by SQL.",
        traits=(*_COMPUTES, *_ASKS),
    ),
    tool_row("list_files", "List files", "It lists the files of the workspace folder that you have chosen."),
    tool_row("read_file", "Read files", "It reads text files of the workspace folder."),
    tool_row("write_file", "Write files", "It writes text files into the workspace folder, after you have agreed."),
    tool_row("remember", "Remember", "It keeps a fact for later chats, after you have agreed."),
    tool_row("ask_person", "Ask me", "It asks you a question, and the answer waits until you have replied."),
)

COMPUTING = frozenset(row.name for row in METHODS if "computes" in row.traits)
"""The tools whose result is a value."""
