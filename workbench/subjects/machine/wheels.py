"""Wheels (https://packaging.python.org/specifications/binary-distribution-format): what one needs, and its unpacking.

A wheel is a stranger's zip file. It is unpacked file by file under the sizes and the hashes that it records, within its
folder only, and nothing of it is run. Scripts and data outside of the packages are left out, and what is needed only to
compile against a package.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError

MOST_FILES = 100_000
LARGEST_METADATA_BYTES = 4 << 20
_BLOCK = 1 << 20
_AGAIN = "Get it again from where it came."
_LEFT_OUT = re.compile(r"^torch/(include|share|test)/|^torch/(bin|lib)/.*(\.a|protoc[^/]*)$|/tests?/data/|\.pyc$")


@dataclass(frozen=True)
class WheelContent:
    """What a wheel says of itself: the requirements of its package, the Python that it runs on, and the bytes and the
    number of the files that are unpacked of it."""

    requirements: tuple[Requirement, ...]
    python: SpecifierSet
    bytes: int
    files: int


@contextmanager
def reading_wheel(name: str) -> Iterator[None]:
    """Turns what a damaged zip file raises into a UserError that names it."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise UserError(f"{name} is damaged, or no wheel: {error}.", _AGAIN) from error


def read_content(name: str, packed: zipfile.ZipFile) -> WheelContent:
    """Raises UserError for a wheel without metadata, or with such that cannot be read."""
    with reading_wheel(name):
        members = _members(name, packed)
        place = next((one for one in packed.namelist() if _is_of_the_wheel(one, "METADATA")), None)
        if place is None or packed.getinfo(place).file_size > LARGEST_METADATA_BYTES:
            raise UserError(f"{name} has no metadata: it is no wheel, or not whole.", _AGAIN)
        about = HeaderParser().parsestr(packed.read(place).decode("utf-8", "replace"))
        try:
            needed = tuple(Requirement(one) for one in about.get_all("Requires-Dist", []))
            python = SpecifierSet(about.get("Requires-Python", ""))
        except (InvalidRequirement, InvalidSpecifier) as error:
            raise UserError(f"{name} has metadata that cannot be read: {error}.", _AGAIN) from error
    return WheelContent(needed, python, sum(member.file_size for member in members), len(members))


def unpack_wheel(path: Path, folder: Path, context: RequestContext, written: Callable[[int], None]) -> None:
    """Unpack a wheel's packages into ``folder``. ``written`` is told the bytes of each block. Raises UserError for a
    damaged one, and one that would write elsewhere; OSError; Cancelled."""
    with reading_wheel(path.name), zipfile.ZipFile(path) as packed:
        hashes = _recorded(path.name, packed)
        for member in _members(path.name, packed):
            out = folder / _target(member.filename)
            out.parent.mkdir(parents=True, exist_ok=True)
            digest, size = hashlib.sha256(), 0
            with packed.open(member) as reading, out.open("wb") as writing:
                while block := reading.read(_BLOCK):
                    context.raise_if_cancelled()
                    size += len(block)
                    if size > member.file_size:
                        raise zipfile.BadZipFile(f"{member.filename} is longer than declared")
                    digest.update(block)
                    writing.write(block)
                    written(len(block))
            found = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
            if found != hashes.get(member.filename) and not _is_of_the_wheel(member.filename, "RECORD"):
                raise zipfile.BadZipFile(f"{member.filename} has another content than the wheel records")
            if out.parent.name == "bin":  # a program that a package starts, such as a compiler
                out.chmod(0o755)


def _members(name: str, packed: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files that are unpacked."""
    members = [one for one in packed.infolist() if not one.is_dir() and _target(one.filename)]
    members = [one for one in members if not _LEFT_OUT.search(_target(one.filename))]
    if len(members) > MOST_FILES:
        raise UserError(f"{name} holds too many files for a package.", _AGAIN)
    for member in members:
        if ".." in PurePosixPath(member.filename).parts or member.filename.startswith("/") or "\\" in member.filename:
            raise UserError(f"{name} would write outside of its folder ({member.filename}).", _AGAIN)
    return members


def _target(name: str) -> str:
    """Where a file of a wheel belongs, "" for nowhere: of its data only the packages are taken."""
    first, _, rest = name.partition("/")
    if not first.endswith(".data"):
        return name
    kind, _, inner = rest.partition("/")
    return inner if kind in ("purelib", "platlib") else ""


def _recorded(name: str, packed: zipfile.ZipFile) -> dict[str, str]:
    record = next((one for one in packed.namelist() if _is_of_the_wheel(one, "RECORD")), None)
    if record is None:
        raise UserError(f"{name} has no record of its files: it is no wheel, or not whole.", _AGAIN)
    rows = csv.reader(packed.read(record).decode("utf-8", "replace").splitlines())
    return {row[0]: row[1].removeprefix("sha256=") for row in rows if len(row) > 1 and row[1].startswith("sha256=")}


def _is_of_the_wheel(name: str, file: str) -> bool:
    """Whether this is the wheel's own ``file``, and not that of a package within it."""
    return name.endswith(f".dist-info/{file}") and name.count("/") == 1
