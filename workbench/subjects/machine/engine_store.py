"""Engines on the disk: a folder each, with a manifest, a ``llama_cpp`` and its libraries; whole or not there at all.

An engine is stored as a runtime pack is (``packs.py``): its manifest names every file with its size and SHA-256. A pack
that is an engine brings the manifest, signed; of a wheel, a folder or a build it is made here, and is not signed.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import shutil
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from workbench.api.protocol import RequestContext
from workbench.base.durability import check_room, flush_to_disk, folder_beside
from workbench.base.errors import UserError
from workbench.base.files import open_regular, sha256_of
from workbench.base.installation import release_name
from workbench.base.stored import Unreadable
from workbench.network.package_index import wheel_suits
from workbench.records.engines import ENGINE_CHOICE, ENGINE_TEST, EngineChoice, EngineTest
from workbench.records.runtime import MANIFEST, PackFile, PackManifest
from workbench.subjects.machine.packs import (
    MANIFEST_FILE,
    SIGNATURE_FILE,
    check_installed,
    check_whole,
    install_pack,
    list_packs,
    replaced,
    this_platform,
)

PACKAGE, DISTRIBUTION = "llama_cpp", "llama-cpp-python"
TEST_FILE, CHOICE_FILE = "test.json", "choice.json"
LARGEST_ENGINE_BYTES = 8 << 30
MOST_FILES = 5_000
LIBRARY_NAMES = {"linux": "libllama.so", "darwin": "libllama.dylib", "win32": "llama.dll"}
_PARTS = (f"{PACKAGE}/", "llama_cpp_python.libs/")
_LEFT_OUT = (f"{PACKAGE}/server/", f"{PACKAGE}/__pycache__/")
_LEFT = (".removed-", ".unfinished-", ".staged-", ".replaced-")
_BLOCK = 1 << 20
_AGAIN = "Get it again from where it came."
_ELF = {3: "x86", 40: "ARM", 62: "x86_64", 183: "arm64", 243: "RISC-V"}
_PE = {0x14C: "x86", 0x8664: "x86_64", 0xAA64: "arm64"}
_MACH = {0x01000007: "x86_64", 0x0100000C: "arm64"}
_SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}
Report = Callable[[int, int], None]
"""Called with the bytes that are written and those of the whole."""


class EngineStore:
    """``folder`` holds the engines; it is created with the first one. ``keys`` gives the keys that packs are signed
    by."""

    def __init__(self, folder: Path, keys: Callable[[], dict[str, bytes]]) -> None:
        self.folder = folder
        self._keys = keys

    def list_engines(self) -> list[PackManifest]:
        """The installed engines by name; those whose manifest cannot be read are left out."""
        return [one for one in list_packs(self.folder) if one.backend == "engine"]

    def find(self, name: str) -> PackManifest:
        """Raises UserError where there is no engine of that name."""
        found = self.list_engines()
        for manifest in found:
            if manifest.name == name:
                return manifest
        known = ", ".join(["bundled", *(manifest.name for manifest in found)])
        raise UserError(f"There is no engine {name!r}.", f"Those that are installed: {known}.")

    def place(self, name: str) -> Path:
        return self.folder / name

    def is_signed(self, name: str) -> bool:
        return (self.folder / name / SIGNATURE_FILE).is_file()

    def digest(self, name: str) -> str:
        """A digest of an engine's files, by their hashes in its manifest; "" where it cannot be read."""
        try:
            return hashlib.sha256((self.folder / name / MANIFEST_FILE).read_bytes()).hexdigest()
        except OSError:
            return ""

    def remove(self, name: str) -> None:
        """Raises UserError where there is none of that name, or a file of it is in use."""
        place = self.place(self.find(name).name)
        gone = self.folder / f".removed-{name}"
        shutil.rmtree(gone, ignore_errors=True)
        try:
            place.rename(gone)  # whole or gone, also when this process is killed meanwhile
        except OSError as error:
            raise UserError(
                f"The engine {name} cannot be removed: {error.strerror or error}.", "Unload the model, then try again."
            ) from error
        shutil.rmtree(gone, ignore_errors=True)

    def clean(self) -> None:
        """Remove what killed processes left behind, before anything is added. An engine whose successor did not take
        its place has it again."""
        for aside in self.folder.glob(".replaced-*"):
            place = aside.with_name(aside.name.removeprefix(".replaced-"))
            if not place.exists():
                aside.rename(place)
        left = [one for one in self.folder.glob(".*") if one.name.startswith(_LEFT)]
        for folder in (*left, self.build_folder, self.download_folder):
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def build_folder(self) -> Path:
        """Where source packages are compiled, one at a time."""
        return self.folder / ".build"

    @property
    def download_folder(self) -> Path:
        """Where files of the package index go on their way."""
        return self.folder / ".downloads"

    # -- checks -------------------------------------------------------------------------------------

    def check_usable(self, manifest: PackManifest) -> None:
        """Quick: raises UserError when an engine is for another system, or one of its files is missing or has another
        size."""
        _check_platform(f"The engine {manifest.name}", manifest)
        check_whole(self.folder, manifest)

    def check_unchanged(self, manifest: PackManifest) -> None:
        """Raises UserError when an engine is no longer as it was installed, byte for byte, or as it was signed."""
        _check_platform(f"The engine {manifest.name}", manifest)
        if self.is_signed(manifest.name):
            check_installed(self.folder, manifest, self._keys())
            return
        check_whole(self.folder, manifest)
        for file in manifest.files:
            if sha256_of(self.place(manifest.name) / file.name) != file.sha256:
                raise UserError(f"The file {file.name} of the engine {manifest.name} was changed.", _AGAIN)

    # -- installing ---------------------------------------------------------------------------------

    def add_pack(self, path: Path) -> PackManifest:
        """Raises UserError for a pack that is not signed, damaged, for another system, or no engine."""
        return install_pack(path, self.folder, self._keys(), "", engine=True)

    def add_wheel(self, path: Path, context: RequestContext, report: Report = lambda done, total: None) -> PackManifest:
        """Install a wheel of llama-cpp-python, in place of an engine of the same name. Raises UserError for another
        package, one for another system, a damaged one, and one without llama.cpp's library; Cancelled."""
        version = _wheel_version(path)
        try:
            with open_regular(path) as file, zipfile.ZipFile(file) as packed:
                hashes = _recorded(path, packed)
                members = [one for one in packed.infolist() if _is_part(one.filename)]
                _check_members(path, members)
                total = sum(member.file_size for member in members)

                def fill(folder: Path) -> None:
                    done = 0
                    for member in members:
                        done += _unpack(packed, member, folder, hashes, context)
                        report(done, total)

                return self._install(version, path.name, total, fill)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            raise UserError(f"{path} is damaged, or no wheel: {error}.", _AGAIN) from error
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error

    def add_folder(self, source: Path, context: RequestContext, origin: str = "") -> PackManifest:
        """Install a copy of the ``llama_cpp`` in a folder. Raises UserError where there is none with its library;
        Cancelled."""
        if not (source / PACKAGE / "__init__.py").is_file():
            raise UserError(
                f"{source} is no engine: it holds no folder {PACKAGE}.",
                f"Choose a wheel or a source package of {DISTRIBUTION}, a pack, or a folder that holds {PACKAGE}.",
            )
        files = [one for one in sorted(source.rglob("*")) if one.is_file() and _is_part(_name(one, source))]
        total = sum(one.stat().st_size for one in files)

        def fill(folder: Path) -> None:
            for file in files:
                context.raise_if_cancelled()
                out = folder / _name(file, source)
                out.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, out)

        return self._install(read_version(source), origin or source.name, total, fill)

    def _install(self, version: str, origin: str, total: int, fill: Callable[[Path], None]) -> PackManifest:
        if total > LARGEST_ENGINE_BYTES:
            raise UserError(f"{origin} is too large for an engine.", _AGAIN)
        out = self.folder / version
        self.folder.mkdir(parents=True, exist_ok=True)
        check_room(out, total)
        staged = self.folder / f".staged-{version}"
        shutil.rmtree(staged, ignore_errors=True)
        with folder_beside(staged, version) as beside:
            fill(beside)
            library = _library(origin, beside)
            files = tuple(
                PackFile(name=_name(one, beside), bytes=one.stat().st_size, sha256=sha256_of(one))
                for one in sorted(beside.rglob("*"))
                if one.is_file()
            )
            manifest = PackManifest(
                name=version, backend="engine", base=release_name(version), platform=this_platform(), library=library,
                files=files, source=origin,
            )  # fmt: skip
            if isinstance(unread := MANIFEST.decode(MANIFEST.encode(manifest)), Unreadable):
                raise UserError(f"{origin} has files or a version with names that are not allowed: {unread.reason}")
            MANIFEST.save(beside / MANIFEST_FILE, manifest)
        try:
            with replaced(out):  # for no longer than this: a worker may start meanwhile
                staged.rename(out)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        return manifest

    # -- what is kept beside them ---------------------------------------------------------------------

    def test_of(self, name: str) -> EngineTest | None:
        read = ENGINE_TEST.load(self.place(name) / TEST_FILE)
        return read if isinstance(read, EngineTest) else None

    def save_test(self, name: str, test: EngineTest) -> None:
        """Raises OSError."""
        ENGINE_TEST.save(self.place(name) / TEST_FILE, test)

    def choice(self) -> EngineChoice | Unreadable:
        return ENGINE_CHOICE.load(self.folder / CHOICE_FILE) or EngineChoice()

    def save_choice(self, choice: EngineChoice) -> None:
        """Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        ENGINE_CHOICE.save(self.folder / CHOICE_FILE, choice)


def read_version(folder: Path) -> str:
    """The version that a ``llama_cpp`` in a folder says it is. Raises UserError."""
    place = folder / PACKAGE / "__init__.py"
    try:
        text = place.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{place} cannot be read.", _AGAIN) from error
    for line in text.splitlines():
        name, _, value = line.partition("=")
        version = value.strip().strip("\"'")
        if name.strip() == "__version__" and _is_version(version):
            return version
    raise UserError(f"{folder} does not say which version of {DISTRIBUTION} it is.", _AGAIN)


def _is_version(text: str) -> bool:
    return 0 < len(text) <= 40 and text[0].isdigit() and all(one.isalnum() or one in ".+-_" for one in text)


def _check_platform(what: str, manifest: PackManifest) -> None:
    if manifest.platform != this_platform():
        raise UserError(f"{what} is for {manifest.platform}; this is {this_platform()}.")


def _wheel_version(path: Path) -> str:
    try:
        name, version, _, tags = parse_wheel_filename(path.name)
    except InvalidWheelFilename as error:
        raise UserError(
            f"{path.name} is not the name of a wheel.", "Keep the name that it was published with."
        ) from error
    if name != DISTRIBUTION:
        raise UserError(f"{path.name} is a wheel of {name}, not of {DISTRIBUTION}.", "Choose an engine's wheel.")
    if not wheel_suits(tags):
        systems = ", ".join(sorted({tag.platform for tag in tags}))
        raise UserError(
            f"{path.name} is for {systems}; this is {this_platform()}, with Python "
            f"{sys.version_info.major}.{sys.version_info.minor}.",
            "Choose the wheel for this system.",
        )
    return str(version).lower()


def _name(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix()


def _is_part(name: str) -> bool:
    return name.startswith(_PARTS) and not name.startswith(_LEFT_OUT) and not name.endswith((".pyc", "/"))


def _check_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    if not members:
        raise UserError(f"{path.name} holds no {PACKAGE}.", _AGAIN)
    if len(members) > MOST_FILES:
        raise UserError(f"{path.name} holds too many files for an engine.", _AGAIN)
    for member in members:
        parts = PurePosixPath(member.filename).parts
        if ".." in parts or "\\" in member.filename or ":" in member.filename:
            raise UserError(f"{path.name} would write outside of its folder ({member.filename}).", _AGAIN)


def _recorded(path: Path, packed: zipfile.ZipFile) -> dict[str, str]:
    """The SHA-256 of each file, as the wheel records it."""
    record = next((name for name in packed.namelist() if name.endswith(".dist-info/RECORD")), None)
    if record is None:
        raise UserError(f"{path.name} has no record of its files: it is no wheel, or not whole.", _AGAIN)
    rows = csv.reader(packed.read(record).decode("utf-8", "replace").splitlines())
    return {row[0]: row[1].removeprefix("sha256=") for row in rows if len(row) > 1 and row[1].startswith("sha256=")}


def _unpack(
    packed: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, hashes: dict[str, str], context: RequestContext
) -> int:
    out = folder / member.filename
    out.parent.mkdir(parents=True, exist_ok=True)
    digest, written = hashlib.sha256(), 0
    with packed.open(member) as reading, out.open("wb") as writing:
        while block := reading.read(_BLOCK):
            context.raise_if_cancelled()
            written += len(block)
            if written > member.file_size:
                raise zipfile.BadZipFile(f"{member.filename} is longer than declared")
            digest.update(block)
            writing.write(block)
        flush_to_disk(writing)
    if base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode() != hashes.get(member.filename):
        raise zipfile.BadZipFile(f"{member.filename} has another content than the wheel records")
    return written


def _library(origin: str, folder: Path) -> str:
    """The name of llama.cpp's library in an engine's folder. Raises UserError where it is missing, or for another
    system."""
    name = LIBRARY_NAMES.get(sys.platform, "libllama.so")
    found = [folder / PACKAGE / "lib" / one for one in (name, f"lib{name}", "libllama.so")]
    library = next((one for one in found if one.is_file()), None)
    if library is None:
        raise UserError(
            f"{origin} has no library of llama.cpp for {_SYSTEMS.get(sys.platform, sys.platform)} ({name}).",
            "It was built without llama.cpp, or for another system. Choose another one.",
        )
    system, machine = binary_kind(library)
    here = this_platform().partition("-")[2].replace("aarch64", "arm64")
    if system and (system != sys.platform or machine not in ("", here)):
        raise UserError(
            f"The library of {origin} is for {_SYSTEMS[system]} on {machine or 'another processor'}; this is "
            f"{this_platform()}.",
            "Choose the engine for this system.",
        )
    return _name(library, folder)


def binary_kind(library: Path) -> tuple[str, str]:
    """The system (as ``sys.platform``) and the processor that a shared library is for, by its header; "" where that is
    not known, or for several."""
    with library.open("rb") as file:
        start = file.read(4_096)
    if start[:4] == b"\x7fELF" and len(start) >= 20:
        return "linux", _ELF.get(struct.unpack("<H" if start[5] == 1 else ">H", start[18:20])[0], "another processor")
    if start[:2] == b"MZ" and len(start) >= 64:
        header = struct.unpack("<I", start[60:64])[0]
        if start[header : header + 4] == b"PE\0\0":
            return "win32", _PE.get(struct.unpack("<H", start[header + 4 : header + 6])[0], "another processor")
    if start[:4] == b"\xcf\xfa\xed\xfe":
        return "darwin", _MACH.get(struct.unpack("<I", start[4:8])[0], "another processor")
    return ("darwin", "") if start[:4] == b"\xca\xfe\xba\xbe" else ("", "")
