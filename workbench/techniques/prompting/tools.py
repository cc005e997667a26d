"""The tools of a program: a calculator, a search in the documents, queries to a table in the question.

A result is data. It is one line of printable characters, cut to ``LONGEST_RESULT``: whatever stands in a document or a
table cannot begin a line of the program, and with it no step and no answer.
"""

from __future__ import annotations

import csv
import re
import sqlite3
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from workbench.api.calls import SearchResult
from workbench.records.messages import Passage
from workbench.techniques.tools.arithmetic import ArithmeticProblem, evaluate, show

LONGEST_RESULT = 400
PASSAGES = 2
LONGEST_PASSAGE = 180
MOST_ROWS, MOST_COLUMNS, MOST_SHOWN = 5_000, 50, 5
QUERY_S = 1.0

EXPRESSION = r"\(?-?[0-9]{1,12}(\.[0-9]{1,6})?\)?( [-+*/] \(?-?[0-9]{1,12}(\.[0-9]{1,6})?\)?){0,6}"
LINE = r"[^\n]{2,120}"


class Searcher(Protocol):
    """What a search asks of a recipe's documents."""

    def search(self, query: str, limit: int) -> SearchResult: ...


class ToolResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool gives back, as one line; ``failed``: why there is none. ``passages`` are what a search has found."""

    text: str
    failed: bool = False
    passages: tuple[Passage, ...] = ()


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """``form`` is the regular expression of the tool's input."""

    name: str
    help: str
    form: str
    run: Callable[[str], ToolResult]


def one_line(text: str, longest: int = LONGEST_RESULT) -> str:
    """A text as a single line of printable characters: line ends, control and format characters become spaces."""
    cut = text[: 4 * longest]
    plain = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in cut)
    line = " ".join(plain.split())
    return line if len(line) <= longest and len(text) <= len(cut) else f"{line[: longest - 1].rstrip()}…"


def tools_for(question: str, retriever: Searcher | None) -> dict[str, Tool]:
    """The tools that a question has: documents need a retriever, and a table has to stand in it."""
    found = [Tool(name="calculator", help="the value of an arithmetic expression", form=EXPRESSION, run=calculate)]
    if retriever is not None:
        found.append(
            Tool(name="search", help="what the documents say", form=LINE, run=lambda query: look_up(query, retriever))
        )
    table = read_table(question)
    if table is not None:
        columns = ", ".join(table[0])
        text = f"SQL on the table t with the columns {columns}"
        found.append(
            Tool(name="table", help=text, form=r"select [^\n]{3,160}", run=lambda sql: query_table(sql, table))
        )
    return {tool.name: tool for tool in found}


def calculate(expression: str) -> ToolResult:
    try:
        return ToolResult(text=show(evaluate(expression)))
    except ArithmeticProblem as problem:
        return ToolResult(text=f"error: {one_line(str(problem))}", failed=True)


def look_up(query: str, retriever: Searcher) -> ToolResult:
    hits = retriever.search(query, PASSAGES).hits
    texts = [one_line(hit.text, LONGEST_PASSAGE) for hit in hits]
    if not texts:
        return ToolResult(text="nothing found", failed=True)
    return ToolResult(text=one_line(" | ".join(texts)), passages=tuple(hits))


# -- tables ------------------------------------------------------------------------------------------------

Table = tuple[tuple[str, ...], list[tuple[str | float | None, ...]]]
"""The names of the columns, and the rows."""

_RULE = re.compile(r"^\s*\|?[\s:|-]+\|?\s*$")
_ALLOWED = {
    sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE,
}  # fmt: skip
_FUNCTIONS = {
    "sum", "count", "avg", "min", "max", "total", "abs", "round", "lower", "upper", "length", "substr", "coalesce",
    "group_concat", "like", "ifnull", "nullif", "trim", "instr", "replace", "sign",
}  # fmt: skip


def read_table(text: str) -> Table | None:
    """The first table of a text, as Markdown or with commas, semicolons or tabs; None without one."""
    lines = text.splitlines()
    for start in range(len(lines) - 1):
        for cells in (_markdown, *(_separated(sign) for sign in "\t;,")):
            rows = _rows(lines[start:], cells)
            if rows is not None:
                return _typed(rows)
    return None


def _rows(lines: Sequence[str], cells: Callable[[str], list[str] | None]) -> list[list[str]] | None:
    """Lines with as many cells as the first, at least two of both."""
    rows: list[list[str]] = []
    for line in lines[: MOST_ROWS + 2]:
        if rows and _RULE.match(line) and "-" in line:
            continue
        row = cells(line)
        if row is None or len(row) < 2 or (rows and len(row) != len(rows[0])):
            break
        rows.append(row)
    return rows if len(rows) > 1 and len(rows[0]) <= MOST_COLUMNS else None


def _markdown(line: str) -> list[str] | None:
    stripped = line.strip()
    return [cell.strip() for cell in stripped.strip("|").split("|")] if stripped.startswith("|") else None


def _separated(sign: str) -> Callable[[str], list[str] | None]:
    def cells(line: str) -> list[str] | None:
        if sign not in line or line.strip().endswith((".", "?", "!", ":")):
            return None
        return [cell.strip() for cell in next(csv.reader([line], delimiter=sign), [])]

    return cells


def _typed(rows: list[list[str]]) -> Table:
    names: dict[str, None] = {}
    for place, title in enumerate(rows[0]):
        name = re.sub(r"\W+", "_", title.strip().lower()).strip("_") or f"column_{place + 1}"
        while name in names or name[0].isdigit():
            name = f"c_{name}"
        names[name] = None
    return tuple(names), [tuple(map(_value, row)) for row in rows[1:]]


def _value(cell: str) -> str | float | None:
    try:
        return float(cell.replace(",", "")) if re.fullmatch(r"-?[\d,]+(\.\d+)?", cell) else cell or None
    except ValueError:
        return cell


def query_table(sql: str, table: Table) -> ToolResult:
    """The rows that a query selects of the table ``t``. Nothing else can be read, and nothing be written."""
    columns, rows = table
    connection = sqlite3.connect(":memory:")
    try:
        quoted = ", ".join(f'"{name}"' for name in columns)
        connection.execute(f"create table t ({quoted})")
        connection.executemany(f"insert into t values ({', '.join('?' * len(columns))})", rows)
        ends = time.monotonic() + QUERY_S
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1_000_000)
        connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, 1_000)
        connection.set_authorizer(_authorize)
        connection.set_progress_handler(lambda: time.monotonic() > ends, 1_000)
        found = connection.execute(sql).fetchmany(MOST_SHOWN)
    except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
        return ToolResult(text=f"error: {one_line(str(error))}", failed=True)
    finally:
        connection.close()
    if not found:
        return ToolResult(text="no rows", failed=True)
    return ToolResult(text=one_line("; ".join(", ".join(map(_shown, row)) for row in found)))


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_OK if (second or "").lower() in _FUNCTIONS else sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_READ and (first or "").lower().startswith("sqlite_"):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.10g}"
    return "" if value is None else str(value)


def describe(tools: Mapping[str, Tool]) -> str:
    """The tools as the model reads them."""
    return "\n".join(f"- {tool.name}: {tool.help}" for tool in tools.values())
