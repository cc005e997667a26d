"""What is wrong with a home, or with how the program is started, is said in a sentence, by window and terminal."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from workbench.api.ownership import read_owner
from workbench.base.paths import Home

ROOT = Path(__file__).parents[2]
WAIT_S = 60.0

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX files and shells")


def run(*words: str, module: str = "workbench", shell: str = 'exec "$@"', cwd: Path = ROOT) -> tuple[int, str, str]:
    """Status, standard output and error of the program, as a shell starts it."""
    command = ["sh", "-c", shell, "sh", sys.executable, "-P", "-m", module, *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=WAIT_S, env=environment, cwd=cwd, check=False
    )
    return ended.returncode, ended.stdout, ended.stderr


def file_in(home: Path) -> None:
    home.write_text("")


def log_folder(home: Path) -> None:
    (home / "logs" / "core.log").mkdir(parents=True)


def stderr_folder(home: Path) -> None:
    (home / "logs" / "core-stderr.log").mkdir(parents=True)


def key_folder(home: Path) -> None:
    (home / "core.key").mkdir(parents=True)


def socket_folder(home: Path) -> None:
    (home / "core.sock").mkdir(parents=True)


def no_database(home: Path) -> None:
    home.mkdir()
    (home / "workbench.sqlite").write_text("This is no database. " * 99)


BAD: list[tuple[Callable[[Path], None], str]] = [
    (file_in, "it is no folder"),
    (log_folder, "core.log cannot be written: Is a directory"),
    (stderr_folder, "core-stderr.log cannot be written: Is a directory"),
    (key_folder, "core.key cannot be read: Is a directory"),
    (socket_folder, "core.sock cannot be made: Is a directory"),
    (no_database, "workbench.sqlite is damaged or not a database"),
]


@pytest.mark.parametrize(("spoil", "reason"), BAD, ids=[spoil.__name__ for spoil, _ in BAD])
def test_a_bad_home_has_its_sentence(tmp_path: Path, spoil: Callable[[Path], None], reason: str) -> None:
    spoil(home := tmp_path / "h")
    status, _, said = run("--home", str(home), "models", "list")
    assert status == 1
    assert reason in said
    assert "Traceback" not in said
    assert len(said.splitlines()) == 2


READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
"""For a shell in a mount namespace of its own, in which it may mount."""


def test_a_home_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    home = tmp_path / "h"
    assert run("--home", str(home), "docs", "create", "Papers")[0] == 0
    may = subprocess.run(["unshare", "-rm", "sh", "-c", READ_ONLY, str(home), "true"], check=False, capture_output=True)
    if may.returncode:
        pytest.skip("this user may not mount")
    wait_until_free(home)
    shell = f"exec unshare -rm sh -c '{READ_ONLY}' {shlex.quote(str(home))} \"$@\""
    status, _, said = run("--home", str(home), "docs", "list", shell=shell)
    assert status == 1
    assert said.splitlines()[0] == f"The data folder {home} cannot be written: Read-only file system."
    assert "copy it to a disk that is" in said
    assert "Errno" not in said


def wait_until_free(home: Path) -> None:
    """Until its core, which nobody needs any more, has left."""
    owner = read_owner(Home(home))
    if owner is not None:
        core = psutil.Process(owner.pid)
        core.terminate()
        core.wait(WAIT_S)


def test_the_window_says_it_too(tmp_path: Path) -> None:
    (tmp_path / "h").touch()
    status, _, said = run("--home", str(tmp_path / "h"), module="ui.main")
    assert (status, len(said.splitlines())) == (1, 1)
    assert "it is no folder" in said


def test_a_file_named_from_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    (gone := tmp_path / "gone").mkdir()
    home = ("--home", str(tmp_path / "h"))
    run(*home, "docs", "create", "a")
    status, _, said = run(*home, "docs", "add", "a", "x.txt", shell='rmdir "$PWD" && exec "$@"', cwd=gone)
    assert status == 1
    assert said.splitlines()[0] == "x.txt cannot be found: the current folder is gone."


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_program_without_its_streams_does_its_work(tmp_path: Path, closed: str) -> None:
    home = tmp_path / "h"
    status, out, said = run("--home", str(home), "docs", "create", "Papers", shell=f'exec "$@" {closed}')
    assert (status, said) == (0, "")
    assert ("Papers" in out) == (">&-" not in closed or closed == "2>&-")
    assert "Papers" in run("--home", str(home), "docs", "list")[1]
