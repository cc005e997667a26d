from __future__ import annotations

import pytest

from workbench.reading.reader_calls import ReadDocument
from workbench.records.documents import Chunk
from workbench.techniques.retrieval.passage_context import ContextSource, document_line, find_headings, table_head


def count_words(text: str) -> int:
    return len(text.split())


def document(
    text: str,
    kind: str = "docx",
    title: str = "Boat rules",
    path: str = "/club/rules.docx",
    metadata: dict[str, str] | None = None,
) -> ReadDocument:
    return ReadDocument(path=path, kind=kind, title=title, text=text, hash="", bytes=0, metadata=metadata or {})


def contexts(read: ReadDocument, *passages: str, most: int = 40) -> list[str]:
    source = ContextSource(read, count_words, most)
    starts = [read.text.index(passage) for passage in passages]
    chunks = [Chunk(start=start, end=start + len(one)) for start, one in zip(starts, passages, strict=True)]
    return [chunk.context for chunk in source.with_contexts(chunks)]


def test_a_passage_knows_the_headings_above_it() -> None:
    text = (
        "# Boat rules\n\nIn force.\n\n## Damage\n\n### Reporting\n\nWithin a day.\n\n## Guests\n\nOnly with a member."
    )
    read = document(text)
    found = contexts(read, "In force.", "Within a day.", "## Guests\n\nOnly", "Only with a member.")
    title = "Boat rules"
    assert found == [title, f"{title} > Damage > Reporting", title, f"{title} > Guests"]


def test_a_heading_after_the_head_of_a_page_closes_the_one_before() -> None:
    text = "1 Machines\nThe saw is loud.\n1.1 Saw\nBlades last a month.\n\fManual, page 2\n2 Stairs\nOak only."
    read = document(text, "pdf", "Manual", "/Manual.pdf")
    assert contexts(read, "Blades last", "Manual, page 2\n2 Stairs\nOak only.", "Oak only.") == [
        "Manual > 1 Machines > 1.1 Saw",
        "Manual",
        "Manual > 2 Stairs",
    ]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("markdown", "# One\n```\n# not one\n```\n## Two ##\n", [(1, "One"), (2, "Two")]),
        ("rst", "Title\n=====\n\nScope\n-----\n\nEnd\n=====\n", [(1, "Title"), (2, "Scope"), (1, "End")]),
        ("pdf", "1 Scope\n2 boards were cut.\n1.1 Terms\n7 Far ahead\n2 Price\n", ["1 Scope", "1.1 Terms", "2 Price"]),
        ("text", "§ 1 Mietsache\n§ 2 Mietzeit\n3.400 Euro im Monat\n", ["§ 1 Mietsache", "§ 2 Mietzeit"]),
        ("text", "1. The fee is due at the end of each month.\n", []),
        ("csv", "# Name,Age\n", []),
    ],
)
def test_headings(kind: str, text: str, expected: list[object]) -> None:
    found = find_headings(text, kind)
    marked = kind in ("markdown", "rst")
    assert [(one.level, one.text) if marked else one.text for one in found] == expected


@pytest.mark.parametrize(
    ("title", "path", "expected"),
    [
        ("Dome rules", "/Dome rules 2025-02.docx", "Dome rules 2025-02"),
        ("Terms, version 4", "/terms v4 (2023).docx", "Terms, version 4 (terms v4 (2023))"),
        ("eintritt_2022", "/eintritt_2022.txt", "eintritt 2022"),
        ("Satzung des Vereins", "/satzung.docx", "Satzung des Vereins"),
        ("Satzung", "/00-17.docx", "Satzung"),
        ("00-17", "/00-17.txt", ""),
    ],
)
def test_title_is_joined_with_what_the_name_of_the_file_adds(title: str, path: str, expected: str) -> None:
    assert document_line(document("x", title=title, path=path)) == expected


def test_a_message_is_named_by_its_subject_sender_and_day() -> None:
    sent = {"author": "Carla Thiemann <c@post.example>", "created": "Mon, 29 Sep 2025 19:20:44 +0200"}
    read = document("Subject: x", "eml", "AW: Re: Kitchen, order 17", "/AW_ Kitchen.eml", sent)
    assert document_line(read) == "Kitchen, order 17, Carla Thiemann, 29 September 2025"
    assert document_line(document("x", "eml", "Kitchen", "/a.eml", {"created": "soon"})) == "Kitchen"


def test_rows_keep_the_head_of_their_table() -> None:
    text = (
        "# Stock\n\nOak | 3 | A\nName | Boards\n\nNo. | Wood | Dates\nfrom | to\nH01 | oak | 2025\nH02 | ash | 2025\n"
    )
    read = document(text, "xlsx", "Store", "/Store.xlsx")
    assert contexts(read, "H02 | ash") == ["Store > Stock\nNo. | Wood | Dates / from | to"]
    assert contexts(read, "No. | Wood") == ["Store > Stock"]


def test_rows_that_name_their_columns_need_no_head() -> None:
    assert table_head("No.: 1 | Wood: oak\nNo.: 2 | Wood: ash", 19) == ""
    assert table_head("Prose before.\nH01 | oak | 250", 14) == ""
    assert table_head("2023 | 2024\n17 | 18", 12) == ""


def test_head_of_a_markdown_table() -> None:
    text = "| Wood | Price |\n|---|---|\n| oak | 3 |\n| ash | 2 |"
    assert table_head(text, text.index("| ash")) == "Wood | Price"


def test_a_long_context_loses_its_middle_first_and_is_cut_at_last() -> None:
    text = "# A b c\n\n## D e f\n\n### G h i\n\nThe text."
    assert contexts(document(text, title="Title", path="/Title.docx"), "The text.", most=5) == ["Title > G h i"]
    assert contexts(document(text, title="Title", path="/Title.docx"), "The text.", most=4) == ["Title > G h"]


def test_a_plain_text_of_an_unnamed_file_has_no_context() -> None:
    source = ContextSource(document("Some text.", "text", "00-17", "/00-17.txt"), count_words, 40)
    assert source.most_tokens == 0
    assert ContextSource(document("Some text.", "text"), count_words, 40).most_tokens == 40
