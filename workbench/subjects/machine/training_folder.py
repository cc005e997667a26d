"""The folder of the packages of training: filled from wheels or a pack, tried, and in place whole or not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from workbench import __version__
from workbench.api.protocol import RequestContext
from workbench.base.durability import check_room, flush_folder, flush_to_disk, folder_beside, unfinished_folder
from workbench.base.errors import UserError
from workbench.base.launching import child_environment, python_command
from workbench.base.paths import Home
from workbench.base.training_environment import (
    DESCRIPTION,
    FOLDER_VARIABLE,
    STORED,
    Computer,
    TrainingFolder,
    installed_folder,
    python_tag,
)
from workbench.processes.process import kill_group, kill_tree
from workbench.subjects.machine.packs import read_pack, replaced, unpack_files
from workbench.subjects.machine.wheel_resolution import Choice
from workbench.subjects.machine.wheels import unpack_wheel

_OWNER = "training"
TRIAL_S = 600.0
"""The first import of torch compiles its modules and reads hundreds of megabytes."""

Report = Callable[[str, int, int], None]
"""Receives a stage, how many bytes of it are done, and how many there are."""

Trial = Callable[[Path, RequestContext], None]
"""Raises UserError with the reason where the packages in a folder do not work here."""


def pack_base() -> str:
    """What a pack of the training environment belongs to: its packages were chosen beside those of this version."""
    return f"llm-workbench {__version__}, {python_tag()}"


def recover(home: Home) -> None:
    """Tidy what a killed core left behind: an earlier environment that was being replaced is back in its place."""
    folder = home.training
    aside = folder.with_name(f".replaced-{folder.name}")
    if aside.is_dir() and not folder.exists():
        aside.rename(folder)
    for left in (aside, unfinished_folder(folder, _OWNER)):
        if left.is_dir():
            shutil.rmtree(_removed(folder), ignore_errors=True)
            left.rename(_removed(folder))  # a process that still writes to it, such as a trial, finds it no more
    shutil.rmtree(_removed(folder), ignore_errors=True)


def remove(home: Home) -> None:
    """Raises UserError where there is none, or a file of it is in use."""
    folder, gone = home.training, _removed(home.training)
    if not folder.exists():
        raise UserError("No training environment was set up.", "Packages of the program itself are removed with pip.")
    shutil.rmtree(gone, ignore_errors=True)
    try:
        folder.rename(gone)  # whole or gone, also when this process is killed meanwhile
    except OSError as error:
        raise UserError(
            f"{folder} cannot be removed: {error.strerror or error}.", "Wait for the end of trainings, then try again."
        ) from error
    shutil.rmtree(gone, ignore_errors=True)


def install_wheels(
    home: Home,
    choices: Sequence[tuple[Choice, Path]],
    computer: Computer,
    source: str,
    context: RequestContext,
    report: Report,
    trial: Trial | None = None,
) -> TrainingFolder:
    """Unpack wheels, which lie at the paths, and try to import what they bring (``trial``: in another way, for tests).
    Raises UserError; Cancelled."""
    total = sum(choice.content.bytes for choice, _ in choices)
    done = 0

    def written(count: int) -> None:
        nonlocal done
        done += count
        report("unpacking", done, total)

    def fill(folder: Path) -> TrainingFolder:
        for _, path in choices:
            context.raise_if_cancelled()
            unpack_wheel(path, folder, context, written)
        packages = {choice.wheel.name: str(choice.wheel.version) for choice, _ in choices}
        described = TrainingFolder(
            python=python_tag(), computer=computer, packages=packages, bytes=total, source=source
        )
        STORED.save(folder / DESCRIPTION, described)
        return described

    return _install(home, total, fill, context, report, trial or try_packages)


def install_pack(
    home: Home,
    pack: Path,
    keys: dict[str, bytes],
    context: RequestContext,
    report: Report,
    trial: Trial | None = None,
) -> TrainingFolder:
    """Unpack a signed pack of the training environment. Raises UserError for one that is not signed, damaged, for
    another system, Python or program; Cancelled."""
    manifest = read_pack(pack, keys)
    if manifest.backend != "training":
        raise UserError(f"{pack.name} is no pack of the training environment.", "Install it as a runtime pack.")
    if manifest.base != pack_base():
        raise UserError(
            f"{pack.name} belongs to {manifest.base}; this program is {pack_base()}.", "Get the pack of this version."
        )
    total = sum(file.bytes for file in manifest.files)

    def fill(folder: Path) -> TrainingFolder:
        def written(done: int) -> None:
            context.raise_if_cancelled()
            report("unpacking", done, total)

        unpack_files(pack, keys, folder, written)
        found = installed_folder(folder)
        if not isinstance(found, TrainingFolder):
            reason = found.reason if found is not None else "It does not say what it holds."
            raise UserError(f"{pack.name} is of no use here. {reason}", "Get the pack of this version.")
        return found

    return _install(home, total, fill, context, report, trial or try_packages)


def _install(
    home: Home,
    total: int,
    fill: Callable[[Path], TrainingFolder],
    context: RequestContext,
    report: Report,
    trial: Trial,
) -> TrainingFolder:
    out = home.training
    out.parent.mkdir(parents=True, exist_ok=True)
    check_room(out, total)
    with replaced(out), folder_beside(out, _OWNER) as beside:
        described = fill(beside)
        report("trying", 0, 0)
        trial(beside, context)
        report("writing to the disk", 0, 0)
        _flush(beside)
        context.raise_if_cancelled()
    flush_folder(out.parent)
    return described


def _flush(folder: Path) -> None:
    """Return when all files are on the disk: at once where the system can do that, else one by one."""
    if hasattr(os, "sync"):
        os.sync()
        return
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                flush_to_disk(file)


def _removed(folder: Path) -> Path:
    return folder.with_name(f".removed-{folder.name}")


class _Tried(msgspec.Struct):
    problem: str = ""


def try_packages(folder: Path, context: RequestContext) -> None:
    """Import the packages in a process of its own. Raises UserError with the reason where that fails; Cancelled."""
    context.raise_if_cancelled()
    life, held = os.pipe()  # the process leaves when the end that is held here is closed, whatever closes it
    process = subprocess.Popen(
        python_command("workbench.workers", "--worker", "training-trial"),
        env={**child_environment(), FOLDER_VARIABLE: str(folder), "PYTHONDONTWRITEBYTECODE": ""},
        stdin=life,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=os.name == "posix",
    )
    os.close(life)
    forget = context.when_cancelled(lambda: kill_tree(process))
    try:
        out, err = process.communicate(timeout=TRIAL_S)
    except subprocess.TimeoutExpired as error:
        raise UserError("The packages of training could not be imported in time.", "Try again.") from error
    finally:
        forget()
        kill_tree(process)
        kill_group(process)
        process.communicate()
        os.close(held)
    context.raise_if_cancelled()
    try:
        tried = msgspec.json.decode((out.decode("utf-8", "replace").strip().splitlines() or [""])[-1], type=_Tried)
    except msgspec.DecodeError as error:
        last = err.decode("utf-8", "replace").strip().splitlines()[-1:]
        words = f" Its last words: {last[0][:300]}" if last else ""
        raise UserError(
            f"The process that tried the packages of training ended (exit code {process.returncode}).{words}",
            "Nothing was installed. These packages may be for another system: choose another source.",
        ) from error
    if tried.problem:
        raise UserError(
            f"The packages of training do not work here: {tried.problem}",
            "Nothing was installed. They may be for another system: choose another source.",
        )
