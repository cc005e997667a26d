"""The tools of a program: a calculator, a search in the documents, queries to a table in the question.

A result is data. It is one line of printable characters, cut to ``LONGEST_RESULT``: whatever stands in a document or a
table cannot begin a line of the program, and with it no step and no answer.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence

import msgspec

from workbench.reading.table_query import Database, QueryProblem, Table, table_of
from workbench.techniques.tools.calculator import calculator
from workbench.techniques.tools.results import one_line
from workbench.techniques.tools.search_documents import Searcher, find
from workbench.techniques.tools.tool import ToolOutput

LONGEST_RESULT = 400
PASSAGES = 2
LONGEST_PASSAGE = 180
CALCULATOR = calculator.__name__
MOST_ROWS, MOST_COLUMNS, MOST_SHOWN = 5_000, 50, 5
TABLE = "t"
"""The name of the table in a question, for its queries."""

EXPRESSION = r"\(?-?[0-9]{1,12}(\.[0-9]{1,6})?\)?( [-+*/] \(?-?[0-9]{1,12}(\.[0-9]{1,6})?\)?){0,6}"
LINE = r"[^\n]{2,120}"


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """``form`` is the regular expression of the tool's input."""

    name: str
    help: str
    form: str
    run: Callable[[str], ToolOutput]


def tools_for(question: str, retriever: Searcher | None) -> dict[str, Tool]:
    """The tools that a question has: documents need a retriever, and a table has to stand in it."""
    found = [Tool(name=CALCULATOR, help="the value of an arithmetic expression", form=EXPRESSION, run=calculate)]
    if retriever is not None:
        found.append(
            Tool(name="search", help="what the documents say", form=LINE, run=lambda query: look_up(query, retriever))
        )
    table = read_table(question)
    if table is not None:
        columns = ", ".join(table.columns)
        text = f"SQL on the table {TABLE} with the columns {columns}"
        found.append(
            Tool(name="table", help=text, form=r"select [^\n]{3,160}", run=lambda sql: query_table(sql, table))
        )
    return {tool.name: tool for tool in found}


def calculate(expression: str) -> ToolOutput:
    return _line(calculator(expression))


def look_up(query: str, searcher: Searcher) -> ToolOutput:
    passages = find(searcher, query, PASSAGES, LONGEST_PASSAGE)
    if not passages:
        return ToolOutput(text="nothing found", failed=True)
    text = " | ".join(one_line(one.text, LONGEST_PASSAGE) for one in passages)
    return ToolOutput(text=one_line(text, LONGEST_RESULT), passages=tuple(passages))


def query_table(sql: str, table: Table) -> ToolOutput:
    """The rows that a query selects of a table, of which it can only read."""
    database = Database([table])
    try:
        found = database.query(sql, MOST_SHOWN)
    except QueryProblem as problem:
        return _line(ToolOutput(text=str(problem), failed=True))
    finally:
        database.close()
    if not found.rows:
        return ToolOutput(text="no rows", failed=True)
    return ToolOutput(text=one_line("; ".join(", ".join(row) for row in found.rows), LONGEST_RESULT))


def _line(output: ToolOutput) -> ToolOutput:
    """A result as one line of the program."""
    text = one_line(output.text, LONGEST_RESULT)
    return ToolOutput(text=f"error: {text}" if output.failed else text, failed=output.failed)


# -- tables ------------------------------------------------------------------------------------------------

_RULE = re.compile(r"^\s*\|?[\s:|-]+\|?\s*$")


def read_table(text: str) -> Table | None:
    """The first table of a text, named ``TABLE``, as Markdown or with commas, semicolons or tabs; None without one."""
    lines = text.splitlines()
    for start in range(len(lines) - 1):
        for cells in (_markdown, *(_separated(sign) for sign in "\t;,")):
            rows = _rows(lines[start:], cells)
            if rows is not None:
                return table_of(TABLE, rows)
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


def describe(tools: Mapping[str, Tool]) -> str:
    """The tools as the model reads them."""
    return "\n".join(f"- {tool.name}: {tool.help}" for tool in tools.values())
