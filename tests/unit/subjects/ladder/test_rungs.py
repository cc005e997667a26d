"""The rungs: each says what it is, and its recipe changes what it names."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.unit.rewards.fake_rewards import FakeRewardContext
from workbench.base.errors import UserError
from workbench.records.evaluation import QuestionRow
from workbench.records.ladder import AS_IT_IS, TaskKind
from workbench.records.messages import Message
from workbench.records.recipes import Recipe
from workbench.rewards.reward import Sample
from workbench.rewards.spec import weighted_sum
from workbench.subjects.ladder.rung import Rung, Setting
from workbench.subjects.ladder.rungs import REWARDS, RUNGS, rung_named
from workbench.subjects.ladder.task import labels_of, recognise_task
from workbench.subjects.ladder.training_configs import reward_line
from workbench.techniques.registry import METHODS

DEFAULTS: dict[str, Any] = {
    "recipe": Recipe(), "question_set": "capitals", "task": "short", "tune": 40, "examples": 40,
    "collection": "notes", "labels": ("red", "green"), "tools": ("search_documents",),
}  # fmt: skip


def setting(**values: Any) -> Setting:
    return Setting(**{**DEFAULTS, **values})


@pytest.mark.parametrize("rung", RUNGS, ids=lambda rung: rung.name)
def test_a_rung_is_described_and_its_recipe_can_be_decoded(rung: Rung) -> None:
    assert rung.title
    assert rung.sentence.endswith(".")
    assert rung.place
    assert set(rung.suits) <= set(rung.fits)
    task: TaskKind = rung.fits[0]
    recipe = rung.recipe(setting(task=task))
    options = METHODS.find(recipe.prompting.technique, "technique").decode(recipe.prompting.options)
    assert getattr(options, "reward_model", "none is needed")  # nothing that a person has to name first
    METHODS.find(recipe.decoding.strategy, "decoding")
    if recipe.agent is not None:
        METHODS.find(recipe.agent.method, "agent").decode(recipe.agent.options)
        for tool in recipe.agent.tools:
            METHODS.find(tool, "tool")
    changes = recipe != Recipe()
    assert changes == (rung.preparation is None and rung.name != AS_IT_IS)


def test_names_and_titles_are_unique() -> None:
    assert len({rung.name for rung in RUNGS}) == len({rung.title for rung in RUNGS}) == len(RUNGS)
    with pytest.raises(UserError, match="no rung 'nothing'"):
        rung_named("nothing")


@pytest.mark.parametrize(
    ("name", "part", "expected"),
    [
        ("similar-examples", "prompting", {"examples": "capitals", "example_choice": "similar", "example_count": 3}),
        ("fixed-examples", "prompting", {"examples": "capitals", "example_choice": "fixed"}),
        ("labels", "decoding", {"format": "choice", "grammar": "red\ngreen"}),
        ("beam", "decoding", {"strategy": "beam", "num_beams": 4}),
        ("quoted", "retrieval", {"collection": "notes", "mode": "quoted"}),
        ("calculator", "agent", {"method": "react", "tools": ("calculator",)}),
    ],
)
def test_a_rung_changes_its_part_alone(name: str, part: str, expected: dict[str, Any]) -> None:
    changed = rung_named(name).recipe(setting())
    value = msgspec.structs.asdict(getattr(changed, part))
    assert {field: value[field] for field in expected} == expected
    assert msgspec.structs.replace(changed, **{part: getattr(Recipe(), part)}) == Recipe()


def test_instructions_keep_those_that_there_are_and_name_the_labels() -> None:
    base = Recipe(prompting=msgspec.structs.replace(Recipe().prompting, instructions="Be {{tone}}."))
    text = rung_named("instructions").recipe(setting(recipe=base, labels=("a {{b}}", "c"))).prompting.instructions
    assert text == "Be {{tone}}.\n\nAnswer with one of these and nothing else: a \\{{b}}; c."


def test_agents_search_the_documents_where_there_are_any() -> None:
    with_documents = rung_named("critic").recipe(setting(task="documents"))
    assert with_documents.agent is not None
    assert with_documents.agent.tools == ("search_documents",)
    assert with_documents.retrieval is not None
    assert with_documents.retrieval.collection == "notes"
    alone = rung_named("critic").recipe(setting(collection="", tools=("calculator",)))
    assert alone.agent is not None
    assert alone.agent.tools == ("calculator",)
    assert alone.retrieval is None


def row(answer: str = "", **values: Any) -> QuestionRow:
    return QuestionRow(messages=(Message("user", "What?"),), expected=(answer,) if answer else (), **values)


@pytest.mark.parametrize(
    ("rows", "collection", "task"),
    [
        ([row(choices=("a", "b"), choice=1)] * 4, False, "choice"),
        ([row("red"), row("green")] * 10, False, "choice"),
        ([row("12"), row("7.5"), row("1,200")], False, "number"),
        ([row("1"), row("2")] * 10, False, "number"),
        ([row(f"the town of {n}") for n in "abcdefgh"], False, "short"),
        ([row(f"{n} word" * 40) for n in "abcdefgh"], False, "text"),
        ([row(), row()], False, "text"),
        ([row(f"town {n}") for n in "abcdefgh"], True, "documents"),
        ([row("x", sources=("a.pdf",))], True, "documents"),
        ([row("x", sources=("a.pdf",))], False, "short"),
    ],
)
def test_the_task_is_recognised(rows: list[QuestionRow], collection: bool, task: TaskKind) -> None:
    assert recognise_task(rows, collection=collection) == task


def test_labels_are_answers_of_which_each_comes_often() -> None:
    assert labels_of([row("red"), row("green"), row("red")] * 3) == ("green", "red")
    assert labels_of([row("red"), row("green"), row("blue"), row("grey")]) == ()
    assert labels_of([row("red")] * 9) == ()


def test_a_choice_can_be_any_that_a_question_lists() -> None:
    changed = rung_named("labels").recipe(setting(task="choice", labels=(), lettered=6))
    assert changed.decoding.grammar == "A\nB\nC\nD\nE\nF"


@pytest.mark.parametrize(
    ("scorer", "right", "wrong"),
    [
        ("number-match", "It is 12.", "It is 13."),
        ("choice-match", "B. Paris", "A. Lyon, not B"),
        ("contains-answer", "The capital is paris.", "Parisian food"),
        ("exact-match", "Paris.", "It is Paris."),
    ],
)
def test_a_policy_is_rewarded_by_what_the_scorer_measures(scorer: str, right: str, wrong: str) -> None:
    line = reward_line(setting(reward=REWARDS[scorer]))
    expected = {"number-match": "12", "choice-match": "B"}.get(scorer, "Paris")
    rewards = weighted_sum((line,), METHODS)
    samples = [
        Sample(prompt=(Message("user", "What?"),), answer=answer, expected=(expected,)) for answer in (right, wrong)
    ]
    assert [one.value for one in rewards.score(samples, FakeRewardContext())] == [1.0, 0.0]
