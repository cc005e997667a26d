"""Query the tables (CSV, TSV, XLSX) of the recipe's documents with SQL, which can only read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from workbench.api.protocol import RequestContext
from workbench.reading.table_query import TableInfo, TableRows
from workbench.techniques.tools.results import CELLS, one_line, plain
from workbench.techniques.tools.services import ToolServices, ToolUnavailable
from workbench.techniques.tools.tool import LONGEST_OUTPUT, Tool, ToolOutput, tool_from

NO_TABLES = "the recipe's documents hold no table (CSV, TSV or XLSX)."
LONGEST_CELL, LONGEST_SCHEMA = 200, 600
"""Characters."""


def make(services: ToolServices) -> Tool:
    if not services.tables():
        raise ToolUnavailable(NO_TABLES)

    def query_table(
        sql: Annotated[str, "a SELECT of SQLite; empty: the names of the tables and their columns"],
        context: RequestContext,
    ) -> ToolOutput:
        """Query the tables in the person's documents."""
        if not sql.strip():
            return ToolOutput(text=plain(schema(services.table_infos(context)), LONGEST_OUTPUT))
        result = services.query_tables(sql, context)
        return ToolOutput(text=plain(text_of(result), LONGEST_OUTPUT), failed=not result.rows)

    return tool_from(query_table)


def schema(tables: Sequence[TableInfo]) -> str:
    return "\n".join(
        f"{one.name}({one_line(', '.join(one.columns), LONGEST_SCHEMA)}), {one.rows:,} rows" for one in tables
    )


def text_of(result: TableRows) -> str:
    """The rows as a table with bars."""
    if not result.rows:
        return "No rows."
    lines = [CELLS.join(one_line(cell, LONGEST_CELL) for cell in row) for row in (result.columns, *result.rows)]
    return "\n".join([*lines, *(["(there are more rows)"] if result.more else [])])
