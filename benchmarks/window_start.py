"""What the first seconds of the window are like: how long the event loop stands still, and whether the program lives.

``python benchmarks/window_start.py gaps``: the longest time between two turns of the event loop in the first ten
seconds, as a timer of 1 ms sees them; a home with chats, documents and runs, whose core starts behind the window. With
``--cold`` there are no compiled modules yet, as after an update. Medians, and the worst, of ``--rounds`` starts.
Target: at most 100 ms.

``python benchmarks/window_start.py load``: ``--rounds`` starts while four programs compute; each lives until all
pages are imported, and closes its window. A start counts as dead when its process ends by a signal
or with another status than 0. Target: none of 200. ``--together`` starts several at once.

The window is the real one over the real core, offscreen unless QT_QPA_PLATFORM says otherwise.
"""

from __future__ import annotations

import collections
import json
import os
import queue
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from harness import arguments

ROOT = Path(__file__).resolve().parents[1]
USED = ROOT / "tests" / "fixtures" / "home_0_1_0"
BUSY = 4

STARTED = """
import json, os, sys, time
from ui import main

seconds = float(os.environ["BENCH_SECONDS"])
opened = main.open_window

def open_window(home):
    from PySide6.QtCore import QElapsedTimer, Qt, QTimer

    window = opened(home)
    gaps, clock, begun, spent = [], QElapsedTimer(), time.monotonic(), [time.thread_time()]

    def beat():
        spent.append(time.thread_time())
        gaps.append((clock.nsecsElapsed() / 1e6, time.monotonic() - begun, 1000 * (spent[-1] - spent[-2])))
        clock.start()

    def end():
        pulse.stop()
        window.close()  # first: the measurement may have been given up
        longest = sorted(gaps, reverse=True)[:5]
        own = max(own for _, _, own in gaps)
        print(json.dumps({"longest": longest, "own": own, "turns": len(gaps), "page": window.current_page}), flush=True)

    pulse = QTimer(window, interval=1, timerType=Qt.TimerType.PreciseTimer, timeout=beat)
    clock.start()
    pulse.start()
    if seconds:
        QTimer.singleShot(int(seconds * 1000), end)
    else:
        window.imported.connect(lambda: QTimer.singleShot(500, end))
    return window

main.open_window = open_window
sys.exit(main.main(["--home", os.environ["BENCH_HOME"]]))
"""


def start(home: Path, seconds: float, compiled: str = "") -> subprocess.CompletedProcess[str]:
    """One start of the window, which closes after so many seconds; 0: once all pages are imported."""
    environment = {
        "QT_QPA_PLATFORM": "offscreen", **os.environ, "PYTHONPATH": str(ROOT), "BENCH_HOME": str(home),
        "BENCH_SECONDS": str(seconds), "PYTHONFAULTHANDLER": "1",
    }  # fmt: skip
    if compiled:
        environment["PYTHONPYCACHEPREFIX"] = compiled
    return subprocess.run(
        [sys.executable, "-c", STARTED], env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def used_home(folder: str) -> Path:
    """A copy of a home that holds something of everything."""
    return shutil.copytree(USED, Path(folder) / "home")


def measure_gaps(rounds: int, cold: bool) -> dict[str, Any]:
    """Milliseconds on the clock, and of processor time of the window's thread in one turn, which other programs do not
    lengthen; ``at_s`` is when the longest one ended."""
    longest: list[tuple[float, float]] = []
    own: list[float] = []
    for number in range(rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            done = start(used_home(folder), 10.0, f"{folder}/compiled" if cold else "")
            if done.returncode:
                raise RuntimeError(done.stderr)
            told = json.loads(done.stdout.splitlines()[-1])
            sys.stderr.write(f"{told}\n")
            if number:  # the first reads the libraries from disk
                longest.append(tuple(told["longest"][0][:2]))
                own.append(told["own"])
    ordered = sorted(gap for gap, _ in longest)
    return {
        "rounds": rounds, "median_ms": statistics.median(ordered), "worst_ms": ordered[-1],
        "own_median_ms": statistics.median(own), "own_worst_ms": max(own),
        "at_s": [round(at, 2) for _, at in longest], "target": 100.0,
    }  # fmt: skip


def measure_load(rounds: int, together: int, busy_programs: int) -> dict[str, Any]:
    """How the starts ended, by exit status; the traces of those that died go to standard error."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy_programs)]
    ends: collections.Counter[int] = collections.Counter()
    began = time.monotonic()

    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)  # cores leave some seconds later
    homes: queue.SimpleQueue[Path] = queue.SimpleQueue()  # the first start of each starts its core
    for number in range(together):
        home = Path(folder.name) / f"home-{number}"
        home.mkdir()
        (home / "workbench.sqlite").touch()  # one that was used before: the chat page comes first
        homes.put(home)

    def one(number: int) -> int:
        home = homes.get()
        done = start(home, 0.0)
        homes.put(home)
        if done.returncode:
            sys.stderr.write(f"start {number}: status {done.returncode}\n{done.stderr}\n")
        return done.returncode

    pool = ThreadPoolExecutor(together)
    try:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the four end with this program
        for status in pool.map(one, range(rounds)):
            ends[status] += 1
            sys.stderr.write(f"{ends.total()} of {rounds}: {dict(ends)}\n")
    finally:
        pool.shutdown(cancel_futures=True)
        for process in busy:
            process.kill()
            process.wait()
        folder.cleanup()
    dead = ends.total() - ends[0]
    return {"starts": ends.total(), "dead": dead, "seconds": round(time.monotonic() - began), "target": 0}


def main() -> None:
    parser = arguments(__doc__, rounds=5)
    parser.add_argument("what", choices=("gaps", "load"))
    parser.add_argument("--cold", action="store_true", help="without compiled modules")
    parser.add_argument("--together", type=int, default=1, help="starts at once")
    parser.add_argument("--busy", type=int, default=BUSY, help="programs that compute meanwhile")
    options = parser.parse_args()
    if options.what == "gaps":
        print(json.dumps(measure_gaps(options.rounds, options.cold)))
    else:
        print(json.dumps(measure_load(options.rounds, options.together, options.busy)))


if __name__ == "__main__":
    main()
