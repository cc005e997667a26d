"""Arithmetic in text, computed exactly and with limits: a parser of its own, no ``eval``.

``+ - * / // % ^ **``, parentheses, decimals, percent signs, the words of a calculator (sqrt, abs, round, min, max), and
thousands separators. Values are fractions, so that 0.1 + 0.2 is 0.3.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Literal

LONGEST, DEEPEST = 500, 50
LARGEST_BITS = 4_096
"""Numerator and denominator of a value have at most so many bits."""
LARGEST_EXPONENT = 1_000

_TOKEN = re.compile(r"\s*(?:(\d+(?:,\d{3})+(?:\.\d+)?|\d+\.?\d*|\.\d+)|([a-z]+)|(\*\*|//|[-+*/%^(),]))", re.IGNORECASE)
_SYMBOLS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "[": "(", "]": ")"})


class ArithmeticProblem(Exception):
    """Why an expression has no value, as a sentence."""


def evaluate(text: str) -> Fraction:
    """The value of an expression. Raises ArithmeticProblem."""
    if len(text) > LONGEST:
        raise ArithmeticProblem(f"The expression has more than {LONGEST} characters.")
    parser = _Parser(_tokens(text.translate(_SYMBOLS)))
    value = parser.sum(0)
    if parser.token is not None:
        raise ArithmeticProblem(f"{parser.token[1]!r} is not expected there.")
    return value


def show(value: Fraction) -> str:
    """A value as it is written: whole, as a decimal of at most ten places, or as both parts of a fraction."""
    if value.denominator == 1:
        return str(value.numerator) if abs(value.numerator) < 10**30 else f"{float_of(value):.6e}"
    rounded = round(value * 10**10)
    if abs(rounded) < 10**25:
        sign, digits = "-" if rounded < 0 else "", f"{abs(rounded):011d}"
        return f"{sign}{digits[:-10]}.{digits[-10:]}".rstrip("0").rstrip(".")
    return f"{float_of(value):.6e}"


def float_of(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise ArithmeticProblem("The value is too large.") from error


_Token = tuple[Literal["number", "name", "sign"], str]


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    place = 0
    while place < len(text.rstrip()):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ArithmeticProblem(f"{text[place:].strip()[:20]!r} is not arithmetic.")
        number, name, sign = match.groups()
        if number:
            found.append(("number", number.replace(",", "")))
        elif name:
            found.append(("name", name.lower()))
        else:
            found.append(("sign", sign))
        place = match.end()
    return found


class _Parser:
    """Recursive descent, by precedence: sum, product, sign, power, atom."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._place = 0

    @property
    def token(self) -> _Token | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _takes(self, *signs: str) -> str:
        token = self.token
        if token is not None and token[0] == "sign" and token[1] in signs:
            self._place += 1
            return token[1]
        return ""

    def sum(self, depth: int) -> Fraction:
        if depth > DEEPEST:
            raise ArithmeticProblem("The expression is nested too deeply.")
        value = self._product(depth)
        while sign := self._takes("+", "-"):
            other = self._product(depth)
            value = _checked(value + other if sign == "+" else value - other)
        return value

    def _product(self, depth: int) -> Fraction:
        value = self._signed(depth)
        while sign := self._takes("*", "/", "//", "%"):
            if sign == "%" and (self.token is None or self.token[1] in (")", "+", "-", "*", "/", ",")):
                value = _checked(value / 100)  # a percent sign
                continue
            other = self._signed(depth)
            if sign != "*" and not other:
                raise ArithmeticProblem("It divides by zero.")
            if sign == "*":
                value *= other
            elif sign == "/":
                value /= other
            else:
                value = Fraction(value // other) if sign == "//" else value % other
            _checked(value)
        return value

    def _signed(self, depth: int) -> Fraction:
        negative = False
        while sign := self._takes("+", "-"):
            negative ^= sign == "-"
        value = self._power(depth)
        return -value if negative else value

    def _power(self, depth: int) -> Fraction:
        base = self._atom(depth)
        if not self._takes("^", "**"):
            return base
        if depth >= DEEPEST:
            raise ArithmeticProblem("The expression is nested too deeply.")
        exponent = self._nested(depth + 1)
        if exponent.denominator != 1 or abs(exponent) > LARGEST_EXPONENT:
            raise ArithmeticProblem(f"The exponent must be a whole number, at most {LARGEST_EXPONENT:,}.")
        power = exponent.numerator
        if not base and power < 0:
            raise ArithmeticProblem("It divides by zero.")
        if abs(power) * max(base.numerator.bit_length(), base.denominator.bit_length()) > LARGEST_BITS:
            raise ArithmeticProblem("The value is too large.")
        return base**power

    def _nested(self, depth: int) -> Fraction:
        """The exponent: powers bind from the right, and it may have a sign."""
        negative = bool(self._takes("-"))
        value = self._power(depth)
        return -value if negative else value

    def _atom(self, depth: int) -> Fraction:
        token = self.token
        if token is None:
            raise ArithmeticProblem("The expression is not complete.")
        kind, text = token
        self._place += 1
        if kind == "number":
            return _checked(Fraction(text.rstrip(".") or "0"))
        if kind == "name":
            return self._call(text, depth)
        if text != "(":
            raise ArithmeticProblem(f"{text!r} is not expected there.")
        value = self.sum(depth + 1)
        self._close()
        return value

    def _call(self, name: str, depth: int) -> Fraction:
        function = FUNCTIONS.get(name)
        if function is None or not self._takes("("):
            raise ArithmeticProblem(f"{name!r} is not known. Known: {', '.join(FUNCTIONS)}.")
        values = [self.sum(depth + 1)]
        while self._takes(","):
            values.append(self.sum(depth + 1))
        self._close()
        return _checked(function(values))

    def _close(self) -> None:
        if not self._takes(")"):
            raise ArithmeticProblem("A parenthesis is not closed.")


def _checked(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > LARGEST_BITS:
        raise ArithmeticProblem("The value is too large.")
    return value


def _root(values: list[Fraction]) -> Fraction:
    (value,) = _exactly(values, 1)
    if value < 0:
        raise ArithmeticProblem("It takes the root of a negative number.")
    top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if top * top == value.numerator and bottom * bottom == value.denominator:
        return Fraction(top, bottom)
    return Fraction(math.sqrt(float_of(value))).limit_denominator(10**12)


def _round(values: list[Fraction]) -> Fraction:
    places = values[1] if len(values) == 2 else Fraction(0)
    if len(values) > 2 or places.denominator != 1 or abs(places) > 30:
        raise ArithmeticProblem("round takes a number, and the number of places.")
    scale = Fraction(10) ** places.numerator
    return Fraction(round(values[0] * scale)) / scale


def _exactly(values: list[Fraction], count: int) -> list[Fraction]:
    if len(values) != count:
        raise ArithmeticProblem("A function has the wrong number of values.")
    return values


FUNCTIONS: dict[str, Callable[[list[Fraction]], Fraction]] = {
    "sqrt": _root,
    "abs": lambda values: abs(_exactly(values, 1)[0]),
    "round": _round,
    "min": min,
    "max": max,
}
