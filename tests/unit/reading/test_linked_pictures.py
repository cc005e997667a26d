"""Pictures in HTML pages, OpenDocument texts and e-books: where they are in the text, which are left out, and how they
are drawn."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests import documents
from tests.picture_documents import docx, paragraph
from tests.projectors import draw_pictures, encoded
from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.reading import embedded
from workbench.reading.book import read_epub
from workbench.reading.embedded import LEAST_PIXELS, MOST_PICTURES, draw_embedded
from workbench.reading.odt import read_odt
from workbench.reading.page_pictures import draw_page
from workbench.reading.read import read_file
from workbench.reading.reader_calls import DrawDocumentPage, ReadDocument, ReadLimits


def picture(width: int = 60, height: int = 50, colour: str = "red", kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, kind)
    return out.getvalue()


def address(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def write(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<!doctype html><html><body>{body}</body></html>", "utf-8")
    return path


def read(path: Path, *folders: Path) -> ReadDocument:
    return read_file(path, ReadLimits(folders=tuple(map(str, folders))))


def placed(found: ReadDocument) -> list[tuple[str, str]]:
    """Of each picture the end of the text before it, and its part."""
    return [(found.text[: one.start].rpartition("\n")[2], one.part) for one in found.pictures]


def drawn(path: Path, part: str) -> tuple[int, int]:
    shown = draw_page(path.read_bytes(), DrawDocumentPage(path=str(path), page=1, scale=2.0, picture=part))
    return shown.width, shown.height


BODY = """{0}<h1>The {1} hall</h1>
<p>The plan of the hall {2}.</p>  <p>{3}</p>
<table><tr><td>Height</td><td>52 m {4}</td></tr></table>
<ul><li>First {5}</li><li>Second</li></ul><pre>  kept {6}
  lines </pre><p>The end.</p>{7}"""


def test_pictures_of_a_page_are_placed_behind_their_line_and_change_no_text(tmp_path: Path) -> None:
    shown = [f"<img src='{address(picture(60 + number))}'>" for number in range(8)]
    path = write(tmp_path / "a.html", BODY.format(*shown))
    plain = read(write(tmp_path / "b.html", BODY.format(*[""] * 8)))
    found = read(path)
    assert (found.text, found.title) == (plain.text, plain.title)
    assert plain.pictures == ()
    assert placed(found) == [
        ("# The hall", "data:1"),
        ("# The hall", "data:2"),
        ("The plan of the hall .", "data:3"),
        ("The plan of the hall .", "data:4"),
        ("Height | 52 m", "data:5"),
        ("- First", "data:6"),
        ("  kept", "data:7"),
        ("The end.", "data:8"),
    ]
    assert [drawn(path, one.part)[0] for one in found.pictures] == list(range(60, 68))


def test_ornaments_hidden_ones_repetitions_and_other_formats_are_left_out(tmp_path: Path) -> None:
    large, small = address(picture()), address(picture(LEAST_PIXELS, LEAST_PIXELS - 1))
    path = write(
        tmp_path / "a.html",
        f"<p>None.<img src='{small}'><img src='{large}' width=16 height='16px'><img hidden src='{large}'>"
        f"<img src='data:image/svg+xml;base64,PHN2Zy8+' width=90><img src='data:image/png,x' width=90><img>"
        f"<img src='data:image/png;base64,eHg='><svg><image href='{large}'/></svg>"
        f"<noscript><img src='{large}'></noscript><div style='' aria-hidden=true><img src='{large}'></div></p>"
        f"<p>One.<img src='{large}'><img src='{large}'></p><p>Stated.<img width='90' height='50%' src='{small}'></p>",
    )
    found = read(path)
    assert [end for end, _ in placed(found)] == ["One.", "Stated."]
    assert [drawn(path, part) for _, part in placed(found)] == [(60, 50), (LEAST_PIXELS, LEAST_PIXELS - 1)]
    many = "".join(f"<img width=99 src='{address(bytes([n % 256, n // 256]))}'>" for n in range(MOST_PICTURES + 9))
    assert len(read(write(tmp_path / "many.html", f"<p>x{many}</p>")).pictures) == MOST_PICTURES


def test_files_beside_a_page_belong_to_it_within_the_folder_that_was_added(tmp_path: Path) -> None:
    root = tmp_path / "site"
    page = root / "pages" / "a.html"
    names = (
        "plan one.png", "../img/b.JPG", "../img/none.png", "../../private.png", "/etc/a.png", "http://10.0.0.1/a.png",
        "//10.0.0.1/a.png", "file:///tmp/a.png", "../img/link.png", "../linked/b.png", "../.hidden/c.png", "notes.txt",
        "plan%20one.png?v=2", "pipe.png", "small.png", "C:/a.png", "..\\img\\b.JPG", "folder.png", "a%00.png",
    )  # fmt: skip
    write(page, "<p>The site.</p>" + "".join(f"<img src='{name}'>" for name in names))
    (root / "img").mkdir()
    (root / ".hidden").mkdir()
    (page.parent / "folder.png").mkdir()
    private = tmp_path / "private.png"
    outside = tmp_path / "outside"
    outside.mkdir()
    for file in (private, page.parent / "plan one.png", root / ".hidden" / "c.png", outside / "b.png"):
        file.write_bytes(picture())
    (root / "img" / "b.JPG").write_bytes(picture(90, 80, kind="JPEG"))
    (root / "img" / "link.png").symlink_to(private)
    (root / "linked").symlink_to(outside)
    (page.parent / "small.png").write_bytes(picture(9, 9))
    (page.parent / "notes.txt").write_text("words")
    wanted = [("The site.", "beside:plan one.png"), ("The site.", "beside:../img/b.JPG")]
    assert placed(read(page, root)) == wanted
    assert placed(read(page, tmp_path / "elsewhere", root)) == wanted
    assert placed(read(page, page.parent)) == wanted[:1]
    assert placed(read(page)) == []
    assert placed(read(page, page)) == []  # the file alone was added
    assert placed(read(page, outside)) == []
    through = tmp_path / "through"
    through.symlink_to(root)
    assert placed(read(through / "pages" / "a.html", through)) == wanted
    assert drawn(page, "beside:../img/b.JPG") == (90, 80)
    (root / "img" / "b.JPG").unlink()
    with pytest.raises(UserError, match="not there any more"):
        drawn(page, "beside:../img/b.JPG")
    (root / "img" / "b.JPG").symlink_to(private)
    with pytest.raises(UserError, match="not there any more"):
        drawn(page, "beside:../img/b.JPG")
    for part in ("beside:/etc/passwd", f"beside:{private}", "beside:nowhere.png"):
        with pytest.raises(UserError, match="not there any more"):
            drawn(page, part)
    with pytest.raises(UserError, match="not a picture"):
        drawn(page, "beside:notes.txt")
    for part in ("data:99", "data:0", "data:", "data:-1"):
        with pytest.raises(UserError, match="no such picture"):
            drawn(page, part)


def test_files_beside_a_page_with_another_base_address_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture())
    page = write(
        tmp_path / "a.html", f"<base href='/other/'><p>x<img src='a.png'><img src='{address(picture(70))}'></p>"
    )
    assert placed(read(page, tmp_path)) == [("x", "data:2")]


def test_a_part_of_an_archive_never_names_a_file_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture())
    data = docx(tmp_path / "a.docx", paragraph("x"), small=picture()).read_bytes()
    for part in ("beside:a.png", "data:1"):
        with pytest.raises(UserError, match="it has no"):
            draw_embedded(data, part, 1.0, tmp_path / "a.docx")


def frame(name: str, width: str = "3cm", height: str = "3cm") -> str:
    size = f"svg:width='{width}' svg:height='{height}'"
    return f"<draw:frame {size}><draw:image xlink:href='{name}'/></draw:frame>"


def test_pictures_of_an_opendocument_text_are_placed(tmp_path: Path) -> None:
    def write_text(name: str, **media: bytes) -> Path:
        body = f"<text:p>{frame('Pictures/logo.png')}</text:p>"
        body += f"<text:p>The plan of the hall.{frame('Pictures/plan.png')}</text:p>"
        body += (
            f"<text:p>A line.{frame('Pictures/line.png', height='0.9cm')}{frame('Pictures/dot.png', '1in', '0.3in')}"
        )
        body += f"{frame('http://10.0.0.1/a.png')}{frame('../a.png')}{frame('Pictures/drawing.svm')}</text:p>"
        box = f"<draw:text-box><text:p>Inside{frame('Pictures/boxed.png', '', '')}</text:p></draw:text-box>"
        body += f"<text:p>Before the box.<draw:frame svg:width='9cm'>{box}</draw:frame></text:p>"
        cells = f"<table:table-cell><text:p>Height{frame('Pictures/cell.png')}</text:p></table:table-cell>"
        body += f"<table:table><table:table-row>{cells}<table:table-cell><text:p>52 m</text:p></table:table-cell>"
        body += "</table:table-row></table:table>"
        body += f"<text:p>Again.{frame('Pictures/plan.png')}</text:p>"
        path = documents.write_odt_body(tmp_path / name, body)
        with zipfile.ZipFile(path, "a") as archive:
            for one, data in media.items():
                archive.writestr(f"Pictures/{one}.png", data)
            archive.writestr("Pictures/drawing.svm", b"x")
        return path

    names = ("logo", "plan", "line", "dot", "boxed", "cell")
    path = write_text("a.odt", **dict.fromkeys(names, encoded(draw_pictures()[3])))
    plain = read_odt(write_text("b.odt").read_bytes())
    found = read_odt(path.read_bytes())
    assert found.text == plain.text
    assert plain.pictures == ()
    assert [(found.text[: one.start].rpartition("\n")[2], one.part) for one in found.pictures] == [
        ("", "Pictures/logo.png"),
        ("The plan of the hall.", "Pictures/plan.png"),
        ("Text box: Inside", "Pictures/boxed.png"),
        ("Height | 52 m", "Pictures/cell.png"),
    ]
    assert drawn(path, "Pictures/plan.png") == draw_pictures()[3].size


def test_pictures_of_an_e_book_are_placed(tmp_path: Path) -> None:
    path = documents.write_epub(tmp_path / "a.epub", "Towers", [("One", "A."), ("Two", "B."), ("Three", "C.")])
    plain = read_epub(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}

    def put(chapter: int, html: str, *, alone: bool = False) -> None:
        name = f"OEBPS/text/c{chapter}.xhtml"
        text = parts[name].decode()
        begin, end = text.index("<body>") + 6, text.index("</body>")
        parts[name] = (text[: begin if alone else end] + html + text[end:]).encode()

    put(0, "<p><img src='../images/plan.png'/><img src='../images/dot.png'/><img src='../images/damaged.png'/></p>")
    put(1, "<img src='../images/map.jpg' width='300'/>", alone=True)
    put(2, "<img src='../../../private.png'/><img src='http://10.0.0.1/a.png'/><img src='../images/last.png'/>")
    images = {"plan.png": picture(), "dot.png": picture(5, 5), "damaged.png": b"x", "last.png": picture(70, 70)}
    parts |= {f"OEBPS/images/{name}": data for name, data in images.items()}
    parts["OEBPS/images/map.jpg"] = picture(90, 90, kind="JPEG")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    found = read_epub(path.read_bytes())
    assert found.text == plain.text.replace("# Two\n\nB.\n\n", "")
    assert [(found.text[: one.start].rpartition("\n")[2], one.part) for one in found.pictures] == [
        ("A.", "OEBPS/images/plan.png"),
        ("A.", "OEBPS/images/map.jpg"),
        ("C.", "OEBPS/images/last.png"),
    ]
    assert drawn(path, "OEBPS/images/map.jpg") == (90, 90)


def test_of_large_files_only_the_beginning_is_read_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photo.jpg").write_bytes(picture(kind="JPEG") + bytes(8_000_000))
    (tmp_path / "dot.png").write_bytes(picture(3, 3) + bytes(8_000_000))
    ends: list[int] = []

    @contextlib.contextmanager
    def watched(file: Path) -> Iterator[io.BufferedReader]:
        with open_regular(file) as found:
            yield found
            ends.append(found.tell())

    monkeypatch.setattr(embedded, "open_regular", watched)
    page = write(tmp_path / "a.html", "<p>Photos</p>" + "<img src=photo.jpg><img src=dot.png>" * 3)
    assert placed(read(page, tmp_path)) == [("Photos", "beside:photo.jpg")]
    assert len(ends) == 2
    assert max(ends) < 1_000_000


def test_addresses_that_name_no_file_are_not_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(picture())
    page = write(
        tmp_path / "a.html", f"<p>Text</p><img src='{'b/' * 50_000}c.png'><img src=missing.png><img src=a.png>"
    )
    resolved: list[str] = []
    real = os.path.realpath

    def watched(path: str) -> str:
        resolved.append(str(path))
        return real(path)

    monkeypatch.setattr(os.path, "realpath", watched)
    assert placed(read(page, tmp_path)) == [("Text", "beside:a.png")]
    assert [Path(one).name for one in resolved if one.endswith(".png")] == ["a.png"]


def test_a_photo_is_drawn_as_its_camera_was_held(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.new("RGB", (80, 50), "red").save(tmp_path / "a.jpg", exif=exif)
    page = write(tmp_path / "a.html", "<p>Text</p><img src=a.jpg>")
    width, height = drawn(page, "beside:a.jpg")
    assert width < height
