"""The sandbox: how long a program takes, when one that does not end is ended, and how many escape.

    python benchmarks/sandbox.py

Runs every row of tests/workers/test_sandbox_escapes.py several times, with the deadline of the tests, and counts those
that reached something outside, left a trace, or ended later than a second after the deadline.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path

from harness import arguments

from tests.workers.test_sandbox_escapes import EXHAUSTION, FORGERIES, LIMITS, TABLE, Surroundings
from workbench.api.protocol import RequestContext


def main() -> None:
    options = arguments(__doc__, runs=3).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        around = Surroundings(Path(folder))
        began = time.monotonic()
        around.run("1")
        first = time.monotonic() - began
        rows = {**TABLE, **{f"exhaustion: {name}": code for name, code in EXHAUSTION.items()}, **FORGERIES}
        longest: dict[str, float] = {}
        escaped = []
        for name, code in [pair for _ in range(options.runs) for pair in rows.items()]:
            began = time.monotonic()
            result = around.run(code)
            longest[name] = max(longest.get(name, 0.0), time.monotonic() - began)
            try:
                around.check(result)
            except AssertionError:
                escaped.append(name)
        short = []
        for _ in range(200):
            began = time.monotonic()
            around.sandbox.run("sum(range(100))", {}, RequestContext())
            short.append(1000 * (time.monotonic() - began))
        around.close()
    late = {name: round(taken, 2) for name, taken in longest.items() if taken > LIMITS.seconds + 1}
    slowest = max(longest, key=lambda name: longest[name])
    told = {
        "rows": len(rows), "runs": options.runs, "escaped": escaped, "deadline_s": LIMITS.seconds, "late": late,
        "slowest": {slowest: round(longest[slowest], 2)}, "start_ms": round(1000 * first),
        "short_ms": {"median": round(statistics.median(short), 1), "p95": round(sorted(short)[189], 1)},
    }  # fmt: skip
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
