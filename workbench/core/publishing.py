"""What becomes of a file that was made for the engine: an adapter on the shelf, or a model in the catalogue.

It can be used as soon as it is published; what the gate says of it later is written into its card, and what lost what
was learnt is not offered any more.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from workbench.calls import ModelRecord
from workbench.core.changes import Changes
from workbench.core.inference import Inference
from workbench.errors import UserError
from workbench.models.checksums import Checksums
from workbench.models.importing import delete_files, new_folder
from workbench.models.inspection import inspect_path
from workbench.models.names import clean_name, file_safe, unique_name
from workbench.storage.adapters import ADAPTER_FILE, TRAINED, AdapterShelf, link_or_copy
from workbench.storage.models import ModelCatalogue
from workbench.techniques.finetuning.protocol import Served
from workbench.training import AdapterRecord, Parity

UNCHECKED = "The check was not finished: resume the run to check it again."


class Publishing:
    def __init__(
        self,
        shelf: AdapterShelf,
        catalogue: ModelCatalogue,
        models_folder: Path,
        checksums: Checksums,
        inference: Inference,
        changes: Changes,
    ) -> None:
        self._shelf = shelf
        self._catalogue = catalogue
        self.models_folder = models_folder
        self._checksums = checksums
        self._inference = inference
        self._changes = changes

    def recover(self, is_open: Callable[[str], bool], run_folder: Callable[[str], Path]) -> None:
        """Note what an earlier core left unchecked, and bring what it trained to its adapter: runs are removed."""
        self._shelf.remove_unfinished()
        for card in self._shelf.list_cards():
            if card.run and not is_open(card.run):
                self._shelf.keep_trained(card.name, run_folder(card.run) / TRAINED)
            if card.state == "checking" and not is_open(card.run) and card.note != UNCHECKED:
                self._shelf.put(msgspec.structs.replace(card, note=UNCHECKED))

    def publish(self, record: AdapterRecord, served: Served, *, copy: bool = False) -> AdapterRecord:
        """Offer what a training has made, called ``record.name`` if that is free. The file stays where it is, too; with
        ``copy`` nothing that is done to it there has a consequence here."""
        source, name = Path(served.path), record.name
        take = shutil.copyfile if copy else link_or_copy
        record = msgspec.structs.replace(
            record,
            name=file_safe(name),
            kind=served.kind,
            bytes=served.bytes or source.stat().st_size,
            can_merge=served.can_merge,
        )
        if served.kind == "merged":
            model = self.add_model(name, record.licence, 0, lambda folder: take(source, folder / source.name))
            record = msgspec.structs.replace(record, model=model.name)
            return self.add_card(record)
        return self.add_card(record, lambda folder: take(source, folder / ADAPTER_FILE))

    def add_card(self, record: AdapterRecord, fill: Callable[[Path], object] = lambda folder: None) -> AdapterRecord:
        """Put an adapter on the shelf; ``fill`` writes its files into the folder that it is handed."""
        file = "" if record.kind == "merged" else ADAPTER_FILE
        published = self._shelf.publish(msgspec.structs.replace(record, file=file), fill)
        self._changes.publish("adapter", published.name)
        return published

    def add_model(self, name: str, licence: str, needed_bytes: int, fill: Callable[[Path], object]) -> ModelRecord:
        """A new model of the catalogue: ``fill`` writes one GGUF file into the folder that it is handed. Raises what
        that raises, and UserError where there is no room; nothing half made is left."""
        taken = [model.name for model in self._catalogue.list_models()]
        wanted = unique_name(clean_name(name) or "Merged", taken)
        with new_folder(self.models_folder, wanted, needed_bytes) as (beside, place):
            fill(beside)
            (file,) = beside.glob("*.gguf")
        found = inspect_path(place / file.name).model
        model = msgspec.structs.replace(found, name=wanted, licence=licence or found.licence, owned=True)
        self._catalogue.put(model)
        self._changes.publish("model", model.name)
        return model

    def judge(self, record: AdapterRecord, parity: Parity | None) -> AdapterRecord:
        """Write down what the gate found (None: it was not asked). A model that failed leaves the catalogue."""
        if parity is None:
            state, note = "ready", record.note
        elif parity.passed:
            state, note = "ready", "; ".join(parity.notes)
        else:
            state, note = "failed", " ".join(parity.reasons) or "It does not say what was trained."
        if state == "failed" and record.model:
            self._withdraw(record.model)
        judged = self._shelf.put(msgspec.structs.replace(record, state=state, parity=parity, note=note))
        self._changes.publish("adapter", judged.name)
        return judged

    def update(self, record: AdapterRecord) -> AdapterRecord:
        """Write a card anew."""
        written = self._shelf.put(record)
        self._changes.publish("adapter", written.name)
        return written

    def _withdraw(self, name: str) -> None:
        model = self._catalogue.find(name)
        if model is None:
            return
        loaded = self._inference.loaded
        if loaded is not None and loaded[0] == name:
            with contextlib.suppress(UserError):  # an answer is being made with it; it is the last one
                self._inference.unload()
        self._catalogue.remove(name)
        with contextlib.suppress(UserError):  # Windows keeps a file that is open: the folder stays, unnamed
            delete_files(model, self.models_folder)
        self._changes.publish("model", name)
