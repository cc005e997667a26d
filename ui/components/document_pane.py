"""A document beside an answer or a search: its text at the passage, or its pages.

When the document has changed or gone since a passage was stored, the stored passage is shown with a notice.
"""

from __future__ import annotations

import bisect

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QStackedWidget, QWidget

from ui import texts
from ui.bridge import Bridge
from ui.components.basics import ElidedLabel, IconButton, InlineMessage, QuietButton, Text
from ui.components.layout import column_of, row_of
from ui.components.page_view import PageView
from ui.components.text_view import TextView
from ui.components.wording import describe_count, describe_kind
from ui.theme import tokens
from workbench.base.errors import UserError
from workbench.records.document_formats import DRAWN
from workbench.records.documents import Document, DocumentText, PagePicture
from workbench.records.messages import Citation, Passage
from workbench.records.visible import visible_name
from workbench.subjects.documents.calls import AddDocuments, DrawPage, GetDocumentText
from workbench.subjects.runs.calls import RunRecord

CHANGED = texts.DOCUMENT_CHANGED
GONE = texts.DOCUMENT_GONE


class DocumentPane(QFrame):
    """Shows a document's text, or its pages with a switch between both. ``close_wanted`` is its close button."""

    close_wanted = Signal()

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._bridge = bridge
        self._collection = ""
        self._document: Document | None = None
        self._asked = 0  # counts openings: an answer to an earlier one is passed over
        self._span = (0, 0)
        self._words = (0, 0)  # of the span that are quoted
        self._more: tuple[tuple[int, int], ...] = ()  # further places to mark
        self._page = 1
        self._text: DocumentText | None = None
        self._build()

    def open_source(self, source: Citation | Passage) -> None:
        """Open the document of a citation or passage, at its place."""
        self._begin(source.path, source.collection)
        self._page = source.page or 1
        self._span, self._words, self._more = (source.start, source.end), (0, 0), ()
        if isinstance(source, Citation) and source.sentence_end > source.sentence_start:
            self._span = (source.sentence_start, source.sentence_end)
            self._words = (source.span_start, source.span_end)
            self._more = source.more_sentences
        asked = self._asked

        def on_text(text: DocumentText) -> None:
            if asked != self._asked:
                return
            if source.document_hash and text.document.hash != source.document_hash:
                self._show_stored(source, CHANGED)
            else:
                self._show(text)

        def on_error(error: Exception) -> None:
            if asked == self._asked:
                self._show_stored(source, GONE if isinstance(error, UserError) else str(error))

        call = GetDocumentText(collection=source.collection, document=source.document)
        self._bridge.call(call, on_text, on_error, self)

    def open_document(self, collection: str, document: Document, start: int = 0, end: int = 0) -> None:
        """Open a whole document; ``start:end`` is marked when it is not empty."""
        self._begin(document.path, collection)
        self._span, self._words, self._more = (start, end), (0, 0), ()
        self._page = 1
        if document.state == "failed":
            self.note.show_message(document.reason or texts.FILE_UNREADABLE, "danger")
            self.details.setText(advice(document))
            self._stack.hide()
            return
        asked = self._asked

        def on_text(text: DocumentText) -> None:
            if asked == self._asked:
                self._show(text)

        def on_error(error: Exception) -> None:
            if asked == self._asked:
                self.note.show_message(str(error), "danger")

        self._bridge.call(GetDocumentText(collection=collection, document=document.id), on_text, on_error, self)

    def _build(self) -> None:
        self.title = ElidedLabel("", "strong")
        self.details = Text("", "small")
        self.text_button = QuietButton(texts.TEXT)
        self.pages_button = QuietButton(texts.PAGES)
        for button in (self.text_button, self.pages_button):
            button.setProperty("small", True)
            button.setCheckable(True)
            button.setAutoExclusive(True)
        self.text_button.clicked.connect(lambda: self.show_pages(False))
        self.pages_button.clicked.connect(lambda: self.show_pages(True))
        self.switch = QWidget()
        row_of(self.switch, self.pages_button, self.text_button, gap=0)
        self.close_button = IconButton("close", texts.CLOSE_DOCUMENT, clicked=self.close_wanted)
        self.note = InlineMessage(closable=False)
        self.text = TextView()
        self.pages = PageView()
        self.pages.wanted.connect(self._on_page_wanted)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.text)
        self._stack.addWidget(self.pages)
        head = row_of(None, (self.title, 1), self.switch, self.close_button, gap=tokens.SPACE_2)
        column = column_of(
            self,
            head,
            self.details,
            self.note,
            (self._stack, 1),
            gap=tokens.SPACE_2,
            margins=(tokens.SPACE_4, tokens.SPACE_3, tokens.SPACE_3, tokens.SPACE_3),
        )
        column.addStretch(0)

    @property
    def shows_pages(self) -> bool:
        return self._stack.currentWidget() is self.pages

    def show_pages(self, pages: bool) -> None:
        """Show the drawn pages, or the text."""
        (self.pages_button if pages else self.text_button).setChecked(True)
        self._stack.setCurrentWidget(self.pages if pages else self.text)
        if pages:
            self.pages.open_page(self._page)

    def _begin(self, path: str, collection: str) -> None:
        self._asked += 1
        self._collection = collection
        self._document = None
        self._text = None
        self.title.set_full_text(visible_name(path))
        self.setAccessibleName(texts.DOCUMENT.format(name=visible_name(path)))
        self.details.setText(texts.OPENING)
        self.details.setToolTip(path)
        self.note.hide()
        self.switch.hide()
        self._stack.show()
        self._stack.setCurrentWidget(self.text)

    def _show(self, text: DocumentText) -> None:
        self._text, self._document = text, text.document
        shown = (describe_document(text.document), text.document.reason)
        self.details.setText("\n".join(filter(None, shown)))
        if text.document.changed:
            self.note.show_message(texts.FILE_CHANGED, "attention")
        elif text.unplaced:
            self.note.show_message(texts.NO_PLACES, "info", texts.READ_ANEW, self._on_read_anew)
        self.text.show_text(text.text, text.chunks)
        start, end = self._span
        if end > start:
            self.text.show_passage(start, end, self._words, self._more)
            self._page = max(1, bisect.bisect_right(text.page_starts, start)) if text.page_starts else self._page
        drawable = text.document.kind in DRAWN and bool(text.document.pages)
        self.switch.setVisible(drawable)
        self.show_pages(drawable)

    def _show_stored(self, source: Citation | Passage, why: str) -> None:
        self.details.setText(texts.PAGE.format(page=source.page) if source.page else "")
        self.note.show_message(why, "attention")
        self.text.show_text(source.text)
        self.text.show_passage(0, len(source.text))

    def _on_read_anew(self) -> None:
        document, asked = self._document, self._asked
        if document is None:
            return

        def on_run(run: RunRecord) -> None:
            self._bridge.home.runs.put_run(run)
            if asked == self._asked:
                self.note.show_message(texts.READING_ANEW, "info")

        def on_error(error: Exception) -> None:
            if asked == self._asked:
                self.note.show_message(str(error), "danger")

        call = AddDocuments(collection=self._collection, paths=(document.path,), anew=True)
        self._bridge.call(call, on_run, on_error, self)

    def _on_page_wanted(self, page: int, scale: float) -> None:
        if self._document is None:
            return
        start, end = self._span
        asked = self._asked
        call = DrawPage(
            collection=self._collection, document=self._document.id, page=page, scale=scale, start=start, end=end
        )

        def on_picture(picture: PagePicture) -> None:
            if asked == self._asked and (picture.page, scale) == (self.pages.page, self.pages.asked_scale):
                self.pages.show_picture(picture)

        def on_error(error: Exception) -> None:
            if asked == self._asked:
                self.pages.give_up()
                self.note.show_message(texts.PAGE_PROBLEM.format(error=error), "attention")
                self.show_pages(False)

        self._bridge.call(call, on_picture, on_error, self)


def describe_document(document: Document) -> str:
    """``PDF · 12 pages · 48 chunks · 31,204 characters``"""
    parts = [describe_kind(document.kind)]
    if document.pages:
        parts.append(texts.COUNT_PAGES.format(pages=document.pages, value="" if document.pages == 1 else "s"))
    parts.append(texts.COUNT_CHUNKS.format(chunks=document.chunks, value="" if document.chunks == 1 else "s"))
    if document.characters:
        parts.append(describe_count(document.characters, "character"))
    return " · ".join(parts)


def advice(document: Document) -> str:
    """Advice on a file that could not be read."""
    reason = document.reason.lower()
    if document.locked:
        step = texts.ADVICE_LOCKED
    elif "password" in reason or "encrypt" in reason:
        step = texts.ADVICE_PASSWORD
    elif "picture" in reason or "image" in reason or "no text" in reason:
        step = texts.ADVICE_OCR
    elif "gone" in reason or "not there" in reason or "link" in reason:
        step = texts.ADVICE_MISSING
    elif "permission" in reason or "not allowed" in reason:
        step = texts.ADVICE_PERMISSION
    elif "time" in reason or "memory" in reason or "large" in reason:
        step = texts.ADVICE_LARGE
    else:
        step = texts.ADVICE_RESAVE
    return f"{document.path}\n{step}"
