"""Fields with several values make a recipe for each combination of them."""

from __future__ import annotations

import pytest

from workbench.base.errors import UserError
from workbench.methods import METHODS
from workbench.records.recipes import ModelPart, PromptingPart, Recipe
from workbench.records.recipes.sweep import MOST_SWEPT, sweep

PLAIN = Recipe(name="Smol", model=ModelPart(name="Smol"))


def test_each_combination_is_a_recipe_named_by_what_differs() -> None:
    made = sweep(PLAIN, ["decoding.temperature=0, 0.7,0", "retrieval.passages = 2, 4"], METHODS)
    assert [one.name for one in made] == [
        "temperature 0, passages 2",
        "temperature 0, passages 4",
        "temperature 0.7, passages 2",
        "temperature 0.7, passages 4",
    ]
    assert [(one.decoding.temperature, one.retrieval and one.retrieval.passages) for one in made] == [
        (0.0, 2),
        (0.0, 4),
        (0.7, 2),
        (0.7, 4),
    ]


def test_a_name_of_its_own_stands_before_what_differs() -> None:
    named = Recipe(name="Careful", model=ModelPart(name="Smol"), prompting=PromptingPart(technique="self-consistency"))
    assert [one.name for one in sweep(named, ["technique.samples=2,8"], METHODS)] == [
        "Careful, samples 2",
        "Careful, samples 8",
    ]
    assert sweep(named, [], METHODS) == (named,)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (["decoding.temperature="], "decoding.temperature has no values"),
        (["decoding.temperature=warm"], "warm"),
        (["decoding.heat=1, 2"], "heat"),
        ([f"decoding.max_tokens={','.join(map(str, range(1, MOST_SWEPT + 2)))}"], "make 27 recipes"),
        (["decoding.temperature=0,1,2", "decoding.max_tokens=1,2,3", "retrieval.passages=1,2,3"], "make 27 recipes"),
    ],
)
def test_what_is_no_sweep_is_refused(fields: list[str], message: str) -> None:
    with pytest.raises(UserError) as refused:
        sweep(PLAIN, fields, METHODS)
    assert message in refused.value.message
