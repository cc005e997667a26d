"""Tools on the recipe's documents: search, reading a part, queries to tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes import FakeRetriever, FakeToolServices, document_text, passage
from workbench.api.protocol import RequestContext
from workbench.techniques.tools import query_table, read_document, remember, search_documents
from workbench.techniques.tools.services import ToolUnavailable
from workbench.techniques.tools.tool import LONGEST_OUTPUT

CONTEXT = RequestContext()


def test_a_search_gives_numbered_passages_that_fit() -> None:
    long = passage("pump " * 1000, start=7)
    tool = search_documents.make(FakeToolServices(retriever=FakeRetriever([long, passage("A pump.", "b.txt")])))
    output = tool.run({"query": "pump"}, CONTEXT)
    assert tool.output == "untrusted"
    assert not tool.acts
    assert len(output.text) <= LONGEST_OUTPUT
    assert [one.n for one in output.passages] == [1, 2]
    first = next(one for one in output.passages if one.document == "pump.txt")
    assert (first.text, first.end) == (long.text[: first.end - 7], 7 + len(first.text))
    assert tool.run({"query": "zebra"}, CONTEXT).failed


def test_a_document_is_read_from_a_place_and_its_passage_is_that_place() -> None:
    text = "".join(f"line {n}\n" for n in range(2000))
    tool = read_document.make(FakeToolServices(retriever=FakeRetriever(documents=[document_text(text)])))
    output = tool.run({"document": "PUMP.txt", "start": 700}, CONTEXT)
    (shown,) = output.passages
    assert (shown.text, shown.start, shown.collection) == (text[700 : shown.end], 700, "c")
    assert shown.text in output.text
    assert len(output.text) <= LONGEST_OUTPUT
    past = tool.run({"document": "pump", "start": 99_999}, CONTEXT)
    assert past.failed
    assert "nothing from 99,999" in past.text


def test_a_document_that_is_not_there_or_not_the_only_one_is_answered_with_names() -> None:
    documents = [document_text("x", "pump a.txt"), document_text("y", "pump b.txt"), document_text("z", "red.txt")]
    tool = read_document.make(FakeToolServices(retriever=FakeRetriever(documents=documents)))
    several = tool.run({"document": "pump"}, CONTEXT)
    assert several.failed
    assert "pump a, pump b." in several.text
    assert "pump a, pump b, red" in tool.run({"document": "blue"}, CONTEXT).text
    assert tool.run({"document": "red"}, CONTEXT).text.endswith("z")


def test_tables_are_described_and_queried(tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text("city,amount\nBern,10\nBasel,\x1b[31m20\nBern,5\n")
    tool = query_table.make(FakeToolServices(tables=[("sales", file)]))
    assert tool.run({"sql": ""}, CONTEXT).text == "sales(city, amount), 3 rows"
    summed = tool.run({"sql": "select city, sum(amount) s from sales group by city order by 1 desc"}, CONTEXT)
    assert summed.text.splitlines()[:2] == ["city | s", "Bern | 15"]
    assert "\x1b" not in tool.run({"sql": "select amount from sales"}, CONTEXT).text
    assert tool.run({"sql": "select city from sales where city = 'Genf'"}, CONTEXT).failed
    failed = tool.run({"sql": "drop table sales"}, CONTEXT)
    assert failed.failed
    assert "not authorized" in failed.text


def test_a_fact_is_kept_on_one_line() -> None:
    services = FakeToolServices()
    tool = remember.make(services)
    assert tool.acts
    assert tool.run({"fact": "Likes\n tea."}, CONTEXT).text == "Remembered: Likes tea."
    assert [one.text for one in services.kept] == ["Likes tea."]
    assert tool.run({"fact": " "}, CONTEXT).failed


@pytest.mark.parametrize("module", [search_documents, read_document, query_table])
def test_without_documents_the_tool_is_absent_and_says_why(module) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ToolUnavailable, match="documents"):
        module.make(FakeToolServices())
