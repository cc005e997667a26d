"""A ladder in a core that is killed at random points and resumed, until it has ended.

``python -m tests.killed_ladder HOME LOG`` opens the core of a home with workers that stand in, starts the ladder or
resumes it, and follows it to its end. ``LOG`` gets a line for each answer that is stored, each run that is queued
and each event of a run, on the disk before anything follows. ``climbed`` runs such processes and kills them.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from tests.e2e.training_core import TENSORS, call, opened
from tests.unit.subjects.models.conftest import TINY_METADATA, gguf_bytes
from workbench.api.events import Event
from workbench.base.paths import Home
from workbench.records.ladder import AS_IT_IS, LadderReport
from workbench.subjects.evaluation.calls import CreateQuestionSet
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.subjects.ladder.calls import GetLadder, ListLadders, StartLadder
from workbench.subjects.models.calls import ImportModel
from workbench.subjects.runs.calls import FollowRun, ListRuns, ResumeRun
from workbench.subjects.runs.kinds import OpenRun
from workbench.subjects.runs.queue import Runs

ROOT = Path(__file__).parents[1]
RUNGS = (AS_IT_IS, "instructions", "beam", "searched-instructions", "lora", "dpo")
EARLIEST, LATEST = 2, 140
"""Lines of a process in the log after which it is killed."""
_NOTHING = 1_000_000


def prepared(folder: Path) -> Home:
    """A home with a tiny model and a set on which the worker, which repeats the question, is right for half; with an
    instruction that a search finds it is right for all."""
    home = Home(folder / "home")
    core = opened(home)
    base = folder / "base.gguf"
    template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    base.write_bytes(gguf_bytes({**TINY_METADATA, "tokenizer.chat_template": template}, TENSORS))
    call(core, ImportModel(path=str(base), name="Base"))
    path = folder / "asked.jsonl"
    rows = [{"question": f"number {n}", "answer": f"number {n}" if n % 2 else "sesame"} for n in range(80)]
    path.write_text("\n".join(map(json.dumps, rows)))
    call(core, CreateQuestionSet(path=str(path)))
    core.close()
    return home


def climbed(home: Home, log: Path, kills: int, seed: int) -> tuple[LadderReport, list[str], int]:
    """The ladder at its end, the lines of the log, and how often the process was killed in the middle of it."""
    draw, killed = random.Random(seed), 0
    while True:
        process = subprocess.Popen([sys.executable, "-m", "tests.killed_ladder", str(home.root), str(log)], cwd=ROOT)
        if killed < kills and _reached(log, process, draw.randint(EARLIEST, LATEST)):
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
            continue
        assert process.wait() == 0
        break
    core = opened(home)
    try:
        [ladder] = call(core, ListLadders()).ladders
        report = call(core, GetLadder(ladder=ladder.id))
        assert isinstance(report, LadderReport)
    finally:
        core.close()
    return report, log.read_text().splitlines(), killed


def _reached(log: Path, process: subprocess.Popen[bytes], count: int) -> bool:
    """Wait until the process has written so many lines; False where it has ended before."""
    mark = f"open {process.pid}\n"
    while process.poll() is None:
        _, opened_here, mine = (log.read_text() if log.exists() else "").partition(mark)
        if opened_here and mine.count("\n") >= count:
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.01)
    return False


def main() -> None:
    home, log = Home(Path(sys.argv[1])), Path(sys.argv[2])

    def note(line: str) -> None:
        with log.open("a") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())

    put, add, emit = EvaluationStore.put, Runs.add, OpenRun.emit

    def noted_put(self: EvaluationStore, cell: str, *rest: Any) -> None:
        put(self, cell, *rest)
        note(f"cell {cell}")

    def noted_add(self: Runs, kind: str, title: str, *rest: Any, **more: Any) -> Any:
        record = add(self, kind, title, *rest, **more)
        note(f"run {kind} {title}")
        return record

    def noted_emit(self: OpenRun, event: Event) -> None:
        emit(self, event)
        note("event")

    EvaluationStore.put, Runs.add, OpenRun.emit = noted_put, noted_add, noted_emit  # type: ignore[method-assign]
    core = opened(home)
    note(f"open {os.getpid()}")
    ladders = [one for one in call(core, ListRuns(limit=_NOTHING)).runs if one.kind == "ladder"]
    if not ladders:
        run = call(core, StartLadder(question_set="asked", task="short", rungs=RUNGS))
    elif ladders[0].state == "finished":
        core.close()
        return
    else:
        run = call(core, ResumeRun(run=ladders[0].id))
    msgspec.to_builtins(call(core, FollowRun(run=run.id)))
    core.close()


if __name__ == "__main__":
    main()
