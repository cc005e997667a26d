"""Word documents (docx): paragraphs, headings, lists, tables and notes, in reading order.

Our own reader, since kreuzberg 4.10.4 loses every ``&amp;`` and ``&lt;`` of a docx ("R&D" becomes "RD",
https://github.com/xberg-io/xberg/issues/1242). Headings
become ``#`` lines, list items ``-`` lines, cells are separated by `` | ``. Deletions of tracked changes are left out.
"""

from __future__ import annotations

import re

from workbench.techniques.retrieval.reading.archive import Archive
from workbench.techniques.retrieval.reading.extract import Extracted
from workbench.techniques.retrieval.reading.markup import Markup
from workbench.techniques.retrieval.reading.properties import core_properties

_HEADING_NAME = re.compile(r"heading ([1-9])$", re.I)
_BLANKS = re.compile(r"\n{3,}")


def read_docx(data: bytes) -> Extracted:
    archive = Archive(data, "a Word document")
    main = archive.main_part("word/document.xml")
    related = {relation.type: relation.target for relation in archive.relations(main)}
    styles = _Styles()
    if related.get("styles") in archive.names:
        styles.parse(archive.read(related["styles"]), related["styles"])
    body = _Body(styles)
    body.parse(archive.read(main), main)
    texts = [body.result()]
    for notes in ("footnotes", "endnotes"):
        if related.get(notes) in archive.names:
            reader = _Body(styles)
            reader.parse(archive.read(related[notes]), related[notes])
            texts.append(reader.result())
    properties = core_properties(archive)
    return Extracted(
        "\n\n".join(text for text in texts if text),
        title=properties.pop("title", "") or body.first_heading,
        language=properties.pop("language", ""),
        metadata=properties,
    )


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


class _Paragraph:
    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.style = ""
        self.outline = 0
        self.is_item = False


class _Table:
    def __init__(self) -> None:
        self.rows: list[list[list[str]]] = []  # rows of cells of paragraphs


class _Body(Markup):
    # not read: deleted or moved text, or a second form of text that was read already
    _UNSEEN = frozenset({"del", "moveFrom", "Fallback", "instrText", "delText"})
    _MARKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"}

    def __init__(self, styles: _Styles) -> None:
        self.first_heading = ""
        self._styles = styles
        self._blocks: list[str] = []
        self._paragraphs: list[_Paragraph] = []  # a text box puts paragraphs inside a paragraph
        self._tables: list[_Table] = []
        self._unseen = 0
        self._in_text = False
        self._last_was_item = False

    def result(self) -> str:
        return _BLANKS.sub("\n\n", "".join(self._blocks)).strip("\n")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._unseen or name in self._UNSEEN:
            self._unseen += 1
            return
        paragraph = self._paragraphs[-1] if self._paragraphs else None
        if name == "p":
            self._paragraphs.append(_Paragraph())
        elif name == "t":
            self._in_text = True
        elif name == "tbl":
            self._tables.append(_Table())
        elif name == "tr" and self._tables:
            self._tables[-1].rows.append([])
        elif name == "tc" and self._tables and self._tables[-1].rows:
            self._tables[-1].rows[-1].append([])
        elif paragraph is None:
            return
        elif name in self._MARKS:
            if not (name == "tab" and "val" in attributes):  # that one is a tab stop, in the paragraph's properties
                paragraph.pieces.append(self._MARKS[name])
        elif name == "pStyle":
            paragraph.style = attributes.get("val", "")
        elif name == "outlineLvl" and attributes.get("val", "").isdigit():
            paragraph.outline = int(attributes["val"]) + 1
        elif name == "numPr":
            paragraph.is_item = True

    def end(self, name: str) -> None:
        if self._unseen:
            self._unseen -= 1
            return
        if name == "t":
            self._in_text = False
        elif name == "p" and self._paragraphs:
            self._end_paragraph(self._paragraphs.pop())
        elif name == "tbl" and self._tables:
            self._end_table(self._tables.pop())

    def text(self, data: str) -> None:
        if self._in_text and not self._unseen and self._paragraphs:
            self._paragraphs[-1].pieces.append(data)

    def _end_paragraph(self, paragraph: _Paragraph) -> None:
        text = "".join(paragraph.pieces).strip()
        if not text:
            return
        if self._tables and self._tables[-1].rows and self._tables[-1].rows[-1]:
            self._tables[-1].rows[-1][-1].append(" ".join(text.split()))
            return
        level = self._styles.levels.get(paragraph.style, 0) or (paragraph.outline if paragraph.outline <= 9 else 0)
        if level:
            text = " ".join(text.split())
            self.first_heading = self.first_heading or text
            text = "#" * min(level, 6) + " " + text
        is_item = not level and (paragraph.is_item or paragraph.style in self._styles.items)
        if is_item:
            text = "- " + text
        self._write(text, "\n" if is_item and self._last_was_item else "\n\n")
        self._last_was_item = is_item

    def _end_table(self, table: _Table) -> None:
        lines = [" | ".join(" ".join(cell) for cell in row) for row in table.rows]
        lines = [line for line in lines if line.strip(" |")]
        if self._tables and self._tables[-1].rows and self._tables[-1].rows[-1]:
            self._tables[-1].rows[-1][-1].extend(lines)  # a table in a cell of another
        elif lines:
            self._write("\n".join(lines), "\n\n")
            self._last_was_item = False

    def _write(self, block: str, gap: str) -> None:
        if self._blocks:
            self._blocks.append(gap)
        self._blocks.append(block)
