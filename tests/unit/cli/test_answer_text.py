"""Quoted rows of tables in the terminal."""

from __future__ import annotations

from typing import Any

from workbench.cli.answer_text import answer_text


def citation(n: int, columns: str = "") -> dict[str, Any]:
    """A citation of a row; ``columns`` are the names of its table's columns."""
    places = [[0, "columns", columns, 0]] if columns else []
    return {
        "n": n, "collection": "c", "document": "d", "document_hash": "h", "path": "/rates.xlsx", "title": "Rates",
        "start": 0, "end": 9, "text": "", "places": places,
    }  # fmt: skip


def test_rows_of_the_same_columns_are_one_aligned_table() -> None:
    text = (
        "These are the rates:\n“Kind: Joiner | Price: 62” [1]\n\n“> Kind: 学徒 | Price: 39” [1]\n\n"
        "Both without tax.\nDay: Monday | Doors: 9\nDay: Tuesday | Doors: closed"
    )
    assert answer_text(text, [citation(1)], 40).split("\n") == [
        "These are the rates:",
        "Kind    Price",
        "------  ------",
        "Joiner  62 [1]",
        "学徒    39 [1]",
        "",
        "Both without tax.",
        "Day      Doors",
        "-------  ------",
        "Monday   9",
        "Tuesday  closed",
    ]


def test_a_row_without_names_has_those_of_what_it_cites() -> None:
    shown = answer_text("Monday | closed [2]", [citation(1), citation(2, "Day | Showroom")], 40)
    assert shown == "Day     Showroom\n------  ----------\nMonday  closed [2]"
    assert answer_text("Monday | closed [1]", [citation(1)], 40) == "Monday | closed [1]"


def test_a_row_that_is_too_wide_stands_below_each_other() -> None:
    text = "Name: Westkapelle | Height: 52 | Built: 1470 [1]\n\nName: Cadzand | Height: 30 | Built: 1900 [1]\n\nSo far."
    assert answer_text(text, [citation(1)], 20).split("\n") == [
        "Name    Westkapelle",
        "Height  52",
        "Built   1470 [1]",
        "",
        "Name    Cadzand",
        "Height  30",
        "Built   1900 [1]",
        "",
        "So far.",
    ]


def test_code_and_words_stay_as_they_are() -> None:
    for text in ("No row.", "Say `a: b | c: d` here.", "```\na: b | c: d\n```"):
        assert answer_text(text, [], 80) == text
