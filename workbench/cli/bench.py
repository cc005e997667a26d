"""``workbench bench``: the speed of a model on this machine."""

from __future__ import annotations

import argparse
from typing import Any

from workbench.api.calls import Benchmark, BenchModel
from workbench.cli.arguments import Commands
from workbench.cli.output import TextOutput
from workbench.cli.session import Events, Session


def add_commands(commands: Commands) -> None:
    parser = commands.command(
        "bench", "measure the speed of a model on this machine", bench, show_benchmark, names={"model": "model"}
    )
    parser.add_argument("model", metavar="MODEL")
    default = BenchModel(name="")
    for name, help in (
        ("prompt_tokens", "length of the prompt"),
        ("new_tokens", "length of each answer"),
        ("sequences", "number of answers computed in parallel"),
        ("rounds", "number of measurements; medians are shown"),
    ):
        value = getattr(default, name)
        option = "--" + name.replace("_", "-")
        parser.add_argument(option, metavar="N", type=int, default=value, help=f"{help} [{value}]")


def bench(session: Session, arguments: argparse.Namespace) -> Events[Benchmark]:
    call = BenchModel(
        name=arguments.model,
        prompt_tokens=arguments.prompt_tokens,
        new_tokens=arguments.new_tokens,
        sequences=arguments.sequences,
        rounds=arguments.rounds,
    )
    return (yield from session.call(call))


def show_benchmark(result: dict[str, Any], output: TextOutput) -> None:
    output.pairs(
        [
            ("model", result["model"]),
            ("device", f"{result['device']}, {result['threads']} threads"),
            ("engine", result["engine"]),
            ("loaded in", f"{result['load_seconds']:.1f} s"),
            ("choice", result["choice"]),
        ]
    )
    output.line()
    gain = f"{result['together'] / result['alone']:.2f} times a single answer" if result["alone"] else ""
    rows = [
        (f"prompt of {result['prompt_tokens']:,} tokens", f"{result['prompt']:,.1f}", ""),
        (f"one answer of {result['new_tokens']:,} tokens", f"{result['alone']:,.1f}", ""),
        (f"{result['sequences']} answers in parallel", f"{result['together']:,.1f}", gain),
    ]
    output.table(("MEASURED", "TOKENS/S", ""), rows, numbers=("TOKENS/S",))
