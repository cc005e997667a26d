"""*Set up training* from a folder of wheels, whole, and killed at random moments.

    python benchmarks/training_setup.py WHEELS [--kills 10] [--seed 1]

Run it with a Python that has the program without the extra ``training``. Each time a process of its own sets training
up in a new home and is killed with its children at a moment drawn evenly from the time that a whole set-up takes. Then
a new core opens the home: what is there must be an environment whose packages can be imported, or nothing.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from workbench.api import events
from workbench.api.protocol import RequestContext, result_of
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.base.training_environment import missing_packages
from workbench.subjects.machine.calls import SetUpTraining
from workbench.subjects.machine.training_folder import try_packages
from workbench.subjects.runs.calls import FollowRun


def set_up(home: Home, wheels: Path) -> None:
    core = Workbench(home)
    core.start()
    try:
        run = result_of(SetUpTraining(), core.handle(SetUpTraining(source=str(wheels))))
        stage = ""
        for event in core.handle(FollowRun(run=run.id)):
            if isinstance(event, events.Progress) and event.stage != stage:
                stage = event.stage
                print(f"{time.monotonic():.2f} {stage}", flush=True)
    finally:
        core.close()


def killed(wheels: Path, after_s: float) -> str:
    """What is left of a set-up that is killed after so many seconds, and the stage in which it was."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        child = subprocess.Popen(
            [sys.executable, __file__, str(wheels), "--home", str(home.root)],
            stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            out, _ = child.communicate(timeout=after_s)
            stage = "it had ended"
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, _ = child.communicate()
            stage = (out.strip().splitlines() or ["0 starting"])[-1].partition(" ")[2]
        core = Workbench(home)
        core.start()
        core.close()
        left = sorted(path.name for path in home.training.parent.glob("*")) if home.training.parent.exists() else []
        if left not in ([], ["packages"]):
            return f"HALF: {left} after {stage}"
        if not left:
            return f"absent, killed while {stage}"
        if missing := missing_packages(home.training):
            return f"HALF: {missing} after {stage}"
        try:
            try_packages(home.training, RequestContext())
        except UserError as error:
            return f"HALF: {error} after {stage}"
        return f"whole, {stage}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("wheels", type=Path)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    wheels: Path = given.wheels.resolve()
    if given.home is not None:
        set_up(Home(given.home), wheels)
        return
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        set_up(Home(Path(folder) / "home"), wheels)
        whole_s = time.monotonic() - began
        size = sum(path.stat().st_size for path in Home(Path(folder) / "home").training.rglob("*") if path.is_file())
    print(f"a whole set-up: {whole_s:.0f} s, {size / 1e6:,.0f} MB")
    draw = random.Random(given.seed)
    for number in range(given.kills):
        after_s = draw.uniform(1.0, whole_s)
        print(f"{number + 1}: {after_s:5.1f} s: {killed(wheels, after_s)}", flush=True)


if __name__ == "__main__":
    main()
