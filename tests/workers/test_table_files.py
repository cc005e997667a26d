"""Queries to table files in the reader process: cells of all formats, limits, files that are none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents import write_xlsx, write_xlsx_sheet
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.base.settings import DocumentSettings
from workbench.subjects.agents.tables import TableFiles

CONTEXT = RequestContext()


@pytest.fixture(scope="module")
def tables() -> Iterator[TableFiles]:
    made = TableFiles(lambda: DocumentSettings())
    yield made
    made.close()


def test_tables_of_all_formats_are_queried_together(tables: TableFiles, tmp_path: Path) -> None:
    write_xlsx(tmp_path / "towers.xlsx", [["Name", "Height"], ["Westkapelle", "52"], ["Ouddorp", "52.5"]])
    (tmp_path / "owners.csv").write_text("name;owner\nWestkapelle;Rijk\n", "utf-8")
    (tmp_path / "years.tsv").write_text("name\tyear\nOuddorp\t1862\n", "utf-8")
    files = [tmp_path / name for name in ("towers.xlsx", "owners.csv", "years.tsv")]
    described = tables.describe(files, CONTEXT)
    assert [(one.name, one.columns, one.rows) for one in described] == [
        ("towers", ("name", "height"), 2),
        ("owners", ("name", "owner"), 1),
        ("years", ("name", "year"), 1),
    ]
    sql = "select name, height, owner, year from towers left join owners using (name) left join years using (name)"
    assert tables.query(files, sql, CONTEXT).rows == (
        ("Westkapelle", "52", "Rijk", ""),
        ("Ouddorp", "52.5", "", "1862"),
    )


def test_a_file_that_changes_is_read_again(tables: TableFiles, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    for value in ("1", "22"):
        file.write_text(f"x,y\n{value},0\n")
        assert tables.query([file], "select x from a", CONTEXT).rows == ((value,),)


def test_cells_without_places_or_far_out_do_not_stop_it(tables: TableFiles, tmp_path: Path) -> None:
    cells = '<row><c r="A1"><v>1</v></c><c r="ZZ1"><v>2</v></c></row><row><c r="A2"><v>3</v></c></row>'
    file = write_xlsx_sheet(tmp_path / "far.xlsx", f"<sheetData>{cells}</sheetData>")
    assert tables.describe([file], CONTEXT)[0].rows == 1


def test_what_is_no_table_or_no_query_is_said(tables: TableFiles, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "a.xlsx").write_bytes(b"no workbook")
    with pytest.raises(UserError, match="is not"):
        tables.describe([tmp_path / "a.xlsx"], CONTEXT)
    with pytest.raises(UserError, match="cannot be read"):
        tables.describe([tmp_path / "gone.csv"], CONTEXT)
    with pytest.raises(UserError, match="no such table: b") as raised:
        tables.query([tmp_path / "a.csv"], "select * from b", CONTEXT)
    assert raised.value.hint == "Tables: a(x, y)."
    with pytest.raises(UserError, match="not authorized"):
        tables.query([tmp_path / "a.csv"], "attach database 'x' as x", CONTEXT)
