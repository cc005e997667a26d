"""The finished parts of a run, one line each in a file of its folder, so that a stopped run resumes with the next."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from workbench.engine.inference_calls import Generated
from workbench.records.messages import Finish


class Line(msgspec.Struct, frozen=True):
    """A finished part, known by its ``key``."""

    key: str


L = TypeVar("L", bound=Line)


class Journal(Generic[L]):
    """The parts in ``file``, values of the type ``line``, in the order in which they were finished."""

    def __init__(self, file: Path, line: type[L]) -> None:
        self._file = file
        self._lines: dict[str, L] = {}
        whole = b""
        if file.is_file():
            for text in file.read_bytes().splitlines(keepends=True):
                if text.endswith(b"\n"):  # a torn last line is done again
                    done = msgspec.json.decode(text, type=line)
                    self._lines[done.key] = done
                    whole += text
            file.write_bytes(whole)

    @property
    def lines(self) -> list[L]:
        return list(self._lines.values())

    def find(self, key: str) -> L | None:
        return self._lines.get(key)

    def add(self, line: L) -> None:
        self._lines[line.key] = line
        with self._file.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")


class _Section(Line, frozen=True):
    text: str
    finish: Finish


class TaskSections:
    """The finished sections of a task on a document (``answering.SavedSections``), in the folder of its run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._journal = Journal(folder / "sections.jsonl", _Section)

    def find(self, key: str) -> Generated | None:
        section = self._journal.find(key)
        return Generated(text=section.text, finish=section.finish) if section is not None else None

    def add(self, key: str, made: Generated) -> None:
        with contextlib.suppress(OSError):  # a full disk: a resumed task makes this section again
            self._folder.mkdir(parents=True, exist_ok=True)
            self._journal.add(_Section(key, made.text, made.finish))
