"""HTML: the visible text, with headings, lists and tables.

The parser is the standard library's, which keeps no tree and does not recurse: depth costs it nothing. Headings become
``#`` lines, list items ``-`` lines, table cells are separated by `` | ``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

from workbench.base.errors import UserError
from workbench.reading.extract import MARK, Extracted
from workbench.reading.html_tables import find_tables
from workbench.reading.text import clean, decode_text

DEEPEST = 5_000
"""Maximum nesting of elements. Browsers stop at 512; no page for readers comes near."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_BLOCKS = _names(
    """
    address article aside blockquote body center dd details dialog dir div dl dt fieldset figcaption figure footer
    form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol option p pre section summary
    table tbody tfoot thead tr ul
    """
)
_SPACED = _names("p h1 h2 h3 h4 h5 h6 table ul ol dl pre blockquote figure section article div")
_UNSEEN = _names("script style template noscript head svg math iframe object canvas audio video select")
_VOID = _names("area base br col embed hr img input link meta param source track wbr")
# elements that end the open one of their own kind when they begin (https://html.spec.whatwg.org/#optional-tags)
_ENDS_ITSELF = _names("p li dt dd tr td th option thead tbody tfoot")

_CHARSET = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]+)|^\s*<\?xml[^>]{0,100}?encoding=["']([\w.:-]+)""", re.I
)
_SPACE = re.compile(r"[ \t\n\r\f]+")
_BLANKS = re.compile(r"\n{3,}")


Attributes = dict[str, str | None]
PlacePicture = Callable[[Attributes], str]
"""Gives the mark of a picture (``embedded``) by the attributes of its element, "" for one that is left out."""


def read_html(data: bytes, place: PlacePicture | None = None) -> Extracted:
    """With ``place`` the text has marks of pictures, behind the lines that they stand in. Raises UserError when the
    elements are nested deeper than in any real page."""
    return html_text(_decoded(data), place)


def html_text(source: str, place: PlacePicture | None = None) -> Extracted:
    """The visible text of a page's source."""
    source = clean(source)
    page = _parsed(source, place)
    return Extracted(text=page.text(), title=page.title(), language=page.language, tables=find_tables(source))


def picture_addresses(data: bytes) -> list[str]:
    """The addresses of the visible pictures of a page, in its order."""
    found: list[str] = []

    def note(attributes: Attributes) -> str:
        found.append(attributes.get("src") or "")
        return ""

    _parsed(clean(_decoded(data)), note)
    return found


def _decoded(data: bytes) -> str:
    found = _CHARSET.search(data[:4096])
    declared = (found.group(1) or found.group(2)).decode("ascii", "replace") if found else ""
    return decode_text(data, declared)


def _parsed(source: str, place: PlacePicture | None) -> _Page:
    page = _Page(place)
    page.feed(source)
    page.close()
    return page


class _Page(HTMLParser):
    def __init__(self, place: PlacePicture | None = None) -> None:
        super().__init__(convert_charrefs=True)
        self.language = ""
        self._place = place
        self._has_base = False  # addresses are not those of files beside the page
        self._marks: list[tuple[int, str]] = []  # of pictures, and how many pieces were written before
        self._open: list[str] = []
        self._unseen_from: int | None = None  # depth of the outermost hidden element
        self._pre = 0
        self._items = 0  # open list items
        self._cells = 0  # cells begun in this row of a table
        self._is_fresh = False  # a cell or list item has begun and is empty so far
        self._in_title = False
        self._title: list[str] = []
        self._first_heading = ""
        self._heading_from: int | None = None
        self._out: list[str] = []
        self._at_line_start = True
        self._gap = ""  # white space that is written before the next text

    def title(self) -> str:
        return _SPACE.sub(" ", "".join(self._title)).strip() or self._first_heading

    def text(self) -> str:
        lines: list[str] = []
        waiting, last = "", -1  # marks before the first text; the last line with text
        for line in "".join(self._marked()).split("\n"):
            marks = "".join(MARK.findall(line)) if self._marks else ""
            lines.append((MARK.sub("", line) if marks else line).rstrip())
            if lines[-1]:
                last = len(lines) - 1
                lines[last], waiting = waiting + lines[last], ""
            if last < 0:
                waiting += marks
            else:
                lines[last] += marks
        return waiting + _BLANKS.sub("\n\n", "\n".join(lines)).strip("\n")

    def _marked(self) -> list[str]:
        """What was written, with the marks of pictures between it."""
        pieces: list[str] = []
        begin = 0
        for end, mark in self._marks:
            pieces += [*self._out[begin:end], mark]
            begin = end
        return pieces + self._out[begin:]

    # -- callbacks of the parser -----------------------------------------------------------------------

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "html" and not self.language:
            self.language = dict(attrs).get("lang") or ""
        if tag == "base" and dict(attrs).get("href"):
            self._has_base = True
        if tag == "title" and "svg" not in self._open[-3:]:
            self._in_title = True
        if tag in _ENDS_ITSELF:
            self._end_own_kind(tag)
        if tag == "body":
            self._unseen_from, self._in_title = None, False  # a head that was never closed ends here
        if self._unseen_from is None:
            self._begin(tag)
            if tag == "img":
                self._place_picture(dict(attrs))
        if tag in _VOID:
            return
        self._open.append(tag)
        if len(self._open) > DEEPEST:
            raise UserError(f"The elements are nested too deeply: more than {DEEPEST:,} levels.")
        if self._unseen_from is None and (tag in _UNSEEN or _is_hidden(dict(attrs))):
            self._unseen_from = len(self._open)
        if tag == "pre":
            self._pre += 1
        elif tag == "li":
            self._items += 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        if tag in _VOID or tag not in self._open[-64:]:
            return  # searching further up would make a page of stray end tags quadratic
        while True:
            closed = self._open.pop()
            if closed == "pre":
                self._pre -= 1
            elif closed == "li":
                self._items -= 1
            if self._unseen_from is None:
                self._end(closed)
            elif len(self._open) < self._unseen_from:
                self._unseen_from = None
            if closed == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self._title.append(data)
            return
        if self._unseen_from is not None:
            return
        if self._pre:
            self._write(data, keep=True)
        else:
            self._write(_SPACE.sub(" ", data))

    # -- writing --------------------------------------------------------------------------------------

    def _end_own_kind(self, tag: str) -> None:
        """``<li>a<li>b``: the second ends the first, unless a list, a table or a block is between them."""
        for name in reversed(self._open[-16:]):
            if name == tag:
                self.handle_endtag(tag)
                return
            if name in _BLOCKS and name not in _ENDS_ITSELF:
                return
            if tag in ("td", "th") and name in ("td", "th"):
                self.handle_endtag(name)
                return
            if tag in ("li", "p", "dt", "dd") and name in ("td", "th", "li", "dd") and name != tag:
                return

    def _begin(self, tag: str) -> None:
        if tag == "br":
            self._break(1)
        elif tag in ("td", "th"):
            if self._cells:
                if not self._is_fresh:
                    self._gap = ""  # what ended inside the last cell
                self._write(" | ", keep=True)
                self._at_line_start = True
            self._cells += 1
            self._is_fresh = True
        elif tag in _BLOCKS:
            if tag in ("tr", "table"):
                self._cells, self._is_fresh = 0, False
            elif tag == "li":
                self._is_fresh = False
            self._break(2 if tag in _SPACED else 1)
            if tag in _HEADINGS:
                self._write(_HEADINGS[tag])
                self._heading_from = len(self._out)
                self._at_line_start = True
            elif tag == "li":
                self._write("- ")
                self._at_line_start = self._is_fresh = True

    def _end(self, tag: str) -> None:
        if tag in _BLOCKS:
            if tag in ("tr", "table"):
                self._cells, self._is_fresh = 0, False
            elif tag == "li":
                self._is_fresh = False
            if tag in _HEADINGS and self._heading_from is not None:
                if not self._first_heading:
                    self._first_heading = _SPACE.sub(" ", "".join(self._out[self._heading_from :])).strip()
                self._heading_from = None
            self._break(2 if tag in _SPACED else 1)

    def _place_picture(self, attributes: Attributes) -> None:
        if self._place is None or _is_hidden(attributes):
            return
        if self._has_base and (attributes.get("src") or "").lstrip()[:5].lower() != "data:":
            attributes["src"] = None
        if mark := self._place(attributes):
            self._marks.append((len(self._out), mark))

    def _break(self, lines: int) -> None:
        """End the line; 2 ``lines`` leave a blank one, except in lists. A block at the start of a cell or an item does
        not."""
        if self._is_fresh:
            return
        if self._items:
            lines = 1
        if self._out and len(self._gap) < lines:
            self._gap = "\n" * lines
        self._at_line_start = True

    def _write(self, text: str, keep: bool = False) -> None:
        if not keep:
            if self._at_line_start:
                text = text.lstrip(" ")
            if not text:
                return
        self._is_fresh = False
        if self._gap and self._out:
            self._out.append(self._gap)
        self._gap = ""
        self._out.append(text)
        self._at_line_start = not keep and text.endswith(" ")


def _is_hidden(attributes: Attributes) -> bool:
    return "hidden" in attributes or attributes.get("aria-hidden") == "true"
