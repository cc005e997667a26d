"""OpenDocument text (odt), in the same form as ``word`` reads docx (OpenDocument 1.3, part 3).

Our own reader, since kreuzberg 4.10.4 loses nested spans, cells with a bold run and lists in cells. Notes, text boxes
and charts follow the paragraph or table that they belong to; headers, footers, form fields and comments are at the
end.
"""

from __future__ import annotations

import re

from workbench.base.errors import UserError
from workbench.reading.archive import Archive, part_name
from workbench.reading.comments import Comment, comment_section, quoted
from workbench.reading.embedded import FoundPictures, is_length_large
from workbench.reading.extract import Extracted, labelled, real_title, section
from workbench.reading.flow import Flow
from workbench.reading.grid import Row
from workbench.reading.markup import Markup
from workbench.reading.properties import read_properties
from workbench.reading.table import named_cells

MOST_SPACES = 100
_SPACE = re.compile(r"[ \t\r\n]+")
_MANIFEST = "META-INF/manifest.xml"
ENCRYPTED = "The file is an OpenDocument text with a password, which cannot be opened here."


def read_odt(data: bytes) -> Extracted:
    """Raises UserError when the file is damaged or protected by a password."""
    archive = Archive(data, "an OpenDocument text")
    manifest = _Manifest()
    archive.parse(_MANIFEST, manifest)
    if manifest.is_encrypted:
        raise UserError(ENCRYPTED, "Open it in its own program and save a copy without the password.")
    pictures = FoundPictures(archive.names)
    body = _Text(archive, pictures)
    body.parse(archive.read("content.xml"), "content.xml")
    pages = _Text(archive)
    archive.parse("styles.xml", pages)
    text, placed = pictures.placed(body.flow.result())
    texts = [
        text,
        section("Header", (text for text in pages.headers if _has_letters(text)), "\n\n"),
        section("Footer", (text for text in pages.footers if _has_letters(text)), "\n\n"),
        section("Form fields", body.fields),
        comment_section(body.comments),
    ]
    properties = read_properties(archive, ["meta.xml"])
    return Extracted(
        "\n\n".join(text for text in texts if text),
        title=real_title(properties.pop("title", ""), body.flow.first_heading),
        language=properties.pop("language", ""),
        metadata=properties,
        warnings=archive.warnings,
        tables=tuple(body.flow.tables),
        pictures=placed,
    )


def _has_letters(running: str) -> bool:
    return any(sign.isalpha() for sign in running)


class _Manifest(Markup):
    def __init__(self) -> None:
        self.is_encrypted = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "encryption-data":
            self.is_encrypted = True


class _Place:
    """A container of paragraphs: the body, a note, a comment, a shape, a header. ``pieces`` are those of the open
    paragraph; None between paragraphs, where characters are ignored."""

    def __init__(self) -> None:
        self.flow = Flow()
        self.pieces: list[str] | None = None
        self.level = 0
        self.lists = 0
        self.is_fresh_item = False
        self.header_rows = 0
        self.repeated: list[int] = []  # for each open cell, its number of repetitions
        self.parts: list[str] = []  # charts and other objects of a frame
        self.is_large = True  # a frame, as it is shown
        self.label = ""
        self.comment: Comment | None = None


class _Text(Markup):
    """``flow``: the body, with marks at the places of ``pictures``; ``comments`` on it; ``fields`` of its forms;
    ``headers`` and ``footers`` of its pages."""

    # not read: deletions of tracked changes, formulas, pronunciations
    _UNSEEN = frozenset({"tracked-changes", "math", "ruby-text", "note-citation", "scripts"})
    _SHAPES = frozenset(
        {"frame", "custom-shape", "rect", "ellipse", "circle", "line", "polyline", "polygon", "regular-polygon"}
        | {"path", "connector", "caption", "measure"}
    )
    _RUNNING = frozenset(f"{place}{which}" for place in ("header", "footer") for which in ("", "-left", "-first"))

    def __init__(self, archive: Archive, pictures: FoundPictures | None = None) -> None:
        self._pictures = pictures
        self.comments: list[Comment] = []
        self.fields: list[str] = []
        self.headers: list[str] = []
        self.footers: list[str] = []
        self._archive = archive
        self._body = _Place()
        self._places = [self._body]
        self._commented: dict[str, tuple[Comment, list[str]]] = {}  # with an open passage, by name
        self._said: list[str] | None = None  # of an open author or date of a comment
        self._forms = self._unseen = 0

    @property
    def flow(self) -> Flow:
        return self._body.flow

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._unseen or name in self._UNSEEN or (attributes.get("display") == "none" and name != "section"):
            self._unseen += 1
            return
        place = self._places[-1]
        if self._forms or name == "forms":
            self._forms += 1
            self._take_field(name, attributes)
        elif name in ("p", "h"):
            level = attributes.get("outline-level", "1") if name == "h" else "0"
            place.pieces, place.level = [], int(level) if level.isdigit() else 1
        elif name in self._SHAPES or name in self._RUNNING or name in ("note", "annotation"):
            self._open_place(name, attributes)
        elif name == "annotation-end":
            self._end_passage(attributes.get("name", ""))
        elif name == "object":
            part = part_name("", attributes.get("href", "")) + "/content.xml"
            place.parts.append(_read_object(self._archive, part))
        elif name == "image":
            if self._pictures is not None and place.is_large:
                self._body.flow.place(self._pictures.mark(part_name("", attributes.get("href", ""))))
        elif place.pieces is None:
            self._start_between(name, attributes, place)
        elif name == "s":
            count = attributes.get("c", "1")
            place.pieces.append(" " * min(int(count) if count.isdigit() else 1, MOST_SPACES))
        elif name == "tab":
            place.pieces.append("\t")
        elif name == "line-break":
            place.pieces.append("\n")

    def _start_between(self, name: str, attributes: dict[str, str], place: _Place) -> None:
        if name == "list":
            place.lists += 1
        elif name == "list-item":
            place.is_fresh_item = True
        elif name == "table":
            place.flow.begin_table()
        elif name == "table-header-rows":
            place.header_rows += 1
        elif name == "table-row":
            place.flow.begin_row()
            if place.header_rows:
                place.flow.mark_header()
        elif name in ("table-cell", "covered-table-cell"):
            repeated = attributes.get("number-columns-repeated", "1")
            place.repeated.append(int(repeated) if repeated.isdigit() else 1)
            place.flow.begin_cell()
            place.flow.span_cell(
                attributes.get("number-columns-spanned", ""), attributes.get("number-rows-spanned", "")
            )
        elif name in ("creator", "date") and place.comment is not None:
            self._said = []

    def end(self, name: str) -> None:
        if self._unseen:
            self._unseen -= 1
            return
        if self._forms:
            self._forms -= 1
            return
        place = self._places[-1]
        if name in ("p", "h"):
            text = "".join(place.pieces or ())
            is_item = place.lists > 0 and place.is_fresh_item and not place.level
            place.flow.add_paragraph(text, level=place.level, is_item=is_item)
            place.pieces, place.is_fresh_item = None, False
        elif name in self._SHAPES or name in self._RUNNING or name in ("note", "annotation"):
            self._close_place(name)
        elif place.pieces is not None:
            return
        elif name == "list":
            place.lists = max(0, place.lists - 1)
        elif name == "table":
            place.flow.end_table()
        elif name in ("table-cell", "covered-table-cell") and place.repeated:
            place.flow.repeat_cell(place.repeated.pop() - 1)
        elif name == "table-header-rows":
            place.header_rows = max(0, place.header_rows - 1)
        elif name in ("creator", "date") and self._said is not None and place.comment is not None:
            said, self._said = "".join(self._said), None
            if name == "creator":
                place.comment.author = said
            else:
                place.comment.date = said

    def text(self, data: str) -> None:
        if self._unseen or self._forms:
            return
        pieces = self._places[-1].pieces
        if pieces is None:
            if self._said is not None:
                self._said.append(data)
            return
        shown = _SPACE.sub(" ", data)
        pieces.append(shown)
        if self._places[-1].comment is None:
            for _, passage in self._commented.values():
                passage.append(shown)

    # -- places within places -------------------------------------------------------------------------

    def _open_place(self, name: str, attributes: dict[str, str]) -> None:
        place = _Place()
        self._places.append(place)
        if name == "note":
            place.label = "Endnote" if attributes.get("note-class") == "endnote" else "Footnote"
        elif name == "annotation":
            place.comment = Comment("")
            self.comments.append(place.comment)
            if attributes.get("name"):
                self._commented[attributes["name"]] = (place.comment, [])
        elif name in self._SHAPES:
            place.label = "Text box"
            place.is_large = is_length_large(attributes.get("width", ""), attributes.get("height", ""))

    def _close_place(self, name: str) -> None:
        if len(self._places) < 2:
            return
        place = self._places.pop()
        text = place.flow.result()
        if place.comment is not None:
            place.comment.text = text
        elif name in self._RUNNING:
            (self.headers if name.startswith("header") else self.footers).append(text)
        else:
            around = self._places[-1].flow
            around.attach(labelled(place.label, text))
            for part in place.parts:
                around.attach(part)

    def _end_passage(self, name: str) -> None:
        comment, passage = self._commented.pop(name, (None, []))
        if comment is not None:
            comment.place = quoted("".join(passage))

    def _take_field(self, name: str, attributes: dict[str, str]) -> None:
        value = attributes.get("current-value", attributes.get("value", ""))
        label = attributes.get("label", "") or attributes.get("name", "")
        if name == "fixed-text":
            self.fields.append(label)
        elif name in ("checkbox", "radio"):
            if attributes.get("current-state", attributes.get("current-selected", "")) in ("checked", "true"):
                self.fields.append(f"{label}: yes")
        elif name == "option":
            if attributes.get("current-selected") == "true":
                self.fields.append(label)
        elif value and name != "property":
            self.fields.append(f"{label}: {value}" if label else value)


def _read_object(archive: Archive, part: str) -> str:
    """A chart or another embedded document as a block; "" when it has no text."""
    shown = _Object()
    archive.parse(part, shown)
    title = " ".join(" ".join(shown.titles).split())
    kind = "Chart" if shown.is_chart else "Object"
    lines = [f"Axes: {'; '.join(shown.axes)}"] if shown.axes else []
    if shown.is_chart and shown.rows:
        names, *rows = shown.rows
        lines += [named_cells(row, {column: name for column, name in names.items() if column}) for row in rows]
    else:
        lines += [" | ".join(row.values()) for row in shown.rows]
    return labelled(f"{kind}: {title}" if title else kind, "\n".join([*filter(None, lines), *shown.notes]))


class _Object(Markup):
    """A chart contains its table (OpenDocument 1.3, part 3, 11.1): series names in the first row, categories in the
    first column."""

    def __init__(self) -> None:
        self.is_chart = False
        self.titles: list[str] = []
        self.axes: list[str] = []
        self.rows: list[Row] = []
        self.notes: list[str] = []
        self._path: list[str] = []
        self._cells: list[str] = []
        self._pieces: list[str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if name == "chart" and "class" in attributes:
            self.is_chart = True
        elif name == "p":
            self._pieces = []
        elif name == "table-row":
            self._cells = []
        elif name == "table-cell":
            self._cells.append("")

    def end(self, name: str) -> None:
        self._path.pop()
        if name == "table-row":
            row = {column: cell for column, cell in enumerate(self._cells) if cell and cell != "NaN"}
            if row:
                self.rows.append(row)
        elif name == "p" and self._pieces is not None:
            text = " ".join("".join(self._pieces).split())
            self._pieces = None
            if text:
                self._take(text)

    def text(self, data: str) -> None:
        if self._pieces is not None:
            self._pieces.append(data)

    def _take(self, text: str) -> None:
        if "table-cell" in self._path and self._cells:
            self._cells[-1] = f"{self._cells[-1]} {text}".strip()
        elif "axis" in self._path:
            self.axes.append(text)
        elif "title" in self._path or "subtitle" in self._path:
            self.titles.append(text)
        else:
            self.notes.append(text)
