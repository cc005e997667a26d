"""Memory of the whole program: in use, idle, at the first question afterwards, and what is left when the window closes.

    python benchmarks/footprint.py [--keep-embedder] [--json FILE]

A real window (offscreen) and its core on a scratch home with the starter models and the sample documents. Memory is
the proportional set size (PSS) of every process, in MB. Idle workers are unloaded after one minute in place of ten, so
that the measurement takes two minutes; everything else is the default. Linux only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from harness import ROOT, arguments, report

QUESTION = "How long is the warranty?"
IDLE_S = 100.0
LEAVE_S, TERMINAL_S = 10.0, 30.0
_WINDOW = """
import sys
from PySide6.QtCore import QTimer
from ui import main
sys.exit(main.main(["--home", sys.argv[1]]))
"""


def pss(process: psutil.Process) -> int:
    return int(process.memory_full_info().pss)


def named(process: psutil.Process, window: int) -> str:
    """What a process is, by its command line."""
    if process.pid == window:
        return "window"
    words = process.cmdline()
    return "core" if "workbench.app" in words else words[-1]


def processes(home: Path, window: int) -> list[psutil.Process]:
    """The window, the core of ``home``, and their children."""
    found: dict[int, psutil.Process] = {}
    for one in psutil.process_iter():
        try:
            if one.pid == window or str(home) in one.cmdline():
                found |= {each.pid: each for each in (one, *one.children(recursive=True))}
        except psutil.Error:
            continue
    return list(found.values())


def memory(home: Path, window: int) -> dict[str, float]:
    measured: dict[str, float] = {}
    for one in processes(home, window):
        try:
            name = named(one, window)
            measured[name] = round(measured.get(name, 0.0) + pss(one) / 1e6, 1)
        except psutil.Error:
            continue
    measured["total"] = round(sum(measured.values()), 1)
    return measured


def processor_time(home: Path, window: int) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in processes(home, window))


def main() -> None:
    options = arguments(__doc__, "json", keep_embedder=False).parse_args()
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    home = Path(folder.name) / "home"
    found: dict[str, Any] = {}

    def terminal(*words: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "workbench", "--home", str(home), *words],
            cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    terminal("models", "starter")
    terminal("docs", "create", "samples")
    terminal("docs", "add", "samples", str(ROOT / "resources" / "samples"))
    terminal("settings", "set", "engine.unload_minutes", "1")
    if options.keep_embedder:
        terminal("settings", "set", "documents.keep_embedder", "true")
    time.sleep(TERMINAL_S)  # the core that the terminal has started leaves
    window = subprocess.Popen(
        [sys.executable, "-c", _WINDOW, str(home)], cwd=ROOT, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    )
    try:
        time.sleep(15)
        terminal("ask", QUESTION, "--collection", "samples")
        found["in use"] = memory(home, window.pid)
        print("in use", found["in use"], flush=True)
        time.sleep(IDLE_S)
        found["idle"] = memory(home, window.pid)
        print("idle", found["idle"], flush=True)
        before = processor_time(home, window.pid)
        terminal("ask", QUESTION, "--collection", "samples")
        found["first question, processor seconds"] = round(processor_time(home, window.pid) - before, 1)
        print("first question", found["first question, processor seconds"], flush=True)
    finally:
        window.terminate()
        window.wait()
    time.sleep(LEAVE_S)
    found["left after 10 s"] = len(processes(home, window.pid))
    print("left", found["left after 10 s"])
    report(found, options.json)


if __name__ == "__main__":
    main()
