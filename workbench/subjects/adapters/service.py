"""Trained, merged and imported adapters: the list and the actions on each."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish, with_progress
from workbench.backends.llama_cpp import LlamaCppBackend
from workbench.base.durability import check_room
from workbench.base.errors import UserError
from workbench.base.paths import absolute_path
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.gguf.adapter_files import AdapterDetails, check_adapter
from workbench.gguf.ggml_types import check_type
from workbench.gguf.names import file_safe
from workbench.records.models import ModelRecord
from workbench.records.training import AdapterList, AdapterRecord
from workbench.subjects.adapters import calls
from workbench.subjects.adapters.artifact_registry import ArtifactRegistry
from workbench.subjects.adapters.base_models import BaseModels
from workbench.subjects.adapters.cards import check_mergeable, find_card, list_cards
from workbench.subjects.adapters.export_run import ExportRuns
from workbench.subjects.adapters.runs import merged_bytes, quantized_bytes
from workbench.subjects.adapters.store import ADAPTER_FILE, TRAINED, AdapterStore
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.queue import Runs
from workbench.subjects.trash.places import TrashedPlaces
from workbench.training.protocol import ConvertTrained, Served
from workbench.training.worker_host import TrainingWorkers

LARGEST_SCALE = 10.0
"""As in a recipe."""
_KEPT = (".json", ".safetensors", ".md", ".txt", ".jinja", ".model")
"""Of a stranger's PEFT folder: pickles are left where they are."""


@dataclass(eq=False)
class Adapters:
    _store: AdapterStore
    _catalogue: ModelCatalogue
    _bases: BaseModels
    _workers: TrainingWorkers
    _artifacts: ArtifactRegistry
    _backend: LlamaCppBackend
    _runs: Runs
    _exports: ExportRuns
    _changes: ChangeNotifier
    _trashed: TrashedPlaces
    # of adapter and model with their times of change
    _fitting: dict[tuple[str, int, str, int], bool] = field(default_factory=dict, init=False)

    def handlers(self) -> Handlers:
        return {
            calls.ListAdapters: unary(self.list_adapters),
            calls.ImportAdapter: self.import_adapter,
            calls.RenameAdapter: unary(self.rename),
            calls.RemoveAdapter: unary(self.remove),
            calls.MergeAdapter: unary(self.merge),
            calls.ExportAdapter: unary(self.export),
            calls.QuantizeModel: unary(self.quantize),
        }

    # -- the list ---------------------------------------------------------------------------------

    def list_adapters(self, call: calls.ListAdapters) -> AdapterList:
        found = list_cards(self._store)
        if call.model:
            model = self._catalogue.get(call.model)
            found = tuple(one for one in found if self._fits(one, model))
        return AdapterList(adapters=found)

    def _fits(self, record: AdapterRecord, model: ModelRecord) -> bool:
        """Whether the engine can be given it over this model: it was trained on that very file, or on one of the same
        architecture and shapes (another quantisation, say). One whose card cannot be read may."""
        if record.state == "unreadable":
            return True
        if not record.file or model.format != "gguf":
            return False
        sha256 = self._bases.worker_model(model).sha256
        if sha256 and sha256 == record.base_sha256:
            return True
        if record.architecture and record.architecture != model.architecture:
            return False
        try:
            key = record.file, os.stat(record.file).st_mtime_ns, model.path, os.stat(model.path).st_mtime_ns
        except OSError:
            return False
        if key not in self._fitting:
            try:
                check_adapter(Path(record.file), Path(model.path))
                self._fitting[key] = True
            except UserError:
                self._fitting[key] = False
        return self._fitting[key]

    # -- what is taken in -------------------------------------------------------------------------

    def import_adapter(self, call: calls.ImportAdapter, context: RequestContext) -> Iterator[Event]:
        path = absolute_path(call.path)
        if not path.exists():
            raise UserError(f"There is no file or folder {path}.", "Check the path.")
        name = call.name or (path.parent.name if path.stem == "adapter" else path.stem)
        record = AdapterRecord(name=name, kind="lora", created=time.time(), origin="imported")
        if path.is_dir():
            made = yield from with_progress(lambda report: self._convert(path, record, call.model, context, report))
        else:
            made = self._take_file(path, record, call.model)
        yield finish(made)

    def _take_file(self, path: Path, record: AdapterRecord, wanted: str) -> AdapterRecord:
        model, details = self._base_of(path, wanted)
        self._check_room(details.bytes)
        record = msgspec.structs.replace(
            record, base=model.name, architecture=details.architecture, licence=model.licence
        )
        served = Served(kind=details.kind, path=str(path), bytes=details.bytes, can_merge=details.kind == "lora")
        return self._artifacts.publish(record, served, copy=True)

    def _base_of(self, path: Path, wanted: str) -> tuple[ModelRecord, AdapterDetails]:
        """The model that a GGUF adapter is for: the one that is named, else the first that it fits."""
        if wanted:
            model = self._bases.model(wanted)
            return model, check_adapter(path, Path(model.path))
        refused: UserError | None = None
        for model in self._catalogue.list_models():
            if model.kind != "embedder" and model.format == "gguf":
                try:
                    return model, check_adapter(path, Path(model.path))
                except UserError as error:
                    refused = error
        raise refused or UserError("No model in the catalogue fits this adapter.", "Import its base model first.")

    def _convert(
        self, folder: Path, record: AdapterRecord, wanted: str, context: RequestContext, report: Callable[[Event], None]
    ) -> AdapterRecord:
        model = self._bases.model(wanted)
        base = self._bases.checked_model(model, context)
        files = [file for file in folder.iterdir() if file.is_file() and file.suffix in _KEPT]
        self._check_room(2 * sum(file.stat().st_size for file in files))
        record = msgspec.structs.replace(
            record, base=model.name, base_sha256=base.sha256, architecture=model.architecture, licence=model.licence
        )
        with self._store.beside() as beside, self._workers.shared() as host:
            asked = ConvertTrained(
                trained=str(folder), model=base, out=str(beside / f"{file_safe(record.name)}.gguf"), name=record.name
            )
            served = host.call(asked, report, context)
            trained = beside / TRAINED
            trained.mkdir()
            for file in files:
                shutil.copyfile(file, trained / file.name)
            made = self._artifacts.publish(msgspec.structs.replace(record, state="ready"), served)
            self._store.keep_trained(made.name, trained)
        return made

    def _check_room(self, needed: int) -> None:
        check_room(self._store.folder / ADAPTER_FILE, needed)

    # -- names ------------------------------------------------------------------------------------

    def rename(self, call: calls.RenameAdapter) -> AdapterRecord:
        """A name is that of a folder: it is made to be one."""
        record = find_card(self._store, call.adapter, unreadable=True)
        if not call.name.strip():
            raise UserError("The adapter needs a name.")
        self._check_unused(record)
        to = file_safe(call.name)
        self._store.rename(record.name, to)
        for name in (record.name, to):
            self._changes.publish("adapter", name)
        return find_card(self._store, to, unreadable=True)

    def remove(self, call: calls.RemoveAdapter) -> AdapterList:
        record = find_card(self._store, call.adapter, unreadable=True)
        self._check_unused(record)
        self._trashed.put(self._store.place_of(record.name), record.name)
        return self.list_adapters(calls.ListAdapters())

    def _check_unused(self, record: AdapterRecord) -> None:
        """Raises UserError when a run or an answer needs it now."""
        for run in self._runs.list_open():
            if run.id == record.run or (run.kind in ("merge", "export") and run.config.get("adapter") == record.name):
                raise UserError(f"The run {run.title!r} is using {record.name}.", "Stop it first, or wait for its end.")
        if record.file and self._backend.uses_adapter(record.file):
            raise UserError(f"An answer is using {record.name}.", "Stop it first, or wait for its end.")

    # -- what is made of it -----------------------------------------------------------------------

    def merge(self, call: calls.MergeAdapter) -> RunRecord:
        record = find_card(self._store, call.adapter)
        check_mergeable(record)
        if call.quantization:
            check_type(call.quantization)
        if not 0 < abs(call.scale) <= LARGEST_SCALE:
            raise UserError(
                f"The strength of a merge cannot be {call.scale:g}.",
                f"Choose one up to {LARGEST_SCALE:g} other than 0, which changes nothing.",
            )
        wanted = call.model or record.base  # a file that somebody put there names no base
        model = self._bases.model(wanted) if wanted else self._base_of(Path(record.file), "")[0]
        if not call.model:
            model = self._bases.served_over(model) or model
        if model.format != "gguf":
            raise UserError(f"{model.name} is not a GGUF model, which a merge needs.", "Import it as a GGUF file.")
        check_room(
            self._artifacts.folders.for_new() / "merged.gguf", merged_bytes(model, call.type, bool(call.quantization))
        )
        call = msgspec.structs.replace(call, model=model.name, name=call.name or record.merged_name(model.name))
        return self._runs.add("merge", f"Merge {record.name} into {model.name}", call)

    def quantize(self, call: calls.QuantizeModel) -> RunRecord:
        check_type(call.type)
        model = self._bases.model(call.model)
        if model.format != "gguf":
            raise UserError(f"{model.name} is not a GGUF model.", "Only GGUF models can be quantised here.")
        check_room(self._artifacts.folders.for_new() / "merged.gguf", quantized_bytes(model))
        call = msgspec.structs.replace(call, model=model.name, name=call.name or f"{model.name} {call.type}")
        return self._runs.add("quantize", f"{model.name} as {call.type}", call)

    def export(self, call: calls.ExportAdapter) -> RunRecord:
        call = self._exports.check(call)
        return self._runs.add("export", f"Export {call.adapter} to {Path(call.path).name}", call)
