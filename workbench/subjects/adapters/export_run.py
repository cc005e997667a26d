"""The kind of run that writes an adapter as a folder for others: the files, and a model card with their origin.

The folder is filled beside its place, in one that has the run's id in its name, so that nobody else's is touched, and
appears under its name complete, or not at all. What a killed core left there goes when the next one starts.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import finish
from workbench.base.durability import check_room, folder_beside, unfinished_folder
from workbench.base.errors import UserError
from workbench.base.paths import new_path
from workbench.base.stored import Stored
from workbench.gguf.names import file_safe
from workbench.gguf.reader import read_pieces
from workbench.records.models import ModelRecord
from workbench.records.training import FINGERPRINTS_FILE, AdapterRecord
from workbench.subjects.adapters.base_models import BaseModels
from workbench.subjects.adapters.calls import ExportAdapter, MergeAdapter
from workbench.subjects.adapters.cards import check_mergeable, find_card
from workbench.subjects.adapters.runs import merge_and_check, merged_bytes
from workbench.subjects.adapters.store import QUESTIONS, AdapterStore
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.kinds import FILES, WHOLE_MACHINE, OpenRun, RunKind
from workbench.techniques.registry import METHODS
from workbench.training.model_card import Form, model_card
from workbench.training.worker_host import TrainingWorkers

README = "README.md"
COPYING = "export"
"""The concurrency group of those that only copy: they do not wait for a training."""

_CHUNK_BYTES = 16 << 20


class ExportRuns(RunKind):
    """An interrupted export starts again."""

    config = Stored("config of this run", ExportAdapter)
    result = FILES

    def __init__(self, bases: BaseModels, workers: TrainingWorkers, store: AdapterStore) -> None:
        self._bases = bases
        self._workers = workers
        self._store = store

    def check(self, call: ExportAdapter) -> ExportAdapter:
        """The call with its path from the root; raises UserError for what cannot be, as far as is known beforehand."""
        record = find_card(self._store, call.adapter)
        place = new_path(call.path)
        if call.form == "peft":
            self._peft_files(record)
        elif _merges(record, call):
            check_mergeable(record)
            check_room(place, merged_bytes(self._base(record), MergeAdapter(adapter="").type))
        else:
            check_room(place, sum(file.stat().st_size for file in self._own_files(record)))
        return msgspec.structs.replace(call, path=str(place))

    def concurrency_group(self, run: RunRecord) -> str:
        call = msgspec.convert(run.config, ExportAdapter)
        return WHOLE_MACHINE if _merges(find_card(self._store, call.adapter), call) else COPYING

    def remove_unfinished(self, runs: Iterable[RunRecord]) -> None:
        """Delete what a core that was killed left of these."""
        for run in runs:
            if run.kind == "export" and run.state == "interrupted" and not run.unreadable:
                shutil.rmtree(unfinished_folder(Path(str(run.config.get("path", ""))), run.id), ignore_errors=True)

    def work(self, run: OpenRun) -> Event:
        call = msgspec.convert(run.record.config, ExportAdapter)
        record = find_card(self._store, call.adapter)
        place = new_path(call.path)
        with folder_beside(place, run.id) as beside:
            if call.form == "peft":
                _copy([(file, file.name) for file in self._peft_files(record)], beside, run)
                file = ""
            elif _merges(record, call):
                record, file = self._merged(record, beside, run)
            else:
                file = self._copied(record, beside, run)
            form: Form = "merged" if record.kind == "merged" and call.form != "peft" else call.form
            (beside / README).write_text(model_card(record, METHODS, form, file), "utf-8")
            run.context.raise_if_cancelled()
        return finish({"adapter": call.adapter, "path": str(place), "form": call.form})

    def _peft_files(self, record: AdapterRecord) -> list[Path]:
        trained = self._store.trained(record.name)
        if trained is None or not (trained / "adapter_config.json").is_file():
            raise UserError(
                f"{record.name} has no PEFT folder: it was imported as a GGUF file, or its own weights were trained.",
                "Export it as GGUF, or the run that trained it.",
            )
        of_the_data = (QUESTIONS, FINGERPRINTS_FILE, README)
        return [file for file in trained.iterdir() if file.is_file() and file.name not in of_the_data]

    def _own_files(self, record: AdapterRecord) -> list[Path]:
        """The adapter's file, or those of the model that it is: all of a split one."""
        if record.file:
            return [Path(record.file)]
        return [piece.path for piece in read_pieces(Path(self._bases.model(record.model).path))]

    def _base(self, record: AdapterRecord) -> ModelRecord:
        """The GGUF model that it is merged into."""
        trained_on = self._bases.model(record.base)
        model = self._bases.served_over(trained_on)
        if model is None:
            raise UserError(
                f"{trained_on.name} is a folder of safetensors, and no GGUF model here fits {record.name}.",
                "Import the same model as a GGUF file, or export a PEFT folder.",
            )
        return model

    def _copied(self, record: AdapterRecord, folder: Path, run: OpenRun) -> str:
        files = self._own_files(record)
        stem = file_safe(record.model or record.name)
        # llama.cpp finds the parts of a split model by their names
        parts = [f"{stem}-{number:05}-of-{len(files):05}.gguf" for number in range(1, len(files) + 1)]
        names = parts if len(files) > 1 else [f"{stem}.gguf"]
        _copy(list(zip(files, names, strict=True)), folder, run)
        return names[0]

    def _merged(self, record: AdapterRecord, folder: Path, run: OpenRun) -> tuple[AdapterRecord, str]:
        """Merged into its base as by default, and checked: the card tells of this check."""
        check_mergeable(record)
        model = self._base(record)
        call = MergeAdapter(adapter=record.name, model=model.name, name=f"{model.name} {record.name}")
        check_room(folder, merged_bytes(model, call.type))
        name = f"{file_safe(call.name)}.gguf"
        run.emit(events.Progress(stage="checking the model"))
        base = self._bases.checked_model(model, run.context)
        with self._workers.dedicated() as host:
            trained = self._store.trained(record.name)
            verification = merge_and_check(host, record, trained, base, folder / name, call, run.emit, run.context)
        return msgspec.structs.replace(record, verification=verification), name


def _merges(record: AdapterRecord, call: ExportAdapter) -> bool:
    return call.form == "merged" and record.kind != "merged"


def _copy(files: list[tuple[Path, str]], folder: Path, run: OpenRun) -> None:
    """Copy files into ``folder`` under these names, telling how far it is. Raises errors.Cancelled, and UserError where
    there is no room."""
    total = sum(file.stat().st_size for file, _ in files)
    check_room(folder / README, total)
    done = 0
    for file, name in files:
        with file.open("rb") as reading, (folder / name).open("wb") as writing:
            while block := reading.read(_CHUNK_BYTES):
                run.context.raise_if_cancelled()
                writing.write(block)
                done += len(block)
                run.emit(events.Progress(stage="copying", done=done, total=total, unit="bytes"))
