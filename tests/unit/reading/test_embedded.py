"""Pictures within Word documents and slides: where they are in the text, which are left out, and how they are drawn."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tests import documents
from tests.documents import relate
from tests.picture_documents import DOCUMENT, docx, drawing, paragraph
from tests.projectors import draw_pictures, encoded
from workbench.base.errors import UserError
from workbench.reading.embedded import LEAST_EMU, MOST_PICTURES, draw_embedded
from workbench.reading.page_pictures import draw_page
from workbench.reading.read import read_file
from workbench.reading.reader_calls import DrawDocumentPage, ReadLimits
from workbench.reading.slides import read_pptx
from workbench.reading.word import read_docx

SLIDES = "ppt/slides"


PNG = encoded(draw_pictures()[3])


def placed(path: Path) -> list[tuple[str, str]]:
    """Of each picture the end of the text before it, and its part."""
    read = read_docx(path.read_bytes())
    return [(read.text[: one.start].rpartition("\n")[2], one.part) for one in read.pictures]


def test_pictures_are_placed_behind_their_paragraph_and_change_no_text(tmp_path: Path) -> None:
    body = paragraph("", drawing("logo")) + paragraph("The plan of the hall.", drawing("plan"))
    body += paragraph("", drawing("map"))
    cells = f"<w:tc>{paragraph('Height', drawing('inside'))}</w:tc><w:tc>{paragraph('52 m')}</w:tc>"
    body += f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>"
    box = f"<w:txbxContent>{paragraph('', drawing('boxed'))}</w:txbxContent>"
    body += paragraph("Before the box.", box) + paragraph("The end.")
    media = dict.fromkeys(("logo", "plan", "map", "inside", "boxed"), PNG)
    path = docx(tmp_path / "a.docx", body, **media)
    plain = docx(tmp_path / "b.docx", body)  # without the parts
    assert read_docx(path.read_bytes()).text == read_docx(plain.read_bytes()).text
    assert read_docx(plain.read_bytes()).pictures == ()
    assert placed(path) == [
        ("", "word/media/logo.png"),
        ("The plan of the hall.", "word/media/plan.png"),
        ("The plan of the hall.", "word/media/map.png"),
        ("Height | 52 m", "word/media/inside.png"),
        ("Before the box.", "word/media/boxed.png"),
    ]


def test_ornaments_links_and_repetitions_are_left_out(tmp_path: Path) -> None:
    body = paragraph("Text.", drawing("line", height=LEAST_EMU - 1)) + paragraph("More.", drawing("far"))
    body += paragraph("Linked.", drawing("far", attribute="r:link")) + paragraph("Unknown.", drawing("none"))
    body += paragraph("Once.", drawing("photo")) + paragraph("Again.", drawing("photo"))
    body += f"<w:p><w:del><w:r>{drawing('gone')}</w:r></w:del></w:p>"
    body += paragraph("Old.", "<w:pict><v:shape xmlns:v='v'><v:imagedata r:id='old'/></v:shape></w:pict>")
    path = docx(tmp_path / "a.docx", body, line=PNG, photo=PNG, gone=PNG, old=PNG)
    assert placed(path) == [("Once.", "word/media/photo.png"), ("Old.", "word/media/old.png")]


def test_no_more_than_so_many_pictures_are_counted(tmp_path: Path) -> None:
    names = [f"p{number}" for number in range(MOST_PICTURES + 20)]
    body = "".join(paragraph(name, drawing(name)) for name in names)
    assert len(placed(docx(tmp_path / "a.docx", body, **dict.fromkeys(names, b"x")))) == MOST_PICTURES


def test_pictures_of_a_slide_belong_to_its_text(tmp_path: Path) -> None:
    path = documents.write_pptx(tmp_path / "a.pptx", [("First", "One."), ("Second", "Two.")])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for number in (1, 2):
        space = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        blip = f"<p:blipFill><a:blip xmlns:a='a' xmlns:r='{space}' r:embed='image'/></p:blipFill>"
        pictures = "".join(
            f"<p:pic xmlns:p='p'>{blip}<p:spPr><a:ext xmlns:a='a' cx='{LEAST_EMU}' cy='{height}'/></p:spPr></p:pic>"
            for height in (10, LEAST_EMU)
        )
        part = f"{SLIDES}/slide{number}.xml"
        xml = parts[part].decode()
        end = xml.rindex("</")
        parts[part] = (xml[:end] + pictures + xml[end:]).encode()
        parts[f"ppt/media/{number}.png"] = PNG
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    for number in (1, 2):
        relate(path, f"{SLIDES}/slide{number}.xml", image=f"../media/{number}.png")
    read = read_pptx(path.read_bytes())
    assert [(read.text[one.start : one.end], one.part) for one in read.pictures] == [
        ("# First\n\nOne.", "ppt/media/1.png"),
        ("# Second\n\nTwo.", "ppt/media/2.png"),
    ]


def test_a_protected_document_has_no_pictures_that_could_not_be_drawn(tmp_path: Path) -> None:
    path = documents.write_docx_with_password(tmp_path / "a.docx", "Title", ["Text."], "open sesame")
    assert read_file(path, ReadLimits(), "open sesame").pictures == ()


def test_a_picture_is_drawn_within_limits_and_never_enlarged(tmp_path: Path) -> None:
    wide = io.BytesIO()
    Image.new("RGB", (3_000, 1_500), "red").save(wide, "JPEG")
    data = docx(tmp_path / "a.docx", paragraph("x"), small=PNG, wide=wide.getvalue()).read_bytes()
    call = DrawDocumentPage(path="/a/letter.docx", page=1, scale=0.5, picture="word/media/wide.png")
    drawn = draw_page(data, call)
    assert (drawn.width, drawn.height) == (298, 149)
    with Image.open(io.BytesIO(drawn.png)) as image:
        assert image.size == (298, 149)
    small = draw_embedded(data, "word/media/small.png", 4.0)
    assert (small.width, small.height) == draw_pictures()[3].size
    for part in ("word/media/none.png", "../../etc/passwd", "/etc/passwd"):
        with pytest.raises(UserError, match="it has no"):
            draw_embedded(data, part, 1.0)
    with pytest.raises(UserError, match="not a picture"):
        draw_embedded(data, DOCUMENT, 1.0)
    with pytest.raises(UserError, match="not a document with pictures"):
        draw_embedded(b"words", "word/media/small.png", 1.0)
