"""Two values put together: the difference or the sum of two amounts that sentences tell, where a question asks for it.

Of all pairs of amounts with one unit the one is taken that fits best: the question's words stand around both, weighted
by their rarity; the parts of the sentences that they stand in are alike but for the words that tell them apart; for a
difference they are of like size; and where money is asked for they are money. Half of the results are right
(docs/benchmarks.md): none is shown without its two places and a mark.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import combinations

import msgspec
from msgspec import Struct

from workbench.records.messages import Passage
from workbench.techniques.retrieval.abstention import Sentence
from workbench.techniques.retrieval.question_parts import Combination
from workbench.techniques.retrieval.quoting import Quotes, quote_spans
from workbench.text.terms import Vocabulary
from workbench.text.values import SAME_LENGTH, Value, find_values

MOST_AMOUNTS = 150
"""Amounts that are compared in pairs."""

LEAST_SHARE = 0.1
"""The least probability of a result among all pairs with which it is shown."""
LEAST_RELATED = 0.25
"""The share of the question's words that stand around two amounts, with the strength of their sentences."""

_CLAUSE = re.compile(
    r"[,;:•]|(?<![a-zß])\s*\n\s*|\n\s*(?![a-z\d\s])|\.\s|\s[-–—]\s|\b(?:and|but|und|aber|et|mais|y|pero)\b"
)
"""A line that ends with a small letter goes on in the next one."""
_CELL = re.compile(r"\s*\|\s*")
_NUMBERING = re.compile(r"[\s(§]*(?:\d+(?:\.\d+)+\.?\s|\d+[.)]\s|\d+\s+(?=[^\W\d_a-zß]))")
"""The number of a paragraph, before its text."""
_YEAR = re.compile(r"(?:19|20)\d\d")
_MONEY = frozenset(("EUR", "USD", "GBP", "CHF"))
_ASKS_MONEY = re.compile(
    r"euro|€|\$|£|\b(?:price|cost|cheap|dear|rate|offer|paid|pay|worth|net\b|gross|vat|postage|rent|wage|preis|kost|teuer|"
    r"teurer|billig|wert|angebot|rechnung|netto|brutto|miete|gebühr|porto|prix|coût|tarif|cotisation|franchise|loyer|"
    r"precio|cuesta|paga|alquiler)",
    re.IGNORECASE,
)
_SMALL = 3  # seldom one of two amounts that are put together
_FARTHEST = 3.0
WEIGHTS = {
    "around": 1.16, "mean around": 0.5, "near both": 2.0, "near one": 1.5, "tells near": 2.0, "tells around": 0.63,
    "strength": 2.0, "least strength": 2.0, "most strength": 2.0, "apart": -2.4, "apart in a sum": 1.1, "alike": 2.1,
    "alike in two documents": 2.0, "money": 1.2, "unit": 0.85, "unit asked": 0.3, "small": -0.6, "one sentence": 0.5,
    "one document": 0.3,
}  # fmt: skip
"""Of the features of a pair, rounded from a conditional logistic regression over all pairs of 24 questions of
benchmarks/offices: by office folds the first pair is right in 9 to 12 of them. Those of the words near the amounts are
set higher by hand."""


class Amount(Struct, frozen=True):
    """An amount in a sentence: ``near`` are the terms of the part of the sentence that it stands in, ``start`` to
    ``end`` of its text; ``around`` those of the whole sentence and of where its passage stands."""

    number: Decimal
    unit: str
    sentence: Sentence
    start: int
    end: int
    near: frozenset[str]
    around: frozenset[str]


class Calculation(Struct, frozen=True):
    """Two amounts, the larger one first, with the ``sign`` between them, and what they come to: ``235 EUR``."""

    amounts: tuple[Amount, Amount]
    sign: str
    result: str

    def quoted(self, shown: Sequence[Passage] = ()) -> Quotes:
        """Both amounts in the words around them, with their places, and the result; the amounts by themselves where one
        part of a sentence has both."""
        one, other = self.amounts
        same = (one.sentence, one.start, one.end) == (other.sentence, other.start, other.end)
        pieces = [(amount.sentence, amount.start, amount.end) for amount in self.amounts[: 1 if same else 2]]
        quotes = quote_spans(pieces, shown)
        if same:
            text = f"{quotes.text}\n\n{_shown(one.number)} {self.sign} {_shown(other.number)} = {self.result}"
            return msgspec.structs.replace(quotes, text=text)
        first, second = quotes.statements
        before = f"{self.sign} "
        cut = second.start - 1
        moved = msgspec.structs.replace(second, start=second.start + len(before), end=second.end + len(before))
        text = f"{quotes.text[:cut]}{before}{quotes.text[cut:]}\n\n= {self.result}"
        return msgspec.structs.replace(quotes, text=text, statements=(first, moved))


def amounts_of(sentences: Sequence[Sentence], vocabulary: Vocabulary) -> list[Amount]:
    """The amounts in sentences, those of the first ones first; years and dates are none."""
    found: list[Amount] = []
    for sentence in sentences:
        text, values = find_values(sentence.text, vocabulary.language)
        as_written = text == sentence.text.translate(SAME_LENGTH)
        around = frozenset(vocabulary.stems(f"{sentence.passage.title} {sentence.passage.context} {text}"))
        cut_at = _CELL if " | " in text else _CLAUSE  # "Team 1: 8" is one cell
        cuts = [match.span() for match in cut_at.finditer(text) if not _is_inside(match.start(), values)]
        numbered = _NUMBERING.match(text)
        numbering = numbered.end() if numbered else 0
        for value in values:
            number = _number(value)
            if number is None or (not value.unit and (_YEAR.fullmatch(value.text) or value.end <= numbering)):
                continue
            begin = max((after for before, after in cuts if before < value.start), default=0)
            end = min((before for before, _ in cuts if before >= value.end), default=len(text))
            begin += len(text[begin:end]) - len(text[begin:end].lstrip())
            end = begin + len(text[begin:end].rstrip())
            near = frozenset(vocabulary.stems(text[begin:end]))
            place = (begin, end) if as_written else (0, len(sentence.text))
            found.append(Amount(number, value.unit, sentence, *place, near, around))
    return found[:MOST_AMOUNTS]


def calculate(
    kind: Combination, question: str, weights: Mapping[str, float], amounts: Sequence[Amount]
) -> Calculation | None:
    """The difference or sum of the two amounts that fit a question best, whose terms have ``weights``; None where no
    two have one unit."""
    total = sum(weights.values())
    if not total or not kind:
        return None
    _, asked = find_values(question)
    units = {value.unit for value in asked if value.unit}
    numbers = {_number(value) for value in asked}
    money = bool(_ASKS_MONEY.search(question))

    def share(terms: frozenset[str]) -> float:
        return sum(weight for term, weight in weights.items() if term in terms) / total

    def fit(one: Amount, other: Amount) -> float:
        high, low = max(one.number, other.number), min(one.number, other.number)
        apart = min(_FARTHEST, math.log(float(high / low)))
        near, beside = _words(one.near), _words(other.near)
        alike = len(near & beside) / max(1, len(near | beside))
        strengths = one.sentence.strength, other.sentence.strength
        one_document = one.sentence.passage.document == other.sentence.passage.document
        features = {
            "around": share(one.around | other.around),
            "mean around": (share(one.around) + share(other.around)) / 2,
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
        }
        return sum(WEIGHTS[name] * value for name, value in features.items())

    pairs = [
        (one, other)
        for one, other in combinations(amounts, 2)
        if (one.unit == other.unit or (one.sentence == other.sentence and not (one.unit and other.unit)))
        and one.number != other.number
        and min(one.number, other.number) > 0
        and not {one.number, other.number} & numbers
        and not (money and (one.unit or other.unit) and not {one.unit, other.unit} & _MONEY)
        and share(one.around | other.around) + (one.sentence.strength + other.sentence.strength) / 2 >= LEAST_RELATED
    ]
    if not pairs:
        return None
    fits = [fit(one, other) for one, other in pairs]
    best = max(range(len(pairs)), key=lambda place: fits[place])
    one, other = pairs[best]
    same = [_result(kind, *pair) == _result(kind, one, other) for pair in pairs]
    shares = [math.exp(value - fits[best]) for value in fits]
    if sum(part for part, agrees in zip(shares, same, strict=True) if agrees) / sum(shares) < LEAST_SHARE:
        return None
    high, low = (one, other) if one.number >= other.number else (other, one)
    unit = f" {one.unit or other.unit}" if one.unit or other.unit else ""
    return Calculation((high, low), "−" if kind == "difference" else "+", f"{_shown(_result(kind, high, low))}{unit}")


def _result(kind: Combination, one: Amount, other: Amount) -> Decimal:
    return abs(one.number - other.number) if kind == "difference" else one.number + other.number


def _words(terms: frozenset[str]) -> frozenset[str]:
    """Those that are no figures."""
    return frozenset(term for term in terms if not term[0].isdigit())


def _shown(number: Decimal) -> str:
    """``1,234.5``."""
    plain = number.quantize(Decimal(1)) if number == number.to_integral() else number.normalize()
    return f"{plain:,}"


def _is_inside(place: int, values: Sequence[Value]) -> bool:
    return any(value.start <= place < value.end for value in values)


def _number(value: Value) -> Decimal | None:
    """The number of an amount; of "84.600", which can be read in two ways, the one with thousands: few prices have
    three decimals."""
    if value.kind != "amount":
        return None
    try:
        return max(Decimal(reading) for reading in value.readings)
    except (InvalidOperation, ValueError):
        return None
