"""Text recognition: pages that are pictures, the order of lines, and which pages are named in warnings."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import documents
from workbench.base.errors import UserError
from workbench.reading import ocr
from workbench.reading.ocr import Recogniser, recognisers
from workbench.reading.page_layout import Piece, arrange
from workbench.reading.page_pictures import recognise_page
from workbench.reading.pdf import read_pdf
from workbench.reading.rapid_ocr import trim
from workbench.reading.read import read_file
from workbench.reading.reader_calls import ReadDocument, ReadLimits, RecognisedPage, RecognisePage
from workbench.reading.recognition import name_pages, split_apart, with_recognised_pages
from workbench.records.documents import Chunk, PlacedText


def line(text: str, left: float, top: float, width: float = 200) -> Piece:
    return Piece(left=left, top=top, right=left + width, bottom=top + 20, text=text, confidence=0.9)


def arranged(lines: Sequence[Piece]) -> str:
    return arrange(lines, 1000, 1000).text


def by(name: str) -> Recogniser:
    found = next((one for one in recognisers() if one.name == name), None)
    if found is None:
        pytest.skip(f"{name} is not installed on this machine")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tesseract", "rapidocr"])
def test_a_scanned_page_is_recognised_with_the_places_of_its_text(name: str, tmp_path: Path) -> None:
    path = documents.write_scanned_pdf(tmp_path / "scan.pdf", [["Notice: ninety days.", "In writing."]], ["A page."])
    found = read_pdf(path.read_bytes(), recognise=True)
    assert (found.text.strip(), found.scanned) == ("A page.", (1,))
    page = recognise_page(RecognisePage(path=str(path), page=1), by(name))
    assert page.text.split("\n") == ["Notice: ninety days.", "In writing."]
    assert page.confidence > 0.8
    # the words stand 72 points from the left and the top of a page of 612 x 792
    first, last = page.places[0], page.places[-1]
    assert abs(first.left * 612 - 72) < 4
    assert 55 < first.top * 792 < first.bottom * 792 < 80
    assert page.text[last.start : last.end].endswith("writing.")
    assert first.bottom <= (last.top + last.bottom) / 2
    assert len(page.places) == (5 if name == "tesseract" else 2)


def test_margins_are_cut_off_and_counted() -> None:
    import numpy as np

    page = np.full((900, 700, 3), 255, dtype=np.uint8)
    page[300:320, 100:600] = 0
    trimmed, across, down = trim(page)
    assert trimmed.shape == (400, 580, 3)
    rows, columns = np.nonzero(trimmed[:, :, 0] == 0)
    assert (rows[0] + down, columns[0] + across) == (300, 100)


def test_a_page_in_a_font_without_a_map_is_recognised_instead(tmp_path: Path) -> None:
    data = documents.write_unmapped_pdf(tmp_path / "a.pdf").read_bytes()
    found = read_pdf(data, recognise=True)
    assert (found.text, found.scanned) == ("", (1,))


def test_without_the_packages_what_to_install_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "recognisers", tuple)
    path = documents.write_scanned_pdf(tmp_path / "scan.pdf", [["Notice: ninety days."]])
    with pytest.raises(UserError, match="1 of 1 page is a picture") as told:
        read_file(path, ReadLimits())
    assert "llm-workbench[ocr]" in told.value.hint


def test_columns_are_read_one_after_the_other_below_a_heading() -> None:
    heading = line("A heading over both columns", 0, 0, 500)
    left = [line("left one", 0, 60), line("left two", 0, 84)]
    right = [line("right one", 300, 61), line("right two", 300, 85)]
    assert arranged([right[0], heading, left[1], left[0], right[1]]) == (
        "A heading over both columns\n\nleft one\nleft two\n\nright one\nright two"
    )


def test_pieces_of_one_line_stay_on_it() -> None:
    pieces = [line("Rent", 0, 0, 60), line("1,240", 75, 2, 60), line("Deposit", 0, 24, 60), line("3,720", 75, 25, 60)]
    assert arranged(pieces) == "Rent  1,240\nDeposit  3,720"


def test_a_table_is_read_row_by_row() -> None:
    cells = [("Article", "Size", "Price"), ("Door lock", "72 mm", "38.50"), ("Tap", "1/2 inch", "24.90")]
    pieces = [
        line(text, 300 * column, 24 * row, 120) for row, texts in enumerate(cells) for column, text in enumerate(texts)
    ]
    assert arranged(pieces[::-1]) == "Article  Size  Price\nDoor lock  72 mm  38.50\nTap  1/2 inch  24.90"


def test_each_piece_has_its_place_in_the_text_and_on_the_page() -> None:
    words = line("In", 100, 0, 20), line("writing.", 125, 0, 75)
    whole = Piece(left=100, top=0, right=200, bottom=20, text="In writing.", confidence=0.5, words=words)
    found = arrange([line("Notice", 0, 40, 1200), whole], 1000, 200)
    assert found.text == "In writing.\n\nNotice"
    assert [found.text[one.start : one.end] for one in found.places] == ["In", "writing.", "Notice"]
    assert found.places[1] == PlacedText(3, 11, 0.125, 0.0, 0.2, 0.1)
    assert found.places[2] == PlacedText(13, 19, 0.0, 0.2, 1.0, 0.3)  # what leads over the edge ends there
    assert arrange([], 10, 10).text == ""


def document(text: str, starts: tuple[int, ...], scanned: tuple[int, ...]) -> ReadDocument:
    return ReadDocument(
        path="/a.pdf", kind="pdf", title="a", text=text, hash="h", bytes=1, page_starts=starts, scanned=scanned
    )


def test_recognised_pages_stand_at_their_places_and_are_named() -> None:
    words = (PlacedText(0, 4, 0.1, 0.1, 0.2, 0.2),)
    pages = {
        1: RecognisedPage(text="One.", confidence=0.95, places=words, languages=("eng",)),
        3: RecognisedPage(text="Three.", confidence=0.5),
    }
    places: list[str] = []
    before: list[tuple[str, ...]] = []

    def recognise(page: int, likely: tuple[str, ...]) -> RecognisedPage:
        before.append(likely)
        return pages[page]

    read = with_recognised_pages(document("\n\nTwo.\n\n", (0, 2, 8), (1, 3)), recognise, places.append)
    assert before == [(), ("eng",)]
    assert read.places == {1: words, 3: ()}
    assert (read.text, read.page_starts) == ("One.\n\nTwo.\n\nThree.", (0, 6, 12))
    assert places[1] == "recognising text on page 3 (2 of 2)"
    assert read.warnings == (
        "Read by text recognition (OCR), which makes mistakes: pages 1, 3.", "Hard to recognise: page 3.",
    )  # fmt: skip


def test_a_page_that_fails_is_named_and_many_that_fail_end_it() -> None:
    def recognise(page: int, likely: tuple[str, ...]) -> RecognisedPage:
        if page == 2:
            raise UserError("Reading took longer than 15 s.")
        return RecognisedPage(text="Words." if page < 4 else " ", confidence=0.9)

    read = with_recognised_pages(document("\n\n\n\n\n\n", (0, 2, 4, 6), (1, 2, 3, 4)), recognise)
    assert read.warnings[-2:] == (
        "No text was recognised on page 4.", "Not recognised: page 2. Reading took longer than 15 s.",
    )  # fmt: skip
    tried: list[int] = []

    def fail(page: int, likely: tuple[str, ...]) -> RecognisedPage:
        tried.append(page)
        raise UserError("Too slow.")

    with pytest.raises(UserError, match="Too slow"):
        with_recognised_pages(document("\n\n" * 9, tuple(range(0, 20, 2)), tuple(range(1, 11))), fail)
    assert tried == [1, 2, 3]


def test_a_document_of_empty_pictures_has_no_text() -> None:
    with pytest.raises(UserError, match="none was recognised"):
        with_recognised_pages(document("", (0,), (1,)), lambda *_: RecognisedPage(text="", confidence=0))


@pytest.mark.parametrize(
    ("numbers", "name"), [([3], "page 3"), ([1, 2, 3, 7], "pages 1-3, 7"), (list(range(1, 30, 2)), "and more")]
)
def test_pages_are_named_by_ranges(numbers: list[int], name: str) -> None:
    assert name_pages(numbers).endswith(name)


def test_no_chunk_holds_text_of_a_recognised_page_and_of_another_one() -> None:
    read = document("One.\n\nTwo.\n\nThree.\n\nFour.", (0, 6, 12, 20), (1, 4))

    def split(text: str, starts: Sequence[int]) -> list[Chunk]:
        begins = len(text) - len(text.lstrip())
        return [Chunk(start=begins, end=len(text.rstrip()), page=bisect_right(starts, begins))]

    chunks = split_apart(read, split)
    assert [(read.text[one.start : one.end], one.page, one.recognised) for one in chunks] == [
        ("One.", 1, True), ("Two.\n\nThree.", 2, False), ("Four.", 4, True),
    ]  # fmt: skip
    (whole,) = split_apart(document("One.", (0,), ()), split)
    assert not whole.recognised
