"""Typed tables out of files of every kind, and their limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import documents
from workbench.reading import typed_tables
from workbench.reading.pdf_tables import Piece, TableFinder, find_tables
from workbench.reading.read import read_file
from workbench.reading.reader_calls import ReadDocument, ReadLimits, RecognisedPage
from workbench.reading.recognition import with_recognised_pages
from workbench.records.tables import DocumentTable, TableColumn, TableRow


def read(path: Path) -> ReadDocument:
    return read_file(path, ReadLimits())


def only_table(path: Path) -> DocumentTable:
    (table,) = read(path).tables
    return table


def kinds(table: DocumentTable) -> list[tuple[str, str, str]]:
    return [(column.name, column.kind, column.unit) for column in table.columns]


def test_a_csv_has_numbers_dates_and_a_total(tmp_path: Path) -> None:
    source = "Nr;Datum;Betrag €;Wer\n1;14.03.2025;1.234,50;Brandl\n2;2.4.2025;12,00;Kolbe\nSumme;;1.246,50;\n"
    path = documents.write_text(tmp_path / "a.csv", source)
    document = read(path)
    (table,) = document.tables
    assert kinds(table) == [
        ("Nr", "number", ""),
        ("Datum", "date", ""),
        ("Betrag €", "number", "EUR"),
        ("Wer", "text", ""),
    ]
    assert table.columns[2].comma
    assert [row.cells[3] for row in table.rows] == ["Brandl", "Kolbe"]
    assert [row.cells[0] for row in table.totals] == ["Summe"]
    first = table.rows[0]
    assert first.number == 2
    assert document.text[first.start : first.end] == "Nr: 1 | Datum: 14.03.2025 | Betrag €: 1.234,50 | Wer: Brandl"


def sheet(tmp_path: Path, rows: list[list[str]], merged: tuple[str, ...] = ()) -> Path:
    def cell(place: str, value: str) -> str:
        if value.startswith("="):
            return f'<c r="{place}"><f>{value[1:]}</f></c>'
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>' if value else ""

    lines = "".join(
        f'<row r="{number}">{"".join(cell(f"{chr(65 + at)}{number}", value) for at, value in enumerate(row))}</row>'
        for number, row in enumerate(rows, 1)
    )
    areas = f"<mergeCells>{''.join(f'<mergeCell ref={chr(34)}{one}{chr(34)}/>' for one in merged)}</mergeCells>"
    return documents.write_xlsx_sheet(tmp_path / "a.xlsx", f"<sheetData>{lines}</sheetData>{areas}", "Orders")


def test_a_sheet_with_a_title_and_a_head_of_two_rows(tmp_path: Path) -> None:
    rows = [
        ["Order book 2025", "", "", ""],
        ["Order", "Dates", "", "Net EUR"],
        ["", "due", "delivered", ""],
        ["25-1", "2025-03-02", "2025-03-04", "1930"],
        ["25-2", "2025-04-02", "", "250"],
    ]
    table = only_table(sheet(tmp_path, rows, ("A1:D1", "A2:A3", "B2:C2", "D2:D3")))
    assert (table.name, table.title) == ("Orders", "Order book 2025")
    assert kinds(table) == [
        ("Order", "text", ""), ("Dates due", "date", ""), ("Dates delivered", "date", ""), ("Net EUR", "number", "EUR"),
    ]  # fmt: skip
    assert table.rows[1].cells == ("25-2", "2025-04-02", "", "250")
    assert table.rows[1].number == 5


def test_cells_that_are_merged_downwards_count_for_each_row(tmp_path: Path) -> None:
    rows = [["Team", "Name", "Hours"], ["North", "Ann", "3"], ["", "Bob", "4"], ["South", "Cid", "5"]]
    table = only_table(sheet(tmp_path, rows, ("A2:A3",)))
    assert [row.cells[0] for row in table.rows] == ["North", "North", "South"]


def test_an_area_that_is_merged_over_everything_fills_what_is_there(tmp_path: Path) -> None:
    rows = [["Name", "Hours"], ["Ann", "3"], ["", "4"]]
    table = only_table(sheet(tmp_path, rows, ("A2:XFD1048576",)))
    assert [row.cells for row in table.rows] == [("Ann", "3"), ("Ann", "4")]


def test_formulas_without_a_value_are_named_in_a_warning(tmp_path: Path) -> None:
    rows = [["Name", "Hours"], ["Ann", "3"], ["Bob", "=B2*2"]]
    document = read(sheet(tmp_path, rows))
    assert any("1 formulas without a value" in warning and "Orders" in warning for warning in document.warnings)
    assert document.tables[0].rows[1].cells == ("Bob", "")
    assert document.tables[0].incomplete


def test_two_tables_of_one_sheet(tmp_path: Path) -> None:
    rows = [
        ["Name", "Hours"],
        ["Ann", "3"],
        [],
        ["Machine", "Year", "Price EUR"],
        ["Lathe", "1999", "12"],
        ["Saw", "2001", "3"],
    ]
    first, second = read(sheet(tmp_path, rows)).tables
    assert [column.name for column in first.columns] == ["Name", "Hours"]
    assert [row.cells[0] for row in second.rows] == ["Lathe", "Saw"]


def test_a_wide_table_is_cut_with_a_warning(tmp_path: Path) -> None:
    width = 1_000
    rows = [[f"c{n}" for n in range(width)], [str(n) for n in range(width)], [str(n) for n in range(width)]]
    document = read(documents.write_csv(tmp_path / "a.csv", rows))
    assert len(document.tables[0].columns) == typed_tables.MOST_COLUMNS
    assert any(f"first {typed_tables.MOST_COLUMNS} columns" in warning for warning in document.warnings)


def test_a_long_table_is_cut_with_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed_tables, "MOST_ROWS", 10)
    document = read(documents.write_csv(tmp_path / "a.csv", [["Name", "Hours"], *(["Ann", str(n)] for n in range(50))]))
    assert len(document.tables[0].rows) == 10
    assert document.tables[0].incomplete
    assert any("first 10 rows" in warning for warning in document.warnings)


def test_html_cells_span_rows_and_columns(tmp_path: Path) -> None:
    page = """<h2>Rates</h2><table><tr><th rowspan=2>Lane<th colspan=2>Price EUR</tr><tr><th>full<th>part</tr>
    <tr><td>North<td>690<td>74</tr><tr><td>South<td>1,200<td>80</tr></table>"""
    table = only_table(documents.write_text(tmp_path / "a.html", page))
    assert table.name == "Rates"
    assert kinds(table) == [
        ("Lane", "text", ""),
        ("Price EUR full", "number", "EUR"),
        ("Price EUR part", "number", "EUR"),
    ]
    assert table.rows[1].cells == ("South", "1,200", "80")


def test_markdown_tables(tmp_path: Path) -> None:
    page = (
        "# Costs\n\n| Part | Price |\n|---|---:|\n| Base | 38,000 € |\n| **Roof** | 12,500 € |\n| Total | 50,500 € |\n"
    )
    table = only_table(documents.write_text(tmp_path / "a.md", page))
    assert (table.name, len(table.totals)) == ("Costs", 1)
    assert kinds(table) == [("Part", "text", ""), ("Price", "number", "EUR")]
    assert [row.cells[0] for row in table.rows] == ["Base", "Roof"]


def test_word_tables_with_merged_cells(tmp_path: Path) -> None:
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>"

    down, on = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    rows = [
        [cell("Service", down), cell("Fee per hour, EUR", '<w:gridSpan w:val="2"/>')],
        [cell("", on), cell("summer"), cell("winter")],
        [cell("Group"), cell("32.00"), cell("35.50")],
        [cell("Single"), cell("48.00"), cell("52.00")],
    ]
    body = "<w:tbl>" + "".join(f"<w:tr>{''.join(row)}</w:tr>" for row in rows) + "</w:tbl>"
    document = read(documents.write_docx_body(tmp_path / "a.docx", body))
    (table,) = document.tables
    assert [column.name for column in table.columns] == [
        "Service",
        "Fee per hour, EUR summer",
        "Fee per hour, EUR winter",
    ]
    assert [column.kind for column in table.columns] == ["text", "number", "number"]
    assert "Single" in document.text[table.rows[1].start : table.rows[1].end]


def test_text_without_a_table_has_none(tmp_path: Path) -> None:
    path = documents.write_text(tmp_path / "a.txt", "One line.\nTwo  words here.\n\nAnother paragraph | with a bar.\n")
    assert read(path).tables == ()


@pytest.mark.parametrize("repeated", [False, True])
def test_a_table_that_goes_on_on_the_next_page_of_a_pdf(repeated: bool) -> None:
    def line(top: float, *cells: tuple[float, str]) -> list[Piece]:
        return [Piece(left, top - 10, left + 6 * len(text), top, text) for left, text in cells]

    class Page:
        def __init__(self, pieces: list[Piece]) -> None:
            self.pieces = pieces

        def count_rects(self) -> int:
            return len(self.pieces)

        def get_rect(self, number: int) -> tuple[float, float, float, float]:
            return self.pieces[number][:4]

        def get_text_bounded(self, left: float, bottom: float, right: float, top: float) -> str:
            return next(piece.text for piece in self.pieces if piece[:4] == (left, bottom, right, top))

    def row(top: float, name: str, price: str) -> list[Piece]:
        return line(top, (50, name), (200, price))

    first = [*line(800, (50, "Prices")), *row(780, "Part", "Price EUR")]
    first += [*row(765, "Base", "38.00"), *row(750, "Roof", "12.50")]
    second = row(815, "Part", "Price EUR") if repeated else []
    second += [*row(800, "Door", "7.00"), *row(785, "Window", "9.00"), *row(770, "Stairs", "4.00")]
    finder = TableFinder()
    for page in (first, second):
        finder.look(Page(page), "\n".join(piece.text for piece in page))
    (grid,) = finder.grids
    assert grid.name == "Prices"
    assert [dict(cells) for _, cells in grid.rows] == [
        {0: "Part", 1: "Price EUR"}, {0: "Base", 1: "38.00"}, {0: "Roof", 1: "12.50"}, {0: "Door", 1: "7.00"},
        {0: "Window", 1: "9.00"}, {0: "Stairs", 1: "4.00"},
    ]  # fmt: skip


def test_rows_of_a_pdf_may_stand_far_apart_where_they_have_as_many_cells() -> None:
    pieces = [
        Piece(left, 700 - 30 * n, left + 40, 710 - 30 * n, text)
        for n, cells in enumerate([("Door", "Leads to", "Seats"), ("1", "Stalls", "140"), ("2", "Boxes", "24")])
        for left, text in zip((50.0, 120.0, 220.0), cells, strict=True)
    ]
    (found,) = find_tables(pieces)
    assert found.rows[1] == {0: "1", 1: "Stalls", 2: "140"}


def test_two_columns_of_running_text_are_no_table() -> None:
    words = "These are the words of a column that goes on"
    pieces = [
        Piece(left, 800 - 14 * n, left + 200, 810 - 14 * n, f"{words} {n}") for n in range(8) for left in (50.0, 300.0)
    ]
    assert find_tables(pieces) == []


def test_rows_keep_their_places_when_recognised_pages_are_put_in() -> None:
    table = DocumentTable(
        columns=(TableColumn(name="A"), TableColumn(name="B")),
        rows=(TableRow(cells=("a", "b"), number=1, start=4, end=7),),
    )
    document = ReadDocument(
        path="a.pdf", kind="pdf", title="a", text="\n\n\n\na b", hash="", bytes=1, page_starts=(0, 2, 4), scanned=(1,),
        tables=(table,),
    )  # fmt: skip
    found = with_recognised_pages(document, lambda page, likely: RecognisedPage(text="seen", confidence=1.0))
    row = found.tables[0].rows[0]
    assert found.text[row.start : row.end] == "a b"
