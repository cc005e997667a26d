"""Two values put together, where a question asks for it: their difference, sum or product, or the days between dates.

Of all pairs of amounts that can be put together the one is taken that fits best: the question's words stand around
both, weighted by their rarity; the parts of the sentences that they stand in are alike but for the words that tell them
apart; for a difference they are of like size; and where money is asked for they are money. A number of the question
itself ("for three nights") is multiplied by a price of one of these. Half of the results are right
(docs/benchmarks.md): none is shown without its places, and without a mark only one that has most of the probability.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import combinations

import msgspec
from msgspec import Struct

from workbench.records.messages import Passage
from workbench.techniques.retrieval.abstention import Sentence
from workbench.techniques.retrieval.question_parts import Combination, Factor
from workbench.techniques.retrieval.quoting import Quotes, quote_spans
from workbench.text.normalisation.units import CURRENCIES, UNITS
from workbench.text.terms import Vocabulary
from workbench.text.values import SAME_LENGTH, Value, find_values

MOST_AMOUNTS = 150
"""Amounts that are compared in pairs."""

LEAST_SHARE = 0.02
"""The least probability of a result among all pairs with which it is shown."""
SURE = 0.85
"""From this share on the result of a difference or a sum is shown without a mark."""
LEAST_RELATED = 0.25
"""The share of the question's words that stand around two amounts, with the strength of their sentences."""

_HARD = re.compile(r"[;•]|(?<![a-zß])\s*\n\s*|\n\s*(?![a-z\d\s])|\.\s")
"""Ends the part of a sentence that belongs to an amount. A line that ends with a small letter goes on in the next."""
_SOFT = re.compile(r"[,:]|\s[-–—]\s|\b(?:and|but|und|aber|et|mais|y|pero)\b")
"""Ends it too, where another amount stands before it: "rooms and breakfast 40 €" is one part."""
_CELL = re.compile(r"\s*\|\s*")
_NUMBERING = re.compile(r"[\s(§]*(?:\d+(?:\.\d+)+\.?\s|\d+[.)]\s|\d+\s+(?=[^\W\d_a-zß]))")
"""The number of a paragraph, before its text."""
_YEAR = re.compile(r"(?:19|20)\d\d")
_MONEY = frozenset(CURRENCIES)
_ASKS_MONEY = re.compile(
    r"euro|€|\$|£|\b(?:price|cost|cheap|dear|rate|offer|paid|pay|worth|net\b|gross|vat|postage|rent|wage|preis|kost|teuer|"
    r"teurer|billig|wert|angebot|rechnung|netto|brutto|miete|gebühr|porto|prix|coût|tarif|cotisation|franchise|loyer|"
    r"precio|cuesta|paga|alquiler|costar)",
    re.IGNORECASE,
)
_TOTAL = re.compile(r"\b(?:total|totals|sum|summe|gesamt\w*|insgesamt|somme|suma|importe total)\b", re.IGNORECASE)
_SMALL = 3  # seldom one of two amounts that are put together
_FARTHEST = 3.0
_DAY = "date"
"""The unit of an amount that is a date, counted in days."""
WEIGHTS = {
    "around": 1.5, "mean around": 0.9, "near both": 2.3, "near one": 1.9, "tells near": 2.1, "tells around": 0.6,
    "strength": 2.8, "least strength": 3.2, "most strength": 2.4, "apart": -3.0, "apart in a sum": 1.6, "alike": 2.6,
    "alike in two documents": 1.8, "money": 1.6, "unit": 1.1, "unit asked": 0.3, "small": -0.6, "one sentence": 1.4,
    "one document": 1.0, "one place": 0.8, "total": 1.3,
}  # fmt: skip
"""Of the features of a pair, rounded from a conditional logistic regression over all pairs of the 22 questions of
benchmarks/offices of which both amounts are found: by office folds the first pair is right in 14 of them."""


class Amount(Struct, frozen=True):
    """An amount in a sentence: ``near`` are the terms of the part of the sentence that it stands in, ``start`` to
    ``end`` of its text, and of the first cell of its row; ``around`` those of the whole sentence and of where its
    passage stands. ``place``: how many amounts stand before it in that part, and how many there are. A date counts its
    days from the year 1. ``ambiguous``: it is no price, and can be read in two ways ("1.935 kg")."""

    number: Decimal
    unit: str
    sentence: Sentence
    start: int
    end: int
    near: frozenset[str]
    around: frozenset[str]
    place: tuple[int, int] = (0, 1)
    text: str = ""
    ambiguous: bool = False

    def shown(self, language: str) -> str:
        return self.text if self.unit == _DAY else _shown(self.number, language)


class Calculation(Struct, frozen=True):
    """One or two amounts, the larger one first, with the ``sign`` between them, and what they come to: ``235 EUR``.
    ``factor`` is the number of the question that one amount is multiplied by. ``share``: of the probability of all
    results that two amounts give, this one's; 0 where no other two can be put together, which tells nothing. Numbers
    are in the style of the ``language``."""

    amounts: tuple[Amount, ...]
    sign: str
    result: str
    factor: Decimal | None = None
    share: float = 0.0
    language: str = ""

    @property
    def is_sure(self) -> bool:
        """Whether it has most of the probability, is of two amounts of one unit, and neither can be read otherwise."""
        units = {one.unit for one in self.amounts}
        return self.share >= SURE and len(units) == 1 and not any(one.ambiguous for one in self.amounts)

    def quoted(self, shown: Sequence[Passage] = ()) -> Quotes:
        """The amounts in the words around them, with their places, and the result; the amounts by themselves where one
        part of a sentence has both."""
        one = self.amounts[0]
        places = list(dict.fromkeys((each.sentence, each.start, each.end) for each in self.amounts))
        quotes = quote_spans(places, shown)
        if len(places) == 1:
            said = one.shown(self.language) if self.factor is None else _shown(self.factor, self.language)
            other = one if self.factor is not None else self.amounts[1]
            text = f"{quotes.text}\n\n{said} {self.sign} {other.shown(self.language)} = {self.result}"
            return msgspec.structs.replace(quotes, text=text)
        first, second = quotes.statements
        before = f"{self.sign} "
        cut = second.start - 1
        moved = msgspec.structs.replace(second, start=second.start + len(before), end=second.end + len(before))
        text = f"{quotes.text[:cut]}{before}{quotes.text[cut:]}\n\n= {self.result}"
        return msgspec.structs.replace(quotes, text=text, statements=(first, moved))


def amounts_of(sentences: Sequence[Sentence], vocabulary: Vocabulary, *, dates: bool = False) -> list[Amount]:
    """The amounts in sentences, those of the first ones first; years and dates are none. With ``dates`` these are the
    only ones."""
    found: list[Amount] = []
    for sentence in sentences:
        text, values = find_values(sentence.text, vocabulary.language)
        values = tuple(one for value in values for one in _columns(text, value))
        as_written = text == sentence.text.translate(SAME_LENGTH)
        around = frozenset(vocabulary.stems(f"{sentence.passage.title} {sentence.passage.context} {text}"))
        decimal = _decimal_sign(sentence.passage.text)
        numbered = _NUMBERING.match(text)
        numbering = numbered.end() if numbered else 0
        key = max(0, text.find(" | "))  # the first cell of a row says which row it is
        read: list[tuple[Value, Decimal]] = []
        for value in values:
            number = _days(value) if dates else _number(value, decimal)
            if number is None:
                continue
            if not dates and not value.unit and (value.end <= max(numbering, key) or _is_no_amount(text, value)):
                continue
            if not dates and _is_heading_of_years(text, value):
                continue
            read.append((value, number))
        cells = " | " in text
        label = frozenset(vocabulary.stems(text[: text.index(" | ")])) if cells else frozenset[str]()
        parts = [_part(text, value, values, cells=cells) for value, _ in read]
        for (value, number), (begin, end) in zip(read, parts, strict=True):
            near = frozenset(vocabulary.stems(text[begin:end])) | label
            span = (begin, end) if as_written else (0, len(sentence.text))
            same = [other.start for (other, _), part in zip(read, parts, strict=True) if part == (begin, end)]
            place = same.index(value.start), len(same)
            unit = _DAY if dates else value.unit
            ambiguous = len(value.readings) > 1 and value.unit not in _MONEY
            found.append(Amount(number, unit, sentence, *span, near, around, place, value.text, ambiguous))
    return found[:MOST_AMOUNTS]


def _part(text: str, value: Value, values: Sequence[Value], *, cells: bool) -> tuple[int, int]:
    """The part of a sentence that a value stands in: its cell, or what belongs to it of a line."""
    hard = [match.span() for match in (_CELL if cells else _HARD).finditer(text) if not _is_inside(match, values)]
    begin = max((after for before, after in hard if before < value.start), default=0)
    end = min((before for before, _ in hard if before >= value.end), default=len(text))
    if not cells:
        last = max((other.end for other in values if begin <= other.start and other.end <= value.start), default=begin)
        soft = [match.span() for match in _SOFT.finditer(text, last, end) if not _is_inside(match, values)]
        if last > begin:
            begin = next((after for before, after in soft if after <= value.start), begin)
        end = min((before for before, _ in soft if before >= value.end), default=end)
    begin += len(text[begin:end]) - len(text[begin:end].lstrip())
    return begin, begin + len(text[begin:end].rstrip())


Pair = tuple[Amount, Amount, dict[str, float]]


def pairs_of(kind: Combination, question: str, weights: Mapping[str, float], amounts: Sequence[Amount]) -> list[Pair]:
    """The pairs of amounts that can be put together, each with what tells how well it fits a question whose terms have
    ``weights``."""
    total = sum(weights.values())
    if not total:
        return []
    _, asked = find_values(question)
    units = {value.unit for value in asked if value.unit}
    numbers = {_number(value) for value in asked}
    money = bool(_ASKS_MONEY.search(question))
    named_total = bool(_TOTAL.search(question))

    def share(terms: frozenset[str]) -> float:
        return sum(weight for term, weight in weights.items() if term in terms) / total

    shares: dict[Amount, tuple[float, float]] = {one: (share(one.near), share(one.around)) for one in amounts}

    def can(one: Amount, other: Amount) -> bool:
        if one.number == other.number or min(one.number, other.number) <= 0 or {one.number, other.number} & numbers:
            return False
        if kind == "product":
            return not (one.unit in _MONEY and other.unit in _MONEY) and _is_near(one, other)
        if money and (one.unit or other.unit) and not {one.unit, other.unit} & _MONEY:
            return False
        if one.unit != other.unit and not (
            (money and {one.unit, other.unit} & _MONEY and not (one.unit and other.unit))
            or (one.sentence == other.sentence and not (one.unit and other.unit))
        ):
            return False
        return shares[one][1] + shares[other][1] > 0

    def features(one: Amount, other: Amount) -> dict[str, float]:
        high, low = max(one.number, other.number), min(one.number, other.number)
        apart = 0.0 if kind == "product" or one.unit == _DAY else min(_FARTHEST, math.log(float(high / low)))
        near, beside = _words(one.near) - weights.keys(), _words(other.near) - weights.keys()
        alike = (1 + len(near & beside)) / (1 + len(near | beside))
        strengths = one.sentence.strength, other.sentence.strength
        one_document = one.sentence.passage.document == other.sentence.passage.document
        sums = bool(_TOTAL.search(one.sentence.text)) and bool(_TOTAL.search(other.sentence.text))
        return {
            "around": share(one.around | other.around),
            "mean around": (shares[one][1] + shares[other][1]) / 2,
            "near both": share(one.near & other.near),
            "near one": share(one.near ^ other.near),
            "tells near": min(share(one.near - other.near), share(other.near - one.near)),
            "tells around": min(share(one.around - other.around), share(other.around - one.around)),
            "strength": sum(strengths) / 2,
            "least strength": min(strengths),
            "most strength": max(strengths),
            "apart": apart,
            "apart in a sum": apart if kind == "sum" else 0.0,
            "alike": alike,
            "alike in two documents": 0.0 if one_document else alike,
            "money": float(money and bool({one.unit, other.unit} & _MONEY)),
            "unit": float(bool(one.unit)),
            "unit asked": float(one.unit in units),
            "small": float(low < _SMALL),
            "one sentence": float(one.sentence == other.sentence),
            "one document": float(one_document),
            "one place": float(one.place == other.place and one.place[1] > 1),
            "total": float(sums and not named_total),
        }

    return [(one, other, features(one, other)) for one, other in combinations(amounts, 2) if can(one, other)]


def fit_of(features: Mapping[str, float]) -> float:
    """How well a pair fits: the higher, the better."""
    return sum(WEIGHTS[name] * value for name, value in features.items())


def calculate(
    kind: Combination, question: str, weights: Mapping[str, float], amounts: Sequence[Amount], language: str = ""
) -> Calculation | None:
    """What the two amounts that fit a question best come to, whose terms have ``weights``; None where no two can be put
    together. ``language``: that of the question."""
    pairs = [
        pair
        for pair in pairs_of(kind, question, weights, amounts)
        if pair[2]["around"] + pair[2]["strength"] >= LEAST_RELATED
    ]
    if not pairs or not kind:
        return None
    fits = [fit_of(features) for _, _, features in pairs]
    best = max(range(len(pairs)), key=lambda place: fits[place])
    one, other, _ = pairs[best]
    same = [_result(kind, *pair[:2]) == _result(kind, one, other) for pair in pairs]
    shares = [math.exp(value - fits[best]) for value in fits]
    share = sum(part for part, agrees in zip(shares, same, strict=True) if agrees) / sum(shares)
    if share < LEAST_SHARE:
        return None
    high, low = (one, other) if one.number >= other.number else (other, one)
    units = [unit for unit in (high.unit, low.unit) if unit]
    if kind == "product":
        units = sorted(units, key=lambda unit: unit not in _MONEY)
    unit = "days" if high.unit == _DAY else units[0] if units else ""
    result = f"{_shown(_result(kind, high, low), language)} {unit}".rstrip()
    return Calculation((high, low), _SIGNS[kind], result, share=share if len(pairs) > 1 else 0.0, language=language)


_SIGNS: dict[Combination, str] = {"difference": "−", "days": "−", "sum": "+", "product": "×"}


def multiply(
    factor: Factor, weights: Mapping[str, float], amounts: Sequence[Amount], vocabulary: Vocabulary, language: str = ""
) -> Calculation | None:
    """The price that fits a question best, of one of what it names a number of, times that number; None without one.
    ``language``: that of the question."""
    total = sum(weights.values())
    noun = vocabulary.stem(factor.noun)
    priced = [one for one in amounts if one.unit in _MONEY and _is_per(one, noun, factor, vocabulary)]
    if not priced or not total:
        return None

    def fit(one: Amount) -> float:
        near, around = (
            sum(weight for term, weight in weights.items() if term in terms) / total for terms in (one.near, one.around)
        )
        return near + around + one.sentence.strength

    best = max(priced, key=fit)
    if fit(best) < 2 * LEAST_RELATED:
        return None
    result = f"{_shown(factor.number * best.number, language)} {best.unit}"
    return Calculation((best,), "×", result, factor.number, language=language)


_PER = r"(?:\b(?:per|an?|each|pro|je|die|der|das|par|la|le|l['’]|por|el|al|cada)\s*|/\s*|\|\s*)"


def _is_per(amount: Amount, noun: str, factor: Factor, vocabulary: Vocabulary) -> bool:
    """Whether a price is one of a piece, an hour or the like, which the question names a number of."""
    text = amount.sentence.text
    for match in re.finditer(_PER + r"(?P<noun>[^\W\d_]+\d?)(?:\s+(?P<more>[^\W\d_]+))?", text, re.IGNORECASE):
        word = match["noun"]
        unit = UNITS.get((word,)) or UNITS.get((word.casefold(),))
        both = UNITS.get((word.casefold(), (match["more"] or "").casefold()))
        if vocabulary.stem(word) == noun or (factor.unit and factor.unit in (unit, both)):
            return True
    return False


_CLOCK = re.compile(r"(?:[01]?\d|2[0-3])\.[0-5]\d")


_COLUMNS = re.compile(r"\d{1,3}(?: \d{3}){2,}")
_COUNTED = re.compile(r" [^\W\d_]{2}")


def _columns(text: str, value: Value) -> list[Value]:
    """A number of three groups and more without a unit as the numbers of a row of columns: "96 114 102 122"; not where
    the word behind it says what it is a number of: "1 234 567 inhabitants"."""
    if value.kind != "amount" or value.unit or not _COLUMNS.fullmatch(value.text) or _COUNTED.match(text, value.end):
        return [value]
    return [
        dataclasses.replace(
            value,
            start=value.start + match.start(),
            end=value.start + match.end(),
            text=match[0],
            readings=frozenset((match[0],)),
        )
        for match in re.finditer(r"\d+", value.text)
    ]


def _is_no_amount(text: str, value: Value) -> bool:
    """Whether a number without a unit is a year, a time, or a sign or a part of one: "004471", "C-14", "25-0574"."""
    if _YEAR.fullmatch(value.text) or _SIGN.fullmatch(value.text) or _is_time(text, value):
        return True
    joined = _JOINED.search(text[: value.start])
    return joined is not None and not joined[1].isdigit()


_SIGN = re.compile(r"0\d+")
_JOINED = re.compile(r"([^\W_]+)[-–/]$")
_TWO_YEARS = re.compile(r"(?<![\d.,])(?:19|20)\d\d\s+(?:19|20)\d\d(?![\d.,])")


def _is_heading_of_years(text: str, value: Value) -> bool:
    """Whether a number is part of a heading of two years such as "EUR 2023 2024", whose unit belongs to the numbers
    below it."""
    return any(match.start() < value.end and value.start < match.end() for match in _TWO_YEARS.finditer(text))


def _is_time(text: str, value: Value) -> bool:
    """Whether a number is a time of the day: "from 17.00 to 20.00"."""
    if not _CLOCK.fullmatch(value.text):
        return False
    following = re.match(r"\s*(?:to|until|bis|à|a|hasta|[-–]|Uhr|h\b)\s*", text[value.end :])
    return bool(following or re.search(r"\d\.\d\d\s*(?:to|until|bis|à|a|hasta|[-–])\s*$", text[: value.start]))


def _is_near(one: Amount, other: Amount) -> bool:
    """Whether two amounts stand in one passage."""
    return one.sentence.passage == other.sentence.passage


def _result(kind: Combination, one: Amount, other: Amount) -> Decimal:
    if kind == "product":
        return one.number * other.number
    return one.number + other.number if kind == "sum" else abs(one.number - other.number)


def _words(terms: frozenset[str]) -> frozenset[str]:
    """Those that are no figures."""
    return frozenset(term for term in terms if not term[0].isdigit())


_STYLES = {"de": (".", ","), "es": (".", ","), "fr": ("\u202f", ",")}
"""The signs for thousands and before decimals, where they are not those of English."""


def _shown(number: Decimal, language: str) -> str:
    """``1,234.5``, in German ``1.234,5``."""
    plain = number.quantize(Decimal(1)) if number == number.to_integral() else number.normalize()
    group, point = _STYLES.get(language, (",", "."))
    return f"{plain:,}".replace(",", "\0").replace(".", point).replace("\0", group)


def _is_inside(match: re.Match[str], values: Sequence[Value]) -> bool:
    return any(value.start <= match.start() < value.end for value in values)


_DECIMALS = re.compile(r"(?<![\w.,:/-])\d+([.,])\d\d(?![\d.,:/-]| ?(?:uhr|h|am|pm|a\.m|p\.m|o'clock)\b)", re.IGNORECASE)


def _decimal_sign(text: str) -> str:
    """The sign before two decimals in the numbers of a text, "" where there are none, or of both."""
    signs = {match.group(1) for match in _DECIMALS.finditer(text)}
    return signs.pop() if len(signs) == 1 else ""


def _number(value: Value, decimal: str = "") -> Decimal | None:
    """The number of an amount; of "84.600", which can be read in two ways, the one with thousands, since few prices
    have three decimals, unless it is a price whose sign is the ``decimal`` one of the numbers beside it."""
    if value.kind != "amount":
        return None
    try:
        numbers = [Decimal(reading) for reading in value.readings]
    except (InvalidOperation, ValueError):
        return None
    is_told = len(numbers) > 1 and bool(decimal) and decimal in value.text and value.unit in _MONEY
    return min(numbers) if is_told else max(numbers)


def _days(value: Value) -> Decimal | None:
    """The day of a date, counted from the year 1; None of a date without its year."""
    if value.kind != "date":
        return None
    for reading in sorted(value.readings):
        year, _, rest = reading.partition("-")
        month, _, day = rest.partition("-")
        try:
            return Decimal(datetime.date(int(year), int(month), int(day)).toordinal())
        except ValueError:
            continue
    return None
