"""Formulas are drawn, or refused with a reason; whatever the text, in bounded time."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from workbench.reading.formula_drawing import draw_formula, refusal_of
from workbench.records.formulas import FORMULA_COLOUR, LONGEST_FORMULA, Formula

DRAWN = r"""
x^2 + y^2 = z^2
\frac{a}{b}
\dfrac{1}{2} + \tfrac13
\int_0^1 x^2\,dx
\begin{aligned}a &= b + c\\d &= e\end{aligned}
\begin{align}a &= b + c\\d &= e\end{align}
\begin{align*}a &= b\end{align*}
\begin{equation}E = mc^2\label{energy}\end{equation}
\begin{gather}a = b\\c = d\end{gather}
\begin{split}a &= b\\&= c\end{split}
f(x) = \begin{cases}1 & x > 0\\0 & \text{otherwise}\end{cases}
\begin{pmatrix}1 & 2\\3 & 4\end{pmatrix}
\begin{bmatrix}1 & 2\\3 & 4\end{bmatrix}
\begin{vmatrix}a & b\\c & d\end{vmatrix}
\begin{array}{c|c}a & b\\\hline c & d\end{array}
\sqrt[3]{x}
\sum_{i=1}^{n} i = \frac{n(n+1)}{2}
\mathbb{R}^n \to \mathcal{L}
\hat{\beta} = (X^\top X)^{-1} X^\top y
\boxed{42}
\boldsymbol{\theta} \cdot \mathbf{y}
\overrightarrow{AB} \times \vec{v}
\overline{x} \underline{y} \widetilde{z}
\underbrace{a + b}_{n}
\binom{n}{k}
\lim_{x \to \infty} f(x)
\operatorname{softmax}(x)
\text{Total} = 5\%
\left\lfloor x \right\rfloor
\left\{ x \mid x > 0 \right\}
a \equiv b \pmod{n}
\$5 + \$7 = \$12
\therefore \quad x = 1
\frac{\partial f}{\partial x}
\nabla \cdot \mathbf{E} = \frac{\rho}{\varepsilon_0}
\langle \psi | \phi \rangle
x = 1 \tag{1}
12{,}000 \times 3.5\% = 420
\underset{x}{\operatorname{argmax}}
\big( \Big( \bigg( x
\ldots \cdots \vdots \ddots
\xrightarrow{f}
\substack{a\\b}
\prod_{i}^{n} \iint \oint
A \cup B \cap C \subseteq D \setminus E
p \land q \lor \neg r \implies s \iff t
\forall x \exists y \in \emptyset
90^\circ
f'(x) + f''(x)
\left. \frac{df}{dx} \right|_{x=0}
\lvert x \rvert + \lVert x \rVert
α + β ≤ γ
\color{white}{x}
""".strip().splitlines()

SHOWN_AS_SOURCE = [
    r"\ce{H2O}",
    r"\frac{",
    r"x_{",
    r"\left( x",
    r"\begin{cases} 1",
    r"\def\a{\a\a}\a",
    r"\newcommand{\b}{x}\b",
    r"\href{https://example.com}{x}",
    r"\includegraphics{x}",
    "",
    "x" * (LONGEST_FORMULA + 1),
    "{" * 400 + "}" * 400,
    r"\rule{9999em}{9999em}",
    "x\x00y",
]


@pytest.mark.parametrize("source", DRAWN)
def test_formulas_of_textbooks_are_drawn(source: str) -> None:
    drawn = draw_formula(Formula(source, display=True))
    assert drawn.reason == ""
    picture = ElementTree.fromstring(drawn.svg)
    colours = {part.get("fill", "none") for part in picture.iter()} - {"none"}
    assert colours <= {FORMULA_COLOUR}, "a formula has the colour of the text"
    assert 0 < drawn.width < 40
    assert 0 <= drawn.depth < drawn.height < 10


@pytest.mark.parametrize("source", SHOWN_AS_SOURCE)
def test_what_cannot_be_drawn_has_a_reason(source: str) -> None:
    drawn = draw_formula(Formula(source))
    assert drawn.svg == ""
    assert drawn.reason.endswith(".")


def test_more_than_sixty_formulas_are_tried() -> None:
    assert len(DRAWN) + len(SHOWN_AS_SOURCE) >= 60


def test_inline_formulas_are_lower_than_displayed_ones() -> None:
    inline, display = (draw_formula(Formula(r"\sum_{i=1}^n \frac{a}{b}", display=display)) for display in (False, True))
    assert inline.height < display.height


def test_a_letter_with_a_tail_reaches_below_the_baseline() -> None:
    assert draw_formula(Formula("g")).depth > draw_formula(Formula("x")).depth + 0.1


@pytest.mark.parametrize(
    "source",
    [
        r"\frac{1}{" * 9 + "x" + "}" * 9,
        r"\frac{1}{" * 10 + "x" + "}" * 10,
        "x^{" * 9 + "y" + "}" * 9,
        "x" * LONGEST_FORMULA,
        r"\begin{matrix}" + r"1&2&3&4\\" * 150 + r"\end{matrix}",
        r"\sqrt" * 300 + "x",
        r"\binom{" * 250,
        r"\left(" * 250,
        r"\text{" + "a" * 1_900 + "}",
        "_^" * 900,
        r"\mathrm{" * 240,
    ],
)
def test_the_worst_that_fits_the_limits_ends(source: str) -> None:
    drawn = draw_formula(Formula(source, display=True))
    assert bool(drawn.svg) != bool(drawn.reason)


def test_a_formula_in_words_of_a_person_is_not_refused() -> None:
    assert refusal_of(r"\text{let us define } x = 1") == ""
