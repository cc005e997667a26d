"""The diagnosis of program and machine that needs no core, and the report: both hold nothing private.

A report names no chat, document, model or folder, no path, and no message of an error, which may quote any of them: of
faults in the logs it has only the places in our own code and the kind of the error.
"""

from __future__ import annotations

import io
import os
import platform
import re
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from workbench import __version__
from workbench.base.durability import written_beside
from workbench.base.installation import Installation, installation
from workbench.base.paths import Home
from workbench.engine.machine import read_machine
from workbench.records.diagnosis import Diagnosis, Fact, Section

LEAST_FREE_DISK = 2_000_000_000
MOST_FAULTS = 200
_INSTALLERS = {
    "deb": "from a .deb package",
    "run": "from a .run file, for one user",
    "windows": "by its Windows installer",
    "macos": "as an app",
    "folder": "as a folder with a Python of its own",
}
_FRAME = re.compile(r'^\s*File "(?:[^"]*[/\\])?((?:workbench|ui)[/\\][\w/\\]+\.py)", line (\d+),? in ([\w<>]+)')
_ERROR = re.compile(r"^((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception|Died|Cancelled|Interrupt|Elsewhere))\b")
_ASSERTION = re.compile(r"(?:[^\s]*[/\\])?([\w.-]+\.(?:c|cpp|cu|h)):(\d+): (GGML_ASSERT|GGML_ABORT|fatal error)")


def local_diagnosis(home: Home) -> Diagnosis:
    """Program, system and hardware, as far as this process knows."""
    tree = installation()
    machine = read_machine(home.root)
    program = (
        Fact("version", __version__),
        Fact("installed", _installed(tree)),
        Fact("Python", f"{platform.python_version()} ({platform.python_implementation()})"),
    )
    system = (
        Fact("system", _system()),
        Fact("C library", " ".join(platform.libc_ver()).strip() or "unknown"),
        Fact("processor", machine.processor),
        Fact("cores", str(machine.cores)),
        Fact("memory", f"{machine.memory_bytes / 1e9:.1f} GB, {machine.memory_free_bytes / 1e9:.1f} GB free"),
        Fact("disk of the data folder", f"{machine.disk_free_bytes / 1e9:.1f} GB free"),
        Fact("display", _display()),
    )
    problems = []
    if machine.disk_free_bytes < LEAST_FREE_DISK:
        problems.append(
            f"The disk of the data folder has only {machine.disk_free_bytes / 1e9:.1f} GB free. Free some space."
        )
    if home.root.exists() and not os.access(home.root, os.W_OK):
        problems.append("The data folder cannot be written. Check its owner and permissions.")
    return Diagnosis(sections=(Section("Program", program), Section("Machine", system)), problems=tuple(problems))


def write_report(out: Path, home: Home, diagnosis: Diagnosis) -> None:
    """Write a zip file to attach to a question for help. Raises UserError when it cannot be written."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("diagnosis.txt", diagnosis.text())
        packed.writestr("versions.txt", "\n".join(sorted(_versions(), key=str.lower)) + "\n")
        packed.writestr("faults.txt", "\n".join(faults(home.logs)) + "\n")
    with written_beside(out) as beside:
        beside.write_bytes(content.getvalue())


def faults(logs: Path) -> list[str]:
    """The faults in a home's logs: by log, the places in our code, the kind of the error, failed assertions."""
    found = []
    for log in sorted(logs.glob("*.log")):
        try:
            text = log.read_text("utf-8", "replace")
        except OSError:
            continue
        lines = list(_places(text))[-MOST_FAULTS:]
        if lines:
            found += [f"{log.name}:", *(f"  {line}" for line in lines)]
    return found


def _places(text: str) -> Iterator[str]:
    in_traceback = False
    for line in text.splitlines():
        if line.startswith("Traceback (most recent call last)"):
            in_traceback = True
        elif frame := _FRAME.match(line):
            yield f"{frame[1].replace(chr(92), '/')}:{frame[2]} {frame[3]}"
        elif assertion := _ASSERTION.search(line):
            yield f"{assertion[3]} {assertion[1]}:{assertion[2]}"
        elif in_traceback and (error := _ERROR.match(line)):
            yield error[1]
            in_traceback = False


def _versions() -> Iterator[str]:
    for distribution in metadata.distributions():
        yield f"{distribution.metadata['Name']} {distribution.version}"


def _installed(tree: Installation | None) -> str:
    if tree is None:
        return "by pip or from a checkout"
    return f"{_INSTALLERS.get(tree.kind, tree.kind)}, for {tree.platform}"


def _system() -> str:
    if sys.platform == "linux":
        try:
            release = platform.freedesktop_os_release()
            return f"{release.get('PRETTY_NAME', 'Linux')}, kernel {platform.release()}, {platform.machine()}"
        except OSError:
            pass
    return f"{platform.system()} {platform.release()} ({platform.version()}), {platform.machine()}"


def _display() -> str:
    if sys.platform != "linux":
        return "of the system"
    session = [
        name for name, variable in (("Wayland", "WAYLAND_DISPLAY"), ("X11", "DISPLAY")) if os.environ.get(variable)
    ]
    return ", ".join(session) or "none (the terminal works without)"
