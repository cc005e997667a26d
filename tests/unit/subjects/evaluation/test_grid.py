"""What the identity of a cell depends on."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from workbench.methods import METHODS
from workbench.records.evaluation import ScorerUse
from workbench.records.recipes import PromptingPart, Recipe, RetrievalPart
from workbench.subjects.evaluation.grid import digest_of, key_of, uses_embedder
from workbench.subjects.evaluation.scorers.rewards import models_asked

EXAMPLES: dict[str, Any] = {"examples": "a set", "example_choice": "similar"}


def test_engine_and_embedder_are_part_of_a_digest_and_the_name_is_not() -> None:
    first = digest_of(Recipe(name="A"), "model", "engine 1", "embedder 1")
    assert first == digest_of(Recipe(name="B"), "model", "engine 1", "embedder 1")
    assert len({
        first,
        digest_of(Recipe(), "other", "engine 1", "embedder 1"),
        digest_of(Recipe(), "model", "engine 2", "embedder 1"),
        digest_of(Recipe(), "model", "engine 1", "embedder 2"),
    }) == 4  # fmt: skip


def test_answers_of_before_there_was_a_choice_of_reranking_or_pictures_are_known() -> None:
    part = RetrievalPart(collection="pumps")
    plain = digest_of(Recipe(retrieval=part), "model", "engine 1")
    assert plain == "500ee3dc5dae2a3f209ed876301bbfe7"
    for other in (msgspec.structs.replace(part, rerank=False), msgspec.structs.replace(part, pictures="none")):
        assert plain != digest_of(Recipe(retrieval=other), "model", "engine 1")


@pytest.mark.parametrize(
    ("recipe", "embeds"),
    [
        (Recipe(), False),
        (Recipe(retrieval=RetrievalPart(collection="pump")), True),
        (Recipe(prompting=PromptingPart(**EXAMPLES)), True),
        (Recipe(prompting=PromptingPart(**{**EXAMPLES, "example_choice": "all"})), True),  # the nearest last
        (Recipe(prompting=PromptingPart(examples="a set", example_choice="all", example_order="as-listed")), False),
        (Recipe(prompting=PromptingPart(technique="art")), True),
        (Recipe(prompting=PromptingPart(technique="chain-of-thought")), False),
    ],
)
def test_where_the_embedding_model_takes_part(recipe: Recipe, embeds: bool) -> None:
    assert uses_embedder(recipe, METHODS.find(recipe.prompting.technique, "technique")) is embeds


def test_a_scorer_by_meaning_is_another_with_another_embedder() -> None:
    use = ScorerUse(name="embedding-similarity")
    method = METHODS.find(use.name, "scorer")
    assert "embeds" in method.traits
    assert key_of(use, method, "", "", "one") != key_of(use, method, "", "", "two")


def test_a_scorer_by_a_reward_model_is_another_with_another_file() -> None:
    use = ScorerUse(name="reward-model-score", options={"adapter": "taste"})
    method = METHODS.find(use.name, "scorer")
    assert models_asked(method.decode(use.options), METHODS) == (("taste",), ())
    keys = {key_of(use, method, "", "", asked=asked) for asked in ((), ("one",), ("two",))}
    assert len(keys) == 3


def test_a_sum_of_rewards_asks_the_models_that_its_lines_name() -> None:
    lines = ["reward-model adapter=taste", "graded-answer recipe=strict", "letter-share letters=e", "graded-answer"]
    options = METHODS.find("weighted-rewards", "scorer").decode({"rewards": lines})
    assert models_asked(options, METHODS) == (("taste",), ("strict", ""))
    assert models_asked(METHODS.find("embedding-similarity", "scorer").decode({}), METHODS) == ((), ())
