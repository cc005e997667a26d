"""The places of recognised words: stored and read back, and the boxes around a passage."""

from __future__ import annotations

from workbench.records.documents import Document, DocumentText, PlacedText
from workbench.techniques.retrieval.places import pack_places, page_range, passage_boxes, unpack_places

# "Notice: ninety days." and below it "In writing."
WORDS = (
    PlacedText(0, 7, 0.10, 0.10, 0.20, 0.12),
    PlacedText(8, 14, 0.21, 0.10, 0.30, 0.12),
    PlacedText(15, 20, 0.31, 0.105, 0.40, 0.12),
    PlacedText(21, 23, 0.10, 0.13, 0.14, 0.15),
    PlacedText(24, 32, 0.15, 0.13, 0.30, 0.15),
)


def test_places_are_read_back_to_a_65535th_of_the_page() -> None:
    packed = pack_places(WORDS)
    assert len(packed) == 14 * len(WORDS)
    for word, read in zip(WORDS, unpack_places(packed), strict=True):
        assert (read.start, read.end) == (word.start, word.end)
        assert max(abs(a - b) for a, b in zip(_corners(word), _corners(read), strict=True)) < 1 / 65_535
    assert unpack_places(b"") == ()


def _corners(place: PlacedText) -> tuple[float, ...]:
    return place.left, place.top, place.right, place.bottom


def test_a_passage_has_a_box_for_each_line() -> None:
    (box,) = passage_boxes(WORDS, 8, 20, 1000, 1000)
    assert (round(box.left), round(box.top), round(box.right), round(box.bottom)) == (210, 100, 400, 120)
    first, second = passage_boxes(WORDS, 10, 23, 1000, 2000)
    assert (round(first.left), round(first.right)) == (210, 400)  # of a word in part, the whole
    assert (round(second.left), round(second.top), round(second.right)) == (100, 260, 140)
    assert passage_boxes(WORDS, 14, 15, 1000, 1000) == ()
    assert passage_boxes((), 0, 20, 1000, 1000) == ()


def test_columns_on_one_height_are_boxes_of_their_own() -> None:
    other = PlacedText(33, 40, 0.60, 0.13, 0.70, 0.15)
    assert len(passage_boxes((*WORDS, other), 21, 40, 1000, 1000)) == 2


def test_a_page_has_its_range_in_the_text() -> None:
    described = Document(id="d", path="/a.pdf", title="a", kind="pdf", state="indexed")
    text = DocumentText(document=described, text="One.\n\nThree.", chunks=(), page_starts=(0, 6))
    assert [page_range(text, page) for page in (0, 1, 2, 3)] == [(0, 0), (0, 6), (6, 12), (0, 0)]
