"""Tables, data, e-mail and e-books."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from tests import documents
from workbench.base.errors import UserError
from workbench.reading.book import read_epub
from workbench.reading.data import outline, read_json, read_jsonl
from workbench.reading.mail import read_eml
from workbench.reading.read import read_file
from workbench.reading.reader_calls import ReadLimits
from workbench.reading.table import MOST_COLUMNS, read_csv, read_tsv


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_finds_what_parts_its_cells(delimiter: str) -> None:
    text = (
        delimiter.join(["Name", "Height"])
        + "\r\n"
        + delimiter.join(["West, kapelle" if delimiter != "," else "W", "52"])
    )
    shown = "West, kapelle" if delimiter != "," else "W"
    assert read_csv(text.encode()).text == f"Name: {shown} | Height: 52"


def test_csv_quoted_cells_may_hold_anything() -> None:
    assert read_csv(b'a,b\n"one, ""two""\nthree",4\n').text == 'a: one, "two" three | b: 4'


def test_csv_without_names_of_columns() -> None:
    assert read_csv(b"1,2\n3,4\n").text == "1 | 2\n3 | 4"
    assert read_csv(b"a,a\nb,c\n").text == "a | a\nb | c"
    assert read_csv(b"only,one row\n").text == "only | one row"
    assert read_csv(b"one column\nof words\n").text == "one column\nof words"


def test_csv_rows_of_other_lengths_lose_nothing() -> None:
    assert read_csv(b"a,b\n1\n,2\n\n3,4,5\n").text == "a: 1\nb: 2\na: 3 | b: 4 | 5"


def test_tsv_does_not_part_at_commas() -> None:
    assert read_tsv(b"a\tb\n1,2,3\t4\n").text == "a: 1,2,3 | b: 4"


def test_table_may_be_as_wide_as_a_sheet_and_no_wider() -> None:
    row = ",".join(f"c{n}" for n in range(MOST_COLUMNS))
    assert read_csv(f"{row}\n".encode()).text.endswith(f"c{MOST_COLUMNS - 1}")
    with pytest.raises(UserError, match="16,385 columns"):
        read_csv(f"{row},x\n".encode())


def test_outline_of_nested_values() -> None:
    value = {"a": 1, "b": {"c": [1, {"d": None, "e": True}], "f": "x"}, "g": [[1, 2]], "h": [], "i": "two\nlines"}
    assert outline(value) == [
        "a: 1", "b:", "  c:", "    - 1", "    - d:", "      e: true", "  f: x", "g:", "  -", "    - 1", "    - 2", "h:",
        "i: two\nlines",
    ]  # fmt: skip


def test_json_records_are_paragraphs() -> None:
    assert read_json(b'[{"a": "caf\\u00e9", "b": 1.5}, {"a": "x"}]').text == "a: café\nb: 1.5\n\na: x"
    assert read_json(b'"only a text"').text == "only a text"


def test_json_that_is_none_is_read_as_text_with_a_warning() -> None:
    read = read_json(b'{"a": 1, // why\n}')
    assert "why" in read.text
    assert len(read.warnings) == 1
    assert read_json(b"[" + b"1" * 5000 + b"]").text.count("1") >= 5000


def test_jsonl_keeps_broken_lines() -> None:
    read = read_jsonl(b'{"a": 1}\n\n{"a": \n{"a": 3}\n')
    assert read.text == 'a: 1\n\n{"a": \n\na: 3'
    assert read.warnings == ("1 lines are not valid JSON; the first is line 3.",)


def test_json_depth_has_an_end() -> None:
    assert read_json(b"[" * 100 + b'"x"' + b"]" * 100).text.strip(" -\n") == "x"
    with pytest.raises(UserError, match="nested too deeply"):
        read_json(b"[" * 100_000 + b"]" * 100_000)


def mail(**headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in headers.items():
        message[name] = value
    return message


def test_eml_headers_body_and_attachments() -> None:
    message = mail(Subject="Café plans", From="Ann <ann@example.org>", To="bob@example.org")
    message.set_content("Meet me at nine.\n")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="map.pdf")
    read = read_eml(bytes(message))
    assert read.text == (
        "Subject: Café plans\nFrom: Ann <ann@example.org>\nTo: bob@example.org\nAttachment: map.pdf\n\nMeet me at nine."
    )
    assert read.title == "Café plans"


def test_eml_html_only_and_forwarded() -> None:
    inner = mail(Subject="Inner", From="carl@example.org")
    inner.set_content("The inner words.\n")
    message = mail(Subject="Outer", From="ann@example.org")
    message.set_content("<p>The <b>outer</b> words.</p>", subtype="html")
    message.add_attachment(inner)
    text = read_eml(bytes(message)).text
    assert "The outer words." in text
    assert text.endswith("Subject: Inner\nFrom: carl@example.org\n\nThe inner words.")


def test_eml_shows_all_its_texts_and_of_alternatives_one() -> None:
    parts = (
        b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n"
        b"--m\r\nContent-Type: text/plain\r\n\r\nBefore the picture.\r\n"
        b"--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n"
        b"--a\r\nContent-Type: text/plain\r\n\r\nThis is HTML.\r\n"
        b"--a\r\nContent-Type: text/html\r\n\r\n<p>The whole long letter of nine words and more.</p>\r\n--a--\r\n"
        b"--m\r\nContent-Type: text/html\r\nContent-Disposition: inline\r\n\r\n<p>After it &amp; all.</p>\r\n"
        b"--m\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\n--m--\r\n"
    )
    assert read_eml(parts).text == (
        "Subject: x\n\nBefore the picture.\n\nThe whole long letter of nine words and more.\n\nAfter it & all."
    )


def test_eml_reads_what_is_attached(tmp_path: Path) -> None:
    message = mail(Subject="Papers")
    message.set_content("See below.\n")
    for path in (
        documents.write_docx(tmp_path / "letter.docx", "Letter", ["Dear Bob."]),
        documents.write_text(tmp_path / "notes.txt", "A note."),
        documents.write_text(tmp_path / "broken.pdf", "no PDF"),
        documents.write_text(tmp_path / "logo.png", "x"),
        documents.write_eml(tmp_path / "old.eml", "Old", "Said before."),
    ):
        message.add_attachment(path.read_bytes(), maintype="application", subtype="octet-stream", filename=path.name)
    (tmp_path / "mail.eml").write_bytes(bytes(message))
    read = read_file(tmp_path / "mail.eml", ReadLimits())
    assert "Attachment: logo.png\nAttachment: old.eml\n\nSee below." in read.text
    assert "## Attachment: letter.docx\n\n# Letter\n\nDear Bob.\n\n## Attachment: notes.txt\n\nA note." in read.text
    assert "## Attachment: old.eml\n\nSubject: Old" in read.text
    assert read.text.endswith("Said before.")
    assert read.warnings == ("The attachment broken.pdf could not be read: The file is damaged or not a PDF.",)


def test_eml_in_eml_in_eml_ends(tmp_path: Path) -> None:
    inner = documents.write_eml(tmp_path / "0.eml", "0", "The innermost.").read_bytes()
    for depth in range(1, 6):
        message = mail(Subject=str(depth))
        message.set_content(f"Level {depth}.\n")
        message.add_attachment(inner, maintype="application", subtype="octet-stream", filename="in.eml")
        inner = bytes(message)
    (tmp_path / "a.eml").write_bytes(inner)
    read = read_file(tmp_path / "a.eml", ReadLimits())
    assert "Level 2." in read.text
    assert "Level 1." not in read.text


def test_eml_whose_encoding_is_not_what_it_says() -> None:
    raw = b"Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nUn caf\xe9 tr\xe8s bon.\r\n"
    assert "Un café très bon." in read_eml(raw).text
    unknown = b"Subject: x\r\nContent-Type: text/plain; charset=no-such\r\n\r\nWords.\r\n"
    assert "Words." in read_eml(unknown).text


def test_eml_with_a_sender_that_makes_no_sense() -> None:
    read = read_eml(b"From: a: b: <x@example.org>;,;\r\nTo: <<<>>,\r\nSubject: Hello\r\n\r\nWords.\r\n")
    assert read.title == "Hello"
    assert read.text.endswith("Words.")


def test_epub_chapters_in_the_order_of_the_spine(tmp_path: Path) -> None:
    path = documents.write_epub(tmp_path / "a.epub", "R&D", [("One", "First."), ("Two", "Second & last.")])
    read = read_epub(path.read_bytes())
    assert read.text == "# One\n\nFirst.\n\n# Two\n\nSecond & last."
    assert (read.title, read.language, read.metadata) == ("R&D", "en", {"author": "Ann"})
