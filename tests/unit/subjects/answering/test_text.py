"""Sentences, terms, sections and tables: the text side of answering."""

from __future__ import annotations

import pytest

from tests.fakes import FakeModelBackend, document_text
from workbench.techniques.retrieval.document_sections import split_sections
from workbench.techniques.retrieval.passages import passages_at
from workbench.techniques.retrieval.tables import find_table_lines, markdown_table, merge_rows, read_rows
from workbench.text.numbers import with_digits
from workbench.text.sentences import is_heading, is_rule, split_sentences
from workbench.text.terms import Vocabulary

COLUMNS = ("Part", "Price")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        (
            "Dr. Reyes met J. Smith in the U.S. Army. They left.",
            ["Dr. Reyes met J. Smith in the U.S. Army.", "They left."],
        ),
        ('He said "go." Then 3.5 kg fell.', ['He said "go."', "Then 3.5 kg fell."]),
        ("Wait... what? Yes.", ["Wait... what?", "Yes."]),
        ("Heading\n\nA line\nthat goes on.", ["Heading", "A line\nthat goes on."]),
        ("1. Open it.\n2. Close it.", ["1. Open it.", "2. Close it."]),
        ("## 1. Technical data\n\nIt pumps.", ["## 1. Technical data", "It pumps."]),
        ("### 2.1. Oil\n\nIt needs none.", ["### 2.1. Oil", "It needs none."]),
        ("你好。再见！", ["你好。", "再见！"]),
        ("Bis zum 31. August 2025. Am 4. Juni nicht.", ["Bis zum 31. August 2025.", "Am 4. Juni nicht."]),
        ("Dipl.-Ing. Falk Neumann zahlt 3 Mio. Euro. Gut.", ["Dipl.-Ing. Falk Neumann zahlt 3 Mio. Euro.", "Gut."]),
        ("Es waren 12. Danach nur 8.", ["Es waren 12.", "Danach nur 8."]),
        ("Am 3. und im 3. Stock. Nr. 5 gilt.", ["Am 3. und im 3. Stock.", "Nr. 5 gilt."]),
        (
            "Order no. KA-77120 was sent. It said no. Then it came.",
            ["Order no. KA-77120 was sent.", "It said no.", "Then it came."],
        ),
        (
            "She has a Ph.D. in physics. Das gilt z. B. für Miete.",
            ["She has a Ph.D. in physics.", "Das gilt z. B. für Miete."],
        ),
        (
            "Workshop manual\nPage 4\n3 Machine room\nOnly people with an entry in the passport may use it. They hang\n"
            "beside the door of the long hall that leads to the machine room of the\nHarbour.",
            [
                "Workshop manual",
                "Page 4",
                "3 Machine room",
                "Only people with an entry in the passport may use it.",
                "They hang\nbeside the door of the long hall that leads to the machine room of the\nHarbour.",
            ],
        ),
        ("To: A. Smith\nCc: B. Jones\n\nHi,\nas I said.", ["To: A. Smith", "Cc: B. Jones", "Hi,\nas I said."]),
        (
            "Fees and charges of the house, valid from January\nItem | Unit | EUR\nGarage | month | 64",
            ["Fees and charges of the house, valid from January", "Item | Unit | EUR", "Garage | month | 64"],
        ),
        ("   ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [text[a:b] for a, b in split_sentences(text)] == expected


def test_headings_are_told_from_what_states_something() -> None:
    text = (
        "Contract: two lifts\nVienna, 2024\n\nDear Ms Lang,\n\nHolidays. Staff have 27 days. No more.\n\n"
        "Total: 12 euros\n\nDelivery in 14 days\n\n- oak\n- ash\n\nThanks"
    )
    found = [text[a:b] for a, b in split_sentences(text) if is_heading(text, a, b)]
    assert found == ["Dear Ms Lang,", "Holidays."]
    titled = "Contract for two lifts\n\nThey are built in Vienna."
    assert is_heading(titled, 0, 22)
    assert not is_heading(titled, 0, 22, document_start=False)


def test_terms_are_compared_without_their_endings() -> None:
    english = Vocabulary("en")
    assert english.content_terms("Which cities were destroyed?") == english.content_terms("destroying the city")[::-1]
    assert english.numbers("twelve of 1,500 or one") == {"12", "1500"}
    assert english.names("When did Luke Kuechly visit Harvard's gym?") == ["luke", "kuechly", "harvard"]
    assert Vocabulary("de").stem("häuser") == Vocabulary("de").stem("haus")


def test_unspaced_text_is_compared_by_pairs() -> None:
    assert Vocabulary("zh").stems("黑死病") == ["黑死", "死病"]


def test_sections_hold_everything_within_the_limit() -> None:
    model = FakeModelBackend()
    text = "\n\n".join(["one two three."] * 5 + ["long " * 30 + "end. And more words here."] + ["x" * 50])
    spans = split_sections(text, 8, model.count_tokens)
    assert all(count <= 8 for count in model.count_tokens([text[a:b] for a, b in spans]))
    assert "".join("".join(text[a:b] for a, b in spans).split()) == "".join(text.split())
    assert len(spans) < 5 + 8


def test_sections_say_their_page() -> None:
    document = document_text("First page.\fSecond page.")
    paged = type(document)(document=document.document, text=document.text, chunks=document.chunks, page_starts=(0, 12))
    assert [(p.n, p.page, p.text) for p in passages_at(paged, [(0, 11), (12, 24)])] == [
        (1, 1, "First page."),
        (2, 2, "Second page."),
    ]


def test_rows_are_read_and_checked_against_the_text() -> None:
    answer = (
        "Here:\n| Part | Price |\n|---|---|\n| Seal | 12 |\n| Rotor | 99 |\n| Ghost | 7 |\n| a | b | c |\nSeal | n/a"
    )
    source = "The seal costs 12 euros. The rotor costs much."
    assert read_rows(answer, COLUMNS, source) == [("Seal", "12"), ("Rotor", ""), ("Seal", "")]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("Part: Seal | Price: 12\nPart: Rotor", [("Seal", "12"), ("Rotor", "")]),
        ("Name | Part | Price\nA | Seal | 12\nB | Rotor | 99\nodd | row", [("Seal", "12"), ("Rotor", "99")]),
        ("| part | price |\n|:---|---:|\n| Seal | 12 |\n\n| a | b |", [("Seal", "12")]),
        ("Part: Seal\nPrice: 12", []),
        ("Part: Seal | Stock: 3", []),
        ("Part | Price\n\nSeal | 12", []),
        ("The part: a seal | the price: high.", []),
    ],
)
def test_lines_of_tables_are_found_by_the_names_of_their_columns(text: str, rows: list[tuple[str, ...]]) -> None:
    lines = find_table_lines(text, COLUMNS)
    assert [line.row for line in lines if line.row is not None] == rows
    assert all("\n" not in text[line.start : line.end] for line in lines)


def test_rows_that_do_not_contradict_are_merged() -> None:
    rows = [(("Seal", "12"), 1), (("Rotor", ""), 1), (("rotor", "99"), 2), (("Seal", "13"), 3), (("Seal", "12"), 3)]
    merged = merge_rows(rows)
    assert merged == [(("Seal", "12"), [1, 3]), (("Rotor", "99"), [1, 2]), (("Seal", "13"), [3])]
    assert markdown_table(COLUMNS, merged[:1]).splitlines() == [
        "| Part | Price |",
        "| --- | --- |",
        "| Seal | 12 [1][3] |",
    ]


def test_each_row_of_a_table_is_a_sentence() -> None:
    text = "Parts, as of April\n\nPart: SP-1 | Name: Seal\nPart: SP-2 | Name: Impeller"
    assert [text[start:end] for start, end in split_sentences(text)] == [
        "Parts, as of April",
        "Part: SP-1 | Name: Seal",
        "Part: SP-2 | Name: Impeller",
    ]


def test_a_rule_and_a_line_in_columns_stand_for_themselves() -> None:
    text = (
        "Rates of the workshop in the year of the move\n---------------------------------------------\n"
        "Joiner, workshop          54.00 EUR\nJoiner, on site           56.00 EUR\n"
        "The rates hold until the end of the year, without\nmaterial.\n=====\nAll rates are net."
    )
    spans = split_sentences(text)
    assert [text[start:end] for start, end in spans] == [
        "Rates of the workshop in the year of the move",
        "---------------------------------------------",
        "Joiner, workshop          54.00 EUR",
        "Joiner, on site           56.00 EUR",
        "The rates hold until the end of the year, without\nmaterial.",
        "=====",
        "All rates are net.",
    ]
    assert [text[start:end] for start, end in spans if is_heading(text, start, end)] == [
        "Rates of the workshop in the year of the move"
    ]


def test_a_long_run_of_marks_is_read_once() -> None:
    text = "Wait" + "." * 200_000 + "x. End."
    assert split_sentences(text) == [(0, len(text) - 5), (len(text) - 4, len(text))]


@pytest.mark.parametrize(
    ("language", "spelled", "digits"),
    [
        ("en", "twenty-five of two hundred and fifty-one", "25 of 251"),
        ("en", "one hundred twenty thousand, in nineteen ninety-eight", "120000, in 1998"),
        ("en", "one or two three", "one or 2 3"),
        ("de", "Zweihunderteinundfünfzig und hunderteins", "251 und 101"),
        ("de", "eine Hundertschaft in tausend Wäldern, dreissig", "eine Hundertschaft in 1000 Wäldern, 30"),
        ("zh", "一九九八年的三百二十人，百分之三十，两千零五个", "1998年的320人，30%，2005个"),
        ("zh", "四川人说十分重要，一个", "四川人说十分重要，一个"),
        ("fr", "six mois", "six mois"),
    ],
)
def test_spelled_numbers_are_put_in_digits(language: str, spelled: str, digits: str) -> None:
    assert with_digits(spelled, language) == digits


@pytest.mark.parametrize(
    ("line", "is_drawn"),
    [
        ("-----", True),
        ("> ---- Forwarded message ----", True),
        (">-==-", True),
        ("-- a", False),
        ("-" * 50_000, True),
        ("-" * 50_000 + "x", False),
        ("--a" + "-" * 50_000 + "|", False),
    ],
)
def test_a_rule_is_told_from_a_sentence_however_long_its_line_is(line: str, is_drawn: bool) -> None:
    assert is_rule(line) is is_drawn
