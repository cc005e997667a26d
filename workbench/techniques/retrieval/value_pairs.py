"""Two values put together: the difference or the sum of two amounts that sentences tell, where a question asks for it.

Of all pairs of amounts with one unit the one is taken that fits best: the question's words stand around both, weighted
by their rarity; the parts of the sentences that they stand in are alike but for the words that tell them apart; for a
difference they are of like size; and where money is asked for they are money. Not every second result is right
(docs/benchmarks.md): it is never shown without its two places and a mark.
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

MOST_AMOUNTS = 60
"""Amounts that are compared in pairs."""

LEAST_FIT = 0.8
"""Two amounts that fit less are not put together."""

_CLAUSE = re.compile(r"[,;:|\n•]|\.\s|\s[-–—]\s|\b(?:and|but|und|aber|et|mais|y|pero)\b")
_NUMBERING = re.compile(r"[\s(§]*\d[\d.]*\Z")
"""The number of a paragraph, before its text."""
_YEAR = re.compile(r"(?:19|20)\d\d")
_MONEY = frozenset(("EUR", "USD", "GBP", "CHF"))
_ASKS_MONEY = re.compile(
    r"euro|€|\$|£|\b(?:price|cost|cheap|dear|rate|offer|paid|pay|worth|preis|kost|teuer|teurer|billig|wert|angebot|"
    r"rechnung|prix|coût|tarif|cotisation|precio|cuesta|paga)",
    re.IGNORECASE,
)
_AROUND, _NEAR, _STRENGTH, _SIZE, _SIZE_OF_SUM, _LIKE = 1.0, 0.6, 0.3, 0.5, 0.15, 0.4
_MONEY_FITS, _UNIT_FITS, _HAS_UNIT, _SMALL, _LEAST_SIZE = 0.6, 0.5, 0.2, 0.3, 3


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
        cuts = [match.start() for match in _CLAUSE.finditer(text) if not _is_inside(match.start(), values)]
        for value in values:
            number = _number(value)
            if number is None or (
                not value.unit and (_YEAR.fullmatch(value.text) or _NUMBERING.match(text[: value.end]))
            ):
                continue
            begin = max((cut + 1 for cut in cuts if cut < value.start), default=0)
            end = min((cut for cut in cuts if cut >= value.end), default=len(text))
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
    _, asked = find_values(question)
    units = {value.unit for value in asked if value.unit}
    numbers = {_number(value) for value in asked}
    money = bool(_ASKS_MONEY.search(question))

    def share(terms: frozenset[str]) -> float:
        return sum(weight for term, weight in weights.items() if term in terms) / total

    def fit(one: Amount, other: Amount) -> float:
        high, low = max(one.number, other.number), min(one.number, other.number)
        apart = math.log(float(high / low))
        score = _AROUND * share(one.around | other.around)
        score += _NEAR * (share(one.near & other.near) + share(one.near ^ other.near))
        score += _STRENGTH * (one.sentence.strength + other.sentence.strength) / 2
        score -= _SIZE * min(2.0, apart) if kind == "difference" else _SIZE_OF_SUM * min(3.0, apart)
        score += _LIKE * len(one.near & other.near) / max(1, len(one.near | other.near))
        score += (_MONEY_FITS * bool({one.unit, other.unit} & _MONEY)) if money else _HAS_UNIT * bool(one.unit)
        return score + _UNIT_FITS * (one.unit in units) - _SMALL * (low < _LEAST_SIZE)

    pairs = [
        (one, other)
        for one, other in combinations(amounts, 2)
        if (one.unit == other.unit or (one.sentence == other.sentence and not (one.unit and other.unit)))
        and one.number != other.number
        and min(one.number, other.number) > 0
        and not {one.number, other.number} & numbers
    ]
    if not pairs or not total or not kind:
        return None
    one, other = max(pairs, key=lambda pair: fit(*pair))
    if fit(one, other) < LEAST_FIT:
        return None
    high, low = (one, other) if one.number >= other.number else (other, one)
    result, sign = (high.number - low.number, "−") if kind == "difference" else (high.number + low.number, "+")
    unit = f" {one.unit or other.unit}" if one.unit or other.unit else ""
    return Calculation((high, low), sign, f"{_shown(result)}{unit}")


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
