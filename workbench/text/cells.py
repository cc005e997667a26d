"""The values of table cells: numbers and times in the styles of several countries, dates, units.

"1.234,50 €", "1,234.50", "12 345,6", "(120)", "-5 %"; "2025-03-14", "14.03.2025", "14/3/25", "14 March 2025",
"3. März 2025", "May 3, 2025". Nothing here knows a table.
"""

from __future__ import annotations

import datetime
import math
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from statistics import median

LONGEST_VALUE = 40
"""Characters of a cell that may be a number or a date; a longer one is text."""

_MONTH_NAMES = (
    "january jan januar jänner janvier janv enero ene",
    "february feb februar février févr fév febrero",
    "march mar märz mrz mars marzo",
    "april apr avril avr abril abr",
    "may mai mayo",
    "june jun juni juin junio",
    "july jul juli juillet juil julio",
    "august aug août agosto ago",
    "september sep sept septembre septiembre setiembre",
    "october oct oktober okt octobre octubre",
    "november nov novembre noviembre",
    "december dec dezember dez décembre déc diciembre dic",
)
EMPTY = frozenset({"", "-", "–", "—", "--", "n/a", "n.a.", "k.a.", "k. a.", "?", "/", "."})
"""Cells that say that there is no value."""

_LIKE_SIZE = 0.5
"""By so many powers of ten must numbers be nearer to those beside them with thousands than with decimals."""

_CURRENCY = r"(?:€|EUR|£|GBP|US\$|\$|USD|CHF|SFr\.?|Fr\.|[¥₹]|JPY|INR|zł|PLN|Kč|CZK|SEK|DKK|NOK|kr\.?)"
_DIGITS = r"\d+(?:[.,'’\u00a0\u202f ]\d+)*"
_NUMBER = re.compile(
    rf"(?P<bracket>\()?\s*(?P<sign>[-+−–])?\s*(?P<before>{_CURRENCY})?\s*(?P<sign2>[-−–])?\s*(?P<digits>{_DIGITS})"
    rf"(?:[.,][-–]+)?\s*(?P<after>[^\d\s(),;:][^\d\s(),;:]{{0,11}}[23]?)?\s*(?P<minus>[-−])?\s*\)?",
    re.I,
)
_GROUPED = re.compile(r"\d{1,3}(?P<sign>[.,'’\u00a0\u202f ])\d{3}(?:(?P=sign)\d{3})*")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\d{1,2}:\d{2}(?::\d{2})?)?")
_DAY_FIRST = re.compile(r"(\d{1,2})([./-]) ?(\d{1,2})\2 ?(\d{4}|\d{2})")
_TIME = re.compile(r"(\d{1,3}):(\d{2})(?::(\d{2}))?(?:\s*(?:h|uhr))?", re.I)


def folded(text: str) -> str:
    """Lower case, without accents and with "ss" for "ß"."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


@cache
def months() -> dict[str, int]:
    """Folded names of months in English, German, French and Spanish, and their short forms: 1 to 12."""
    return {folded(name): number for number, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}


@cache
def _named_dates() -> tuple[re.Pattern[str], re.Pattern[str]]:
    names = "|".join(sorted(map(re.escape, months()), key=len, reverse=True))
    return (
        re.compile(rf"(\d{{1,2}})(?:\.|st|nd|rd|th|er)? ?(?:of |de )?({names})\.?,? ?(?:del? )?(\d{{4}}|\d{{2}})"),
        re.compile(rf"({names})\.? (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})"),
    )


def number_of(text: str, comma: bool = False) -> tuple[float, str] | None:
    """The number of a cell and its unit ("" without one), or None where it is none. A name such as "007" or "4.2.1" is
    none. ``comma``: "1.234" is a thousand."""
    text = text.strip()
    if not text or len(text) > LONGEST_VALUE:
        return None
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    value = _digits_value(match["digits"], comma)
    if value is None:
        return None
    unit = unit_name(match["before"] or match["after"] or "")
    if match["after"] and not _known_unit(match["after"]):
        return None  # "1x", "19 August"
    negative = bool(match["bracket"] or match["minus"]) or (match["sign"] or match["sign2"] or "+") in "-−–"
    return (-value if negative else value), unit


def _digits_value(digits: str, comma: bool) -> float | None:
    """The value of "1.234,5" in either style; None for what is no number."""
    bare = re.sub(r"['’\u00a0\u202f ]", "", digits)
    if " " in digits or "\u00a0" in digits or "\u202f" in digits or "'" in digits or "’" in digits:
        whole = re.split(r"[.,]", digits)[0]
        if not _GROUPED.fullmatch(whole):
            return None
    signs = [sign for sign in bare if sign in ".,"]
    if not signs:
        return None if len(bare) > 1 and bare[0] == "0" else float(bare)
    last = max(bare.rfind("."), bare.rfind(","))
    before, after = re.sub("[.,]", "", bare[:last]), bare[last + 1 :]
    if len(before) > 1 and before[0] == "0":
        return None
    if len(set(signs)) == 2:
        grouped = bare[:last]
        return float(f"{before}.{after}") if _GROUPED.fullmatch(grouped) or len(signs) == 1 else None
    if len(signs) > 1:
        return float(before + after) if _GROUPED.fullmatch(bare) else None
    if len(after) == 3 and _GROUPED.fullmatch(bare) and before != "0":
        grouping = "." if comma else ","
        return float(before + after) if signs[0] == grouping else float(f"{before}.{after}")
    return float(f"{before}.{after}")


def comma_votes(text: str) -> int:
    """1 when a cell can only be a number with a decimal comma, -1 with a decimal point, 0 when it tells nothing."""
    match = _NUMBER.fullmatch(text.strip()[:LONGEST_VALUE])
    if match is None:
        return 0
    digits = match["digits"]
    signs = [sign for sign in digits if sign in ".,"]
    if not signs:
        return 0
    last = signs[-1]
    after = digits[digits.rfind(last) + 1 :]
    if len(set(signs)) == 2 or (len(signs) == 1 and (len(after) != 3 or digits.startswith("0"))):
        return 1 if last == "," else -1
    return 0 if len(signs) == 1 else (1 if last == "." else -1)


def comma_style(texts: Sequence[str], *, stored: bool = False) -> int:
    """What a column tells of the style of its numbers: 1 that they have a decimal comma, -1 a decimal point, 0 nothing.

    Where each could be read in either, "1.935" beside "994" tells it: so long numbers have a sign for thousands, and
    shorter ones none. "3.141" beside "100" does not: neither reading makes numbers of like size of them. Numbers that a
    file has ``stored`` are written without one."""
    votes = sum(map(comma_votes, texts))
    if votes or stored:
        return (votes > 0) - (votes < 0)
    digits = [match["digits"] for text in texts if (match := _NUMBER.fullmatch(text.strip()[:LONGEST_VALUE]))]
    signs = {match["sign"] for one in digits if (match := _GROUPED.fullmatch(one))} & {".", ","}
    lengths = {len(one) for one in digits if one.isdigit()}
    if len(signs) != 1 or 3 not in lengths or max(lengths) > 3:
        return 0
    whole = [math.log10(int(one)) for one in digits if one.isdigit() and int(one)]
    grouped = median(math.log10(max(1, int(re.sub(r"\D", "", one)))) for one in digits if _GROUPED.fullmatch(one))
    if not whole or abs(grouped - median(whole)) + _LIKE_SIZE > abs(grouped - 3 - median(whole)):
        return 0
    return 1 if signs == {"."} else -1


def date_of(text: str, *, month_first: bool = False) -> datetime.date | None:
    """The date of a cell, or None where it is none; a time after it is left out."""
    text = text.strip()
    if not text or len(text) > LONGEST_VALUE:
        return None
    if match := _ISO.fullmatch(text):
        return _date(match[1], match[2], match[3])
    if match := _DAY_FIRST.fullmatch(text):
        first, second = (match[3], match[1]) if month_first and match[2] == "/" else (match[1], match[3])
        return _date(match[4], second, first)
    if not text[0].isalnum() or not any(sign.isalpha() for sign in text):
        return None
    day_first, name_first = _named_dates()
    plain = folded(text)
    if match := day_first.fullmatch(plain):
        return _date(match[3], months()[match[2]], match[1])
    if match := name_first.fullmatch(plain):
        return _date(match[3], months()[match[1]], match[2])
    return None


def _date(year: str | int, month: str | int, day: str | int) -> datetime.date | None:
    number = int(year)
    try:
        return datetime.date(number + 2000 if number < 100 else number, int(month), int(day))
    except ValueError:
        return None


def time_of(text: str) -> float | None:
    """A time of day or a duration ("9:15", "37:30:00") in minutes, or None."""
    match = _TIME.fullmatch(text.strip()[:LONGEST_VALUE])
    if match is None or int(match[2]) > 59:
        return None
    return int(match[1]) * 60 + int(match[2]) + int(match[3] or 0) / 60


_UNITS = {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "gbp": "GBP", "$": "USD", "us$": "USD",
    "usd": "USD", "chf": "CHF", "fr.": "CHF", "sfr": "CHF", "sfr.": "CHF", "¥": "JPY", "jpy": "JPY", "₹": "INR",
    "inr": "INR", "zł": "PLN", "pln": "PLN", "kč": "CZK", "czk": "CZK", "sek": "SEK", "dkk": "DKK", "nok": "NOK",
    "kr": "kr", "kr.": "kr", "%": "%", "percent": "%", "prozent": "%",
    "kg": "kg", "g": "g", "t": "t", "m": "m", "m²": "m²", "m2": "m²", "qm": "m²", "sqm": "m²", "m³": "m³", "m3": "m³",
    "cbm": "m³", "km": "km", "cm": "cm", "mm": "mm", "l": "l", "ltr": "l", "ml": "ml", "h": "h", "hrs": "h", "std": "h",
    "min": "min", "s": "s", "kwh": "kWh", "mwh": "MWh", "kw": "kW", "w": "W", "°c": "°C", "°": "°", "a": "A", "v": "V",
    "bar": "bar", "pcs": "pcs", "stk": "Stk", "stück": "Stück", "inch": "inch", "deg": "deg", "km/h": "km/h",
    "l/min": "l/min", "liter": "l", "litres": "l", "litre": "l", "days": "days", "tage": "Tage", "hours": "h",
    "stunden": "h", "minutes": "min", "minuten": "min", "gb": "GB", "mb": "MB", "tb": "TB",
}  # fmt: skip
_PER = re.compile(r"(.{1,6}?) ?(?:/|je|pro|per|par|por) ?(.{1,8})", re.I)
_PER_WORDS = frozenset({"je", "pro", "per", "par", "por", "/"})
_BRACKETED = re.compile(r"^(.*?)[\s,]*[(\[]\s*(?:in\s+)?([^()\[\]]{1,16}?)\s*[)\]]\s*$")


def unit_name(text: str) -> str:
    """A unit in its usual form ("€" is "EUR"); any other word as it stands."""
    text = text.strip()
    return _UNITS.get(text.casefold(), text)


def unit_in(name: str) -> str:
    """The unit that a column's name states ("Amount (EUR)", "Preis €/m²", "EUR charged"), or ""."""
    bracketed = _BRACKETED.match(name)
    if bracketed is not None and (unit := _known_unit(bracketed[2])):
        return unit
    words = name.replace("_", " ").split()
    dated = len(words)
    while len(words) > 1 and (date_of(words[-1]) is not None or re.fullmatch(r"(?:19|20)\d\d", words[-1])):
        words.pop()  # "Gas kWh 2024"
    if len(words) < dated and len(words[-1]) == 1 and words[-1].isupper():
        words.pop()  # "Group A 2024"
    for place in range(len(words) - 2):  # "€ je Liter"
        if words[place + 1].casefold() in _PER_WORDS and (unit := _known_unit(" ".join(words[place : place + 3]))):
            return unit
    for place in dict.fromkeys((len(words) - 1, 0)):
        is_per = place > 0 and words[place - 1].casefold() in _PER_WORDS
        if words and not is_per and (unit := _known_unit(words[place])):
            return unit
    return next((unit for word in words if word in ("€", "EUR", "CHF", "£", "%") and (unit := _known_unit(word))), "")


def _known_unit(text: str) -> str:
    whole = _UNITS.get(text.strip().casefold())
    if whole is not None:
        return whole
    per = _PER.fullmatch(text.strip())
    if per is not None and (left := _UNITS.get(per[1].strip().casefold())) is not None:
        return f"{left}/{_UNITS.get(per[2].strip().casefold(), per[2].strip())}"
    return ""


def is_empty(text: str) -> bool:
    """Whether a cell has no value, or a sign that says so."""
    return text.strip().casefold() in EMPTY
