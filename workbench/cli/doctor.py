"""``workbench doctor``, ``runtime`` and ``update``: what computes and why, runtime packs, and new versions."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from workbench import calls
from workbench.api.events import Log
from workbench.base.errors import UserError
from workbench.cli.arguments import Commands, absolute
from workbench.cli.call_arguments import add_call
from workbench.cli.output import Number, TextOutput, byte_size, listing
from workbench.cli.session import CallFailed, Events, Session
from workbench.records.diagnosis import Diagnosis
from workbench.subjects.machine.checks import local_diagnosis, write_report


def add_commands(commands: Commands) -> None:
    doctor = commands.command(
        "doctor", "show what this machine has, what was chosen and why, and what is wrong", diagnose, show_diagnosis
    )
    help = "also write a report to attach to a question for help; it holds nothing private"
    doctor.add_argument("--report", metavar="FILE.zip", help=help)
    runtime = commands.group("runtime", "what computes the models: the processor, or a runtime pack for a GPU")
    add_call(runtime, "show", "show what computes, and the installed packs", calls.GetRuntime, show)
    add_call(runtime, "install", "install a runtime pack from a file, and try it", calls.InstallPack, show, path="FILE")
    add_call(runtime, "find", "ask which runtime packs are offered for this program", calls.FindPacks, show_offers)
    add_call(runtime, "download", "download a runtime pack that is offered, and try it", calls.DownloadPack, show)
    add_call(runtime, "try", "try an installed pack again, and use it where it is faster", calls.TryPack, show)
    add_call(runtime, "processor", "use the processor only", calls.UseProcessor, show)
    add_call(runtime, "remove", "remove a pack", calls.RemovePack, show)
    update = commands.group("update", "new versions of the program")
    add_call(update, "check", "ask whether there is a newer version", calls.CheckUpdate, show_update)
    loading = "download the installer of the newer version, and verify it"
    add_call(update, "download", loading, calls.DownloadUpdate, show_update)


def diagnose(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    """Also where the core cannot be started: then only what this process can tell."""
    try:
        found = yield from session.call(calls.Diagnose())
    except (UserError, CallFailed) as error:
        reason = str(error)
        core = Diagnosis(problems=(f"The core of this data folder cannot be asked: {reason}",))
        found = local_diagnosis(session.home) + core
    report = ""
    if arguments.report:
        report = absolute(arguments.report)
        yield Log(text="Writing the report…")
        write_report(Path(report), session.home, found)
    plain: dict[str, Any] = msgspec.to_builtins(found)
    return {**plain, "report": report}


def show_diagnosis(result: dict[str, Any], output: TextOutput) -> None:
    found = msgspec.convert({name: result[name] for name in ("sections", "problems")}, Diagnosis)
    for line in found.text().splitlines():
        output.line(line)
    if result["report"]:
        output.line()
        output.line(f"The report is {result['report']}. Read it before you send it.")


def show(result: dict[str, Any], output: TextOutput) -> None:
    choice = result["choice"]
    output.line(choice["reason"])
    if choice["torch_reason"]:
        output.line(choice["torch_reason"])
    rows = []
    for pack in result["packs"]:
        trial = choice["trials"].get(pack["name"])
        if pack["name"] in (choice["pack"], choice["torch"]):
            state = "in use"
        else:
            state = "not tried" if trial is None else trial["problem"] or "works"
        rows.append((pack["name"], pack["backend"], pack["base"], state))
    if rows:
        output.line()
        output.table(("PACK", "BACKEND", "FOR", "STATE"), rows)


show_offers = listing(
    "packs",
    "No runtime pack is offered for this program on this system.",
    {"PACK": "name", "BACKEND": "backend", "SIZE": Number("bytes", byte_size)},
)


def show_update(result: dict[str, Any], output: TextOutput) -> None:
    if not result["newer"]:
        output.line(f"This is the latest version, {result['current']}.")
        return
    output.line(f"Version {result['version']} of {result['published']} is there; this is {result['current']}.")
    if result["notes"]:
        output.line(result["notes"])
    if result["path"]:
        output.line(f"It was downloaded to {result['path']} and verified. {result['how']}")
    elif result["file"]:
        output.line(f"{result['file']}, {byte_size(result['bytes'])}: get it with workbench update download.")
    else:
        output.line("It has no installer for this system.")
