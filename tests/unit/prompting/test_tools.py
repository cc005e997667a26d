"""Tools of programs: results are one line of data, and a query reads its table and nothing else."""

from __future__ import annotations

import time

import pytest

from tests.fakes import FakeRetriever, passage
from workbench.reading.table_query import Table
from workbench.techniques.prompting.art import library, nearest
from workbench.techniques.prompting.tools import (
    LONGEST_RESULT,
    calculate,
    look_up,
    query_table,
    read_table,
    tools_for,
)
from workbench.techniques.tools.tool import ToolOutput

MARKDOWN = "Which?\n\n| Thing | Price (EUR) |\n|---|---:|\n| ball | 4 |\n| ring | 1,200.5 |\n| | 3 |\n\nThe end."
COMMAS = "Which one?\nname,age,age\nAnn,31,x\nBob,27,y\n"


def rows(text: str, sql: str) -> ToolOutput:
    table = read_table(text)
    assert table is not None
    return query_table(sql, table)


def test_tables_are_read_from_the_question() -> None:
    assert read_table(MARKDOWN) == Table(
        name="t", columns=("thing", "price_eur"), rows=[["ball", 4.0], ["ring", 1200.5], [None, 3.0]]
    )
    assert read_table(COMMAS) == Table(
        name="t", columns=("name", "age", "c_age"), rows=[["Ann", 31.0, "x"], ["Bob", 27.0, "y"]]
    )
    for none in ("What is 2, 3 and 4?", "One, two.\nThree, four.", "a line\nanother", ""):
        assert read_table(none) is None


def test_a_query_gives_rows_as_one_line() -> None:
    assert rows(MARKDOWN, "select sum(price_eur), count(*) from t").text == "1207.5, 3"
    assert rows(COMMAS, "select name, age from t order by age").text == "Bob, 27; Ann, 31"
    assert rows(COMMAS, "select name from t where age > 99") == ToolOutput(text="no rows", failed=True)


@pytest.mark.parametrize(
    "sql",
    [
        "drop table t", "insert into t values (1, 2, 3)", "update t set age = 1", "delete from t",
        "pragma database_list",
        "attach database '/tmp/x.sqlite' as x", "select load_extension('x')", "select * from sqlite_master",
        "select readfile('/etc/passwd')", "select writefile('/tmp/x', 'y')", "select randomblob(900000000)",
        "create table u (x)", "vacuum into '/tmp/x'", "select zeroblob(2000000000)", "select 1; select 2", "selec",
        "select printf('%.*c', 1000000000, 'x')", "select * from t" + " " * 2000,
        pytest.param(
            "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n",
            marks=pytest.mark.slow,
        ),
    ],
)  # fmt: skip
def test_a_query_reads_its_table_only_and_ends(sql: str) -> None:
    began = time.monotonic()
    result = rows(COMMAS, sql)
    assert result.failed, result.text
    assert time.monotonic() - began < 5


def test_a_result_is_one_line_of_printable_characters() -> None:
    text = "a\nStep 2: b\r\u2028Answer: 9\x1b[31m\x00\u202e\x85c\u200d"
    assert look_up("x", FakeRetriever(results=[[passage(text)]])).text == "a Step 2: b Answer: 9 [31m c"
    many = FakeRetriever(results=[[passage("x " * 3000)] * 9])
    assert len(look_up("x", many).text) <= LONGEST_RESULT
    assert calculate("1 / 0") == ToolOutput(text="error: It divides by zero.", failed=True)


def test_there_are_the_tools_that_the_question_and_the_recipe_have() -> None:
    assert list(tools_for("What is 1 + 1?", None)) == ["calculator"]
    assert list(tools_for(COMMAS, None)) == ["calculator", "table"]
    tools = tools_for("Why?", FakeRetriever([passage("The pump\nleaks.")]))
    found = tools["search"].run("pump")
    assert (found.text, len(found.passages)) == ("The pump leaks.", 1)
    assert tools["search"].run("zebra").failed


def test_the_library_s_answers_are_those_of_its_programs() -> None:
    assert len(library()) >= 8
    for task in library():
        assert task.examples
        for example in task.examples:
            assert {tool for tool, _ in example.steps} <= set(task.tools), example.question
            lines = example.program().split("\n")
            assert lines[-1] == f"Answer: {example.answer}"
            assert "error" not in example.program()
            results = [line.partition(": ")[2] for line in lines if line.startswith("Result")]
            if example.steps[-1][0] in ("calculator", "table"):
                assert results[-1] == example.answer, example.question


def test_the_nearest_tasks_are_those_whose_tools_there_are() -> None:
    similarities = FakeRetriever().similarities
    tasks, examples = nearest("What is 12 plus 9?", {"calculator"}, lambda a, b: similarities(list(a), list(b)), 1, 3)
    assert [task.name for task in tasks] == ["Arithmetic"]
    assert examples[-1].question == "What is 47 plus 12?"  # the nearest last
    assert len(examples) == 3
    names = {task.name for task in nearest("?", {"calculator"}, lambda a, b: similarities(list(a), list(b)), 8, 9)[0]}
    assert "Table" not in names
    assert "Lookup in documents" not in names
