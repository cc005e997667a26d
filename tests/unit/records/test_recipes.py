"""Recipes: files that people edit."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from workbench.errors import UserError
from workbench.records.recipes import (
    PRESETS,
    DecodingPart,
    ModelPart,
    PromptingPart,
    Recipe,
    RetrievalPart,
    differences,
    load_recipe,
    preset_of,
    save_recipe,
    with_preset,
    with_value,
)

FULL = Recipe(
    name="pump",
    model=ModelPart(name="SmolLM2 135M Instruct"),
    prompting=PromptingPart(system='Answer "briefly".\nIn English.'),
    decoding=DecodingPart(temperature=0.7, stop=("\n\n", "END")),
    retrieval=RetrievalPart(collection="manuals", passages=3),
)


@pytest.mark.parametrize("recipe", [Recipe(), FULL, Recipe(retrieval=RetrievalPart())])
def test_a_recipe_survives_its_file(tmp_path: Path, recipe: Recipe) -> None:
    path = tmp_path / "recipe.toml"
    save_recipe(path, recipe)
    assert load_recipe(path) == recipe
    assert [p.name for p in tmp_path.iterdir()] == ["recipe.toml"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("schema = 2", "newer version"),
        ("schema = 1\n[agent]\nname = 'x'", "agent"),
        ("schema = 1\n[decoding]\ntemprature = 1.0", "decoding.temprature"),
        ("schema = 1\n[decoding]\ntemperature = 9.0", "decoding.temperature"),
        ("schema = 1\n[decoding]\ntemperature = 'warm'", "decoding.temperature"),
        ("schema = ", "not a recipe"),
        ("objective = 'sft'", "objective"),
    ],
)
def test_a_wrong_file_is_refused_and_named(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        load_recipe(path)
    assert named in str(caught.value)
    assert "wrong.toml" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.toml"):
        load_recipe(tmp_path / "nowhere.toml")


def test_values_are_set_by_their_path() -> None:
    recipe = with_value(Recipe(), "decoding.temperature=0.5")
    recipe = with_value(recipe, "retrieval.collection=manuals")
    recipe = with_value(recipe, "retrieval.decline=no")
    assert recipe.decoding.temperature == 0.5
    assert recipe.retrieval == RetrievalPart(collection="manuals", decline=False)


@pytest.mark.parametrize(
    ("assignment", "named"),
    [
        ("decoding.temperature", "part.field=value"),
        ("temperature=1", "part.field=value"),
        ("agent.name=x", "agent"),
        ("decoding.heat=1", "heat"),
        ("decoding.top_k=-1", "top_k"),
        ("decoding.top_k=many", "many"),
        ("retrieval.decline=maybe", "maybe"),
    ],
)
def test_a_wrong_assignment_says_what_is_wrong(assignment: str, named: str) -> None:
    with pytest.raises(UserError) as caught:
        with_value(Recipe(), assignment)
    assert named in str(caught.value)


def test_differences_are_named() -> None:
    other = with_value(FULL, "decoding.temperature=0.1")
    assert differences(FULL, other) == [("decoding.temperature", 0.7, 0.1)]
    assert differences(FULL, FULL) == []
    assert ("retrieval.collection", None, "manuals") in differences(Recipe(), FULL)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_recognised_and_leaves_the_rest_alone(name: str) -> None:
    before = DecodingPart(n=3, format="json", typical_p=0.5, strategy="beam", max_tokens=50)
    part = with_preset(before, name)
    assert preset_of(part) == name
    assert (part.n, part.format, part.max_tokens) == (3, "json", 50)
    assert (part.strategy, part.typical_p) == ("sampling", 1.0)
    assert preset_of(msgspec.structs.replace(part, min_p=0.31)) is None


def test_greedy_is_precise() -> None:
    assert preset_of(DecodingPart()) == "precise"
    assert preset_of(DecodingPart(strategy="greedy", temperature=1.0)) == "precise"
    assert preset_of(DecodingPart(strategy="beam")) is None
