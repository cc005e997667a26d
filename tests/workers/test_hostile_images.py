"""Hostile image files are decoded in the reader process alone: each is refused with a reason, or is an image."""

from __future__ import annotations

import base64
import zipfile
from pathlib import Path

import msgspec
import pytest

from tests import documents
from tests.hostile_images import hostile_images
from tests.projectors import draw_pictures, encoded
from workbench.base.errors import UserError
from workbench.base.pixels import LONGEST_SIDE
from workbench.reading.process import ReaderProcess
from workbench.reading.reader_calls import ReadLimits

LIMITS = ReadLimits(seconds=60.0, memory_mb=900, largest_file_mb=50)


def test_sixty_hostile_files_crash_nothing(tmp_path: Path) -> None:
    files = list(hostile_images())
    assert len(files) >= 60
    reader = ReaderProcess()
    refused = 0
    try:
        for number, (name, data) in enumerate(files):
            path = tmp_path / f"{number}.png"
            path.write_bytes(data)
            try:
                pixels, small, _ = reader.decode_image(path, LIMITS)
            except UserError:
                refused += 1
            else:
                assert max(pixels.width, pixels.height) <= LONGEST_SIDE, name
                assert len(small.rgb) == 3 * small.width * small.height, name
        # and a sound one is still read
        path = tmp_path / "sound.png"
        path.write_bytes(encoded(draw_pictures()[0]))
        pixels, _, decoded = reader.decode_image(path, LIMITS)
    finally:
        reader.close()
    assert pixels.rgb == draw_pictures()[0].tobytes()
    assert decoded.media_type == "image/png"
    assert refused > 40  # a changed byte or what stands behind an image does not always harm it


def test_sixty_hostile_pictures_in_documents_crash_nothing(tmp_path: Path) -> None:
    """Each in a Word document: its text is read, and drawing the picture is refused with a reason or gives a PNG."""
    files = list(hostile_images())
    text = documents.write_docx(tmp_path / "text.docx", "Title", ["The text."]).read_bytes()
    reader = ReaderProcess()
    refused, missing = 0, False
    try:
        for number, (name, data) in enumerate([*files, ("a ZIP bomb", bytes(300_000_000))]):
            path = tmp_path / f"{number}.docx"
            path.write_bytes(text)
            with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("word/media/image1.png", data)
            try:
                drawn = reader.draw_page(path, 1, 1.5, picture="word/media/image1.png", limits=LIMITS)
            except UserError as error:
                missing |= "it has no" in error.message
                refused += 1
            else:
                assert drawn.png.startswith(b"\x89PNG"), name
                assert drawn.width <= LONGEST_SIDE, name
            path.unlink()
        path = documents.write_docx(tmp_path / "sound.docx", "Title", ["The text."])
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("word/media/image1.png", encoded(draw_pictures()[0]))
        drawn = reader.draw_page(path, 1, 1.5, picture="word/media/image1.png", limits=LIMITS)
    finally:
        reader.close()
    assert (drawn.width, drawn.height) == draw_pictures()[0].size
    assert not missing
    assert refused > 40


@pytest.mark.parametrize("form", ["in the page", "beside it", "in an e-book"])
def test_hostile_pictures_cost_a_page_and_a_book_no_text(tmp_path: Path, form: str) -> None:
    """Their headers are looked at when the document is read, since no size is stated; those that stay are drawn or
    refused with a reason."""
    files = [data for _, data in hostile_images()]
    shown = [
        f"data:image/png;base64,{base64.b64encode(data).decode()}" if form == "in the page" else f"{number}.png"
        for number, data in enumerate(files)
    ]
    body = "<p>The text.</p>" + "".join(f"<img src='{one}'>" for one in shown)
    path = tmp_path / ("a.epub" if form == "in an e-book" else "a.html")
    if form == "in an e-book":
        documents.write_epub(path, "Title", [("One", "The text.")])
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        parts["OEBPS/text/c0.xhtml"] = f"<html><body>{body}</body></html>".encode()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in (parts | {f"OEBPS/text/{n}.png": data for n, data in enumerate(files)}).items():
                archive.writestr(name, content)
    else:
        path.write_text(body, "utf-8")
    if form == "beside it":
        for number, data in enumerate(files):
            (tmp_path / f"{number}.png").write_bytes(data)
    limits = msgspec.structs.replace(LIMITS, folders=(str(tmp_path),))
    reader = ReaderProcess()
    try:
        read = reader.read(path, limits)
        assert read.text == "The text."
        assert 0 < len(read.pictures) < len(files)
        refused: list[str] = []
        for one in read.pictures:
            try:
                drawn = reader.draw_page(path, 1, 1.5, hash=read.hash, picture=one.part, limits=limits)
            except UserError as error:
                refused.append(error.message)
            else:
                assert drawn.png.startswith(b"\x89PNG")
                assert drawn.width <= LONGEST_SIDE
        assert "The page has no such picture." not in refused
        assert reader.read(path, limits).text == read.text
    finally:
        reader.close()


@pytest.mark.parametrize(("name", "match"), [("cut off", "damaged or incomplete"), ("PDF", "not a picture but a PDF")])
def test_the_reason_is_told(tmp_path: Path, name: str, match: str) -> None:
    data = encoded(draw_pictures()[1])[:80] if name == "cut off" else b"%PDF-1.7\n1 0 obj <<>> endobj\n"
    path = tmp_path / "image.png"
    path.write_bytes(data)
    reader = ReaderProcess()
    try:
        with pytest.raises(UserError, match=match):
            reader.decode_image(path, LIMITS)
    finally:
        reader.close()
