"""Programs of the machine: run within limits, ended whole, and kept from what is not theirs."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import psutil
import pytest

from workbench.base.errors import UserError
from workbench.processes import outside_program
from workbench.processes.outside_program import ProgramFailed, run_program

linux = pytest.mark.skipif(sys.platform != "linux", reason="programs are confined on Linux")


def run(script: str, folder: Path, input: bytes = b"", seconds: float = 60.0, memory_mb: int = 900) -> bytes:
    command = [sys.executable, "-c", script]
    return run_program(command, folder=folder, input=input, seconds=seconds, memory_mb=memory_mb)


def test_it_gets_its_input_and_gives_its_output(tmp_path: Path) -> None:
    script = "import os, sys; sys.stdout.write(sys.stdin.read().upper() + os.getcwd())"
    assert run(script, tmp_path, b"words ").decode() == f"WORDS {tmp_path.resolve()}"


def test_what_it_says_when_it_fails_is_kept(tmp_path: Path) -> None:
    with pytest.raises(ProgramFailed, match="no such page") as failed:
        run("import sys; sys.exit('no such page')", tmp_path)
    assert (failed.value.exit_code, failed.value.output) == (1, "no such page")


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere"):
        run_program([str(tmp_path / "nowhere")], folder=tmp_path)


def test_one_that_takes_too_long_is_ended_with_what_it_has_started(tmp_path: Path) -> None:
    script = (
        "import pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "pathlib.Path('pid').write_text(str(child.pid))\n"
        "time.sleep(600)"
    )
    with pytest.raises(UserError, match=r"took longer than 3 s\."):
        run(script, tmp_path, seconds=3.0)
    pid = int((tmp_path / "pid").read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_one_that_writes_without_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside_program, "LARGEST_OUTPUT", 1_000_000)
    with pytest.raises(UserError, match="writes more than 1,000,000 bytes"):
        run("while True: print('x' * 10_000)", tmp_path)


@linux
def test_its_memory_is_limited(tmp_path: Path) -> None:
    with pytest.raises(ProgramFailed, match="MemoryError"):
        run("bytearray(400_000_000)", tmp_path, memory_mb=300)


@linux
def test_it_writes_into_its_folder_only_and_reaches_no_network(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    mine.mkdir()
    other.mkdir()
    (other / "kept").write_text("kept")
    with socket.create_server(("127.0.0.1", 0)) as server:
        attempts = (
            "open('made', 'w').write('x')",
            f"open({str(other / 'made')!r}, 'w')",
            f"os.remove({str(other / 'kept')!r})",
            f"socket.create_connection(('127.0.0.1', {server.getsockname()[1]}))",
        )
        script = "import os, socket\nfor attempt in " + repr(attempts) + ":\n"
        script += " try: exec(attempt); print('done')\n except OSError as error: print(type(error).__name__)\n"
        told = run(script, mine).decode().split()
    if told[1] == "done":
        pytest.skip("the kernel has no Landlock")
    assert told[:3] == ["done", "PermissionError", "PermissionError"]
    assert told[3] in ("PermissionError", "done")  # TCP is confined from Linux 6.7 on
    assert (mine / "made").exists()
    assert [path.name for path in other.iterdir()] == ["kept"]
