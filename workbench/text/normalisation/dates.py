"""Dates and times of day in the notations of several languages, as one: the day, the month and the year, or 14:30."""

from __future__ import annotations

import re
from typing import Literal

Order = Literal["", "day first", "month first"]
"""How 03/05/2026 is read; "": no date is read at all, and every number and month stands for itself."""

_NAMES = (
    "january jan januar jänner jän janvier janv enero ene gennaio gen janeiro januari",
    "february feb februar février févr fév febrero febbraio fevereiro fev februari",
    "march mar märz mär mrz mars marzo março maart mrt",
    "april apr avril avr abril abr aprile",
    "may mai mayo maggio mag maio mei",
    "june jun juni juin junio giugno giu junho",
    "july jul juli juillet juil julio luglio lug julho",
    "august aug août aoû agosto ago augustus",
    "september sep sept septembre septiembre setiembre settembre set setembro",
    "october oct oktober okt octobre octubre ottobre ott outubro out",
    "november nov novembre noviembre novembro",
    "december dec dezember dez décembre déc diciembre dic dicembre dezembro",
)
MONTHS = {name: number for number, names in enumerate(_NAMES, 1) for name in names.split()}
"""The names of the months and their short forms, casefolded -> 1 to 12."""

LINKS = frozenset(["of", "de", "di", "del", "do", "den", "the", "dei"])
"""Words between the parts of a date."""
ORDINAL = re.compile(r"(\d{1,2})(?:st|nd|rd|th|er|e|o|a|ère|re|te|ten)")

_YEAR = r"[12]\d{3}"
NUMERIC = (
    rf"(?P<y1>{_YEAR})(?P<d1>[-/.])(?P<m1>\d{{1,2}})(?P=d1)(?P<day1>\d{{1,2}})(?![\d-]|[./]\d)"
    rf"|(?P<f2>\d{{1,2}})(?P<d2>[-/.])(?P<s2>\d{{1,2}})(?P=d2)(?P<y2>{_YEAR}|\d\d)(?!\w|[-/.]\d)"
    rf"|(?P<y3>(?:19|20)\d\d)-(?P<m3>0[1-9]|1[0-2])(?![\d-])"
    rf"|(?:(?P<y4>{_YEAR})[年년]\s?)?(?P<m4>\d{{1,2}})[月월](?:\s?(?P<day4>\d{{1,2}})[日일])?"
)
"""A date in digits. Its groups are those that ``parts_of`` reads."""

TIME = (
    r"(?P<hour>[01]?\d|2[0-4])(?::|\s?[hH]\s?|(?=\.[0-5]\d\s?Uhr)\.|[時时点點])(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?"
    r"(?:分|(?:\s?(?P<half>[aApP])\.?\s?[mM]\b\.?|\s?(?:Uhr|uur)\b|(?![0-9A-Za-zÀ-ɏ]|[:.]\d)))"
    r"|(?P<hour2>1[0-2]|0?[1-9])\s?(?P<half2>[aApP])\.?\s?[mM]\b\.?"
)
"""A time of the day."""


def parts_of(found: re.Match[str], order: Order) -> tuple[str, ...]:
    """Day, month and year of a match of ``NUMERIC``, as words; () where it is no date."""
    day, first, second, year = "", "", "", ""
    if found["y1"]:
        year, month, day = found["y1"], found["m1"], found["day1"]
    elif found["y2"]:
        first, second, year = found["f2"], found["s2"], found["y2"]
        if len(year) == 2:  # as POSIX reads it
            year = f"20{year}" if int(year) < 69 else f"19{year}"
        swapped = found["d2"] != "." and order == "month first"
        if int(first) > 12 or int(second) > 12:
            swapped = int(second) > 12
        day, month = (second, first) if swapped else (first, second)
    elif found["y3"]:
        year, month = found["y3"], found["m3"]
    else:
        year, month, day = found["y4"] or "", found["m4"], found["day4"] or ""
    return date_words(int(day) if day else 0, int(month), int(year) if year else 0)


def date_words(day: int, month: int, year: int) -> tuple[str, ...]:
    """A date as words, in the order in which a shorter one stands in a longer one; 0 is left out, () is no date."""
    if not 1 <= month <= 12 or day > 31:
        return ()
    return (*([str(day)] if day else []), f"month {month}", *([str(year)] if year else []))


def time_word(found: re.Match[str]) -> str:
    """A match of ``TIME`` as 14:30; "" where it is none."""
    hour, minute = int(found["hour"] or found["hour2"]), int(found["minute"] or 0)
    half = (found["half"] or found["half2"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return ""
        hour = hour % 12 + (12 if half == "p" else 0)
    return f"{hour}:{minute:02}" + (f":{found['second']}" if found["second"] else "")
