"""Arithmetic is exact, limited, and nothing but arithmetic."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from workbench.techniques.tools.arithmetic import ArithmeticProblem, evaluate, show


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1 + 0.2", "0.3"), ("2 + 3 * 4", "14"), ("(2 + 3) * 4", "20"), ("-2 ^ 2", "-4"), ("2 ** 3 ** 2", "512"),
        ("1,234.5 * 2", "2469"), ("7 // 2", "3"), ("7 % 4", "3"), ("25% * 80", "20"), ("10 / 4", "2.5"),
        ("1 / 3", "0.3333333333"), ("6 ÷ 3 × 2", "4"), ("sqrt(144) + abs(-3)", "15"), ("sqrt(2)", "1.4142135624"),
        ("round(2.567, 2)", "2.57"), ("max(1, 7, 3) - min(4, 2)", "5"), ("[1 + 2] * 3", "9"), ("--5", "5"),
        ("2^-1", "0.5"), (".5 + 1.", "1.5"), ("-7 / 2", "-3.5"), ("1 - 1", "0"), ("-1/3", "-0.3333333333"),
    ],
)  # fmt: skip
def test_values(text: str, value: str) -> None:
    assert show(evaluate(text)) == value


@pytest.mark.parametrize(
    "text",
    [
        "", "1 +", "(1", "1)", "1 2", "1 / 0", "1 % 0", "0 ^ -1", "9 ^ 9 ^ 9", "2 ^ 0.5", "10 ^ 1001", "sqrt(-1)",
        "__import__('os')", "x + 1", "1; 2", "sqrt 4", "round(1, 99)", "abs(1, 2)", "1 " * 400,
        "(" * 80 + "1" + ")" * 80,
        "lambda: 1", "1 if 1 else 2", "1\x00", "1e400", "open('/etc/passwd')", "-" * 600 + "1",
        "2 ^ " * 120 + "2", "sqrt(" * 60 + "1" + ")" * 60,
    ],
)  # fmt: skip
def test_what_is_no_arithmetic_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(ArithmeticProblem):
        evaluate(text)


def test_random_expressions_have_the_value_that_python_gives_them() -> None:
    rng = random.Random(1)

    def expression(depth: int) -> tuple[str, Fraction]:
        if depth == 0 or rng.random() < 0.3:
            number = rng.randint(0, 99)
            return str(number), Fraction(number)
        (a, left), (b, right) = expression(depth - 1), expression(depth - 1)
        sign = rng.choice("+-*/" if right else "+-*")
        value = {"+": left + right, "-": left - right, "*": left * right, "/": left / (right or 1)}[sign]
        return f"({a} {sign} {b})", value

    for _ in range(300):
        text, value = expression(4)
        assert evaluate(text) == value
