"""``workbench bench``: the speed of a model on this machine."""

from __future__ import annotations

from typing import Any

from workbench.api.calls import BenchModel
from workbench.cli.arguments import Commands, one_call
from workbench.cli.output import TextOutput


def add_commands(commands: Commands) -> None:
    options = {
        "prompt_tokens": "length of the prompt",
        "new_tokens": "length of each answer",
        "sequences": "number of answers computed in parallel",
        "rounds": "number of measurements; medians are shown",
    }
    bench = one_call(lambda a: BenchModel(name=a.model, **{option: getattr(a, option) for option in options}))
    measuring = "measure the speed of a model on this machine"
    parser = commands.command("bench", measuring, bench, show_benchmark, "MODEL", names={"model": "model"})
    default = BenchModel(name="")
    for name, help in options.items():
        value = getattr(default, name)
        option = "--" + name.replace("_", "-")
        parser.add_argument(option, metavar="N", type=int, default=value, help=f"{help} [{value}]")


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
