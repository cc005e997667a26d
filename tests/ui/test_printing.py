"""The pages of a print, and their preview."""

from __future__ import annotations

import gc
from pathlib import Path

import pypdfium2
import pytest
from PySide6.QtPrintSupport import QPrintPreviewWidget
from pytestqt.qtbot import QtBot

from ui.components.printing import PrintPreview, write_pdf


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


def test_a_heading_stands_on_the_page_of_its_text(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parted() -> int:
        """So many of the documents, each a line longer, whose headings are on another page than what follows them."""
        count = 0
        for lines in range(20, 34):
            path = tmp_path / "made.pdf"
            write_pdf(f"{'<p>A line.</p>' * lines}<h2>Answer</h2><h3>In short</h3><p>Forty days.</p>", path)
            count += [page.split()[0] for page in pages_of(path)[1:]] == ["Forty"]
        return count

    assert parted() == 0
    monkeypatch.setattr("ui.components.printing._MOST_BLOCKS", 0)
    assert parted() > 0, "left alone, one of them is parted"
