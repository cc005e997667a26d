"""The training worker as a real process, with a tiny model: trained, stopped, killed, gone on with, by two as well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.unit.training.tiny_training import save_folder, write_rows
from workbench.api import events
from workbench.api.protocol import RequestContext, read_result
from workbench.base.errors import Cancelled, UserError, WorkerDied
from workbench.processes.host import WorkerHost
from workbench.records.training import DataPart, EvaluationPart, OptimiserPart, TrainingConfig, WeightsPart
from workbench.training import planning
from workbench.training.protocol import BaseModel, InspectSet, Plan, SetPaused, Trained, TrainModel
from workbench.training.weights import dtype_selection
from workbench.workers.training import TrainingService

pytest.importorskip("torch")

STEPS = 8


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    return BaseModel(name="tiny", path=str(save_folder(tmp_path_factory.mktemp("model") / "tiny")))


@pytest.fixture
def host() -> Iterator[WorkerHost]:
    host = WorkerHost("training", cancel_grace_s=60)
    yield host
    host.kill()


def call_of(
    folder: Path, model: BaseModel, *, processes: int = 1, share: float = 0.2, steps: int = STEPS, **evaluation: Any
) -> TrainModel:
    config = TrainingConfig(
        data=DataPart(path=str(write_rows(folder.parent / "rows.jsonl")), evaluation_share=share),
        weights=WeightsPart(base="f32", rank=4),
        optimiser=OptimiserPart(
            max_steps=steps, batch_size=5, micro_batch_tokens=80, learning_rate=1e-2, gradient_checkpointing="off"
        ),
        evaluation=EvaluationPart(
            **{"interval": 3, "sample_answers": 2, "max_new_tokens": 4, "forgetting": False} | evaluation
        ),
        processes=processes,
    )
    return TrainModel(config=config, model=model, folder=str(folder), threads=1)


def losses(told: list[Any]) -> dict[int, float]:
    return {e.step: e.value for e in told if isinstance(e, events.Metric) and e.name == "loss"}


def run(
    host: WorkerHost, call: TrainModel, told: list[Any], at: dict[int, Callable[[], None]] | None = None
) -> Trained:
    """Call, and do something when a step was told."""

    context = RequestContext()

    def watch(event: Any) -> None:
        told.append(event)
        if at and isinstance(event, events.Metric) and event.name == "loss" and event.step in at:
            at[event.step]()

    return host.call(call, watch, context)


def stop_at(host: WorkerHost, call: TrainModel, step: int) -> list[Any]:
    """The events of a call that is cancelled once the step was told."""
    told: list[Any] = []
    context = RequestContext()

    def watch(event: Any) -> None:
        told.append(event)
        if isinstance(event, events.Metric) and event.name == "loss" and event.step == step:
            threading.Thread(target=context.cancel).start()

    with pytest.raises(Cancelled):
        host.call(call, watch, context)
    return told


def test_a_training_tells_of_itself_and_leaves_its_artefact(host: WorkerHost, model: BaseModel, tmp_path: Path) -> None:
    told: list[Any] = []
    trained = run(host, call_of(tmp_path / "run", model, forgetting=True), told)
    assert (trained.form, trained.kind, trained.steps) == ("peft", "lora", STEPS)
    folder = Path(trained.folder)
    assert {path.name for path in folder.iterdir()} == {
        "adapter_config.json", "adapter_model.safetensors", "questions.fingerprints", "questions.jsonl", "trained.json",
    }  # fmt: skip
    questions = [json.loads(line) for line in (folder / "questions.jsonl").read_text().splitlines()]
    assert all(len(one["tokens"]) == len(one["trained"]) for one in questions)
    held_out = [one["question"] for one in questions if one["question"]]  # few, so some that were trained on as well
    assert all(question.startswith("What") for question in held_out)
    assert trained.scores.before is not None
    assert trained.scores.after is not None
    assert trained.scores.after.loss < trained.scores.before.loss
    assert trained.scores.after.answers == 2 < len(held_out) < len(questions)
    assert trained.forgetting.after is not None
    assert trained.forgetting.after.answers == 24
    assert sorted(losses(told)) == list(range(1, STEPS + 1))
    kinds = [event.kind for event in told if isinstance(event, events.Artifact)]
    assert kinds.index("data") < kinds.index("sample") < kinds.index("checkpoint")
    assert {"scores", "forgetting"} <= set(kinds)
    names = {event.name for event in told if isinstance(event, events.Metric)}
    assert {"evaluation_loss", "evaluation_perplexity", "evaluation_token_accuracy", "exact_match", "rouge_l"} <= names
    assert {"general_loss", "general_exact_match"} <= names

    again: list[Any] = []
    assert run(host, call_of(tmp_path / "run", model, forgetting=True), again) == trained
    assert losses(again) == {}


def test_stopped_and_killed_it_goes_on_exactly(host: WorkerHost, model: BaseModel, tmp_path: Path) -> None:
    whole: list[Any] = []
    expected = run(host, call_of(tmp_path / "whole", model), whole)

    call = call_of(tmp_path / "cut", model)
    told = stop_at(host, call, 2)
    assert not (tmp_path / "cut" / "trained").exists()
    stopped = max(losses(told))  # after step 2, or a little later: the stop is a message
    last = max(5, stopped + 1)
    killed: list[Any] = []
    with pytest.raises(WorkerDied):
        run(host, call, killed, {last: host.kill})
    assert last in losses(killed)
    rest: list[Any] = []
    trained = run(host, call, rest)
    evaluated = (last - 1) // 3 * 3
    assert min(losses(rest)) == max(stopped, evaluated) + 1  # the stop and each evaluation leave a checkpoint
    assert losses(told) | losses(killed) | losses(rest) == losses(whole)
    weights = "trained/adapter_model.safetensors"
    assert (tmp_path / "cut" / weights).read_bytes() == (tmp_path / "whole" / weights).read_bytes()
    assert trained.scores == expected.scores


def test_it_waits_while_paused(host: WorkerHost, model: BaseModel, tmp_path: Path) -> None:
    """Paused at its first event, long before the first step: then no step comes however long it is waited for."""
    told: list[Any] = []
    results: list[Trained] = []
    begun, paused = threading.Event(), threading.Event()

    def watch(event: Any) -> None:
        told.append(event)
        begun.set()

    def pause() -> None:
        begun.wait(120)
        host.call(SetPaused(paused=True))
        paused.set()

    training = threading.Thread(target=lambda: results.append(host.call(call_of(tmp_path / "run", model), watch)))
    pausing = threading.Thread(target=pause)
    pausing.start()
    training.start()
    assert paused.wait(120)
    training.join(1.0)
    assert training.is_alive()
    assert losses(told) == {}
    host.call(SetPaused(paused=False))
    training.join(120)
    assert results
    assert sorted(losses(told)) == list(range(1, STEPS + 1))
    with pytest.raises(UserError, match="no training"):
        host.call(SetPaused(paused=True))


def test_two_processes_train_the_same_run(host: WorkerHost, model: BaseModel, tmp_path: Path) -> None:
    alone: list[Any] = []
    steps = 60  # so many that the stop comes before the end
    run(host, call_of(tmp_path / "alone", model, steps=steps, interval=30), alone)
    call = call_of(tmp_path / "together", model, processes=2, steps=steps, interval=30)
    told = stop_at(host, call, 2)
    rest: list[Any] = []
    trained = run(host, call, rest)
    assert trained.steps == steps
    together = losses(told) | losses(rest)
    assert sorted(together) == list(range(1, steps + 1))
    for step, loss in losses(alone).items():
        assert together[step] == pytest.approx(loss, rel=1e-4)


def test_processes_leave_with_the_worker_that_leads_them(host: WorkerHost, model: BaseModel, tmp_path: Path) -> None:
    sharing: list[psutil.Process] = []

    def kill() -> None:
        started = psutil.Process(host.pid).children(recursive=True)
        sharing.extend(process for process in started if {"process-group", "rank"} & {*command_of(process)})
        psutil.Process(host.pid).kill()  # this one alone, as the operating system does when memory is short

    with pytest.raises(WorkerDied):
        run(host, call_of(tmp_path / "run", model, processes=2), [], {2: kill})
    assert len(sharing) >= 3  # two, and what started them
    assert psutil.wait_procs(sharing, timeout=60)[1] == []


def command_of(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def test_bad_data_is_refused_before_the_weights_are_loaded(host: WorkerHost, model: BaseModel, tmp_path: Path) -> None:
    call = call_of(tmp_path / "run", model)
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a", "completion": "b"}\n{"prompt": "a", "completion"\n')
    told: list[Any] = []
    with pytest.raises(UserError, match="line 2"):
        run(host, call, told)
    assert not any(isinstance(event, events.Progress) and event.stage == "loading the model" for event in told)


def test_looking_into_a_set_tells_what_is_trained(host: WorkerHost, model: BaseModel, tmp_path: Path) -> None:
    call = call_of(tmp_path / "run", model)
    report = host.call(InspectSet(config=call.config, model=model, previews=3, first=2))
    assert report.shape == "prompt_completion"
    assert report.train.examples + report.evaluation.examples == 12
    assert len(report.previews) == 3
    first = report.previews[0]
    assert "".join(piece.text for piece in first.pieces).startswith("<|user|>What is")
    assert [piece.trained for piece in first.pieces] == [False, True]
    assert first.pieces[1].text.endswith("<|end|>")
    (tmp_path / "rows.jsonl").write_text('{"one": "a", "two": 1}\n{"one": "b", "two": 2}\n')
    unknown = host.call(InspectSet(config=call.config, model=model))
    assert (unknown.shape, unknown.columns, unknown.previews) == ("unknown", ("one", "two"), ())


def test_the_worker_starts_light() -> None:
    import subprocess
    import sys

    heavy = "{'numpy', 'gguf', 'pyarrow', 'torch', 'transformers', 'llama_cpp'}"
    code = f"import sys, workbench.workers.training; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_looking_into_a_set_loads_no_torch(model: BaseModel, tmp_path: Path) -> None:
    import subprocess
    import sys

    code = f"""
import sys
from workbench.api.protocol import RequestContext, read_result
from workbench.training import planning
from workbench.training.protocol import BaseModel, InspectSet
from workbench.training.weights import dtype_selection
from workbench.records.training import DataPart, TrainingConfig
from workbench.workers.training import TrainingService
rows = {str(write_rows(tmp_path / "rows.jsonl"))!r}
call = InspectSet(config=TrainingConfig(data=DataPart(path=rows)), model=BaseModel(name="t", path={model.path!r}))
*_, end = TrainingService().handlers()[InspectSet](call, RequestContext())
assert end.result["train"]["examples"] > 5
print(*sorted({{"torch", "transformers", "peft"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(("cards", "processes", "form", "free"), [
    ([], 1, "f32", 8_000_000_000),
    ([dtype_selection.Card(3_000_000_000, True)], 1, "bf16", 3_000_000_000),
    ([dtype_selection.Card(3_000_000_000, False)], 1, "f32", 3_000_000_000),
    ([dtype_selection.Card(3_000_000_000, True)], 2, "f32", 8_000_000_000),  # not one for each: on the processor
    ([dtype_selection.Card(3_000_000_000, True), dtype_selection.Card(2_000_000_000, True)], 2, "bf16", 4_000_000_000),
])  # fmt: skip
def test_it_plans_for_what_is_trained_on(
    model: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cards: Any, processes: int, form: str, free: int
) -> None:
    monkeypatch.setattr(dtype_selection, "find_cards", lambda most: tuple(cards[:most]))
    monkeypatch.setattr(planning, "computes_bf16", lambda: False)
    config = TrainingConfig(data=DataPart(path=str(write_rows(tmp_path / "rows.jsonl"))), processes=processes)
    call = Plan(config=config, model=model, runs=str(tmp_path), memory_free_bytes=8_000_000_000)
    (event,) = TrainingService()._plan(call, RequestContext())
    plan = read_result(call, event.result)
    assert (plan.problem, plan.config.weights.base, plan.memory_free_bytes) == ("", form, free)


def test_without_a_driver_there_are_no_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(dtype_selection.ctypes, "CDLL", missing)
    assert dtype_selection.find_cards(1) == ()


PASSES = """
from workbench.workers.training import keep_few_kernels
keep_few_kernels()
import psutil, torch

torch.set_num_threads(1)
layers = [torch.randn(width, 576).bfloat16() for width in (576, 1536, 192)]

def compute(lengths):
    for length in lengths:
        for weights in layers:
            row = torch.randn(length, 576).bfloat16().requires_grad_()
            torch.nn.functional.linear(row, weights).sum().backward()
    return psutil.Process().memory_info().rss

print(compute(range(100, 104)), compute(range(104, 144)))
"""


def test_kernels_for_ever_other_shapes_do_not_fill_the_memory() -> None:
    environment = {name: value for name, value in os.environ.items() if "CACHE_CAPACITY" not in name}
    told = subprocess.run(
        [sys.executable, "-c", PASSES], capture_output=True, text=True, check=True, env=environment, timeout=300
    )
    begun, ended = map(int, told.stdout.split())
    assert ended - begun < 60_000_000  # without: some 170 MB where the processor has instructions for bf16
