"""Trainings in the core, with a real worker process that stands in for torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil
import pytest

from tests.e2e.training_core import call, card_of, config, examples, is_step, opened, started, until
from workbench.api import events
from workbench.api.events import Event
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.training import (
    AdapterRecord,
    DataPart,
    OptimiserPart,
    TrainingConfig,
    TrainResult,
    WeightsPart,
    load_config,
)
from workbench.subjects.adapters.artifact_registry import NEVER_CHECKED, NO_MEMORY, UNCHECKED
from workbench.subjects.adapters.store import AdapterStore
from workbench.subjects.datasets.calls import InspectData
from workbench.subjects.models.calls import ListModels, RemoveModel
from workbench.subjects.runs.calls import (
    FollowRun,
    GetRun,
    GetStatus,
    ListRuns,
    PauseRun,
    RemoveRun,
    ResumeRun,
    StopRun,
)
from workbench.subjects.runs.orphaned_worker import FILE
from workbench.subjects.trainings.calls import ExportRun, PlanTraining

WAIT_S = 60.0
ROOT = Path(__file__).parents[2]


# -- before the start -----------------------------------------------------------------------------


def test_what_is_in_a_set_and_what_a_training_would_be_are_told(trainer: Workbench, tmp_path: Path) -> None:
    asked = config(examples(tmp_path, "facts"))
    assert call(trainer, InspectData(config=asked)).train.examples == 3
    plan = call(trainer, PlanTraining(config=asked))
    assert plan.memory_free_bytes > 0
    assert plan.config.model == "Base"
    assert not plan.problem
    [worker] = [w for w in call(trainer, GetStatus()).workers if w.name == "training"]
    assert worker.state == "ready"


@pytest.mark.parametrize(("name", "said"), [("bad", "line 2"), ("big", "not enough memory")])
def test_what_cannot_be_is_refused_before_it_is_queued(
    trainer: Workbench, tmp_path: Path, name: str, said: str
) -> None:
    with pytest.raises(UserError, match=said):
        started(trainer, tmp_path, name)
    assert call(trainer, ListRuns()).runs == ()


def test_data_and_models_that_are_not_there_are_named(trainer: Workbench, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no set or file 'facts'"):
        call(trainer, InspectData(config=config("facts")))
    with pytest.raises(UserError, match="no file or folder"):
        call(trainer, InspectData(config=config(str(tmp_path / "none.jsonl"))))
    with pytest.raises(UserError, match="no model 'Other'"):
        call(trainer, InspectData(config=TrainingConfig(model="Other", data=DataPart(path="x"))))


# -- a training -----------------------------------------------------------------------------------


def test_a_training_is_followed_and_its_adapter_offered(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    run = started(trainer, tmp_path, "facts", name="My Facts")
    seen: list[Event] = []
    result = msgspec.convert(call(trainer, FollowRun(run=run.id), seen.append), TrainResult)
    kinds = [e.kind for e in seen if isinstance(e, events.Artifact)]
    assert kinds == ["asked", "plan", "data", "scores", "adapter", "verification"]
    assert [e.value for e in seen if isinstance(e, events.Metric) and e.name == "loss"] == [1, 1 / 2, 1 / 3, 1 / 4]
    assert (result.adapter, result.kind, result.steps, result.run) == ("my-facts", "lora", 4, run.id)
    assert result.metrics["after_exact_match"] == 1.0
    assert result.metrics["tokens_per_second"] == 100.0
    card = card_of(home, run.id)
    assert (card.name, card.state, card.base, card.examples, card.steps) == ("my-facts", "ready", "Base", 3, 4)
    assert (card.architecture, card.licence, card.can_merge) == ("llama", "Apache-2.0", True)
    assert card.base_sha256
    assert card.verification is not None
    assert card.verification.passed
    assert card.scores.after is not None
    assert Path(card.file) == home.adapters / "my-facts" / "adapter.gguf"
    assert (home.adapters / "my-facts" / "trained" / "questions.jsonl").is_file()
    assert not list((home.run(run.id) / "served").glob("*"))
    assert load_config(home.run(run.id) / "config.toml").optimiser.max_steps == 4
    record = call(trainer, GetRun(run=run.id))
    assert (record.state, record.resumable, record.title) == ("finished", False, "My Facts")
    assert call(trainer, PlanTraining(config=config(examples(tmp_path, "facts")))).seconds == 10.0
    workers = [w.name for w in call(trainer, GetStatus()).workers if w.pid]
    assert workers.count("training") <= 1  # the one that looks; that of the training has left


def test_a_second_adapter_of_a_name_gets_a_number(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    runs = [started(trainer, tmp_path, "facts", name="facts") for _ in range(2)]
    for run in runs:
        call(trainer, FollowRun(run=run.id))
    assert [card_of(home, run.id).name for run in runs] == ["facts", "facts-2"]


def test_trainings_go_one_after_the_other(trainer: Workbench, tmp_path: Path) -> None:
    first = started(trainer, tmp_path, "slow")
    second = started(trainer, tmp_path, "facts")
    until(trainer, first.id, is_step)
    assert call(trainer, GetRun(run=second.id)).state == "queued"
    assert trainer.busy
    call(trainer, StopRun(run=first.id))
    call(trainer, FollowRun(run=second.id))
    assert call(trainer, GetRun(run=second.id)).state == "finished"


def test_a_stopped_training_keeps_its_checkpoint_and_goes_on(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    run = started(trainer, tmp_path, "slow")
    assert run.title == "slow: LoRA on Base"
    until(trainer, run.id, is_step)
    call(trainer, StopRun(run=run.id))
    assert isinstance(list(trainer.handle(FollowRun(run=run.id)))[-1], events.Cancelled)
    stopped = call(trainer, GetRun(run=run.id))
    assert (stopped.state, stopped.resumable) == ("cancelled", True)
    assert not AdapterStore(home.adapters).list_cards()
    call(trainer, ResumeRun(run=run.id))
    seen: list[Event] = []
    call(trainer, FollowRun(run=run.id), seen.append)
    assert [e.step for e in seen if isinstance(e, events.Metric) and e.name == "loss"] == [1, 2, 3, 4]
    assert card_of(home, run.id).state == "ready"


def test_a_paused_training_waits_and_goes_on(trainer: Workbench, tmp_path: Path) -> None:
    waiting = started(trainer, tmp_path, "slow")
    run = started(trainer, tmp_path, "facts", optimiser=OptimiserPart(max_steps=100_000))
    with pytest.raises(UserError, match="computing"):
        call(trainer, PauseRun(run=run.id))
    until(trainer, waiting.id, is_step)
    call(trainer, StopRun(run=waiting.id))
    until(trainer, run.id, is_step)
    assert call(trainer, PauseRun(run=run.id)).paused
    assert call(trainer, GetRun(run=run.id)).state == "running"
    assert not call(trainer, ResumeRun(run=run.id)).paused
    call(trainer, PauseRun(run=run.id))
    call(trainer, StopRun(run=run.id))  # also while it is paused
    assert isinstance(list(trainer.handle(FollowRun(run=run.id)))[-1], events.Cancelled)


def test_a_killed_worker_says_what_to_lower_and_the_run_goes_on(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    run = started(trainer, tmp_path, "crash")
    with pytest.raises(UserError, match="memory ran out") as raised:
        call(trainer, FollowRun(run=run.id))
    assert "4.0 GB" in raised.value.message
    assert "weights" in raised.value.message
    assert "gradient checkpointing" in raised.value.hint
    failed = call(trainer, GetRun(run=run.id))
    assert (failed.state, failed.resumable) == ("failed", True)
    call(trainer, ResumeRun(run=run.id))
    call(trainer, FollowRun(run=run.id))
    assert card_of(home, run.id).steps == 4


def test_an_adapter_that_lost_what_was_learnt_is_marked(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    run = started(trainer, tmp_path, "lost")
    result = call(trainer, FollowRun(run=run.id))
    assert not result["verification"]["passed"]
    card = card_of(home, run.id)
    assert (card.state, card.note) == ("failed", "It lost what was learnt.")


def test_a_model_that_was_trained_as_a_whole_is_in_the_catalogue_unless_it_failed(
    trainer: Workbench, home: Home, tmp_path: Path
) -> None:
    good = started(trainer, tmp_path, "facts", name="Whole", weights=WeightsPart(method="full"))
    bad = started(trainer, tmp_path, "lost", name="Lost", weights=WeightsPart(method="full"))
    call(trainer, FollowRun(run=good.id))
    call(trainer, FollowRun(run=bad.id))
    models = {m.name: m for m in call(trainer, ListModels()).models}
    assert "Lost" not in models
    assert (models["Whole"].owned, models["Whole"].licence, models["Whole"].missing) == (True, "Apache-2.0", False)
    assert (card_of(home, good.id).model, card_of(home, good.id).name) == ("Whole", "whole")
    assert card_of(home, good.id).state == "ready"
    assert card_of(home, bad.id).state == "failed"
    assert sorted(p.name for p in home.models.iterdir() if p.is_dir()) == ["whole"]


def test_a_model_is_not_removed_under_a_training(trainer: Workbench, tmp_path: Path) -> None:
    run = started(trainer, tmp_path, "slow", name="Facts")
    until(trainer, run.id, is_step)
    with pytest.raises(UserError, match="'Facts' is using Base"):
        call(trainer, RemoveModel(name="base"))
    call(trainer, StopRun(run=run.id))
    list(trainer.handle(FollowRun(run=run.id)))
    call(trainer, RemoveModel(name="base"))


# -- ends and begins of the core ------------------------------------------------------------------


def test_what_the_gate_did_not_see_is_noted_and_checked_again(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    run = started(trainer, tmp_path, "unchecked", weights=WeightsPart(base="packed"))
    with pytest.raises(UserError):
        call(trainer, FollowRun(run=run.id))
    card = card_of(home, run.id)
    assert (card.state, card.note) == ("checking", UNCHECKED)
    assert (home.adapters / card.name / "trained").is_dir()
    assert not list((home.run(run.id) / "served").iterdir())
    trainer.close()
    again = opened(home)
    try:
        assert call(again, GetRun(run=run.id)).resumable
        call(again, ResumeRun(run=run.id))
        result = call(again, FollowRun(run=run.id))
        assert result["verification"]["passed"]
        assert result["verification"]["agreements"][0]["positions"] == 701, "as many as planned, the base packed"
        card = card_of(home, run.id)
        assert (card.state, card.note) == ("ready", "")
    finally:
        again.close()


def test_a_base_that_was_held_packed_is_verified_by_another_process(
    trainer: Workbench, home: Home, tmp_path: Path
) -> None:
    run = started(trainer, tmp_path, "facts", weights=WeightsPart(base="packed"))
    pids: list[int] = []
    result = call(trainer, FollowRun(run=run.id), lambda event: pids.append(worker_of(home, run.id)))
    assert len(set(filter(None, pids))) == 2
    assert result["verification"]["agreements"][0]["positions"] == 701  # the call of a verification alone
    assert result["metrics"]["tokens_per_second"] == 100.0
    card = card_of(home, run.id)
    assert (card.state, card.note, card.steps, card.scores.after.loss) == ("ready", "", 4, 0.5)
    assert not list((home.run(run.id) / "served").glob("*.gguf"))


def worker_of(home: Home, run: str) -> int:
    """The process that works in a run's folder."""
    try:
        return int(json.loads((home.run(run) / FILE).read_text())["pid"])
    except (OSError, ValueError):
        return 0


@pytest.mark.parametrize("file", ["short", "short-unchecked"])
def test_what_is_not_verified_for_want_of_memory_is_ready_and_says_so(
    trainer: Workbench, home: Home, tmp_path: Path, file: str
) -> None:
    run = started(trainer, tmp_path, file)
    if file == "short-unchecked":  # its worker dies once the adapter is served
        with pytest.raises(UserError):
            call(trainer, FollowRun(run=run.id))
        call(trainer, ResumeRun(run=run.id))
    result = call(trainer, FollowRun(run=run.id))
    assert result["verification"] is None
    card = card_of(home, run.id)
    assert (card.state, card.note, card.verification) == ("ready", NO_MEMORY, None)
    assert (home.adapters / card.name / "trained").is_dir()


def test_an_adapter_that_can_be_checked_no_more_says_so(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    run = started(trainer, tmp_path, "unchecked")
    with pytest.raises(UserError):
        call(trainer, FollowRun(run=run.id))
    call(trainer, RemoveRun(run=run.id))
    assert card_of(home, run.id).note == NEVER_CHECKED
    trainer.close()
    again = opened(home)
    again.close()
    assert card_of(home, run.id).note == NEVER_CHECKED


def test_a_model_that_the_core_was_ended_before_listing_is_made_again(
    trainer: Workbench, home: Home, tmp_path: Path
) -> None:
    run = started(trainer, tmp_path, "slow", name="Whole", weights=WeightsPart(method="full"))
    until(trainer, run.id, is_step)
    trainer.close()
    card = AdapterRecord(name="whole", kind="merged", state="checking", model="Whole", run=run.id)
    AdapterStore(home.adapters).publish(card, lambda folder: None)  # what is written before the model is listed
    again = opened(home)
    try:
        assert not AdapterStore(home.adapters).list_cards()
        call(again, ResumeRun(run=run.id))
        call(again, FollowRun(run=run.id))
        made = card_of(home, run.id)
        assert (made.name, made.model, made.state) == ("whole", "Whole", "ready")
        assert "Whole" in [model.name for model in call(again, ListModels()).models]
    finally:
        again.close()


def test_a_training_that_the_cores_end_interrupted_waits_to_be_taken_up(
    trainer: Workbench, home: Home, tmp_path: Path
) -> None:
    run = started(trainer, tmp_path, "slow")
    queued = started(trainer, tmp_path, "facts")
    until(trainer, run.id, is_step)
    trainer.close()
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


CORE = """
import sys, threading
from pathlib import Path
from tests.e2e.training_core import call, config, opened
from workbench.calls import Train
from workbench.base.paths import Home
core = opened(Home(Path(sys.argv[1])))
print(call(core, Train(config=config(sys.argv[2]))).id, flush=True)
threading.Event().wait()
"""


def test_when_the_core_is_killed_its_training_saves_and_leaves(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    trainer.close()
    data = examples(tmp_path, "slow")
    core = subprocess.Popen(
        [sys.executable, "-c", CORE, str(home.root), data],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert core.stdout is not None
    run = core.stdout.readline().strip()
    step = home.run(run) / "checkpoints" / "step.json"
    assert wait_for(lambda: step.is_file() and step.read_text() == "2")
    workers = [child for child in psutil.Process(core.pid).children() if "fake_training" in " ".join(child.cmdline())]
    core.kill()
    core.wait()
    core.stdout.close()
    gone, left = psutil.wait_procs(workers, timeout=WAIT_S)
    assert (len(gone) > 0, left) == (True, [])
    assert step.with_name("stopped").is_file()
    again = opened(home)
    try:
        record = call(again, GetRun(run=run))
        assert (record.state, record.resumable) == ("interrupted", True)
        call(again, ResumeRun(run=run))
        assert call(again, FollowRun(run=run))["steps"] == 4
    finally:
        again.close()


def wait_for(claim: Callable[[], bool]) -> bool:
    """Whether a claim comes true in time; for what another process does."""
    waiting = threading.Event()
    return any(claim() or waiting.wait(0.05) for _ in range(int(WAIT_S / 0.05)))


# -- after it -------------------------------------------------------------------------------------


def test_an_ended_run_is_removed_and_what_it_made_stays(trainer: Workbench, home: Home, tmp_path: Path) -> None:
    run = started(trainer, tmp_path, "slow")
    until(trainer, run.id, is_step)
    with pytest.raises(UserError, match="still running or waiting"):
        call(trainer, RemoveRun(run=run.id))
    call(trainer, StopRun(run=run.id))
    list(trainer.handle(FollowRun(run=run.id)))
    call(trainer, ResumeRun(run=run.id))
    call(trainer, FollowRun(run=run.id))
    call(trainer, RemoveRun(run=run.id))
    assert call(trainer, ListRuns()).runs == ()
    assert not home.run(run.id).exists()
    assert card_of(home, run.id).state == "ready"


def test_a_training_is_exported_to_a_new_folder(trainer: Workbench, tmp_path: Path) -> None:
    run = started(trainer, tmp_path, "facts")
    call(trainer, FollowRun(run=run.id))
    out = tmp_path / "exported"
    assert call(trainer, ExportRun(run=run.id, path=str(out))) == str(out)
    assert json.loads((out / "README.md").read_text())["run"] == run.id
    with pytest.raises(UserError, match="exists already"):
        call(trainer, ExportRun(run=run.id, path=str(out)))
