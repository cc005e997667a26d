"""What is said of a training that ran out of memory."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from workbench.api import events
from workbench.api.protocol import RequestContext, failure_of
from workbench.base.errors import OutOfMemory, UserError, WorkerDied
from workbench.records.training import DataPart, MemoryPart, OptimiserPart, TrainingConfig, TrainingPlan, WeightsPart
from workbench.subjects.adapters.out_of_memory import explain, explained_work, what_to_lower
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.kinds import OpenRun
from workbench.subjects.runs.log import RunLog
from workbench.subjects.trainings.runs import _explained

CONFIG = TrainingConfig(
    data=DataPart(path="x", max_length=2048),
    optimiser=OptimiserPart(gradient_checkpointing="off", micro_batch_tokens=1024),
)
PLAN = TrainingPlan(
    config=CONFIG,
    artifact="lora",
    served="",
    summary="",
    source="",
    trainable=1,
    parameters=2,
    steps=3,
    tokens=4,
    memory=(MemoryPart("activations", 5_000_000_000), MemoryPart("weights", 1_000_000_000)),
    memory_bytes=6_000_000_000,
    memory_free_bytes=8_000_000_000,
    disk_bytes=0,
    disk_free_bytes=0,
)


@pytest.mark.parametrize(
    "failed",
    [
        events.Failed(message="The training worker stopped.", hint="training", reason="worker", exit_code=-9),
        failure_of(MemoryError("of 7 GB")),
    ],
    ids=["killed", "caught"],
)
def test_want_of_memory_is_named_with_the_numbers_of_the_plan(failed: events.Failed) -> None:
    told = explain(failed, CONFIG, PLAN)
    assert told.reason == "user"
    assert "memory ran out" in told.message
    for number in ("6.0 GB", "8.0 GB", "activations (5.0 GB)"):
        assert number in told.message
    assert "now 1,024" in told.hint
    assert "2,048 tokens" in told.hint


@pytest.mark.parametrize(
    "failed",
    [
        events.Failed(message="Bad row.", hint="Mend it."),
        events.Failed(message="The training worker stopped.", reason="worker", exit_code=-11),
        failure_of(ZeroDivisionError("x")),
        failure_of(ValueError("MemoryError: in a row of the examples")),
        events.Failed(message="MemoryError: is the title of a document.", reason="bug"),
    ],
    ids=["user", "crash", "bug", "word", "title"],
)
def test_other_failures_stay_as_they_are(failed: events.Failed) -> None:
    assert explain(failed, CONFIG, PLAN) is failed


def test_without_a_plan_there_are_no_numbers() -> None:
    told = explain(events.Failed(message="", reason="worker", exit_code=-9), CONFIG, None)
    assert "GB" not in told.message
    assert told.hint


def test_only_what_is_not_done_already_is_proposed() -> None:
    lean = TrainingConfig(
        weights=WeightsPart(base="packed", rank=4),
        optimiser=OptimiserPart(gradient_checkpointing="on", micro_batch_tokens=128),
    )
    assert what_to_lower(lean) == []
    assert "use a smaller model" in explain(events.Failed(message="", reason="worker", exit_code=-9), lean, None).hint
    full = TrainingConfig(weights=WeightsPart(method="full"))
    assert any("LoRA" in said for said in what_to_lower(full))
    assert not any("packed" in said for said in what_to_lower(full))


@pytest.mark.parametrize("stopped", [False, True])
def test_one_that_was_ended_because_it_did_not_stop_is_not_said_to_lack_memory(tmp_path: Path, stopped: bool) -> None:
    config = msgspec.to_builtins(CONFIG)
    record = RunRecord(id="1", kind="train", title="x", state="running", created=0.0, config=config)
    run = OpenRun(record, "", RunLog(tmp_path), lambda id: None)
    if stopped:
        run.context.cancel()
    told = _explained(events.Failed(message="It was ended.", reason="worker", exit_code=-9), run, None)
    run.log.close()
    assert isinstance(told, events.Failed)
    assert ("memory" in told.message) is not stopped


def test_a_check_that_memory_ran_out_for_is_told_apart_from_its_training(tmp_path: Path) -> None:
    record = RunRecord(
        id="1", kind="train", title="x", state="running", created=0.0, config=msgspec.to_builtins(CONFIG)
    )
    run = OpenRun(record, "", RunLog(tmp_path), lambda id: None)
    told = _explained(events.Failed(message="It was ended.", reason="worker", exit_code=-9), run, None, checking=True)
    run.log.close()
    assert isinstance(told, events.Failed)
    assert told.message.startswith("The system ended the verification of what was trained")
    assert "The trained weights are kept" in told.hint


@pytest.mark.parametrize("error", [WorkerDied("training", -9), OutOfMemory("MemoryError: of 7 GB")])
def test_a_merge_that_memory_ran_out_for_says_so_unless_it_was_stopped(error: Exception) -> None:
    context = RequestContext()
    said = pytest.raises(UserError, match=r"[tT]he merge.* memory ran out\. Close something\.")
    with said, explained_work("merge", "Close something.", context):
        raise error
    context.cancel()
    with pytest.raises(type(error)), explained_work("merge", "Close something.", context):
        raise error


def test_other_ends_of_a_merge_stay_as_they_are() -> None:
    with pytest.raises(WorkerDied), explained_work("merge", "Close something.", RequestContext()):
        raise WorkerDied("training", -11)
