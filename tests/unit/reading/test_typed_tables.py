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
from workbench.text.cells import number_of


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


@pytest.mark.parametrize(
    ("last", "totals"),
    [
        ("Year,60,6,20", ["Year"]),
        ("Year,60,6,", ["Year"]),
        ("Depot,60,7,20", []),  # only one of the numbers
        ("2024,60,6,20", []),
        ("Year,60,6,all", []),
    ],
)
def test_a_last_row_of_sums_is_a_total_whatever_it_is_called(tmp_path: Path, last: str, totals: list[str]) -> None:
    source = f"Month,Nights,Groups,Mean\nMay,10,1,10\nJune,20,2,10\nJuly,30,3,10\n{last}\n"
    (table,) = read(documents.write_text(tmp_path / "a.csv", source)).tables
    assert [row.cells[0] for row in table.totals] == totals
    assert len(table.rows) == 4 - len(totals)


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


METERS = """Wohnung;Mieter;Kaltwasser m³ 31.12.2023;Kaltwasser m³ 31.12.2024;Heizung Einheiten 2024
2.06;Nowak;526,793;566,273;1.935
2.07;Kolbe;386,043;448,614;671
3.07;Rahimi;290,975;339,740;2.449
"""


@pytest.mark.parametrize(
    ("source", "values"),
    [
        (METERS, [566.273, 448.614, 339.74, 1935.0, 671.0, 2449.0]),
        # the same in the other style
        (
            METERS.translate(str.maketrans(".,", ",.")).replace(",12,", ".12.").replace("m³", "m3"),
            [566.273, 448.614, 339.74, 1935.0, 671.0, 2449.0],
        ),
        (
            'Flat,Tenant,Water 2023,Water 2024,Heating units\n2/06,Nowak,526.793,566.273,"1,935"\n'
            '2/07,Kolbe,386.043,448.614,671\n3/07,Rahimi,290.975,339.740,"2,449"\n',
            [566.273, 448.614, 339.74, 1935.0, 671.0, 2449.0],
        ),
    ],
)
def test_the_style_of_numbers_is_that_of_the_column_and_else_of_the_file(
    tmp_path: Path, source: str, values: list[float]
) -> None:
    table = only_table(documents.write_text(tmp_path / "a.csv", source))
    columns = [table.columns[3], table.columns[4]]
    assert [column.kind for column in table.columns] == ["text", "text", "number", "number", "number"]
    read = [number_of(row.cells[3 + at], column.comma) for at, column in enumerate(columns) for row in table.rows]
    assert [found[0] for found in read if found is not None] == values


def test_numbers_that_a_sheet_stores_have_a_decimal_point(tmp_path: Path) -> None:
    path = documents.write_xlsx(tmp_path / "a.xlsx", [["Teil", "m³"], ["a", "1.935"], ["b", "994"], ["c", "671"]])
    assert not only_table(path).columns[1].comma


def test_numbers_that_a_sheet_stores_keep_their_decimal_point_beside_texts_with_a_comma(tmp_path: Path) -> None:
    rows = [["Teil", "t", "Länge", "Preis"], ["a", "1.234", "12,5 m", "1.398 €"], ["b", "2.345", "8,5 m", "1.530 €"]]
    columns = only_table(documents.write_xlsx(tmp_path / "a.xlsx", rows)).columns
    assert [column.comma for column in columns[1:]] == [False, True, True]


def test_numbers_that_a_sheet_stores_first_are_no_codes_for_texts_with_a_comma_beside_them(tmp_path: Path) -> None:
    rows = [["Durchmesser", "Länge"], ["0.5", "12,5 m"], ["0.8", "13,5 m"], ["1.2", "8,5 m"]]
    columns = only_table(documents.write_xlsx(tmp_path / "a.xlsx", rows)).columns
    assert [(column.kind, column.comma) for column in columns] == [("number", False), ("number", True)]


def test_numbers_that_are_typed_into_a_sheet_as_text_have_the_style_of_its_language(tmp_path: Path) -> None:
    rows = [["Teil", "€ je Liter"], ["Der Wagen und die Rechnung der Werkstatt", "1,398"], ["und das Rad", "1,530"]]
    path = documents.write_xlsx(tmp_path / "a.xlsx", rows)
    assert only_table(path).columns[1].comma


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


def line(top: float, *cells: tuple[float, str]) -> list[Piece]:
    return [Piece(left, top - 10, left + 6 * len(text), top, text) for left, text in cells]


def row(top: float, name: str, price: str) -> list[Piece]:
    return line(top, (50, name), (200, price))


class Page:
    def __init__(self, pieces: list[Piece]) -> None:
        self.pieces = pieces

    def count_rects(self) -> int:
        return len(self.pieces)

    def get_rect(self, number: int) -> tuple[float, float, float, float]:
        return self.pieces[number][:4]

    def get_text_bounded(self, left: float, bottom: float, right: float, top: float) -> str:
        return next(piece.text for piece in self.pieces if piece[:4] == (left, bottom, right, top))


def look(*pages: list[Piece]) -> list[list[dict[int, str]]]:
    """The rows of the tables of these pages."""
    finder = TableFinder()
    for page in pages:
        finder.look(Page(page), "\n".join(piece.text for piece in page))
    return [[dict(cells) for _, cells in grid.rows] for grid in finder.grids]


@pytest.mark.parametrize("repeated", [False, True])
def test_a_table_that_goes_on_on_the_next_page_of_a_pdf(repeated: bool) -> None:
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


FIRST_ROWS = [{0: "Part", 1: "Price EUR"}, {0: "Base", 1: "38.00"}, {0: "Roof", 1: "12.50"}]


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize("with_edges", [False, True])
def test_one_or_two_last_rows_of_a_table_on_the_next_page_keep_its_head(
    rows: int, repeated: bool, with_edges: bool
) -> None:
    def edges(page: int) -> list[Piece]:
        return [*line(820, (50, "Prices"), (200, f"{page} of 2")), *line(20, (50, "Mill Ltd"))] if with_edges else []

    first = [*row(780, "Part", "Price EUR"), *row(765, "Base", "38.00"), *row(750, "Roof", "12.50")]
    second = row(795, "Part", "Price EUR") if repeated else []
    second += [*row(780, "Door", "7.00"), *(row(765, "Window", "9.00") if rows > 1 else [])]
    second += line(700, (50, "All prices are net."))
    rest = [{0: "Door", 1: "7.00"}, {0: "Window", 1: "9.00"}][:rows]
    assert look([*edges(1), *first], [*edges(2), *second]) == [[*FIRST_ROWS, *rest]]


@pytest.mark.parametrize(
    "second",
    [
        line(800, (50, "Terms"), (200, "of payment")),  # no figure where all rows have one
        line(800, (50, "A"), (120, "b"), (200, "1")),  # beside the columns
        line(800, (50, "Door 7.00")),
        [*line(800, (50, "Terms")), *line(780, (50, "2025")), *line(760, (50, "See")), *row(740, "Door", "7.00")],
    ],
)
def test_what_does_not_stand_in_the_columns_of_a_table_does_not_go_on_with_it(second: list[Piece]) -> None:
    first = [*row(780, "Part", "Price EUR"), *row(765, "Base", "38.00"), *row(750, "Roof", "12.50")]
    assert look(first, second) == [FIRST_ROWS]


def test_lines_that_begin_another_table_are_no_rows_of_the_one_before() -> None:
    first = [*row(780, "Name", "Job"), *row(765, "Ann 1", "cook"), *row(750, "Ben", "smith 2")]
    second = [*row(800, "Flat", "Cold water"), *line(785, (50, "2.06"), (200, "566"), (300, "m³"))]
    second += line(770, (50, "2.07"), (200, "448"), (300, "m³"))
    rows = [[*cells.values()] for table in look(first, second) for cells in table]
    assert rows[:3] == [["Name", "Job"], ["Ann 1", "cook"], ["Ben", "smith 2"]]
    assert rows.count(["Flat", "Cold water"]) == 1


def test_a_table_with_text_below_it_does_not_go_on_on_the_next_page() -> None:
    first = [*row(780, "Part", "Price EUR"), *row(765, "Base", "38.00"), *row(750, "Roof", "12.50")]
    first += [piece for n in range(3) for piece in line(700 - 15 * n, (50, f"Text {n}"))]
    assert look(first, row(800, "Door", "7.00")) == [FIRST_ROWS]


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
