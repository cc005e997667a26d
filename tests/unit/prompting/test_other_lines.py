"""Lines that begin otherwise."""

from __future__ import annotations

import re

import pytest

from workbench.techniques.decoding.formats import check_format
from workbench.techniques.prompting.other_lines import beginnings, line_unlike

TAKEN = ("Find the price of the book.", "find it", "Add 3 and 5.", "[note] think", "- Guess")


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("Count the pens.", True), ("Fill in the price.", True), ("Finish it.", True), ("Ask for it.", True),
        ("Find the price of the pen.", False), ("FIND the price.", False), ("Finding it is easy.", False),
        ("add both", False), ("Adding up", False), ("[note] more", False), ("- Count", False), (" Count", False),
        ("Count\nthem", False), ("3 + 5 = 8", True), ("Où est-ce ?", True),
    ],
)  # fmt: skip
def test_a_line_begins_with_none_of_the_beginnings(line: str, allowed: bool) -> None:
    pattern = line_unlike(TAKEN)
    assert (re.fullmatch(pattern, f"{line}\n") is not None) == allowed
    check = check_format("regex", pattern, f"{line}\n")
    assert not check.problem
    assert (check.text_problem == "") == allowed


def test_without_others_any_line_may_be() -> None:
    assert re.fullmatch(line_unlike(()), "Find it.\n")
    assert beginnings(("", "  ", "Über alles", "Calculate it")) == {"über", "calcu"}
