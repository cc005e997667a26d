"""``workbench backup`` and ``restore``: the whole home in one file, and a home from one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from workbench.api.ownership import HomeLock, read_owner
from workbench.api.protocol import RequestContext, with_progress
from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.cli.arguments import Commands, absolute
from workbench.cli.call_arguments import add_call
from workbench.cli.output import TextOutput, byte_size, moment
from workbench.cli.runs import ran
from workbench.cli.session import Events, Session
from workbench.records.backup import BackupSummary, Restored
from workbench.subjects.backup.calls import BackUp


def add_commands(commands: Commands) -> None:
    help = "write everything in the data folder to one file, also while the program is in use"
    add_call(commands, "backup", help, BackUp, show_written, do=ran(BackUp), path="FILE")
    help = "make a data folder from a backup: the one of --home, which must be new or empty"
    restoring = commands.command("restore", help, restore_here, show_restored, "FILE")
    help = "put it in the place of the present data folder, which is kept beside it"
    how = restoring.add_mutually_exclusive_group()
    how.add_argument("--replace", action="store_true", help=help)
    how.add_argument("--inspect", action="store_true", help="only show what the backup holds, and what it does not")


def show_written(result: dict[str, Any], output: TextOutput) -> None:
    summary = result["summary"]
    output.line(f"{result['path']} holds {counted(summary['files'], 'file')}, {byte_size(summary['bytes'])}.")
    show_missing(summary, output)


def restore_here(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    """Without a core: the folder that is restored has none yet."""
    from workbench.subjects.backup.restoring import open_backup, put_in_place, restore, restored_beside

    if arguments.inspect:
        with open_backup(Path(absolute(arguments.file))) as backup:
            return {"path": str(backup.path), "summary": msgspec.to_builtins(backup.manifest.summary)}
    home = Home(session.home.root.resolve())
    context = RequestContext()
    there = home.root.exists() and (not home.root.is_dir() or any(home.root.iterdir()))
    if there and not arguments.replace:
        raise UserError(
            f"{home.root} is not empty, and nothing there is overwritten.",
            "Name a new folder with --home DIR, or put the backup in its place with --replace: what is there is kept "
            "beside it.",
        )
    lock = _locked(home) if there else None
    try:
        with open_backup(Path(absolute(arguments.file))) as backup:
            place = restored_beside(home) if there else home.root
            made = yield from with_progress(lambda report: restore(backup, place, context, report), context.cancel)
        if lock is not None:
            kept = put_in_place(place, home.root, lock)
            made = msgspec.structs.replace(made, home=str(home.root), kept=str(kept))
    finally:
        if lock is not None:
            lock.release()
    plain: dict[str, Any] = msgspec.to_builtins(made, order=None)
    return plain


def _locked(home: Home) -> HomeLock:
    if not home.database.exists():
        raise UserError(f"{home.root} is no data folder, and is not replaced.", "Name a new folder with --home DIR.")
    lock = HomeLock.acquire(home)
    if lock is None:
        owner = read_owner(home)
        by = f" by process {owner.pid}" if owner is not None else ""
        raise UserError(
            f"{home.root} is in use{by}.",
            "Close its windows and wait for its running work; it is free half a minute later.",
        )
    return lock


def show_restored(result: dict[str, Any], output: TextOutput) -> None:
    if "home" not in result:
        show_inspected(result, output)
        return
    made = msgspec.convert(result, Restored)
    held = f"{counted(made.summary.files, 'file')}, {byte_size(made.summary.bytes)}"
    output.line(f"{made.home} holds the backup of {moment(made.summary.created)}: {held}.")
    if made.kept:
        output.line(f"What was there before is in {made.kept}.")
    for folder in made.unwatched:
        output.line(f"{folder} is watched no longer: its documents are not here. What was read from them is kept.")
    show_missing(result["summary"], output)


def show_inspected(result: dict[str, Any], output: TextOutput) -> None:
    summary = msgspec.convert(result["summary"], BackupSummary)
    output.line(f"{result['path']} is a backup of {moment(summary.created)} by version {summary.version}.")
    output.line(f"It holds {counted(summary.files, 'file')} of {summary.home}, {byte_size(summary.bytes)}.")
    show_missing(result["summary"], output)


def show_missing(summary: dict[str, Any], output: TextOutput) -> None:
    """What the backup does not hold."""
    for one in summary["left_out"]:
        size = f" ({byte_size(one['bytes'])})" if one["bytes"] else ""
        output.line(f"Not in it: {one['name']}{size}. {one['reason']}")
    for one in summary["elsewhere"]:
        output.line(f"Not in it: the files of the model {one['name']}, which are in {one['path']}.")
