"""From a file or folder that another program has exported to its chats; inside the reader process."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.reading.chat_exports.fields import Node
from workbench.reading.chat_exports.programs import READERS, program_of, read_jan
from workbench.records.chat_exports import PROGRAMS, ChatExport, ForeignChat

MOST_CHATS = 50_000
MOST_FILES = 20_000
LARGEST_BYTES = 1_000_000_000
"""Of one file, unpacked."""

_THREAD, _MESSAGES, _CONVERSATIONS = "thread.json", "messages.jsonl", "conversations.json"


def read_chat_export(path: Path) -> ChatExport:
    """Raises UserError that names the place of what cannot be read."""
    if path.is_dir():
        return _from_files(_Folder(path), path.name)
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                return _from_files(_Archive(archive), path.name)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise UserError(f"{path.name} is damaged or encrypted: {error}.", "Export the chats again.") from error
    with open_regular(path) as file:
        content = file.read(LARGEST_BYTES + 1)
    return _from_json(_decoded(content, path.name), path.name)


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        found = [one for one in self._path.glob("**/*.json*") if one.is_file() and not one.is_symlink()]
        return sorted(one.relative_to(self._path).as_posix() for one in found[: MOST_FILES + 1])

    def read(self, name: str) -> bytes:
        with open_regular(self._path / name) as file:
            return file.read(LARGEST_BYTES + 1)


class _Archive:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def names(self) -> list[str]:
        return sorted(name for name in self._archive.namelist()[: MOST_FILES + 1] if ".json" in name)

    def read(self, name: str) -> bytes:
        with self._archive.open(name) as file:
            return file.read(LARGEST_BYTES + 1)


def _from_files(files: _Folder | _Archive, what: str) -> ChatExport:
    names = files.names()
    if len(names) > MOST_FILES:
        raise UserError(f"{what} has more than {MOST_FILES:,} files.", "Choose the export itself.")
    threads = [name for name in names if PurePosixPath(name).name == _THREAD]
    if threads:
        return _joined("jan", (_thread(files, name, names) for name in threads))
    exports = [name for name in names if PurePosixPath(name).name == _CONVERSATIONS]
    if not exports:
        exports = [name for name in names if name.endswith(".json") and program_of(_peek(files, name))]
    if not exports:
        raise _unknown(what)
    parts = [_from_json(_decoded(files.read(name), name), name) for name in exports]
    if len({part.program for part in parts}) > 1:
        raise UserError(f"{what} holds exports of several programs.", "Import them one after the other.")
    chats = tuple(chat for part in parts for chat in part.chats)
    return ChatExport(program=parts[0].program, chats=chats, left_out=sum(part.left_out for part in parts))


def _peek(files: _Folder | _Archive, name: str) -> Any:
    try:
        return _decoded(files.read(name), name)
    except UserError:
        return None  # another file beside the export


def _thread(files: _Folder | _Archive, name: str, names: list[str]) -> tuple[ForeignChat | None, int]:
    thread = Node(_decoded(files.read(name), name), name)
    beside = str(PurePosixPath(name).with_name(_MESSAGES))
    if beside not in names:
        if thread.get("messages") is not None:
            return read_jan(thread, thread.list("messages"))
        return None, 0
    lines = files.read(beside).splitlines()
    named = ((f"{beside}, line {number}", line) for number, line in enumerate(lines, 1) if line.strip())
    return read_jan(thread, (Node(_decoded(line, place), place) for place, line in named))


def _from_json(value: Any, name: str) -> ChatExport:
    program = program_of(value)
    if not program:
        raise _unknown(name)
    whole = Node(value, name)
    entries = whole.items() if isinstance(value, list) else iter((whole,))
    return _joined(program, (READERS[program](entry) for entry in entries))


def _joined(program: str, read: Iterator[tuple[ForeignChat | None, int]]) -> ChatExport:
    chats: list[ForeignChat] = []
    left_out = 0
    for chat, without in read:
        left_out += without
        chats += [chat] if chat is not None else []
        if len(chats) > MOST_CHATS:
            raise UserError(f"The export has more than {MOST_CHATS:,} chats.", "Split it.")
    return ChatExport(program=program, chats=tuple(chats), left_out=left_out)


def _decoded(content: bytes, name: str) -> Any:
    if len(content) > LARGEST_BYTES:
        raise UserError(f"{name} is larger than {LARGEST_BYTES // 1_000_000:,} MB.", "Split the export.")
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError as error:
        raise UserError(
            f"{name} is not valid JSON: {error}.", "Nothing was imported. Export the chats again."
        ) from error
    except RecursionError as error:
        raise UserError(f"{name} is nested too deeply.", "Nothing was imported.") from error


def _unknown(name: str) -> UserError:
    return UserError(
        f"{name} is no export of chats that this program knows.",
        f"It knows those of {', '.join(PROGRAMS.values())}.",
    )
