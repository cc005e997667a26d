"""PDF text, and that a passage of it is marked where it stands on the drawn page."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from tests.documents import in_unmapped_font, page_stream, pdf_bytes, unmapped_font, write_unmapped_pdf
from workbench.base.errors import UserError
from workbench.reading.pdf import LARGEST_PICTURE, draw_page, read_pdf
from workbench.records.documents import Box, PagePicture


def pixels(picture: PagePicture) -> np.ndarray:
    """The grey values of a PNG as ``draw_page`` writes it: (height, width)."""
    data, place, packed = picture.png, 8, b""
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        name, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        assert struct.unpack(">I", data[place + 8 + length : place + 12 + length])[0] == zlib.crc32(name + body)
        if name == b"IHDR":
            assert struct.unpack(">II", body[:8]) == (picture.width, picture.height)
        packed += body if name == b"IDAT" else b""
        place += 12 + length
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(picture.height, 1 + 3 * picture.width)
    return rows[:, 1:].reshape(picture.height, picture.width, 3).mean(axis=2)


def ink(grey: np.ndarray, box: Box) -> int:
    """How many dark pixels lie in a box."""
    return int((grey[int(box.top) : int(box.bottom), int(box.left) : int(box.right)] < 128).sum())


def test_pages_begin_where_they_say() -> None:
    read = read_pdf(pdf_bytes([page_stream(["One.", "Two."]), page_stream([]), page_stream(["Three."])], title="T"))
    assert read.text == "One.\nTwo.\n\n\n\nThree."
    assert [read.text[start:][:4] for start in read.page_starts] == ["One.", "\n\nTh", "Thre"]
    assert read.title == "T"


def test_word_parted_at_the_end_of_a_line_is_joined() -> None:
    assert read_pdf(pdf_bytes([page_stream(["The light-", "house of New-", "York"])])).text == (
        "The lighthouse of New-York"
    )


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_only_the_passage_is_marked(rotation: int) -> None:
    lines = ["The first line of it.", "The second one.", "The third and last."]
    data = pdf_bytes([page_stream(lines)], page=b"/Rotate %d /CropBox [36 36 580 770]" % rotation)
    text = read_pdf(data).text
    start = text.index("second")
    picture = draw_page(data, 1, 2.0, start, start + len("second one."))
    grey = pixels(picture)
    (box,) = picture.boxes
    alone = pdf_bytes([page_stream(["", "The second one."])], page=b"/Rotate %d /CropBox [36 36 580 770]" % rotation)
    word = draw_page(alone, 1, 2.0, 0, 3)  # "The" of a page with nothing but that line
    line = pixels(word)
    assert ink(grey, box) == (line < 128).sum() - ink(line, word.boxes[0]) > 100


def test_passage_over_two_lines_has_two_boxes() -> None:
    data = pdf_bytes([page_stream(["The first line.", "The second."])])
    text = read_pdf(data).text
    picture = draw_page(data, 1, 1.0, text.index("line"), text.index("second"))
    first, second = picture.boxes
    assert first.bottom <= second.top + 1
    assert second.left < first.left
    assert all(ink(pixels(picture), box) > 10 for box in picture.boxes)


def test_offsets_survive_joined_words_and_wide_characters() -> None:
    """Characters beyond the basic plane are two in pdfium's count, one in ours; ligatures the other way round."""
    names = b"<41> <D83DDE00> <42> <00660069> <43> <D800>"
    cmap = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def 1 begincodespacerange <00> <FF>"
        b" endcodespacerange 3 beginbfchar " + names + b" endbfchar endcmap end end"
    )
    objects = [
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 8 0 R >>",
        b"<< /Length %d >>\nstream\n" % len(cmap) + cmap + b"\nendstream",
    ]
    stream = b"BT /F2 20 Tf 72 700 Td 30 TL (xAyBz Cw-) Tj T* (more A end) Tj ET"
    data = pdf_bytes([stream], fonts=b"/F2 7 0 R", objects=objects)
    text = read_pdf(data).text
    assert text == "x😀yfiz wmore 😀 end"
    place = text.index("end")
    picture = draw_page(data, 1, 2.0, place, place + 3)
    (box,) = picture.boxes
    grey = pixels(picture)
    assert ink(grey, box) > 50
    assert ink(grey, Box(left=box.right, top=box.top, right=picture.width, bottom=box.bottom)) == 0
    wider = draw_page(data, 1, 2.0, place - 2, place + 3).boxes[0]
    assert wider.left < box.left < wider.right == box.right


def test_poster_is_drawn_smaller() -> None:
    data = pdf_bytes([page_stream(["Big"], 14_000)], size=(14_000, 14_000))
    picture = draw_page(data, 1, 4.0, 0, 3)
    assert picture.width * picture.height <= LARGEST_PICTURE * 1.01
    assert len(picture.boxes) == 1


def test_page_that_is_not_there() -> None:
    with pytest.raises(UserError, match="has 1 pages and no page 2"):
        draw_page(pdf_bytes([page_stream(["x"])]), 2, 1.0, 0, 0)


def test_some_bad_pages_are_a_warning_all_bad_pages_a_reason() -> None:
    good = pdf_bytes([page_stream(["Read me."]), page_stream(["Not me."])])
    one_bad = good.replace(b"/Kids [5 0 R 7 0 R]", b"/Kids [5 0 R 99 0 R]")
    read = read_pdf(one_bad)
    assert (read.text.strip(), read.warnings) == ("Read me.", ("Page 2 could not be read.",))
    with pytest.raises(UserError, match="damaged"):
        read_pdf(good.replace(b"/Kids [5 0 R 7 0 R]", b"/Kids [98 0 R 99 0 R]"))


def test_bytes_after_the_end_are_no_cut() -> None:
    assert read_pdf(pdf_bytes([page_stream(["Read me."])]) + b"\n<!-- by a proxy -->" * 300).text == "Read me."


def test_update_that_was_cut_off_is_refused() -> None:
    with pytest.raises(UserError, match="incomplete"):
        read_pdf(pdf_bytes([page_stream(["Read me."])]) + b"5 0 obj\n<< /Type /Page " + b" " * 5000)


# -- what lies over a page ------------------------------------------------------------------------------


def annotated(annotations: bytes, *, form: bytes = b"", lines: list[str] | None = None) -> bytes:
    """A page with these annotations; ``form`` are the numbers of those that are fields (from 7)."""
    count = annotations.count(b"/Subtype")
    objects = [b"<< /Type /Annot /Rect [72 700 300 720] " + body + b" >>" for body in annotations.split(b"\n")]
    assert len(objects) == count
    listed = b" ".join(b"%d 0 R" % (7 + index) for index in range(count))
    data = pdf_bytes([page_stream(lines or ["A page."])], page=b"/Annots [" + listed + b"]", objects=objects)
    if form:
        catalog = b"/AcroForm << /Fields [" + form + b"] >>"
        data = data.replace(b"/Type /Catalog", b"/Type /Catalog " + catalog)
    return data


def test_values_of_form_fields_are_text() -> None:
    fields = b"\n".join(
        [
            b"/Subtype /Widget /FT /Tx /T (name) /TU (Your name:) /V (Ann & Bob)",
            b"/Subtype /Widget /FT /Tx /T (empty)",
            b"/Subtype /Widget /FT /Tx /T (secret) /Ff 8192 /V (hunter2)",
            b"/Subtype /Widget /FT /Btn /T (agreed) /V /On /AS /On /AP << /N << /On 6 0 R /Off 6 0 R >> >>",
            b"/Subtype /Widget /FT /Ch /Ff 131072 /T (town) /Opt [(Delft) (Gouda)] /V (Gouda)",
        ]
    )
    read = read_pdf(annotated(fields, form=b"7 0 R 8 0 R 9 0 R 10 0 R 11 0 R"))
    assert read.text == "A page.\n\n## Form fields\n\nYour name: Ann & Bob\nagreed: yes\ntown: Gouda"
    assert "A page." not in read_pdf(annotated(fields, form=b"7 0 R", lines=[" "])).text


def test_comments_say_who_when_and_on_what() -> None:
    over = b"\n".join(
        [
            b"/Subtype /Highlight /Contents (Too long.) /T (Ann) /M (D:20240501090000Z)"
            b" /QuadPoints [72 732 124 732 72 718 124 718]",
            b"/Subtype /FreeText /Contents (In a box.) /DA (/Helv 12 Tf)",
            b"/Subtype /Text /F 2 /Contents (Hidden.)",
            b"/Subtype /Link",
        ]
    )
    assert read_pdf(annotated(over, lines=["A page of words."])).text == (
        "A page of words.\n\nText box: In a box.\n\n## Comments\n\n- Ann, 2024-05-01, on “A page of”: Too long."
    )


# -- fonts without a character map ------------------------------------------------------------------------


SENTENCE = "The lighthouse of Westkapelle was built long ago. " * 3


def test_text_in_a_font_without_a_map_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = write_unmapped_pdf(tmp_path / "a.pdf")
    with pytest.raises(UserError, match=r"^The text of this PDF cannot be read: its fonts have no character") as told:
        read_pdf(path.read_bytes())
    assert "OCR" in told.value.hint


def test_what_can_be_read_beside_it_is_kept_and_the_rest_told() -> None:
    streams = [page_stream([SENTENCE, "Café."]), page_stream(["Here."]) + b" " + in_unmapped_font(SENTENCE)]
    data = pdf_bytes(streams, fonts=b"/F2 9 0 R", objects=unmapped_font(9))
    read = read_pdf(data)
    assert read.text.split() == (SENTENCE + "Café. Here.").split()
    assert len(read.warnings) == 1
    assert "of the text cannot be read" in read.warnings[0]
    start = read.text.index("Here.")
    picture = draw_page(data, 2, 1.0, 0, len("Here."))
    assert start >= read.page_starts[1]
    assert len(picture.boxes) == 1


def test_font_without_names_but_with_the_codes_of_letters_is_read() -> None:
    """Fonts of old TeX: shapes named by numbers, at the places of ASCII."""
    names = b" ".join(b"/a%d" % code for code in range(32, 127))
    shapes = b" ".join(b"/a%d 8 0 R" % code for code in range(32, 127))
    font = b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1000 1000] /FontMatrix [0.001 0 0 0.001 0 0] /FirstChar 32"
    font += b" /LastChar 126 /Widths [" + b"600 " * 95 + b"] /CharProcs << " + shapes + b" >>"
    font += b" /Encoding << /Type /Encoding /Differences [32 " + names + b"] >> >>"
    shape = b"600 0 0 0 500 500 d1 0 0 500 500 re f"
    objects = [font, b"<< /Length %d >>\nstream\n" % len(shape) + shape + b"\nendstream"]
    stream = b"BT /F2 12 Tf 72 700 Td (" + SENTENCE.encode() + b") Tj ET"
    assert read_pdf(pdf_bytes([stream], fonts=b"/F2 7 0 R", objects=objects)).text.split() == SENTENCE.split()


def test_controls_and_private_characters_are_left_out() -> None:
    assert read_pdf(pdf_bytes([b"BT /F1 12 Tf 72 700 Td (a\001b) Tj ET"])).text == "ab"


def test_metadata_that_is_no_text_costs_itself_only() -> None:
    data = pdf_bytes([page_stream(["Read me."])], title="TITLE")
    assert read_pdf(data.replace(b"(TITLE)", b"<FEFFD800>")).text == "Read me."


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("(anonymous)", ""),
        ("untitled", ""),
        ("Untitled document", ""),
        ("Microsoft Word - contract.doc", ""),
        ("contract_v2.docx", ""),
        ("Document1", ""),
        ("PowerPoint-Präsentation", ""),
        ("Untitled Masterpieces of the North", "Untitled Masterpieces of the North"),
        ("Slide rules", "Slide rules"),
        ("Anonymous letters, 1837", "Anonymous letters, 1837"),
    ],
)
def test_titles_that_programs_write_are_none(given: str, kept: str) -> None:
    assert read_pdf(pdf_bytes([page_stream(["x"])], title=given)).title == kept
