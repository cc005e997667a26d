"""A training worker without torch, which looks at its data file for what it is to do.

A file whose name holds ``bad`` is refused; an ``old`` one leaves no fingerprints; ``big`` is planned to take too much.
A training goes through ``optimiser.max_steps`` steps and keeps the number of the last one as its checkpoint; the first
one of a ``slow`` file waits in its second step until it is stopped, that of a ``crash`` file kills the worker there,
that of an ``unchecked`` one kills it before the gate; a ``lost`` file makes something that does not pass, a ``short``
one is planned without the gate. What is served is a LoRA, or with the method ``full`` a copy of the base model.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.adapters import write_adapter
from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import Cancelled, UserError
from workbench.processes.serve import serve
from workbench.records.training import (
    FINGERPRINTS,
    FINGERPRINTS_FILE,
    Agreement,
    DataReport,
    MemoryPart,
    QuestionFingerprints,
    Scores,
    ScoresPair,
    SideReport,
    TrainingConfig,
    TrainingPlan,
    VerificationReport,
)
from workbench.training.data.trained_questions import fingerprints_of
from workbench.training.protocol import (
    ConvertTrained,
    ExportTraining,
    FingerprintSet,
    InspectSet,
    MergeTrained,
    Plan,
    Requantize,
    Served,
    SetPaused,
    Trained,
    TrainingCall,
    TrainModel,
    VerifyTrained,
)

_going = threading.Event()
_going.set()


def _report(config: TrainingConfig) -> DataReport:
    path = Path(config.data.path)
    if "bad" in path.name:
        raise UserError(f"{path.name}, line 2: it is broken.", "Mend it.")
    files = [one for one in path.iterdir() if one.is_file()] if path.is_dir() else [path]
    return DataReport(
        path=str(path),
        shape="messages",
        train=SideReport(examples=sum(len(file.read_text().splitlines()) for file in files)),
    )


def _inspect(call: InspectSet, context: RequestContext) -> Iterator[Event]:
    yield finish(_report(call.config))


def _fingerprints(config: TrainingConfig) -> QuestionFingerprints:
    rows = map(json.loads, Path(config.data.path).read_text().splitlines())
    return fingerprints_of((row.get("messages") or row["prompt"])[0]["content"] for row in rows)


def _fingerprint(call: FingerprintSet, context: RequestContext) -> Iterator[Event]:
    if _report(call.config).train.examples != call.examples:
        raise UserError(f"{call.config.data.path} has changed since it was trained on.")
    yield finish(_fingerprints(call.config))


def _plan(call: Plan, context: RequestContext) -> Iterator[Event]:
    _report(call.config)
    big = "big" in call.config.data.path
    optimiser = msgspec.structs.replace(call.config.optimiser, max_steps=call.config.optimiser.max_steps or 4)
    speed = [s.tokens_per_second for s in call.speeds if s.method == call.config.weights.method]
    yield finish(
        TrainingPlan(
            config=msgspec.structs.replace(call.config, optimiser=optimiser),
            artifact="lora",
            served="switched on",
            summary="",
            source="",
            trainable=1,
            parameters=2,
            steps=optimiser.max_steps,
            tokens=1000,
            memory=(MemoryPart("weights", 3_000_000_000), MemoryPart("activations", 1_000_000_000)),
            memory_bytes=4_000_000_000,
            memory_free_bytes=call.memory_free_bytes,
            disk_bytes=1,
            disk_free_bytes=2,
            seconds=1000 / speed[0] if speed else None,
            problem="There is not enough memory." if big else "",
            hint="Lower the rank." if big else "",
            verified="short" not in Path(call.config.data.path).name,
            verified_tokens=700,
        )
    )


def _train(call: TrainModel, context: RequestContext) -> Iterator[Event]:
    folder, name = Path(call.folder), Path(call.config.data.path).name
    trained, checkpoint = folder / "trained", folder / "checkpoints" / "step.json"
    began = json.loads(checkpoint.read_text()) if checkpoint.is_file() else 0
    yield events.Artifact(kind="data", id=folder.name, result=msgspec.to_builtins(_report(call.config)))
    checkpoint.parent.mkdir(exist_ok=True)
    for step in range(began + 1, call.config.optimiser.max_steps + 1):
        while not (_going.wait(0.05) or context.cancelled):
            pass
        yield events.Metric(name="loss", value=1 / step, step=step)
        yield events.Metric(name="tokens_per_second", value=100.0, step=step)
        yield events.Progress(stage="training", done=step, total=call.config.optimiser.max_steps)
        checkpoint.write_text(json.dumps(step))
        if step == 2 and began == 0 and "slow" in name:
            context.wait_cancelled()
            checkpoint.with_name("stopped").touch()
        if step == 2 and began == 0 and "crash" in name:
            os.kill(os.getpid(), signal.SIGKILL)
        if context.cancelled:
            raise Cancelled
    trained.mkdir(exist_ok=True)
    (trained / "adapter_config.json").write_text("{}")
    (trained / "questions.jsonl").write_text("")
    if "old" not in name:
        (trained / FINGERPRINTS_FILE).write_bytes(FINGERPRINTS.encode(_fingerprints(call.config)))
    scores = _scores()
    yield events.Artifact(kind="scores", id=folder.name, result=msgspec.to_builtins(scores))
    served = _served(call.config.weights.method, Path(call.model.path), Path(call.serve), call.serve_name)
    yield events.Artifact(kind="served", id=folder.name, result=msgspec.to_builtins(served))
    if "unchecked" in name:
        (Path(call.serve) / f".adapter.gguf.whole.{os.getpid()}.part").write_text("half a merge")
        os.kill(os.getpid(), signal.SIGKILL)
    if call.check:
        verification = _verified("lost" not in name)
        yield events.Artifact(kind="verification", id=folder.name, result=msgspec.to_builtins(verification))
    steps = call.config.optimiser.max_steps
    yield finish(Trained(folder=str(trained), form="peft", kind=served.kind, steps=steps, seconds=1.5, scores=scores))


def _served(method: str, base: Path, folder: Path, name: str) -> Served:
    folder.mkdir(exist_ok=True)
    if method == "full":
        file = folder / f"{name}.gguf"
        shutil.copyfile(base, file)
        return Served(kind="merged", path=str(file), bytes=file.stat().st_size)
    file = write_adapter(base, folder / "adapter.gguf")
    return Served(kind="lora", path=str(file), bytes=file.stat().st_size, can_merge=True)


def _scores() -> ScoresPair:
    before = Scores(loss=2.0, perplexity=7.4, token_accuracy=0.3, tokens=100, exact_match=0.0, answers=4)
    return ScoresPair(before=before, after=msgspec.structs.replace(before, loss=0.5, exact_match=1.0))


def _verified(passed: bool, tokens: int = 0) -> VerificationReport:
    agreement = Agreement(first="trained", second="served", top1=0.99, kl=0.001, positions=tokens or 100, needed=0.95)
    return VerificationReport(
        passed=passed,
        agreements=(msgspec.structs.replace(agreement, passed=passed),),
        reasons=() if passed else ("It lost what was learnt.",),
    )


def _set_paused(call: SetPaused, context: RequestContext) -> Iterator[Event]:
    if call.paused:
        _going.clear()
    else:
        _going.set()
    yield finish(None)


def _convert(call: ConvertTrained, context: RequestContext) -> Iterator[Event]:
    file = write_adapter(Path(call.model.path), Path(call.out))
    yield finish(Served(kind="lora", path=str(file), bytes=file.stat().st_size, can_merge=True))


def _merge(call: MergeTrained, context: RequestContext) -> Iterator[Event]:
    yield events.Progress(stage="merging", done=1, total=2, detail=Path(call.adapter).name)
    shutil.copyfile(call.model.path, call.out)
    yield finish(Served(kind="merged", path=call.out, bytes=Path(call.out).stat().st_size))


def _check(call: VerifyTrained, context: RequestContext) -> Iterator[Event]:
    assert Path(call.trained).exists()
    assert Path(call.served.path).is_file()
    yield events.Progress(stage="checking", done=1, total=2)
    yield finish(_verified(call.scale <= 1, call.verified_tokens + call.packed))


def _requantize(call: Requantize, context: RequestContext) -> Iterator[Event]:
    shutil.copyfile(call.model.path, call.out)
    yield finish(Served(kind="merged", path=call.out, bytes=Path(call.out).stat().st_size))


def _export(call: ExportTraining, context: RequestContext) -> Iterator[Event]:
    out = Path(call.out)
    out.mkdir()
    (out / "README.md").write_text(json.dumps(call.details))
    yield finish(call.out)


if __name__ == "__main__":
    serve(
        "training",
        TrainingCall,
        {
            FingerprintSet: _fingerprint,
            InspectSet: _inspect,
            Plan: _plan,
            TrainModel: _train,
            SetPaused: _set_paused,
            ConvertTrained: _convert,
            MergeTrained: _merge,
            VerifyTrained: _check,
            Requantize: _requantize,
            ExportTraining: _export,
        },
    )
