"""Data files and folders, read as rows under limits: JSON Lines, JSON, CSV, Parquet, Arrow, plain text.

A folder is a set from the Hugging Face hub or one that ``datasets`` saved: its splits are recognised by the names of
files and folders (https://huggingface.co/docs/hub/datasets-file-names-and-splits). Loading scripts in it are not run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from workbench.base.errors import UserError
from workbench.base.files import open_regular, read_json_file
from workbench.training.data.examples import Source
from workbench.training.data.json_rows import read_json, read_jsonl
from workbench.training.data.rows import ReadingLimits, Row, read_lines, refuse
from workbench.training.data.table_rows import read_columns, read_csv

Split = Literal["train", "validation", "test"]

LONGEST_PIECE = 100_000
"""Characters: a plain text that is longer becomes several rows, cut between paragraphs where there are any."""

_SPLIT_NAMES: dict[str, Split] = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test", "eval": "test", "evaluation": "test",
}  # fmt: skip
_SPLIT = re.compile(rf"(?:^|[^a-z])({'|'.join(_SPLIT_NAMES)})(?![a-z])")
_TOLD_ABOUT = ("readme", "license", "licence", "changelog")
"""Names of texts that tell about a set."""
_NO_DATA = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "config.json")
_MOST_FILES = 10_000


class DataFolder(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of a set's folder: the files of each split, and its description."""

    path: Path
    splits: dict[Split, tuple[Path, ...]]
    description: str = ""
    licence: str = ""
    columns: tuple[str, ...] = ()


def read_rows(path: Path, limits: ReadingLimits | None = None, split: Split | None = None) -> Iterator[Row]:
    """The rows of a file, or of a folder's ``split`` (None: "train", or what there is), one after the other.

    Raises UserError, naming file and line (of tables without lines the row) and what is wrong: at the first row that
    cannot be read, for an empty file, and beyond the limits.
    """
    limits = limits or ReadingLimits()
    files = _files_of(path, split)
    number = 0
    for file in files:
        for row in _read_file(file, limits):
            number += 1
            if number > limits.most_rows:
                raise UserError(
                    f"{path.name} holds more than {limits.most_rows:,} rows.", "Make a smaller file of those you need."
                )
            yield row
    if not number:
        raise UserError(f"{path.name} holds no examples.", "Choose a file with examples.")


def find_splits(folder: Path) -> DataFolder:
    """Raises UserError when it holds no data files, or several sets beside each other."""
    # sorted, so that the order of examples is the same everywhere
    files = sorted(f for f in _walk(folder) if f.suffix.lower() in _READERS and f.name not in _NO_DATA)
    files = [f for f in files if not f.name.startswith("cache-")]
    data = [f for f in files if f.suffix.lower() not in (".txt", ".md")] or [
        f for f in files if f.suffix.lower() != ".md"
    ]
    data = data or [f for f in files if f.stem.lower() not in _TOLD_ABOUT]
    if not data:
        script = any(folder.glob("*.py"))
        raise UserError(
            f"{folder.name} holds no data files.",
            "Data sets with a loading script cannot be read, since scripts are not run. Get it as Parquet."
            if script
            else f"Files that are read: {', '.join(sorted(_READERS))}.",
        )
    homes = {_home_of(f, folder) for f in data}
    if len(homes) > 1:
        names = ", ".join(sorted(str(h) for h in homes))
        raise UserError(f"{folder.name} holds several sets: {names}.", "Choose one of these folders.")
    splits: dict[Split, list[Path]] = {}
    for file in data:
        splits.setdefault(_split_of(file.relative_to(folder)) or "train", []).append(file)
    description, licence, columns = _information(folder, data)
    return DataFolder(
        path=folder,
        splits={name: tuple(found) for name, found in splits.items()},
        description=description,
        licence=licence,
        columns=columns,
    )


def read_text(path: Path, limits: ReadingLimits) -> Iterator[Row]:
    """The text of a file as rows with the column ``text``: one, unless it is very long."""
    # a paragraph on one line may be as long as a whole piece; only the memory is guarded
    limits = msgspec.structs.replace(limits, longest_row_bytes=max(limits.longest_row_bytes, 16 << 20))
    with open_regular(path) as file:
        held: list[str] = []
        size = begins = number = 0
        for line, text in read_lines(file, path, limits):
            begins = begins or line
            held.append(text.replace("\r\n", "\n"))
            size += len(text)
            if size >= LONGEST_PIECE or (size >= LONGEST_PIECE // 2 and not text.strip()):
                number += 1
                yield Row({"text": "".join(held)}, Source(path=str(path), line=begins, row=number))
                held, size, begins = [], 0, 0
        if "".join(held).strip():
            yield Row({"text": "".join(held)}, Source(path=str(path), line=begins, row=number + 1))


_READERS: dict[str, Callable[[Path, ReadingLimits], Iterator[Row]]] = {
    ".jsonl": read_jsonl, ".ndjson": read_jsonl, ".json": read_json, ".csv": read_csv, ".tsv": read_csv,
    ".parquet": read_columns, ".arrow": read_columns, ".txt": read_text, ".md": read_text,
}  # fmt: skip


_DOCUMENTS = (".pdf", ".docx", ".odt", ".html", ".htm", ".epub", ".pptx", ".xlsx")
"""What holds text, but no examples yet."""


def _read_file(path: Path, limits: ReadingLimits) -> Iterator[Row]:
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        files = f"Files that are read: {', '.join(sorted(_READERS))}."
        if path.suffix.lower() in _DOCUMENTS:
            files = f"Add it to a collection and build a set of examples from that. {files}"
        refuse(path, "this file type is not supported as training data.", files)
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
        if not size:
            refuse(path, "it is empty.", "Choose a file with examples.")
        if size > limits.largest_file_bytes:
            refuse(path, f"it has {size:,} bytes; up to {limits.largest_file_bytes:,} are read.")
        yield from reader(path, limits)
    except OSError as error:
        raise UserError(f"{path.name} cannot be read: {error.strerror or error}.") from error


def _files_of(path: Path, split: Split | None) -> tuple[Path, ...]:
    if not path.exists():
        raise UserError(f"There is no {path}.", "Check the path.")
    if not path.is_dir():
        return (path,)
    splits = find_splits(path).splits
    chosen = split or ("train" if "train" in splits else next(iter(splits)))
    if chosen not in splits:
        raise UserError(f"{path.name} has no split {chosen}.", f"It has: {', '.join(splits)}.")
    return splits[chosen]


def _walk(folder: Path) -> Iterator[Path]:
    """Files of the folder and of three levels below, hidden ones left out."""
    waiting = [(folder, 0)]
    seen = 0
    while waiting:
        place, depth = waiting.pop()
        for found in place.iterdir():
            seen += 1
            if seen > _MOST_FILES:
                raise UserError(f"{folder.name} holds more than {_MOST_FILES:,} files.", "Choose the set's own folder.")
            if found.name.startswith("."):
                continue
            if found.is_dir():
                if depth < 3 and not found.is_symlink():
                    waiting.append((found, depth + 1))
            elif found.is_file():
                yield found


def _split_of(path: Path) -> Split | None:
    """By the file's own name, else by the folders that it is in, the nearest first."""
    for part in (path.stem, *(parent.name for parent in path.parents)):
        if match := _SPLIT.search(part.lower()):
            return _SPLIT_NAMES[match[1]]
    return None


def _home_of(file: Path, folder: Path) -> Path:
    """The folder of the set that a file belongs to: those named by a split, or ``data``, are parts of it."""
    home = file.parent
    while home != folder and (home.name.lower() == "data" or _split_of(Path(home.name))):
        home = home.parent
    return home.relative_to(folder)


def _information(folder: Path, data: list[Path]) -> tuple[str, str, tuple[str, ...]]:
    """Description, licence and columns out of ``dataset_info.json``, where there is a sound one."""
    for place in dict.fromkeys([folder, *(f.parent for f in data)]):
        try:
            info = read_json_file(place / "dataset_info.json")
        except (FileNotFoundError, UserError):
            continue
        features = info.get("features")
        columns = tuple(map(str, features)) if isinstance(features, dict) else ()
        return str(info.get("description") or ""), str(info.get("license") or ""), columns
    return "", "", ()
