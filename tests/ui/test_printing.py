"""The pages of a print, and their preview."""

from __future__ import annotations

import gc
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image
from PySide6.QtPrintSupport import QPrintPreviewWidget
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from tests.ui.fake_home import FakeHome
from tests.ui.test_documents_page import DocumentsPage, page  # noqa: F401
from ui import texts
from ui.components.printing import PrintPreview, write_pdf
from ui.components.source.printed import MOST_BLOCKS, Printed, picture_page, text_page
from workbench.records.document_blocks import DocumentBlocks
from workbench.records.documents import Box, DocumentPicture, PagePicture


def test_the_preview_shows_all_pages_and_goes_when_it_is_closed(qtbot: QtBot) -> None:
    preview = PrintPreview("<p>A line.</p>" * 200, "Chat", None)
    gone: list[bool] = []
    preview.destroyed.connect(lambda: gone.append(True))
    preview.open()
    gc.collect()
    [pages] = preview.findChildren(QPrintPreviewWidget)
    qtbot.waitUntil(lambda: pages.pageCount() > 2)
    pages.updatePreview()
    preview.close()
    del preview
    qtbot.waitUntil(lambda: bool(gone))


def pages_of(path: Path) -> list[str]:
    with pypdfium2.PdfDocument(path) as pdf:
        return [page.get_textpage().get_text_range() for page in pdf]


def pixels_of(path: Path) -> Image.Image:
    with pypdfium2.PdfDocument(path) as pdf:
        return pdf[0].render(scale=2).to_pil()


def test_a_heading_stands_on_the_page_of_its_text(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parted() -> int:
        """So many of the documents, each a line longer, whose headings are on another page than what follows them."""
        count = 0
        for lines in range(20, 34):
            path = tmp_path / "made.pdf"
            write_pdf(f"{'<p>A line.</p>' * lines}<h2>Answer</h2><h3>In short</h3><p>Forty days.</p>", path)
            count += [one.split()[0] for one in pages_of(path)[1:]] == ["Forty"]
        return count

    assert parted() == 0
    monkeypatch.setattr("ui.components.printing._MOST_BLOCKS", 0)
    assert parted() > 0, "left alone, one of them is parted"


TABLE = "Day: Monday | Doors: 9:00\nDay: Friday | Doors: <closed>"


def shown(text: str, *marked: str) -> tuple[DocumentBlocks, list[tuple[tuple[int, int], str]]]:
    places = [((text.index(words), text.index(words) + len(words)), "mark") for words in marked]
    return DocumentBlocks(text, "markdown"), places


def test_a_source_is_printed_as_what_it_is_with_its_mark(qtbot: QtBot, tmp_path: Path) -> None:
    text = f"# Visits\n\nWe are **open** on three days. Ring twice.\n\n{TABLE}\n\n- See [the map](map.png)\n"
    head = Printed("visits.md", "/papers/visits.md", "Section “Visits”", "Ring twice.")
    html = text_page(head, *shown(text, "Ring twice.", "Day: Friday"))
    assert '<span class="mark">Ring twice.</span>' in html
    assert "<b>open</b>" in html
    assert '<span class="mark">Friday</span>' in html
    path = tmp_path / "source.pdf"
    write_pdf(html, path, head.title)
    [printed] = pages_of(path)
    words = " ".join(printed.split())
    assert words.startswith(
        "visits.md File: /papers/visits.md Place: Section “Visits” Marked sentence: Ring twice. Visits"
    )
    assert "We are open on three days. Ring twice." in words
    assert "<closed>" in words
    assert not any(sign in words for sign in ("# ", "**", "|", "](", "Day:"))
    colours = {colour for _, colour in pixels_of(path).convert("RGB").getcolors(1 << 24) or ()}
    assert (255, 230, 148) in colours


def test_lines_that_were_broken_for_their_length_are_joined_in_a_print() -> None:
    text = (
        "Two of you go: one stays, one fetches the defibrillator, which hangs beside\n"
        "the cloakroom. The doctor on duty has a seat in row 6, which is kept for the\n"
        "evening.\n4.2 Fire alarm\nThe sentence is known to all who work here."
    )
    html = text_page(Printed("book.pdf", "/book.pdf"), DocumentBlocks(text, "pdf", (0,)))
    assert "hangs beside the cloakroom" in html
    assert "the evening.<br>4.2 Fire alarm<br>The sentence" in html


def test_of_a_long_source_the_part_around_its_mark_is_printed() -> None:
    text = "\n\n".join(f"Paragraph {number}." for number in range(5_000))
    html = text_page(Printed("long.md", "/long.md"), *shown(text, "Paragraph 4321."))
    assert html.count("<p>Paragraph") + html.count('<p><span class="mark">Paragraph') == MOST_BLOCKS
    assert '<span class="mark">Paragraph 4321.</span>' in html
    assert texts.PRINTED_PART in html


def test_a_drawn_page_is_printed_with_its_marks(qtbot: QtBot, tmp_path: Path) -> None:
    file = BytesIO()
    Image.new("RGB", (1240, 1754), "white").save(file, "PNG")
    box = Box(left=200.0, top=300.0, right=700.0, bottom=340.0)
    picture = PagePicture(png=file.getvalue(), width=1240, height=1754, page=3, pages=12, boxes=(box,))
    path = tmp_path / "page.pdf"
    head = Printed("plan.pdf", "/plan.pdf", "Page 3", "The gate is shut.")
    write_pdf(picture_page(head, picture, texts.PAGE_OF), path)
    [words] = pages_of(path)
    assert "Page 3 of 12" in words
    colours = {colour for _, colour in pixels_of(path).convert("RGB").getcolors(1 << 24) or ()}
    assert (255, 230, 148) in colours


def test_a_source_that_is_shown_is_saved_and_previewed(
    qtbot: QtBot,
    page: DocumentsPage,  # noqa: F811
    home: FakeHome,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = home.put_document(next(iter(home.collections)), "/papers/pump.md", "# Pump\n\nThe pump is **new**. Oil it.")
    page.open_document(made, 22, 29)
    pane = page.parts.pane
    qtbot.waitUntil(lambda: pane.text.passage is not None)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "pump"), "PDF (*.pdf)"))
    print_action, save_action = pane.printing.make_menu().actions()
    save_action.trigger()
    path = tmp_path / "pump.pdf"
    qtbot.waitUntil(lambda: pane.note.text == texts.PDF_SAVED.format(path=path))
    [words] = pages_of(path)
    assert "File: /papers/pump.md" in words
    assert "The pump is new. Oil it." in words
    print_action.trigger()
    [preview] = page.window().findChildren(PrintPreview)
    assert preview.windowTitle() == "pump.md"
    preview.close()


def test_a_picture_within_a_document_is_printed_while_it_is_shown(
    qtbot: QtBot,
    page: DocumentsPage,  # noqa: F811
    home: FakeHome,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = home.put_document(next(iter(home.collections)), "/papers/pump.docx", "The pump is new. Oil it.")
    home.pictures[made.id] = tuple(DocumentPicture(start=16, end=16, part=f"word/media/{n}.png") for n in "ab")
    page.open_document(made, 17, 24)
    pane = page.parts.pane
    qtbot.waitUntil(lambda: 2 in pane.pictures.tiles and not pane.pictures.tiles[2].isHidden())
    pane.pictures.tiles[2].click()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "pump.pdf"), "PDF (*.pdf)"))
    pane.printing.choose()
    path = tmp_path / "pump.pdf"
    qtbot.waitUntil(lambda: pane.note.text == texts.PDF_SAVED.format(path=path))
    [words] = pages_of(path)
    assert "Picture 2 of 2" in words
