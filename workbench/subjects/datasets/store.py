"""The home's sets of examples: ``datasets/<name>.jsonl``, beside each a small file that says what it was built from."""

from __future__ import annotations

import contextlib
import re
import threading
import time
import unicodedata
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from workbench.base.durability import check_room, flush_to_disk
from workbench.base.errors import UserError
from workbench.base.files import SpecialFile, open_regular
from workbench.base.stored import Unreadable
from workbench.records.origins import Origins
from workbench.records.training import DATA_SET, DataSet

_SUFFIX = ".jsonl"
_UNFINISHED = ".unfinished"
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LONGEST_BYTES = 200
"""What file systems take, without what is put before and behind a name."""
SPARE_BYTES = 64 * 1024 * 1024


class DatasetStore:
    """The sets of a home."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._placing = threading.Lock()  # so that of two sets of one name only one is placed

    def list_sets(self) -> tuple[DataSet, ...]:
        """The latest first."""
        found = []
        for path in self._folder.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):  # removed just now
                if not path.name.startswith("."):
                    found.append(self._read(path))
        return tuple(sorted(found, key=lambda one: (-one.created, one.name)))

    def find(self, name: str) -> DataSet | None:
        """The set of that name; None also for what is not a plain name."""
        if not name or Path(name).name != name or name.startswith("."):
            return None
        path = self._folder / f"{name}{_SUFFIX}"
        with contextlib.suppress(OSError):  # too long a name, or removed just now
            return self._read(path) if path.exists() else None
        return None

    def get(self, name: str) -> DataSet:
        """Raises UserError that names the sets there are."""
        found = self.find(name)
        if found is None:
            known = ", ".join(one.name for one in self.list_sets())
            raise UserError(f"There is no set {name!r}.", f"The sets are {known}." if known else "Build one first.")
        return found

    def check_name(self, name: str) -> str:
        """The name as it is to be. Raises UserError for one that is taken or is none."""
        wanted = " ".join(name.split())
        impossible = any(c in '/\\:*?"<>|' or unicodedata.category(c) in ("Cc", "Cs") for c in wanted)
        impossible = impossible or wanted.startswith(".") or _RESERVED.fullmatch(wanted) is not None
        if not wanted or impossible or len(wanted) > 80 or len(wanted.encode()) > _LONGEST_BYTES:
            raise UserError(f"{name!r} is not a valid set name.", "Use letters, digits, spaces and dashes.")
        if wanted.casefold() in {one.name.casefold() for one in self.list_sets()}:
            raise UserError(f"There is already a set named {wanted!r}.", "Choose another name, or remove that set.")
        return wanted

    def check_room(self) -> None:
        """Raises UserError when the disk is nearly full."""
        self._folder.mkdir(parents=True, exist_ok=True)
        check_room(self._folder / "A data set", 1, SPARE_BYTES, "")

    @contextlib.contextmanager
    def written(self, name: str, origin: str, origins: Origins = None) -> Iterator[_SetWriter]:
        """A new set, which appears when the block ends well and holds an example. Raises UserError when its name is
        taken by then."""
        self.check_room()
        beside = self._folder / f"{_UNFINISHED}-{uuid.uuid4().hex[:12]}"
        try:
            with beside.open("wb") as file:
                writer = _SetWriter(file)
                yield writer
                flush_to_disk(file)
            if writer.examples:
                path = self._folder / f"{name}{_SUFFIX}"
                described = DataSet(
                    name=name,
                    path=path.name,
                    examples=writer.examples,
                    bytes=beside.stat().st_size,
                    created=time.time(),
                    origin=origin,
                    origins=origins,
                )
                with self._placing:
                    self.check_name(name)
                    DATA_SET.save(self._card(path), described)
                    beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Raises UserError when there is no such set."""
        path = Path(self.get(name).path)
        path.unlink(missing_ok=True)
        self._card(path).unlink(missing_ok=True)

    def remove_unfinished(self) -> None:
        """Delete what a core that died left half written."""
        for left in self._folder.glob(f"{_UNFINISHED}-*"):
            left.unlink(missing_ok=True)

    def _card(self, path: Path) -> Path:
        return path.with_suffix(".json")

    def _read(self, path: Path) -> DataSet:
        state = path.stat()
        card = DATA_SET.load(self._card(path))
        described = DataSet(name=path.stem, path=str(path), examples=-1, bytes=state.st_size, created=state.st_mtime)
        if isinstance(card, Unreadable):
            described = msgspec.structs.replace(described, unreadable=card.reason)
        elif card is not None:
            examples = card.examples if card.bytes == state.st_size else -1  # else somebody wrote into it
            described = msgspec.structs.replace(
                described, origin=card.origin, created=card.created, examples=examples, origins=card.origins
            )
        if described.examples < 0:
            try:
                with open_regular(path) as file:
                    count = sum(1 for line in file if line.strip())
            except SpecialFile as error:
                return msgspec.structs.replace(described, examples=0, unreadable=error.message)
            described = msgspec.structs.replace(described, examples=count)
        return described


class _SetWriter:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.examples = 0

    def add(self, example: dict[str, object]) -> None:
        self._file.write(msgspec.json.encode(example) + b"\n")
        self.examples += 1
