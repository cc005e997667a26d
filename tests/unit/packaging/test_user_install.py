"""The .run file's script: installs for one user, versions side by side, refuses older ones, and leaves the data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.packaging.scripts import FOLDER

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="scripts of the installer for Linux"),
]


class Person:
    """A home folder with a space and ü in its name, and what is installed there."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "Ida Müller"
        self.home.mkdir()
        self.to = self.home / ".local" / "opt" / "llm-workbench"
        self._folder = folder

    def media(self, version: str) -> Path:
        """What the .run file unpacks, with a small tree whose Python is a shell."""
        stage = self._folder / version
        python = stage / "tree" / "python" / "bin"
        python.mkdir(parents=True)
        (stage / "tree" / "bin").mkdir()
        shutil.copy("/bin/sh", python / "sh")
        (python / "python3").write_text("#!/bin/sh\nexit 0\n")
        (python / "python3").chmod(0o755)
        for name in ("llm-workbench", "workbench"):
            launcher = (FOLDER / "linux" / "launcher.sh").read_text().replace("@MODULE@", "workbench")
            (stage / "tree" / "bin" / name).write_text(launcher)
            (stage / "tree" / "bin" / name).chmod(0o755)
        (stage / "tree" / "installation.json").write_text("{}")
        (stage / "share").mkdir()
        for name in ("org.llm_workbench.LLMWorkbench.desktop", "llm-workbench.mime.xml"):
            shutil.copy(FOLDER / "linux" / "share" / name, stage / "share")
        (stage / "share" / "llm-workbench.svg").write_text("<svg/>")
        script = (FOLDER / "linux" / "install_user.sh").read_text().replace("@VERSION@", version)
        (stage / "install_user.sh").write_text(script)
        shutil.copy(FOLDER / "linux" / "uninstall_user.sh", stage)
        return stage

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        environment = {"HOME": str(self.home), "PATH": os.environ["PATH"]}
        return subprocess.run(["sh", *map(str, command)], env=environment, capture_output=True, text=True)

    def install(self, version: str, *more: str) -> subprocess.CompletedProcess[str]:
        stage = self._folder / version
        return self.run((stage if stage.exists() else self.media(version)) / "install_user.sh", *more)

    def versions(self) -> list[str]:
        return sorted(path.parent.name for path in self.to.glob("*/installation.json") if not path.parent.is_symlink())


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path)


@pytest.fixture
def running(person: Person) -> Iterator[subprocess.Popen[bytes]]:
    """An installed program of version 1.2.0 that runs until it is stopped."""
    assert person.install("1.2.0").returncode == 0
    program = person.to / "1.2.0" / "python" / "bin" / "sh"
    process = subprocess.Popen([program, "-c", "read line"], stdin=subprocess.PIPE)
    yield process
    if process.poll() is None:
        process.communicate(b"\n")


def test_it_is_installed_with_its_launchers_and_menu_entry(person: Person) -> None:
    done = person.install("1.2.0")
    assert (done.returncode, done.stderr) == (0, "")
    assert (person.to / "current").readlink() == Path("1.2.0")
    launcher = person.home / ".local" / "bin" / "llm-workbench"
    assert launcher.resolve() == person.to / "1.2.0" / "bin" / "llm-workbench"
    assert subprocess.run([launcher]).returncode == 0
    entry = person.home / ".local" / "share" / "applications" / "org.llm_workbench.LLMWorkbench.desktop"
    assert f'Exec="{person.to}/current/bin/llm-workbench" %f\n' in entry.read_text()


def test_a_newer_version_takes_the_place_of_one_that_is_not_running(person: Person) -> None:
    person.install("1.2.0")
    assert person.install("1.10.0").returncode == 0
    assert person.versions() == ["1.10.0"]
    assert (person.to / "current").readlink() == Path("1.10.0")


def test_a_version_that_runs_stays_beside_the_newer_one_until_it_has_left(
    person: Person, running: subprocess.Popen[bytes]
) -> None:
    done = person.install("1.3.0")
    assert "Version 1.2.0 is still running" in done.stdout
    assert person.versions() == ["1.2.0", "1.3.0"]
    assert (person.to / "current").readlink() == Path("1.3.0")
    assert person.run(person.to / "uninstall.sh").returncode == 1
    running.communicate(b"\n")
    assert person.install("1.3.0").returncode == 0
    assert person.versions() == ["1.3.0"]


def test_the_version_that_runs_is_not_replaced(person: Person, running: subprocess.Popen[bytes]) -> None:
    done = person.install("1.2.0")
    assert done.returncode == 1
    assert "Version 1.2.0 is running" in done.stderr
    assert person.versions() == ["1.2.0"]


def test_an_older_version_is_refused_with_the_reason(person: Person) -> None:
    person.install("1.10.0")
    done = person.install("1.9.0")
    assert done.returncode == 1
    assert "Version 1.10.0 is installed, which is later than 1.9.0" in done.stderr
    assert person.versions() == ["1.10.0"]
    assert person.install("1.9.0", "--force").returncode == 0
    assert person.versions() == ["1.9.0"]


def test_uninstalling_leaves_the_data_and_nothing_else(person: Person) -> None:
    data = person.home / ".local" / "share" / "llm-workbench"
    data.mkdir(parents=True)
    (data / "workbench.sqlite").write_text("chats")
    person.install("1.2.0")
    done = person.run(person.to / "uninstall.sh")
    assert (done.returncode, done.stderr) == (0, "")
    left = [path.relative_to(person.home).as_posix() for path in person.home.rglob("*") if not path.is_dir()]
    left = [name for name in left if not name.startswith((".local/share/mime", ".local/share/applications/mimeinfo"))]
    assert left == [".local/share/llm-workbench/workbench.sqlite"]


def test_it_can_be_installed_elsewhere(person: Person, tmp_path: Path) -> None:
    person.to = tmp_path / "anderswo ü"
    assert person.install("1.2.0", "--to", str(person.to)).returncode == 0
    assert person.versions() == ["1.2.0"]
    assert person.run(person.to / "uninstall.sh").returncode == 0
    assert not person.to.exists()
