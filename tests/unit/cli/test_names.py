"""Names on the command line: what their beginning stands for, and which model is meant where none is named."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from tests.unit.cli.conftest import SMOLLM, FakeFront, Ran
from workbench.records.answers import AskResult
from workbench.records.recipes import AdapterUse
from workbench.records.training import AdapterList, AdapterRecord
from workbench.subjects.adapters.calls import ListAdapters
from workbench.subjects.chats.calls import Ask
from workbench.subjects.models.calls import ListModels, ModelList, RemoveModel, SetDefaultModel

Run = Callable[..., Ran]


@pytest.fixture
def answering(front: FakeFront) -> FakeFront:
    front.answer(Ask, AskResult(answer="In 1911."))
    return front


@pytest.mark.parametrize("typed", ["smol", "SMOLLM2 135m instruct", SMOLLM.name])
def test_beginning_of_a_name_stands_for_it(run: Run, answering: FakeFront, typed: str) -> None:
    run("ask", "q", "--model", typed, "--collection", "no")
    (call,) = answering.asked(Ask)
    assert call.recipe.model.name == SMOLLM.name
    assert call.recipe.retrieval is not None
    assert call.recipe.retrieval.collection == "notes"


def test_beginning_of_several_names_is_refused_unless_it_is_one(run: Run, answering: FakeFront) -> None:
    models = tuple(msgspec.structs.replace(SMOLLM, name=name) for name in ("Pump", "Pump Q8_0", "Valve"))
    answering.answer(ListModels, ModelList(models=models))
    ran = run("ask", "q", "--model", "pu")
    assert (ran.status, answering.asked(Ask)) == (1, [])
    assert "Pump, Pump Q8_0" in ran.err
    run("ask", "q", "--model", "pump")
    run("ask", "q", "--model", "Nothing")  # the core says what there is
    assert [call.recipe.model.name for call in answering.asked(Ask)] == ["Pump", "Nothing"]


def test_adapters_are_completed_before_their_scale_and_whole_names_are_deleted(run: Run, answering: FakeFront) -> None:
    adapter = AdapterRecord(name="facts-of-the-mill", kind="lora", created=1.0, origin="trained")
    answering.answer(ListAdapters, AdapterList(adapters=(adapter,)))
    run("ask", "q", "--adapter", "facts:0.5")
    assert answering.asked(Ask)[0].recipe.model.adapters == (AdapterUse(name="facts-of-the-mill", scale=0.5),)
    answering.answer(RemoveModel, SMOLLM)
    run("models", "remove", "smol")
    assert answering.asked(RemoveModel) == [RemoveModel(name="smol")]


def test_default_model_is_chosen_shown_and_taken_back(run: Run, front: FakeFront) -> None:
    assert (
        run("models", "default").out == f"No default model is chosen: {SMOLLM.name}, which was added first, is used.\n"
    )
    front.answer(SetDefaultModel, ModelList(models=(SMOLLM,), default=SMOLLM.name))
    assert run("models", "default", "smol").out == f"{SMOLLM.name}\n"
    run("models", "default", "--none")
    assert front.asked(SetDefaultModel) == [SetDefaultModel(name=SMOLLM.name), SetDefaultModel(name="")]
    front.answer(ListModels, ModelList(models=(SMOLLM,), default=SMOLLM.name))
    assert run("models", "list").out.splitlines()[1].endswith("default")
