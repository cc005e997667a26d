"""Rich text (RTF 1.9.1): paragraphs, headings, lists, tables, notes, text boxes and comments, in reading order.

Our own reader: striprtf 0.0.35 leaves out footnotes, text boxes and comments, shows hidden text, loses what is outside
the basic plane of Unicode, and needs quadratic time for a file of open hyperlinks. Footnotes, endnotes and text boxes
follow the paragraph or table that they belong to; headers, footers and comments are at the end. Hidden text (``\\v``)
and the deletions of tracked changes are left out.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from workbench.base.errors import UserError
from workbench.reading.comments import Comment, comment_section
from workbench.reading.content import signature_of
from workbench.reading.extract import Extracted, labelled, real_title, section
from workbench.reading.flow import Flow

MOST_GROUPS = 10_000
"""Groups within each other. Word nests some dozens."""
_DEEPEST_TABLE = 20

# a control word with its number and the space that ends it, a byte in hexadecimal, a control symbol, a brace, or text
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})?[ ]?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}\r\n]+)|[\r\n]+"
)

_SIGNS = {
    "tab": "\t", "line": "\n", "lbr": "\n", "softline": "\n", "emdash": "—", "endash": "–", "emspace": "\u2003",
    "enspace": "\u2002", "qmspace": "\u2005", "bullet": "•", "lquote": "‘", "rquote": "’", "ldblquote": "“",
    "rdblquote": "”", "zwj": "\u200d", "zwnj": "\u200c",
}  # fmt: skip
_SYMBOLS = {b"~": "\xa0", b"_": "-", b"{": "{", b"}": "}", b"\\": "\\"}  # an optional hyphen (\-) is nothing
_HIDDEN_GROUPS = {
    "colortbl", "filetbl", "listtable", "listoverridetable", "revtbl", "rsidtbl", "pict", "objdata", "fldinst",
    "datafield", "formfield", "xe", "tc", "rxe", "txe", "pntxta", "pntxtb", "pnseclvl", "nonshppict", "shprslt", "sp",
    "nonesttables", "upr", "private", "template", "themedata", "colorschememapping", "datastore", "latentstyles",
    "xmlnstbl", "generator", "bkmkstart", "bkmkend", "atnid", "atrfstart", "atrfend", "ftnsep", "ftnsepc", "ftncn",
    "aftnsep", "aftnsepc", "aftncn", "docvar", "userprops", "background",
}  # fmt: skip
"""Groups that are no text of the document. Those that begin with ``\\*`` and are not known are none either."""
_SHOWN_STARRED = {"nesttableprops", "shpinst", "shptxt", "shpgrp", "do", "ud", "dptxbxtext", "shppict"}
_NOTES = {"footnote": "Footnote", "annotation": "Comment", "shptxt": "Text box", "dptxbxtext": "Text box"}
_RUNNING = {
    **dict.fromkeys(("header", "headerl", "headerr", "headerf"), "Header"),
    **dict.fromkeys(("footer", "footerl", "footerr", "footerf"), "Footer"),
}
_PROPERTIES = {"title": "title", "author": "author", "subject": "subject"}
_CODE_PAGES = {10000: "mac_roman", 65001: "utf-8", 1361: "johab", 708: "cp1256", 819: "latin-1"}
# the code page of a font by its \fcharset; 0 and 1 are the document's own
_CHARACTER_SETS = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "cp950", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
    254: "cp437", 255: "cp850",
}  # fmt: skip
_HEADING_NAME = re.compile(r"(?:heading|berschrift|überschrift|titre) ?([1-9])$", re.I)


def read_rtf(data: bytes) -> Extracted:
    """Raises UserError for a file that is not rich text or is nested too deeply. One that was cut off gives the text
    that is there, with a warning."""
    data = data.lstrip(b"\xef\xbb\xbf \t\r\n\x00")
    if not data.startswith(b"{\\rtf"):
        meaning = signature_of(data)
        raise UserError("The file is not rich text (RTF)" + (f" but {meaning}." if meaning is not None else "."))
    reader = _Reader()
    reader.read(data)
    texts = [
        reader.body.result(),
        *(section(name, reader.running[name], "\n\n") for name in ("Header", "Footer")),
        comment_section(reader.comments),
    ]
    properties = {name: value for name, value in reader.properties.items() if value}
    return Extracted(
        "\n\n".join(text for text in texts if text),
        title=real_title(properties.pop("title", ""), reader.body.flow.first_heading),
        metadata=properties,
        warnings=("The end of the file is missing.",) if reader.is_cut else (),
    )


Kind = Literal["text", "nothing", "fonts", "styles", "property", "author"]


@dataclass
class _Group:
    """The state that ends with its group. ``depth``: the number of tables around the paragraph."""

    sink: _Sink
    kind: Kind = "text"
    name: str = ""
    font: int = -1
    fallbacks: int = 1  # characters after each \u for programs that do not know it
    is_hidden: bool = False
    is_deleted: bool = False
    is_bold: bool = False
    style: int = -1
    outline: int = 0
    is_item: bool = False
    depth: int = 0


class _Sink:
    """What the text of the body, a note or a header goes to. ``label``: what it is, "" for the body."""

    def __init__(self, label: str = "") -> None:
        self.label = label
        self.flow = Flow()
        self.is_header_row = False
        self._pieces: list[str] = []
        self._is_bold = True
        self._tables: list[list[bool]] = []  # for each open table: whether a row and a cell are open

    def add(self, text: str, is_bold: bool = False) -> None:
        self._pieces.append(text)
        self._is_bold = self._is_bold and (is_bold or text.isspace())

    def end_paragraph(self, level: int, is_item: bool, depth: int) -> None:
        text, bold = _joined(self._pieces), self._is_bold
        self._pieces, self._is_bold = [], True
        if text.strip() or depth == 0:
            self._enter(min(depth, _DEEPEST_TABLE))
            self.flow.add_paragraph(text, level=level if depth == 0 else 0, is_item=is_item, is_bold=bold)

    def end_cell(self, depth: int) -> None:
        depth = max(1, min(depth, _DEEPEST_TABLE))
        self._enter(depth)
        self.end_paragraph(0, False, depth)
        self._tables[-1][1] = False

    def end_row(self, depth: int) -> None:
        depth = max(1, min(depth, _DEEPEST_TABLE))
        while len(self._tables) > depth:
            self._leave()
        if self._tables:
            self._tables[-1][:] = [False, False]

    def result(self) -> str:
        if self._pieces:
            self.end_paragraph(0, False, len(self._tables))
        while self._tables:
            self._leave()
        return self.flow.result()

    def _enter(self, depth: int) -> None:
        """Close the tables that are deeper, and open table, row and cell where they are not."""
        while len(self._tables) > depth:
            self._leave()
        while len(self._tables) < depth:
            self._open_cell()
            self.flow.begin_table()
            self._tables.append([False, False])
        self._open_cell()

    def _open_cell(self) -> None:
        if not self._tables:
            return
        has_row, has_cell = self._tables[-1]
        if not has_row:
            self.flow.begin_row()
            if self.is_header_row:
                self.flow.mark_header()
        if not has_cell:
            self.flow.begin_cell()
        self._tables[-1][:] = [True, True]

    def _leave(self) -> None:
        self._tables.pop()
        self.flow.end_table()


@dataclass
class _Reader:
    body: _Sink = field(default_factory=_Sink)
    running: dict[str, list[str]] = field(default_factory=lambda: {"Header": [], "Footer": []})
    comments: list[Comment] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    is_cut: bool = False

    def __post_init__(self) -> None:
        self._group = _Group(self.body)
        self._outer: list[_Group] = []
        self._encoding = "cp1252"
        self._default_font = -1
        self._fonts: dict[int, str] = {}
        self._font = -1  # that is described
        self._styles: dict[int, int] = {}  # levels of headings
        self._style = 0
        self._name: list[str] = []  # of the style that is described, or the value of a property
        self._skip = 0
        self._is_starred = False
        self._bytes = bytearray()
        self._author = ""

    def read(self, data: bytes) -> None:
        at, end = 0, len(data)
        match = _TOKEN.match
        while at < end:
            found = match(data, at)
            if found is None:  # a backslash at the very end
                break
            at = found.end()
            word, number, byte, symbol, brace, text = found.groups()
            if text is not None:
                self._read_text(text)
            elif byte is not None:
                self._read_text(bytes((int(byte, 16),)))
            elif word is not None:
                value = int(number) if number is not None else None
                if word == b"bin":
                    at += max(0, value or 0)
                    self._skip = max(0, self._skip - 1)
                else:
                    self._read_word(word.decode(), value)
            elif symbol is not None:
                self._read_symbol(symbol)
            elif brace == b"{":
                self._open()
            elif brace == b"}":
                self._close()
                if not self._outer:
                    return  # whatever follows is not part of the document
        self._flush()
        self.is_cut = bool(self._outer)
        while self._outer:
            self._close()

    # -- groups ------------------------------------------------------------------------------------

    def _open(self) -> None:
        self._flush()
        self._skip, self._is_starred = 0, False
        if len(self._outer) >= MOST_GROUPS:
            raise UserError("The file is nested too deeply.")
        self._outer.append(self._group)
        self._group = replace(self._group, name="")

    def _close(self) -> None:
        self._flush()
        self._skip, self._is_starred = 0, False
        if not self._outer:
            return
        closed, self._group = self._group, self._outer.pop()
        if closed.name:
            self._finish(closed)

    def _finish(self, closed: _Group) -> None:
        """The end of a group that was a destination of its own."""
        if closed.kind == "property":
            self.properties.setdefault(closed.name, " ".join(_joined(self._name).split()))
            self._name = []
        elif closed.kind == "author":
            self._author = " ".join(_joined(self._name).split())
            self._name = []
        elif closed.kind == "text" and closed.sink is not self._group.sink:
            sink = closed.sink
            text = sink.result()
            if sink.label in self.running:
                if any(sign.isalpha() for sign in text):  # not a mere page number
                    self.running[sink.label].append(text)
            elif sink.label == "Comment":
                self.comments.append(Comment(text, author=self._author))
            else:
                self._group.sink.flow.attach(labelled(sink.label, text))

    def _begin_destination(self, word: str) -> bool:
        """Whether the word makes the group a destination."""
        group = self._group
        if word in _NOTES or word in _RUNNING:
            if group.kind == "text":
                label = _NOTES.get(word) or _RUNNING[word]
                self._group = _Group(_Sink(label), name=word, font=group.font, fallbacks=group.fallbacks)
            return True
        if word == "fonttbl":
            self._group = replace(group, kind="fonts", name=word)
        elif word == "stylesheet":
            self._group = replace(group, kind="styles", name=word)
        elif word == "info":
            self._group = replace(group, kind="nothing", name=word)
        elif word in _PROPERTIES and self._outer and self._outer[-1].name == "info":
            self._group = replace(group, kind="property", name=_PROPERTIES[word])
        elif word in ("atnauthor", "atnid"):
            self._group = replace(group, kind="author" if word == "atnauthor" else "nothing", name=word)
        elif word == "ud":  # the same text in Unicode, within the group that gives both
            self._group = replace(self._outer[-2] if len(self._outer) > 1 else group, name=word)
        elif word in ("listtext", "pntext"):  # the number or bullet of an item
            self._outer[-1].is_item = True
            self._group = replace(group, kind="nothing", name=word)
        elif word in _HIDDEN_GROUPS or (self._is_starred and word not in _SHOWN_STARRED):
            self._group = replace(group, kind="nothing", name=word)
        else:
            return False
        return True

    # -- words -------------------------------------------------------------------------------------

    def _read_word(self, word: str, value: int | None) -> None:
        if word == "u":
            self._flush()
            self._emit(_character(value or 0))
            self._skip = self._group.fallbacks
            return
        if self._skip:
            self._skip -= 1
            return
        self._flush()
        if self._outer and self._begin_destination(word):
            self._is_starred = False
            return
        self._is_starred = False
        group = self._group
        if group.kind == "fonts":
            self._describe_font(word, value)
        elif group.kind == "styles":
            self._describe_style(word, value)
        elif word in _SIGNS:
            self._emit(_SIGNS[word])
        elif word in _PARAGRAPHS:
            if group.kind == "text":
                _PARAGRAPHS[word](self, group)
        else:
            self._set(group, word, value)

    def _set(self, group: _Group, word: str, value: int | None) -> None:
        is_on = value != 0
        if word == "f":
            group.font = value if value is not None else self._default_font
        elif word == "deff":
            self._default_font = group.font = value if value is not None else -1
        elif word == "uc":
            group.fallbacks = max(0, min(value if value is not None else 1, 100))
        elif word in ("ansicpg", "mac", "pc", "pca"):
            named = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
            self._encoding = named[word] if word in named else _code_page(value or 1252)
        elif word == "v":
            group.is_hidden = is_on
        elif word == "deleted":
            group.is_deleted = is_on
        elif word == "b":
            group.is_bold = is_on
        elif word == "plain":
            group.is_hidden = group.is_bold = group.is_deleted = False
            group.font = self._default_font
        elif word == "pard":
            group.style, group.outline, group.is_item, group.depth = -1, 0, False, 0
        elif word == "s":
            group.style = value if value is not None else -1
        elif word == "outlinelevel":
            group.outline = (value or 0) + 1 if value is not None and 0 <= value < 9 else 0
        elif word == "ls":
            group.is_item = is_on
        elif word == "intbl":
            group.depth = max(1, group.depth)
        elif word == "itap":
            group.depth = max(0, min(value or 0, _DEEPEST_TABLE))
        elif word == "ftnalt" and group.sink.label == "Footnote":
            group.sink.label = "Endnote"
        elif word == "trowd":
            group.sink.is_header_row = False
        elif word == "trhdr":
            group.sink.is_header_row = True

    def _describe_font(self, word: str, value: int | None) -> None:
        if word == "f" and value is not None:
            self._font = value
        elif word == "fcharset" and value in _CHARACTER_SETS:
            self._fonts[self._font] = _CHARACTER_SETS[value]
        elif word == "cpg" and value:
            self._fonts[self._font] = _code_page(value)

    def _describe_style(self, word: str, value: int | None) -> None:
        if word == "s" and value is not None:
            self._style, self._name = value, []
        elif word == "outlinelevel" and value is not None and 0 <= value < 9:
            self._styles.setdefault(self._style, value + 1)

    def _end_paragraph(self, group: _Group) -> None:
        level = group.outline or self._styles.get(group.style, 0)
        group.sink.end_paragraph(level, group.is_item and not level, group.depth)

    # -- text --------------------------------------------------------------------------------------

    def _read_symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self._is_starred = True
            return
        if self._skip:
            self._skip -= 1
            return
        self._flush()
        if symbol in b"\r\n":
            self._read_word("par", None)
        elif symbol in _SYMBOLS:
            self._emit(_SYMBOLS[symbol])

    def _read_text(self, text: bytes) -> None:
        if self._skip:
            skipped = min(self._skip, len(text))
            self._skip -= skipped
            text = text[skipped:]
        if self._group.kind != "nothing":
            self._bytes += text

    def _flush(self) -> None:
        """Decode what has come: in code pages of several bytes a character may be of text and of hexadecimal."""
        if self._bytes:
            text = bytes(self._bytes).decode(self._fonts.get(self._group.font, self._encoding), "replace")
            self._bytes.clear()
            self._emit(text)

    def _emit(self, text: str) -> None:
        group = self._group
        if group.kind == "text":
            if not group.is_hidden and not group.is_deleted:
                group.sink.add(text, group.is_bold)
        elif group.kind in ("property", "author"):
            self._name.append(text)
        elif group.kind == "styles":
            self._name.append(text)
            if ";" in text:
                heading = _HEADING_NAME.match(_joined(self._name).partition(";")[0].strip())
                if heading is not None:
                    self._styles[self._style] = int(heading.group(1))
                self._name = []


_PARAGRAPHS: dict[str, Callable[[_Reader, _Group], None]] = {
    **dict.fromkeys(("par", "sect", "page", "column"), _Reader._end_paragraph),
    **dict.fromkeys(("cell", "nestcell"), lambda reader, group: group.sink.end_cell(group.depth)),
    "row": lambda reader, group: group.sink.end_row(1),
    "nestrow": lambda reader, group: group.sink.end_row(max(2, group.depth)),
}
"""What ends a paragraph, a cell or a row."""


def _code_page(number: int) -> str:
    name = _CODE_PAGES.get(number, f"cp{number}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"


def _character(number: int) -> str:
    """That of ``\\u``: 16 bits, with a sign. Symbol fonts use the private area for bytes."""
    code = number & 0xFFFF if number < 0 or number <= 0xFFFF else number
    return chr(code) if 0 < code <= 0x10FFFF else ""


def _joined(pieces: list[str]) -> str:
    """The text with its surrogate pairs as the characters that they are."""
    return "".join(pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
