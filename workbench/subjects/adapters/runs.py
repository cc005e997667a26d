"""The kinds of run that write a new model: an adapter merged into its base, and a model in another quantisation.

A merge is verified before the model is in the catalogue: one that lost the training is deleted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import UserError
from workbench.base.stored import Stored
from workbench.gguf.names import file_safe
from workbench.gguf.peft_folder import CONFIG, read_config
from workbench.gguf.peft_kinds import withdrawn_kind
from workbench.processes.host import WorkerHost
from workbench.records.models import ModelRecord
from workbench.records.training import AdapterRecord, MergedType, ScoresPair, VerificationReport
from workbench.subjects.adapters.artifact_registry import ArtifactRegistry
from workbench.subjects.adapters.base_models import BaseModels
from workbench.subjects.adapters.calls import MergeAdapter, QuantizeModel
from workbench.subjects.adapters.cards import check_mergeable, find_card, metric_of
from workbench.subjects.adapters.out_of_memory import explained_work
from workbench.subjects.adapters.store import QUESTIONS, AdapterStore
from workbench.subjects.runs.kinds import FILES, OpenRun, RunKind
from workbench.training.protocol import BaseModel, MergeTrained, Requantize, VerifyTrained
from workbench.training.worker_host import TrainingWorkers

_MORE_ROOM = "Start it again when other programs are closed and no chat model is loaded."

_BYTES_A_WEIGHT: dict[MergedType, float] = {"F32": 4.0, "F16": 2.0, "Q8_0": 1.25, "same": 0.0}


def merged_bytes(model: ModelRecord, type: MergedType, requantised: bool = False) -> int:
    """The most that a merge can take on the disk."""
    once = model.bytes + int(model.parameters * _BYTES_A_WEIGHT[type])
    return once + model.bytes if requantised else once


def merge_and_check(
    host: WorkerHost,
    card: AdapterRecord,
    trained: Path | None,
    base: BaseModel,
    out: Path,
    call: MergeAdapter,
    report: Callable[[Event], None],
    context: RequestContext,
) -> VerificationReport:
    """Merge an adapter into ``out`` and verify it. ``trained`` is what its training left, None where only the GGUF
    is there; of a kind that this version cannot convert the GGUF is merged, too. Raises UserError
    when it does not pass, errors.Cancelled and WorkerDied; then ``out`` is not to be used.
    """
    questions = trained / QUESTIONS if trained is not None else None
    if trained is None or ((trained / CONFIG).is_file() and withdrawn_kind(read_config(trained))):
        trained = Path(card.file)
    served = host.call(
        MergeTrained(
            adapter=str(trained),
            model=base,
            out=str(out),
            type=call.type,
            scale=call.scale,
            quantization=call.quantization,
            name=call.name,
        ),
        report,
        context,
    )
    verification = host.call(
        VerifyTrained(
            trained=str(trained),
            model=base,
            served=served,
            questions=str(questions) if questions is not None and questions.is_file() else "",
            metric=metric_of(card),
            scale=call.scale,
            scores=card.scores.after,
        ),
        report,
        context,
    )
    report(events.Artifact(kind="verification", id=card.name, result=msgspec.to_builtins(verification)))
    if not verification.passed:
        why = " ".join(verification.reasons) or "It does not match the trained model."
        raise UserError(
            f"The merged model lost the training, and was deleted. {why}",
            "Merge with the changed tensors in F16, without another quantisation." if call.type != "F16" else "",
        )
    return verification


@dataclass(frozen=True, eq=False)
class MergeRuns(RunKind):
    """An interrupted merge starts again."""

    config = Stored("config of this run", MergeAdapter)
    result = FILES

    _bases: BaseModels
    _workers: TrainingWorkers
    _store: AdapterStore
    _artifacts: ArtifactRegistry

    def work(self, run: OpenRun) -> Event:
        call = msgspec.convert(run.record.config, MergeAdapter)
        card = find_card(self._store, call.adapter)
        check_mergeable(card)
        model = self._bases.model(call.model)
        run.emit(events.Progress(stage="checking the model"))
        base = self._bases.checked_model(model, run.context)
        trained = self._store.trained(card.name)
        found: list[VerificationReport] = []

        def fill(folder: Path) -> None:
            with self._workers.dedicated() as host, explained_work("merge", _MORE_ROOM, run.context):
                out = folder / f"{file_safe(call.name)}.gguf"
                found.append(merge_and_check(host, card, trained, base, out, call, run.emit, run.context))

        needed = merged_bytes(model, call.type, bool(call.quantization))
        merged = self._artifacts.add_model(call.name, model.licence, needed, fill)
        note = f"{card.name} at strength {call.scale:g}, changed tensors {call.type}"
        if call.scale != 1:  # it was scored as it was trained
            card = msgspec.structs.replace(card, scores=ScoresPair(), forgetting=ScoresPair())
        made = self._artifacts.add_card(
            msgspec.structs.replace(
                card,
                name=file_safe(merged.name),
                kind="merged",
                state="ready",
                file="",
                bytes=merged.bytes,
                model=merged.name,
                base=model.name,
                base_sha256=base.sha256,
                architecture=model.architecture,
                licence=model.licence,
                created=time.time(),
                origin="merged",
                run=run.id,
                verification=found[0],
                can_merge=False,
                note=f"{note}, then all {call.quantization}" if call.quantization else note,
            )
        )
        self._artifacts.keep_fingerprints(made, self._store.fingerprints(call.adapter))
        verification = msgspec.to_builtins(found[0])
        return finish({"model": merged.name, "path": merged.path, "verification": verification})


@dataclass(frozen=True, eq=False)
class QuantizeRuns(RunKind):
    """Writes a model in another quantisation; an interrupted one starts again."""

    config = Stored("config of this run", QuantizeModel)
    result = FILES

    _bases: BaseModels
    _workers: TrainingWorkers
    _artifacts: ArtifactRegistry

    def work(self, run: OpenRun) -> Event:
        call = msgspec.convert(run.record.config, QuantizeModel)
        model = self._bases.model(call.model)

        def fill(folder: Path) -> None:
            out = folder / f"{file_safe(call.name)}.gguf"
            asked = Requantize(model=self._bases.worker_model(model), out=str(out), type=call.type)
            with self._workers.dedicated() as host, explained_work("quantisation", _MORE_ROOM, run.context):
                host.call(asked, run.emit, run.context)

        made = self._artifacts.add_model(call.name, model.licence, quantized_bytes(model), fill)
        return finish({"model": made.name, "path": made.path})


def quantized_bytes(model: ModelRecord) -> int:
    """The most that a model in another quantisation takes: that of eight bits, or what it has."""
    return max(model.bytes, int(model.parameters * _BYTES_A_WEIGHT["Q8_0"]))
