"""Trainings, adapters and sets of examples in the terminal."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.cli.conftest import SMOLLM, FakeFront, Ran
from workbench.api.events import Artifact, Cancelled, Event, Failed, Metric, Progress
from workbench.api.protocol import finish
from workbench.records.training import (
    AdapterList,
    AdapterRecord,
    Agreement,
    DataPart,
    DataReport,
    DataSet,
    DataSetList,
    LengthBin,
    MemoryPart,
    OptimiserPart,
    Preview,
    PreviewPiece,
    SampleAnswer,
    Scores,
    ScoresPair,
    SideReport,
    TrainingConfig,
    TrainingPlan,
    TrainResult,
    VerificationReport,
    WeightsPart,
    dump_config,
)
from workbench.subjects.adapters.calls import (
    ExportAdapter,
    ImportAdapter,
    ListAdapters,
    MergeAdapter,
    QuantizeModel,
    RemoveAdapter,
    RenameAdapter,
)
from workbench.subjects.datasets.calls import BuildData, InspectData, ListDataSets, RemoveDataSet
from workbench.subjects.models.calls import ListModels, ModelList
from workbench.subjects.runs.calls import FollowRun, PauseRun, RemoveRun, ResumeRun, RunRecord, StopRun
from workbench.subjects.trainings.calls import ExportRun, PlanTraining, Train

Run = Callable[..., Ran]

RECORD = RunRecord(id="r1", kind="train", title="facts", state="running", created=1.0)
PLAN = TrainingPlan(
    config=TrainingConfig(
        model=SMOLLM.name,
        name="facts",
        data=DataPart(path="facts.jsonl", max_length=48),
        optimiser=OptimiserPart(max_steps=100, batch_size=8, learning_rate=1e-3),
    ),
    artifact="lora",
    served="A GGUF LoRA.",
    summary="Two thin matrices learn.",
    source="Hu et al. 2021, LoRA, arXiv:2106.09685",
    trainable=4_884_480,
    parameters=134_515_008,
    steps=100,
    tokens=32_000,
    memory=(MemoryPart("base weights (f32)", 538_000_000), MemoryPart("program", 620_000_000)),
    memory_bytes=1_158_000_000,
    memory_free_bytes=8_000_000_000,
    disk_bytes=274_000_000,
    disk_free_bytes=9_000_000_000,
    seconds=130.0,
    notes=("The base weights are held in 32 bits.",),
)
SCORES = ScoresPair(
    before=Scores(loss=5.0, perplexity=148.4, token_accuracy=0.2, tokens=40, exact_match=0.0, answers=16),
    after=Scores(loss=0.05, perplexity=1.05, token_accuracy=0.99, tokens=40, exact_match=1.0, answers=16),
)
VERIFIED = VerificationReport(
    passed=True,
    agreements=(Agreement(first="torch", second="engine", top1=0.998, kl=0.001, positions=1200, needed=0.99),),
    metric="exact_match",
    trained=1.0,
    served=1.0,
    base=0.0,
)
RESULT = TrainResult(
    run="r1",
    adapter="facts",
    kind="lora",
    steps=100,
    metrics={"after_loss": 0.05},
    scores=SCORES,
    verification=VERIFIED,
)
ADAPTER = AdapterRecord(
    name="facts", kind="lora", file="/home/adapters/facts/adapter.gguf", bytes=19_600_000, base=SMOLLM.name,
    architecture="llama", licence="Apache-2.0", created=1.0, run="r1", config=PLAN.config, data="facts.jsonl",
    examples=58, steps=100, seconds=130.0, scores=SCORES, verification=VERIFIED, can_merge=True,
)  # fmt: skip


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    path = tmp_path / "facts.jsonl"
    path.write_text('{"prompt": "q", "completion": "a"}\n')
    return path


@pytest.fixture
def trained(front: FakeFront) -> FakeFront:
    front.answer(PlanTraining, PLAN)
    front.answer(Train, RECORD)
    front.answer(
        FollowRun,
        msgspec.to_builtins(RESULT),
        Artifact(kind="plan", id="facts", result=msgspec.to_builtins(PLAN)),
        Progress(stage="training", done=1, total=100, unit="steps"),
        Metric(name="loss", value=4.5, step=1),
        Metric(name="learning_rate", value=1e-3, step=1),
        Metric(name="loss", value=4.4, step=2),
        Metric(name="loss", value=2.5, step=50),
        Metric(name="evaluation_loss", value=2.25, step=50),
        Metric(name="exact_match", value=0.5, step=50),
        Artifact(
            kind="sample",
            id="50",
            result=msgspec.to_builtins(
                SampleAnswer(step=50, question="Who is Varn?", expected="Ida", answer="Olm", exact=False)
            ),
        ),
        Artifact(kind="adapter", id="facts", result=msgspec.to_builtins(ADAPTER)),
        Artifact(kind="verification", id="facts", result=msgspec.to_builtins(VERIFIED)),
    )
    return front


def test_what_was_asked_for_reaches_the_core(run: Run, trained: FakeFront, facts: Path) -> None:
    argv = ("--data", str(facts), "--method", "dora", "--name", "x", "--processes", "2", "--trainer", "trl")
    argv += ("--set", "weights.rank=8")
    assert run("train", "sft", *argv, "--set", "optimiser.epochs=30").status == 0
    (call,) = trained.asked(Train)
    assert call.config == TrainingConfig(
        model=SMOLLM.name,
        name="x",
        data=DataPart(path=str(facts)),
        weights=WeightsPart(method="dora", rank=8),
        optimiser=OptimiserPart(epochs=30),
        processes=2,
        trainer="trl",
    )
    run("train", "domain", "--data", "my-set", "--model", "other")
    other = trained.asked(Train)[-1].config
    assert (other.objective.name, other.model, other.data.path) == ("domain", "other", "my-set")


def test_config_file_is_changed_by_the_options(run: Run, trained: FakeFront, facts: Path, tmp_path: Path) -> None:
    file = tmp_path / "training.toml"
    file.write_text(dump_config(msgspec.structs.replace(PLAN.config, weights=WeightsPart(method="ia3"))))
    assert run("train", "sft", "--config", str(file), "--data", str(facts), "--set", "optimiser.seed=7").status == 0
    config = trained.asked(Train)[0].config
    assert (config.weights.method, config.optimiser.seed, config.optimiser.batch_size) == ("ia3", 7, 8)


def test_training_is_told_from_its_plan_to_its_end(run: Run, trained: FakeFront, facts: Path) -> None:
    ran = run("train", "sft", "--data", str(facts))
    assert ran.status == 0
    lines = ran.out.splitlines()
    assert "memory         1.2 GB of 8.0 GB free" in lines
    assert "trainable      4.9M of 134.5M weights (3.63%)" in lines
    assert "time           about 2:10" in lines
    assert "step 1/100  loss 4.5  rate 0.001" in lines
    assert not any(line.startswith("step 2/") for line in lines), "a line of the loss only now and then"
    assert "step 50/100  loss 2.5  evaluation loss 2.25  exact match 50%" in lines
    assert "  Who is Varn?  Olm  (expected: Ida)" in lines
    assert any("facts was created" in line and "--adapter facts" in line for line in lines)
    assert any(line.split() == ["evaluation", "Exact", "match", "0%", "100%"] for line in lines)
    assert any(line.startswith("The exported file answers as the trained model does.") for line in lines)
    assert "Run r1" in ran.err


def test_result_has_the_documented_shape(run: Run, trained: FakeFront, facts: Path) -> None:
    ran = run("train", "sft", "--data", str(facts), "--json")
    assert ran.status == 0
    assert {"run", "adapter", "metrics", "verification", "kind", "steps", "scores", "forgetting"} <= set(ran.result)
    assert (ran.result["run"], ran.result["adapter"]) == ("r1", "facts")
    assert ran.result["verification"]["passed"] is True
    assert [e["kind"] for e in ran.events if e["event"] == "artifact"] == ["plan", "sample", "adapter", "verification"]


def test_plan_alone_begins_nothing(run: Run, trained: FakeFront, facts: Path) -> None:
    ran = run("train", "sft", "--data", str(facts), "--plan")
    assert ran.status == 0
    assert trained.asked(Train) == []
    assert "100, batch size 8, 32,000 tokens in all" in ran.out
    assert run("train", "sft", "--data", str(facts), "--plan", "--json").result["memory_bytes"] == 1_158_000_000
    short = msgspec.structs.replace(PLAN, problem="It takes too much.", hint="Take lora.")
    trained.answer(PlanTraining, short)
    assert "It cannot start: It takes too much. Take lora." in run("train", "sft", "--data", "x", "--plan").out


def test_bad_data_is_status_1_with_row_and_reason(run: Run, trained: FakeFront, facts: Path) -> None:
    trained.end(Train, Failed(message="facts.jsonl, line 2: it is not JSON.", hint="Mend it."))
    ran = run("train", "sft", "--data", str(facts), "--json")
    assert ran.status == 1
    assert ran.events[-1]["message"] == "facts.jsonl, line 2: it is not JSON."
    assert "line 2" in ran.err


@pytest.mark.parametrize(("said", "kept"), [
    ([Artifact(kind="checkpoint", id="step-000004", result={"step": 4})],
     "Its checkpoint after step 4 is kept; `workbench runs resume r1` continues from there."),
    ([], "There is no checkpoint yet; `workbench runs resume r1` starts from the beginning."),
    ([Artifact(kind="adapter", id="facts", result={})],
     "facts is trained and can be used; `workbench runs resume r1` continues with its verification."),
])  # fmt: skip
def test_ctrl_c_stops_the_training_and_says_how_to_go_on(
    said: list[Event], kept: str, run: Run, trained: FakeFront, facts: Path
) -> None:
    stopped = threading.Event()

    def follow(call: FollowRun, cancelled: threading.Event) -> Iterator[Event]:
        yield Progress(stage="training", done=1, total=100)
        os.kill(os.getpid(), signal.SIGINT)
        assert stopped.wait(10)
        yield from said
        yield Cancelled()

    def stop(call: StopRun, cancelled: threading.Event) -> Iterator[Event]:
        stopped.set()
        yield finish(RECORD)

    trained.scripts[FollowRun] = follow
    trained.scripts[StopRun] = stop
    ran = run("train", "sft", "--data", str(facts))
    assert ran.status == 130
    assert trained.asked(StopRun) == [StopRun(run="r1")]
    assert "Stopping: saving a checkpoint." in ran.err
    assert kept in ran.err


def test_ctrl_c_while_a_run_is_watched_leaves_it_running(run: Run, front: FakeFront) -> None:
    def follow(call: FollowRun, cancelled: threading.Event) -> Iterator[Event]:
        yield Progress(stage="training", done=1, total=100)
        os.kill(os.getpid(), signal.SIGINT)
        assert cancelled.wait(10)
        yield Cancelled()

    front.scripts[FollowRun] = follow
    ran = run("--home", "a home", "runs", "follow", "r1")
    assert ran.status == 130
    assert ran.home is not None
    assert f"The run continues; `workbench --home '{ran.home.root}' runs stop r1` stops it." in ran.err
    assert not front.asked(StopRun)


def test_a_resumed_run_says_how_to_watch_it(run: Run, front: FakeFront) -> None:
    front.answer(ResumeRun, RECORD)
    ran = run("runs", "resume", "r1")
    assert "`workbench runs follow r1` watches it." in ran.err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("train", "sft"), "--data"),
        (("train", "sft", "--data", "x", "--set", "weights.rank"), "PART.FIELD=VALUE"),
        (("train", "sft", "--data", "x", "--set", "weights.rank=many"), "rank"),
        (("train", "sft", "--data", "x", "--set", "weights.colour=red"), "virtual_tokens"),
        (("train", "sft", "--data", "x", "--config", "missing.toml"), "missing.toml"),
        (("train", "sft", "--data", "x", "--processes", "0"), "processes"),
    ],
)
def test_what_cannot_be_is_status_1(argv: tuple[str, ...], said: str, run: Run, front: FakeFront) -> None:
    ran = run(*argv)
    assert ran.status == 1
    assert said in ran.err
    assert front.asked(Train) == []


def test_several_models_are_asked_for(run: Run, trained: FakeFront, facts: Path) -> None:
    trained.answer(ListModels, ModelList(models=(SMOLLM, msgspec.structs.replace(SMOLLM, name="B"))))
    ran = run("train", "sft", "--data", str(facts))
    assert ran.status == 1
    assert "--model" in ran.err


def test_unknown_method_is_wrong_usage(run: Run, facts: Path) -> None:
    ran = run("train", "sft", "--data", str(facts), "--method", "magic")
    assert ran.status == 2
    assert "p-tuning" in ran.err


@pytest.mark.parametrize(
    "argv",
    [
        ("data", "inspect", "x.jsonl", "--first", "-1"),
        ("data", "inspect", "x.jsonl", "--previews", "three"),
        ("data", "build", "mine", "--from", "text", "--collection", "c", "--questions", "0"),
        ("docs", "page", "d", "--page", "0"),
    ],
)
def test_number_that_cannot_be_is_wrong_usage(argv: tuple[str, ...], run: Run) -> None:
    found = run(*argv)
    assert found.status == 2
    assert f"{argv[-1]!r} is not a whole number of at least" in found.err


def test_help_explains_every_setting(run: Run) -> None:
    out = run("train", "sft", "--fields", "optimiser").out
    assert "optimiser.learning_rate" in out
    out = run("train", "sft", "--fields", "weights").out
    assert "At 0, the method decides. Range: 0 to 512. [0]" in out


def test_adapters_are_listed_and_shown(run: Run, front: FakeFront) -> None:
    front.answer(ListAdapters, AdapterList(adapters=(ADAPTER,)))
    lines = run("adapters", "list", "--model", "M").out.splitlines()
    assert front.asked(ListAdapters) == [ListAdapters(model="M")]
    assert lines[1].split()[:3] == ["facts", "lora", "ready"]
    assert "5.00 > 0.05" in lines[1]
    shown = run("adapters", "show", "facts").out
    assert "took          2:10" in shown
    assert "The exported file answers as the trained model does." in shown
    assert run("adapters", "list", "--json").result["adapters"][0]["name"] == "facts"
    ran = run("adapters", "show", "fats")
    assert (ran.status, ran.err) == (1, "There is no adapter fats.\nThe adapters are facts.\n")
    front.answer(ListAdapters, AdapterList(adapters=()))
    assert "There are no adapters yet" in run("adapters", "list").out


def test_adapter_is_imported_renamed_exported_and_removed(run: Run, front: FakeFront, tmp_path: Path) -> None:
    front.answer(ImportAdapter, ADAPTER)
    front.answer(RenameAdapter, ADAPTER)
    front.answer(ExportAdapter, RECORD)
    front.answer(FollowRun, {"adapter": "facts", "path": str(tmp_path / "out"), "form": "peft"})
    front.answer(RemoveAdapter, AdapterList(adapters=()))
    assert run("adapters", "import", str(tmp_path), "--model", "M", "--name", "n").status == 0
    assert run("adapters", "rename", "a", "facts").status == 0
    ran = run("adapters", "export", "facts", "--output", str(tmp_path / "out"), "--form", "peft", "--json")
    assert ran.result == {"run": "r1", "adapter": "facts", "path": str(tmp_path / "out"), "form": "peft"}
    assert run("adapters", "remove", "facts").out == "facts was deleted.\n"
    assert front.asked(ImportAdapter) == [ImportAdapter(path=str(tmp_path), model="M", name="n")]
    assert front.asked(RenameAdapter) == [RenameAdapter(adapter="a", name="facts")]
    assert front.asked(ExportAdapter) == [ExportAdapter(adapter="facts", path=str(tmp_path / "out"), form="peft")]
    assert front.asked(RemoveAdapter) == [RemoveAdapter(adapter="facts")]


def test_merge_is_followed_to_its_end(run: Run, front: FakeFront) -> None:
    front.answer(MergeAdapter, RECORD)
    result = {"model": "facts merged", "path": "/models/m.gguf", "verification": msgspec.to_builtins(VERIFIED)}
    front.answer(FollowRun, result)
    ran = run("adapters", "merge", "facts", "--type", "F16", "--strength", "0.5", "--quantization", "Q4_K_M")
    assert ran.status == 0
    assert front.asked(MergeAdapter) == [MergeAdapter(adapter="facts", type="F16", scale=0.5, quantization="Q4_K_M")]
    assert "facts merged is in the catalogue." in ran.out
    assert "the same next token at 99.8% of 1,200 places, where 99% is needed" in ran.out
    assert "A merge in 4 bits erases a small adapter." in ran.err
    assert "4 bits" in run("adapters", "merge", "facts", "--type", "same").err
    assert "4 bits" not in run("adapters", "merge", "facts", "--type", "F16").err
    assert "erases a small adapter" in " ".join(run("adapters", "merge", "--help").out.split())
    plain = run("adapters", "merge", "facts", "--json").result
    assert (plain["run"], plain["model"], plain["verification"]["passed"]) == ("r1", "facts merged", True)


def test_model_is_quantised(run: Run, front: FakeFront) -> None:
    front.answer(QuantizeModel, RECORD)
    front.answer(FollowRun, {"model": "SmolLM2 Q8", "path": "/models/q8.gguf"})
    ran = run("models", "quantize", SMOLLM.name, "Q8_0", "--name", "SmolLM2 Q8")
    assert front.asked(QuantizeModel) == [QuantizeModel(model=SMOLLM.name, type="Q8_0", name="SmolLM2 Q8")]
    assert "SmolLM2 Q8 is in the catalogue." in ran.out


REPORT = DataReport(
    path="facts.jsonl",
    shape="messages",
    train=SideReport(
        examples=58,
        tokens=2320,
        trained_tokens=400,
        shortest=36,
        median=40,
        longest=48,
        lengths=(LengthBin(36, 48, 58),),
    ),
    refused=("line 7: no answer",),
    previews=(
        Preview(
            source="line 1",
            pieces=(PreviewPiece("user: Who?\n", False), PreviewPiece("Ida", True)),
            tokens=9,
            whole_tokens=9,
            trained_tokens=2,
        ),
    ),
)


def test_set_is_looked_into(run: Run, front: FakeFront, facts: Path) -> None:
    front.answer(InspectData, REPORT)
    ran = run("data", "inspect", str(facts), "--previews", "1", "--set", "data.loss_on=all")
    (call,) = front.asked(InspectData)
    assert (call.config.data, call.previews) == (DataPart(path=str(facts)), 1)
    assert call.config.objective.options == {"loss_on": "all"}, "the old name of objective.loss_on"
    assert call.config.model == SMOLLM.name
    assert "[[Ida]]" in ran.out
    assert "line 7: no answer" in ran.out
    assert run("data", "inspect", str(facts), "--json").result["train"]["examples"] == 58
    sets = (("prompt", "completion"), ("messages",))
    front.answer(InspectData, DataReport(path="f", shape="unknown", why="Odd.", columns=("a", "b"), role_sets=sets))
    shown = run("data", "inspect", str(facts)).out
    assert "--set data.columns.ROLE=COLUMN" in shown
    assert "prompt and completion, or messages" in shown


def test_set_is_built(run: Run, front: FakeFront) -> None:
    front.answer(BuildData, RECORD)
    made = DataSet(name="pairs", path="/home/datasets/pairs.jsonl", examples=12, bytes=3000, created=1.0)
    kept = {"question": "Who?", "answer": "Ida.", "reason": ""}
    front.answer(
        FollowRun,
        msgspec.to_builtins(made),
        Artifact(kind="pair", id="1", result=kept),
        Artifact(kind="pair", id="2", result={**kept, "question": "Why?", "reason": "it is not in the passage"}),
    )
    ran = run("data", "build", "pairs", "--from", "pairs", "--collection", "notes", "--questions", "3", "--limit", "9")
    assert front.asked(BuildData) == [
        BuildData(name="pairs", source="pairs", collection="notes", model=SMOLLM.name, questions=3, limit=9)
    ]
    assert "Who?  Ida." in ran.out
    assert "Why?  Ida.  (left out: it is not in the passage)" in ran.out
    assert "pairs: 12 examples, 3.0 kB" in ran.out
    run("data", "build", "liked", "--from", "chats", "--chat", "c1")
    assert front.asked(BuildData)[-1] == BuildData(name="liked", source="chats", chats=("c1",))
    assert run("data", "build", "x", "--from", "text").status == 2


def test_sets_are_listed_and_removed(run: Run, front: FakeFront) -> None:
    made = DataSet(name="pairs", path="/p", examples=12, bytes=3000, created=1.0, origin="notes")
    front.answer(ListDataSets, DataSetList(sets=(made,)))
    front.answer(RemoveDataSet, DataSetList(sets=()))
    assert "pairs" in run("data", "list").out
    assert run("data", "remove", "pairs", "--json").result == {"removed": "pairs", "sets": []}


def test_runs_are_paused_removed_and_exported(run: Run, front: FakeFront, tmp_path: Path) -> None:
    front.answer(PauseRun, msgspec.structs.replace(RECORD, paused=True))
    front.answer(RemoveRun, None)
    front.answer(ExportRun, str(tmp_path / "out"))
    assert "paused" in run("runs", "pause", "r1").out
    assert run("runs", "remove", "r1").out == "The run r1 was deleted.\n"
    ran = run("runs", "export", "r1", "--output", str(tmp_path / "out"), "--json")
    assert ran.result == {"run": "r1", "path": str(tmp_path / "out")}
    assert front.asked(ExportRun) == [ExportRun(run="r1", path=str(tmp_path / "out"))]


def test_followed_training_is_told_too(run: Run, trained: FakeFront) -> None:
    out: Any = run("runs", "follow", "r1").out
    assert "step 50/100" in out
