"""What of a decoding part counts, and what is said of the rest."""

from __future__ import annotations

import msgspec
import pytest

from workbench.base.fields import fields_of
from workbench.methods import METHODS
from workbench.records import recipes
from workbench.records.recipes import DecodingPart, Recipe, RetrievalPart, draws, varied, with_preset
from workbench.techniques.decoding.methods import strategy_of


def active_fields(part: DecodingPart) -> frozenset[str]:
    return recipes.active_fields(part, strategy_of(part))


def answers_of(part: DecodingPart) -> int:
    return recipes.answers_of(part, strategy_of(part))


def ignored_fields(part: DecodingPart) -> tuple[str, ...]:
    return recipes.ignored_fields(part, strategy_of(part))


def notes_on(part: DecodingPart) -> tuple[str, ...]:
    return recipes.notes_on(part, strategy_of(part))


def problem_of(part: DecodingPart) -> str:
    return recipes.problem_of(part, strategy_of(part))


@pytest.mark.parametrize("strategy", [method.name for method in METHODS.of("decoding")])
def test_of_a_part_at_its_defaults_nothing_is_to_be_said(strategy: str) -> None:
    part = DecodingPart(strategy=strategy)
    assert ignored_fields(part) == notes_on(part) == ()
    assert problem_of(part) == ""


def test_a_drawn_seed_is_nothing_that_was_set() -> None:
    assert ignored_fields(DecodingPart(strategy="beam", seed=7)) == ()


@pytest.mark.parametrize(
    ("part", "count"),
    [
        (DecodingPart(n=3), 1),
        (DecodingPart(n=3, temperature=0.1), 3),
        (DecodingPart(n=3, strategy="greedy", temperature=0.1), 1),
        (DecodingPart(n=3, strategy="contrastive"), 1),
        (DecodingPart(n=3, strategy="beam"), 3),
    ],
)
def test_an_answer_that_can_only_be_one_is_made_once(part: DecodingPart, count: int) -> None:
    assert answers_of(part) == recipes.normalized(part, strategy_of(part)).n == count
    said = [note for note in notes_on(part) if "gives one answer, not 3" in note]
    assert len(said) == (count == 1)
    assert "n" in active_fields(part)  # to be taken back


def test_what_beams_do_not_heed_is_named_with_its_value() -> None:
    part = DecodingPart(
        strategy="beam", temperature=0.7, top_p=0.9, xtc_probability=0.5, xtc_threshold=0.2, mirostat="v2",
        presence_penalty=1, dry_multiplier=0.8, logit_bias=("#1=2",),
    )  # fmt: skip
    assert notes_on(part) == (
        "No effect in beam search: Temperature 0.7, Exclude top choices 0.5, Top-choice threshold 0.2, Mirostat v2.",
    )
    part = DecodingPart(strategy="beam", temperature=0.7, top_p=0.9, order=("top_p", "temperature"))
    assert notes_on(part) == (
        "No effect in beam search: Temperature 0.7, Top-p 0.9, Sampler order top_p, temperature.",
    )


def test_narrowing_at_temperature_0_is_named() -> None:
    assert notes_on(DecodingPart(min_p=0.1)) == ("No effect at temperature 0: Min-p 0.1.",)
    assert notes_on(DecodingPart(min_p=0.1, temperature=0.5)) == ()
    assert notes_on(with_preset(DecodingPart(), METHODS.find("creative", "preset"))) == ()


@pytest.mark.parametrize("strategy", ["beam", "contrastive"])
def test_searches_heed_all_that_changes_single_tokens(strategy: str) -> None:
    part = DecodingPart(strategy=strategy, dry_multiplier=0.8)
    assert {field.name for field in fields_of(DecodingPart) if field.group == "repetition"} <= active_fields(part)


def test_the_window_is_that_of_the_penalties_that_have_one() -> None:
    assert "penalty_window" not in active_fields(DecodingPart())
    assert "penalty_window" in active_fields(DecodingPart(repetition_penalty=1.2))
    assert "penalty_window" not in active_fields(DecodingPart(strategy="beam"))
    assert ignored_fields(DecodingPart(strategy="beam", penalty_window=64)) == ("penalty_window",)
    assert "penalty_window" in active_fields(DecodingPart(strategy="beam", frequency_penalty=0.5))


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (DecodingPart(speculation="ngram", n=2, temperature=1), "several answers"),
        (DecodingPart(speculation="draft", strategy="beam"), "beams"),
        (DecodingPart(speculation="ngram", strategy="contrastive"), "candidates"),
    ],
)
def test_guesses_that_are_not_made_are_spoken_of(part: DecodingPart, words: str) -> None:
    (note,) = notes_on(part)
    assert note.startswith("No draft tokens")
    assert words in note
    assert "speculation" in active_fields(part)


def test_guesses_are_made_for_the_one_answer_of_greedy_search() -> None:
    assert not any("draft" in note for note in notes_on(DecodingPart(speculation="ngram", n=3)))


def test_what_belongs_to_another_strategy_is_idle_and_not_spoken_of() -> None:
    part = DecodingPart(num_beams=8, temperature=0.5)
    assert ignored_fields(part) == ("num_beams",)
    assert notes_on(part) == ()


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (DecodingPart(strategy="beam", n=6), "6 answers need at least as many beams"),
        (DecodingPart(strategy="beam", num_beam_groups=3), "4 beams cannot be split into 3 groups"),
        (DecodingPart(strategy="contrastive", format="json"), "Contrastive search does not support answer formats"),
    ],
)
def test_what_cannot_be_carried_out_is_known_before(part: DecodingPart, words: str) -> None:
    assert words in problem_of(part)


@pytest.mark.parametrize(
    "decoding",
    [DecodingPart(), DecodingPart(strategy="greedy", seed=3), DecodingPart(strategy="beam", num_beams=4, max_tokens=9)],
)
def test_varied_answer_is_drawn_where_the_recipe_draws_nothing(decoding: DecodingPart) -> None:
    other = varied(Recipe(decoding=decoding), METHODS).decoding
    assert draws(other, METHODS.find(other.strategy, "decoding"))
    assert (other.seed, other.max_tokens) == (-1, decoding.max_tokens)
    assert problem_of(other) == ""


def test_varied_answer_is_drawn_more_freely_and_in_the_models_own_words() -> None:
    part = DecodingPart(temperature=0.7, top_p=0.9, seed=7)
    other = varied(Recipe(decoding=part, retrieval=RetrievalPart(collection="c", passages=3)), METHODS)
    assert (other.decoding.temperature, other.decoding.top_p, other.decoding.seed) == (1.0, 0.9, -1)
    assert varied(Recipe(decoding=msgspec.structs.replace(part, temperature=3.0)), METHODS).decoding.temperature == 3.0
    assert other.retrieval == RetrievalPart(collection="c", passages=3, mode="own-words")
    quoted = Recipe(retrieval=RetrievalPart(collection="c", mode="quoted"))
    assert varied(quoted, METHODS).retrieval == RetrievalPart(collection="c", mode="quoted-first")


def note_on_penalties(part: DecodingPart) -> str:
    return recipes.note_on_penalties(part, strategy_of(part))


@pytest.mark.parametrize(
    ("part", "note"),
    [
        (DecodingPart(repetition_penalty=1.1), "These settings change which token counts as the most probable one"),
        (
            DecodingPart(strategy="beam", dry_multiplier=0.8),
            "These settings change which token counts as the most probable one",
        ),
        (
            DecodingPart(temperature=0.7, presence_penalty=0.5),
            "These settings change the probabilities that tokens are drawn with",
        ),
    ],
)
def test_a_penalty_that_acts_is_named(part: DecodingPart, note: str) -> None:
    assert note_on_penalties(part).startswith(note)
    assert "1.1" in note_on_penalties(DecodingPart(strategy="greedy", repetition_penalty=1.1))


def test_what_takes_the_most_probable_token_each_time() -> None:
    best = (DecodingPart(strategy="greedy"), DecodingPart(temperature=0.0, top_k=7))
    others = (
        DecodingPart(temperature=0.7),
        DecodingPart(strategy="beam"),
        DecodingPart(strategy="contrastive"),
        DecodingPart(strategy="greedy", repetition_penalty=1.1),
        DecodingPart(strategy="greedy", logit_bias=("yes=2",)),
        DecodingPart(strategy="greedy", format="json"),
    )
    assert [recipes.takes_best(part, strategy_of(part)) for part in (*best, *others)] == [True] * 2 + [False] * 6


def test_a_penalty_that_the_order_leaves_out_is_not_named() -> None:
    assert note_on_penalties(DecodingPart(repetition_penalty=1.1, order=("temperature",))) == ""
    beam = DecodingPart(strategy="beam", repetition_penalty=1.1, order=("temperature",))
    assert note_on_penalties(beam)  # searches have no order
