"""Each chunk knows the places of the original that it is at."""

from __future__ import annotations

from pathlib import Path

from tests.unit.records.test_document_blocks import write_rates
from workbench.reading.read import read_file
from workbench.reading.reader_calls import ReadDocument, ReadLimits
from workbench.records.documents import Chunk
from workbench.records.places import TextPlace
from workbench.techniques.retrieval.file_scan import differs
from workbench.techniques.retrieval.text_places import find_places, with_places


def read(path: Path, text: str) -> ReadDocument:
    path.write_text(text, encoding="utf-8")
    return read_file(path, ReadLimits())


def test_the_rows_of_a_workbook_are_those_of_its_sheets(tmp_path: Path) -> None:
    document = read_file(write_rates(tmp_path / "rates.xlsx"), ReadLimits())
    numbers = {}
    places = find_places(document)
    for word in ("Joiner", "Apprentice"):
        at = document.text.index(word)
        sheets = [place for place in places if place.kind == "sheet" and place.start <= at]
        rows = [place for place in places if place.kind == "row" and place.start <= at]
        numbers[word] = sheets[-1].name, rows[-1].number
    assert numbers == {"Joiner": ("Rates", 4), "Apprentice": ("Rates", 5)}
    assert places[0] == TextPlace(0, "sheet", "Rates")
    assert places[-1].number == 0  # behind the last row


def test_chunks_have_their_sections_or_lines(tmp_path: Path) -> None:
    notes = read(tmp_path / "notes.md", "# A\n\nFirst.\n\n## B\n\nSecond.\n")
    at = notes.text.index("Second")
    (chunk,) = with_places(notes, [Chunk(start=at, end=at + 7)])
    assert [place.name for place in chunk.places] == ["B"]
    plain = read(tmp_path / "plain.txt", "one\ntwo\nthree\nfour\n")
    chunks = with_places(plain, [Chunk(start=8, end=13), Chunk(start=0, end=7)])
    assert [chunk.places for chunk in chunks] == [(TextPlace(8, "line", "", 3),), (TextPlace(0, "line", "", 1),)]


def test_pages_are_all_that_is_said_of_a_document_that_has_them() -> None:
    document = ReadDocument(
        path="/a/b.pdf",
        kind="pdf",
        title="",
        text="# no heading\n\nSecond page.",
        hash="",
        bytes=1,
        page_starts=(0, 14),
    )
    assert find_places(document) == [TextPlace(0, "page", "", 1), TextPlace(14, "page", "", 2)]
    (chunk,) = with_places(document, [Chunk(start=2, end=20)])
    assert [place.number for place in chunk.places] == [1, 2]


def test_a_file_differs_from_what_was_read_when_it_is_another_or_gone(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    document = read(file, "As it was.")
    assert not differs(str(file), document.hash)
    file.write_text("As it is.", encoding="utf-8")
    assert differs(str(file), document.hash)
    file.unlink()
    assert differs(str(file), document.hash)
