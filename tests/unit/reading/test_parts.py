"""What stands beside the text of an Office document: charts, diagrams, notes, comments, text boxes, headers."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests import documents
from tests.documents import add_part, chart_xml, diagram_xml, relate
from workbench.reading.sheets import printed_text, read_xlsx
from workbench.reading.slides import read_pptx
from workbench.reading.word import read_docx

DOCUMENT = "word/document.xml"
SLIDE = "ppt/slides/slide1.xml"
SHEET = "xl/worksheets/sheet1.xml"
CHART = chart_xml("Visitors", ["May", "June"], {"Adults": ["120", "95.5"], "Children": ["40", "0.30000000000000004"]})
CHART_TEXT = "Chart: Visitors\nMay | Adults: 120 | Children: 40\nJune | Adults: 95.5 | Children: 0.3"


def run(text: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"


def docx(tmp_path: Path, body: str) -> Path:
    path = tmp_path / "a.docx"
    content = documents.with_prefixes(f"<w:body>{body}</w:body>")
    return documents.write_package(path, DOCUMENT, "x", {DOCUMENT: f"<document>{content}</document>"})


# -- docx -----------------------------------------------------------------------------------------------


def test_docx_notes_stand_after_the_paragraph_that_refers_to_them(tmp_path: Path) -> None:
    body = f"<w:p>{run('The price rose.')}<w:r><w:footnoteReference w:id='2'/></w:r></w:p>"
    body += f"<w:p>{run('It fell.')}<w:r><w:endnoteReference w:id='2'/></w:r></w:p><w:p>{run('The end.')}</w:p>"
    path = docx(tmp_path, body)
    relate(path, DOCUMENT, footnotes="footnotes.xml", endnotes="endnotes.xml")
    paragraphs = f"<w:p>{run('By a tenth.')}</w:p><w:p>{run('In May.')}</w:p>"
    separator = "<w:footnote w:id='0'><w:p><w:r><w:separator/></w:r></w:p></w:footnote>"
    add_part(path, "word/footnotes.xml", f"<w:fs>{separator}<w:footnote w:id='2'>{paragraphs}</w:footnote></w:fs>")
    add_part(path, "word/endnotes.xml", f"<w:es><w:endnote w:id='2'><w:p>{run('Later.')}</w:p></w:endnote></w:es>")
    assert read_docx(path.read_bytes()).text == (
        "The price rose.\n\nFootnote\nBy a tenth.\nIn May.\n\nIt fell.\n\nEndnote: Later.\n\nThe end."
    )


def test_docx_note_of_a_cell_stands_after_the_table(tmp_path: Path) -> None:
    cell = f"<w:tc><w:p>{run('52 m')}<w:r><w:footnoteReference w:id='1'/></w:r></w:p></w:tc>"
    path = docx(tmp_path, f"<w:tbl><w:tr><w:tc><w:p>{run('Height')}</w:p></w:tc>{cell}</w:tr></w:tbl>")
    relate(path, DOCUMENT, footnotes="footnotes.xml")
    note = f"<w:footnote w:id='1'><w:p>{run('With the lamp.')}</w:p></w:footnote>"
    add_part(path, "word/footnotes.xml", f"<w:footnotes>{note}</w:footnotes>")
    assert read_docx(path.read_bytes()).text == "Height | 52 m\n\nFootnote: With the lamp."


def test_docx_headers_and_footers_once_and_without_bare_numbers(tmp_path: Path) -> None:
    path = docx(tmp_path, f"<w:p>{run('Body.')}</w:p>")
    relate(path, DOCUMENT, header1="h1.xml", header2="h2.xml", header3="h3.xml", footer1="f1.xml", footer2="f2.xml")
    watermark = '<w:p><w:r><w:pict><v:shape><v:textpath string="DRAFT"/></v:shape></w:pict></w:r></w:p>'
    for name, inner in (
        ("h1", f"<w:p>{run('Acme & Sons'.replace('&', '&amp;'))}</w:p>"),
        ("h2", f"<w:p>{run('Acme &amp; Sons')}</w:p>"),
        ("h3", watermark),
        ("f1", f"<w:p>{run('7')}</w:p>"),
        ("f2", f"<w:tbl><w:tr><w:tc><w:p>{run('Confidential')}</w:p></w:tc></w:tr></w:tbl>"),
    ):
        add_part(path, f"word/{name}.xml", f"<w:hdr>{inner}</w:hdr>")
    assert read_docx(path.read_bytes()).text == (
        "Body.\n\n## Header\n\nAcme & Sons\n\nDRAFT\n\n## Footer\n\nConfidential"
    )


def test_docx_comments_say_who_when_and_on_what(tmp_path: Path) -> None:
    body = f"<w:p>{run('We pay ')}<w:commentRangeStart w:id='0'/>{run('ninety')}{run(' days')}"
    body += f"<w:commentRangeEnd w:id='0'/>{run(' later.')}</w:p>"
    path = docx(tmp_path, body)
    relate(path, DOCUMENT, comments="comments.xml")
    first = f"<w:comment w:id='0' w:author='Ann' w:date='2024-05-01T09:00:00Z'><w:p>{run('Too')}</w:p>"
    first += f"<w:p>{run('long.')}</w:p></w:comment>"
    add_part(path, "word/comments.xml", f"<w:cs>{first}<w:comment w:id='1'><w:p>{run('Ok.')}</w:p></w:comment></w:cs>")
    assert read_docx(path.read_bytes()).text == (
        "We pay ninety days later.\n\n## Comments\n\n- Ann, 2024-05-01, on “ninety days”: Too long.\n- Ok."
    )


def test_docx_charts_and_diagrams_stand_where_they_are_shown(tmp_path: Path) -> None:
    drawing = "<w:r><w:drawing><a:graphic>{}</a:graphic></w:drawing></w:r>"
    chart, diagram = drawing.format('<c:chart r:id="chart"/>'), drawing.format('<dgm:relIds r:dm="diagramData"/>')
    path = docx(tmp_path, f"<w:p>{run('See:')}{chart}</w:p><w:p>{diagram}</w:p><w:p>{run('After.')}</w:p>")
    relate(path, DOCUMENT, chart="charts/c.xml", diagramData="diagrams/d.xml")
    add_part(path, "word/charts/c.xml", CHART)
    points = {"a": "Keeper", "b": "Lamp", "c": "Horn"}
    add_part(path, "word/diagrams/d.xml", diagram_xml(points, [("", "a"), ("a", "c"), ("a", "b")]))
    assert read_docx(path.read_bytes()).text == (
        f"See:\n\n{CHART_TEXT}\n\nDiagram\n- Keeper\n  - Horn\n  - Lamp\n\nAfter."
    )


def test_docx_damaged_chart_costs_the_chart_only(tmp_path: Path) -> None:
    path = docx(tmp_path, f"<w:p>{run('Body.')}<w:r><c:chart r:id='chart'/></w:r></w:p>")
    relate(path, DOCUMENT, chart="charts/c.xml")
    add_part(path, "word/charts/c.xml", "<c:chartSpace><c:chart>")
    read = read_docx(path.read_bytes())
    assert (read.text, read.warnings) == (
        "Body.", ("Damaged parts were not read: word/charts/c.xml.",),
    )  # fmt: skip


def test_docx_page_of_html_inside_it(tmp_path: Path) -> None:
    path = docx(tmp_path, f"<w:p>{run('Before.')}</w:p><w:altChunk r:id='aFChunk1'/><w:altChunk r:id='aFChunk2'/>")
    relate(path, DOCUMENT, aFChunk1="a.html", aFChunk2="b.mht")
    add_part(path, "word/a.html", "<html><body><p>A page &amp; more.</p></body></html>")
    packed = "MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n--x\nContent-Type: text/html\n\n"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("word/b.mht", packed + "<p>Packed <b>like</b> a message.</p>\n--x--\n")
    assert read_docx(path.read_bytes()).text == "Before.\n\nA page & more.\n\nPacked like a message."


def table(*rows: list[str], mark: str = "", bold: bool = False) -> str:
    def cell(text: str, properties: str) -> str:
        return f"<w:tc><w:p>{run(text, properties)}</w:p></w:tc>"

    shown = ""
    for number, row in enumerate(rows):
        properties = "<w:b/>" if bold and not number else ""
        shown += f"<w:tr>{mark if not number else ''}{''.join(cell(text, properties) for text in row)}</w:tr>"
    return f"<w:tbl>{shown}</w:tbl>"


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        (table(["Part", "Price", "Stock"], ["Gasket", "12.50", ""], ["Valve", "80", "3"]),
         "Part: Gasket | Price: 12.50\nPart: Valve | Price: 80 | Stock: 3"),
        (table(["Name", "Ann"], ["Town", "Delft"]), "Name | Ann\nTown | Delft"),
        (table(["Part", "Price"], ["Gasket", "12"], mark="<w:trPr><w:tblHeader/></w:trPr>"),
         "Part: Gasket | Price: 12"),
        (table(["Part", "Price"], ["Gasket", "12"], bold=True), "Part: Gasket | Price: 12"),
        (table(["a", "b", "c"], ["1", "", "2"]), "a: 1 | c: 2\nColumns without a value: b"),
        (table(["One."], ["Two."]), "One.\n\nTwo."),
    ],
)  # fmt: skip
def test_docx_rows_name_their_columns_where_these_have_names(tmp_path: Path, rows: str, shown: str) -> None:
    assert read_docx(docx(tmp_path, rows).read_bytes()).text == shown


def test_docx_wide_cells_take_their_columns(tmp_path: Path) -> None:
    wide = f"<w:tr><w:tc><w:tcPr><w:gridSpan w:val='2'/></w:tcPr><w:p>{run('x')}</w:p></w:tc>"
    wide += f"<w:tc><w:p>{run('y')}</w:p></w:tc></w:tr></w:tbl>"
    rows = table(["a", "b", "c"]).replace("</w:tbl>", wide)
    assert read_docx(docx(tmp_path, rows).read_bytes()).text == "a: x | c: y\nColumns without a value: b"


# -- pptx -----------------------------------------------------------------------------------------------


def shape(text: str, place: str = "") -> str:
    return f"<p:sp>{place}<p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"


def test_pptx_charts_diagrams_and_comments_of_a_slide(tmp_path: Path) -> None:
    path = documents.write_pptx(tmp_path / "a.pptx", [("One", "Body")])
    other = tmp_path / "b.pptx"
    frames = '<graphicFrame><chart xmlns:r="{0}" r:id="chart"/></graphicFrame>'
    frames += '<graphicFrame><relIds xmlns:r="{0}" r:dm="diagramData"/></graphicFrame>'
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            data = old.read(name).decode()
            if name == SLIDE:
                data = data.replace("</p:spTree>", frames.format(documents.OFFICE) + "</p:spTree>")
            if name.endswith("presentation.xml.rels"):
                author = f'<Relationship Id="a" Type="{documents.OFFICE}/commentAuthors" Target="authors.xml"/>'
                data = data.replace("</Relationships>", author + "</Relationships>")
            new.writestr(name, data)
    relate(other, SLIDE, chart="../charts/c.xml", diagramData="../diagrams/d.xml", comments="../comments/k.xml")
    add_part(other, "ppt/charts/c.xml", CHART)
    add_part(other, "ppt/diagrams/d.xml", diagram_xml({"a": "Keeper"}, []))
    add_part(other, "ppt/authors.xml", '<p:cmAuthorLst><p:cmAuthor id="0" name="Ann"/></p:cmAuthorLst>')
    comment = '<p:cm authorId="0" dt="2024-05-01T09:00:00"><p:text>Say more.</p:text></p:cm>'
    reply = "<p:txBody><a:p><a:r><a:t>Why?</a:t></a:r></a:p></p:txBody><p:replyLst><p:reply authorId='{9}'>"
    reply += "<p:txBody><a:p><a:r><a:t>Because.</a:t></a:r></a:p></p:txBody></p:reply></p:replyLst>"
    add_part(other, "ppt/comments/k.xml", f"<p:cmLst>{comment}<p:cm authorId='0'>{reply}</p:cm></p:cmLst>")
    assert read_pptx(other.read_bytes()).text == (
        f"# One\n\nBody\n\n{CHART_TEXT}\n\nDiagram: - Keeper\n\n"
        "## Comments\n\n- Ann, 2024-05-01: Say more.\n- Ann: Why?\n- Because."
    )


def test_pptx_text_of_layouts_and_masters_stands_once(tmp_path: Path) -> None:
    path = documents.write_pptx(tmp_path / "a.pptx", [("One", ""), ("Two", "")])
    for number in (1, 2):
        relate(path, f"ppt/slides/slide{number}.xml", slideLayout="../slideLayouts/l.xml")
    relate(path, "ppt/slideLayouts/l.xml", slideMaster="../slideMasters/m.xml")
    prompt = shape("Click to edit the title", '<p:nvPr><p:ph type="title"/></p:nvPr>')
    add_part(path, "ppt/slideLayouts/l.xml", f"<p:sldLayout>{prompt}{shape('Keepers only')}</p:sldLayout>")
    add_part(path, "ppt/slideMasters/m.xml", f"<p:sldMaster>{prompt}{shape('Acme')}</p:sldMaster>")
    read = read_pptx(path.read_bytes())
    assert read.text == "# One\n\n## On every slide\n\nKeepers only\nAcme\n\n# Two"
    assert read.text[read.page_starts[1] :] == "# Two"


# -- xlsx -----------------------------------------------------------------------------------------------


def test_xlsx_what_lies_over_a_sheet_and_is_printed_around_it(tmp_path: Path) -> None:
    printed = '<headerFooter><oddHeader>&amp;L&amp;"Arial,Bold"&amp;12Acme&amp;R&amp;D</oddHeader>'
    printed += "<oddFooter>&amp;CPage &amp;P</oddFooter></headerFooter>"
    cells = '<sheetData><row><c t="str"><v>Westkapelle</v></c></row></sheetData>'
    path = documents.write_xlsx_sheet(tmp_path / "a.xlsx", cells + printed)
    relate(path, SHEET, drawing="../drawings/d.xml", comments="../comments1.xml")
    frame = '<xdr:graphicFrame><c:chart r:id="chart"/></xdr:graphicFrame>'
    box = "<xdr:sp><xdr:txBody><a:p><a:r><a:t>Mind the</a:t></a:r></a:p><a:p><a:r><a:t>step</a:t></a:r></a:p>"
    add_part(path, "xl/drawings/d.xml", f"<xdr:wsDr>{frame}{box}</xdr:txBody></xdr:sp></xdr:wsDr>")
    relate(path, "xl/drawings/d.xml", chart="../charts/c.xml")
    add_part(path, "xl/charts/c.xml", CHART)
    comments = '<comments><authors><author>Ann</author></authors><commentList><comment ref="B7" authorId="0"><text>'
    comments += "<r><t>Ann:</t></r><r><t>\nTo be checked.</t></r></text></comment></commentList></comments>"
    add_part(path, "xl/comments1.xml", comments)
    assert read_xlsx(path.read_bytes()).text == (
        f"# Towers\n\nWestkapelle\n\n{CHART_TEXT}\n\nText box\nMind the\nstep\n\n"
        "## Comments\n\n- Ann, on B7: To be checked.\n\n## Print header\n\nAcme\n\n## Print footer\n\nPage"
    )


def test_xlsx_threads_of_comments_are_not_said_twice(tmp_path: Path) -> None:
    path = documents.write_xlsx(tmp_path / "a.xlsx", [["x"]])
    relate(path, SHEET, comments="../comments1.xml", threadedComment="../threads.xml")
    old = "<commentList><comment ref='A1' authorId='0'><text><t>[Threaded comment] Too old. Comment: Why?</t></text>"
    add_part(path, "xl/comments1.xml", f"<comments>{old}</comment></commentList></comments>")
    thread = '<threadedComment ref="A1" dT="2024-05-01T09:00:00.00" personId="{1}"><text>Why?</text></threadedComment>'
    add_part(path, "xl/threads.xml", f"<ThreadedComments>{thread}</ThreadedComments>")
    assert read_xlsx(path.read_bytes()).text == "# Towers\n\nx\n\n## Comments\n\n- 2024-05-01, on A1: Why?"


def test_xlsx_sheet_that_is_a_chart(tmp_path: Path) -> None:
    spaces = documents.OFFICE
    parts = {
        "xl/workbook.xml": f'<workbook xmlns:r="{spaces}"><sheet name="S" r:id="chartsheet"/></workbook>',
        "xl/s.xml": "<chartsheet/>",
    }
    path = documents.write_package(tmp_path / "a.xlsx", "xl/workbook.xml", "x", parts)
    relate(path, "xl/workbook.xml", chartsheet="s.xml")
    relate(path, "xl/s.xml", drawing="d.xml")
    relate(path, "xl/d.xml", chart="c.xml")
    add_part(path, "xl/d.xml", "<xdr:wsDr><xdr:graphicFrame><c:chart r:id='chart'/></xdr:graphicFrame></xdr:wsDr>")
    add_part(path, "xl/c.xml", CHART)
    assert read_xlsx(path.read_bytes()).text == f"# S\n\n{CHART_TEXT}"


@pytest.mark.parametrize(
    ("coded", "shown"),
    [
        ('&L&"-,Bold"R&&D&C&K01+023Plan&R&P of &N', "R&D Plan of"),
        ("&C&12 2024 Report", "2024 Report"),
        ("&Z&F&A&G", ""),
    ],
)
def test_codes_of_printed_headers_are_left_out(coded: str, shown: str) -> None:
    assert printed_text(coded) == shown


# -- charts ---------------------------------------------------------------------------------------------


def chart_text(tmp_path: Path, xml: str) -> str:
    path = docx(tmp_path, "<w:p><w:r><c:chart r:id='chart'/></w:r></w:p>")
    relate(path, DOCUMENT, chart="c.xml")
    add_part(path, "word/c.xml", xml)
    return read_docx(path.read_bytes()).text


def test_chart_axes_dates_and_percentages(tmp_path: Path) -> None:
    def numbers(code: str, value: str) -> str:
        inner = f'<c:formatCode>{code}</c:formatCode><c:pt idx="0"><c:v>{value}</c:v></c:pt>'
        return f"<c:numRef><c:numCache>{inner}</c:numCache></c:numRef>"

    title = "<c:title><c:tx><c:rich><a:p><a:r><a:t>Visitors</a:t></a:r></a:p></c:rich></c:tx></c:title>"
    series = f"<c:ser><c:tx><c:v>Share</c:v></c:tx><c:cat>{numbers('d/m/yy', '45292')}</c:cat>"
    series += f"<c:val>{numbers('0%', '0.25')}</c:val></c:ser>"
    xml = f"<c:chartSpace><c:plotArea>{series}<c:valAx>{title}</c:valAx></c:plotArea></c:chartSpace>"
    assert chart_text(tmp_path, xml) == "Chart\nAxes: Visitors\n2024-01-01 | Share: 25%"


def test_chart_levels_of_categories_are_said_with_each(tmp_path: Path) -> None:
    def level(*points: tuple[int, str]) -> str:
        return "<c:lvl>" + "".join(f'<c:pt idx="{n}"><c:v>{text}</c:v></c:pt>' for n, text in points) + "</c:lvl>"

    levels = level((0, "May"), (1, "June"), (2, "May")) + level((0, "2023"), (2, "2024"))
    values = "".join(f'<c:pt idx="{n}"><c:v>{n}</c:v></c:pt>' for n in range(3))
    xml = f"<c:chartSpace><c:ser><c:tx><c:v>Sold</c:v></c:tx><c:cat><c:multiLvlStrRef><c:multiLvlStrCache>{levels}"
    xml += f"</c:multiLvlStrCache></c:multiLvlStrRef></c:cat><c:val><c:numLit>{values}</c:numLit></c:val></c:ser>"
    assert chart_text(tmp_path, xml + "</c:chartSpace>") == (
        "Chart\n2023 / May | Sold: 0\n2023 / June | Sold: 1\n2024 / May | Sold: 2"
    )


def test_chart_of_the_newer_kind(tmp_path: Path) -> None:
    data = '<cx:data id="0"><cx:strDim type="cat"><cx:f>A</cx:f><cx:lvl><cx:pt idx="0">May</cx:pt></cx:lvl></cx:strDim>'
    data += (
        '<cx:numDim type="val"><cx:lvl formatCode="General"><cx:pt idx="0">7.5</cx:pt></cx:lvl></cx:numDim></cx:data>'
    )
    title = "<cx:title><cx:tx><cx:txData><cx:v>Balance</cx:v></cx:txData></cx:tx></cx:title>"
    series = "<cx:series><cx:tx><cx:txData><cx:f>B</cx:f><cx:v>Euros</cx:v></cx:txData></cx:tx></cx:series>"
    xml = f"<cx:chartSpace><cx:chartData>{data}</cx:chartData><cx:chart>{title}{series}</cx:chart></cx:chartSpace>"
    assert chart_text(tmp_path, xml) == "Chart: Balance: May | Euros: 7.5"


def test_diagram_in_a_circle_ends(tmp_path: Path) -> None:
    path = docx(tmp_path, "<w:p><w:r><dgm:relIds r:dm='diagramData'/></w:r></w:p>")
    relate(path, DOCUMENT, diagramData="d.xml")
    add_part(path, "word/d.xml", diagram_xml({"a": "One", "b": "Two"}, [("a", "b"), ("b", "a")]))
    assert read_docx(path.read_bytes()).text == "Diagram\n- One\n  - Two"
