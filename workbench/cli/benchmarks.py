"""``workbench benchmarks``: published benchmarks on data that is here, and the leaderboard of this machine."""

from __future__ import annotations

import argparse
from shlex import quote
from typing import Any

import msgspec

from workbench import calls
from workbench.base.counting import counted
from workbench.cli.arguments import Commands, absolute, at_least, one_call
from workbench.cli.call_arguments import add_call, add_fields, call_of
from workbench.cli.output import TextOutput, byte_size, moment
from workbench.cli.questions import show_set
from workbench.cli.run_lines import RunLines
from workbench.cli.runs import ran, run_to_end
from workbench.cli.session import Events, Session
from workbench.records.evaluation import BenchmarkData, Leaderboard, LeaderboardColumn
from workbench.records.verified_pairs import TABLE, VerificationResult, table_of

NAMES = {"question_set": "question set", "models": "model"}
KNOWN = ("mmlu", "arc", "hellaswag", "gsm8k", "ifeval")


def add_commands(commands: Commands) -> None:
    group = commands.group("benchmarks", "run published benchmarks, and show the leaderboard of this machine")
    importing = "make a question set of a benchmark's data, asked as lm-evaluation-harness asks"
    parser = group.command("import", importing, create, show_set)
    parser.add_argument("benchmark", metavar="BENCHMARK", choices=KNOWN, help=", ".join(KNOWN))
    parser.add_argument("path", metavar="PATH", help="the rows of its test split: JSON Lines, Parquet, a folder")
    parser.add_argument("--shots", metavar="N", type=at_least(-1), default=-1, help="number of examples [as is usual]")
    others = ("benchmark", "path", "shots", "with_context", "tune_share", "seed")
    add_fields(parser, calls.CreateQuestionSet, others, examples="--examples PATH")
    inspecting = "tell which benchmark a file or folder has rows of"
    add_call(group, "inspect", inspecting, calls.InspectBenchmark, show_data, examples="--examples PATH")
    fetching = one_call(lambda a: calls.FetchBenchmark(benchmark=a.benchmark))
    fetched = group.command("fetch", "download the rows of a benchmark from the hub", fetching, show_data)
    fetched.add_argument("benchmark", metavar="BENCHMARK", choices=KNOWN, help=", ".join(KNOWN))
    add_call(
        group, "run", "run models on a benchmark", calls.RunBenchmark, show_run, do=run, names=NAMES,
        question_set="SET", models="--model NAME",
    )  # fmt: skip
    verifying = "measure the verification of statements on pairs of a document and a text, of RAGTruth or LLM-AggreFact"
    add_call(
        group, "verify", verifying, calls.MeasureVerification, show_verified, do=ran(calls.MeasureVerification),
        on_event=RunLines(), path="PATH",
    )  # fmt: skip
    add_call(
        group, "leaderboard", "show what the models of this machine reached", calls.GetLeaderboard, show_leaderboard
    )


def create(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    call = call_of(
        calls.CreateQuestionSet, arguments, source="benchmark", benchmark=arguments.benchmark,
        path=absolute(arguments.path), shots=arguments.shots, tune_share=0.0,
    )  # fmt: skip
    return (yield from session.call(call))


def run(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    ended = yield from run_to_end(session, call_of(calls.RunBenchmark, arguments))
    board = yield from session.call(calls.GetLeaderboard())
    return {**ended, "leaderboard": msgspec.to_builtins(board)}


def show_run(result: dict[str, Any], output: TextOutput) -> None:
    show_leaderboard(result["leaderboard"], output)


def show_data(result: dict[str, Any], output: TextOutput) -> None:
    data = msgspec.convert(result, BenchmarkData)
    unit, group = ("pair", "data set") if data.pairs else ("question", "subject")
    subjects = f" in {counted(data.subjects, group)}" if data.subjects > 1 else ""
    count = counted(data.questions, unit)
    output.line(f"{data.title}: {count}{subjects}, in {data.path}")
    if data.usual:
        output.line(f"  {data.usual:,} examples are usual; {data.examples:,} are there {data.examples_path}".rstrip())
    for line in data.refused:
        output.line(f"  left out: {line}")
    if data.more_refused:
        output.line(f"  and {data.more_refused:,} more")
    if data.pairs:
        output.line(f"Measure the verification on it with: workbench benchmarks verify {quote(data.path)}")
        return
    output.line(f"Make a question set of it with: workbench benchmarks import {data.benchmark} {quote(data.path)}")


def show_leaderboard(result: dict[str, Any], output: TextOutput) -> None:
    board = msgspec.convert(result, Leaderboard)
    for verified in board.verification:
        _show_pairs(verified, output)
        output.line()
    if not board.rows and not board.verification:
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


def show_verified(result: dict[str, Any], output: TextOutput) -> None:
    _show_pairs(msgspec.convert(result, VerificationResult), output)


def _show_pairs(result: VerificationResult, output: TextOutput) -> None:
    drawn = f", drawn with {result.seed}" if result.pairs < result.of_all else ""
    output.line(
        f"Verification of statements on {result.title}, {result.pairs:,} of {counted(result.of_all, 'pair')}{drawn}, "
        f"{moment(result.ended)}: {result.path}"
    )
    titles = tuple(map(str.upper, TABLE))
    output.table(titles, table_of(result), numbers=("PAIRS",))
    if result.left_out:
        output.line(f"{counted(result.left_out, 'row')} left out. {result.first_left_out}")


def describe_column(column: LeaderboardColumn) -> str:
    """``MMLU, 5 examples, acc: MMLU test, all``"""
    shots = counted(column.shots, "example")
    return f"{column.benchmark}, {shots}, {column.metric}: {column.question_set}, {column.questions}"
