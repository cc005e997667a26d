"""The home's folder of adapters: one folder per adapter, with a card of its origin.

``<name>/card.json`` is an ``AdapterRecord``, ``<name>/adapter.gguf`` what the engine is given (none for a merged model,
which lies among the models), ``<name>/trained/`` what the training left, ``<name>/questions.fingerprints`` what it
takes to find a question of its training data again. A folder appears under its name complete.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import msgspec

from workbench.base.errors import UserError
from workbench.base.naming import free_name
from workbench.base.stored import Unreadable
from workbench.records.training import CARD, FINGERPRINTS_FILE, AdapterRecord

CARD_FILE = "card.json"
ADAPTER_FILE = "adapter.gguf"
TRAINED = "trained"
QUESTIONS = "questions.jsonl"
_UNFINISHED = ".unfinished-"


class AdapterStore:
    """The cards of a home. All methods may be called from any thread; one process at a time owns a home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()  # over names and cards

    def list_cards(self) -> tuple[AdapterRecord, ...]:
        """The latest first. What has no card is left out; one that cannot be read is ``unreadable``."""
        with contextlib.suppress(OSError):
            names = [entry.name for entry in self.folder.iterdir() if not entry.name.startswith(".")]
            found = [card for name in names if (card := self.find(name)) is not None]
            return tuple(sorted(found, key=lambda card: (-card.created, card.name)))
        return ()

    def find(self, name: str) -> AdapterRecord | None:
        """The card of that name, with ``file`` as an absolute path; "" where the file is not there."""
        folder = self.folder_of(name)
        file = folder / ADAPTER_FILE
        try:
            card = CARD.load(folder / CARD_FILE)
            if isinstance(card, Unreadable):
                card = _unreadable(card, folder)
            if card is None:
                return None
            return msgspec.structs.replace(card, name=name, file=str(file) if file.is_file() else "")
        except (OSError, ValueError):  # removed just now, or no name that a file could have
            return None

    def of_run(self, run: str) -> AdapterRecord | None:
        """The adapter that a run has made."""
        return next((card for card in self.list_cards() if card.run == run), None)

    def folder_of(self, name: str) -> Path:
        """The folder of an adapter of that name. Raises UserError for what is not a plain name."""
        if not name or name in (".", "..") or Path(name).name != name or "\\" in name:
            raise UserError(f"{name!r} is not a valid adapter name.", "The list of adapters shows the names.")
        return self.folder / name

    def trained(self, name: str) -> Path | None:
        """The trained weights of an adapter, None where they are not kept."""
        folder = self.folder_of(name) / TRAINED
        return folder if folder.is_dir() else None

    def fingerprints(self, name: str) -> Path:
        """The file of the fingerprints of the questions that an adapter was trained on, there or not."""
        return self.folder_of(name) / FINGERPRINTS_FILE

    def is_taken(self, name: str) -> bool:
        """Whether there is an adapter of that name, in whatever case."""
        wanted = name.casefold()
        try:
            return any(entry.name.casefold() in (wanted, f"{wanted}.gguf") for entry in self.folder.iterdir())
        except OSError:
            return False

    def publish(
        self, record: AdapterRecord, fill: Callable[[Path], object], taken: Collection[str] = ()
    ) -> AdapterRecord:
        """A new adapter, complete or not there at all: ``fill`` writes into the folder that becomes its own.

        A name that is taken, here or in ``taken``, gets a number behind it. Returns the record as it is now.
        """
        with self.beside() as beside:
            fill(beside)
            with self._lock:
                name = self._free_name(record.name, taken)
                _write_card(beside, msgspec.structs.replace(record, name=name))
                beside.rename(self.folder_of(name))
        published = self.find(name)
        assert published is not None
        return published

    @contextlib.contextmanager
    def beside(self) -> Iterator[Path]:
        """A folder for what is not finished; it is deleted afterwards, unless it has got another name."""
        self.folder.mkdir(parents=True, exist_ok=True)
        beside = self._unfinished()
        beside.mkdir()
        try:
            yield beside
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def put(self, record: AdapterRecord) -> AdapterRecord:
        """Write an adapter's card anew. Raises UserError when the adapter has gone, or its card cannot be read."""
        with self._lock:
            folder = self.folder_of(record.name)
            if not folder.is_dir():
                raise UserError(f"There is no adapter {record.name}.", "It may have been removed.")
            before = self.find(record.name)
            if before is not None and before.state == "unreadable":
                raise UserError(before.note)
            _write_card(folder, record)
            written = self.find(record.name)
        assert written is not None
        return written

    def keep_trained(self, name: str, folder: Path) -> None:
        """Move what a training left into its adapter's folder, where it is not yet."""
        target = self.folder_of(name) / TRAINED
        if folder.is_dir() and target.parent.is_dir() and not target.exists():
            try:
                folder.rename(target)
            except OSError:  # on another disk
                beside = target.with_name(f"{_UNFINISHED}{TRAINED}")
                shutil.rmtree(beside, ignore_errors=True)
                shutil.copytree(folder, beside)
                beside.rename(target)
                shutil.rmtree(folder, ignore_errors=True)

    def rename(self, name: str, to: str) -> None:
        """Raises UserError when the new name is taken."""
        with self._lock:
            if to.casefold() != name.casefold() and self.is_taken(to):
                raise UserError(f"There is already an adapter named {to!r}.", "Choose another name.")
            entry = self.place_of(name)
            entry.rename(self.folder_of(to) if entry.is_dir() else self.folder_of(f"{to}.gguf"))
            card = self.find(to)
            if card is not None and card.state != "unreadable":
                _write_card(self.folder_of(to), card)

    def remove(self, name: str) -> None:
        """Delete an adapter's folder, or its file. It has gone from the list before its files are deleted."""
        with self._lock:
            away = self._unfinished()
            self.place_of(name).rename(away)
        _delete(away)

    def remove_unfinished(self) -> None:
        """Delete what a core that died in the middle of something left behind."""
        for left in self.folder.glob(f"{_UNFINISHED}*"):
            _delete(left)

    def place_of(self, name: str) -> Path:
        """The folder of an adapter, or the GGUF file of that name. Raises UserError when there is neither."""
        for entry in (self.folder_of(name), self.folder_of(f"{name}.gguf")):
            if entry.exists():
                return entry
        raise UserError(f"There is no adapter {name}.", "It may have been removed.")

    def _unfinished(self) -> Path:
        return self.folder / f"{_UNFINISHED}{os.getpid()}-{uuid.uuid4().hex[:12]}"

    def _free_name(self, wanted: str, taken: Collection[str]) -> str:
        used = {name.casefold() for name in taken}
        return free_name(wanted, lambda name: self.is_taken(name) or name.casefold() in used, "-")


def link_or_copy(source: Path, target: Path) -> None:
    """The same file under another name: without a copy where the disk can do that."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _write_card(folder: Path, record: AdapterRecord) -> None:
    CARD.save(folder / CARD_FILE, msgspec.structs.replace(record, file=ADAPTER_FILE if record.file else ""))


def _unreadable(card: Unreadable, folder: Path) -> AdapterRecord:
    """An adapter whose card cannot be decoded: its place, and the fields of the card that are plain text."""
    plain = card.raw if isinstance(card.raw, dict) else {}
    known = {name: plain[name] for name in ("run", "base", "model") if isinstance(plain.get(name), str)}
    file = folder / ADAPTER_FILE
    return AdapterRecord(
        name=folder.name,
        kind="unknown",
        state="unreadable",
        origin="unknown",
        bytes=file.stat().st_size if file.is_file() else 0,
        created=(folder / CARD_FILE).stat().st_mtime,
        note=f"{card.reason} {card.hint}".strip(),
        **known,
    )
