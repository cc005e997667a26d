"""Values in a text, each with its place: amounts with their units, dates, times of the day, identifiers.

Two notations of a value are equal: ``84.600 €`` and ``EUR 84,600``, ``1. März 2026`` and ``01/03/2026``, ``three
months`` and ``3 Monate``. Where a notation can be read in two ways, as ``84.600`` and ``01/03/2026`` can, the value has
both readings, and is equal to a value that has one of them. Nothing is converted: 5 km is not 5,000 m. The spellings of
numbers, months and units are those of ``workbench.text.normalisation``. Scripts without spaces are not read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from workbench.text.normalisation import dates, units
from workbench.text.normalisation.numbers import NUMBER, shown, value_of, with_spelled_numbers

Kind = Literal["amount", "date", "time", "identifier"]

SAME_LENGTH = str.maketrans(
    {
        **dict.fromkeys("\u00a0\u2007\u2009\u202f", " "), **dict.fromkeys("‐‑–−", "-"), **dict.fromkeys("’‘ʼ´", "'"),
        "²": "2", "³": "3",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Value:
    """A value at ``start`` to ``end`` of a text. ``readings`` are numbers as "84600", dates as "2026-3-1" with 0 for
    what is not said, times as "14:30", or the identifier without its separators. ``unit`` is that of an amount, in the
    spelling of ``workbench.text.normalisation.units``, "" for none; ``implied`` is that of the amount before it, where
    this one ends its clause without a unit ("one stores 74 litres, the other 21")."""

    start: int
    end: int
    kind: Kind
    text: str
    readings: frozenset[str]
    unit: str = ""
    implied: str = ""

    def equals(self, other: Value) -> bool:
        """Whether both are the same value, as far as both say it: a date without its year is equal to one with it, an
        amount without a unit to one with it, and a year to a date in it."""
        if self.kind == other.kind == "date":
            return any(_same_date(one, another) for one in self.readings for another in other.readings)
        if {self.kind, other.kind} == {"date", "amount"}:
            date, amount = (self, other) if self.kind == "date" else (other, self)
            return not amount.unit and any(one.split("-")[0] in amount.readings for one in date.readings)
        if {self.kind, other.kind} == {"time", "amount"}:
            time, amount = (self, other) if self.kind == "time" else (other, self)
            return amount.unit == "h" and any(f"{one}:00" in time.readings for one in amount.readings)
        if self.kind != other.kind or not self.readings & other.readings:
            return False
        return not self.unit or not other.unit or self.unit == other.unit

    def competes(self, other: Value, held: Value) -> bool:
        """Whether ``other`` could stand in this value's place, which ``held`` of a passage is equal to."""
        if self.equals(other):
            return False
        if "date" in (self.kind, held.kind, other.kind):
            return all(one.kind == "date" or _is_year(one) for one in (self, other))
        if self.kind != other.kind:
            return False
        if self.kind != "amount":
            return True
        return other.measure == (self.measure or held.measure) or (bool(self.unit) and not held.unit and not other.unit)

    @property
    def measure(self) -> str:
        """What the unit of an amount, or the implied one, measures, as far as that is known; otherwise the unit."""
        unit = self.unit or self.implied
        return _MEASURES.get(unit, unit)


@lru_cache(maxsize=512)
def find_values(text: str, language: str = "") -> tuple[str, tuple[Value, ...]]:
    """The text with its spelled numbers in digits, and its values, whose places are in that text, in order.
    ``language``: its ISO 639-1 code, "" when unknown."""
    text = with_spelled_numbers(text.translate(SAME_LENGTH), language if language in _SPOKEN else "")
    found: list[Value] = []
    place = 0
    for token in _TOKEN.finditer(text):
        said = token[0]
        if said.isalpha():
            if said.casefold() not in _BEGINNINGS:
                continue
        elif not _MAY_BEGIN.search(said) and _BEGINNINGS.isdisjoint(_LETTERS.findall(said.casefold())):
            continue
        place = max(place, token.start())
        while place < token.end():
            match = _VALUE.match(text, place)
            value = _read(text, match, language) if match else None
            if value is not None:
                found.append(_with_implied_unit(value, found, text))
            place = value.end if value is not None else place + 1
    return text, tuple(found)


# -- parts ---------------------------------------------------------------------------------------------

_MEASURES = {
    unit: measured[0]
    for measured in (
        ("s", "ms", "min", "h", "day", "week", "month", "year"),
        ("m", "nm", "µm", "mm", "cm", "km", "mile", "foot", "inch"),
        ("m2", "cm2", "km2", "ha"),
        ("l", "ml", "m3", "cm3"),
        ("kg", "mg", "g", "t", "lb"),
        units.CURRENCIES,
        ("W", "mW", "kW", "MW", "GW"),
        ("B", "kB", "MB", "GB", "TB"),
        ("%", "‰"),
        ("°C", "°F", "°", "K"),
    )
    for unit in measured
}
_SPOKEN = frozenset(("en", "de", "fr", "es", "it", "pt", "nl"))
_MONTH = "|".join(sorted(map(re.escape, dates.MONTHS), key=len, reverse=True))
_LINK = r"(?:(?:of|de|du|del|di|den|the)\s+)?"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_CURRENCIES = {
    spelling: unit
    for (spelling,), unit in (
        (one, unit) for one, unit in units.UNITS.items() if len(one) == 1 and one[0] in units.CURRENCY_BEFORE
    )
}
_BEFORE = "|".join(sorted(map(re.escape, _CURRENCIES), key=len, reverse=True))
_MAGNITUDE = "|".join(
    sorted((re.escape(" ".join(one)) for one in {**units.MAGNITUDES, **units.LONG_SCALE} if one[0].isascii() or
            one[0][0] < "\u0e00"), key=len, reverse=True)
)  # fmt: skip
_ONE = "one|ein|eine|einen|einem|einer|eines|un|une|uno|una"
_ATTACHED = rf"(?:{units.ATTACHED})(?![^\W_])"
_VALUE = re.compile(
    rf"(?P<iso>(?<![\w.,/-])(?:{dates.NUMERIC}))"
    r"|(?P<phone>(?<![\w.,])(?:\+\d{1,3}|0\d{1,4})(?:[ /-]\d{2,}){1,5}(?![\w]|[.,]\d))"
    rf"|(?P<short>(?<![\w.,])(?P<sd>{_DAY})\.(?P<sm>0?[1-9]|1[0-2])\.(?!\d))"
    rf"|(?P<written>(?<![\w.,])(?P<wd>{_DAY})(?:\.|st\b|nd\b|rd\b|th\b|er\b|º)?\s+{_LINK}(?P<wm>{_MONTH})\b\.?"
    rf"(?:,?\s+{_LINK}(?P<wy>[12]\d{{3}})\b)?)"
    rf"|(?P<american>\b(?P<am>{_MONTH})\.?\s+(?:the\s+)?(?P<ad>{_DAY})(?:st|nd|rd|th)?\b(?!\.?\d)"
    rf"(?:,?\s+(?P<ay>[12]\d{{3}})\b)?)"
    rf"|(?P<month>\b(?P<mm>{_MONTH})\.?,?\s+{_LINK}(?P<my>[12]\d{{3}})\b)"
    rf"|(?P<daymonth>(?<![\w.,/-])(?P<da>\d\d)/(?P<mo>\d\d)(?![\w/-]|[.,]\d))"
    rf"|(?P<spoken>\b(?:(?P<halved>half past|halb)|(?P<quarter>quarter past|viertel nach)"
    r"|(?P<to>quarter to|viertel vor))\s(?P<sh>1[0-2]|[1-9])\b)"
    r"|(?P<dotted>(?<![\w.,:/-])(?P<dh>[01]?\d|2[0-4])\.(?P<dm>[0-5]\d)\s?(?P<dp>[ap])\.?m\b\.?)"
    rf"|(?P<time>(?<![\w.,:/-])(?:{dates.TIME}))"
    rf"|(?P<clock>(?<![\w.,:/-])(?P<oh>[01]?\d|2[0-4])\s?(?:Uhr|o'clock)\b)"
    r"|(?P<identifier>(?<![^\W_])[^\W\d_]{1,6}-\d[\w-]*|(?<![^\W_])[^\W\d_]{1,4}\d[\w-]*)"
    rf"|(?P<single>\b(?:{_ONE})\b)(?=[ -](?!of\b))"
    rf"|(?P<amount>(?<![\w.])(?:(?P<before>US\$|{_BEFORE})\s?)?(?P<minus>(?<!\w)-)?(?P<number>{NUMBER})"
    rf"(?:(?={_ATTACHED})|(?:st|nd|rd|th|er|e|ème|º|ª|s)(?![^\W_])|(?![^\W_])))"
    r"|(?P<other>(?<![\w.,])\d\w+)",
    re.IGNORECASE,
)  # fmt: skip
_TOKEN, _LETTERS, _MAY_BEGIN = re.compile(r"\S+"), re.compile(r"[^\W\d_]+"), re.compile(r"[\d€$£¥₩₹]")
_BEGINNINGS = frozenset(("half", "halb", "quarter", "viertel", *dates.MONTHS, *_CURRENCIES, *_ONE.split("|")))
"""Words with which a value may begin that has no digit there: others are passed over, since most words are."""
_LARGE = re.compile(rf"\s?(?P<power>{_MAGNITUDE})\b\.?", re.IGNORECASE)
_LONGEST = 25
_AMBIGUOUS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_CLAUSE_END, _SENTENCE_END = re.compile(r"\s?(?:[,;.)]|$)"), re.compile(r"[.!?]\s")
_OF = re.compile(r"\s(?:de\s|d')")  # "3 millones de euros"
_UNIT_TOKEN = re.compile(r"\s?(?:-(?=[^\W\d_]))?([^\W\d_]+[23]?(?!\w)|[%‰°€$£¥₩₹])")


def _read(text: str, match: re.Match[str], language: str) -> Value | None:
    kind = next(name for name in _KINDS if match[name] is not None)
    if kind == "amount" or kind == "single":
        return _amount(text, match, language)
    readings: set[str]
    if kind == "phone":
        return _value(match, "identifier", {re.sub(r"\D", "", match[0])})
    if kind in ("identifier", "other"):
        if re.fullmatch(units.ATTACHED, match[0]):
            return None
        return _value(match, "identifier", {re.sub(r"[-_]", "", match[0]).casefold()})
    if kind == "iso":
        orders: tuple[dates.Order, ...] = ("day first", "month first")
        readings = {_dated(dates.parts_of(match, order)) for order in orders} - {""}
    elif kind == "short":
        readings = {f"0-{int(match['sm'])}-{int(match['sd'])}"}
    elif kind in ("written", "american", "month"):
        letter = kind[0]
        day = int(match[f"{letter}d"]) if letter != "m" else 0
        month = dates.MONTHS[match[f"{letter}m"].casefold()]
        readings = {f"{int(match[f'{letter}y'] or 0)}-{month}-{day}"}
    elif kind == "daymonth":
        pairs = [(int(match["da"]), int(match["mo"])), (int(match["mo"]), int(match["da"]))]
        readings = {f"0-{month}-{day}" for day, month in pairs if 1 <= month <= 12 and 1 <= day <= 31}
    elif kind == "dotted":
        hour = int(match["dh"]) % 12 + (12 if match["dp"] in "pP" else 0)
        return _value(match, "time", {f"{hour}:{match['dm']}"})
    elif kind == "spoken":
        hour, minute = int(match["sh"]), 30 if match["halved"] else 15 if match["quarter"] else 45
        if match["to"] or (match["halved"] or "").casefold() == "halb":
            hour -= 1
        return _value(match, "time", {f"{hour % 12}:{minute}", f"{hour % 12 + 12}:{minute}"})
    elif kind == "clock":
        return _value(match, "time", {f"{int(match['oh'])}:00"})
    else:
        word = dates.time_word(match)
        return _value(match, "time", {word}) if word else None
    return _value(match, "date", readings) if readings else None


_KINDS = (
    "daymonth",
    "spoken",
    "dotted",
    "iso",
    "phone",
    "short",
    "written",
    "american",
    "month",
    "time",
    "clock",
    "identifier",
    "single",
    "amount",
    "other",
)


def _value(match: re.Match[str], kind: Kind, readings: set[str]) -> Value:
    return Value(match.start(), match.end(), kind, match[0], frozenset(readings))


def _with_implied_unit(value: Value, before: Sequence[Value], text: str) -> Value:
    last = before[-1] if before else None
    if value.kind != "amount" or value.unit or last is None or last.kind != "amount" or _is_year(value):
        return value
    if not _CLAUSE_END.match(text, value.end) or _SENTENCE_END.search(text, last.end, value.start):
        return value
    return replace(value, implied=last.unit or last.implied)


def _amount(text: str, match: re.Match[str], language: str) -> Value | None:
    end = match.end()
    if match["single"] is not None:
        unit, after = _unit(text, end)
        if not unit or unit in ("m", "s", "h", "l", "t", "g"):
            return None
        return Value(match.start(), after, "amount", text[match.start() : after], frozenset("1"), unit)
    raw = match["number"]
    readings = {value_of(raw, language != "en")}
    if _AMBIGUOUS.fullmatch(raw):
        readings = {value_of(raw, True), value_of(raw, False)}
    if large := _LARGE.match(text, end):
        power = tuple(large["power"].casefold().split())
        factor = (units.LONG_SCALE.get(power) if language in ("de", "fr", "nl", "es", "it") else 0) or (
            units.MAGNITUDES.get(power) or units.LONG_SCALE[power]
        )
        readings = {_times(one, factor) for one in readings}
        end = large.end()
    unit, after = _unit(text, end)
    if match["before"]:
        unit, after = _CURRENCIES.get(match["before"].casefold(), "USD"), end
    if match["minus"]:
        readings = {f"-{one}" for one in readings}
    return Value(match.start(), after, "amount", text[match.start() : after], frozenset(readings), unit)


def _times(reading: str, factor: int) -> str:
    return shown(Decimal(reading) * factor) if len(reading) < _LONGEST else reading


def _unit(text: str, place: int) -> tuple[str, int]:
    """The unit that is spelled from a place on, and the place after it; "" for none."""
    tokens: list[str] = []
    ends: list[int] = []
    at = place
    if link := _OF.match(text, place):
        linked, after = _unit(text, link.end())
        return (linked, after) if linked in _CURRENCIES.values() else ("", place)
    while len(tokens) < units.LONGEST_UNIT and (found := _UNIT_TOKEN.match(text, at)):
        tokens.append(found[1])
        at = found.end()
        ends.append(at)
    for count in range(len(tokens), 0, -1):
        said = tuple(tokens[:count])
        unit = units.UNITS.get(said) or units.UNITS.get(tuple(one.casefold() for one in said))
        if unit:
            return unit, ends[count - 1]
    return "", place


def _dated(parts: tuple[str, ...]) -> str:
    """The parts of ``dates.parts_of`` as year, month and day."""
    day = year = month = 0
    for place, part in enumerate(parts):
        if part.startswith("month "):
            month = int(part[6:])
            day = int(parts[0]) if place else 0
            year = int(parts[-1]) if place + 1 < len(parts) else 0
    return f"{year}-{month}-{day}" if month else ""


def _same_date(first: str, second: str) -> bool:
    pairs = [(a, b) for a, b in zip(first.split("-"), second.split("-"), strict=True) if "0" not in (a, b)]
    return all(a == b for a, b in pairs) and first.split("-")[1] == second.split("-")[1]


def _is_year(value: Value) -> bool:
    return not value.unit and re.fullmatch(r"1[0-9]\d\d|20\d\d", value.text) is not None
