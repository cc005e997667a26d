"""``workbench doctor``, ``runtime`` and ``update``: what computes and why, runtime packs, the packages of training, and
new versions."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Literal

import msgspec

from workbench import calls
from workbench.api.events import Log
from workbench.base.errors import UserError
from workbench.cli.arguments import Commands, absolute
from workbench.cli.call_arguments import add_call
from workbench.cli.output import Number, TextOutput, byte_size, listing
from workbench.cli.run_lines import RunLines
from workbench.cli.runs import run_to_end
from workbench.cli.session import CallFailed, Events, Session
from workbench.records.diagnosis import Diagnosis
from workbench.subjects.machine.checks import local_diagnosis, write_report

TRAINING = "training"
"""The part that ``runtime add`` adds."""


def add_commands(commands: Commands) -> None:
    doctor = commands.command(
        "doctor", "show what this machine has, what was chosen and why, and what is wrong", diagnose, show_diagnosis
    )
    help = "also write a report to attach to a question for help; it holds nothing private"
    doctor.add_argument("--report", metavar="FILE.zip", help=help)
    runtime = commands.group("runtime", "choose what computes the models: the processor, or a runtime pack for a GPU")
    add_call(runtime, "show", "show what computes, and the installed packs", calls.GetRuntime, show)
    add_call(runtime, "install", "install a runtime pack from a file, and try it", calls.InstallPack, show, path="FILE")
    add_call(runtime, "find", "ask which runtime packs are offered for this program", calls.FindPacks, show_offers)
    add_call(runtime, "download", "download a runtime pack that is offered, and try it", calls.DownloadPack, show)
    add_call(runtime, "try", "try an installed pack again, and use it where it is faster", calls.TryPack, show)
    add_call(runtime, "processor", "use the processor only", calls.UseProcessor, show)
    removing = runtime.command("remove", "remove a pack, or the packages of training", remove, show_removed)
    removing.add_argument("name", metavar="NAME", help='the name of a pack, or "training"')
    adding = "install the packages that training needs: from the package index, a folder of wheels or a pack file"
    add = runtime.command("add", adding, add_training, show_training, on_event=RunLines)
    add.add_argument("part", choices=[TRAINING], help="what to add")
    add.add_argument("--from", dest="source", metavar="PATH", default="", help="a folder of wheels, or a pack file")
    computer = add.add_mutually_exclusive_group()
    computer.add_argument("--cpu", action="store_true", help="torch for the processor")
    computer.add_argument("--cuda", action="store_true", help="torch for an NVIDIA GPU, several times as large")
    update = commands.group("update", "look for and download new versions of the program")
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


def add_training(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    source = absolute(arguments.source) if arguments.source else ""
    computer: Literal["auto", "cpu", "cuda"] = "cuda" if arguments.cuda else "cpu" if arguments.cpu else "auto"
    offer = yield from session.call(calls.OfferTrainingPackages(source=source, computer=computer))
    fetched = f"{byte_size(offer.download_bytes)} to download from {offer.host}, and " if offer.download_bytes else ""
    needs = f"{fetched}{byte_size(offer.disk_bytes)} on the disk, of which {byte_size(offer.free_bytes)} are free"
    yield Log(text=f"This takes {needs}.", level="notice")
    stopping = "Stopping. What was downloaded is kept: the same command goes on with it."
    return (yield from run_to_end(session, calls.SetUpTraining(source=source, computer=computer), stopping))


def show_training(result: dict[str, Any], output: TextOutput) -> None:
    versions = ", ".join(f"{name} {result['packages'][name]}" for name in ("torch", "peft", "trl"))
    output.line(f"Training is set up: {versions}, {byte_size(result['bytes'])}, in {result['seconds']:.0f} s.")


def remove(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    if arguments.name != TRAINING:
        left = yield from session.call(calls.RemovePack(name=arguments.name))
        return {"removed": arguments.name, **msgspec.structs.asdict(left)}
    yield from session.call(calls.RemoveTrainingPackages())
    return {"removed": TRAINING}


def show_removed(result: dict[str, Any], output: TextOutput) -> None:
    if result["removed"] == TRAINING:
        output.line("The packages of training were removed. What was trained stays, and answers as before.")
    else:
        show(result, output)


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
