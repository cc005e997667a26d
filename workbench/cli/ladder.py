"""``workbench ladder``: which way of adapting pays for a question set."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from workbench.cli.arguments import Commands, absolute, add_repeated, at_least, one_sentence
from workbench.cli.call_arguments import add_call, add_fields, add_removal, call_of
from workbench.cli.evaluation import recipe_named
from workbench.cli.output import Number, TextOutput, duration, listing, when
from workbench.cli.questions import SETS
from workbench.cli.runs import run_to_end
from workbench.cli.session import Events, Session
from workbench.records.ladder import LadderPlan, LadderReport, RungReport, TaskKind
from workbench.records.recipes import Recipe
from workbench.subjects.ladder.calls import (
    ExportLadder,
    ExtendLadder,
    GetLadder,
    ListLadders,
    PlanLadder,
    RemoveLadder,
    StartLadder,
)

_FORMS: dict[str, Literal["csv", "markdown", "latex", "html", "recipes"]] = {
    ".csv": "csv", ".md": "markdown", ".tex": "latex", ".html": "html"
}  # fmt: skip
_STOPPING = "Stopping; finished answers and trainings are kept."


def add_commands(commands: Commands) -> None:
    starting = commands.command(
        "ladder",
        "answer a question set by each technique, and see which one pays",
        climb,
        show,
        names=SETS,
        epilog="Ctrl+C stops; `workbench runs resume RUN` goes on.",
    )
    starting.add_argument("--recipe", metavar="R", default="", help="the recipe to start from, a prompt or a model")
    starting.add_argument(
        "--task", choices=get_args(TaskKind), default=None, help="what the questions ask for (default: recognised)"
    )
    help = "the techniques to measure, by their names (default: the proposed ones)"
    add_repeated(starting, "--rungs", "NAME,...", help, "rungs")
    starting.add_argument(
        "--plan", action="store_true", help="show the techniques and the time that they will take; start nothing"
    )
    add_fields(starting, StartLadder, ("recipe", "rungs", "scorer", "task"), question_set="SET")
    group = commands.group("ladders", "show and extend what was measured with `workbench ladder`")
    add_call(group, "list", "list ladders, the latest first", ListLadders, show_list)
    add_call(group, "show", "a ladder with its results so far", GetLadder, show_report, ladder="ID")
    extending = group.command("extend", "measure further techniques of a ladder", extend, show_report, "ID")
    add_repeated(
        extending,
        "--rungs",
        "NAME,...",
        "the techniques to measure, by their names; all of them are measured to the end",
        "rungs",
    )
    minutes = "minutes more, where there is a limit"
    extending.add_argument("--minutes", metavar="N", type=at_least(0, kind=float), default=0.0, help=minutes)
    exported = one_sentence(lambda result: f"The ladder is in {result['path']}.")
    writing = "write the table, a page with the chart, or the recipes"
    export = group.command("export", writing, export_one, exported, "ID")
    export.add_argument(
        "--output", metavar="FILE", required=True, help="a .html, .csv, .md or .tex file; a new folder for recipes"
    )
    add_removal(group, "delete a ladder", RemoveLadder, "ID")


def climb(session: Session, arguments: argparse.Namespace) -> Events[LadderPlan | LadderReport]:
    recipe = (yield from recipe_named(session, arguments.recipe)) if arguments.recipe else Recipe()
    asked = PlanLadder(
        question_set=arguments.question_set, recipe=recipe, collection=arguments.collection, task=arguments.task,
        measure=True,
    )  # fmt: skip
    plan = yield from session.call(asked)  # what was measured for it counts for the ladder as well
    if arguments.plan:
        return plan
    call = call_of(StartLadder, arguments, recipe=recipe, task=arguments.task, rungs=_rungs(arguments), scorer=None)
    done = yield from run_to_end(session, call, _STOPPING)
    return (yield from session.call(GetLadder(ladder=done["ladder"])))


def extend(session: Session, arguments: argparse.Namespace) -> Events[LadderReport]:
    call = ExtendLadder(ladder=arguments.id, rungs=_rungs(arguments), minutes=arguments.minutes)
    done = yield from run_to_end(session, call, _STOPPING)
    return (yield from session.call(GetLadder(ladder=done["ladder"])))


def export_one(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    form = _FORMS.get(Path(arguments.output).suffix.lower(), "recipes")
    call = ExportLadder(ladder=arguments.id, path=absolute(arguments.output), form=form)
    return {"path": (yield from session.call(call))}


def _rungs(arguments: argparse.Namespace) -> tuple[str, ...]:
    return tuple(name.strip() for text in arguments.rungs for name in text.split(",") if name.strip())


# -- output --------------------------------------------------------------------------------------------


def show(result: dict[str, Any], output: TextOutput) -> None:
    show_report(result, output) if "ladder" in result else show_plan(result, output)


def show_plan(result: dict[str, Any], output: TextOutput) -> None:
    found = msgspec.convert(result, LadderPlan)
    output.pairs(
        [
            ("set", f"{found.set_name}, {found.tune:,} tuning and {found.held_out:,} held-out questions"),
            ("task", found.task),
            ("scorer", found.scorer.name),
            ("documents", found.collection),
        ]
    )
    for note in found.notes:
        output.line(f"NOTE: {note}")
    output.line()
    rows = []
    for one in found.rungs:
        took = one.estimate
        rows.append(
            (
                one.name,
                "yes" if one.proposed else "" if not one.missing else "-",
                duration(took.preparing_s) if took.preparing_s else "",
                duration(took.racing_s + took.answering_s),
                f"{took.tokens:,}",
                f"{took.memory_bytes / 1e9:.1f} GB" if took.memory_bytes else "",
            )
        )
    output.table(("RUNG", "PROPOSED", "PREPARING", "ANSWERS", "TOKENS", "MEMORY"), rows, numbers=("TOKENS",))
    output.line()
    output.wrapped([(one.name, one.missing or one.remark or one.sentence) for one in found.rungs])


def show_report(result: dict[str, Any], output: TextOutput) -> None:
    report = msgspec.convert(result, LadderReport)
    output.pairs(
        [
            ("ladder", report.ladder.id),
            ("set", f"{report.ladder.set_name}, {report.ladder.task}"),
            ("questions", f"{report.held_out:,} held out, {report.tune:,} to learn from"),
            ("state", f"{report.state}, {duration(report.spent_s)} so far"),
        ]
    )
    output.line()
    output.line(report.sentence)
    output.line()
    headers = ("RUNG", "RIGHT", "INTERVAL", "AGAINST AS IT IS", "PREPARING", "ANSWER", "TOKENS", "")
    output.table(headers, [_row(one, report.unit) for one in report.rungs], numbers=("RIGHT", "TOKENS"))
    reasons = [(one.offer.name, one.reason) for one in report.rungs if one.reason and one.score is None]
    if reasons:
        output.line()
        output.wrapped(reasons)
    for note in report.notes:
        output.line(f"NOTE: {note}")


def _row(one: RungReport, unit: str) -> tuple[str, ...]:
    score, cost = one.score, one.cost
    if score is None:
        return (one.offer.name, "", "", "", "", "", "", one.state)
    scale = 1.0 if unit else 100.0
    against = ""
    if one.difference is not None:
        apart, low, high = (scale * x for x in (one.difference.value, one.difference.low, one.difference.high))
        against = f"{apart:+.0f} {unit or 'points'} ({low:.0f} to {high:.0f})"
    return (
        one.offer.name,
        f"{scale * score.value:.0f}",
        f"{scale * score.low:.0f} to {scale * score.high:.0f}",
        against,
        duration(cost.preparing_s) if cost.preparing_s else "",
        f"{cost.answer_s:.2f} s",
        f"{cost.answer_tokens:,.0f}" + (f" ({cost.answer_price:.2g} to pay)" if cost.answer_price else ""),
        " · ".join(filter(None, (one.standing, "frontier" if one.frontier else "", "LEAK" if one.leak else ""))),
    )


show_list = listing(
    "ladders",
    "There are no ladders yet. `workbench ladder start SET` makes one.",
    {
        "ID": "id",
        "SET": "set_name",
        "TASK": "task",
        "RUNGS": Number(lambda one: len(one["rungs"])),
        "BEGAN": when("created"),
    },
)
