"""The visible text of a page."""

from __future__ import annotations

import pytest

from workbench.base.errors import UserError
from workbench.reading.html import DEEPEST, html_text


def text(source: str) -> str:
    return html_text(source).text


def test_headings_paragraphs_and_breaks() -> None:
    assert text("<h1>Big <i>one</i></h1><p>One\n  two.<p>Three<br>four<h3>Small</h3>x") == (
        "# Big one\n\nOne two.\n\nThree\nfour\n\n### Small\n\nx"
    )


def test_lists_with_and_without_end_tags() -> None:
    assert text("a<ul><li>b<li>c<ul><li>d</ul></ul>e") == "a\n\n- b\n- c\n- d\n\ne"
    assert text("<ol><li><p>b</p></li><li><p>c</p></li></ol>") == "- b\n- c"
    assert text("<ul><li></li><li>b</li></ul>") == "-\n- b"


def test_table_rows_are_lines() -> None:
    assert text("<table><tr><th>a<th>b<tr><td><p>1</p></td><td><div>2</div></td></tr></table>") == "a | b\n1 | 2"
    assert text("x<table><tr><td></td><td>1</td></tr></table>y") == "x\n\n | 1\n\ny"


def test_what_is_not_shown_is_not_read() -> None:
    source = """<head><title>T</title><style>a</style></head><body><script>if (a < b) x("</p>")</script>
        <p hidden>b</p><svg><title>c</title><text>d</text></svg><div aria-hidden="true">e<p>f</div><p>seen</p>
        <template><p>g</p></template><!-- h --><noscript>i</noscript></body>"""
    assert text(source) == "seen"


def test_characters_and_inline_elements_make_no_gap() -> None:
    assert text("R&amp;D &lt;b&gt; caf&eacute; &#128512; un<b>believ</b>able&nbsp;x") == (
        "R&D <b> café 😀 unbelievable\u00a0x"
    )


def test_preformatted_text_keeps_its_lines() -> None:
    assert text("<p>a</p><pre>  b\n    c</pre>d") == "a\n\n  b\n    c\n\nd"


def test_title_and_language() -> None:
    page = html_text('<html lang="de-AT"><head><title> The\n tower </title></head><body><h1>Other</h1></body></html>')
    assert (page.title, page.language) == ("The tower", "de-AT")
    assert html_text("<h2>Only a <b>heading</b></h2>").title == "Only a heading"


def test_head_without_an_end_hides_no_body() -> None:
    assert text("<html><head><title>T</title><body><p>seen") == "seen"


def test_stray_end_tags_are_passed_over() -> None:
    assert text("</div>a</b></p>b") == "ab"


def test_depth_has_an_end() -> None:
    assert text("<div>" * 1000 + "x") == "x"
    with pytest.raises(UserError, match="nested too deeply"):
        text("<div>" * (DEEPEST + 1))


def test_unclosed_paragraphs_are_not_depth() -> None:
    assert text("<p>x" * (DEEPEST + 10)).count("x") == DEEPEST + 10
