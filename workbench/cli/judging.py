"""``workbench preferences judge`` and ``blind-test``: judges that are measured before they judge, and win rates."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from workbench.api.events import Artifact, Event
from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.cli.arguments import Commands, absolute, add_repeated, at_least, read_text
from workbench.cli.call_arguments import add_fields, call_of
from workbench.cli.evaluation import recipe_named
from workbench.cli.output import TextOutput
from workbench.cli.runs import run_to_end
from workbench.cli.session import Events, Session
from workbench.records.judgement_reports import ShareEstimate
from workbench.records.judging import JudgeReport, WinRate
from workbench.records.recipes import Recipe
from workbench.subjects.judgements.calls import GetWinRate, JudgePairs, ListQueues, MakeCandidates

MEASURED_ON = 100
STOPPING = "The judge is stopping. What it has judged so far is stored."


def add_commands(group: Commands) -> None:
    judging = group.command(
        "judge",
        "measure a judge on your preferences and, where it agrees with you, let it compare the pairs of a comparison",
        judge,
        show_judging,
        on_event=show_report,
        epilog="Without a comparison the judge is only measured. A judge that agrees with you no more than chance "
        "is refused.",
    )
    judging.add_argument(
        "queue", metavar="COMPARISON", nargs="?", default="", help="the judge compares its waiting pairs"
    )
    _add_judge(judging)
    testing = group.command(
        "blind-test",
        "compare two recipes with their names hidden, which gives a win rate with its interval",
        measure_wins,
        show_wins,
        on_event=show_report,
        epilog="Without --judge and --reward you compare yourself: `workbench preferences compare NAME`, then this "
        "again.",
    )
    testing.add_argument("queue", metavar="COMPARISON")
    help = "begin it: the recipe before, then the one after; each a file, a saved recipe, a prompt or a model"
    add_repeated(testing, "--recipe", "R", help)
    testing.add_argument(
        "--from", dest="prompts", choices=("chats", "questions", "documents", "file"), default="questions",
        help="where the prompts are from [%(default)s]",
    )  # fmt: skip
    testing.add_argument("--all", action="store_true", help="take all questions of the set, also those to tune on")
    add_fields(testing, MakeCandidates, ("name", "recipes", "prompts"), path="--path P", limit="--limit N 64")
    _add_judge(testing)
    group.rename("verdict", "blind-test")


def _add_judge(parser: argparse.ArgumentParser) -> None:
    who = parser.add_argument_group("who compares")
    who.add_argument(
        "--judge", metavar="R", default="", help="a recipe or model, which is measured on your preferences first"
    )
    help = "the judge is measured on at most N pairs [%(default)s]"
    who.add_argument("--measured", metavar="N", type=at_least(1), default=MEASURED_ON, help=help)
    add_fields(
        who, JudgePairs, ("queue", "limit"), constitution="--constitution FILE", threshold="--threshold NATS",
        rewards="--reward LINE",
    )  # fmt: skip


def judge(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    if not arguments.judge and not arguments.rewards:
        arguments.parser.error("name the judge: --judge R, or --reward LINE")
    return (yield from _judged(session, arguments, arguments.queue))


def _judged(session: Session, arguments: argparse.Namespace, queue: str) -> Events[dict[str, Any]]:
    recipe: Recipe | None = (yield from recipe_named(session, arguments.judge)) if arguments.judge else None
    constitution = read_text(arguments.constitution) if arguments.constitution else ""
    call = call_of(
        JudgePairs, arguments, queue=queue, recipe=recipe, constitution=constitution, limit=arguments.measured
    )
    return (yield from run_to_end(session, call, STOPPING))


def measure_wins(session: Session, arguments: argparse.Namespace) -> Events[WinRate]:
    queues = (yield from session.call(ListQueues())).queues
    known = any(arguments.queue.casefold() in (one.id, one.name.casefold()) for one in queues)
    if arguments.recipe:
        if known:
            raise UserError(
                f"There is already a comparison {arguments.queue!r}.", "Leave --recipe out, or name another."
            )
        if len(arguments.recipe) != 2:
            arguments.parser.error("name two recipes: --recipe BEFORE --recipe AFTER")
        recipes: list[Recipe] = []
        for text in arguments.recipe:
            recipes.append((yield from recipe_named(session, text)))
        making = call_of(
            MakeCandidates, arguments, name=arguments.queue, recipes=tuple(recipes), prompts=arguments.prompts,
            path=absolute(arguments.path) if arguments.prompts == "file" else arguments.path,
            part="all" if arguments.all else "held-out", purpose="verdict",
        )  # fmt: skip
        yield from run_to_end(session, making, "Stopping; finished answers are stored.")
    if arguments.judge or arguments.rewards:
        yield from _judged(session, arguments, arguments.queue)
    return (yield from session.call(GetWinRate(queue=arguments.queue)))


def show_report(event: Event, output: TextOutput) -> None:
    if not isinstance(event, Artifact) or event.kind != "judge":
        return
    report = msgspec.convert(event.result, JudgeReport)
    output.pairs(
        [
            ("pairs", f"{report.pairs:,} that you judged too, each asked in both orders"),
            ("said A", _share(report.a_share)),
            ("orders agree", _share(report.order_agreement)),
            ("agrees with you", f"{_share(report.agreement)} of the {report.kept:,} on which its orders agree"),
            ("Cohen's kappa", f"{report.kappa.value:.2f} ({report.kappa.low:.2f} to {report.kappa.high:.2f})"),
            ("position bias", f"{report.bias:+.2f} nats, beside a spread of {report.spread:.2f}"),
            ("says A or B", f"{report.mass:.0%} of the probability"),
            ("accepted", "yes" if report.accepted else f"no. {' '.join(report.reasons)}"),
        ]
    )


def show_judging(result: dict[str, Any], output: TextOutput) -> None:
    if result["judged"] or result["dropped"]:
        output.line(
            f"{counted(result['judged'], 'pair')} judged, {result['dropped']:,} on which it contradicted itself."
        )
    if result["win_rate"] is not None:
        show_wins(result["win_rate"], output)


def show_wins(result: dict[str, Any], output: TextOutput) -> None:
    found = msgspec.convert(result, WinRate)
    output.line(found.verdict)
    if found.waiting:
        waiting = counted(found.waiting, "pair is", "pairs are")
        output.line(f"{waiting} waiting: `workbench preferences compare NAME`, or --judge, or --reward.")
    if not found.n:
        return
    output.pairs(
        [
            ("won", f"{found.won:,}"),
            ("lost", f"{found.lost:,}"),
            ("ties", f"{found.tied:,}"),
            ("both bad", f"{found.both_bad:,}"),
            ("at equal lengths", _share(found.controlled)),
            ("characters", f"{found.first} {found.characters_first.value:.0f}, {found.second} "
                           f"{found.characters_second.value:.0f}"),
            ("shown first", f"{found.second} {_share(found.second_shown_first)}"),
            ("judged by", ", ".join(f"{name} {count:,}" for name, count in found.judges.items())),
        ]
    )  # fmt: skip


def _share(found: ShareEstimate) -> str:
    return f"{found.value:.0%} ({found.low:.0%} to {found.high:.0%})"
