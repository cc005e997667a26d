"""The home folder."""

from __future__ import annotations

import shutil
import stat
import sys
from pathlib import Path

import pytest

from workbench.errors import UserError
from workbench.paths import HOME_VARIABLE, Home, find_home, free_bytes


def test_a_given_home_goes_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "from-environment"))
    assert find_home(tmp_path / "given").root == tmp_path / "given"
    assert find_home().root == tmp_path / "from-environment"
    monkeypatch.delenv(HOME_VARIABLE)
    assert find_home().root.name == "llm-workbench"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_only_the_owner_may_look_in(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    home.create()
    assert stat.S_IMODE(home.root.stat().st_mode) == 0o700
    assert home.models.is_dir()


@pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")
def test_a_long_home_gets_a_short_address_of_its_own(tmp_path: Path) -> None:
    long_home, other = Home(tmp_path / ("x" * 120)), Home(tmp_path / ("y" * 120))
    assert len(long_home.address.encode()) < 104
    assert long_home.address != other.address
    assert Home(Path("/h")).address == "/h/core.sock"


def test_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be made"):
        Home(tmp_path / "file" / "home").create()
    with pytest.raises(UserError, match="cannot be made"):
        Home(tmp_path / "file").create()


def test_what_is_free_is_known_of_a_folder_that_is_not_made_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    usage = shutil.disk_usage(tmp_path)._replace(free=4096)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: asked.append(path) or usage)
    assert free_bytes(tmp_path / "not" / "there") == 4096
    assert asked == [tmp_path]
