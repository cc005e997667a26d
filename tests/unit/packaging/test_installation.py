"""An installed program is found again where it was moved to, and mixes in nothing of other Pythons."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from workbench.base import installation, launching
from workbench.base.installation import FOREIGN_VARIABLES, STORED, Installation, find_installation
from workbench.base.launching import INSTALLED_FOLDER
from workbench.processes.host import WorkerHost

TREE = Installation(kind="deb", version="1.0.0", platform="linux-x86_64")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program as if it ran from an installer's tree."""
    root = tmp_path / "a place with ü"
    (root / "python").mkdir(parents=True)
    STORED.save(root / installation.FILE, TREE)
    monkeypatch.setattr(launching, "installation", lambda: find_installation(root / "python"))
    return root


def test_the_tree_is_found_from_its_python_wherever_it_is(installed: Path) -> None:
    found = find_installation(installed / "python")
    assert found is not None
    assert (found.kind, found.root) == ("deb", str(installed))
    moved = installed.rename(installed.parent / "elsewhere")
    found = find_installation(moved / "python")
    assert found is not None
    assert found.root == str(moved)
    assert "root" not in STORED.plain(TREE) or STORED.plain(TREE)["root"] == ""


def test_a_checkout_is_no_installation(tmp_path: Path) -> None:
    assert find_installation(tmp_path / "venv") is None
    (tmp_path / installation.FILE).write_text("{")
    assert find_installation(tmp_path / "venv") is None  # what cannot be read is none


def test_a_child_of_an_installed_program_gets_nothing_of_other_pythons(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in FOREIGN_VARIABLES:
        monkeypatch.setenv(name, "/hostile")
    monkeypatch.setenv("KEPT", "yes")
    given = launching.child_environment()
    assert not set(FOREIGN_VARIABLES) & set(given)
    assert (given["PYTHONNOUSERSITE"], given["KEPT"]) == ("1", "yes")
    host = WorkerHost("echo", command=["true"], environment={"MORE": "1"})
    assert not set(FOREIGN_VARIABLES) & set(host._environment)


def test_a_child_of_a_checkout_still_finds_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching, "installation", lambda: None)
    monkeypatch.setenv("PYTHONPATH", "/mine")
    assert launching.child_environment()["PYTHONPATH"].endswith(f"{os.pathsep}/mine")


def test_hostile_packages_are_not_imported_by_a_child(installed: Path, tmp_path: Path) -> None:
    """With PYTHONPATH as it is, the child would fail in a module of that name."""
    evil = tmp_path / "evil"
    evil.mkdir()
    (evil / "json.py").write_text("raise SystemExit(66)")
    hostile = {**os.environ, "PYTHONPATH": str(evil), "PYTHONHOME": str(evil)}
    command = [sys.executable, "-P", "-c", "import json; print(json.dumps(1))"]
    assert subprocess.run(command, env=hostile, capture_output=True).returncode != 0
    done = subprocess.run(command, env=launching.child_environment(hostile), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "1\n")


def test_a_wheel_puts_its_packages_into_a_folder_of_its_own() -> None:
    """At the top of site-packages, ``ui`` and ``resources`` would overwrite those of another package."""
    root = Path(__file__).parents[3]
    wheel = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    taken = {name.removeprefix("/") for name in wheel["include"]}
    assert taken == {"workbench", "ui", "resources"}
    assert wheel["sources"] == {name: f"{INSTALLED_FOLDER}/{name}" for name in taken}
    (pth,) = wheel["force-include"]
    assert wheel["force-include"][pth] == f"{INSTALLED_FOLDER}.pth"
    assert (root / pth).read_text("utf-8") == f"{INSTALLED_FOLDER}\n"
    assert wheel["dev-mode-dirs"] == ["."]
