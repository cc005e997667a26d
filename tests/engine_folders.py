"""Engines for tests: copies of the installed llama-cpp-python, whole or spoilt in one way, as folders and as wheels."""

from __future__ import annotations

import base64
import ctypes
import hashlib
import importlib.util
import re
import shutil
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.subjects.machine.engine_store import LIBRARY_NAMES

Change = Callable[[Path], None]
"""Spoils the ``llama_cpp`` in an engine's folder."""

TAG = "py3-none-any"


def installed_package() -> Path:
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or spec.origin is None:
        pytest.skip("llama-cpp-python is not installed")
    return Path(spec.origin).parent


def make_engine(folder: Path, change: Change = lambda package: None, version: str = "") -> Path:
    """A folder with a copy of the installed ``llama_cpp`` and the libraries that it loads."""
    installed, package = installed_package(), folder / "llama_cpp"
    (package / "lib").mkdir(parents=True)
    for file in installed.glob("*.py"):
        shutil.copyfile(file, package / file.name)
    for file in (installed / "lib").iterdir():
        # the names that the package opens, and those that the libraries are linked with
        if re.search(r"(?:\.so|\.so\.\d+|\.dylib|\.dll)$", file.name) and "mtmd" not in file.name:
            shutil.copyfile(file, package / "lib" / file.name)
    if version:
        edit(package / "__init__.py", r'__version__ = "[^"]+"', f'__version__ = "{version}"')
    change(package)
    return folder


def with_images(package: Path) -> None:
    """Put the library for images beside the others."""
    found = [one for one in (installed_package() / "lib").iterdir() if "mtmd" in one.name]
    if not found:
        pytest.skip("llama-cpp-python is installed without its library for images")
    for file in found:
        shutil.copyfile(file, package / "lib" / file.name)


def make_wheel(out: Path, version: str, change: Change = lambda package: None, tag: str = TAG) -> Path:
    """A wheel of llama-cpp-python in the folder ``out``, with the record of what it holds."""
    source = make_engine(out / f"source-{version}", change, version)
    path = out / f"llama_cpp_python-{version}-{tag}.whl"
    record = []
    with zipfile.ZipFile(path, "w") as packed:
        for file in sorted(one for one in source.rglob("*") if one.is_file()):
            content, name = file.read_bytes(), file.relative_to(source).as_posix()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(content)}")
            packed.writestr(name, content)
        packed.writestr(f"llama_cpp_python-{version}.dist-info/RECORD", "\n".join(record))
    shutil.rmtree(source)
    return path


def edit(file: Path, pattern: str, text: str) -> None:
    """Replace what a pattern matches in a file, which must be there."""
    before = file.read_text("utf-8")
    after = re.sub(pattern, lambda match: text, before, count=1)
    assert after != before, pattern
    file.write_text(after, "utf-8")


def library_of(package: Path) -> Path:
    return package / "lib" / LIBRARY_NAMES[sys.platform]


def truncate(package: Path) -> None:
    library = library_of(package)
    with library.open("r+b") as file:
        file.truncate(library.stat().st_size // 2)


def crash_in(function: str) -> Change:
    """Has a function of the library end the process by an instruction that no processor has."""

    def change(package: Path) -> None:
        offset = offset_of(function)
        for library in {library_of(package), *package.glob("lib/libllama.so*")}:
            with library.open("r+b") as file:
                file.seek(offset)
                file.write(b"\x0f\x0b" * 4)

    return change


def offset_of(function: str) -> int:
    """Where a function of the installed library begins in its file (Linux on x86-64)."""
    library = installed_package() / "lib" / "libllama.so"
    loaded = ctypes.CDLL(str(library))
    address = ctypes.cast(getattr(loaded, function), ctypes.c_void_p).value or 0
    for line in Path("/proc/self/maps").read_text().splitlines():
        place, _, offset, *_, file = line.split()
        start, end = (int(one, 16) for one in place.split("-"))
        if start <= address < end and file == str(library):
            return address - start + int(offset, 16)
    raise LookupError(function)


def for_processor(number: int) -> Change:
    """Says in the header of the library that it is for another processor (ELF's ``e_machine``)."""

    def change(package: Path) -> None:
        with library_of(package).open("r+b") as file:
            file.seek(18)
            file.write(struct.pack("<H", number))

    return change


def wrap(function: str, body: str, module: str = "llama_cpp.py") -> Change:
    """Replaces a function of the package by Python that may call the ``original``, declared as before."""

    def change(package: Path) -> None:
        with (package / module).open("a") as file:
            file.write(
                f"\n\ndef _wrapped(original):\n    def {function}(*arguments):\n        {body}\n"
                f"    {function}.restype, {function}.argtypes = original.restype, original.argtypes\n"
                f"    return {function}\n\n\n{function} = _wrapped({function})\n"
            )

    return change
