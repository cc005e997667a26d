"""A document beside an answer or a search: drawn as what it is, at the passage, or its pages.

When the document has changed or gone since a passage was stored, the stored passage is shown with a notice.
"""

from __future__ import annotations

import bisect
import os
from collections.abc import Sequence

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFrame, QStackedWidget, QWidget

from ui import texts
from ui.bridge import Bridge
from ui.components.basics import ElidedLabel, IconButton, InlineMessage, QuietButton, Text
from ui.components.document_pictures import DocumentPictures
from ui.components.layout import column_of, row_of
from ui.components.page_view import PageView
from ui.components.run_follower import RunFollower
from ui.components.source.find_bar import FindBar
from ui.components.source.printed import Printed, picture_page, text_page
from ui.components.source.printing import Made, SourcePrinting
from ui.components.source.view import ZOOMS, SourceView
from ui.components.wording import describe_count, describe_kind
from ui.theme import tokens
from workbench.base.catalogue import translated
from workbench.base.errors import UserError
from workbench.records.document_blocks import DocumentBlocks
from workbench.records.document_formats import DRAWN, kind_by_name
from workbench.records.documents import Document, DocumentText, PagePicture
from workbench.records.messages import Citation, Passage
from workbench.records.places import describe_position
from workbench.records.visible import visible_name, visible_path
from workbench.subjects.documents.calls import AddDocuments, DrawPage, GetDocumentText
from workbench.subjects.runs.calls import RunRecord

_PRINT_SCALE = 2.5
"""Pixels a point of a printed page: 180 dpi."""
CHANGED = texts.DOCUMENT_CHANGED
GONE = texts.DOCUMENT_GONE


class DocumentPane(QFrame):
    """Shows a document, with a switch between its pages and its text where it has pages. ``close_wanted`` is its close
    button; ``stepped`` sends the citation that is shown after *previous* or *next citation*."""

    close_wanted = Signal()
    stepped = Signal(object)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self._bridge = bridge
        self._collection = ""
        self._path = ""
        self._document: Document | None = None
        self._asked = 0  # counts openings: an answer to an earlier one is passed over
        self._sources: Sequence[Citation | Passage] = ()
        self._source = -1  # the one of them that is shown
        self._opened: Citation | Passage | None = None
        self._span = (0, 0)
        self._words = (0, 0)  # of the span that are quoted
        self._more: tuple[tuple[int, int], ...] = ()  # further places to mark
        self._page = 1
        self._picture = 1  # the one within the document that is shown, by its number
        self._has_pictures = False  # within the document, which has no pages that could be drawn
        self._text: DocumentText | None = None
        self._matches: list[tuple[int, int]] = []
        self._match = -1
        self._reading: RunFollower | None = None
        self._build()

    def open_source(self, source: Citation | Passage, sources: Sequence[Citation | Passage] = ()) -> None:
        """Open the document of a citation or passage, at its place. ``sources`` are all that *previous* and *next
        citation* go to."""
        self._sources = sources
        self._source = next((number for number, one in enumerate(sources) if one == source), -1)
        self._show_citations()
        self._begin(source.path, source.collection)
        self._opened = source
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
                self.note.show_message(CHANGED, "attention", texts.SHOW_CHANGED, lambda: self._show_now(text))
            else:
                self._show(text)

        def on_error(error: Exception) -> None:
            if asked == self._asked:
                self._show_stored(source, GONE if isinstance(error, UserError) else str(error))

        call = GetDocumentText(collection=source.collection, document=source.document)
        self._bridge.call(call, on_text, on_error, self)

    def open_document(self, collection: str, document: Document, start: int = 0, end: int = 0) -> None:
        """Open a whole document; ``start:end`` is marked when it is not empty."""
        self._sources, self._source = (), -1
        self._show_citations()
        self._begin(document.path, collection)
        self._span, self._words, self._more = (start, end), (0, 0), ()
        self._page = 1
        if document.state == "failed":
            self.note.show_message(document.reason or texts.FILE_UNREADABLE, "danger")
            self.details.setText(advice(document))
            self._stack.hide()
            self._tools.hide()
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
        self.text = SourceView()
        self.pages = PageView()
        self.pages.wanted.connect(self._on_page_wanted)
        self.pictures = DocumentPictures(self._bridge)
        self.pictures.chosen.connect(self._on_picture_chosen)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.text)
        self._stack.addWidget(self.pages)
        self._build_tools()
        self.find_bar = FindBar()
        self.find_bar.searched.connect(self._on_find)
        self.find_bar.stepped.connect(self._on_match_stepped)
        self.find_bar.closed.connect(self._on_find_closed)
        head = row_of(None, (self.title, 1), self.switch, self.close_button, gap=tokens.SPACE_2)
        column = column_of(
            self,
            head,
            self.details,
            self._citations,
            self._tools,
            self.find_bar,
            self.note,
            self.pictures,
            (self._stack, 1),
            gap=tokens.SPACE_2,
            margins=(tokens.SPACE_4, tokens.SPACE_3, tokens.SPACE_3, tokens.SPACE_3),
        )
        column.addStretch(0)

    def _build_tools(self) -> None:
        self.before = IconButton("chevron-left", texts.CITATION_BEFORE, clicked=lambda: self.step(-1))
        self.after = IconButton("chevron-right", texts.CITATION_AFTER, clicked=lambda: self.step(1))
        self.citation = Text("", "small", wordWrap=False)
        self._citations = QWidget()
        row_of(self._citations, self.before, self.citation, self.after, None, gap=0, margins=(0, 0))
        self.find_button = IconButton("search", texts.FIND_IN_SOURCE, clicked=self.open_find)
        self.smaller = QuietButton("−", accessibleName=texts.SMALLER, clicked=lambda: self.text.zoom_by(-1))
        self.larger = QuietButton("+", accessibleName=texts.LARGER, clicked=lambda: self.text.zoom_by(1))
        self.zoom = Text("", "small", wordWrap=False)
        self.original = QuietButton(
            texts.OPEN_ORIGINAL, "export", toolTip=texts.OPEN_ORIGINAL_HELP, clicked=self.open_original
        )
        self.printing = SourcePrinting(self._make_pages, self)
        self.printing.said.connect(lambda words, kind: self.note.show_message(words, kind))
        for button in (self.smaller, self.larger, self.original):
            button.setProperty("small", True)
        self.text.zoomed.connect(self._on_zoomed)
        self._tools = QWidget()
        row_of(
            self._tools, None, self.find_button, self.smaller, self.zoom, self.larger, self.printing.button,
            self.original, gap=tokens.SPACE_1, margins=(0, 0),
        )  # fmt: skip
        self._on_zoomed()

    def _on_zoomed(self) -> None:
        self.zoom.setText(f"{round(self.text.zoom * 100)} %")
        for button, end, why in ((self.smaller, ZOOMS[0], texts.SMALLEST), (self.larger, ZOOMS[-1], texts.LARGEST)):
            button.setEnabled(self.text.zoom != end)
            button.setToolTip("" if self.text.zoom != end else why)

    @property
    def shows_pages(self) -> bool:
        return self._stack.currentWidget() is self.pages

    def show_pages(self, pages: bool) -> None:
        """Show the drawn pages, or the text."""
        (self.pages_button if pages else self.text_button).setChecked(True)
        self._stack.setCurrentWidget(self.pages if pages else self.text)
        for part in (self.smaller, self.zoom, self.larger):
            part.setVisible(not pages)  # the pages have their own
        if pages:
            self._open_page()
        self._show_match()

    def _open_page(self) -> None:
        self.pages.open_page(self._picture if self._has_pictures else self._page)

    # -- citations -------------------------------------------------------------------------------------

    def step(self, by: int) -> None:
        """Show the next or the previous citation."""
        at = self._source + by
        if 0 <= at < len(self._sources):
            source, sources = self._sources[at], self._sources
            self.open_source(source, sources)
            self.stepped.emit(source)

    def _show_citations(self) -> None:
        count = len(self._sources)
        self._citations.setVisible(count > 1 and self._source >= 0)
        self.citation.setText(texts.CITATION_OF.format(number=self._source + 1, count=count))
        self.citation.setMinimumWidth(self.citation.sizeHint().width())
        self.before.setEnabled(self._source > 0)
        self.after.setEnabled(self._source < count - 1)

    # -- finding ---------------------------------------------------------------------------------------

    def open_find(self) -> None:
        """Ask for words to be found in the document."""
        if self._text is not None:
            self.find_bar.open_bar()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Find):
            self.open_find()
        elif event.matches(QKeySequence.StandardKey.FindNext) and self._matches:
            self._on_match_stepped(1)
        else:
            super().keyPressEvent(event)

    def _on_find(self, words: str) -> None:
        self._matches = self.text.blocks.find(words)
        after = bisect.bisect_left(self._matches, (self._span[0], 0)) if self._span[1] else 0
        self._match = (after if after < len(self._matches) else 0) if self._matches else -1
        self.find_bar.show_count(len(self._matches), self._match)
        self._show_match()

    def _on_match_stepped(self, by: int) -> None:
        if self._matches:
            self._match = (self._match + by) % len(self._matches)
            self.find_bar.show_count(len(self._matches), self._match)
            self._show_match()

    def _show_match(self) -> None:
        self.text.show_matches(self._matches, self._match)
        if self.shows_pages and self._match >= 0 and not self._has_pictures:
            self._page = self._page_of(self._matches[self._match][0])
            self.pages.open_page(self._page)

    def _on_find_closed(self) -> None:
        self._matches, self._match = [], -1
        self.text.show_matches((), -1)
        if self.shows_pages:
            self._open_page()
        (self.pages if self.shows_pages else self.text).setFocus()

    # -- the original ----------------------------------------------------------------------------------

    def open_original(self) -> None:
        """Open the file in the system's program; the folder of a program's file, which might be started."""
        path = self._path
        if not os.path.exists(path):
            self.note.show_message(texts.ORIGINAL_GONE.format(path=path), "attention")
            return
        is_program = kind_by_name(path) == "code"
        shown = os.path.dirname(path) if is_program else path
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(shown)):
            self.note.show_message(texts.ORIGINAL_FAILED.format(path=path), "attention")
        elif is_program:
            self.note.show_message(texts.ORIGINAL_IN_FOLDER, "info")
        elif self._document is not None and self._document.changed:
            self.note.show_message(texts.ORIGINAL_CHANGED, "attention", texts.READ_ANEW, self._on_read_anew)

    # -- printing --------------------------------------------------------------------------------------

    def _make_pages(self, made: Made) -> None:
        """Make the pages of what is shown: the drawn page, or the text."""
        head, document = self._printed(), self._document
        if not self.shows_pages or document is None:
            made(text_page(head, self.text.blocks, self.text.places), head.title)
            return
        call = self._drawing(document, self.pages.page, _PRINT_SCALE, self._span)
        problem = texts.PICTURE_PROBLEM if self._has_pictures else texts.PAGE_PROBLEM
        label = texts.PICTURE_OF if self._has_pictures else texts.PAGE_OF

        def on_picture(picture: PagePicture) -> None:
            made(picture_page(head, picture, label), head.title)

        def on_error(error: Exception) -> None:
            self.note.show_message(problem.format(error=error), "attention")

        self._bridge.call(call, on_picture, on_error, self)

    def _drawing(self, document: Document, number: int, scale: float, span: tuple[int, int]) -> DrawPage:
        """The call that draws a page of what is shown with a place on it, or a picture within it."""
        start, end = span
        place = {"picture": number} if self._has_pictures else {"page": number, "start": start, "end": end}
        return DrawPage(collection=self._collection, document=document.id, scale=scale, **place)

    def _printed(self) -> Printed:
        start, end = self.text.passage or (0, 0)
        return Printed(
            title=visible_name(self._path),
            file=visible_path(self._path),
            place=self._place(),
            marked=self.text.drawn_words(start, end),
            note=self.note.text if self._text is None else "",  # the stored passage of a changed document
        )

    # -- showing ---------------------------------------------------------------------------------------

    def _begin(self, path: str, collection: str) -> None:
        self._asked += 1
        self._collection, self._path = collection, path
        self._document, self._opened = None, None
        self._text = None
        self._matches, self._match = [], -1
        self.find_bar.hide()
        self.title.set_full_text(visible_name(path))
        self.setAccessibleName(texts.DOCUMENT.format(name=visible_name(path)))
        self.details.setText(texts.OPENING)
        self.details.setToolTip(path)
        self.note.hide()
        self.switch.hide()
        self.pictures.show_of("", None)
        self._tools.show()
        self._stack.show()
        self._stack.setCurrentWidget(self.text)

    def _show(self, text: DocumentText) -> None:
        self._text, self._document = text, text.document
        shown = (" · ".join(filter(None, (self._place(), describe_document(text.document)))), text.document.reason)
        self.details.setText("\n".join(filter(None, shown)))
        if text.document.changed:
            words = texts.FILE_CHANGED if os.path.exists(text.document.path) else texts.FILE_GONE
            self.note.show_message(words, "attention", texts.READ_ANEW, self._on_read_anew)
        elif text.unplaced:
            self.note.show_message(texts.NO_PLACES, "info", texts.READ_ANEW, self._on_read_anew)
        elif text.outdated:
            self.note.show_message(texts.READ_BEFORE, "info", texts.READ_ANEW, self._on_read_anew)
        self.text.show_blocks(DocumentBlocks.of(text), text.chunks)
        start, end = self._span
        if end > start:
            self.text.show_passage(start, end, self._words, self._more)
            self._page = self._page_of(start)
        drawable = text.document.kind in DRAWN and bool(text.document.pages)
        self._has_pictures = bool(text.pictures) and not drawable
        self._picture = 1
        self.pages.turn_through(pictures=self._has_pictures)
        self.pages_button.setText(texts.PICTURES if self._has_pictures else texts.PAGES)
        self.switch.setVisible(drawable or self._has_pictures)
        self.show_pages(drawable)
        self.pictures.show_of(self._collection, text if self._has_pictures else None, *self._span)

    def _on_picture_chosen(self, number: int) -> None:
        self._picture = number
        self.show_pages(True)

    def _place(self) -> str:
        """The place of the citation or passage that is shown, "" where it is not known."""
        if self._opened is not None:
            position = translated(describe_position(self._opened))
            return position[:1].upper() + position[1:]
        is_paged = self._text is not None and bool(self._text.page_starts) and self._span[1] > 0
        return texts.PAGE.format(page=self._page_of(self._span[0])) if is_paged else ""

    def _page_of(self, offset: int) -> int:
        starts = self._text.page_starts if self._text is not None else ()
        return max(1, bisect.bisect_right(starts, offset)) if starts else self._page

    def _show_now(self, text: DocumentText) -> None:
        """The document as it is, where it is another one than the answer's."""
        self._span, self._words, self._more = (0, 0), (0, 0), ()
        self._opened = None
        self.note.hide()
        self._show(text)

    def _show_stored(self, source: Citation | Passage, why: str) -> None:
        self.details.setText(self._place())
        self.note.show_message(why, "attention")
        self.text.show_blocks(DocumentBlocks(source.text, kind_by_name(source.path)))
        start, end = (place - source.start for place in self._span)
        self.text.show_passage(max(0, start), min(len(source.text), end))
        self.show_pages(False)

    # -- reading again ---------------------------------------------------------------------------------

    def _on_read_anew(self) -> None:
        document, asked = self._document, self._asked
        if document is None:
            return

        def on_run(run: RunRecord) -> None:
            self._bridge.home.runs.put_run(run)
            if asked == self._asked:
                self.note.show_message(texts.READING_ANEW, "info")
                self._reading = RunFollower(self._bridge, run, self)
                self._reading.ended.connect(lambda _: self._on_read(asked))

        def on_error(error: Exception) -> None:
            if asked == self._asked:
                self.note.show_message(str(error), "danger")

        call = AddDocuments(collection=self._collection, paths=(document.path,), anew=True)
        self._bridge.call(call, on_run, on_error, self)

    def _on_read(self, asked: int) -> None:
        """The file has been read again: what is shown is read anew, unless something else is shown by now."""
        if self._reading is not None:
            self._reading.leave()
            self._reading = None
        if asked != self._asked or self._document is None:
            return
        if self._source >= 0:
            self.open_source(self._sources[self._source], self._sources)
        else:
            self.open_document(self._collection, self._document, *self._span)

    def _on_page_wanted(self, page: int, scale: float) -> None:
        if self._document is None:
            return
        span = self._matches[self._match] if self._match >= 0 else self._span
        asked = self._asked
        call = self._drawing(self._document, page, scale, span)
        problem = texts.PICTURE_PROBLEM if self._has_pictures else texts.PAGE_PROBLEM

        def on_picture(picture: PagePicture) -> None:
            if asked == self._asked and (picture.page, scale) == (self.pages.page, self.pages.asked_scale):
                self.pages.show_picture(picture)
                self._picture = picture.page if self._has_pictures else self._picture

        def on_error(error: Exception) -> None:
            if asked == self._asked:
                self.pages.give_up()
                self.note.show_message(problem.format(error=error), "attention")
                self.show_pages(False)

        self._bridge.call(call, on_picture, on_error, self)


def describe_document(document: Document) -> str:
    """``PDF · 12 pages · 48 chunks · 31,204 characters``"""
    parts = [describe_kind(document.kind)]
    if document.pages:
        parts.append(describe_count(document.pages, "page"))
    parts.append(describe_count(document.chunks, "passage"))
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
