"""``workbench runs``: work that takes long, running or finished."""

from __future__ import annotations

import argparse
from typing import Any

from workbench.calls import FollowRun, GetRun, ListRuns, ResumeRun, RunRecord, StopRun
from workbench.cli.arguments import Commands
from workbench.cli.output import TextOutput, duration, moment
from workbench.cli.session import Events, Session


def add_commands(commands: Commands) -> None:
    group = commands.group("runs", "work that takes long")
    listing = group.command("list", "runs, the latest first", list_runs, show_runs)
    listing.add_argument("--limit", type=int, default=100, help="how many (default: 100)")
    for name, help, run, show in (
        ("show", "one run", show_one, show_run),
        ("stop", "ask a run to stop; what it did stays done", stop, show_run),
        ("resume", "start a stopped, failed or interrupted run again where it was", resume, show_run),
        ("follow", "watch a run until its end (Ctrl+C leaves it running)", follow_one, show_end),
    ):
        group.command(name, help, run, show).add_argument("id", metavar="ID")


def list_runs(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    listed = yield from session.call(ListRuns(limit=arguments.limit))
    return {"runs": listed.runs}


def show_one(session: Session, arguments: argparse.Namespace) -> Events[RunRecord]:
    return (yield from session.call(GetRun(run=arguments.id)))


def stop(session: Session, arguments: argparse.Namespace) -> Events[RunRecord]:
    return (yield from session.call(StopRun(run=arguments.id)))


def resume(session: Session, arguments: argparse.Namespace) -> Events[RunRecord]:
    return (yield from session.call(ResumeRun(run=arguments.id)))


def follow_one(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    return (yield from follow(session, arguments.id, stop_on_interrupt=False))


def follow(session: Session, run: str, stop_on_interrupt: bool) -> Events[dict[str, Any]]:
    """A run's events until its end; returns its result. Ctrl+C stops the run itself, or only the watching."""
    on_interrupt = (lambda: session.send(StopRun(run=run))) if stop_on_interrupt else None
    return (yield from session.call(FollowRun(run=run), on_interrupt))


def show_runs(result: dict[str, Any], output: TextOutput) -> None:
    if not result["runs"]:
        output.line("There are no runs yet.")
        return
    rows = [
        (r["id"], r["kind"], r["state"], moment(r["created"]), _progress(r), r["title"], r["message"])
        for r in result["runs"]
    ]
    output.table(("ID", "KIND", "STATE", "BEGAN", "PROGRESS", "TITLE", ""), rows, numbers=("PROGRESS",))


def show_run(result: dict[str, Any], output: TextOutput) -> None:
    left = result["seconds_left"]
    output.pairs(
        [
            ("id", result["id"]),
            ("kind", result["kind"]),
            ("title", result["title"]),
            ("state", result["state"]),
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
