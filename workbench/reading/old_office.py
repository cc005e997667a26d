"""Office files of before 2007 (doc, xls, ppt): LibreOffice converts them, where the machine has it.

Each conversion has a profile and a folder of its own, with macros and the updating of links switched off, and runs
within limits (``processes.outside_program``). Runs in the reader process only.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path

from workbench.base.errors import UserError
from workbench.base.programs import find_program
from workbench.processes.outside_program import ProgramFailed, run_program
from workbench.reading.content import read_content
from workbench.reading.kinds import CONVERTED
from workbench.reading.reader_calls import ReadLimits
from workbench.records.document_formats import Kind

OFFICE_MEMORY_MB = 1_500
"""LibreOffice alone needs about 300 MB; what the settings allow for a file is added to less than that."""
_MARGIN_S = 1.0
_STREAMS: dict[Kind, tuple[str, ...]] = {
    "doc": ("WordDocument",),
    "xls": ("Workbook", "Book"),
    "ppt": ("PowerPoint Document",),
}
"""The parts that a file of a kind has one of."""
_SETTINGS = (
    ("Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("Office.Writer/Content/Update", "Link", "0"),
    ("Office.Calc/Content/Update", "Link", "1"),
)


def find_libreoffice() -> Path | None:
    return find_program(
        ("soffice", "libreoffice"),
        windows=("LibreOffice/program/soffice.com",),
        macos=("/Applications/LibreOffice.app/Contents/MacOS/soffice",),
    )


def convert(data: bytes, kind: Kind, limits: ReadLimits) -> bytes:
    """The file in the format that Office has used since 2007. ``kind`` is one of ``CONVERTED``. Raises UserError when
    there is no LibreOffice, or it cannot convert the file within the limits."""
    what, ending, _ = CONVERTED[kind]
    if not any(stream.encode("utf-16-le") in data for stream in _STREAMS[kind]):
        # LibreOffice would read it as plain text
        raise UserError(f"The file is not {what}, or a damaged one.", "Open it in the program that made it.")
    program = find_libreoffice()
    if program is None:
        raise UserError(f"This is {what}.", f"Install LibreOffice, or save it as {ending}.")
    with tempfile.TemporaryDirectory(prefix="llm-workbench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        profile = folder / "profile"
        _write_profile(profile)
        given, made = folder / f"document.{kind}", folder / "converted"
        given.write_bytes(data)
        command = [
            str(program), f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", "--nologo",
            "--nolockcheck", "--convert-to", ending[1:], "--outdir", str(made), str(given),
        ]  # fmt: skip
        environment = {"HOME": name, "XDG_RUNTIME_DIR": name, "XDG_CONFIG_HOME": name, "XDG_CACHE_HOME": name}
        deadline = time.monotonic() + limits.seconds - _MARGIN_S

        def run() -> None:
            run_program(
                command, folder=folder, seconds=deadline - time.monotonic(),
                memory_mb=max(limits.memory_mb, OFFICE_MEMORY_MB), environment=environment,
            )  # fmt: skip

        try:
            try:
                run()
            except ProgramFailed:  # with a new profile it starts twice, and the second meets the first's socket
                _remove_socket(profile)
                run()
            return _converted(made / f"document{ending}", limits)
        except ProgramFailed as error:
            raise UserError(
                f"LibreOffice cannot convert the file, which is {what}, or a damaged one.",
                "Open it in the program that made it and save it in the current format.",
            ) from error
        finally:
            _remove_socket(profile)


def _converted(path: Path, limits: ReadLimits) -> bytes:
    if not path.exists():  # LibreOffice ends with 0 all the same
        raise ProgramFailed("LibreOffice", 0, "")
    return read_content(path, limits.largest_file_mb * 1_000_000).data


def _write_profile(profile: Path) -> None:
    items = "".join(
        f'<item oor:path="/org.openoffice.{path}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop>'
        "</item>"
        for path, name, value in _SETTINGS
    )
    space = 'xmlns:oor="http://openoffice.org/2001/registry"'
    user = profile / "user"
    user.mkdir(parents=True)
    whole = f'<?xml version="1.0" encoding="UTF-8"?>\n<oor:items {space}>{items}</oor:items>\n'
    (user / "registrymodifications.xcu").write_text(whole, "utf-8")


def _remove_socket(profile: Path) -> None:
    """The socket in /tmp that it makes and may not remove; its name is that of LibreOffice 4 to 26."""
    if sys.platform == "linux":
        digest = hashlib.md5(profile.as_uri().encode("utf-16-le"), usedforsecurity=False).digest()
        name = "".join(f"{byte:x}" for byte in digest)
        Path(f"/tmp/OSL_PIPE_{os.getuid()}_SingleOfficeIPC_{name}").unlink(missing_ok=True)
