"""Sections, headings and units of documents as they are read."""

from __future__ import annotations

import msgspec

from tests.fakes import document_text
from workbench.records.documents import DocumentText
from workbench.techniques.retrieval.outline import Section, read_outline
from workbench.techniques.retrieval.quoted_summary import shared_path

MARKED = """# Warehouse rules

Valid from 15 September 2025. Replaces the version of 2021.

## 1. Access

- Visitors report to the office.
- Drivers stay on the ramp.

## 2. Rates

Lane: Ravensiel - Ostrava | Full load EUR: 1,320
Lane: Ravensiel - Hallum | Full load EUR: 540

Hall | Hours
A | daily
B | weekly
"""

PDF = """Manual of the workshop
Page 1
1 Machine room
Only people with an entry in the machine passport may use a machine
alone. The passports hang beside the door.
1.1 Table saw
• Blade for solid wood: 24 teeth
• Push stick for every cut narrower than 120 mm, also where it is in the
way
2 Timber
Use Moisture Limit
Stairs 8 % 9 %
Windows 12 % 15 %
If one of the boards is above the limit of the table, the whole pack is put

Manual of the workshop
Page 2
aside with a red ribbon.
3 Gluing
Below 12 degrees nothing is glued, neither in summer nor in the cold winter.
"""


def outline(text: str, kind: str = "docx", pages: tuple[int, ...] = ()) -> tuple[Section, ...]:
    document = document_text(text)
    described = msgspec.structs.replace(document.document, kind=kind)
    return read_outline(msgspec.structs.replace(document, document=described, page_starts=pages))


def texts(section: Section) -> list[str]:
    return [unit.text for unit in section.units]


def test_marked_headings_make_sections_with_their_paths() -> None:
    found = outline(MARKED)
    assert [section.path for section in found] == [
        ("Warehouse rules",), ("Warehouse rules", "1. Access"), ("Warehouse rules", "2. Rates"),
    ]  # fmt: skip
    assert texts(found[0]) == ["Valid from 15 September 2025.", "Replaces the version of 2021."]
    assert texts(found[1]) == ["Visitors report to the office.", "Drivers stay on the ramp."]


def test_rows_know_the_head_that_stands_in_a_line_of_its_own() -> None:
    rows = outline(MARKED)[2].units
    assert [unit.kind for unit in rows] == ["row"] * 4
    assert [unit.head for unit in rows] == ["", "", "Hall | Hours", "Hall | Hours"]


def test_units_stand_where_they_say() -> None:
    for section in outline(MARKED):
        for unit in section.units:
            assert unit.text in MARKED[unit.start : unit.end]


def test_pdf_has_numbered_headings_and_no_running_heads() -> None:
    found = outline(PDF, "pdf", (0, PDF.index("Manual of the workshop\nPage 2")))
    assert [section.path for section in found] == [
        ("1 Machine room",), ("1 Machine room", "1.1 Table saw"), ("2 Timber",), ("3 Gluing",),
    ]  # fmt: skip
    assert texts(found[1])[1] == "Push stick for every cut narrower than 120 mm, also where it is in the way"
    assert texts(found[2])[:3] == ["Use Moisture Limit", "Stairs 8 % 9 %", "Windows 12 % 15 %"]
    assert texts(found[2])[3].endswith("the whole pack is put aside with a red ribbon.")


def test_lines_of_notes_stay_whole() -> None:
    notes = (
        "PHONE NOTES\n\nmo 3.11. 7.10 Anneke: truck to Ostrava on Wednesday. Ostrava is told.\n"
        "di 4.11. 8.05 workshop: needs new discs. Promised.\nmi 5.11. 6.55 Jana: an hour late.\n"
    )
    (section,) = outline(notes, "text")
    assert texts(section)[0] == "mo 3.11. 7.10 Anneke: truck to Ostrava on Wednesday. Ostrava is told."
    assert [unit.kind for unit in section.units] == ["row"] * 3


def test_list_below_a_line_with_a_colon_is_a_section() -> None:
    text = "The night was cold.\n\nwhat is missing in the dome:\n- a torch\n- a chair\n\nThe next night was warm.\n"
    found = outline(text, "markdown")
    assert [(section.title, texts(section)) for section in found][1] == (
        "what is missing in the dome", ["a torch", "a chair"],
    )  # fmt: skip


def test_head_and_marks_of_a_mail_are_left_out() -> None:
    mail = (
        "From: Mila <mila@example.org>\nTo: Callum\n\nWe take the oak.\n\n> On 9 October he wrote:\n> The kiln broke.\n"
    )
    said = [text for section in outline(mail, "eml") for text in texts(section)]
    assert "We take the oak." in said
    assert not any(text.startswith((">", "From:", "To:")) for text in said)


def test_empty_document_has_no_section() -> None:
    document: DocumentText = document_text(" \n\n")
    assert read_outline(document) == ()


def test_header_and_footer_of_an_office_file_are_left_out() -> None:
    text = "# Rules\n\n## Pets\n\nOne dog is fine.\n\n## Header\n\nVersion 3\n\n## Footer\n\nThe board\n"
    assert [section.title for section in outline(text)] == ["Pets"]


def test_title_above_all_headings_is_shared_by_the_text_before_it() -> None:
    assert shared_path([(), ("Rules", "Pets"), ("Rules", "Bikes")]) == 1
    assert shared_path([("Pets",), ("Bikes",)]) == 0


def test_an_open_sentence_goes_on_in_small_letters_though_few_lines_are_full() -> None:
    terms = """Terms

1. Length
It lasts 36 months.

2. Claims
Claims must be made in writing, by letter or by e-mail to the office, within 14 days of noticing the
fault. Keep the receipt.

3. Abroad
The warranty holds in Norway.
"""
    said = [unit.text for section in outline(terms, "txt") for unit in section.units]
    end = "within 14 days of noticing the fault."
    assert f"Claims must be made in writing, by letter or by e-mail to the office, {end}" in said
    assert "Keep the receipt." in said
