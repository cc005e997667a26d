"""SQL on cells: typed columns, and queries that read and end."""

from __future__ import annotations

import pytest

from workbench.reading import table_query
from workbench.reading.table_query import Database, QueryProblem, table_of, value_of

CELLS = [["Name", "Price (EUR)", "", "name", "order"], ["ball", "1,200.5", "x", "A", "1"], ["ring", "", "y"]]


def test_the_first_row_names_the_columns() -> None:
    table = table_of("Q1 prices", CELLS)
    assert table.name == "q1_prices"
    assert table.columns == ("name", "price_eur", "column_3", "c_name", "c_order")
    assert [list(row) for row in table.rows] == [["ball", 1200.5, "x", "A", 1.0], ["ring", None, "y", None, None]]
    assert table_of("t", [["2024"], ["1"]], ["t"]).name == "c_t"


@pytest.mark.parametrize(
    ("cell", "value"),
    [("12", 12.0), ("-1,234.5", -1234.5), ("1,2", "1,2"), (" a ", "a"), ("", None), ("1e5", "1e5"), ("007", 7.0)],
)
def test_cells_are_numbers_where_they_look_so(cell: str, value: object) -> None:
    assert value_of(cell) == value


def test_several_tables_are_joined_and_rows_counted() -> None:
    prices = table_of("prices", CELLS)
    stock = table_of("stock", [["name", "n"], ["ball", "3"]])
    found = Database([prices, stock]).query(
        "select p.name, p.price_eur * s.n as total from prices p join stock s using (name)", 5
    )
    assert (found.columns, found.rows, found.more) == (("name", "total"), (("ball", "3601.5"),), False)
    assert Database([prices]).query("select name from prices", 1).more


@pytest.mark.parametrize(
    "sql",
    [
        "drop table t", "insert into t values (1)", "update t set a = 1", "delete from t", "pragma database_list",
        "attach database '/tmp/x.sqlite' as x", "select load_extension('x')", "select * from sqlite_master",
        "select readfile('/etc/passwd')", "select writefile('/tmp/x', 'y')", "select randomblob(900000000)",
        "create table u (x)", "vacuum into '/tmp/x'", "select zeroblob(2000000000)", "select 1; select 2", "selec",
        "select printf('%.*c', 1000000000, 'x')", "select * from t" + " " * 3000, "begin",
        "select * from pragma_database_list", "select fts3_tokenizer('x')", "select * from t where a match 'x'",
        "select edit('x')", "analyze", "select hex(a) from t", "\x00",
    ],
)  # fmt: skip
def test_a_query_reads_its_tables_only(sql: str) -> None:
    with pytest.raises(QueryProblem):
        Database([table_of("t", [["a"], ["1"]])]).query(sql, 5)


@pytest.mark.parametrize(
    "sql",
    [
        "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n",
        "with recursive n(x) as (select 'a' union all select x || x from n) select length(x) from n order by 1 desc",
        "with recursive n(x) as (select 1 union all select x + 1 from n) select * from n order by x desc",
    ],
)
def test_a_query_without_end_is_stopped(sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_query, "QUERY_S", 0.2)
    with pytest.raises(QueryProblem, match=r"took longer|too big|out of memory"):
        Database([]).query(sql, 5)
