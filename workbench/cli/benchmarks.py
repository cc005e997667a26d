"""``workbench benchmarks``: published benchmarks on data that is here, and the leaderboard of this machine."""

from __future__ import annotations

import argparse
from shlex import quote
from typing import Any

import msgspec

from workbench import calls
from workbench.cli.arguments import Commands, absolute, at_least, one_call
from workbench.cli.output import TextOutput, byte_size, moment
from workbench.cli.questions import show_set
from workbench.cli.runs import run_to_end
from workbench.cli.session import Events, Session
from workbench.records.evaluation import BenchmarkData, Leaderboard, LeaderboardColumn

NAMES = {"set": "question set", "model": "model"}
KNOWN = ("mmlu", "arc", "hellaswag", "gsm8k", "ifeval")


def add_commands(commands: Commands) -> None:
    group = commands.group("benchmarks", "published benchmarks, and the leaderboard of this machine")
    importing = "make a question set of a benchmark's data, asked as lm-evaluation-harness asks"
    parser = group.command("import", importing, create, show_set)
    parser.add_argument("benchmark", metavar="BENCHMARK", choices=KNOWN, help=", ".join(KNOWN))
    parser.add_argument("path", metavar="PATH", help="the rows of its test split: JSON Lines, Parquet, a folder")
    parser.add_argument("--examples", metavar="PATH", default="", help="the rows that are shown as examples")
    parser.add_argument("--shots", metavar="N", type=at_least(-1), default=-1, help="number of examples [as is usual]")
    parser.add_argument("--limit", metavar="N", type=at_least(0), default=0, help="maximum number of questions")
    parser.add_argument("--name", metavar="NAME", default="", help="the name of the set (default: chosen)")
    inspecting = one_call(
        lambda a: calls.InspectBenchmark(path=absolute(a.path), examples=absolute(a.examples) if a.examples else "")
    )
    looking = group.command("inspect", "tell which benchmark a file or folder has rows of", inspecting, show_data)
    looking.add_argument("path", metavar="PATH", help="JSON Lines, Parquet, or a folder with its splits")
    looking.add_argument("--examples", metavar="PATH", default="", help="the rows that are shown as examples")
    fetching = one_call(lambda a: calls.FetchBenchmark(benchmark=a.benchmark))
    fetched = group.command("fetch", "download the rows of a benchmark from the hub", fetching, show_data)
    fetched.add_argument("benchmark", metavar="BENCHMARK", choices=KNOWN, help=", ".join(KNOWN))
    running = group.command("run", "run models on a benchmark", run, show_run, "SET", names=NAMES)
    running.add_argument("--model", metavar="NAME", action="append", required=True, help="a model; once for each")
    running.add_argument("--limit", metavar="N", type=at_least(0), default=0, help="so many questions, drawn")
    running.add_argument("--seed", metavar="N", type=at_least(0), default=0, help="draws them [%(default)s]")
    board = one_call(lambda a: calls.GetLeaderboard())
    group.command("leaderboard", "what the models of this machine reached", board, show_leaderboard)


def create(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    call = calls.CreateQuestionSet(
        source="benchmark",
        benchmark=arguments.benchmark,
        path=absolute(arguments.path),
        examples=absolute(arguments.examples) if arguments.examples else "",
        shots=arguments.shots,
        limit=arguments.limit,
        name=arguments.name,
        tune_share=0.0,
    )
    return (yield from session.call(call))


def run(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    call = calls.RunBenchmark(
        question_set=arguments.set, models=tuple(arguments.model), limit=arguments.limit, seed=arguments.seed
    )
    ended = yield from run_to_end(session, call)
    board = yield from session.call(calls.GetLeaderboard())
    return {**ended, "leaderboard": msgspec.to_builtins(board)}


def show_run(result: dict[str, Any], output: TextOutput) -> None:
    show_leaderboard(result["leaderboard"], output)


def show_data(result: dict[str, Any], output: TextOutput) -> None:
    data = msgspec.convert(result, BenchmarkData)
    subjects = f" in {data.subjects:,} subjects" if data.subjects > 1 else ""
    output.line(f"{data.title}: {data.questions:,} questions{subjects}, in {data.path}")
    if data.usual:
        output.line(f"  {data.usual:,} examples are usual; {data.examples:,} are there {data.examples_path}".rstrip())
    for line in data.refused:
        output.line(f"  left out: {line}")
    if data.more_refused:
        output.line(f"  and {data.more_refused:,} more")
    output.line(f"Make a question set of it with: workbench benchmarks import {data.benchmark} {quote(data.path)}")


def show_leaderboard(result: dict[str, Any], output: TextOutput) -> None:
    board = msgspec.convert(result, Leaderboard)
    if not board.rows:
        output.line("No model was run on a benchmark yet. `workbench benchmarks import` makes one of its data.")
        return
    for place, column in enumerate(board.columns):
        output.line(describe_column(column))
        found = [(row, cell) for row in board.rows if (cell := row.cells[place]) is not None]
        rows = [
            (
                row.model,
                row.quantization,
                byte_size(row.bytes),
                f"{cell.score.value:.1%}",
                f"{cell.score.low:.1%} to {cell.score.high:.1%}",
                cell.score.n,
                f"{cell.tokens_per_s:.1f}" if cell.tokens_per_s else "",
                moment(cell.date),
            )
            for row, cell in sorted(found, key=lambda one: -one[1].score.value)
        ]
        titles = ("MODEL", "QUANTISATION", "SIZE", "SCORE", "95 % INTERVAL", "N", "TOKENS/S", "DATE")
        output.table(titles, rows, numbers=("SIZE", "SCORE", "N", "TOKENS/S"))
        output.line()


def describe_column(column: LeaderboardColumn) -> str:
    """``MMLU, 5 examples, acc: MMLU test, all``"""
    return f"{column.benchmark}, {column.shots} examples, {column.metric}: {column.question_set}, {column.questions}"
