"""The judges of a training are recipes that answer directly; one that was measured at chance is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from workbench.api import events
from workbench.api.events import EventFile
from workbench.backends.backend import ModelUse
from workbench.base.errors import UserError
from workbench.engine.inference_calls import LoraUse
from workbench.records.capabilities import Capabilities
from workbench.records.judging import JudgeReport
from workbench.records.models import ModelRecord
from workbench.records.recipes import AgentPart, ModelPart, PromptingPart, Recipe, RetrievalPart
from workbench.records.training import MemoryPart, ObjectivePart, TrainingConfig, TrainingPlan
from workbench.subjects.answering.request import Resolved
from workbench.subjects.judgements.calls import JudgePairs
from workbench.subjects.judgements.judging.agreement import measure
from workbench.subjects.judgements.judging.comparing import Opinion
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.log import FILE
from workbench.subjects.trainings.judges import TrainingJudges
from workbench.subjects.trainings.service import with_memory

STRICT = Recipe(name="strict", model=ModelPart(name="smol"), prompting=PromptingPart(instructions="Be strict."))
RECIPES = {
    "strict": STRICT,
    "plain": Recipe(name="plain"),
    "remote": Recipe(name="remote", model=ModelPart(name="far")),
    "reader": Recipe(name="reader", retrieval=RetrievalPart(collection="peps")),
    "agent": Recipe(name="agent", agent=AgentPart()),
    "thinker": Recipe(name="thinker", prompting=PromptingPart(technique="chain-of-thought")),
}


class FakeServices:
    def recipe(self, name: str) -> Recipe:
        if name not in RECIPES:
            raise UserError(f"There is no saved recipe {name!r}.")
        return RECIPES[name]

    def resolve(self, recipe: Recipe) -> Resolved:
        name = recipe.model.name or "default"
        model = cast(ModelRecord, SimpleNamespace(name=name, path=f"/models/{name}.gguf"))
        resolved = msgspec.structs.replace(recipe, model=msgspec.structs.replace(recipe.model, name=name))
        return Resolved(recipe=resolved, model=model, use=ModelUse(adapters=(LoraUse(path="/a.gguf"),)))

    def capabilities(self, resolved: Resolved) -> Capabilities:
        return Capabilities(token_logprobs=resolved.recipe.model.name != "far")


def judges() -> TrainingJudges:
    return TrainingJudges(cast(Any, FakeServices()))


def asking(*lines: str) -> TrainingConfig:
    return TrainingConfig(model="trained", objective=ObjectivePart(name="ppo", options={"rewards": list(lines)}))


def alternating(agrees: int, n: int = 40) -> JudgeReport:
    """A judge that prefers a and b in turn, and agrees so often."""
    opinions = [Opinion(shown_first=s, shown_second=s) for s in (2.0, -2.0) * (n // 2)]
    person = ["a" if (number % 2 == 0) == (number < agrees) else "b" for number in range(n)]
    return measure(opinions, cast(Any, person))


def measured(folder: Path, recipe: Recipe, *reports: JudgeReport) -> tuple[list[RunRecord], Any]:
    runs = []
    for number, report in enumerate(reports):
        (folder / str(number)).mkdir()
        file = EventFile(folder / str(number) / FILE)
        file.append(events.Artifact(kind="judge", id=str(number), result=msgspec.to_builtins(report)), 1.0)
        file.close()
        config = msgspec.to_builtins(JudgePairs(recipe=recipe))
        record = SimpleNamespace(id=str(number), kind="judging", unreadable="", config=config)
        runs.append(cast(RunRecord, record))
    return runs, lambda run: folder / run


def notes(config: TrainingConfig, found: tuple[Sequence[RunRecord], Any]) -> Sequence[str]:
    return judges().notes(config, *found)


def test_a_judge_is_found_by_its_recipe_and_the_default_one_is_the_trained_model() -> None:
    found = judges().find(asking("graded-answer recipe=strict", "letter-share letters=e", "graded-answer weight=0.5"))
    assert found["strict"].path == "/models/smol.gguf"
    assert found["strict"].instructions == "Be strict."
    assert found["strict"].adapters == (LoraUse(path="/a.gguf"),)
    assert (found[""].path, found[""].name) == ("/models/trained.gguf", "trained")
    assert judges().find(asking("letter-share letters=e")) == {}
    assert judges().find(TrainingConfig()) == {}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("none", "no saved recipe"),
        ("remote", "does not report the probabilities"),
        ("reader", "searches documents or uses tools"),
        ("agent", "searches documents or uses tools"),
        ("thinker", "prompts by"),
    ],
)
def test_what_cannot_judge_within_a_training_is_refused_with_the_reason(name: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        judges().find(asking(f"graded-answer recipe={name}"))


def test_a_judge_at_chance_is_refused_with_its_figures(tmp_path: Path) -> None:
    config = asking("graded-answer recipe=strict")
    with pytest.raises(UserError, match=r"does not agree with you more than chance") as refused:
        notes(config, measured(tmp_path, STRICT, alternating(20)))
    assert "Cohen's kappa" in refused.value.hint


def test_a_judge_that_names_one_place_is_refused_after_few_pairs(tmp_path: Path) -> None:
    report = measure([Opinion(shown_first=2.0, shown_second=-2.0)] * 10, ["a"] * 10)
    with pytest.raises(UserError, match="names the answer shown first 20 of 20 times"):
        notes(asking("graded-answer recipe=strict"), measured(tmp_path, STRICT, report))


def test_the_latest_measurement_of_the_same_judge_counts(tmp_path: Path) -> None:
    config = asking("graded-answer recipe=strict")
    accepted = alternating(38)
    assert accepted.accepted
    [note] = notes(config, measured(tmp_path, STRICT, accepted, alternating(20)))
    assert "was measured" in note
    (tmp_path / "other").mkdir()
    other = msgspec.structs.replace(STRICT, prompting=PromptingPart(instructions="Be kind."))
    [note] = notes(config, measured(tmp_path / "other", other, alternating(20)))
    assert "has not been measured" in note
    (tmp_path / "few").mkdir()
    [note] = notes(config, measured(tmp_path / "few", STRICT, alternating(10, 20)))
    assert "has not been measured" in note


def test_a_judge_that_does_not_fit_beside_the_training_is_a_problem_of_the_plan() -> None:
    plan = TrainingPlan(
        config=TrainingConfig(), artifact="lora", served="", summary="", source="", trainable=1, parameters=1, steps=1,
        tokens=1, memory=(), memory_bytes=10**9, memory_free_bytes=2 * 10**9, disk_bytes=0, disk_free_bytes=0,
    )  # fmt: skip
    assert with_memory(plan, "judge", 0) is plan
    fits = with_memory(plan, "judge", 10**9)
    assert fits.memory == (MemoryPart("judge", 10**9),)
    assert not fits.problem
    assert "3.0 GB of memory with its judge; 2.0 GB are free" in with_memory(plan, "judge", 2 * 10**9).problem
