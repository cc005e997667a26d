"""Rich text: what is shown of it and what is not, code pages, tables, and files that are made to do harm."""

from __future__ import annotations

import pytest

from workbench.base.errors import UserError
from workbench.reading.rtf import read_rtf


def text_of(body: bytes | str, head: str = r"\ansi\ansicpg1252") -> str:
    inner = body if isinstance(body, bytes) else body.encode("ascii")
    return read_rtf(b"{\\rtf1" + head.encode("ascii") + inner + b"}").text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r" Smile \u-10179?\u-8704?, \u8364? and {\uc0\u945\u946}{\uc2\u960 pi}x.", "Smile 😀, € and αβπx."),
        (r" {\uc3\u937 \'4f\'6d\par}end", "Ωend"),
        (r" \ldblquote a\rdblquote\emdash b\~c\_d\-e\{\}\\", "“a”—b\xa0c-de{}\\"),
        (r" {\upr{ASCII}{\*\ud{Unicode \u937?}}}", "Unicode Ω"),
        (r" Shown {\v secret }here \v secret \v0 again\v x\plain , plain{\deleted gone}.", "Shown here again, plain."),
        (r" one\par two{\line}three", "one\n\ntwo\nthree"),
        (r' {\field{\*\fldinst HYPERLINK "http://a.example"}{\fldrslt the link}}', "the link"),
        (r" {\*\unknown not shown}{\pict\pngblip 89504e47}{\xe index}shown", "shown"),
        (r" {\object\objemb{\*\objdata 0105}{\result its picture}}", "its picture"),
    ],
)  # fmt: skip
def test_characters_and_what_is_not_shown(body: str, text: str) -> None:
    assert text_of(body) == text


@pytest.mark.parametrize(
    ("charset", "page", "body", "text"),
    [
        (238, 1250, rb"\f0 P\'f8\'edli\'9a \'9elu\'9dou\'e8k\'fd", "Příliš žluťoučký"),
        (204, 1251, rb"\f0 \'cf\'f0\'e8\'e2\'e5\'f2, \f1 caf\'e9", "Привет, café"),
        (128, 932, rb"\f0 \'93\'fa\'96\'7b\'8c\'ea \'83A\'83\'5c", "日本語 アソ"),
        (128, 1252, "\\f0 漢字".encode("cp932"), "漢字"),
    ],
)  # fmt: skip
def test_code_pages_are_of_the_font_and_then_of_the_document(charset: int, page: int, body: bytes, text: str) -> None:
    fonts = rb"{\fonttbl{\f0\fnil\fcharset%d Arial;}{\f1\fcharset0\cpg1252 Times;}}" % charset
    assert text_of(fonts + body, rf"\ansi\ansicpg{page}\deff0") == text


def test_the_documents_code_page_serves_fonts_without_one() -> None:
    fonts = rb"{\fonttbl{\f0\fcharset0 Arial;}}\f0 "
    assert text_of(fonts + rb"\'f8", r"\ansi\ansicpg1250") == "ř"
    assert text_of(fonts + rb"\'f8", r"\ansi\ansicpg99999") == "ø"
    assert text_of(rb" \'8a", r"\mac") == "ä"
    assert text_of(b" \xe2\x82\xac", r"\ansi\ansicpg65001") == "€"


def test_notes_boxes_comments_and_running_texts() -> None:
    read = read_rtf(
        rb"{\rtf1\ansi{\stylesheet{\s0 Normal;}{\s1 heading 1;}}{\info{\title The Lease}{\author Ann Ex}}"
        rb"{\header Contract of May\par}{\footer \chpgn 3\par}{\pard\s1 Duties\par}"
        rb"\pard The tenant pays{\super \chftn{\*\footnote\pard\plain \chftn By the third day.}} monthly.\par "
        rb"Next{\footnote\ftnalt Or later.} one.\par "
        rb"{\*\atnid JD}{\*\atnauthor John Doe}\chatn{\*\annotation Check this.}Last.\par "
        rb"{\shp{\*\shpinst\shpleft0{\sp{\sn x}{\sv 1}}{\shptxt Boxed\par}}{\shprslt{\*\do{\dptxbxtext Boxed\par}}}}}"
    )
    assert (read.title, read.metadata) == ("The Lease", {"author": "Ann Ex"})
    assert read.text == (
        "# Duties\n\nThe tenant pays monthly.\n\nFootnote: By the third day.\n\nNext one.\n\nEndnote: Or later.\n\n"
        "Last.\n\nText box: Boxed\n\n## Header\n\nContract of May\n\n## Comments\n\n- John Doe: Check this."
    )


def test_a_table_is_a_line_for_each_row_and_lists_are_items() -> None:
    read = text_of(
        r"\pard Before.\par\trowd\trhdr\cellx1\cellx2\cellx3\pard\intbl Name\cell Rate\cell Year\cell\row"
        r"\trowd\pard\intbl Basic\cell 12\par percent\cell 2024\cell\row"
        r"\pard\intbl Plus\cell\pard\intbl\itap2 in\nestcell side\nestcell{\*\nesttableprops\trowd\nestrow}"
        r"{\nonesttables\par}\pard\intbl\itap1\cell 2025\cell\row\pard After.\par"
        r"{\listtext 1.\tab}First\par{\listtext 2.\tab}Second\par\pard End."
    )
    assert read == (
        "Before.\n\nName: Basic | Rate: 12 percent | Year: 2024\nName: Plus | Rate: in | side | Year: 2025\n\n"
        "After.\n\n- First\n- Second\n\nEnd."
    )


def test_binary_data_are_passed_over_as_long_as_they_say() -> None:
    assert text_of(rb" a{\pict\wmetafile8\bin12 }}}{{{\\par x}b{\*\x\bin3 {{{}c\u937\bin1 }d") == "abcΩd"
    assert read_rtf(rb"{\rtf1 a\bin4000000000 b}").text == "a"


def test_a_file_that_was_cut_off_says_so() -> None:
    read = read_rtf(rb"{\rtf1\ansi One.\par Another {\b that is cu")
    assert (read.text, read.warnings) == ("One.\n\nAnother that is cu", ("The end of the file is missing.",))
    assert read_rtf(b"{\\rtf1 a} b {c}").text == "a"


@pytest.mark.parametrize(
    "body",
    [
        "{" * 50_000 + "x" + "}" * 50_000,
        r"{\field{\*\fldinst{ HYPERLINK " * 20_000,
    ],
    ids=["groups", "fields"],
)
def test_a_file_of_groups_within_groups_is_refused(body: str) -> None:
    with pytest.raises(UserError, match="nested too deeply"):
        text_of(body)


@pytest.mark.parametrize(
    "body",
    [
        r" a\u b\u99999999?\f\f999999 \'zz\ansicpg99999\uc-5\u300x\cell\row\nestrow\nestcell\par",
        r"\itap99999 x\nestcell" * 50,
        r"}}}}\par{{{",
        r"\u-10179?",
        r"{\fonttbl{\f0\fcharset-3;{\stylesheet{\s{\info{\title",
        r"\'9",
        "\\",
    ],
)
def test_nonsense_is_no_crash(body: str) -> None:
    read_rtf(b"{\\rtf1" + body.encode())
