"""Files that are complete or absent, also when the process that writes them is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.base.durability import check_room, folder_beside, written_beside
from workbench.base.errors import UserError


def test_a_file_takes_its_place_only_when_it_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "new folder" / "out.bin"
    with written_beside(out) as beside:
        beside.write_bytes(b"all of it")
        assert not out.exists()
    assert out.read_bytes() == b"all of it"
    with pytest.raises(ValueError, match="the pen broke"):
        write_half(out)
    assert out.read_bytes() == b"all of it"
    assert list(out.parent.iterdir()) == [out]


def write_half(out: Path) -> None:
    with written_beside(out) as beside:
        beside.write_bytes(b"half")
        raise ValueError("the pen broke")


def test_what_a_dead_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    dead, living = tmp_path / f".a[1].gguf.{child.pid}.part", tmp_path / f".a[1].gguf.{os.getppid()}.part"
    other = tmp_path / f".b.gguf.{child.pid}.part"
    for path in (dead, living, other):
        path.write_bytes(b"half")
    with written_beside(tmp_path / "a[1].gguf") as beside:
        beside.write_bytes(b"whole")
    assert (dead.exists(), living.exists(), other.exists()) == (False, True, True)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match="cannot be written"), written_beside(tmp_path / "file" / "out.bin"):
        pass
    with pytest.raises(UserError, match="free"):
        check_room(tmp_path / "not yet" / "out.bin", 1 << 60)


def test_of_two_folders_for_one_place_the_first_is_whole_and_the_other_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "there" / "out"

    def write(text: str, meanwhile: Callable[[], None] = lambda: None) -> None:
        with folder_beside(out) as folder:
            (folder / "a").write_text(text)
            meanwhile()

    with pytest.raises(UserError, match="exists already"):
        write("later", lambda: write("first"))
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert (out / "a").read_text() == "first"
    with pytest.raises(UserError, match="exists already"):
        write("again", lambda: pytest.fail("it is there"))


def test_a_folder_that_comes_between_the_check_and_the_renaming_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, rename = tmp_path / "out", Path.rename

    def overtaken(folder: Path, place: Path) -> Path:
        place.mkdir()
        (place / "a").write_text("first")
        return rename(folder, place)

    monkeypatch.setattr(Path, "rename", overtaken)
    with pytest.raises(UserError, match="exists already"), folder_beside(out) as folder:
        (folder / "a").write_text("later")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (out / "a").read_text() == "first"
