"""Documents that are ZIP archives (docx, pptx, xlsx, odt, epub): inspected before anything in them is unpacked."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from urllib.parse import unquote

from workbench.base.errors import UserError
from workbench.reading.content import signature_of
from workbench.reading.markup import Markup

MOST_ENTRIES = 20_000
LARGEST_UNPACKED = 1_000_000_000
LARGEST_RATIO = 500
"""Text packs to a tenth or a fiftieth, zeros to a thousandth. From ``RATIO_FROM`` bytes on, a better ratio is a
bomb."""
RATIO_FROM = 10_000_000

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BOMB = "The file is a ZIP bomb and is not unpacked: {}"


class Archive:
    """An archive that is safe to unpack. ``what`` is its name in reasons ("a Word document")."""

    def __init__(self, data: bytes, what: str) -> None:
        """Raises UserError when it is not an archive, is damaged or encrypted, or would unpack to far too much."""
        if data.startswith(OLE):
            if "EncryptedPackage".encode("utf-16-le") in data:
                raise UserError("The file is protected by a password.", "Save a copy without the password.")
            raise UserError(
                f"The file is not {what} but an old Office file (97-2003).", "Save it in the current format."
            )
        meaning = signature_of(data)
        if meaning != "a ZIP archive":
            is_what = f" but {meaning}" if meaning is not None else ", or a damaged one"
            raise UserError(f"The file is not {what}{is_what}.")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError) as error:
            raise UserError(
                "The file is damaged or incomplete: its archive cannot be opened.", "Copy it again."
            ) from error
        self._what = what
        self._damaged: list[str] = []
        self.names = frozenset(self._zip.namelist())
        _reject_bombs(self._zip.infolist())
        if any(entry.flag_bits & 1 for entry in self._zip.infolist()):
            raise UserError("The file is protected by a password.", "Save a copy without the password.")

    def read(self, name: str) -> bytes:
        """A part's bytes. Raises UserError when it is missing or damaged."""
        try:
            return self._zip.read(name)
        except KeyError as error:
            raise UserError(f"The file is not {self._what}: it has no {name}.") from error
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError, EOFError, OSError) as error:
            raise UserError(f"The file is damaged: its part {name} cannot be unpacked.", "Copy it again.") from error

    def size(self, name: str) -> int:
        """The bytes of an existing part, as it says."""
        return self._zip.getinfo(name).file_size

    def parse(self, name: str, reader: Markup) -> bool:
        """Parse an optional part. False when it is missing, or is damaged, which gives a warning."""
        if name not in self.names:
            return False
        try:
            reader.parse(self.read(name), name)
        except UserError:
            self._damaged.append(name)
            return False
        return True

    @property
    def warnings(self) -> tuple[str, ...]:
        """About the parts that could not be read so far."""
        if not self._damaged:
            return ()
        shown = ", ".join(dict.fromkeys(self._damaged[:10]))
        return (f"Damaged parts were not read: {shown}.",)

    def related(self, part: str, *types: str) -> list[str]:
        """The existing parts that a part has relations of these types to, in order."""
        targets = [relation.target for relation in self.relations(part) if relation.type in types]
        return [name for name in dict.fromkeys(targets) if name in self.names]

    def relations(self, part: str) -> list[Relation]:
        """The relations of a part of an Office package ("" for the package itself); empty for none."""
        folder, file = posixpath.split(part)
        name = posixpath.join(folder, "_rels", f"{file}.rels")
        found = _Relations(folder)
        self.parse(name, found)
        return found.relations

    def main_part(self, otherwise: str) -> str:
        """The main part of an Office package."""
        for relation in self.relations(""):
            if relation.type == "officeDocument" and relation.target in self.names:
                return relation.target
        return otherwise


class Relation:
    """``type`` is the last word of the relation's type ("slide"); ``target`` is a part's name."""

    def __init__(self, id: str, type: str, target: str) -> None:
        self.id, self.type, self.target = id, type, target


class _Relations(Markup):
    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder
        self.relations: list[Relation] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            kind = attributes.get("Type", "").rpartition("/")[2]
            self.relations.append(
                Relation(attributes.get("Id", ""), kind, part_name(self._folder, attributes.get("Target", "")))
            )


def part_name(folder: str, target: str) -> str:
    """The name in the archive of ``target``, relative to ``folder``."""
    path = unquote(target.partition("#")[0])
    joined = path if path.startswith("/") else posixpath.join(folder, path)
    return posixpath.normpath(joined).lstrip("/")


def _reject_bombs(entries: list[zipfile.ZipInfo]) -> None:
    """By the sizes in the central directory. A wrong directory is detected when a part is read: no more than its
    declared size is unpacked."""
    if len(entries) > MOST_ENTRIES:
        raise UserError(_BOMB.format(f"it has {len(entries):,} parts."))
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > LARGEST_UNPACKED:
        raise UserError(_BOMB.format(f"it would unpack to {unpacked / 1e9:,.1f} GB."))
    for entry in entries:
        if entry.file_size >= RATIO_FROM and entry.file_size > LARGEST_RATIO * max(1, entry.compress_size):
            raise UserError(_BOMB.format(f"it would unpack to {unpacked / 1e6:,.0f} MB of almost nothing."))
