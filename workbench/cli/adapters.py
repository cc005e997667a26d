"""``workbench adapters``: trained, merged and imported adapters."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from workbench.api.events import Log
from workbench.base.errors import UserError
from workbench.cli.arguments import Commands, one_sentence
from workbench.cli.call_arguments import add_call, add_removal, call_of
from workbench.cli.models import show_made
from workbench.cli.output import Number, TextOutput, byte_size, duration, listing, moment, when
from workbench.cli.run_lines import RunLines, show_scores, show_verification
from workbench.cli.runs import ran, run_to_end
from workbench.cli.session import Events, Session
from workbench.records.training import AdapterRecord
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


NAMES, ADAPTER = {"name": "adapter"}, {"adapter": "adapter"}


def add_commands(commands: Commands) -> None:
    group = commands.group("adapters", "list, merge, import and export adapters")
    which = "list adapters, the latest first"
    add_call(group, "list", which, ListAdapters, show_list, names={"model": "model"}, model="--model M")
    group.command("show", "show one: its origin, its scores, its verification", show, show_one, "NAME", names=NAMES)
    importing = "import a GGUF LoRA or a PEFT folder"
    add_call(group, "import", importing, ImportAdapter, show_one, names={"model": "model"}, name="--name N")
    merging, models = "merge an adapter into its base model, as a new model", {"adapter": "adapter", "model": "model"}
    add_call(
        group, "merge", merging, MergeAdapter, show_merged, do=merge, on_event=RunLines, names=models,
        adapter="NAME", name="--name N", scale="--strength S", quantization="--quantization Q",
    )  # fmt: skip
    exported = one_sentence(lambda result: f"{result['adapter']} is in {result['path']}.")
    carding = "write an adapter to a new folder, with a model card"
    add_call(
        group, "export", carding, ExportAdapter, exported, do=ran(ExportAdapter), on_event=RunLines, names=ADAPTER,
        adapter="NAME", path="--output DIR",
    )  # fmt: skip
    add_call(group, "rename", "rename an adapter", RenameAdapter, show_one, names=ADAPTER, adapter="NAME", name="NEW")
    add_removal(group, "move it to the trash; a merged model stays in the catalogue", RemoveAdapter, "NAME")


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
    call = call_of(MergeAdapter, arguments)
    if call.type == "same" or (call.quantization and not call.quantization.startswith(FINER)):
        yield Log(text=IN_FOUR_BITS, level="notice")
    return (yield from run_to_end(session, call))


def _learnt(one: dict[str, Any]) -> str:
    before, after = one["scores"]["before"], one["scores"]["after"]
    return f"{before['loss']:.2f} > {after['loss']:.2f}" if before and after else ""


show_list = listing(
    "adapters",
    "There are no adapters yet. `workbench train` makes one.",
    {
        "NAME": "name",
        "KIND": "kind",
        "STATE": "state",
        "BASE": "base",
        "METHOD": lambda one: one["config"]["weights"]["method"] if one["config"] else one["origin"],
        "LOSS": Number(_learnt, str),
        "SIZE": Number("bytes", byte_size, blank=True),
        "MADE": when("created"),
    },
)


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
