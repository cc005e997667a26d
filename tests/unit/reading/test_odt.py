"""OpenDocument texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import documents
from tests.documents import add_part
from workbench.base.errors import UserError
from workbench.reading.extract import Extracted
from workbench.reading.odt import read_odt


def read(tmp_path: Path, body: str, **parts: str) -> Extracted:
    """``parts``: name without its ending, and XML."""
    path = documents.write_odt_body(tmp_path / "a.odt", body)
    for name, xml in parts.items():
        add_part(path, f"{name.replace('__', '/')}.xml", xml)
    return read_odt(path.read_bytes())


def cell(inner: str, attributes: str = "") -> str:
    return f"<table:table-cell {attributes}>{inner}</table:table-cell>"


def p(inner: str) -> str:
    return f"<text:p>{inner}</text:p>"


def test_headings_lists_spans_and_signs(tmp_path: Path) -> None:
    body = '<text:h text:outline-level="2">R&amp;D</text:h>'
    body += p("un<text:span>be<text:span>liev</text:span></text:span>able &lt;x&gt;<text:s text:c='2'/>end<text:tab/>.")
    body += f"<text:list><text:list-item>{p('one')}{p('more')}</text:list-item><text:list-item>{p('two')}<text:list>"
    body += f"<text:list-item>{p('inner')}</text:list-item></text:list></text:list-item></text:list>"
    found = read(tmp_path, body)
    assert found.text == "## R&D\n\nunbelievable <x>  end\t.\n\n- one\n\nmore\n\n- two\n- inner"
    assert found.title == "R&D"


def test_cells_keep_bold_runs_lists_and_paragraphs_apart(tmp_path: Path) -> None:
    bold = p('<text:span text:style-name="bold">Lamp</text:span>')
    listed = "".join(f"<text:list-item>{p(text)}</text:list-item>" for text in ("oil", "wick"))
    listed = f"<text:list>{listed}</text:list>"
    rows = f"<table:table-row>{cell(bold)}{cell(listed)}</table:table-row>"
    rows += f"<table:table-row>{cell(p('a') + p('b'))}{cell('')}</table:table-row>"
    assert read(tmp_path, f"<table:table>{rows}</table:table>").text == "Lamp | oil wick\na b"


def test_rows_name_their_columns_where_a_header_is_marked(tmp_path: Path) -> None:
    header = f"<table:table-row>{cell(p('Part'))}{cell(p('Price'))}</table:table-row>"
    row = f"<table:table-row>{cell(p('Gasket'))}{cell(p('12'))}</table:table-row>"
    marked = f"<table:table><table:table-header-rows>{header}</table:table-header-rows>{row}</table:table>"
    assert read(tmp_path, marked).text == "Part: Gasket | Price: 12"
    assert read(tmp_path, f"<table:table>{header}{row}</table:table>").text == "Part | Price\nGasket | 12"


def test_repeated_and_covered_cells_take_their_columns(tmp_path: Path) -> None:
    names = "".join(cell(p(name)) for name in "abcd")
    row = cell(p("0"), 'table:number-columns-repeated="2"') + "<table:covered-table-cell/>" + cell(p("x"))
    row += cell("", 'table:number-columns-repeated="99999999"')
    rows = f"<table:table-row>{names}</table:table-row><table:table-row>{row}</table:table-row>"
    assert read(tmp_path, f"<table:table>{rows}</table:table>").text == (
        "a: 0 | b: 0 | d: x\nColumns without a value: c"
    )


def test_notes_text_boxes_and_deleted_text(tmp_path: Path) -> None:
    note = "<text:note text:note-class='{}'><text:note-citation>1</text:note-citation>"
    note += "<text:note-body>{}</text:note-body></text:note>"
    box = f"<draw:text-box>{p('In the')}{p('box.')}</draw:text-box>"
    box = f"<draw:frame><svg:title>Not shown</svg:title>{box}</draw:frame>"
    body = "<text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p></text:deletion>"
    body += "</text:changed-region></text:tracked-changes>"
    body += p(f"It rose.{note.format('footnote', p('By a tenth.'))}{box}") + p("It fell.")
    body += p(f"The end{note.format('endnote', p('Really.'))}.")
    assert read(tmp_path, body).text == (
        "It rose.\n\nFootnote: By a tenth.\n\nText box\nIn the\nbox.\n\nIt fell.\n\nThe end.\n\nEndnote: Really."
    )


def test_comments_say_who_when_and_on_what(tmp_path: Path) -> None:
    comment = "<office:annotation office:name='1'><dc:creator>Ann</dc:creator><dc:date>2024-05-01T09:00:00</dc:date>"
    comment += f"{p('Too')}{p('long.')}</office:annotation>"
    body = p(f"We pay {comment}ninety <text:span>days</text:span><office:annotation-end office:name='1'/> later.")
    body += p(f"End.<office:annotation>{p('Ok.')}</office:annotation>")
    assert read(tmp_path, body).text == (
        "We pay ninety days later.\n\nEnd.\n\n## Comments\n\n- Ann, 2024-05-01, on “ninety days”: Too long.\n- Ok."
    )


def test_charts_forms_headers_and_properties(tmp_path: Path) -> None:
    form = '<office:forms><form:form><form:text form:name="name" form:current-value="Ann"/>'
    form += '<form:checkbox form:label="Agreed" form:current-state="checked"/><form:text form:name="empty"/>'
    form += "</form:form></office:forms>"
    frame = "<draw:frame><draw:object xlink:href='./Object 1'/></draw:frame>"

    def row(*texts: str) -> str:
        return f"<table:table-row>{''.join(cell(p(text)) for text in texts)}</table:table-row>"

    rows = row("", "Adults", "Children") + row("May", "120", "40")
    chart = f"<office:chart><chart:chart chart:class='chart:bar'><chart:title>{p('Visitors')}</chart:title>"
    chart += f"<chart:axis><chart:title>{p('Number')}</chart:title></chart:axis><table:table>{rows}</table:table>"
    running = f"<style:header>{p('Acme')}</style:header><style:footer>{p('<text:page-number>1</text:page-number>')}"
    found = read(
        tmp_path,
        form + p(f"See:{frame}") + p("After."),
        **{"Object 1__content": f"<office:document>{chart}</chart:chart></office:chart></office:document>"},
        styles=f"<office:styles>{running}</style:footer></office:styles>",
        meta="<office:meta><dc:title>Untitled 1</dc:title><dc:creator>Ann</dc:creator>"
        "<dc:language>nl</dc:language></office:meta>",
    )
    assert found.text == (
        "See:\n\nChart: Visitors\nAxes: Number\nMay | Adults: 120 | Children: 40\n\nAfter.\n\n## Header\n\nAcme\n\n"
        "## Form fields\n\nname: Ann\nAgreed: yes"
    )
    assert (found.title, found.language, found.metadata) == ("", "nl", {"author": "Ann"})


def test_locked_and_made_to_do_harm(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="an OpenDocument text with a password"):
        read_odt(documents.write_locked_odt(tmp_path / "b.odt").read_bytes())
    deep = "<text:span>" * 100_000 + "x" + "</text:span>" * 100_000
    assert read(tmp_path, p(deep)).text == "x"
    spaces = p("a" + '<text:s text:c="999999999"/>' + "b")
    assert read(tmp_path, spaces).text.split() == ["a", "b"]
