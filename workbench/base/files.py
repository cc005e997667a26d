"""Files from untrusted sources: only regular files are opened, so a named pipe or device cannot block."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

import msgspec

from workbench.base.errors import UserError

LARGEST_JSON_BYTES = 64 << 20
_AGAIN_HINT = "Download or copy it again."
_SPECIAL = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class SpecialFile(UserError):
    """The path is not a regular file but ``kind`` ("a named pipe")."""

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__(f"{path} is {kind}, not a file.", "Remove it, or choose another file or folder.")
        self.kind = kind


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading. Raises SpecialFile, which names it, for what is neither a regular file nor a folder, and
    OSError as ``open`` does."""
    _refuse_special(path, os.stat(path))  # some devices do something when they are opened
    # without O_NONBLOCK, a pipe that took the file's place just now would block for ever
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        _refuse_special(path, os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_json_file(path: Path, hint: str = _AGAIN_HINT, kind: Any = dict[str, Any]) -> Any:
    """The value in a JSON file of at most ``LARGEST_JSON_BYTES``; an object unless another ``kind`` is asked for.

    Raises FileNotFoundError where there is none, and UserError that names the file when it cannot be read or is
    something else.
    """
    try:
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_size > LARGEST_JSON_BYTES:
                raise UserError(f"{path} is too large for a file of its name.", hint)
            return msgspec.json.decode(file.read(LARGEST_JSON_BYTES), type=kind)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.", hint) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{path} is damaged: {error}.", hint) from error


def json_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file, an empty one where there is no such file. Raises as ``read_json_file``."""
    try:
        found: dict[str, Any] = read_json_file(path)
    except FileNotFoundError:
        return {}
    return found


def sha256_of(path: Path) -> str:
    """Raises as ``open_regular``."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_unicode(name: str) -> bool:
    """Whether a file's name is text: one of Linux may be any bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_nested_deeper(value: Any, levels: int) -> bool:
    """Whether decoded JSON has more than ``levels`` levels of lists and objects. Needs no stack, so the answer does not
    depend on the interpreter's recursion limit, which other code of the process may have changed."""
    found = [value]
    for _ in range(levels):
        found = [
            member
            for each in found
            if isinstance(each, dict | list)
            for member in (each.values() if isinstance(each, dict) else each)
        ]
        if not found:
            return False
    return any(isinstance(each, dict | list) for each in found)


def refuse_special_files(folder: Path) -> None:
    """Raises SpecialFile when something in a folder that a library is to read by itself is no file and no folder."""
    for path in sorted(folder.glob("*")):
        with suppress(OSError):  # a link that leads nowhere
            _refuse_special(path, path.stat())


def _refuse_special(path: Path, status: os.stat_result) -> None:
    for is_that, kind in _SPECIAL:
        if is_that(status.st_mode):
            raise SpecialFile(path, kind)
