"""Writers of office documents from the mark-up of `mark_up.py`."""

import datetime
import email
import email.message
import email.policy
import html
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docx
import openpyxl
import reportlab
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt
from mark_up import Block, Rows, blocks, pieces, shown, spans
from odf import style as odf_style
from odf import table as odf_table
from odf import text as odf_text
from odf.opendocument import OpenDocumentText
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from PIL import Image, ImageDraw, ImageFont
from pptx import Presentation
from pptx.util import Inches
from reportlab.lib import colors, pagesizes
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen import canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageBreak, PageTemplate, Paragraph, Spacer, Table
from reportlab.platypus.tables import TableStyle

MADE = datetime.datetime(2026, 1, 5, 8, 0)


# ---------------------------------------------------------------- docx, odt


def write_docx(
    path: Path,
    text: str,
    *,
    font: str = "Calibri",
    size: float = 11.0,
    header: str = "",
    footer: str = "",
    table_style: str = "Table Grid",
    author: str = "",
) -> None:
    document = docx.Document()
    normal: Any = document.styles["Normal"]
    normal.font.name, normal.font.size = font, Pt(size)
    section = document.sections[0]
    if header:
        section.header.paragraphs[0].text = header
    if footer:
        section.footer.paragraphs[0].text = footer
    properties = document.core_properties
    properties.author, properties.created, properties.modified = author, MADE, MADE
    notes: list[str] = []

    def fill(paragraph: Any, line: str) -> None:
        for kind, part in pieces(line):
            if kind != "note":
                paragraph.add_run(part).bold = kind == "bold" or None
                continue
            notes.append(part)
            run = paragraph.add_run()
            run.font.superscript = True
            reference = OxmlElement("w:footnoteReference")
            reference.set(qn("w:id"), str(len(notes)))
            run._r.append(reference)

    for one in blocks(text):
        if one.kind == "heading":
            document.add_heading(one.text, one.level)
        elif one.kind == "point":
            fill(document.add_paragraph(style="List Bullet" + ("" if one.level == 1 else f" {one.level}")), one.text)
        elif one.kind == "page":
            document.add_page_break()
        elif one.kind == "box":
            fill(document.add_paragraph(style="Intense Quote"), one.text)
        elif one.kind == "paragraph":
            fill(document.add_paragraph(), one.text)
        else:
            table = document.add_table(rows=len(one.rows), cols=len(one.rows[0]))
            table.style = table_style
            for top, left, bottom, right in spans(one.rows):
                table.cell(top, left).merge(table.cell(bottom, right))
            for r, row in enumerate(one.rows):
                for c, cell in enumerate(row):
                    if shown(cell):
                        fill(table.cell(r, c).paragraphs[0], cell)
            document.add_paragraph()
    if notes:
        name = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
        parts = [f'<w:footnotes xmlns:w="{name}">']
        for number, (kind, mark) in enumerate((("separator", "separator"), ("continuationSeparator",) * 2), -1):
            parts.append(f'<w:footnote w:type="{kind}" w:id="{number}"><w:p><w:r><w:{mark}/></w:r></w:p></w:footnote>')
        for number, note in enumerate(notes, 1):
            body = f'<w:r><w:footnoteRef/></w:r><w:r><w:t xml:space="preserve"> {html.escape(note)}</w:t></w:r>'
            parts.append(f'<w:footnote w:id="{number}"><w:p>{body}</w:p></w:footnote>')
        content = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>' + "".join(parts) + "</w:footnotes>"
        kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
        part = Part(PackURI("/word/footnotes.xml"), kind, content.encode(), document.part.package)
        relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
        document.part.relate_to(part, relation)
    document.save(str(path))


def write_odt(path: Path, text: str, *, font: str = "Liberation Serif") -> None:
    document = OpenDocumentText()
    for level in (1, 2, 3, 4):
        style = odf_style.Style(name=f"H{level}", family="paragraph")
        size = f"{20 - 2 * level}pt"
        style.addElement(odf_style.TextProperties(fontsize=size, fontweight="bold", fontfamily=font))
        document.styles.addElement(style)
    bold = odf_style.Style(name="Bold", family="text")
    bold.addElement(odf_style.TextProperties(fontweight="bold"))
    document.automaticstyles.addElement(bold)
    notes = 0

    def filled(element: Any, line: str) -> Any:
        nonlocal notes
        for kind, part in pieces(line):
            if kind == "plain":
                element.addText(part)
            elif kind == "bold":
                element.addElement(odf_text.Span(stylename=bold, text=part))
            else:
                notes += 1
                note = odf_text.Note(noteclass="footnote", id=f"ftn{notes}")
                note.addElement(odf_text.NoteCitation(text=str(notes)))
                body = odf_text.NoteBody()
                body.addElement(odf_text.P(text=part))
                note.addElement(body)
                element.addElement(note)
        return element

    open_lists: list[tuple[Any, Any]] = []  # per level: the list and its last item
    for number, one in enumerate(blocks(text)):
        if one.kind != "point":
            open_lists = []
        if one.kind == "heading":
            document.text.addElement(odf_text.H(outlinelevel=one.level, stylename=f"H{one.level}", text=one.text))
        elif one.kind == "point":
            del open_lists[one.level :]
            if len(open_lists) < one.level:
                points = odf_text.List()
                (open_lists[-1][1] if open_lists else document.text).addElement(points)
            else:
                points = open_lists.pop()[0]
            item = odf_text.ListItem()
            item.addElement(filled(odf_text.P(), one.text))
            points.addElement(item)
            open_lists.append((points, item))
        elif one.kind == "table":
            table = odf_table.Table(name=f"Table{number}")
            table.addElement(odf_table.TableColumn(numbercolumnsrepeated=len(one.rows[0])))
            for row in one.rows:
                line = odf_table.TableRow()
                for cell in row:
                    place = odf_table.TableCell(valuetype="string")
                    place.addElement(filled(odf_text.P(), shown(cell)))
                    line.addElement(place)
                table.addElement(line)
            document.text.addElement(table)
        elif one.kind != "page":
            document.text.addElement(filled(odf_text.P(), one.text))
    document.save(str(path))


# ---------------------------------------------------------------- html


def _html_line(line: str) -> str:
    tags = {"plain": "{}", "bold": "<b>{}</b>", "note": " <small>({})</small>"}
    return "".join(tags[kind].format(html.escape(part, quote=False)) for kind, part in pieces(line))


def write_html(
    path: Path,
    text: str,
    *,
    title: str = "",
    language: str = "en",
    before: str = "",
    after: str = "",
    charset: str = "utf-8",
) -> None:
    out, depth = [], 0
    for one in blocks(text):
        level = one.level if one.kind == "point" else 0
        out += ["<ul>"] * max(level - depth, 0) + ["</ul>"] * max(depth - level, 0)
        depth = level
        line = _html_line(one.text)
        if one.kind == "table":
            sizes = {(top, left): (down - top + 1, right - left + 1) for top, left, down, right in spans(one.rows)}
            out.append("<table>")
            for r, row in enumerate(one.rows):
                cells = []
                for c, cell in enumerate(row):
                    if cell in ("<", "^"):
                        continue
                    down, right = sizes.get((r, c), (1, 1))
                    more = (f' rowspan="{down}"' if down > 1 else "") + (f' colspan="{right}"' if right > 1 else "")
                    tag = "th" if r == 0 else "td"
                    cells.append(f"<{tag}{more}>{_html_line(cell)}</{tag}>")
                out.append("<tr>" + "".join(cells) + "</tr>")
            out.append("</table>")
        elif one.kind != "page":
            kinds = {"heading": f"h{one.level}", "point": "li", "box": "blockquote", "paragraph": "p"}
            out.append(f"<{kinds[one.kind]}>{line}</{kinds[one.kind]}>")
    out += ["</ul>"] * depth
    head = f'<meta charset="{charset}"><title>{html.escape(title or path.stem)}</title>'
    body = "\n".join([before, *out, after])
    page = f'<!DOCTYPE html>\n<html lang="{language}"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'
    path.write_bytes(page.encode(charset))


# ---------------------------------------------------------------- pdf


def write_pdf(
    path: Path,
    text: str,
    *,
    page: str = "A4",
    font: str = "Helvetica",
    size: float = 10.5,
    columns: int = 1,
    header: str = "",
    footer: str = "",
    margin: float = 56.0,
    chapter_on_new_page: bool = False,
    color: str = "#000000",
    page_label: str = "Page %d",
    grid: bool = True,
    lead: float = 1.35,
    title: str = "",
) -> None:
    paper = pagesizes.landscape(pagesizes.A4) if page == "landscape" else getattr(pagesizes, page)
    bold = {"Helvetica": "Helvetica-Bold", "Times-Roman": "Times-Bold", "Courier": "Courier-Bold"}[font]
    ink = colors.HexColor(color)
    base = ParagraphStyle("base", fontName=font, fontSize=size, leading=size * lead, spaceAfter=size * 0.5)
    small = ParagraphStyle("cell", parent=base, fontSize=size * 0.88, leading=size * 1.1, spaceAfter=0)
    gap = 16
    width = (paper[0] - 2 * margin - gap * (columns - 1)) / columns

    def marked(line: str) -> str:
        tags = {"plain": "{}", "bold": "<b>{}</b>", "note": f" <font size='{size * 0.8:.1f}'>({{}})</font>"}
        return "".join(tags[kind].format(html.escape(part, quote=False)) for kind, part in pieces(line))

    def heading(level: int) -> ParagraphStyle:
        points = size * {1: 1.7, 2: 1.3, 3: 1.1, 4: 1.0}[level]
        return ParagraphStyle(
            f"h{level}",
            parent=base,
            fontName=bold,
            fontSize=points,
            leading=points * 1.2,
            spaceBefore=size * 0.8,
            textColor=ink,
            keepWithNext=1,
        )

    def table(rows: Rows) -> Table:
        longest = [max(min(max(len(shown(row[c])) for row in rows), 45), 5) for c in range(len(rows[0]))]
        need = []
        for c in range(len(rows[0])):
            words = [word for row in rows for word in shown(row[c]).split()]
            need.append(max((stringWidth(word, bold, size * 0.88) for word in words), default=10) + 13)
        spare = max(0.0, width - sum(need))
        widths = [least + spare * share / sum(longest) for least, share in zip(need, longest, strict=True)]
        widths = [one * min(1.0, width / sum(widths)) for one in widths]
        cells = [[Paragraph(marked(shown(cell)), small) for cell in row] for row in rows]
        looks: list[Any] = [("VALIGN", (0, 0), (-1, -1), "TOP")]
        looks += [("SPAN", (left, top), (right, bottom)) for top, left, bottom, right in spans(rows)]
        if grid:
            looks.append(("GRID", (0, 0), (-1, -1), 0.4, colors.grey))
        else:
            looks.append(("LINEBELOW", (0, 0), (-1, 0), 0.8, ink))
        return Table(cells, colWidths=widths, repeatRows=1, style=TableStyle(looks))

    story: list[Flowable] = []
    for one in blocks(text):
        if one.kind == "heading":
            if chapter_on_new_page and one.level == 1 and story:
                story.append(PageBreak())
            story.append(Paragraph(marked(one.text), heading(one.level)))
        elif one.kind == "point":
            look = ParagraphStyle("point", parent=base, leftIndent=14 * one.level, bulletIndent=14 * one.level - 10)
            story.append(Paragraph(marked(one.text), look, bulletText="•" if one.level == 1 else "-"))
        elif one.kind == "page":
            story.append(PageBreak())
        elif one.kind == "table":
            story += [table(one.rows), Spacer(1, size * 0.8)]
        elif one.kind == "box":
            look = TableStyle([("BOX", (0, 0), (-1, -1), 0.7, ink)])
            story += [Table([[Paragraph(marked(one.text), small)]], colWidths=[width], style=look), Spacer(1, size)]
        else:
            story.append(Paragraph(marked(one.text), base))

    def decorate(sheet: Any, document: Any) -> None:
        sheet.setFont(font, 8)
        sheet.drawString(margin, paper[1] - margin * 0.6, header)
        sheet.drawString(margin, margin * 0.5, footer)
        if page_label:
            sheet.drawRightString(paper[0] - margin, margin * 0.5, page_label % document.page)

    frames = [
        Frame(margin + i * (width + gap), margin, width, paper[1] - 2 * margin, 0, 0, 0, 0) for i in range(columns)
    ]
    document = BaseDocTemplate(str(path), pagesize=paper, title=title, invariant=1)
    document.addPageTemplates([PageTemplate(id="page", frames=frames, onPage=decorate)])
    document.build(story)


def write_picture_pdf(
    path: Path, text: str, *, size: int = 11, tilt: float = 0.6, specks: int = 150, seed: int = 1
) -> None:
    """A scan: the lines of a page are drawn and stored as a picture, without a text layer."""
    fonts = Path(reportlab.__file__).parent / "fonts"
    luck = random.Random(seed)
    dpi = 150
    points = int(size * dpi / 72)
    plain = ImageFont.truetype(str(fonts / "Vera.ttf"), points)
    big = ImageFont.truetype(str(fonts / "VeraBd.ttf"), int(points * 1.3))
    width, height, edge = int(8.27 * dpi), int(11.69 * dpi), int(dpi * 0.8)
    picture = Image.new("L", (width, height), 255)
    draw, y = ImageDraw.Draw(picture), edge
    for number, line in enumerate(text.strip("\n").splitlines()):
        face = big if number == 0 else plain
        if draw.textlength(line, font=face) > width - 2 * edge:
            raise ValueError(f"too long for the page: {line}")
        draw.text((edge, y), line, font=face, fill=20)
        y += int((2.1 if face is big else 1.5) * points)
    picture = picture.rotate(tilt, resample=Image.Resampling.BICUBIC, fillcolor=255)
    draw = ImageDraw.Draw(picture)
    for _ in range(specks):
        x, y = luck.randrange(width), luck.randrange(height)
        draw.ellipse((x, y, x + luck.randrange(1, 4), y + luck.randrange(1, 4)), fill=150)
    stored = io.BytesIO()
    picture.save(stored, "JPEG", quality=60)
    stored.seek(0)
    sheet = canvas.Canvas(str(path), pagesize=pagesizes.A4, invariant=1)
    sheet.drawImage(ImageReader(stored), 0, 0, *pagesizes.A4)
    sheet.showPage()
    sheet.save()


# ---------------------------------------------------------------- pptx, xlsx, csv, eml


def write_pptx(path: Path, text: str) -> None:
    """Slides: each `# ` starts one, points and paragraphs are its lines, a table its table, `> ` lines its notes."""
    deck = Presentation()
    slides: list[list[Block]] = []
    for one in blocks(text):
        if one.kind == "heading":
            slides.append([])
        slides[-1].append(one)
    for number, (head, *rest) in enumerate(slides):
        tables = [one for one in rest if one.kind == "table"]
        lines = [one for one in rest if one.kind in ("paragraph", "point")]
        slide = deck.slides.add_slide(deck.slide_layouts[5 if tables else 0 if number == 0 else 1])
        slide.shapes.title.text = head.text
        if tables:
            rows = tables[0].rows
            size = (Inches(0.6), Inches(1.7), Inches(8.8), Inches(0.4 * len(rows)))
            grid = slide.shapes.add_table(len(rows), len(rows[0]), *size).table
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    grid.cell(r, c).text = shown(cell)
            for top, left, bottom, right in spans(rows):
                grid.cell(top, left).merge(grid.cell(bottom, right))
            frame = slide.shapes.add_textbox(Inches(0.6), Inches(6.2), Inches(8.8), Inches(0.9)).text_frame
        else:
            frame = slide.placeholders[1].text_frame
        for place, one in enumerate(lines):
            paragraph = frame.paragraphs[0] if place == 0 else frame.add_paragraph()
            paragraph.level, paragraph.text = max(one.level - 1, 0), one.text
        notes = "\n".join(one.text for one in rest if one.kind == "box")
        if notes:
            slide.notes_slide.notes_text_frame.text = notes
    deck.save(str(path))


@dataclass
class Sheet:
    name: str
    rows: list[list[Any]]
    head: int = 1  # the last row of the head, counted from 1
    merged: tuple[str, ...] = ()
    formats: dict[str, str] = field(default_factory=dict)  # column letter: number format
    remarks: dict[str, str] = field(default_factory=dict)  # cell: comment


def write_xlsx(path: Path, sheets: Sequence[Sheet]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for one in sheets:
        sheet = book.create_sheet(one.name)
        for row in one.rows:
            sheet.append(row)
        for r in range(1, one.head + 1):
            for cell in sheet[r]:
                cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True)
        for column, shape in one.formats.items():
            for cell in sheet[column][one.head :]:
                cell.number_format = shape
        for place, remark in one.remarks.items():
            sheet[place].comment = Comment(remark, "office")
        for c in range(1, sheet.max_column + 1):
            longest = max((len(str(row[c - 1] or "")) for row in one.rows[one.head - 1 :] if len(row) >= c), default=8)
            sheet.column_dimensions[get_column_letter(c)].width = min(longest + 2, 40)
        for area in one.merged:
            sheet.merge_cells(area)
        sheet.freeze_panes = sheet.cell(row=one.head + 1, column=1)
    book.properties.created = book.properties.modified = MADE
    book.save(path)


def write_eml(path: Path, text: str, *, with_html: bool = False) -> None:
    """A mail from head lines (`From:`, `To:`, `Subject:`, `Date:` ...), an empty line and the body."""
    head, body = text.lstrip("\n").split("\n\n", 1)
    message = email.message.EmailMessage()
    for line in head.splitlines():
        name, value = line.split(": ", 1)
        message[name] = value
    message["Message-ID"] = f"<{random.Random(path.name).getrandbits(48):x}@mail.example>"
    message.set_content(body)
    if with_html:
        lines = "".join(f"<p>{html.escape(line)}</p>" for line in body.splitlines())
        message.add_alternative(f"<html><body>{lines}</body></html>", subtype="html")
        message.set_boundary("=_office_mail_=")
    path.write_bytes(message.as_bytes())
