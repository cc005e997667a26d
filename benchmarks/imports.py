"""Processor time of the imports of each process, by the packages that take it.

    python benchmarks/imports.py --rounds 5

Each process's main module is imported in a Python of its own with ``-X importtime``; the figures are medians of the
rounds, in milliseconds. Resident memory is measured in a further one.
"""

from __future__ import annotations

import collections
import statistics
import subprocess
import sys
from typing import Any

from harness import ROOT, arguments, in_turns, report

PROCESSES = {
    "window": "ui.application",
    "core": "workbench.app",
    "terminal": "workbench.cli",
    "inference": "workbench.workers.inference",
    "embedding": "workbench.workers.embedding",
    "reader": "workbench.workers.reader",
}
SHOWN = 8
_MEMORY = "import {0}, psutil; print(psutil.Process().memory_info().rss)"


def measure(module: str) -> dict[str, float]:
    """Milliseconds of each top-level package, its own modules only."""
    command = [sys.executable, "-X", "importtime", "-c", f"import {module}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: collections.Counter[str] = collections.Counter()
    for line in done.stderr.splitlines():
        if line.startswith("import time:") and "self" not in line:
            own, _, name = line.removeprefix("import time:").split("|")
            found[name.strip().partition(".")[0]] += int(own)
    return {name: value / 1000 for name, value in found.items()}


def resident(module: str) -> int:
    command = [sys.executable, "-c", _MEMORY.format(module)]
    return int(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    options = arguments(__doc__, "json", rounds=5, only=tuple(PROCESSES)).parse_args()
    rows: dict[str, Any] = {}
    measured = in_turns(options.rounds, options.only, lambda name, _: measure(PROCESSES[str(name)]))
    for name, rounds in measured.items():
        middle = {one: statistics.median(r.get(one, 0.0) for r in rounds) for one in set().union(*rounds)}
        total = statistics.median(sum(r.values()) for r in rounds)
        memory = resident(PROCESSES[name])
        most = sorted(middle.items(), key=lambda pair: -pair[1])[:SHOWN]
        shown = ", ".join(f"{one} {value:.0f}" for one, value in most)
        print(f"{name}: {total:.0f} ms, {memory / 1e6:.0f} MB; {shown}", flush=True)
        rows[name] = {"ms": total, "resident": memory, "packages": dict(most)}
    report(rows, options.json)


if __name__ == "__main__":
    main()
