"""HTML as pages: a PDF file, made beside the window's thread, or a printer after a preview."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QMarginsF, QObject, QSizeF, Qt, QThreadPool, Signal
from PySide6.QtGui import (
    QFont,
    QGuiApplication,
    QPageLayout,
    QPageSize,
    QPdfWriter,
    QTextBlock,
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)
from PySide6.QtPrintSupport import QPrinter, QPrintPreviewDialog
from PySide6.QtWidgets import QWidget

_MARGIN_MM = 5.0  # Qt adds 20 of its own
_QT_MARGIN_CM = 2.0
_MOST_BLOCKS = 3_000
_TEXT_PT = 10.5


def document_of(html: str) -> QTextDocument:
    """The text in black on white, whatever the theme."""
    document = QTextDocument()
    document.setDefaultFont(QFont("Noto Sans", pointSize=int(_TEXT_PT)))
    document.setHtml(html)
    return document


def keep_headings(document: QTextDocument, device: QPdfWriter | QPrinter) -> None:
    """Begin a new page before each heading that would be the last line of one. Long documents stay as they are: every
    new page has all that follows it laid out again."""
    if document.blockCount() > _MOST_BLOCKS:
        return
    laid_out = document.clone()  # as ``print_`` does it
    layout = laid_out.documentLayout()
    layout.setPaintDevice(device)
    frame = laid_out.rootFrame().frameFormat()
    frame.setMargin(int(_QT_MARGIN_CM / 2.54 * QGuiApplication.primaryScreen().logicalDotsPerInchX()))
    laid_out.rootFrame().setFrameFormat(frame)
    laid_out.setPageSize(QSizeF(device.width(), device.height()))

    def page_of(block: QTextBlock) -> int:
        top = layout.blockBoundingRect(block).y()
        line = block.layout().lineAt(0)
        return int((top + (line.y() if line.isValid() else 0)) // device.height())

    first: QTextBlock | None = None  # of the headings that follow each other
    block = laid_out.begin()
    while block.isValid():
        if block.blockFormat().headingLevel():
            first = first if first is not None else block
        elif first is not None:
            if page_of(first) < page_of(block) and first.blockNumber():
                for one in (laid_out, document):
                    cursor = QTextCursor(one.findBlockByNumber(first.blockNumber()))
                    style = QTextBlockFormat()
                    style.setPageBreakPolicy(QTextFormat.PageBreakFlag.PageBreak_AlwaysBefore)
                    cursor.mergeBlockFormat(style)
            first = None
        block = block.next()


def write_pdf(html: str, path: Path, title: str = "") -> None:
    """Write the pages to a file, which is whole or as it was before. Raises OSError."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.touch()  # Qt does not say why a file cannot be written
        writer = QPdfWriter(str(beside))
        writer.setTitle(title)
        _lay_out(writer)
        document = document_of(html)
        keep_headings(document, writer)
        document.print_(writer)
        del writer
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


class PdfWriting(QObject):
    """Writes PDF files on another thread; ``written`` sends the path, ``failed`` why it could not be written."""

    written = Signal(str)
    failed = Signal(str)

    def write(self, html: str, path: Path, title: str) -> None:
        def work() -> None:
            try:
                write_pdf(html, path, title)
            except OSError as error:
                self.failed.emit(error.strerror or str(error))
            else:
                self.written.emit(str(path))

        QThreadPool.globalInstance().start(work)


class PrintPreview(QPrintPreviewDialog):
    """Shows the pages and prints them."""

    def __init__(self, html: str, title: str, parent: QWidget | None) -> None:
        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        printer.setDocName(title)
        _lay_out(printer)
        super().__init__(printer, parent)
        self._printer = printer  # Qt's dialog does not keep it alive
        self._document = document_of(html)
        keep_headings(self._document, printer)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.paintRequested.connect(self._on_paint)
        self.resize(900, 720)

    def _on_paint(self, printer: QPrinter) -> None:
        self._document.print_(printer)


def _lay_out(device: QPdfWriter | QPrinter) -> None:
    margins = QMarginsF(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM, _MARGIN_MM)
    size = QPageSize(QPageSize.PageSizeId.A4)
    device.setPageLayout(QPageLayout(size, QPageLayout.Orientation.Portrait, margins, QPageLayout.Unit.Millimeter))
