"""``workbench settings``, ``status``, ``restart`` and ``machine``."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.base.fields import describe_range, fields_of, parse_value
from workbench.base.settings import SECTIONS
from workbench.cli.arguments import Commands, one_sentence
from workbench.cli.call_arguments import add_call
from workbench.cli.output import TextOutput, byte_size
from workbench.cli.session import Events, Session
from workbench.subjects.machine.calls import ChangeSettings, GetMachine, GetSettings, RestartWorker
from workbench.subjects.runs.calls import GetStatus


def add_commands(commands: Commands) -> None:
    group = commands.group("settings", "show and change the settings of the program")
    add_call(group, "list", "list all settings", GetSettings, show_settings)
    value = one_sentence(lambda result: _shown(result["value"]))
    group.command("get", "show one setting", get, value).add_argument("name", metavar="SECTION.NAME")
    changing = group.command("set", "change a setting", change, value)
    changing.add_argument("name", metavar="SECTION.NAME")
    changing.add_argument("value", metavar="VALUE")
    add_call(commands, "status", "show what the program is doing", GetStatus, show_status)
    add_call(commands, "restart", "restart a worker", RestartWorker, show_status)
    add_call(commands, "machine", "show processor, memory and GPUs of this machine", GetMachine, show_machine)


def get(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    section, field = _split(arguments.name)
    settings = yield from session.call(GetSettings())
    return {"name": arguments.name, "value": getattr(getattr(settings, section), field)}


def change(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    section, field = _split(arguments.name)
    value = parse_value(SECTIONS[section], field, arguments.value)
    settings = yield from session.call(ChangeSettings(values={section: {field: value}}))
    return {"name": arguments.name, "value": getattr(getattr(settings, section), field)}


def _split(name: str) -> tuple[str, str]:
    section, _, field = name.partition(".")
    if section in SECTIONS and field in [f.name for f in fields_of(SECTIONS[section])]:
        return section, field
    known = [f"{s}.{f.name}" for s, config in SECTIONS.items() for f in fields_of(config)]
    raise UserError(f"There is no setting {name!r}.", f"The settings are {', '.join(known)}.")


def show_settings(result: dict[str, Any], output: TextOutput) -> None:
    for section, config in SECTIONS.items():
        for field in fields_of(config):
            value = result[section][field.name]
            changed = "" if value == msgspec.to_builtins(field.default) else f" (default {_shown(field.default)})"
            unit = f" {field.unit}" if field.unit else ""
            output.line(f"{section}.{field.name} = {_shown(value)}{unit}{changed}")
            output.line(f"    {field.typed_help} {describe_range(field)}".rstrip())
    for problem in result["problems"]:
        output.line(problem)


def show_status(result: dict[str, Any], output: TextOutput) -> None:
    context = f" ({result['context_tokens']:,} tokens of context)" if result["context_tokens"] else ""
    output.pairs(
        [
            ("home", result["home"]),
            ("version", result["version"]),
            ("model", (result["model"] or "none loaded") + context),
            ("device", result["device"]),
            ("memory", byte_size(result["memory_bytes"]) if result["memory_bytes"] else ""),
        ]
    )
    for worker in result["workers"]:
        memory = f", {byte_size(worker['memory_bytes'])}" if worker["memory_bytes"] else ""
        detail = f": {worker['detail']}" if worker["detail"] else ""
        output.line(f"{worker['name']} worker {worker['state']}{memory}{detail}")
    for run in result["runs"]:
        share = f" {run['progress']:.0%}" if run["progress"] is not None else ""
        output.line(f"run {run['id']} {run['state']}{share}: {run['title']}")


def show_machine(result: dict[str, Any], output: TextOutput) -> None:
    output.pairs(
        [
            ("processor", result["processor"]),
            ("cores", result["cores"]),
            ("memory", f"{byte_size(result['memory_bytes'])}, {byte_size(result['memory_free_bytes'])} free"),
            ("disk", f"{byte_size(result['disk_free_bytes'])} free"),
        ]
    )
    for device in result["devices"]:
        memory = f", {byte_size(device['memory_bytes'])}" if device["memory_bytes"] else ""
        output.line(f"{device['kind']} {device['name']}: {device['description']}{memory}")


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
