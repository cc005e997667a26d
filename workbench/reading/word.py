"""Word documents (docx): paragraphs, headings, lists, tables, notes, charts and comments, in reading order.

Our own reader, since kreuzberg 4.10.4 loses every ``&amp;`` and ``&lt;`` of a docx ("R&D" becomes "RD",
https://github.com/xberg-io/xberg/issues/1242). Notes, text boxes, charts and diagrams follow the paragraph or table
that they belong to; headers, footers and comments are at the end. Deletions of tracked changes are left out.
"""

from __future__ import annotations

import re

from workbench.reading.archive import Archive
from workbench.reading.charts import read_chart, read_diagram
from workbench.reading.comments import comment_section, quoted, related_comments
from workbench.reading.embedded import FoundPictures, is_shown_large
from workbench.reading.extract import Extracted, labelled, real_title, section
from workbench.reading.flow import Flow
from workbench.reading.html import read_html
from workbench.reading.mail import page_of_mime
from workbench.reading.markup import Markup
from workbench.reading.properties import core_properties
from workbench.reading.text import clean

_HEADING_NAME = re.compile(r"heading ([1-9])$", re.I)


def read_docx(data: bytes) -> Extracted:
    archive = Archive(data, "a Word document")
    main = archive.main_part("word/document.xml")
    styles = _Styles()
    for part in archive.related(main, "styles"):
        archive.parse(part, styles)
    notes: dict[str, _Note] = {}
    for kind in ("footnotes", "endnotes"):
        for part in archive.related(main, kind):
            archive.parse(part, _Text(archive, part, styles, notes))
    pictures = FoundPictures(archive.names)
    body = _Text(archive, main, styles, notes, pictures)
    body.parse(archive.read(main), main)
    comments = related_comments(archive, main, main)
    for comment in comments:
        comment.place = quoted("".join(body.commented.get(comment.id, ())))
    text, placed = pictures.placed(body.flow.result())
    texts = [
        text,
        section("Notes", (note.block for note in notes.values() if not note.is_shown), "\n\n"),
        section("Header", _running_texts(archive, main, styles, "header"), "\n\n"),
        section("Footer", _running_texts(archive, main, styles, "footer"), "\n\n"),
        comment_section(comments),
    ]
    properties = core_properties(archive)
    return Extracted(
        "\n\n".join(text for text in texts if text),
        title=real_title(properties.pop("title", ""), body.flow.first_heading),
        language=properties.pop("language", ""),
        metadata=properties,
        warnings=archive.warnings,
        tables=tuple(body.flow.tables),
        pictures=placed,
    )


def _running_texts(archive: Archive, main: str, styles: _Styles, kind: str) -> list[str]:
    """Headers or footers; mere page numbers are left out."""
    texts: list[str] = []
    for part in archive.related(main, kind):
        text = _Text(archive, part, styles, {})
        if archive.parse(part, text):
            texts.append(text.flow.result())
    return [text for text in texts if any(sign.isalpha() for sign in text)]


class _Styles(Markup):
    """``levels``: the heading level (from 1) of each style that is one; ``items``: the styles of list items."""

    def __init__(self) -> None:
        self.items: set[str] = set()
        self.levels = {f"Heading{level}": level for level in range(1, 10)} | {"Title": 1}
        self._style = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "style":
            self._style = attributes.get("styleId", "")
        elif name == "name" and self._style:
            value = attributes.get("val", "")
            heading = _HEADING_NAME.match(value)  # the name is English whatever Word's language, the id is not
            if heading is not None:
                self.levels[self._style] = int(heading.group(1))
            elif value.lower() == "title":
                self.levels[self._style] = 1
        elif name == "numPr" and self._style:
            self.items.add(self._style)

    def end(self, name: str) -> None:
        if name == "style":
            self._style = ""


class _Note:
    """A footnote or endnote; ``block`` is its text with its label."""

    def __init__(self, block: str) -> None:
        self.block = block
        self.is_shown = False


class _Paragraph:
    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.style = ""
        self.outline = 0
        self.is_item = False
        self.is_bold = True  # unless one of its runs is not


class _Text(Markup):
    """``flow``: the text of the body, a header or a footer. Notes are added to ``notes``, by kind and id.
    ``commented``: the pieces of text that each comment refers to, by its id. The places of ``pictures`` are marked."""

    # not read: deleted or moved text, a second form of text that was read already, and pronunciations
    _UNSEEN = frozenset({"del", "moveFrom", "Fallback", "instrText", "delText", "rt"})
    _MARKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"}
    _NOTES = {"footnote": "Footnote", "endnote": "Endnote"}

    def __init__(
        self,
        archive: Archive,
        part: str,
        styles: _Styles,
        notes: dict[str, _Note],
        pictures: FoundPictures | None = None,
    ) -> None:
        self.flow = Flow()
        self.commented: dict[str, list[str]] = {}
        self._archive, self._styles, self._notes = archive, styles, notes
        self._part = part
        self._pictures = pictures
        self._is_large = True  # the open picture, as it is shown
        self._targets = {relation.id: relation.target for relation in archive.relations(part)}
        self._flows: list[Flow] = []  # the flows around a text box or note
        self._paragraphs: list[_Paragraph] = []
        self._open_comments: set[str] = set()
        self._note = ""
        self._unseen = 0
        self._is_bold = self._in_text = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._unseen or name in self._UNSEEN:
            self._unseen += 1
            return
        value = attributes.get("val", "")
        if name == "p":
            self._paragraphs.append(_Paragraph())
        elif name == "r":
            self._is_bold = False
        elif name == "t":
            self._in_text = True
        elif name == "txbxContent" or name in self._NOTES:
            self._flows.append(self.flow)
            self.flow = Flow()
            self._note = f"{name} {attributes.get('id', '')}"
        elif name == "tbl":
            self.flow.begin_table()
        elif name == "tr":
            self.flow.begin_row()
        elif name == "tc":
            self.flow.begin_cell()
        elif name == "gridSpan":
            self.flow.widen_cell(int(value) if value.isdigit() else 1)
        elif name == "vMerge":
            self.flow.join_downwards(begins=value == "restart")
        elif name == "tblHeader":
            self.flow.mark_header()
        elif name in ("drawing", "pict"):
            self._is_large = True
        elif name == "extent":
            self._is_large = is_shown_large(attributes.get("cx", ""), attributes.get("cy", ""))
        elif name in ("blip", "imagedata"):
            self._place_picture(attributes.get("r:embed" if name == "blip" else "r:id", ""))
        elif name in ("chart", "relIds", "altChunk"):
            self._attach_part(name, attributes)
        elif name in ("footnoteReference", "endnoteReference"):
            self._attach_note(f"{name.removesuffix('Reference')} {attributes.get('id', '')}")
        elif name in ("commentRangeStart", "commentRangeEnd"):
            change = self._open_comments.add if name.endswith("Start") else self._open_comments.discard
            change(attributes.get("id", ""))
        elif self._paragraphs:
            self._start_in_paragraph(self._paragraphs[-1], name, attributes, value)

    def _start_in_paragraph(self, paragraph: _Paragraph, name: str, attributes: dict[str, str], value: str) -> None:
        if name in self._MARKS:
            if not (name == "tab" and "val" in attributes):  # that one is a tab stop, in the paragraph's properties
                paragraph.pieces.append(self._MARKS[name])
        elif name == "textpath":  # text drawn as a shape, such as a watermark
            paragraph.pieces.append(f" {attributes.get('string', '')} ")
        elif name == "b":
            self._is_bold = value not in ("0", "false")
        elif name == "pStyle":
            paragraph.style = value
        elif name == "outlineLvl" and value.isdigit():
            paragraph.outline = int(value) + 1
        elif name == "numPr":
            paragraph.is_item = True

    def end(self, name: str) -> None:
        if self._unseen:
            self._unseen -= 1
        elif name == "t":
            self._in_text = False
        elif name == "p" and self._paragraphs:
            self._end_paragraph(self._paragraphs.pop())
        elif name == "tbl":
            self.flow.end_table()
        elif (name == "txbxContent" or name in self._NOTES) and self._flows:
            inner, self.flow = self.flow.result(), self._flows.pop()
            if name == "txbxContent":
                self.flow.attach(labelled("Text box", inner))
            elif inner:
                self._notes[self._note] = _Note(labelled(self._NOTES[name], inner))

    def text(self, data: str) -> None:
        if not self._in_text or self._unseen or not self._paragraphs:
            return
        paragraph = self._paragraphs[-1]
        paragraph.pieces.append(data)
        paragraph.is_bold = paragraph.is_bold and (self._is_bold or data.isspace())
        for id in self._open_comments:
            self.commented.setdefault(id, []).append(data)

    def _end_paragraph(self, paragraph: _Paragraph) -> None:
        text = "".join(paragraph.pieces)
        level = self._styles.levels.get(paragraph.style, 0) or (paragraph.outline if paragraph.outline <= 9 else 0)
        is_item = not level and (paragraph.is_item or paragraph.style in self._styles.items)
        self.flow.add_paragraph(text, level=level, is_item=is_item, is_bold=paragraph.is_bold)

    def _attach_part(self, name: str, attributes: dict[str, str]) -> None:
        part = self._targets.get(attributes.get("r:dm" if name == "relIds" else "r:id", ""), "")
        if name == "chart":
            self.flow.attach(read_chart(self._archive, part))
        elif name == "relIds":
            self.flow.attach(read_diagram(self._archive, part))
        elif part in self._archive.names:  # an HTML or MHTML page that Word shows here
            page = self._archive.read(part)
            self.flow.attach(clean((page_of_mime(page) or read_html(page)).text))

    def _place_picture(self, id: str) -> None:
        if self._pictures is not None and self._is_large:
            outermost = self._flows[0] if self._flows else self.flow
            outermost.place(self._pictures.mark(self._targets.get(id, "")))

    def _attach_note(self, key: str) -> None:
        note = self._notes.get(key)
        if note is not None and not note.is_shown:
            note.is_shown = True
            self.flow.attach(note.block)
