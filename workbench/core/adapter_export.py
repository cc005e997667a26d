"""An adapter as a folder for others: the files, and a model card that says where they are from."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from workbench.calls import ExportAdapter, MergeAdapter
from workbench.core.adapter_cards import check_mergeable
from workbench.core.bases import Bases
from workbench.core.merging import merge_and_check, merged_bytes
from workbench.core.training import new_path
from workbench.core.training_workers import TrainingWorkers
from workbench.errors import UserError
from workbench.events import Event
from workbench.models.names import file_safe
from workbench.protocol import RequestContext
from workbench.storage.adapters import QUESTIONS, AdapterShelf
from workbench.techniques.finetuning.bridge.beside import check_room
from workbench.techniques.finetuning.cards import Form, model_card
from workbench.training import AdapterRecord

README = "README.md"


class Export:
    def __init__(self, shelf: AdapterShelf, bases: Bases, workers: TrainingWorkers) -> None:
        self._shelf = shelf
        self._bases = bases
        self._workers = workers

    def write(
        self, record: AdapterRecord, call: ExportAdapter, context: RequestContext, report: Callable[[Event], None]
    ) -> str:
        """Write the folder; returns its path. It appears under its name complete, or not at all."""
        place = new_path(call.path)
        beside = place.with_name(f".{place.name}.unfinished")
        shutil.rmtree(beside, ignore_errors=True)
        try:
            beside.mkdir(parents=True)
            if call.form == "peft":
                record, file = self._peft(record, beside), ""
            elif call.form == "merged" and record.kind != "merged":
                record, file = self._merged(record, beside, context, report)
            else:
                file = self._copied(record, beside)
            form: Form = "merged" if record.kind == "merged" and call.form != "peft" else call.form
            (beside / README).write_text(model_card(record, form, file), "utf-8")
            beside.rename(place)
        except OSError as error:
            raise UserError(
                f"{place} cannot be written: {error.strerror or error}.", "Free some space, or choose another folder."
            ) from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return str(place)

    def _peft(self, record: AdapterRecord, folder: Path) -> AdapterRecord:
        trained = self._shelf.trained(record.name)
        if trained is None or not (trained / "adapter_config.json").is_file():
            raise UserError(
                f"{record.name} has no PEFT folder: it was imported as a GGUF file, or its weights moved themselves.",
                "Export it as GGUF, or the run that trained it.",
            )
        files = [file for file in trained.iterdir() if file.is_file() and file.name not in (QUESTIONS, README)]
        check_room(folder, sum(file.stat().st_size for file in files))
        for file in files:
            shutil.copyfile(file, folder / file.name)
        return record

    def _copied(self, record: AdapterRecord, folder: Path) -> str:
        source = Path(record.file or self._bases.model(record.model).path)
        check_room(folder, source.stat().st_size)
        name = f"{file_safe(record.model or record.name)}.gguf"
        shutil.copyfile(source, folder / name)
        return name

    def _merged(
        self, record: AdapterRecord, folder: Path, context: RequestContext, report: Callable[[Event], None]
    ) -> tuple[AdapterRecord, str]:
        """Merged into its base as by default, and checked: the card tells of this check."""
        check_mergeable(record)
        model = self._bases.model(record.base)
        call = MergeAdapter(adapter=record.name, model=model.name, name=f"{model.name} {record.name}")
        check_room(folder, merged_bytes(model, call.type))
        name = f"{file_safe(call.name)}.gguf"
        base = self._bases.checked_model(model, context)
        with self._workers.working() as host:
            trained = self._shelf.trained(record.name)
            parity = merge_and_check(host, record, trained, base, folder / name, call, report, context)
        return msgspec.structs.replace(record, parity=parity), name
