"""Probabilities in words and tints."""

from __future__ import annotations

import math

import pytest

from ui.components.recipe import texts as recipe_texts
from ui.components.recipe.probability import (
    STEP_WORDS,
    describe_near_ties,
    describe_probability,
    describe_surprise,
    probability_of,
    step_of,
    tints,
    visible,
)
from ui.theme.tokens import DARK, LIGHT, Palette, contrast
from workbench.records.messages import Alternative, ChosenToken


@pytest.mark.parametrize(("palette", "dark"), [(LIGHT, False), (DARK, True)])
def test_text_is_readable_on_every_tint_and_tints_differ(palette: Palette, dark: bool) -> None:
    shades = tints(palette, dark)
    assert len(shades) == len(STEP_WORDS) == len(set(shades))
    assert [shade for shade in shades if contrast(palette.text, shade) < 4.5] == []
    strengths = [contrast(shade, palette.surface) for shade in shades]
    assert strengths == sorted(strengths)


def test_the_rarer_the_stronger() -> None:
    assert [step_of(p) for p in (1.0, 0.9, 0.7, 0.3, 0.1, 0.001)] == [0, 0, 1, 2, 3, 4]


def test_probabilities_in_words() -> None:
    said = [describe_probability(p) for p in (1.0, 0.995, 0.62, 0.041, 0.0003, 1e-9)]
    assert said == ["100%", "99.5%", "62%", "4.1%", "0.03%", "under 0.01%"]
    assert probability_of(0.1) == 1.0  # a rounding error above certainty


def test_the_line_about_an_answer_has_mean_perplexity_and_first_choices() -> None:
    sure = ChosenToken(token=1, text="a", logprob=math.log(0.5), alternatives=(alternative(1, 0.5),))
    rare = ChosenToken(token=2, text="b", logprob=math.log(0.125), alternatives=(alternative(1, 0.5),))
    line = describe_surprise((sure, rare))
    assert line == "2 tokens · mean probability 25% · perplexity 4.00 · 50% were the first choice"
    assert describe_surprise(()) == recipe_texts.NO_TOKENS


def test_nearly_equal_probabilities_are_told_from_other_choices() -> None:
    first = ChosenToken(token=1, text="a", logprob=math.log(0.5), alternatives=(alternative(1, 0.5),))
    near = ChosenToken(token=2, text="b", logprob=math.log(0.4), alternatives=(alternative(1, 0.44),))
    nearer = ChosenToken(token=2, text="b", logprob=math.log(0.435), alternatives=(alternative(1, 0.44),))
    other = ChosenToken(token=2, text="c", logprob=math.log(0.1), alternatives=(alternative(1, 0.8),))
    assert describe_near_ties((first, other)) == describe_near_ties(()) == ""
    assert describe_near_ties((first, near, other)).startswith(
        "1 token is nearly as probable as the first choice (91% of its probability)"
    )
    assert describe_near_ties((near, nearer, other)).startswith(
        "2 tokens are nearly as probable as the first choice (at least 91% of its probability)"
    )


def alternative(token: int, share: float) -> Alternative:
    return Alternative(token=token, text="x", logprob=math.log(share))


def test_blanks_and_breaks_can_be_seen() -> None:
    assert visible(" the\n\t") == "·the↵⇥"
    assert visible("") == "∅"
