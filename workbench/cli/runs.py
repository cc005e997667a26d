"""``workbench runs``: long work, running or finished."""

from __future__ import annotations

import argparse
from collections.abc import Generator
from typing import Any, get_args

from workbench import calls
from workbench.api.events import Event, Log
from workbench.api.protocol import Call
from workbench.cli.arguments import Commands, Run, absolute, one_sentence
from workbench.cli.call_arguments import add_call, call_of
from workbench.cli.output import TextOutput, duration, moment, one_line
from workbench.cli.run_lines import RunLines
from workbench.cli.session import Events, Session, Stopped


def add_commands(commands: Commands) -> None:
    group = commands.group("runs", "list, follow, stop and resume long work, such as reading documents or training")
    add_call(group, "list", "list runs, the latest first", calls.ListRuns, show_runs)
    add_call(group, "show", "show one run", calls.GetRun, show_run, run="ID")
    add_call(group, "stop", "stop a run; finished parts stay", calls.StopRun, show_run, run="ID")
    add_call(group, "pause", "pause a training, an exam or an evaluation", calls.PauseRun, show_run, run="ID")
    resuming = "continue a paused run, or resume a stopped, failed or interrupted one"
    group.command("resume", resuming, resume, show_run, "ID")
    following = "watch a run until its end (Ctrl+C leaves it running)"
    group.command("follow", following, follow_one, show_end, "ID", on_event=RunLines)
    removing = "delete a run that has ended: its events and checkpoints; what it made stays"
    removed = one_sentence(lambda result: f"The run {result['run']} was deleted.")
    group.command("remove", removing, remove, removed, "ID")
    exporting = "write a training as a folder that runs anywhere with transformers and peft"
    exported = one_sentence(lambda result: f"The training is in {result['path']}; its README.md says how to run it.")
    command = group.command("export", exporting, export, exported, "ID")
    command.add_argument("--output", metavar="DIR", required=True, help="a new folder")


def resume(session: Session, arguments: argparse.Namespace) -> Events[calls.RunRecord]:
    resumed = yield from session.call(calls.ResumeRun(run=arguments.id))
    yield Log(text=f"{session.command(f'runs follow {resumed.id}')} watches it.", level="notice")
    return resumed


def remove(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    yield from session.call(calls.RemoveRun(run=arguments.id))
    return {"run": arguments.id}


def export(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    path = yield from session.call(calls.ExportRun(run=arguments.id, path=absolute(arguments.output)))
    return {"run": arguments.id, "path": path}


def follow_one(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    try:
        return (yield from follow(session, arguments.id, stop_on_interrupt=False))
    except Stopped as stopped:
        if session.interrupted and stopped.result is None:
            yield Log(
                text=f"The run continues; {session.command(f'runs stop {arguments.id}')} stops it.", level="notice"
            )
        raise


def follow(session: Session, run: str, stop_on_interrupt: bool, stopping: str = "") -> Events[dict[str, Any]]:
    """A run's events until its end; returns its result. Ctrl+C stops the run itself, which is told in the words
    ``stopping``, or only the watching."""

    def stop() -> Log | None:
        session.send(calls.StopRun(run=run))
        return Log(text=stopping, level="notice") if stopping else None

    return (yield from session.call(calls.FollowRun(run=run), stop if stop_on_interrupt else None))


def run_to_end(session: Session, call: Call[calls.RunRecord], stopping: str = "") -> Events[dict[str, Any]]:
    """Start a run and watch it to its end; returns its id and its result. Ctrl+C stops it. Its cost at endpoints is
    shown before."""
    yield from tell_costs(session, call)
    run = yield from session.call(call)
    return {"run": run.id, **(yield from follow(session, run.id, stop_on_interrupt=True, stopping=stopping))}


def ran(call: type[Call[calls.RunRecord]], stopping: str = "") -> Run:
    """A command that starts the run of a call of its arguments, and watches it to its end."""

    def run(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
        return (yield from run_to_end(session, call_of(call, arguments), stopping))

    return run


def tell_costs(session: Session, call: Call[Any]) -> Generator[Event, None, None]:
    if isinstance(call, get_args(calls.Costly)):
        found = yield from session.call(calls.EstimateCost(of=call))
        for one in found.estimates:
            yield Log(text=one.describe(), level="notice")


def show_runs(result: dict[str, Any], output: TextOutput) -> None:
    if not result["runs"]:
        output.line("There are no runs yet.")
        return
    rows = [
        (
            r["id"],
            r["kind"],
            "paused" if r["paused"] else r["state"],
            moment(r["created"]),
            _progress(r),
            r["title"],
        )
        for r in result["runs"]
    ]
    output.table(("ID", "KIND", "STATE", "BEGAN", "PROGRESS", "TITLE"), rows, numbers=("PROGRESS",))
    for r in result["runs"]:  # in full: a column would be cut
        if r["message"]:
            output.line(f"  {r['id']}: {one_line(r['message'])}")


def show_run(result: dict[str, Any], output: TextOutput) -> None:
    left = result["seconds_left"]
    output.pairs(
        [
            ("id", result["id"]),
            ("kind", result["kind"]),
            ("title", result["title"]),
            ("state", "paused" if result["paused"] else result["state"]),
            ("began", moment(result["created"])),
            ("ended", moment(result["ended"])),
            ("progress", _progress(result)),
            ("stage", result["stage"]),
            ("left", duration(left) if left is not None else ""),
            ("message", result["message"]),
            *((key, value) for key, value in result["result"].items() if not isinstance(value, list | dict)),
        ]
    )


def show_end(result: dict[str, Any], output: TextOutput) -> None:
    output.line("The run has finished.")
    output.pairs([(key, value) for key, value in (result or {}).items() if not isinstance(value, list | dict)])


def _progress(run: dict[str, Any]) -> str:
    return f"{run['progress']:.0%}" if run["progress"] is not None and run["state"] != "finished" else ""
