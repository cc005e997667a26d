"""Which processes end with an MCP server: those that it has started, and none of this program that it has started."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from tests.workers.test_host import COMMAND
from workbench.base.launching import OF_NO_SERVER
from workbench.processes import server_processes
from workbench.processes.server_processes import BLOCK, DROPPED, PERIOD_S, STDERR_BYTES, ServerProcesses
from workbench.subjects.agents import mcp

START = """
import os, subprocess, sys
def start(**more):
    child = subprocess.Popen(
        [sys.executable, "-c", "import threading; print('up', flush=True); threading.Event().wait()"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True, env={**os.environ, **more},
    )
    child.stdout.readline()
    return child
children = [start(), start(**{OF_NO_SERVER})]
print(*[child.pid for child in children], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def processes() -> Iterator[ServerProcesses]:
    made = ServerProcesses("worker")
    yield made
    made.end(made.find())


def test_a_core_that_a_server_has_started_goes_on_without_it(processes: Any) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", START.replace("{OF_NO_SERVER}", repr(dict(OF_NO_SERVER)))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, **processes.environment},
    )
    assert server.stdin is not None
    assert server.stdout is not None
    own, core = (psutil.Process(int(pid)) for pid in server.stdout.readline().split())
    try:
        processes.end(processes.find())
        server.wait(10)
        psutil.wait_procs([own], timeout=10)
        assert not own.is_running() or own.status() == psutil.STATUS_ZOMBIE
        assert core.is_running()
        assert core.status() != psutil.STATUS_ZOMBIE
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            core.kill()
        server.stdin.close()
        server.stdout.close()


@pytest.mark.parametrize("end", ["stop", "kill", "close"])
def test_whatever_ends_the_worker_its_servers_are_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    looked_for: SimpleQueue[str] = SimpleQueue()
    monkeypatch.setattr(mcp, "end_servers_of", looked_for.put)
    hub = mcp.McpHub(tmp_path / "mcp.json", Any, Any, Any, command=COMMAND)  # type: ignore[arg-type]
    try:
        hub.host.start()
        getattr(hub if end == "close" else hub.host, end)()
        assert len(looked_for.get(timeout=30)) == 32
    finally:
        hub.close()
    assert looked_for.empty()


def test_of_what_a_server_writes_to_stderr_a_part_is_passed_on_in_each_period(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    times = chain([0, 1, 2, PERIOD_S + 1, PERIOD_S + 1], repeat(PERIOD_S + 2))  # the third block begins a period
    monkeypatch.setattr(server_processes, "time", SimpleNamespace(monotonic=lambda: next(times)))
    written = tmp_path / "stderr"
    written.write_bytes(b"".join(sign * BLOCK for sign in (b"1", b"2", b"3", b"4")))
    server_processes._pass_on(os.open(written, os.O_RDONLY))
    shown = capfdbinary.readouterr().err
    assert [shown.count(sign) for sign in (b"1", b"2", b"3", b"4")] == [STDERR_BYTES, 0, STDERR_BYTES, 0]
    assert shown.count(DROPPED) == 2
