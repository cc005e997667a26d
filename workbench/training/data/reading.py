"""Data files and folders, read as rows under limits: JSON Lines, JSON, CSV, Parquet, Arrow, plain text.

A folder is a set from the Hugging Face hub or one that ``datasets`` saved: its splits are recognised by the names of
files and folders (https://huggingface.co/docs/hub/datasets-file-names-and-splits). Loading scripts in it are not run.

Rows of JSON Lines, of one JSON list (streamed), and of one JSON object that holds such a list.
"""

from __future__ import annotations

import codecs
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Literal, NoReturn

import msgspec

from workbench.base.errors import UserError
from workbench.base.files import open_regular, read_json_file
from workbench.training.data.examples import Source
from workbench.training.data.rows import ReadingLimits, Row, check_depth, check_length, read_lines, refuse, without_mark
from workbench.training.data.table_rows import read_columns, read_csv

LARGEST_OBJECT_BYTES = 256 << 20
"""A file that is one JSON object, rather than a list or lines, is read whole; so it may be this large."""

_BLOCK = 1 << 18
_QUOTED = 24
_SPACE = re.compile(r"[ \t\r\n]*")
_SURROGATE = re.compile("[\ud800-\udfff]")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def read_jsonl(path: Path, limits: ReadingLimits) -> Iterator[Row]:
    """A row for each line that is not blank. A line that is a string is a row with the column ``text``."""
    with open_regular(path) as file:
        number = 0
        for line, text in read_lines(file, path, limits):
            if not text.strip():
                continue
            number += 1
            try:
                value = _DECODER.decode(text)
            except json.JSONDecodeError as error:
                refuse(path, f"it is not JSON: {_fault(error)}.", _hint(text), line=line)
            except RecursionError:
                refuse(path, "its values are nested too deeply.", line=line)
            except ValueError as error:
                refuse(path, f"it is not JSON: {error}.", line=line)
            yield _row(value, path, line, number, limits)


def read_json(path: Path, limits: ReadingLimits) -> Iterator[Row]:
    """The members of a list, or of the one list of objects in an object; JSON Lines with the wrong ending as well."""
    with open_regular(path) as file:
        start = without_mark(file.read(_BLOCK), path).lstrip()[:1]
        file.seek(0)
        if start == b"[":
            yield from _list(_Text(file, path), path, limits)
        elif start == b"{":
            if _is_lines(path, limits):
                yield from read_jsonl(path, limits)
            else:
                yield from _object(file, path, limits)
        elif start:
            refuse(path, "it is not a JSON list of examples.", "It should begin with [ or {.", line=1)


class _Text:
    """The characters of a file, read block by block; ``line`` is that of the place ``at``."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file = file
        self._path = path
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._ended = False
        self._first = True
        self.text = ""
        self.at = 0
        self.line = 1

    def more(self) -> bool:
        """Read on; False at the end of the file. What lies before ``at`` is dropped."""
        if self._ended:
            return False
        raw = self._file.read(_BLOCK)
        if self._first:
            raw, self._first = without_mark(raw, self._path), False
        self._ended = not raw
        try:
            piece = self._decoder.decode(raw, final=self._ended)
        except UnicodeDecodeError as error:
            line = self.line + self.text.count("\n", self.at) + raw[: error.start].count(b"\n")
            refuse(self._path, f"byte {error.object[error.start]:#04x} is not UTF-8.", "Save it as UTF-8.", line=line)
        self.text, self.at = self.text[self.at :] + piece, 0
        return not self._ended

    def skip_space(self) -> str:
        """Go to the next character that is not white space: "" at the end of the file."""
        while True:
            match = _SPACE.match(self.text, self.at)
            assert match is not None
            self.take(match.end())
            if self.at < len(self.text) or not self.more():
                return self.text[self.at : self.at + 1]

    def take(self, end: int) -> None:
        self.line += self.text.count("\n", self.at, end)
        self.at = end


def _list(text: _Text, path: Path, limits: ReadingLimits) -> Iterator[Row]:
    text.skip_space()
    text.take(text.at + 1)
    number = 0
    following = text.skip_space()
    while following != "]":
        number += 1
        line = text.line
        value = _next_value(text, path, limits, number)
        yield _row(value, path, line, number, limits)
        following = text.skip_space()
        if following == ",":
            text.take(text.at + 1)
            following = text.skip_space()
        elif following != "]":
            what = "the list is cut off" if not following else f"{following!r} where a comma should be"
            refuse(path, f"{what}, after example {number:,}.", line=text.line)
    text.take(text.at + 1)
    if rest := text.skip_space():
        refuse(path, f"{rest!r} after the end of the list.", line=text.line)


def _next_value(text: _Text, path: Path, limits: ReadingLimits, number: int) -> Any:
    while True:
        try:
            value, end = _DECODER.raw_decode(text.text, text.at)
            # a number may go on in the next block, and so may nothing else
            if end - text.at > limits.longest_row_bytes:
                refuse(
                    path, f"example {number:,} is longer than {limits.longest_row_bytes:,} characters.", line=text.line
                )
            if end < len(text.text) or not text.more():
                text.take(min(end, len(text.text)))  # the text before it may just have been dropped
                return value
        except json.JSONDecodeError as error:
            held = len(text.text) - text.at
            if held > limits.longest_row_bytes:
                refuse(
                    path,
                    f"example {number:,} is longer than {limits.longest_row_bytes:,} bytes, or is not JSON.",
                    line=text.line,
                )
            offset = error.pos - text.at
            if not text.more():
                line = text.line + text.text.count("\n", text.at, text.at + offset)
                refuse(path, f"example {number:,} is not JSON: {_fault(error, placed=False)}.", line=line)
        except RecursionError:
            refuse(path, f"the values of example {number:,} are nested too deeply.", line=text.line)
        except ValueError as error:
            refuse(path, f"example {number:,} is not JSON: {error}.", line=text.line)


def _is_lines(path: Path, limits: ReadingLimits) -> bool:
    """Whether the first line is a whole value and something follows it."""
    with open_regular(path) as file:
        first = file.readline(limits.longest_row_bytes + 1)
        try:
            json.loads(first)
        except (ValueError, RecursionError):
            return False
        return bool(file.read(_BLOCK).strip())


def _object(file: IO[bytes], path: Path, limits: ReadingLimits) -> Iterator[Row]:
    raw = file.read(LARGEST_OBJECT_BYTES + 1)
    if len(raw) > LARGEST_OBJECT_BYTES:
        refuse(path, f"it is one JSON object of more than {LARGEST_OBJECT_BYTES >> 20} MiB.", "Save it as JSON Lines.")
    try:
        value = _DECODER.decode(without_mark(raw, path).decode("utf-8"))
    except json.JSONDecodeError as error:
        refuse(path, f"it is not JSON: {_fault(error)}.", line=error.lineno)
    except UnicodeDecodeError as error:
        refuse(path, "it is not UTF-8.", "Save it as UTF-8.", line=1 + raw[: error.start].count(b"\n"))
    except RecursionError:
        refuse(path, "its values are nested too deeply.")
    except ValueError as error:
        refuse(path, f"it is not JSON: {error}.")
    lists = {k: v for k, v in value.items() if isinstance(v, list) and v and isinstance(v[0], dict)}
    if len(lists) > 1 and len({len(v) for v in lists.values()}) > 1:
        refuse(path, f"it holds several lists: {', '.join(lists)}.", "Save the one that is meant as a file of its own.")
    # a single conversation is an example itself: its list holds turns
    name, members = next(iter(lists.items()), ("", [value]))
    if name in ("messages", "conversations", "conversation"):
        members = [value]
    for number, member in enumerate(members, 1):
        check_length(member, path, limits, number)
        yield _row(member, path, 0, number, limits)


def _row(value: Any, path: Path, line: int, number: int, limits: ReadingLimits) -> Row:
    source = Source(path=str(path), line=line, row=number)
    if isinstance(value, str):
        value = {"text": value}
    elif isinstance(value, list) and value and all(isinstance(turn, dict) for turn in value):
        value = {"messages": value}
    if not isinstance(value, dict):
        kind = "nothing (null)" if value is None else type(value).__name__
        refuse(path, f"an example is an object with named values, and this is {kind}.", line=line, row=number)
    if len(value) > limits.most_columns:
        refuse(path, f"it has {len(value):,} columns; up to {limits.most_columns:,} are read.", line=line, row=number)
    check_depth(value, path, line=line, row=number)
    return Row(_without_surrogates(value), source)


def _without_surrogates(value: dict[str, Any]) -> dict[str, Any]:
    """JSON can spell halves of characters, which are no text: they become U+FFFD."""

    def mended(member: Any) -> Any:
        if isinstance(member, str):
            return _SURROGATE.sub("\ufffd", member) if not member.isascii() else member
        if isinstance(member, dict):
            return {mended(k): mended(v) for k, v in member.items()}
        if isinstance(member, list):
            return [mended(one) for one in member]
        return member

    result: dict[str, Any] = mended(value)
    return result


def _fault(error: json.JSONDecodeError, placed: bool = True) -> str:
    """A parser's error in terms of the file. A block of a list knows no places of a line."""
    words = " ".join(error.doc[error.pos :].split("\n", 1)[0].split())
    if not words:
        return "it breaks off"
    short = words if len(words) <= _QUOTED else f"{words[:_QUOTED]}…"
    return f"'{short}'{f' at place {error.colno:,}' if placed else ''} cannot be read"


def _hint(text: str) -> str:
    if text.lstrip().startswith("["):
        return "A file that is one list needs the ending .json."
    return "Each line is one JSON object, whole, in double quotes."


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
