"""Recipes: files that people edit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from workbench.base.errors import UserError
from workbench.base.fields import about
from workbench.methods import METHODS
from workbench.records.methods import Method, Methods
from workbench.records.recipes import (
    CHAT_RECIPE,
    RECIPE,
    DecodingPart,
    ModelPart,
    PromptingPart,
    Recipe,
    RetrievalPart,
    load_recipe,
    note_on_penalties,
    preset_of,
    with_preset,
    with_value,
)

FULL = Recipe(
    name="pump",
    model=ModelPart(name="SmolLM2 135M Instruct"),
    prompting=PromptingPart(instructions='Answer "briefly".\nIn English.'),
    decoding=DecodingPart(temperature=0.7, stop=("\n\n", "END")),
    retrieval=RetrievalPart(collection="manuals", passages=3),
)


def test_a_recipe_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(
        """
        schema = 1
        name = "pump"
        model.name = "SmolLM2 135M Instruct"
        prompting.system = "Answer \\"briefly\\".\\nIn English."
        retrieval = {collection = "manuals", passages = 3}
        [decoding]
        temperature = 0.7
        stop = ["\\n\\n", "END"]
        """
    )
    assert load_recipe(path) == FULL
    path.write_text("schema = 1\n[retrieval]")
    assert load_recipe(path) == Recipe(retrieval=RetrievalPart())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("schema = 6", "newer version"),
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
    recipe = with_value(Recipe(), "decoding.temperature=0.5", METHODS)
    recipe = with_value(recipe, "retrieval.collection=manuals", METHODS)
    recipe = with_value(recipe, "retrieval.decline=no", METHODS)
    assert recipe.decoding.temperature == 0.5
    assert recipe.retrieval == RetrievalPart(collection="manuals", decline=False)


@pytest.mark.parametrize(
    ("assignment", "named"),
    [
        ("decoding.temperature", "part.field=value"),
        ("temperature=1", "part.field=value"),
        ("agents.name=x", "agents"),
        ("decoding.heat=1", "heat"),
        ("decoding.top_k=-1", "top_k"),
        ("decoding.top_k=many", "many"),
        ("retrieval.decline=maybe", "maybe"),
    ],
)
def test_a_wrong_assignment_says_what_is_wrong(assignment: str, named: str) -> None:
    with pytest.raises(UserError) as caught:
        with_value(Recipe(), assignment, METHODS)
    assert named in str(caught.value)


class Votes(msgspec.Struct, frozen=True):
    count: Annotated[int, about(ge=2), "How many answers vote."] = 3


VOTING = Methods(
    [
        Method(
            name="voting", kind="technique", technique="prompting", title="Voting", summary="Ask several times.",
            source="", config=Votes,
        )
    ]
)  # fmt: skip


def test_settings_of_the_technique_are_set_by_its_own_fields(tmp_path: Path) -> None:
    asked = Recipe(prompting=PromptingPart(technique="voting"))
    recipe = with_value(asked, "technique.count=5", VOTING)
    assert recipe.prompting.options == {"count": 5}
    for assignment, named in (("technique.count=1", "count"), ("technique.colour=red", "colour")):
        with pytest.raises(UserError, match=named):
            with_value(asked, assignment, VOTING)
    with pytest.raises(UserError, match="voting"):
        with_value(asked, "technique.count=5", METHODS)


@pytest.mark.parametrize("preset", METHODS.of("preset"), ids=lambda row: row.name)
def test_a_preset_is_recognised_and_leaves_the_rest_alone(preset: Method) -> None:
    before = DecodingPart(n=3, format="json", typical_p=0.5, strategy="beam", max_tokens=50)
    part = with_preset(before, preset)
    assert preset_of(part, METHODS) is preset
    assert (part.n, part.format, part.max_tokens) == (3 if part.temperature else 1, "json", 50)
    assert (part.strategy, part.typical_p) == ("sampling", 1.0)
    assert preset_of(msgspec.structs.replace(part, min_p=0.31), METHODS) is None


def test_greedy_is_precise() -> None:
    precise = METHODS.find("precise", "preset")
    assert preset_of(DecodingPart(), METHODS) is precise
    assert preset_of(DecodingPart(strategy="greedy", temperature=1.0), METHODS) is precise
    assert preset_of(DecodingPart(strategy="beam"), METHODS) is None


@pytest.mark.parametrize("row", [*METHODS.of("preset"), *METHODS.of("decoding")], ids=lambda row: row.name)
def test_no_preset_and_no_strategy_has_a_penalty(row: Method) -> None:
    part = with_preset(DecodingPart(), row) if row.kind == "preset" else DecodingPart(strategy=row.name)
    assert note_on_penalties(part, METHODS.find(part.strategy, "decoding")) == ""


def test_a_file_of_an_earlier_format_has_the_penalty_that_stands_in_it(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text('schema = 3\n[decoding]\nstrategy = "greedy"\n')
    assert load_recipe(path).decoding == DecodingPart(strategy="greedy")
    path.write_text("schema = 3\n[decoding]\nrepetition_penalty = 1.1\n")
    assert load_recipe(path).decoding == DecodingPart(repetition_penalty=1.1)


@pytest.mark.parametrize(("written", "asked"), [(1.1, 1.0), (1.3, 1.3), (1.0, 1.0)])
def test_an_answer_keeps_its_penalty_and_a_chat_asks_without_the_old_default(written: float, asked: float) -> None:
    plain = msgspec.to_builtins(Recipe(decoding=DecodingPart(repetition_penalty=written))) | {"schema": 3}
    assert RECIPE.get(plain).decoding.repetition_penalty == written
    assert CHAT_RECIPE.get(plain).decoding.repetition_penalty == asked
    now = RECIPE.plain(Recipe(decoding=DecodingPart(repetition_penalty=1.1)))
    assert CHAT_RECIPE.get(now).decoding.repetition_penalty == 1.1  # asked for since
