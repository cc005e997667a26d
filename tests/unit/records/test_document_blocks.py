"""Blocks of documents: marks are told from words, and every word of the text is drawn where it stands."""

from __future__ import annotations

import re
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.documents import write_docx_body, write_pptx, write_xlsx_sheet
from workbench.reading.read import read_file
from workbench.reading.reader_calls import ReadDocument, ReadLimits
from workbench.records.document_blocks import DocumentBlocks
from workbench.records.table_lines import cells_of_line, is_row, is_rule, named_columns

MARKUP = re.compile(r"^#{1,6} |\|\s*:?-{2,}|-{3,}\s*\||\s\|\s|\*\*|^>\s|\]\(|```", re.M)
"""Signs that belong to the file and not to what it says."""


def blocks_of(document: ReadDocument, *, with_tables: bool = True) -> DocumentBlocks:
    tables = document.tables if with_tables else ()
    return DocumentBlocks(document.text, document.kind, document.page_starts, tables)


def drawn(blocks: DocumentBlocks) -> list[str]:
    return [blocks.marker(number) + blocks.drawn_text(number) for number in range(len(blocks.blocks))]


def write_rates(path: Path) -> Path:
    """A sheet with a title above its head, an empty row, and an empty cell."""
    rows = {
        1: ("Rates 2025",), 3: ("Kind", "Price", "From"), 4: ("Joiner", "62", "1 May"), 5: ("Apprentice", "39"),
    }  # fmt: skip
    inner = "".join(
        f'<row r="{number}">'
        + "".join(
            f'<c r="{letter}{number}"><v>{words}</v></c>'
            if words.isdigit()
            else f'<c r="{letter}{number}" t="inlineStr"><is><t>{words}</t></is></c>'
            for letter, words in zip("ABC", cells, strict=False)
        )
        + "</row>"
        for number, cells in rows.items()
    )
    return write_xlsx_sheet(path, f"<sheetData>{inner}</sheetData>", "Rates")


def made_documents(folder: Path) -> list[Path]:
    """A file of each kind of an office, with headings, lists, tables, quotations and marks."""

    def paragraph(text: str, style: str = "") -> str:
        marks = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
        return f"<w:p>{marks}<w:r><w:t>{text}</w:t></w:r></w:p>"

    cells = (("Part", "Price", "Note"), ("Oak", "120", "rift: A / B"), ("Ash", "90", ""))
    rows = "".join("<w:tr>" + "".join(f"<w:tc>{paragraph(c)}</w:tc>" for c in row) + "</w:tr>" for row in cells)
    item = '<w:p><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>Ring before you come</w:t></w:r></w:p>'
    body = f"{paragraph('Terms of trade', 'Heading1')}{paragraph('Valid from 1 July 2025.')}{item}<w:tbl>{rows}</w:tbl>"
    write_docx_body(folder / "terms.docx", body)
    write_rates(folder / "rates.xlsx")
    write_pptx(folder / "booth.pptx", (("Why", "The old booth is from 2004"), ("Offers", "Three makers")))

    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Re: Oak", "Mila <mila@example.org>", "ruth@example.org"
    mail["Date"] = "Mon, 29 Sep 2025 19:20:44 +0200"
    quoted = "> Is it dry?\n>> Ask the sawmill.\n> Wood | Price\n> -----|------\n> Elm | 12\n>\n> Ruth\n"
    mail.set_content(f"Yes.\n\nOn Monday Ruth wrote:\n{quoted}")
    (folder / "oak.eml").write_bytes(bytes(mail))

    texts = {
        "notes.md": "# Notes\n\n**Press** time is `35 min`.\n\n| what | who |\n|---|---|\n| rats | Fa. *Ratzfatz* |\n\n"
        "1. First\n   - inner [link](http://example.org/a)\n\n> quoted\n\n```\ncode | here\n```\n",
        "page.html": "<h1>Visits</h1><p>Come &amp; see.</p><table><tr><th>Day<th>Open</tr><tr><td>Mo<td></tr>"
        "<tr><td>Tu<td>9:00</tr></table><ul><li>One<li>Two</ul>",
        "stock.csv": "Nr;Name;Place\n1;Planer;Hall 1\n2;;Hall 2\n3;Saw: big;\n",
        "old.txt": "PRICES 2024\n-----------\nJoiner       54,00 EUR\nPlanner      76,00 EUR\n\nAll are net.\n",
    }  # fmt: skip
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ReadDocument]:
    paths = made_documents(tmp_path_factory.mktemp("office"))
    return {path.name: read_file(path, ReadLimits()) for path in paths}


@pytest.mark.parametrize("with_tables", [True, False])
def test_no_mark_is_drawn_and_no_word_is_lost(documents: dict[str, ReadDocument], with_tables: bool) -> None:
    for name, document in documents.items():
        blocks = blocks_of(document, with_tables=with_tables)
        shown = [words for words, block in zip(drawn(blocks), blocks.blocks, strict=True) if block.kind != "code"]
        assert not [words for words in shown if MARKUP.search(words)], name
        words = set(re.findall(r"\w+", document.text)) - {"http", "example", "org", "a"}
        assert words <= set(re.findall(r"\w+", "\n".join(drawn(blocks)))), name


def test_every_drawn_piece_and_cell_is_where_it_says(documents: dict[str, ReadDocument]) -> None:
    for document in documents.values():
        blocks = blocks_of(document)
        starts = [block.start for block in blocks.blocks]
        assert starts == sorted(starts)
        for number, block in enumerate(blocks.blocks):
            if block.kind in ("row", "head"):
                for cell in blocks.cells(number):
                    if cell.end:
                        assert document.text[cell.start : cell.end] == cell.words
                        assert block.start <= cell.start <= cell.end <= block.end
            places = [place for piece in blocks.pieces(number) for place in (piece.start, piece.end)]
            assert places == sorted(places)


def test_a_sheet_is_its_rows_by_their_numbers(documents: dict[str, ReadDocument]) -> None:
    blocks = blocks_of(documents["rates.xlsx"])
    rows = [(b.number, [c.words for c in blocks.cells(n)]) for n, b in enumerate(blocks.blocks) if b.kind == "row"]
    assert rows == [(4, ["Joiner", "62", "1 May"]), (5, ["Apprentice", "39"])]
    (head,) = (n for n, block in enumerate(blocks.blocks) if block.kind == "head")
    assert [cell.words for cell in blocks.cells(head)] == ["Kind", "Price", "From"]


def test_cells_stand_in_their_columns_where_others_are_empty(documents: dict[str, ReadDocument]) -> None:
    blocks = blocks_of(documents["stock.csv"])
    cells = {b.number: [(c.column, c.words) for c in blocks.cells(n)] for n, b in enumerate(blocks.blocks) if b.number}
    assert cells[3] == [(0, "2"), (2, "Hall 2")]
    assert cells[4] == [(0, "3"), (1, "Saw: big")]


def test_slides_and_heads_of_mails_are_blocks_of_their_own(documents: dict[str, ReadDocument]) -> None:
    pages = [block.number for block in blocks_of(documents["booth.pptx"]).blocks if block.kind == "page"]
    assert pages == [1, 2]
    mail = blocks_of(documents["oak.eml"])
    assert [block.kind for block in mail.blocks][:4] == ["field"] * 4
    assert [block.level for block in mail.blocks if block.kind == "quote"] == [1, 2, 1]
    rows = [mail.drawn_text(n) for n, block in enumerate(mail.blocks) if block.kind in ("head", "row")]
    assert rows == ["Wood\nPrice", "Elm\n12"]


def test_words_are_found_as_they_are_drawn(documents: dict[str, ReadDocument]) -> None:
    blocks = blocks_of(documents["notes.md"])
    text = documents["notes.md"].text
    (place,) = blocks.find("press   TIME is 35")
    assert text[slice(*place)] == "Press** time is `35"
    assert blocks.find("**") == []
    assert blocks.find("") == []
    (cell,) = blocks.find("ratzfatz")
    assert text[slice(*cell)] == "Ratzfatz"
    csv = blocks_of(documents["stock.csv"])
    assert csv.find("Place: Hall") == []  # the name of a column is not in its cells
    assert len(csv.find("hall")) == 2


def test_a_long_paragraph_is_divided_and_stays_whole() -> None:
    text = "word " * 5_000
    blocks = DocumentBlocks(text.strip(), "docx")
    assert len(blocks.blocks) > 4
    assert "".join(drawn(blocks)) == text.strip()


def test_the_cells_of_lines() -> None:
    assert [cell.name for cell in cells_of_line("A: x | B: y: z")] == ["A", "B"]
    assert [("| a | b |"[c.start : c.end]) for c in cells_of_line("| a | b |")] == ["a", "b"]
    assert named_columns(["A: x | B: y", "A: z | C: w"]) == ("A", "B", "C")
    assert named_columns(["A: x | y"]) == ()
    assert is_row("a | b")
    assert not is_row("a|b")
    assert is_rule("|---|:--:|")
    assert not is_rule("| a | b |")
