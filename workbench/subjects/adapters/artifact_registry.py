"""Registers the file that a training or merge made: as an adapter of the home, or as a model of the catalogue.

It can be used as soon as it is published; its verification is written into its card later, and what failed it
is not offered any more.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.backends.llama_cpp import LlamaCppBackend
from workbench.base.durability import written_beside
from workbench.base.errors import UserError
from workbench.core.change_notifier import ChangeNotifier
from workbench.gguf.inspection import inspect_path
from workbench.gguf.names import clean_name, file_safe, unique_name
from workbench.records.models import ModelRecord
from workbench.records.training import AdapterRecord, VerificationReport
from workbench.subjects.adapters.store import ADAPTER_FILE, TRAINED, AdapterStore, link_or_copy
from workbench.subjects.models.checksums import Checksums
from workbench.subjects.models.folders import ModelFolders
from workbench.subjects.models.importing import new_folder
from workbench.subjects.models.store import ModelCatalogue
from workbench.training.protocol import Served

UNCHECKED = "Verification did not finish: resume the run to repeat it."
NEVER_CHECKED = "Not verified: its run was deleted before."
NO_MEMORY = "Not verified: that would have taken more memory than was free before the training."

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class ArtifactRegistry:
    _store: AdapterStore
    _catalogue: ModelCatalogue
    folders: ModelFolders
    _checksums: Checksums
    _backend: LlamaCppBackend
    _changes: ChangeNotifier

    def recover(self, is_open: Callable[[str], bool], run_folder: Callable[[str], Path]) -> None:
        """Note what an earlier core left unchecked, and bring what it trained to its adapter: runs are removed."""
        self._store.remove_unfinished()
        for card in self._store.list_cards():
            if not card.run or is_open(card.run):
                continue
            try:
                if card.kind == "merged" and card.state == "checking" and self._catalogue.find(card.model) is None:
                    self._store.remove(card.name)  # the core was ended before the model was in the catalogue
                    continue
                self._store.keep_trained(card.name, run_folder(card.run) / TRAINED)
                if card.state == "checking" and not card.note:
                    self._store.put(msgspec.structs.replace(card, note=UNCHECKED))
            except OSError:  # a full disk must not keep the core from starting: the next one tries again
                _log.exception("The remains of the run %s could not be cleaned up", card.name)

    def detach_run(self, run: str, folder: Path) -> None:
        """Before a run's folder is deleted: what belongs to its adapter is taken out, and what can be checked no more
        says so."""
        card = self._store.of_run(run)
        if card is not None:
            self._store.keep_trained(card.name, folder / TRAINED)
            if card.state == "checking":
                self.update(msgspec.structs.replace(card, note=NEVER_CHECKED))

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
            cards: list[AdapterRecord] = []
            try:
                self.add_model(
                    name,
                    record.licence,
                    0,
                    lambda folder: take(source, folder / source.name),
                    lambda model: cards.append(self.add_card(msgspec.structs.replace(record, model=model))),
                )
            except BaseException:
                for card in cards:
                    self._store.remove(card.name)
                raise
            return cards[0]
        return self.add_card(record, lambda folder: take(source, folder / ADAPTER_FILE))

    def add_card(self, record: AdapterRecord, fill: Callable[[Path], object] = lambda folder: None) -> AdapterRecord:
        """Put an adapter on the store; ``fill`` writes its files into the folder that it is handed."""
        file = "" if record.kind == "merged" else ADAPTER_FILE
        published = self._store.publish(msgspec.structs.replace(record, file=file), fill)
        self._changes.publish("adapter", published.name)
        return published

    def keep_fingerprints(self, record: AdapterRecord, source: Path) -> None:
        """Keep the fingerprints of what it was trained on with an adapter, where there are any at ``source``."""
        if source.is_file():
            kept = self._store.fingerprints(record.name)
            with contextlib.suppress(UserError), written_beside(kept) as beside:  # else they are made of its data
                shutil.copyfile(source, beside)

    def add_model(
        self,
        name: str,
        licence: str,
        needed_bytes: int,
        fill: Callable[[Path], object],
        announce: Callable[[str], object] = lambda name: None,
    ) -> ModelRecord:
        """A new model of the catalogue: ``fill`` writes one GGUF file into the folder that it is handed. Raises what
        that raises, and UserError where there is no room; nothing half made is left. ``announce`` is told the name
        that it gets before it is in the catalogue."""
        wanted = clean_name(name) or "Merged"
        with new_folder(self.folders.use(self.folders.for_new()), wanted, needed_bytes) as (beside, place):
            fill(beside)
            (file,) = beside.glob("*.gguf")
        found = inspect_path(place / file.name).model
        # now, since filling takes long: a name that was free may be another model's by then
        free = unique_name(wanted, [model.name for model in self._catalogue.list_models()])
        model = msgspec.structs.replace(found, name=free, licence=licence or found.licence, owned=True)
        announce(free)
        self._catalogue.put(model)
        self._changes.publish("model", model.name)
        return model

    def record_verification(self, record: AdapterRecord, verification: VerificationReport | None) -> AdapterRecord:
        """Write down its verification (None: there was none). A model that failed leaves the catalogue."""
        if verification is None:
            state, note = "ready", record.note
        elif verification.passed:
            state, note = "ready", "; ".join(verification.notes)
        else:
            state, note = "failed", " ".join(verification.reasons) or "It does not match the trained model."
        if state == "failed" and record.model:
            self._withdraw(record.model)
        judged = self._store.put(msgspec.structs.replace(record, state=state, verification=verification, note=note))
        self._changes.publish("adapter", judged.name)
        return judged

    def update(self, record: AdapterRecord) -> AdapterRecord:
        """Write a card anew."""
        written = self._store.put(record)
        self._changes.publish("adapter", written.name)
        return written

    def _withdraw(self, name: str) -> None:
        model = self._catalogue.find(name)
        if model is None:
            return
        loaded = self._backend.loaded
        if loaded is not None and loaded[0] == name:
            with contextlib.suppress(UserError):  # an answer is being made with it; it is the last one
                self._backend.unload()
        self._catalogue.remove(name)
        with contextlib.suppress(UserError):  # Windows keeps a file that is open: the folder stays, unnamed
            self.folders.delete(model)
        self._changes.publish("model", name)
