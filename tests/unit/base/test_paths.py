"""The home folder."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.base.errors import UserError
from workbench.base.paths import HOME_VARIABLE, Home, find_home, free_bytes, prepared_place


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


@pytest.fixture
def folders(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short folder with one for the runtime and one for what is temporary, as the system has them."""
    if sys.platform == "win32":
        pytest.skip("Unix sockets")
    with tempfile.TemporaryDirectory(prefix="w", dir="/tmp") as short:
        (Path(short) / "run").mkdir(mode=0o700)
        (Path(short) / "tmp").mkdir()
        monkeypatch.setenv("XDG_RUNTIME_DIR", f"{short}/run")
        monkeypatch.setattr(tempfile, "tempdir", f"{short}/tmp")
        yield Path(short)


def test_a_long_home_gets_a_short_address_of_its_own(folders: Path, tmp_path: Path) -> None:
    long_home, other = Home(tmp_path / ("x" * 120)), Home(tmp_path / ("y" * 120))
    assert Path(long_home.address).parent == folders / "run"
    assert len(long_home.address.encode()) < 104
    assert long_home.address != other.address
    assert Home(Path("/h")).address == "/h/core.sock"


@pytest.mark.parametrize("unsafe", ["missing", "open"])
def test_without_a_runtime_folder_the_address_is_where_nobody_else_can_put_one(
    folders: Path, tmp_path: Path, unsafe: str
) -> None:
    if unsafe == "open":
        (folders / "run").chmod(0o755)
    else:
        (folders / "run").rmdir()
    own = Path(Home(tmp_path / ("x" * 120)).address).parent
    assert own.parent == folders / "tmp"
    assert stat.S_IMODE(own.stat().st_mode) == 0o700


def test_a_folder_that_somebody_else_made_there_first_is_refused(folders: Path, tmp_path: Path) -> None:
    (folders / "run").rmdir()
    home = Home(tmp_path / ("x" * 120))
    own = Path(home.address).parent
    own.chmod(0o777)
    with pytest.raises(UserError, match="others may write to it"):
        _ = home.address
    own.rmdir()
    own.symlink_to(tmp_path)
    with pytest.raises(UserError, match="others may write to it"):
        _ = home.address


def test_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be created"):
        Home(tmp_path / "file" / "home").create()
    with pytest.raises(UserError, match="cannot be created"):
        Home(tmp_path / "file").create()


def test_what_is_free_is_known_of_a_folder_that_is_not_made_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    usage = shutil.disk_usage(tmp_path)._replace(free=4096)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: asked.append(path) or usage)
    assert free_bytes(tmp_path / "not" / "there") == 4096
    assert asked == [tmp_path]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("file", "file cannot be the data folder: it is no folder"),
        ("file/in", "in cannot be the data folder: Not a directory"),
        (os.devnull, "cannot be the data folder: it is no folder"),
        ("circle", "circle cannot be the data folder: Too many levels"),
        ("~no-such-user/home", "no user has that name"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")
def test_what_cannot_be_a_home_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, reason: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to("circle")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=reason) as refused:
        find_home(given)
    assert HOME_VARIABLE in refused.value.hint


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a folder that somebody is in")
def test_a_relative_home_in_a_folder_that_is_gone_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (gone := tmp_path / "gone").mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(UserError, match="the current folder is gone"):
        find_home("home")
    assert find_home(tmp_path).root == tmp_path
    monkeypatch.undo()


def test_what_is_prepared_of_a_model_keeps_its_place_when_the_home_moves(tmp_path: Path) -> None:
    places = {
        prepared_place(home / "embedders", home / "models" / "m").name for home in (tmp_path / "a", tmp_path / "b")
    }
    elsewhere = prepared_place(tmp_path / "a" / "embedders", Path("/other/m"))
    assert len(places) == 1
    assert elsewhere.name not in places
    assert elsewhere.parent == tmp_path / "a" / "embedders"
