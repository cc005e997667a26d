"""``workbench engine``: the llama.cpp that models are computed with, and newer ones beside it."""

from __future__ import annotations

from typing import Any

from workbench import calls
from workbench.cli.arguments import Commands
from workbench.cli.call_arguments import add_call
from workbench.cli.output import TextOutput, byte_size
from workbench.cli.run_lines import RunLines
from workbench.cli.runs import ran


def add_commands(commands: Commands) -> None:
    group = commands.group("engine", "choose the engine (llama.cpp) that computes models, and install newer ones")
    add_call(group, "list", "list the engines, and say which one is used and why", calls.GetEngines, show)
    add_call(group, "find", "ask the package index which engines there are", calls.FindEngines, show_offers)
    adding = "install an engine from a file or the package index, test it, and use it where it passes"
    add_call(
        group, "add", adding, calls.AddEngine, show_added, do=ran(calls.AddEngine), on_event=RunLines(),
        path="FILE", version="--version VERSION",
    )  # fmt: skip
    using = "use an engine, or bundled: the one that the program came with"
    add_call(group, "use", using, calls.UseEngine, show)
    testing = "test an installed engine again; it is given up where it does not pass"
    add_call(group, "test", testing, calls.TryEngine, show)
    add_call(group, "remove", "remove an engine", calls.RemoveEngine, show)


def show(result: dict[str, Any], output: TextOutput) -> None:
    output.line(result["reason"])
    if not result["engines"]:
        return
    bundled = "in use" if result["used"] == "bundled" else ""
    if not result["bundled_images"]:
        bundled = ", ".join(filter(None, (bundled, "reads no images")))
    rows = [("bundled", result["bundled"], "", bundled)]
    for engine in result["engines"]:
        state = "in use, " if engine["name"] == result["used"] else ""
        rows.append((engine["name"], engine["version"], byte_size(engine["bytes"]), state + describe_test(engine)))
    output.line()
    output.table(("ENGINE", "VERSION", "SIZE", "STATE"), rows, numbers=("SIZE",))


def describe_test(engine: dict[str, Any]) -> str:
    test = engine["test"]
    if test is None:
        return "not tested"
    if engine["outdated"]:
        return "tested with another version of the program, or on another processor"
    if test["problem"]:
        return f"did not pass: {test['problem']}"
    images = {None: "images not tried", "": "reads images"}.get(test["images"], "reads no images")
    return f"passed, {test['speed']:.1f} tokens/s, bundled {test['bundled_speed']:.1f}, {images}"


def show_offers(result: dict[str, Any], output: TextOutput) -> None:
    if not result["engines"]:
        output.line("The package index has no engine for this system.")
        return
    rows = [
        (one["version"], "wheel" if one["wheel"] else "source, to be compiled", byte_size(one["bytes"]))
        for one in result["engines"]
    ]
    output.table(("VERSION", "AS", "SIZE"), rows, numbers=("SIZE",))


def show_added(result: dict[str, Any], output: TextOutput) -> None:
    if result["used"]:
        output.line(f"The engine {result['name']} passed its test and is used from the next loading of a model on.")
    else:
        output.line(f"The engine {result['name']} is installed and not used. {result['test']['problem']}")
