"""Processes that train together: how their end is waited for."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from workbench.api import events
from workbench.base.errors import OutOfMemory, UserError
from workbench.processes.process import spawn
from workbench.records.training import TrainingConfig
from workbench.training import process_group
from workbench.training.protocol import BaseModel, TrainModel

pytestmark = pytest.mark.process

SAYS_AND_STAYS = r"""
import sys, time
sys.stdout.buffer.write(b"\x1e" + sys.argv[1].encode() + b"\n")
sys.stdout.flush()
time.sleep(600)  # as a process does that waits for one that has left
"""

HAS_NO_MEMORY = r"""
import contextlib, io, sys, types
from pathlib import Path
from workbench.techniques.registry import METHODS
from workbench.training import process_group
def train(*given):
    raise MemoryError("of 9 GB")
sys.modules["workbench.training.run"] = types.SimpleNamespace(train=train)
process_group._group = lambda *given: contextlib.nullcontext()
process_group._own_gpu = lambda: ""
sys.exit(process_group.run_share(Path(sys.argv[1]), METHODS, lambda call: io.BytesIO()))
"""


@pytest.mark.parametrize("rank", ["0", "1"])
def test_whichever_process_has_no_memory_left_says_so(rank: str, tmp_path: Path) -> None:
    call = TrainModel(config=TrainingConfig(), model=BaseModel(name="tiny", path="x"), folder=str(tmp_path))
    (tmp_path / process_group._CALL).write_bytes(msgspec.json.encode(call))
    (tmp_path / process_group._LEADER).write_text(str(os.getpid()))
    environment = {**os.environ, "RANK": rank}
    with spawn([sys.executable, "-c", HAS_NO_MEMORY, str(tmp_path)], environment) as process:
        with pytest.raises(OutOfMemory, match="MemoryError: of 9 GB"):
            process_group._follow(process, lambda event: None)
        assert process.wait() == 1  # so that those that wait for it are ended


def test_processes_that_wait_for_one_that_has_left_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_group, "_END_S", 0.2)
    said = events.encode(events.Failed(message="No room.", hint="Free some.")).decode()
    with spawn([sys.executable, "-c", SAYS_AND_STAYS, said], {}) as process:
        with pytest.raises(UserError, match="No room"):
            process_group._follow(process, lambda event: None)
        assert process.poll() is not None


@pytest.mark.parametrize("frozen", [False, True])
def test_the_processes_are_started_as_this_program_is(
    frozen: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[list[str], dict[str, str]]] = []

    def spawn(command: list[str], environment: dict[str, str]) -> SimpleNamespace:
        started.append((command, environment))
        return SimpleNamespace(stdin=io.BytesIO())

    monkeypatch.setattr(process_group, "spawn", spawn)
    monkeypatch.setattr(sys, "frozen", frozen, raising=False)
    process_group._launch(2, tmp_path)
    ((command, environment),) = started
    program = [sys.executable, "--worker"] if frozen else [sys.executable, "-P", "-m", "workbench.workers"]
    rank = command.index("--no-python") + 1
    assert command[: len(program) + 1] == [*program, "process-group"]
    assert command[rank:] == [*program, "rank", str(tmp_path)]
    assert "--standalone" not in command  # it asks for the machine's name, which may not resolve
    if sys.platform == "linux":
        assert environment["GLOO_SOCKET_IFNAME"] == "lo"
