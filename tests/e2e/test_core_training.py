"""Trainings, adapters and sets in the core, with a real worker process that stands in for torch."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.models.conftest import gguf_bytes
from tests.workers import fake_embedding, fake_inference, fake_training
from workbench import events
from workbench.calls import (
    ExportRun,
    FollowRun,
    GetRun,
    GetStatus,
    ImportModel,
    InspectData,
    ListModels,
    ListRuns,
    PauseRun,
    PlanTraining,
    RemoveRun,
    ResumeRun,
    RunRecord,
    StopRun,
    Train,
)
from workbench.client import LocalFront
from workbench.core import Workbench
from workbench.core.publishing import UNCHECKED
from workbench.errors import UserError
from workbench.events import Event
from workbench.paths import Home
from workbench.protocol import Call
from workbench.storage.adapters import AdapterShelf
from workbench.training import (
    AdapterRecord,
    DataPart,
    OptimiserPart,
    TrainingConfig,
    TrainResult,
    WeightsPart,
    load_config,
)

COMMANDS = {
    "inference": [sys.executable, fake_inference.__file__],
    "embedding": [sys.executable, fake_embedding.__file__],
    "training": [sys.executable, fake_training.__file__],
}
TENSORS = (
    ("token_embd.weight", (32, 100), 8, 3400),
    ("blk.0.attn_q.weight", (32, 32), 8, 1088),
    ("output_norm.weight", (32,), 0, 128),
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def workbench(home: Home, tmp_path: Path) -> Iterator[Workbench]:
    workbench = opened(home)
    base = tmp_path / "base.gguf"
    base.write_bytes(gguf_bytes(tensors=TENSORS))
    call(workbench, ImportModel(path=str(base), name="Base"))
    yield workbench
    workbench.close()


def opened(home: Home) -> Workbench:
    workbench = Workbench(home, commands=COMMANDS)
    workbench.start()
    return workbench


def call(workbench: Workbench, request: Call[Any], watch: Callable[[Event], None] | None = None) -> Any:
    return LocalFront(workbench).call(request, watch)


def examples(folder: Path, name: str) -> str:
    path = folder / f"{name}.jsonl"
    turns = [{"role": "user", "content": "What?"}, {"role": "assistant", "content": "That."}]
    path.write_text(f"{json.dumps({'messages': turns})}\n" * 3)
    return str(path)


def config(path: str, **fields: Any) -> TrainingConfig:
    fields.setdefault("optimiser", OptimiserPart(steps=4))
    return TrainingConfig(model="Base", data=DataPart(path=path), **fields)


def started(workbench: Workbench, folder: Path, file: str, **fields: Any) -> RunRecord:
    record = call(workbench, Train(config=config(examples(folder, file), **fields)))
    assert isinstance(record, RunRecord)
    return record


def until(workbench: Workbench, run: str, wanted: Callable[[Event], bool]) -> None:
    """Follow a run until an event comes."""
    for event in workbench.handle(FollowRun(run=run)):
        if wanted(event):
            return
    raise AssertionError("it never came")


def is_step(event: Event) -> bool:
    return isinstance(event, events.Progress) and event.stage == "training" and event.done == 2


def card_of(home: Home, run: str) -> AdapterRecord:
    card = AdapterShelf(home.adapters).of_run(run)
    assert card is not None
    return card


# -- before the start -----------------------------------------------------------------------------


def test_what_is_in_a_set_and_what_a_training_would_be_are_told(workbench: Workbench, tmp_path: Path) -> None:
    asked = config(examples(tmp_path, "facts"))
    assert call(workbench, InspectData(config=asked)).train.examples == 3
    plan = call(workbench, PlanTraining(config=asked))
    assert plan.memory_free_bytes > 0
    assert plan.config.model == "Base"
    assert not plan.problem
    [worker] = [w for w in call(workbench, GetStatus()).workers if w.name == "training"]
    assert worker.state == "ready"


@pytest.mark.parametrize(("name", "said"), [("bad", "line 2"), ("big", "not enough memory")])
def test_what_cannot_be_is_refused_before_it_is_queued(
    workbench: Workbench, tmp_path: Path, name: str, said: str
) -> None:
    with pytest.raises(UserError, match=said):
        started(workbench, tmp_path, name)
    assert call(workbench, ListRuns()).runs == ()


def test_data_and_models_that_are_not_there_are_named(workbench: Workbench, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no set 'facts'"):
        call(workbench, InspectData(config=config("facts")))
    with pytest.raises(UserError, match="no file or folder"):
        call(workbench, InspectData(config=config(str(tmp_path / "none.jsonl"))))
    with pytest.raises(UserError, match="no model 'Other'"):
        call(workbench, InspectData(config=TrainingConfig(model="Other", data=DataPart(path="x"))))


# -- a training -----------------------------------------------------------------------------------


def test_a_training_is_followed_and_its_adapter_offered(workbench: Workbench, home: Home, tmp_path: Path) -> None:
    run = started(workbench, tmp_path, "facts", name="My Facts")
    seen: list[Event] = []
    result = msgspec.convert(call(workbench, FollowRun(run=run.id), seen.append), TrainResult)
    kinds = [e.kind for e in seen if isinstance(e, events.Artifact)]
    assert kinds == ["plan", "data", "scores", "adapter", "parity"]
    assert [e.value for e in seen if isinstance(e, events.Metric) and e.name == "loss"] == [1, 1 / 2, 1 / 3, 1 / 4]
    assert (result.adapter, result.kind, result.steps, result.run) == ("my-facts", "lora", 4, run.id)
    assert result.metrics["after_exact_match"] == 1.0
    assert result.metrics["tokens_per_second"] == 100.0
    card = card_of(home, run.id)
    assert (card.name, card.state, card.base, card.examples, card.steps) == ("my-facts", "ready", "Base", 3, 4)
    assert (card.architecture, card.licence, card.can_merge) == ("llama", "Apache-2.0", True)
    assert card.base_sha256
    assert card.parity is not None
    assert card.parity.passed
    assert card.scores.after is not None
    assert Path(card.file) == home.adapters / "my-facts" / "adapter.gguf"
    assert (home.adapters / "my-facts" / "trained" / "questions.jsonl").is_file()
    assert not list((home.run(run.id) / "served").glob("*"))
    assert load_config(home.run(run.id) / "config.toml").optimiser.steps == 4
    record = call(workbench, GetRun(run=run.id))
    assert (record.state, record.resumable, record.title) == ("finished", False, "My Facts")
    assert call(workbench, PlanTraining(config=config(examples(tmp_path, "facts")))).seconds == 10.0
    workers = [w.name for w in call(workbench, GetStatus()).workers if w.pid]
    assert workers.count("training") <= 1  # the one that looks; that of the training has left


def test_a_second_adapter_of_a_name_gets_a_number(workbench: Workbench, home: Home, tmp_path: Path) -> None:
    runs = [started(workbench, tmp_path, "facts", name="facts") for _ in range(2)]
    for run in runs:
        call(workbench, FollowRun(run=run.id))
    assert [card_of(home, run.id).name for run in runs] == ["facts", "facts-2"]


def test_trainings_go_one_after_the_other(workbench: Workbench, tmp_path: Path) -> None:
    first = started(workbench, tmp_path, "slow")
    second = started(workbench, tmp_path, "facts")
    until(workbench, first.id, is_step)
    assert call(workbench, GetRun(run=second.id)).state == "queued"
    assert workbench.busy
    call(workbench, StopRun(run=first.id))
    call(workbench, FollowRun(run=second.id))
    assert call(workbench, GetRun(run=second.id)).state == "finished"


def test_a_stopped_training_keeps_its_checkpoint_and_goes_on(workbench: Workbench, home: Home, tmp_path: Path) -> None:
    run = started(workbench, tmp_path, "slow")
    until(workbench, run.id, is_step)
    call(workbench, StopRun(run=run.id))
    assert isinstance(list(workbench.handle(FollowRun(run=run.id)))[-1], events.Cancelled)
    stopped = call(workbench, GetRun(run=run.id))
    assert (stopped.state, stopped.resumable) == ("cancelled", True)
    assert not AdapterShelf(home.adapters).list_cards()
    call(workbench, ResumeRun(run=run.id))
    seen: list[Event] = []
    call(workbench, FollowRun(run=run.id), seen.append)
    assert [e.step for e in seen if isinstance(e, events.Metric) and e.name == "loss"] == [1, 2, 3, 4]
    assert card_of(home, run.id).state == "ready"


def test_a_paused_training_waits_and_goes_on(workbench: Workbench, tmp_path: Path) -> None:
    waiting = started(workbench, tmp_path, "slow")
    run = started(workbench, tmp_path, "facts", optimiser=OptimiserPart(steps=100_000))
    with pytest.raises(UserError, match="computing"):
        call(workbench, PauseRun(run=run.id))
    until(workbench, waiting.id, is_step)
    call(workbench, StopRun(run=waiting.id))
    until(workbench, run.id, is_step)
    assert call(workbench, PauseRun(run=run.id)).paused
    assert call(workbench, GetRun(run=run.id)).state == "running"
    assert not call(workbench, ResumeRun(run=run.id)).paused
    call(workbench, PauseRun(run=run.id))
    call(workbench, StopRun(run=run.id))  # also while it is paused
    assert isinstance(list(workbench.handle(FollowRun(run=run.id)))[-1], events.Cancelled)


def test_a_killed_worker_says_what_to_lower_and_the_run_goes_on(
    workbench: Workbench, home: Home, tmp_path: Path
) -> None:
    run = started(workbench, tmp_path, "crash")
    with pytest.raises(UserError, match="memory ran out") as raised:
        call(workbench, FollowRun(run=run.id))
    assert "4.0 GB" in raised.value.message
    assert "weights" in raised.value.message
    assert "gradient checkpointing" in raised.value.hint
    failed = call(workbench, GetRun(run=run.id))
    assert (failed.state, failed.resumable) == ("failed", True)
    call(workbench, ResumeRun(run=run.id))
    call(workbench, FollowRun(run=run.id))
    assert card_of(home, run.id).steps == 4


def test_an_adapter_that_lost_what_was_learnt_is_marked(workbench: Workbench, home: Home, tmp_path: Path) -> None:
    run = started(workbench, tmp_path, "lost")
    result = call(workbench, FollowRun(run=run.id))
    assert not result["parity"]["passed"]
    card = card_of(home, run.id)
    assert (card.state, card.note) == ("failed", "It lost what was learnt.")


def test_a_model_that_was_trained_as_a_whole_is_in_the_catalogue_unless_it_failed(
    workbench: Workbench, home: Home, tmp_path: Path
) -> None:
    good = started(workbench, tmp_path, "facts", name="Whole", weights=WeightsPart(method="full"))
    bad = started(workbench, tmp_path, "lost", name="Lost", weights=WeightsPart(method="full"))
    call(workbench, FollowRun(run=good.id))
    call(workbench, FollowRun(run=bad.id))
    models = {m.name: m for m in call(workbench, ListModels()).models}
    assert "Lost" not in models
    assert (models["Whole"].owned, models["Whole"].licence, models["Whole"].missing) == (True, "Apache-2.0", False)
    assert (card_of(home, good.id).model, card_of(home, good.id).name) == ("Whole", "whole")
    assert card_of(home, good.id).state == "ready"
    assert card_of(home, bad.id).state == "failed"
    assert sorted(p.name for p in home.models.iterdir() if p.is_dir()) == ["whole"]


# -- ends and begins of the core ------------------------------------------------------------------


def test_what_the_gate_did_not_see_is_noted_and_checked_again(workbench: Workbench, home: Home, tmp_path: Path) -> None:
    run = started(workbench, tmp_path, "unchecked")
    with pytest.raises(UserError):
        call(workbench, FollowRun(run=run.id))
    card = card_of(home, run.id)
    assert card.state == "checking"
    assert (home.adapters / card.name / "trained").is_dir()
    workbench.close()
    again = opened(home)
    try:
        assert card_of(home, run.id).note == UNCHECKED
        assert call(again, GetRun(run=run.id)).resumable
        call(again, ResumeRun(run=run.id))
        result = call(again, FollowRun(run=run.id))
        assert result["parity"]["passed"]
        card = card_of(home, run.id)
        assert (card.state, card.note) == ("ready", "")
    finally:
        again.close()


def test_a_training_that_the_cores_end_interrupted_waits_to_be_taken_up(
    workbench: Workbench, home: Home, tmp_path: Path
) -> None:
    run = started(workbench, tmp_path, "slow")
    queued = started(workbench, tmp_path, "facts")
    until(workbench, run.id, is_step)
    workbench.close()
    assert (home.run(run.id) / "checkpoints" / "step.json").read_text() == "2"
    again = opened(home)
    try:
        assert not again.busy
        for one in (run, queued):
            record = call(again, GetRun(run=one.id))
            assert (record.state, record.resumable) == ("interrupted", True)
        call(again, ResumeRun(run=run.id))
        assert call(again, FollowRun(run=run.id))["steps"] == 4
    finally:
        again.close()


# -- after it -------------------------------------------------------------------------------------


def test_an_ended_run_is_removed_and_what_it_made_stays(workbench: Workbench, home: Home, tmp_path: Path) -> None:
    run = started(workbench, tmp_path, "slow")
    until(workbench, run.id, is_step)
    with pytest.raises(UserError, match="has not ended"):
        call(workbench, RemoveRun(run=run.id))
    call(workbench, StopRun(run=run.id))
    list(workbench.handle(FollowRun(run=run.id)))
    call(workbench, ResumeRun(run=run.id))
    call(workbench, FollowRun(run=run.id))
    call(workbench, RemoveRun(run=run.id))
    assert call(workbench, ListRuns()).runs == ()
    assert not home.run(run.id).exists()
    assert card_of(home, run.id).state == "ready"


def test_a_training_is_exported_to_a_new_folder(workbench: Workbench, tmp_path: Path) -> None:
    run = started(workbench, tmp_path, "facts")
    call(workbench, FollowRun(run=run.id))
    out = tmp_path / "exported"
    assert call(workbench, ExportRun(run=run.id, path=str(out))) == str(out)
    assert json.loads((out / "README.md").read_text())["run"] == run.id
    with pytest.raises(UserError, match="there already"):
        call(workbench, ExportRun(run=run.id, path=str(out)))
