"""Runtime packs on the disk: checked against signature, base and platform, then unpacked; whole or not at all.

A pack is a zip file with ``manifest.json``, ``manifest.sig`` (the signature of its bytes) and the files that the
manifest names with their SHA-256. Nothing of it is opened before the signature and the hashes are right.

The drivers of GPUs on this machine: their versions, and whether they are new enough for a runtime pack.

None of them is loaded into this process, which a driver that crashes would end.
"""

from __future__ import annotations

import contextlib
import hashlib
import platform
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from workbench.base.durability import check_room, flush_to_disk, folder_beside
from workbench.base.errors import UserError
from workbench.base.files import open_regular, sha256_of
from workbench.base.stored import Unreadable
from workbench.base.training_environment import require_packages, version_of
from workbench.records.runtime import BACKENDS, MANIFEST, Backend, PackManifest
from workbench.subjects.machine.signatures import check_signature

MANIFEST_FILE, SIGNATURE_FILE = "manifest.json", "manifest.sig"
LARGEST_MANIFEST_BYTES = 16 << 20
LARGEST_PACK_BYTES = 8 << 30
_BLOCK = 1 << 20
_AGAIN = "Get it again from its maker."


def this_platform() -> str:
    """Such as "linux-x86_64", "windows-x86_64", "macos-arm64"."""
    system = {"win32": "windows", "darwin": "macos"}.get(sys.platform, sys.platform)
    machine = {"AMD64": "x86_64", "aarch64": "arm64" if sys.platform == "darwin" else "aarch64"}
    return f"{system}-{machine.get(platform.machine(), platform.machine())}"


def torch_release(training: Path | None = None) -> str:
    """The torch that a pack of another build of it replaces, without what it was built for. ``training`` is the folder
    of the packages of training."""
    return f"torch {version_of('torch', training).partition('+')[0]}".rstrip()


def install_pack(
    path: Path, folder: Path, keys: dict[str, bytes], base: str, training: Path | None = None, *, engine: bool = False
) -> PackManifest:
    """Check a pack file and unpack it to a folder of its name within ``folder``, in place of an older one. ``base`` and
    ``training`` are as in ``check_fits``.

    Raises UserError for a pack that is not signed, damaged, of another ``base`` or for another system, and for one that
    is an ``engine`` where a runtime pack is wanted, or the other way round; the older one stays then.
    """
    with _Packed(path) as packed:
        manifest = _manifest(path, packed, keys)
        if manifest.backend == "training":
            raise UserError(
                f"{path.name} is a pack of the training environment.",
                f"Set up training from it in Settings · This machine (in a terminal: workbench runtime add "
                f"training --from {path.name}).",
            )
        if (manifest.backend == "engine") != engine:
            raise _of_another_kind(manifest)
        check_fits(manifest, base, training)
        out = folder / manifest.name
        folder.mkdir(parents=True, exist_ok=True)
        check_room(out, sum(file.bytes for file in manifest.files))
        with replaced(out), folder_beside(out, manifest.name) as beside:
            for file in manifest.files:
                _unpack(path, packed, file.name, beside / file.name, file.bytes, file.sha256)
            for name in (MANIFEST_FILE, SIGNATURE_FILE):
                (beside / name).write_bytes(packed.read(name))
    return manifest


def read_pack(path: Path, keys: dict[str, bytes]) -> PackManifest:
    """The manifest of a pack file. Raises UserError for one that is not signed, damaged, or for another system."""
    with _Packed(path) as packed:
        manifest = _manifest(path, packed, keys)
    if manifest.platform != this_platform():
        raise UserError(f"The pack {manifest.name} is for {manifest.platform}; this is {this_platform()}.")
    return manifest


def unpack_files(path: Path, keys: dict[str, bytes], folder: Path, written: Callable[[int], None]) -> None:
    """Unpack the files of a pack into a folder. ``written`` is told the bytes after each file; what it raises stops the
    work. Raises UserError for a pack that is not signed, or damaged."""
    done = 0
    with _Packed(path) as packed:
        for file in _manifest(path, packed, keys).files:
            _unpack(path, packed, file.name, folder / file.name, file.bytes, file.sha256, flush=False)
            done += file.bytes
            written(done)


@contextlib.contextmanager
def replaced(out: Path) -> Iterator[None]:
    """Moves an older folder aside; when the block raises, it is moved back."""
    aside = out.with_name(f".replaced-{out.name}")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        if out.exists():
            out.rename(aside)
        yield
    except BaseException:
        if aside.exists() and not out.exists():
            aside.rename(out)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _of_another_kind(manifest: PackManifest) -> UserError:
    if manifest.backend == "engine":
        return UserError(f"The pack {manifest.name} is an engine, not a runtime pack.", "Add it in Settings · Engine.")
    return UserError(
        f"The pack {manifest.name} is a runtime pack, not an engine.", "Install it in Settings · This machine."
    )


def list_packs(folder: Path) -> list[PackManifest]:
    """The installed packs by name; those whose manifest cannot be read are left out."""
    found = []
    for place in sorted(folder.glob("*/" + MANIFEST_FILE)):
        manifest = MANIFEST.load(place)
        if manifest is not None and not isinstance(manifest, Unreadable) and manifest.name == place.parent.name:
            found.append(manifest)
    return found


def remove_pack(folder: Path, name: str) -> PackManifest:
    """Remove an installed pack. Raises UserError where there is none of that name."""
    manifest = find_pack(folder, name)
    shutil.rmtree(folder / manifest.name)
    return manifest


def find_pack(folder: Path, name: str) -> PackManifest:
    found = list_packs(folder)
    for manifest in found:
        if manifest.name == name:
            return manifest
    known = ", ".join(manifest.name for manifest in found) or "none"
    raise UserError(f"There is no runtime pack {name!r}.", f"Those that are installed: {known}.")


def _title(manifest: PackManifest) -> str:
    return f"the {'engine' if manifest.backend == 'engine' else 'runtime pack'} {manifest.name}"


def _sentence(manifest: PackManifest) -> str:
    title = _title(manifest)
    return title[0].upper() + title[1:]


def check_installed(folder: Path, manifest: PackManifest, keys: dict[str, bytes]) -> None:
    """Raises UserError when an installed pack is no longer as it was signed."""
    place = folder / manifest.name
    try:
        content, signature = (place / MANIFEST_FILE).read_bytes(), (place / SIGNATURE_FILE).read_text("ascii")
        check_signature(_sentence(manifest), content, signature, keys)
        for file in manifest.files:
            if sha256_of(place / file.name) != file.sha256:
                raise UserError(f"The file {file.name} of {_title(manifest)} was changed.", _AGAIN)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{_sentence(manifest)} cannot be read: {error}.", _AGAIN) from error


def check_whole(folder: Path, manifest: PackManifest) -> None:
    """Raises UserError when a file of an installed pack is missing or has another size: quick, for packs of gigabytes,
    whose hashes were checked when they were installed and tried."""
    for file in manifest.files:
        try:
            size = (folder / manifest.name / file.name).stat().st_size
        except OSError:
            size = -1
        if size != file.bytes:
            raise UserError(f"The file {file.name} of {_title(manifest)} was changed.", _AGAIN)


def check_fits(manifest: PackManifest, base: str, training: Path | None = None) -> None:
    """Raises UserError when a pack is for another system, belongs to another llama.cpp than ``base``, or replaces
    another torch than the program's, which may be in the folder ``training``."""
    here = this_platform()
    if manifest.backend == "torch-cuda":
        require_packages(f"The runtime pack {manifest.name}", training, ("torch",))
        base = torch_release(training)
    if manifest.platform != here:
        raise UserError(f"{_sentence(manifest)} is for {manifest.platform}; this is {here}.")
    if manifest.backend != "engine" and manifest.base != base:
        raise UserError(
            f"The runtime pack {manifest.name} belongs to {manifest.base}; this program has {base}.",
            f"Get the {BACKENDS[manifest.backend]} pack that belongs to it.",
        )


class _Packed:
    """A zip file, whose entries are read under the limits of the manifest."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = open_regular(path)
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
        try:
            self._zip = zipfile.ZipFile(self._file)
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            self._file.close()
            raise UserError(f"{path} is not a runtime pack, or it is damaged.", _AGAIN) from error

    def __enter__(self) -> _Packed:
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()
        self._file.close()

    def read(self, name: str) -> bytes:
        return b"".join(self.blocks(name, LARGEST_MANIFEST_BYTES))

    def blocks(self, name: str, most: int) -> Iterator[bytes]:
        """The content of an entry. Raises UserError when it is missing, damaged or longer than ``most``."""
        try:
            with self._zip.open(name) as entry:
                while block := entry.read(min(_BLOCK, most + 1)):
                    most -= len(block)
                    if most < 0:
                        raise UserError(f"{name} in {self._path} is longer than announced.", _AGAIN)
                    yield block
        except KeyError as error:
            raise UserError(f"{self._path} has no {name}: it is not a runtime pack, or not whole.", _AGAIN) from error
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
            raise UserError(f"{self._path} is damaged: {error}.", _AGAIN) from error


def _manifest(path: Path, packed: _Packed, keys: dict[str, bytes]) -> PackManifest:
    content = packed.read(MANIFEST_FILE)
    signature = packed.read(SIGNATURE_FILE).decode("ascii", "replace")
    check_signature(f"The runtime pack {path.name}", content, signature, keys)
    manifest = MANIFEST.get(content)
    names = [file.name for file in manifest.files]
    if len(set(map(str.lower, names))) != len(names) or {MANIFEST_FILE, SIGNATURE_FILE} & set(names):
        raise UserError(f"The runtime pack {path.name} names a file twice.", _AGAIN)
    if manifest.library not in names:
        raise UserError(f"The runtime pack {path.name} does not hold its library {manifest.library}.", _AGAIN)
    if sum(file.bytes for file in manifest.files) > LARGEST_PACK_BYTES:
        raise UserError(f"The runtime pack {path.name} is too large.", _AGAIN)
    return manifest


def _unpack(path: Path, packed: _Packed, name: str, out: Path, size: int, sha256: str, *, flush: bool = True) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    digest, written = hashlib.sha256(), 0
    with out.open("wb") as file:
        for block in packed.blocks(name, size):
            file.write(block)
            digest.update(block)
            written += len(block)
        if flush:
            flush_to_disk(file)
    if written != size or digest.hexdigest() != sha256:
        raise UserError(f"{name} in {path} has another content than its manifest says.", _AGAIN)
    if out.parent.name == "bin":  # a zip file carries no permission: programs that torch starts
        out.chmod(0o755)


ASK_S = 10.0
_VERSION = re.compile(r"\d+(?:\.\d+)+")
_NVIDIA = Path("/proc/driver/nvidia/version")
_AMD = (Path("/sys/module/amdgpu/version"), Path("/opt/rocm/.info/version"))
_LOADERS = {"linux": "libvulkan.so.1", "win32": "vulkan-1.dll", "darwin": "libvulkan.1.dylib"}


def driver_version(backend: Backend) -> str:
    """The version of the driver that a backend needs, "" where there is none or it does not tell."""
    if backend in ("cuda", "torch-cuda"):
        return _first_version(_text(_NVIDIA)) or _first_version(
            _asked("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
        )
    if backend == "rocm":
        return next((found for file in _AMD if (found := _first_version(_text(file)))), "")
    return _first_version(_asked(sys.executable, "-I", "-c", _ASK_VULKAN, _LOADERS.get(sys.platform, "")))


def missing_driver(manifest: PackManifest, version: str) -> str:
    """Why a pack cannot be used with the driver of this version, "" where it can."""
    name = BACKENDS[manifest.backend]
    if not version:
        return f"No driver for {name} was found on this machine."
    if manifest.minimum_driver and _numbers(version) < _numbers(manifest.minimum_driver):
        return f"The driver for {name} is {version}; this pack needs {manifest.minimum_driver} or a newer one."
    return ""


_ASK_VULKAN = """
import ctypes, sys
version = ctypes.c_uint32()
ctypes.CDLL(sys.argv[1]).vkEnumerateInstanceVersion(ctypes.byref(version))
print(f"{version.value >> 22}.{version.value >> 12 & 1023}.{version.value & 4095}")
"""


def _asked(*command: str) -> str:
    """What a program prints, "" when it is not there, fails or takes too long."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASK_S, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""


def _first_version(text: str) -> str:
    found = _VERSION.search(text)
    return found[0] if found is not None else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
