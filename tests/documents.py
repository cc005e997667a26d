"""Writers of good documents, one a format, small and by hand: what tests read must not come from what they test.

Each takes the path to write and returns it. ``write_all(folder)`` writes one of each kind; every one of them holds
the sentence ``FACT`` and the non-ASCII ``WORD``.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Sequence
from email.message import EmailMessage
from html import escape
from pathlib import Path

FACT = "The lighthouse of Westkapelle was built in 1837."
WORD = "Café"

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument"


def write_all(folder: Path) -> list[Path]:
    """One good document of each kind."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_text(folder / "notes.txt", f"{FACT}\n\nThe {WORD} beside it opens at nine.\n"),
        write_text(folder / "guide.md", f"# The tower\n\n{FACT}\n\n## {WORD}\n\nIt opens at *nine*.\n"),
        write_text(folder / "paper.rst", f"The tower\n=========\n\n{FACT}\n\n{WORD}\n----\n\nOpens at nine.\n"),
        write_html(folder / "page.html", "The tower", [FACT, f"The {WORD} opens at nine."]),
        write_pdf(folder / "report.pdf", [[FACT, "It has seven floors."], [f"The {WORD} opens at nine."]]),
        write_docx(folder / "letter.docx", "The tower", [FACT, f"The {WORD} & bar opens at nine."]),
        write_pptx(folder / "talk.pptx", [("The tower", FACT), (WORD, "It opens at nine.")]),
        write_xlsx(folder / "towers.xlsx", [["Name", "Remark"], ["Westkapelle", FACT], [WORD, "9"]]),
        write_odt(folder / "letter.odt", "The tower", [FACT, f"The {WORD} & bar opens at nine."]),
        write_rtf(folder / "letter.rtf", [FACT, f"The {WORD} opens at nine."]),
        write_csv(folder / "towers.csv", [["Name", "Remark"], ["Westkapelle", FACT], [WORD, "9"]]),
        write_json(folder / "towers.json", [{"name": "Westkapelle", "remark": FACT}, {"name": WORD, "opens": 9}]),
        write_jsonl(folder / "towers.jsonl", [{"name": "Westkapelle", "remark": FACT}, {"name": WORD, "opens": 9}]),
        write_epub(folder / "book.epub", "The tower", [("One", FACT), (WORD, "It opens at nine.")]),
        write_eml(folder / "mail.eml", "The tower", f"{FACT}\n\nMeet me in the {WORD}.\n"),
        write_text(folder / "tower.py", f'FACT = "{FACT}"  # {WORD}\n'),
    ]


def write_text(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def write_html(path: Path, title: str, paragraphs: Sequence[str]) -> Path:
    body = "\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>p {{ color: red }}</style>'
    page = f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body><h1>{escape(title)}</h1>\n{body}</body></html>\n'
    return write_text(path, page)


def write_csv(path: Path, rows: Sequence[Sequence[str]], delimiter: str = ",") -> Path:
    return write_text(path, "".join(delimiter.join(f'"{cell}"' for cell in row) + "\r\n" for row in rows))


def write_json(path: Path, value: object) -> Path:
    return write_text(path, json.dumps(value))


def write_jsonl(path: Path, values: Sequence[object]) -> Path:
    return write_text(path, "".join(json.dumps(value) + "\n" for value in values))


def write_eml(path: Path, subject: str, body: str) -> Path:
    mail = EmailMessage()
    mail["From"] = "Ann <ann@example.org>"
    mail["To"] = "bob@example.org"
    mail["Date"] = "Mon, 01 Jan 2024 10:00:00 +0000"
    mail["Subject"] = subject
    mail.set_content(body)
    mail.add_alternative(f"<p>{escape(body)}</p>", subtype="html")
    path.write_bytes(bytes(mail))
    return path


def write_rtf(path: Path, paragraphs: Sequence[str]) -> Path:
    def escaped(text: str) -> str:
        return "".join(sign if sign.isascii() else f"\\u{ord(sign)}?" for sign in text)

    body = "\\par ".join(escaped(paragraph) for paragraph in paragraphs)
    return write_text(path, "{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}}\\f0 " + body + "\\par}")


# -- PDF ----------------------------------------------------------------------------------------------


def write_pdf(path: Path, pages: Sequence[Sequence[str]], title: str = "", size: tuple[int, int] = (612, 792)) -> Path:
    """A PDF whose pages hold the given lines, in Helvetica of 12 points, the first 72 points from the top left."""
    path.write_bytes(pdf_bytes([page_stream(lines, size[1]) for lines in pages], title=title, size=size))
    return path


def page_stream(lines: Sequence[str], height: int = 792) -> bytes:
    shown = b" ".join(b"(" + _pdf_string(line) + b") Tj T*" for line in lines)
    return b"BT /F1 12 Tf 72 %d Td 14 TL " % (height - 72) + shown + b" ET"


def pdf_bytes(
    streams: Sequence[bytes],
    *,
    title: str = "",
    size: tuple[int, int] = (612, 792),
    resources: bytes = b"",
    fonts: bytes = b"",
    page: bytes = b"",
    objects: Sequence[bytes] = (),
    trailer: bytes = b"",
) -> bytes:
    """A PDF of pages with these content streams. ``objects`` are appended; their numbers begin with
    ``5 + 2 * len(streams)``, and ``resources``, ``fonts`` (beside F1), ``page`` (more keys, for each) and
    ``trailer`` may point to them."""
    count = len(streams)
    kids = b" ".join(b"%d 0 R" % (5 + 2 * index) for index in range(count))
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [" + kids + b"] /Count %d >>" % count,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Title (" + _pdf_string(title) + b") >>",
    ]
    for index, stream in enumerate(streams):
        bodies.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Resources << /Font << /F1 3 0 R %s >> %s >>"
            b" /Contents %d 0 R %s >>" % (*size, fonts, resources, 6 + 2 * index, page)
        )
        bodies.append(b"<< /Length %d >>\nstream\n" % len(stream) + stream + b"\nendstream")
    bodies.extend(objects)
    pieces = [b"%PDF-1.4\n"]
    offset = len(pieces[0])
    table = [b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)]
    for number, body in enumerate(bodies, 1):
        piece = b"%d 0 obj\n" % number + body + b"\nendobj\n"
        table.append(b"%010d 00000 n \n" % offset)
        pieces.append(piece)
        offset += len(piece)
    end = b"trailer << /Size %d /Root 1 0 R /Info 4 0 R %s >>\nstartxref\n%d\n%%%%EOF\n"
    return b"".join(pieces + table) + end % (len(bodies) + 1, trailer, offset)


def _pdf_string(text: str) -> bytes:
    plain = text.encode("cp1252")
    return plain.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def write_picture_pdf(path: Path, pages: int) -> Path:
    """A PDF whose pages are pictures: what a scanner makes. No text."""
    picture = bytes(range(256)) * 4
    number = 5 + 2 * pages
    image = (
        b"<< /Type /XObject /Subtype /Image /Width 32 /Height 32 /ColorSpace /DeviceGray /BitsPerComponent 8"
        b" /Length %d >>\nstream\n" % len(picture) + picture + b"\nendstream"
    )
    shown = b"q 400 0 0 400 100 200 cm /Im1 Do Q"
    path.write_bytes(pdf_bytes([shown] * pages, resources=b"/XObject << /Im1 %d 0 R >>" % number, objects=[image]))
    return path


def write_scanned_pdf(path: Path, pages: Sequence[Sequence[str]], text_after: Sequence[str] = ()) -> Path:
    """The pages of a PDF as pictures, as of a scanner; ``text_after`` is a last page with text."""
    import pypdfium2

    drawn = pypdfium2.PdfDocument(pdf_bytes([page_stream(lines) for lines in pages]))
    count = len(pages) + bool(text_after)
    images, streams, names = [], [], []
    for index in range(len(pages)):
        pixels = drawn[index].render(scale=2).to_numpy()
        packed = zlib.compress(pixels.mean(axis=2).astype("uint8").tobytes())
        height, width = pixels.shape[:2]
        images.append(
            b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8"
            b" /Filter /FlateDecode /Length %d >>\nstream\n" % (width, height, len(packed)) + packed + b"\nendstream"
        )
        streams.append(b"q 612 0 0 792 0 0 cm /Im%d Do Q" % index)
        names.append(b"/Im%d %d 0 R" % (index, 5 + 2 * count + index))
    drawn.close()
    if text_after:
        streams.append(page_stream(text_after))
    resources = b"/XObject << " + b" ".join(names) + b" >>"
    path.write_bytes(pdf_bytes(streams, resources=resources, objects=images))
    return path


def write_pdf_with_password(path: Path, lines: Sequence[str], password: str) -> Path:
    """A page of text, encrypted with 40-bit RC4 (ISO 32000-1, 7.6.2 to 7.6.4, revision 2)."""
    padding = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
    padded = (password.encode() + padding)[:32]
    owner = _rc4(hashlib.md5(padded).digest()[:5], padded)
    identity = bytes.fromhex("00112233")
    key = hashlib.md5(padded + owner + (-4 & 0xFFFFFFFF).to_bytes(4, "little") + identity).digest()[:5]
    stream_key = hashlib.md5(key + (6).to_bytes(3, "little") + bytes(2)).digest()[:10]  # of object 6
    lock = b"<< /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P -4 >>" % (
        owner.hex().encode(), _rc4(key, padding).hex().encode(),
    )  # fmt: skip
    trailer = b"/Encrypt 7 0 R /ID [<00112233> <00112233>]"
    path.write_bytes(pdf_bytes([_rc4(stream_key, page_stream(lines))], objects=[lock], trailer=trailer))
    return path


def _rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def write_docx_with_password(path: Path, title: str, paragraphs: Sequence[str], password: str) -> Path:
    """A Word document that is encrypted as Word does it."""
    import msoffcrypto

    write_docx(path, title, paragraphs)
    noise = hashlib.shake_256(b"noise").hexdigest(20_000)  # the writer spoils packages below 4,096 bytes
    add_part(path, "custom/noise.xml", f"<noise>{noise}</noise>")
    plain = io.BytesIO(path.read_bytes())
    with path.open("wb") as file:
        msoffcrypto.OfficeFile(plain).encrypt(password, file)
    return path


def write_locked_pdf(path: Path) -> Path:
    """A PDF encrypted with a password that nobody knows."""
    key = b"<" + b"5a" * 32 + b">"
    lock = b"<< /Filter /Standard /V 1 /R 2 /O " + key + b" /U " + key + b" /P -4 >>"
    path.write_bytes(
        pdf_bytes([page_stream([FACT])], objects=[lock], trailer=b"/Encrypt 7 0 R /ID [<00112233> <00112233>]")
    )
    return path


def unmapped_font(first: int) -> list[bytes]:
    """A font of numbered shapes (objects ``first`` and the two after it): which letters they are it does not say."""
    return [
        b"<< /Type /Font /Subtype /Type0 /BaseFont /ABCDEF+Foo /Encoding /Identity-H /DescendantFonts [%d 0 R] >>"
        % (first + 1),
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /ABCDEF+Foo /FontDescriptor %d 0 R /DW 600 /CIDSystemInfo"
        b" << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>" % (first + 2),
        b"<< /Type /FontDescriptor /FontName /ABCDEF+Foo /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 800"
        b" /Descent -200 /CapHeight 700 /StemV 80 >>",
    ]


def in_unmapped_font(text: str, shift: int = 29) -> bytes:
    return b"BT /F2 12 Tf 72 600 Td <" + b"".join(b"%04x" % (ord(sign) - shift) for sign in text) + b"> Tj ET"


def write_unmapped_pdf(path: Path) -> Path:
    """A PDF all of whose text is in such a font."""
    path.write_bytes(pdf_bytes([in_unmapped_font(FACT * 3)], fonts=b"/F2 7 0 R", objects=unmapped_font(7)))
    return path


# -- formats that are ZIP archives of XML -------------------------------------------------------------


def write_docx(path: Path, title: str, paragraphs: Sequence[str]) -> Path:
    body = f'<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr>{_run(title)}</w:p>'
    body += "".join(f"<w:p>{_run(paragraph)}</w:p>" for paragraph in paragraphs)
    return write_docx_body(path, body)


def write_docx_body(path: Path, body: str, prologue: str = "") -> Path:
    """A docx with this WordprocessingML inside ``w:body``; ``prologue`` stands before the root element."""
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    return write_package(
        path,
        "word/document.xml",
        f"{_TYPES}.wordprocessingml.document.main+xml",
        {"word/document.xml": f"{prologue}<w:document {space}><w:body>{body}</w:body></w:document>"},
    )


def _run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def write_pptx(path: Path, slides: Sequence[tuple[str, str]]) -> Path:
    """A presentation; each slide has a title and a body."""
    spaces = (
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
        f'xmlns:r="{OFFICE}"'
    )
    ids = "".join(f'<p:sldId id="{256 + n}" r:id="rId{n}"/>' for n in range(1, len(slides) + 1))
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/slide" Target="slides/slide{n}.xml"/>'
        for n in range(1, len(slides) + 1)
    )
    parts = {
        "ppt/presentation.xml": f"<p:presentation {spaces}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": f'<Relationships xmlns="{_RELATIONS}">{relations}</Relationships>',
    }
    for n, (title, body) in enumerate(slides, 1):
        shapes = "".join(_shape(number, kind, text) for number, kind, text in ((2, "title", title), (3, "body", body)))
        group = '<p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>'
        parts[f"ppt/slides/slide{n}.xml"] = (
            f"<p:sld {spaces}><p:cSld><p:spTree>{group}{shapes}</p:spTree></p:cSld></p:sld>"
        )
    return write_package(path, "ppt/presentation.xml", f"{_TYPES}.presentationml.presentation.main+xml", parts)


def _shape(number: int, kind: str, text: str) -> str:
    if not text:
        return ""
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="{number}" name="{kind}"/><p:cNvSpPr/><p:nvPr><p:ph type="{kind}"/></p:nvPr>'
        f"</p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/><a:p><a:r><a:t>{escape(text)}</a:t></a:r></a:p></p:txBody></p:sp>"
    )


def write_xlsx(path: Path, rows: Sequence[Sequence[str]], sheet: str = "Towers") -> Path:
    """A workbook of one sheet; cells that look like numbers are numbers."""
    body = "".join(
        f'<row r="{r}">' + "".join(_cell(r, c, value) for c, value in enumerate(row)) + "</row>"
        for r, row in enumerate(rows, 1)
    )
    return write_xlsx_sheet(path, f"<sheetData>{body}</sheetData>", sheet)


def write_xlsx_sheet(path: Path, inner: str, sheet: str = "Towers") -> Path:
    """A workbook of one sheet with this SpreadsheetML inside ``worksheet``."""
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    parts = {
        "xl/workbook.xml": f'<workbook {space} xmlns:r="{OFFICE}"><sheets>'
        f'<sheet name="{escape(sheet)}" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" '
        f'Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"<worksheet {space}>{inner}</worksheet>",
    }
    return write_package(path, "xl/workbook.xml", f"{_TYPES}.spreadsheetml.sheet.main+xml", parts)


def _cell(row: int, column: int, value: str) -> str:
    place = f"{chr(ord('A') + column)}{row}"
    if value.replace(".", "", 1).isdigit():
        return f'<c r="{place}"><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def write_package(path: Path, main: str, content_type: str, parts: dict[str, str]) -> Path:
    """An Office package (OPC): the parts, and what leads to the ``main`` one."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'{_XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/{main}" ContentType="{content_type}"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'{_XML}<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" '
            f'Type="{OFFICE}/officeDocument" Target="{main}"/></Relationships>',
        )
        for name, xml in parts.items():
            archive.writestr(name, _XML + xml)
    return path


def add_part(path: Path, name: str, xml: str) -> None:
    """Put a part into a document that is a ZIP archive; its prefixes need no declaration (``with_prefixes``)."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, _XML + with_prefixes(xml))


def relate(path: Path, part: str, **targets: str) -> None:
    """Let a part of an Office package point to others: ``relate(path, "word/document.xml", chart="charts/c.xml")``. The
    relation's id is its type, with a number when there are several."""
    folder, _, file = part.rpartition("/")
    relations = "".join(
        f'<Relationship Id="{type}" Type="{OFFICE}/{type.rstrip("0123456789")}" Target="{target}"/>'
        for type, target in targets.items()
    )
    add_part(path, f"{folder}/_rels/{file}.rels", f'<Relationships xmlns="{_RELATIONS}">{relations}</Relationships>')


def with_prefixes(xml: str) -> str:
    """The XML with its prefixes declared on the root element, each for a namespace that ends in its name."""
    prefixes = sorted(set(re.findall(r"(?<=[<\s/])(\w+):[\w-]+(?=[\s=>/])", xml)) - {"xml", "xmlns"})
    spaces = {"r": OFFICE}
    declared = "".join(
        f' xmlns:{prefix}="{spaces.get(prefix, f"urn:{prefix}")}"'
        for prefix in prefixes
        if f"xmlns:{prefix}=" not in xml
    )
    return re.sub(r"^<([\w:-]+)", lambda found: found.group() + declared, xml, count=1)


def chart_xml(title: str, categories: Sequence[str], series: dict[str, Sequence[str]]) -> str:
    """A bar chart as Office writes it: each series with its own copy of the categories."""

    def points(texts: Sequence[str], cache: str) -> str:
        inner = "".join(f'<c:pt idx="{n}"><c:v>{escape(text)}</c:v></c:pt>' for n, text in enumerate(texts))
        return f'<c:f>Sheet1!$A$2</c:f><c:{cache}><c:ptCount val="{len(texts)}"/>{inner}</c:{cache}>'

    drawn = "".join(
        f"<c:ser><c:tx><c:strRef>{points([name], 'strCache')}</c:strRef></c:tx>"
        f"<c:cat><c:strRef>{points(categories, 'strCache')}</c:strRef></c:cat>"
        f"<c:val><c:numRef>{points(values, 'numCache')}</c:numRef></c:val></c:ser>"
        for name, values in series.items()
    )
    titled = f"<c:title><c:tx><c:rich><a:p><a:r><a:t>{escape(title)}</a:t></a:r></a:p></c:rich></c:tx></c:title>"
    return (
        f"<c:chartSpace><c:chart>{titled}<c:plotArea><c:barChart>{drawn}</c:barChart></c:plotArea>"
        "</c:chart></c:chartSpace>"
    )


def diagram_xml(points: dict[str, str], below: Sequence[tuple[str, str]]) -> str:
    """The data of a SmartArt: the text of each point by its id, and which stands below which ("" is the document)."""
    listed = '<dgm:pt modelId="" type="doc"/>' + "".join(
        f'<dgm:pt modelId="{id}"><dgm:t><a:p><a:r><a:t>{escape(text)}</a:t></a:r></a:p></dgm:t></dgm:pt>'
        for id, text in points.items()
    )
    lines = "".join(
        f'<dgm:cxn modelId="c{n}" srcId="{upper}" destId="{lower}" srcOrd="{n}"/>'
        for n, (upper, lower) in enumerate(below)
    )
    return f"<dgm:dataModel><dgm:ptLst>{listed}</dgm:ptLst><dgm:cxnLst>{lines}</dgm:cxnLst></dgm:dataModel>"


def write_odt(path: Path, title: str, paragraphs: Sequence[str]) -> Path:
    body = f'<text:h text:outline-level="1">{escape(title)}</text:h>'
    return write_odt_body(path, body + "".join(f"<text:p>{escape(paragraph)}</text:p>" for paragraph in paragraphs))


def write_odt_body(path: Path, body: str) -> Path:
    """An OpenDocument text with this inside ``office:text``."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text", zipfile.ZIP_STORED)
    content = f"<office:body><office:text>{body}</office:text></office:body>"
    add_part(path, "content.xml", f"<office:document-content>{content}</office:document-content>")
    return path


def write_locked_odt(path: Path) -> Path:
    write_odt(path, "Locked", [FACT])
    entry = "<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>"
    add_part(path, "META-INF/manifest.xml", f"<manifest:manifest>{entry}</manifest:manifest>")
    return path


def write_epub(path: Path, title: str, chapters: Sequence[tuple[str, str]]) -> Path:
    """A book of chapters, each with a heading and a paragraph."""
    items = "".join(
        f'<item id="c{n}" href="text/c{n}.xhtml" media-type="application/xhtml+xml"/>' for n in range(len(chapters))
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr(
            "META-INF/container.xml",
            '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
            '<rootfiles><rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/>'
            "</rootfiles></container>",
        )
        archive.writestr(
            "OEBPS/content.opf",
            '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">'
            '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">1</dc:identifier>'
            f"<dc:title>{escape(title)}</dc:title><dc:creator>Ann</dc:creator><dc:language>en</dc:language></metadata>"
            f"<manifest>{items}</manifest><spine>{spine}</spine></package>",
        )
        for n, (heading, text) in enumerate(chapters):
            archive.writestr(
                f"OEBPS/text/c{n}.xhtml",
                '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head>'
                f"<body><h1>{escape(heading)}</h1><p>{escape(text)}</p></body></html>",
            )
    return path
