"""The words for a place are those of the original: page, slide, sheet and row, section, line."""

from __future__ import annotations

import pytest

from workbench.records.messages import Citation, Passage
from workbench.records.places import TextPlace, columns_of, describe_position, places_within

SHEETS = (
    TextPlace(0, "sheet", "Rates"),
    TextPlace(20, "row", "", 4),
    TextPlace(40, "row", "", 5),
    TextPlace(60, "row", "", 0),
    TextPlace(90, "sheet", "Notes"),
)


def passage(path: str, start: int = 0, **fields: object) -> Passage:
    return Passage(
        collection="c", document="d", document_hash="h", path=path, title="", start=start, end=start + 100,
        text="First line.\nSecond line.\n" * 4, **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def cited(source: Passage, start: int) -> Citation:
    shared = {name: getattr(source, name) for name in Citation.__struct_fields__ if hasattr(source, name)}
    return Citation(**shared, sentence_start=start, sentence_end=start + 5)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (5, "sheet “Rates”"),
        (25, "sheet “Rates”, row 4"),
        (59, "sheet “Rates”, row 5"),
        (70, "sheet “Rates”"),
        (95, "sheet “Notes”"),
    ],
)
def test_a_row_is_named_with_its_sheet_until_the_rows_end(at: int, words: str) -> None:
    assert describe_position(cited(passage("/a/rates.xlsx", places=SHEETS), at)) == words


def test_pages_and_slides_are_counted_where_the_sentence_stands() -> None:
    pages = (TextPlace(0, "page", "", 3), TextPlace(50, "page", "", 4))
    assert describe_position(passage("/a/b.pdf", page=3, places=pages)) == "page 3"
    assert describe_position(cited(passage("/a/b.pdf", page=3, places=pages), 60)) == "page 4"
    assert describe_position(passage("/a/b.PPTX", page=2)) == "slide 2"


def test_sections_and_lines_and_what_is_not_known() -> None:
    places = (TextPlace(0, "section", "Notice"), TextPlace(40, "section", "A heading " * 12))
    assert describe_position(passage("/a/b.docx", places=places)) == "section “Notice”"
    assert describe_position(cited(passage("/a/b.docx", places=places), 45)).endswith("…”")
    line = passage("/a/b.txt", start=100, places=(TextPlace(100, "line", "", 7),))
    assert describe_position(line) == "line 7"
    assert describe_position(cited(line, 113)) == "line 8"
    assert describe_position(passage("/a/b.docx")) == ""


def test_the_names_of_columns_are_those_of_the_cells_that_are_filled() -> None:
    places = (
        TextPlace(0, "columns", "Item | Unit | EUR"),
        TextPlace(10, "row", "", 3),
        TextPlace(30, "row", "0,2", 4),
        TextPlace(50, "columns"),
    )
    source = passage("/a/fees.xlsx", places=places)
    assert columns_of(cited(source, 12)) == ("Item", "Unit", "EUR")
    assert columns_of(cited(source, 30)) == ("Item", "EUR")
    assert columns_of(cited(source, 60)) == ()
    assert columns_of(passage("/a/b.docx")) == ()


def test_a_span_has_the_places_that_are_open_and_those_that_begin_in_it() -> None:
    assert places_within(SHEETS, 45, 70) == (SHEETS[0], SHEETS[2], SHEETS[3])
    assert places_within(SHEETS, 95, 99) == (SHEETS[4],)
    assert places_within(SHEETS, 40, 41) == (SHEETS[0], SHEETS[1], SHEETS[2])
    assert places_within((), 0, 10) == ()
