"""Word, PowerPoint and Excel documents, OpenDocument and rich text, and the archives that they are."""

from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from tests import documents
from tests.documents import add_part
from workbench.base.errors import UserError
from workbench.reading.archive import Archive, part_name
from workbench.reading.rtf import read_rtf
from workbench.reading.sheets import read_xlsx
from workbench.reading.slides import read_pptx
from workbench.reading.table import decimals_of_format, kind_of_format, shown_number
from workbench.reading.word import read_docx
from workbench.text.cells import number_of

CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The title</dc:title><dc:creator>Ann</dc:creator>'
    "<dc:language>de</dc:language></cp:coreProperties>"
)


def docx_text(tmp_path: Path, body: str) -> str:
    return read_docx(documents.write_docx_body(tmp_path / "a.docx", body).read_bytes()).text


def paragraph(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def test_docx_keeps_headings_lists_and_signs(tmp_path: Path) -> None:
    item = '<w:numPr><w:ilvl w:val="0"/></w:numPr>'
    body = paragraph("R&amp;D &lt;2024&gt;", '<w:pStyle w:val="Heading2"/>') + paragraph("AT&amp;T &#8364;5.")
    body += paragraph("one", item) + paragraph("two", item) + paragraph("  ") + paragraph("after")
    assert docx_text(tmp_path, body) == "## R&D <2024>\n\nAT&T €5.\n\n- one\n- two\n\nafter"


def test_docx_joins_the_runs_of_a_paragraph(tmp_path: Path) -> None:
    body = "<w:p><w:r><w:t>un</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>believ</w:t></w:r><w:r><w:t>able</w:t><w:tab/>"
    body += "<w:t>x</w:t><w:br/><w:t>y</w:t></w:r></w:p>"
    assert docx_text(tmp_path, body) == "unbelievable\tx\ny"


def test_docx_tab_stops_are_no_tabs(tmp_path: Path) -> None:
    assert docx_text(tmp_path, paragraph("x", '<w:tabs><w:tab w:val="left" w:pos="720"/></w:tabs>')) == "x"


def test_docx_tables(tmp_path: Path) -> None:
    def table(*rows: str) -> str:
        return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in rows) + "</w:tbl>"

    def cell(inner: str) -> str:
        return f"<w:tc>{inner}</w:tc>"

    inner = table(cell(paragraph("in")) + cell(paragraph("ner")))
    rows = [cell(paragraph("a") + paragraph("b")) + cell(paragraph("c")), cell("") + cell(inner), cell("") + cell("")]
    assert docx_text(tmp_path, paragraph("x") + table(*rows) + paragraph("y")) == "x\n\na b | c\nin | ner\n\ny"


def test_docx_leaves_out_what_was_deleted_and_second_forms(tmp_path: Path) -> None:
    body = "<w:p><w:r><w:t>kept</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
    body += "<w:moveFrom><w:r><w:t>away</w:t></w:r></w:moveFrom><w:ins><w:r><w:t> new</w:t></w:r></w:ins>"
    body += '<w:r><w:instrText>PAGE</w:instrText></w:r><mc:AlternateContent xmlns:mc="urn:mc"><mc:Choice><w:r>'
    body += "<w:t> once</w:t></w:r></mc:Choice><mc:Fallback><w:r><w:t> twice</w:t></w:r></mc:Fallback>"
    body += "</mc:AlternateContent></w:p>"
    assert docx_text(tmp_path, body) == "kept new once"


def test_docx_text_box_stands_after_its_paragraph(tmp_path: Path) -> None:
    box = f"<w:txbxContent>{paragraph('in the box')}</w:txbxContent>"
    assert docx_text(tmp_path, f"<w:p><w:r><w:t>around</w:t>{box}<w:t> it</w:t></w:r></w:p>{paragraph('next')}") == (
        "around it\n\nText box: in the box\n\nnext"
    )


def test_docx_styles_notes_and_properties(tmp_path: Path) -> None:
    path = documents.write_docx_body(tmp_path / "a.docx", paragraph("Kopf", '<w:pStyle w:val="berschrift1"/>'))
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relations = "".join(
        f'<Relationship Id="r{name}" Type="{office}/{name}" Target="{name}.xml"/>' for name in ("styles", "footnotes")
    )
    add_part(path, "word/_rels/document.xml.rels", f"<Relationships>{relations}</Relationships>")
    style = '<w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>'
    add_part(path, "word/styles.xml", f"<w:styles {space}>{style}</w:styles>")
    notes = f"<w:footnotes {space}><w:footnote>{paragraph('A note.')}</w:footnote></w:footnotes>"
    add_part(path, "word/footnotes.xml", notes)
    read = read_docx(path.read_bytes())
    assert read.text == "# Kopf\n\n## Notes\n\nFootnote: A note."
    assert read.title == "Kopf"


def test_docx_says_what_it_is(tmp_path: Path) -> None:
    core = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "_rels/.rels",
            f'<Relationships><Relationship Id="a" Type="{core}" Target="docProps/core.xml"/>'
            f'<Relationship Id="b" Type="{office}/officeDocument" Target="/word/other.xml"/></Relationships>',
        )
        archive.writestr("docProps/core.xml", CORE)
        archive.writestr("word/other.xml", "<document><body><p><r><t>Strict.</t></r></p></body></document>")
    read = read_docx(path.read_bytes())
    assert (read.text, read.title, read.language, read.metadata) == ("Strict.", "The title", "de", {"author": "Ann"})


def test_pptx_slides_are_pages(tmp_path: Path) -> None:
    path = documents.write_pptx(tmp_path / "a.pptx", [("R&D", "One."), ("", "Two."), ("Three", "")])
    read = read_pptx(path.read_bytes())
    assert read.text == "# R&D\n\nOne.\n\nTwo.\n\n# Three"
    assert [read.text[start:][:5] for start in read.page_starts] == ["# R&D", "Two.\n", "# Thr"]
    assert read.title == "R&D"


def test_pptx_follows_the_order_of_the_presentation(tmp_path: Path) -> None:
    path = documents.write_pptx(tmp_path / "a.pptx", [("One", ""), ("Two", "")])
    swapped = tmp_path / "b.pptx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(swapped, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "ppt/presentation.xml":
                data = data.replace(b"rId1", b"rId9").replace(b"rId2", b"rId1").replace(b"rId9", b"rId2")
            new.writestr(name, data)
    assert read_pptx(swapped.read_bytes()).text == "# Two\n\n# One"


def test_pptx_tables_and_notes(tmp_path: Path) -> None:
    path = documents.write_pptx(tmp_path / "a.pptx", [("One", "Body")])
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    add_part(
        path,
        "ppt/slides/_rels/slide1.xml.rels",
        f'<Relationships><Relationship Id="n" Type="{office}/notesSlide" Target="../notesSlides/n1.xml"/>'
        "</Relationships>",
    )
    cells = "".join(f"<tc><txBody><p><r><t>{text}</t></r></p></txBody></tc>" for text in ("a", "b"))
    shapes = f"<graphicFrame><tbl><tr>{cells}</tr></tbl></graphicFrame>"
    shapes += '<sp><ph type="sldNum"/><p><r><t>7</t></r></p></sp><sp><ph/><p><r><t>Say hello.</t></r></p></sp>'
    add_part(path, "ppt/notesSlides/n1.xml", f"<notes>{shapes}</notes>")
    assert read_pptx(path.read_bytes()).text == "# One\n\nBody\n\n## Notes\n\na | b\n\nSay hello."


def test_xlsx_rows_name_their_columns(tmp_path: Path) -> None:
    rows = [["Name", "Height"], ["Westkapelle", "52"], ["R&D <x>", ""], ["Zeeland", "0.25"]]
    read = read_xlsx(documents.write_xlsx(tmp_path / "a.xlsx", rows, "Towers & more").read_bytes())
    assert read.text == (
        "# Towers & more\n\nName: Westkapelle | Height: 52\nName: R&D <x>\nName: Zeeland | Height: 0.25"
    )


def test_xlsx_kinds_of_cells(tmp_path: Path) -> None:
    cells = '<c r="A1" t="b"><v>1</v></c><c r="C1" t="e"><v>#N/A</v></c><c t="str"><f>1</f><v>made</v></c>'
    cells += '<c r="F1" t="d"><v>2024-01-01</v></c><c r="G1"><v>0.10000000000000001</v></c><c r="H1"/>'
    cells += '<c r="I1" t="s"><v>99</v></c><c r="J1"><v>x</v></c>'
    path = documents.write_xlsx_sheet(tmp_path / "a.xlsx", f"<sheetData><row>{cells}</row></sheetData>")
    assert read_xlsx(path.read_bytes()).text == "# Towers\n\nTRUE | #N/A | made | 2024-01-01 | 0.1 | x"


def test_xlsx_shared_strings_styles_and_epoch(tmp_path: Path) -> None:
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relations = "".join(
        f'<Relationship Id="{n}" Type="{office}/{kind}" Target="{target}"/>'
        for n, kind, target in (("w", "worksheet", "s.xml"), ("t", "sharedStrings", "t.xml"), ("y", "styles", "y.xml"))
    )
    parts = {
        "xl/workbook.xml": f'<workbook xmlns:r="{office}"><workbookPr date1904="1"/><sheets>'
        '<sheet name="S" r:id="w"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships>{relations}</Relationships>",
        "xl/t.xml": "<sst><si><r><t>Tok</t></r><r><t>yo</t></r><rPh><t>TOKYO</t></rPh></si><si><t>b</t></si></sst>",
        "xl/y.xml": '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="0.0%"/></numFmts><cellStyleXfs>'
        '<xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/>'
        "</cellXfs></styleSheet>",
        "xl/s.xml": '<worksheet><sheetData><row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row><row>'
        '<c s="1"><v>1</v></c><c s="2"><v>0.255</v></c></row></sheetData></worksheet>',
    }
    path = documents.write_package(tmp_path / "a.xlsx", "xl/workbook.xml", "x", parts)
    assert read_xlsx(path.read_bytes()).text == "# S\n\nTokyo: 1904-01-02 | b: 25.5%"


def test_xlsx_numbers_have_the_decimals_of_their_format_and_all_of_their_own(tmp_path: Path) -> None:
    cells = "".join(
        f'<c s="{style}"><v>{value}</v></c>'
        for style, value in ((1, "2318.4"), (2, "36"), (1, "0.125"), (0, "2318.4"), (1, "-0.5"), (9, "1.5"))
    )
    office = documents.OFFICE
    parts = {
        "xl/workbook.xml": f'<workbook xmlns:r="{office}"><sheets><sheet name="S" r:id="w"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships><Relationship Id="w" Type="{office}/worksheet" Target="s.xml"/>'
        f'<Relationship Id="y" Type="{office}/styles" Target="y.xml"/></Relationships>',
        "xl/y.xml": '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="#,##0.00&quot; EUR&quot;"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="4"/><xf numFmtId="164"/></cellXfs></styleSheet>',
        "xl/s.xml": f"<worksheet><sheetData><row>{cells}</row></sheetData></worksheet>",
    }
    path = documents.write_package(tmp_path / "a.xlsx", "xl/workbook.xml", "x", parts)
    assert read_xlsx(path.read_bytes()).text == "# S\n\n2318.40 | 36.00 | 0.125 | 2318.4 | -0.50 | 1.5"


@pytest.mark.parametrize(
    ("code", "decimals"),
    [
        ("General", 0),
        ("#,##0.00", 2),
        ("0.0##", 1),
        ('0.00" kg"', 2),
        ("0.00E+00", 0),
        ("[Red]-0.000;0", 3),
        ("0", 0),
        (f"0.{'0' * 5_000}", 30),
    ],
)
def test_decimals_of_number_formats(code: str, decimals: int) -> None:
    assert decimals_of_format(code) == decimals


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("General", ""),
        ("0.00E+00", ""),
        ('#,##0 "days"', ""),
        ("[Red]-0.00;0", ""),
        (r"0\d", ""),
        ("yyyy\\-mm\\-dd", "date"),
        ("[$-407]d. mmmm yyyy;@", "date"),
        ("h:mm AM/PM", "date"),
        ("[h]:mm:ss", "duration"),
        ("0.0%", "percent"),
    ],
)
def test_number_formats(code: str, kind: str) -> None:
    assert kind_of_format(code) == kind


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        ("45292", "date", "2024-01-01"),
        ("45292.5", "date", "2024-01-01 12:00:00"),
        ("0.75", "date", "18:00:00"),
        ("1e300", "date", "1e300"),
        ("1.25", "duration", "30:00:00"),
        ("0.1275", "percent", "12.75%"),
        ("1E+3", "", "1000"),
        ("12345678.899999999", "", "12345678.9"),
        ("-7", "", "-7"),
    ],
)
def test_numbers_are_shown_as_in_the_sheet(value: str, kind: str, shown: str) -> None:
    assert shown_number(value, kind, datetime(1899, 12, 30)) == shown


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [("12.5", 3, "12.50"), ("36", 3, "36.00"), ("12.345", 3, "12.345"), ("7", 4, "7.0000")],
)
def test_no_number_becomes_one_with_a_sign_for_thousands(value: str, decimals: int, shown: str) -> None:
    assert shown_number(value, "", datetime(1899, 12, 30), decimals) == shown
    if value != shown:
        assert number_of(shown, comma=True) == (float(value), "")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_what_is_no_number_gets_no_decimals(value: str) -> None:
    assert shown_number(value, "", datetime(1899, 12, 30), 2) == value


def test_rtf(tmp_path: Path) -> None:
    rtf = documents.write_rtf(tmp_path / "a.rtf", ["Café & bar.", "Two."])
    assert read_rtf(rtf.read_bytes()).text.split() == ["Café", "&", "bar.", "Two."]


def test_part_names() -> None:
    assert part_name("ppt/slides", "../media/a.png") == "ppt/media/a.png"
    assert part_name("OEBPS", "text/a%20b.xhtml#c") == "OEBPS/text/a b.xhtml"
    assert part_name("word", "/word/document.xml") == "word/document.xml"


def test_well_packed_text_is_no_bomb(tmp_path: Path) -> None:
    path = documents.write_docx(tmp_path / "a.docx", "x", ["The same sentence again and again."] * 200_000)
    assert path.stat().st_size * 100 < 14_000_000
    assert "word/document.xml" in Archive(path.read_bytes(), "a Word document").names


def test_archive_names_what_it_is_not() -> None:
    with pytest.raises(UserError, match=r"^The file is not a Word document but a PDF"):
        Archive(b"%PDF-1.7", "a Word document")
