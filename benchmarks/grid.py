"""A grid of three recipes and 200 rows that is killed at half, resumed, and compared with an uninterrupted one.

    python benchmarks/grid.py

``--data`` (default ../shared/data) holds ``bbh``. The core is a process of its own, as the window starts it, with the
starter model; it is killed (SIGKILL) when half of the cells are answered. Then another one resumes the run. A second
home evaluates the same without a kill. Wanted: no cell is generated again, and both grids are equal. Answers are
constrained and short. With --deterministic the engine's setting of that name is on, so that equal answers are not a
matter of luck: batches change the last bits of log-probabilities.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from pathlib import Path

import msgspec
import psutil
from harness import DATA, arguments

from workbench.api.client import Client
from workbench.api.events import Progress
from workbench.base.paths import Home
from workbench.records.evaluation import EvaluationResult, GridPage
from workbench.records.recipes import DecodingPart, PromptingPart, Recipe
from workbench.subjects.evaluation.calls import CreateQuestionSet, Evaluate, GetEvaluation, ListGrid
from workbench.subjects.models.calls import RegisterStarter
from workbench.subjects.runs.calls import FollowRun, GetRun, ResumeRun

INSTRUCTIONS = ("", "You are a careful logician.", "Answer True only if you are sure.")


def recipes() -> tuple[Recipe, ...]:
    decoding = DecodingPart(temperature=0.0, max_tokens=6)
    return tuple(
        Recipe(name=text or "Plain", prompting=PromptingPart(instructions=text), decoding=decoding)
        for text in INSTRUCTIONS
    )


def begin(home: Home, rows: Path) -> tuple[Client, str, str]:
    """A client of a new core, the run, and its evaluation."""
    client = Client(home)
    client.call(RegisterStarter())
    made = client.call(CreateQuestionSet(path=str(rows), name="rows"))
    run = client.call(Evaluate(question_set=made.id, recipes=recipes()))
    return client, run.id, run.config["evaluation"]


def grid_of(client: Client, evaluation: str) -> GridPage:
    return client.call(ListGrid(evaluation=evaluation, limit=1_000))


def kill_core(home: Home) -> None:
    """Kill the core and what it started, as the system does when memory is short: nothing is told."""
    owner = json.loads(home.lock.read_text())["pid"]
    children = psutil.Process(owner).children(recursive=True)
    os.kill(owner, signal.SIGKILL)
    for child in children:
        child.kill()
    psutil.wait_procs(children, timeout=20)


def killed_at_half(home: Home, rows: Path, cells: int) -> tuple[GridPage, int, int]:
    """The grid, and how many cells were answered before the kill and after it."""
    client, run, evaluation = begin(home, rows)
    for event in client.stream(FollowRun(run=run)):
        if isinstance(event, Progress) and event.stage == "answering" and event.done >= cells // 2:
            break
    kill_core(home)
    client.close()
    client = Client(home)
    before = client.call(GetEvaluation(evaluation=evaluation)).answered
    state = client.call(GetRun(run=run)).state
    assert state == "interrupted", state
    client.call(ResumeRun(run=run))
    result = msgspec.convert(client.call(FollowRun(run=run)), EvaluationResult)
    found = grid_of(client, evaluation)
    client.close()
    return found, before, result.answered


def main() -> None:
    options = arguments(__doc__, data=DATA, rows=200, deterministic=False).parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        rows = Path(folder) / "rows.jsonl"
        lines = [line for name in ("boolean_expressions", "date_understanding")
                 for line in (options.data / "bbh" / f"{name}.jsonl").read_text("utf-8").splitlines()]  # fmt: skip
        rows.write_text("\n".join(lines[: options.rows]), "utf-8")
        cells = len(INSTRUCTIONS) * options.rows
        homes = [Home(Path(folder) / name) for name in ("killed", "whole")]
        for home in homes:
            home.create()
            if options.deterministic:
                home.settings.write_text("[engine]\ndeterministic = true\n", "utf-8")
        began = time.monotonic()
        killed, before, after = killed_at_half(homes[0], rows, cells)
        print(f"killed: {before} of {cells} cells before, {after} after; {before + after - cells} generated again, "
              f"{time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
        client, run, evaluation = begin(homes[1], rows)
        client.call(FollowRun(run=run))
        whole = grid_of(client, evaluation)
        client.close()
        pairs = [
            pair for a, b in zip(killed.rows, whole.rows, strict=True) for pair in zip(a.cells, b.cells, strict=True)
        ]
        same = sum(a == b for a, b in pairs)
        print(f"against an uninterrupted one: {same} of {len(pairs)} cells are equal, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
