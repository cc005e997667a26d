"""The self-test of engines, as the program makes it before it uses one: how far they are from the bundled engine.

Usage: python benchmarks/engines.py FOLDER... [--model model.gguf] [--rounds 3]

FOLDER holds a llama_cpp with its libraries. Each line is an engine's worst divergence (nats) and fewest equal tokens of
all rounds, and the medians of the speeds and of the seconds that a test took; or why it does not pass. Without --model
a tiny model of random weights is used.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path

from harness import arguments

from workbench.processes.host import WorkerHost
from workbench.subjects.machine.engine_trial import try_engine


def make_host(environment: Mapping[str, str]) -> WorkerHost:
    return WorkerHost("inference", environment=environment)


def main() -> None:
    parser = arguments(__doc__, rounds=3)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--model", default="")
    options = parser.parse_args()
    for folder in options.folders:
        tests = [try_engine(make_host, folder, options.model) for _ in range(options.rounds)]
        if problem := next((test.problem for test in tests if test.problem), ""):
            print(f"{folder}: {problem}")
            continue
        print(
            f"{tests[0].build}: divergence {max(test.divergence for test in tests):.4f} nats, at least "
            f"{min(test.same_tokens for test in tests)} of {tests[0].tokens} tokens equal, "
            f"{statistics.median(test.speed for test in tests):.1f} tokens/s (bundled "
            f"{statistics.median(test.bundled_speed for test in tests):.1f}), "
            f"{statistics.median(test.seconds for test in tests):.0f} s a test"
        )


if __name__ == "__main__":
    main()
