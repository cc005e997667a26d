"""``workbench adapters``: trained, merged and imported adapters."""

from __future__ import annotations

import argparse
from typing import Any, get_args

import msgspec

from workbench.api.events import Log
from workbench.base.errors import UserError
from workbench.cli.arguments import REMOVED, Commands, absolute, one_call, one_sentence
from workbench.cli.models import show_made
from workbench.cli.output import TextOutput, byte_size, duration, moment
from workbench.cli.run_lines import RunLines, show_scores, show_verification
from workbench.cli.runs import run_to_end
from workbench.cli.session import Events, Session
from workbench.records.training import AdapterRecord, MergedType
from workbench.subjects.adapters.calls import (
    ExportAdapter,
    ImportAdapter,
    ListAdapters,
    MergeAdapter,
    RemoveAdapter,
    RenameAdapter,
)

FINER = ("Q5", "Q6", "Q8", "F", "BF")
IN_FOUR_BITS = (
    "A merge in 4 bits erases a small adapter. The result is verified, and deleted if it lost the training; "
    "--type Q8_0 or F16 without --quantization keeps it."
)


NAMES = {"name": "adapter"}


def add_commands(commands: Commands) -> None:
    group = commands.group("adapters", "trained, merged and imported adapters")
    listing = group.command("list", "list adapters, the latest first", list_all, show_list, names={"model": "model"})
    listing.add_argument("--model", metavar="M", default="", help="only those that fit this model")
    group.command("show", "show one: its origin, its scores, its verification", show, show_one, "NAME", names=NAMES)
    imported = one_call(lambda a: ImportAdapter(path=absolute(a.path), model=a.model, name=a.name))
    importing = group.command(
        "import", "import a GGUF LoRA or a PEFT folder", imported, show_one, names={"model": "model"}
    )
    importing.add_argument("path", metavar="PATH", help="a .gguf file, or a folder saved by PEFT")
    importing.add_argument("--model", metavar="M", default="", help="its base model; a PEFT folder needs it")
    importing.add_argument("--name", metavar="N", default="", help="its name (default: chosen)")
    merging = group.command(
        "merge",
        "merge an adapter into its base model, as a new model",
        merge,
        show_merged,
        "NAME",
        on_event=RunLines(),
        names={**NAMES, "model": "model"},
    )
    merging.add_argument("--model", metavar="M", default="", help="the base model (default: the one it was trained on)")
    merging.add_argument("--name", dest="new", metavar="N", default="", help="the name of the model")
    merging.add_argument(
        "--type",
        choices=get_args(MergedType),
        default="Q8_0",
        help="format of the changed tensors [%(default)s]; same is that of the base, and a merge in 4 bits erases a "
        "small adapter: its change is smaller than the steps between 4-bit numbers",
    )
    merging.add_argument("--strength", type=float, default=1.0, help="adapter strength [%(default)s]")
    merging.add_argument(
        "--quantization",
        metavar="Q",
        default="",
        help="quantise the whole model afterwards; 4 bits may lose the training",
    )
    exported = one_sentence(lambda result: f"{result['adapter']} is in {result['path']}.")
    carding = "write an adapter to a new folder, with a model card"
    exporting = group.command("export", carding, export, exported, "NAME", on_event=RunLines(), names=NAMES)
    exporting.add_argument("--output", metavar="DIR", required=True, help="a new folder")
    exporting.add_argument("--form", choices=("peft", "gguf", "merged"), default="gguf", help="[%(default)s]")
    renaming = one_call(lambda a: RenameAdapter(adapter=a.name, name=a.new))
    group.command("rename", "rename an adapter", renaming, show_one, "NAME", "NEW", names=NAMES)
    group.command("remove", "delete it; a merged model stays in the catalogue", remove, REMOVED, "NAME")


def list_all(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    listed = yield from session.call(ListAdapters(model=arguments.model))
    return {"adapters": listed.adapters}


def show(session: Session, arguments: argparse.Namespace) -> Events[AdapterRecord]:
    listed = yield from session.call(ListAdapters())
    found = next((one for one in listed.adapters if one.name == arguments.name), None)
    if found is None:
        known = ", ".join(one.name for one in listed.adapters[:20])
        raise UserError(
            f"There is no adapter {arguments.name}.",
            f"The adapters are {known}." if known else "Train one with `workbench train`, or import one.",
        )
    return found


def merge(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    call = MergeAdapter(
        adapter=arguments.name,
        model=arguments.model,
        name=arguments.new,
        type=arguments.type,
        scale=arguments.strength,
        quantization=arguments.quantization,
    )
    if call.type == "same" or (call.quantization and not call.quantization.startswith(FINER)):
        yield Log(text=IN_FOUR_BITS, level="notice")
    return (yield from run_to_end(session, call))


def export(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    call = ExportAdapter(adapter=arguments.name, path=absolute(arguments.output), form=arguments.form)
    return (yield from run_to_end(session, call))


def remove(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    left = yield from session.call(RemoveAdapter(adapter=arguments.name))
    return {"removed": arguments.name, "adapters": left.adapters}


def show_list(result: dict[str, Any], output: TextOutput) -> None:
    if not result["adapters"]:
        output.line("There are no adapters yet. `workbench train` makes one.")
        return
    rows = [
        (
            one["name"],
            one["kind"],
            one["state"],
            one["base"],
            (one["config"] or {"weights": {"method": one["origin"]}})["weights"]["method"],
            _learnt(one),
            byte_size(one["bytes"]) if one["bytes"] else "",
            moment(one["created"]),
        )
        for one in result["adapters"]
    ]
    output.table(("NAME", "KIND", "STATE", "BASE", "METHOD", "LOSS", "SIZE", "MADE"), rows, numbers=("LOSS", "SIZE"))


def show_one(result: dict[str, Any], output: TextOutput) -> None:
    config = result["config"]
    output.pairs(
        [
            ("name", result["name"]),
            ("kind", result["kind"]),
            ("state", result["state"]),
            ("base", result["base"]),
            ("architecture", result["architecture"]),
            ("model", result["model"]),
            ("file", result["file"]),
            ("size", byte_size(result["bytes"]) if result["bytes"] else ""),
            ("licence", result["licence"] or "not stated"),
            ("origin", result["origin"]),
            ("made", moment(result["created"])),
            ("run", result["run"]),
            ("method", config["weights"]["method"] if config else ""),
            ("data", result["data"]),
            ("examples", f"{result['examples']:,}" if result["examples"] else ""),
            ("steps", f"{result['steps']:,}" if result["steps"] else ""),
            ("took", duration(result["seconds"]) if result["seconds"] else ""),
            ("note", result["note"]),
        ]
    )
    show_scores(result, output)
    if result["verification"] is not None:
        show_verification(result["verification"], output)


def show_merged(result: dict[str, Any], output: TextOutput) -> None:
    show_made(result, output)
    if result.get("verification"):
        show_verification(msgspec.to_builtins(result["verification"]), output)


def _learnt(one: dict[str, Any]) -> str:
    before, after = one["scores"]["before"], one["scores"]["after"]
    return f"{before['loss']:.2f} > {after['loss']:.2f}" if before and after else ""
