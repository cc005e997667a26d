"""``workbench data``: training data sets: inspect, build, list and remove them."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from workbench.base.counting import counted
from workbench.cli.arguments import Commands, add_repeated, one_sentence
from workbench.cli.call_arguments import add_call, add_fields, add_removal, call_of
from workbench.cli.models import default_model
from workbench.cli.output import Number, TextOutput, byte_size, listing, when
from workbench.cli.run_lines import RunLines
from workbench.cli.runs import run_to_end
from workbench.cli.session import Events, Session
from workbench.cli.train import read_config
from workbench.methods import METHODS
from workbench.records.training import DEFAULT_OBJECTIVE, DataReport, DataSet
from workbench.subjects.datasets.calls import BuildData, InspectData, ListDataSets, RemoveDataSet

_BAR = 30


def add_commands(commands: Commands) -> None:
    group = commands.group("data", "build and inspect training data")
    objectives = [row.name for row in METHODS.of("objective")]
    inspecting = group.command(
        "inspect",
        "show the examples of a set, and what a model will see of them",
        inspect,
        show_report,
        names={"model": "model"},
    )
    inspecting.add_argument("data", metavar="FILE", help="a file, a folder, or the name of a set")
    inspecting.add_argument("--model", metavar="M", help="the model (default: the default model)")
    inspecting.add_argument("--objective", choices=objectives, default=DEFAULT_OBJECTIVE, help="[%(default)s]")
    add_fields(inspecting, InspectData, ("config",), previews="--previews N 3", first="--first I")
    inspecting.add_argument("--config", metavar="FILE", help="a training config")
    help = "as for `workbench train`, such as data.columns.prompt=title,body data.columns.completion=reply"
    add_repeated(inspecting, "--set", "data.FIELD=VALUE", help, "assignments")
    built = one_sentence(
        lambda made: (
            f"{made['name']}: {counted(made['examples'], 'example')}, {byte_size(made['bytes'])}, {made['path']}"
        )
    )
    names = {"model": "model", "collection": "collection"}
    sources = "build a set from chats or documents"
    add_call(
        group, "build", sources, BuildData, built, do=build, on_event=RunLines, names=names, source="--from",
        collection="--collection C", chats="--chat ID", model="--model M",
    )  # fmt: skip
    add_call(group, "list", "list the sets of the home folder", ListDataSets, show_list)
    add_removal(group, "delete a set of the home folder", RemoveDataSet, "NAME")


def inspect(session: Session, arguments: argparse.Namespace) -> Events[DataReport]:
    config = yield from read_config(session, arguments, arguments.objective)
    return (yield from session.call(call_of(InspectData, arguments, config=config)))


def build(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    if arguments.source != "chats" and not arguments.collection:
        arguments.parser.error(f"--from {arguments.source} needs --collection")
    if arguments.source == "pairs" and not arguments.model:
        arguments.model = yield from default_model(session, "make pairs")
    done = yield from run_to_end(session, call_of(BuildData, arguments))
    return {"run": done["run"], **msgspec.to_builtins(msgspec.convert(done, DataSet))}


def show_report(result: dict[str, Any], output: TextOutput) -> None:
    if result["shape"] == "unknown":
        output.line(f"The format of the examples is unclear. {result['why']}")
        output.pairs([("columns", ", ".join(result["columns"]))])
        output.line(
            "Map columns to roles: --set data.columns.ROLE=COLUMN. "
            + ", or ".join(" and ".join(roles) for roles in result["role_sets"])
        )
        return
    output.pairs(
        [
            ("shape", result["shape"]),
            ("why", result["why"]),
            ("columns", ", ".join(result["columns"])),
            ("left out", ", ".join(result["left_out"])),
            (
                "overlap",
                f"{result['overlap']:,} evaluation examples are also training examples" if result["overlap"] else "",
            ),
        ]
    )
    sides = [(name, result[name]) for name in ("train", "evaluation")]
    headers = ("", "EXAMPLES", "TOKENS", "TRAINED", "SHORTEST", "MEDIAN", "LONGEST", "CUT", "DOUBLE", "EMPTY")
    keys = ("examples", "tokens", "trained_tokens", "shortest", "median", "longest", "truncated", "duplicates", "empty")
    output.table(headers, [(name, *(f"{side[key]:,}" for key in keys)) for name, side in sides], numbers=headers[1:])
    most = max((one["count"] for one in result["train"]["lengths"]), default=0)
    for one in result["train"]["lengths"]:
        bar = "#" * round(_BAR * one["count"] / most)
        output.line(f"{one['low']:>7,} to {one['high'] - 1:<7,} {bar} {one['count']:,}")
    for line in (*result["refused"], *result["notes"]):
        output.line(f"  {line}")
    for preview in result["previews"]:
        output.line()
        output.line(
            f"{preview['source']} ({preview['side']}): {preview['tokens']:,} of {preview['whole_tokens']:,} "
            f"tokens, {preview['trained_tokens']:,} trained, in [[ ]]"
        )
        output.line("".join(f"[[{p['text']}]]" if p["trained"] else p["text"] for p in preview["pieces"]))


show_list = listing(
    "sets",
    "There are no sets yet. `workbench data build` makes one; `workbench train` also takes plain files.",
    {
        "NAME": "name",
        "EXAMPLES": Number("examples"),
        "SIZE": Number("bytes", byte_size),
        "MADE": when("created"),
        "FROM": lambda one: one["origin"] or one["unreadable"],
    },
)
