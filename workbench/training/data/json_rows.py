"""Rows of JSON Lines, of one JSON list (streamed), and of one JSON object that holds such a list."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

from workbench.base.files import open_regular
from workbench.training.data.examples import Source
from workbench.training.data.rows import ReadingLimits, Row, check_depth, check_length, read_lines, refuse, without_mark

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
