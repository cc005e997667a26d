"""Compiles the llama.cpp of a source package of llama-cpp-python, with the machine's own compiler and CMake.

Only llama.cpp's libraries are built, by the package's own CMake file; neither pip nor the network is needed. The build
gives way to other programs, and everything that the tools write is kept in a log.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import psutil

from workbench.api.protocol import RequestContext
from workbench.base.durability import check_room
from workbench.base.errors import UserError
from workbench.processes.alone import last_line
from workbench.processes.process import kill_group, kill_tree
from workbench.subjects.machine.engine_store import PACKAGE

MOST_MEMBERS = 60_000
LARGEST_SOURCE_BYTES = 4 << 30
BUILD_BYTES = 1_500_000_000
"""Disk that source and build take, about twice what was seen with llama-cpp-python 0.3.36."""

COMPILER_BYTES = 1_500_000_000
"""Memory that one compiler takes at most: so many run side by side as fit."""

TARGETS = ("llama", "ggml")
IMAGES = "mtmd"
"""The target of the library for images. An engine without it is used for texts, and its self-test says so."""
_DONE = re.compile(r"^\[\s*(\d+)(?:%|/(\d+))\]")
_LIBRARY = re.compile(r"\.(?:so(?:\.[\d.]+)?|dylib|dll)$")
_ERROR = re.compile(r"(?:fatal )?error:? (.+)", re.IGNORECASE)
Report = Callable[[str, float, float], None]
"""Called with the stage, what is done, and the whole (0: not known)."""


def build_engine(source: Path, work: Path, log: Path, context: RequestContext, report: Report) -> Path:
    """Unpack and compile a source package in the folder ``work``; returns the folder that holds the finished
    ``llama_cpp``. Raises UserError for another package, where a compiler is missing, and for a build that fails, with
    the place of the log; Cancelled."""
    tools = find_tools()
    check_room(work, BUILD_BYTES)
    shutil.rmtree(work, ignore_errors=True)
    root = _unpack(source, work / "source", context, report)
    build = work / "build"
    with log.open("ab", buffering=0) as out:
        configure = [*tools, "-S", str(root), "-B", str(build), "-DCMAKE_BUILD_TYPE=Release", "-DLLAVA_BUILD=ON"]
        if shutil.which("ninja") and "CMAKE_GENERATOR" not in os.environ:
            configure += ["-G", "Ninja"]
        configure += shlex.split(os.environ.get("CMAKE_ARGS", ""))
        report("configuring", 0, 0)
        _run(configure, out, log, context, lambda line: None)
        report("compiling", 0, 100)

        def follow(line: str) -> None:
            if found := _DONE.match(line):
                report("compiling", float(found[1]), float(found[2] or 100))

        jobs = max(1, min(os.cpu_count() or 1, int(psutil.virtual_memory().available / COMPILER_BYTES)))
        command = [*tools, "--build", str(build), "--config", "Release", "--parallel", str(jobs), "--target"]
        _run([*command, *TARGETS], out, log, context, follow)
        report("compiling the library for images", 0, 100)
        with contextlib.suppress(UserError):
            _run([*command, IMAGES], out, log, context, lambda line: None)
    return _assembled(root, build, work / "engine")


def find_tools() -> list[str]:
    """The command of CMake. Raises UserError where it or a compiler is missing."""
    missing = [name for name in ("cmake",) if shutil.which(name) is None]
    compilers = [os.environ.get("CXX", ""), "c++", "g++", "clang++"]
    on_path = any(shutil.which(name) for name in compilers if name)
    if sys.platform != "win32" and not on_path:  # Windows' own is found by CMake
        missing.append("a C++ compiler")
    if missing:
        raise UserError(
            f"A source package has to be compiled, and {' and '.join(missing)} cannot be found on this machine.",
            _HOW.get(sys.platform, _HOW["linux"]),
        )
    nice = shutil.which("nice")
    return [*([nice, "-n", "10"] if nice else []), "cmake"]


_HOW = {
    "linux": "Install them, on Debian and Ubuntu with: sudo apt install cmake g++. Or add a wheel instead.",
    "darwin": "Install them with: xcode-select --install, and brew install cmake. Or add a wheel instead.",
    "win32": "Install CMake and the Build Tools for Visual Studio with C++. Or add a wheel instead.",
}


def _unpack(source: Path, folder: Path, context: RequestContext, report: Report) -> Path:
    """The package's folder with its CMakeLists.txt."""
    try:
        size = source.stat().st_size
        with source.open("rb") as file, tarfile.open(fileobj=file, mode="r:gz") as packed:
            count = written = 0
            for member in packed:
                context.raise_if_cancelled()
                count, written = count + 1, written + member.size
                if count > MOST_MEMBERS or written > LARGEST_SOURCE_BYTES:
                    raise UserError(f"{source.name} is too large for a source package.")
                _check_member(source, member)
                if member.isfile() or member.isdir():  # a link is not needed to compile, and may lead anywhere
                    packed.extract(member, folder, set_attrs=False, filter="data")
                if count % 200 == 0:
                    report("unpacking the source", file.tell(), size)
    except (tarfile.TarError, zlib.error, EOFError, ValueError) as error:
        raise UserError(f"{source} is damaged, or no source package: {error}.", "Get it again.") from error
    except OSError as error:
        raise UserError(f"{source} cannot be unpacked: {error.strerror or error}.") from error
    found = [one for one in folder.iterdir() if (one / PACKAGE / "__init__.py").is_file()] if folder.is_dir() else []
    if len(found) != 1 or not (found[0] / "CMakeLists.txt").is_file():
        raise UserError(f"{source.name} is no source package of llama-cpp-python.", "Choose a file of it.")
    if not (found[0] / "vendor" / "llama.cpp" / "CMakeLists.txt").is_file():
        raise UserError(f"{source.name} does not hold llama.cpp.", "Choose a source package from the package index.")
    return found[0]


def _check_member(source: Path, member: tarfile.TarInfo) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name:
        raise UserError(f"{source.name} would write outside of its folder ({member.name}).", "Get it again.")


def _run(command: list[str], out: object, log: Path, context: RequestContext, follow: Callable[[str], None]) -> None:
    context.raise_if_cancelled()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=os.name == "posix", env={**os.environ, "LC_ALL": "C", "NINJA_STATUS": "[%f/%t] "},
    )  # fmt: skip
    forget = context.when_cancelled(lambda: kill_tree(process))
    problem = ""
    try:
        assert process.stdout is not None
        for raw in process.stdout:
            out.write(raw)  # type: ignore[attr-defined]
            line = raw.decode("utf-8", "replace").strip()
            follow(line)
            if found := _ERROR.search(line):
                problem = problem or found[1]
            last = line or problem
        code = process.wait()
    finally:
        forget()
        kill_tree(process)
        kill_group(process)
        process.communicate()  # closes the pipe
    context.raise_if_cancelled()
    if code:
        raise UserError(
            f"llama.cpp could not be compiled: {(problem or last_line(last) or f'exit code {code}').rstrip('.')}.",
            f"The log is {log}.",
        )


def _assembled(root: Path, build: Path, out: Path) -> Path:
    """The package with the libraries that were built, each under every name that others look for it by."""
    library_folder = out / PACKAGE / "lib"
    library_folder.mkdir(parents=True)
    for file in sorted((root / PACKAGE).glob("*.py")):
        shutil.copyfile(file, out / PACKAGE / file.name)
    found = {file.name: file for file in _libraries(build)}
    for name, file in found.items():
        shutil.copyfile(file, library_folder / name)
    return out


def _libraries(build: Path) -> Iterator[Path]:
    for file in sorted(build.rglob("*")):
        if _LIBRARY.search(file.name) and file.is_file() and "CMakeFiles" not in file.parts:
            yield file
