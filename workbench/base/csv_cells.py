"""Lines of CSV files in which no text is taken for a formula by a spreadsheet.

After OWASP, "CSV Injection" (https://owasp.org/www-community/attacks/CSV_Injection): a text that begins like a formula
gets an apostrophe, and every text is in quotes, so that no other separator divides it. Numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_NUMBER = re.compile(r"[-+]?\d+(?:[.,'\u00a0\u202f]\d+)*\s?%?")


def csv_line(values: Iterable[object]) -> str:
    """A line of the file, with its end."""
    made = io.StringIO()
    csv.writer(made, quoting=csv.QUOTE_NONNUMERIC).writerow([_cell(value) for value in values])
    return made.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    if not isinstance(value, str) or not value.lstrip(" ").startswith(_FORMULA) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"
