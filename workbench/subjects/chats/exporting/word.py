"""Transcripts as DOCX, by python-docx: headings, lists, tables and quotes have Word's own styles."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

from markdown_it.token import Token

from workbench.records.quoted_tables import QuotedTable
from workbench.subjects.chats.exporting.parsing import make_parser
from workbench.subjects.chats.exporting.transcript import Picture, Source, Transcript, Turn

_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_CODE_FONT = "Consolas"
_PIXELS_PER_INCH, _WIDEST_INCHES = 96, 5.0
_DEEPEST_LIST = 3  # Word has no more styles


def write_word(transcripts: Sequence[Transcript]) -> bytes:
    from docx import Document

    document: Any = Document()
    writer = _Writer(document)
    for number, transcript in enumerate(transcripts):
        if number:
            document.add_page_break()
        document.add_heading(clean(transcript.title), 0)
        document.add_paragraph(clean(transcript.date))
        for turn in transcript.turns:
            writer.write_turn(turn)
        for heading, turns in transcript.other:
            document.add_heading(clean(heading), 1)
            for turn in turns:
                writer.write_turn(turn)
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def clean(text: str) -> str:
    """The text without the signs that XML cannot hold."""
    return _NOT_IN_XML.sub("", text)


class _Writer:
    def __init__(self, document: Any) -> None:
        self._document = document
        self._parser = make_parser()

    def write_turn(self, turn: Turn) -> None:
        self._document.add_heading(clean(turn.heading), 1)
        for picture in turn.pictures:
            self._write_picture(picture)
        if turn.text:
            self._write_blocks(iter(self._parser.parse(turn.text)))
        for note in turn.notes:
            self._document.add_paragraph().add_run(clean(note)).italic = True
        if turn.sources:
            self._document.add_heading("Sources", 2)
        for source in turn.sources:
            line = self._document.add_paragraph()
            line.add_run(f"[{source.n}] ").bold = True
            line.add_run(clean(f"{source.name}, {source.place}" if source.place else source.name))
            self._write_quote(source)

    def _write_quote(self, source: Source) -> None:
        lines: list[str] = []
        for part in source.parts():
            if not isinstance(part, QuotedTable):
                lines.append(part)
                continue
            if lines:
                self._document.add_paragraph(clean("\n".join(lines)), style="Quote")
                lines = []
            table = self._document.add_table(rows=0, cols=len(part.names), style="Table Grid")
            for words in (part.names, *part.rows):
                for cell, word in zip(table.add_row().cells, words, strict=True):
                    cell.paragraphs[0].add_run(clean(word)).bold = words is part.names or None
            self._document.add_paragraph()
        if lines:
            self._document.add_paragraph(clean("\n".join(lines)), style="Quote")

    def _write_picture(self, picture: Picture) -> None:
        """An image, with its name for those who do not see it."""
        from docx.shared import Inches

        width = min(picture.width / _PIXELS_PER_INCH, _WIDEST_INCHES)
        shown = self._document.add_picture(io.BytesIO(picture.png), width=Inches(width))
        shown._inline.docPr.set("descr", clean(picture.name))

    def _write_blocks(self, tokens: Iterator[Token], lists: tuple[str, ...] = (), quoted: bool = False) -> None:
        """Write the blocks up to the end of the one that they are in."""
        for token in tokens:
            if token.nesting < 0:
                return
            if token.type == "heading_open":
                self._write_inline(self._document.add_heading("", int(token.tag[1])), next(tokens))
                next(tokens)
            elif token.type == "paragraph_open":
                self._write_inline(self._document.add_paragraph(style=_style(lists, quoted)), next(tokens))
                next(tokens)
            elif token.type in ("fence", "code_block"):
                run = self._document.add_paragraph().add_run(clean(token.content.rstrip("\n")))
                run.font.name = _CODE_FONT
            elif token.type in ("bullet_list_open", "ordered_list_open"):
                kind = "List Bullet" if token.type.startswith("bullet") else "List Number"
                self._write_blocks(tokens, (*lists, kind), quoted)
            elif token.type == "list_item_open":
                self._write_blocks(tokens, lists, quoted)
            elif token.type == "blockquote_open":
                self._write_blocks(tokens, lists, True)
            elif token.type == "table_open":
                self._write_table(tokens)
            elif token.type == "hr":
                self._document.add_paragraph("⸻")
            elif token.type == "inline":
                self._write_inline(self._document.add_paragraph(), token)

    def _write_table(self, tokens: Iterator[Token]) -> None:
        rows: list[list[Token]] = []
        for token in tokens:
            if token.type == "table_close":
                break
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(token)
        table = self._document.add_table(rows=len(rows), cols=max(map(len, rows)), style="Table Grid")
        for row, cells in zip(table.rows, rows, strict=True):
            for cell, content in zip(row.cells, cells, strict=False):
                self._write_inline(cell.paragraphs[0], content, bold=row is table.rows[0])
        self._document.add_paragraph()

    def _write_inline(self, paragraph: Any, token: Token, bold: bool = False) -> None:
        marks = {"strong": int(bold), "em": 0, "s": 0}
        address = ""
        for child in token.children or ():
            kind = child.type.rsplit("_", 1)[0]
            if child.type == "softbreak":
                paragraph.add_run(" ")
            elif child.type == "hardbreak":
                paragraph.add_run().add_break()
            elif kind in marks:
                marks[kind] += child.nesting
            elif child.type == "link_open":
                address = str(child.attrGet("href") or "")
            elif child.type == "link_close":
                paragraph.add_run(clean(f" ({address})"))
            else:
                run = paragraph.add_run(clean(child.content))
                # None: as the style of the paragraph says
                run.bold, run.italic = bool(marks["strong"]) or None, bool(marks["em"]) or None
                run.font.strike = bool(marks["s"]) or None
                if child.type == "code_inline":
                    run.font.name = _CODE_FONT


def _style(lists: tuple[str, ...], quoted: bool) -> str | None:
    if not lists:
        return "Quote" if quoted else None
    depth = min(len(lists), _DEEPEST_LIST)
    return lists[-1] if depth == 1 else f"{lists[-1]} {depth}"
