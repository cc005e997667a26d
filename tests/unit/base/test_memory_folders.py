"""Folders for files that are not kept."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from workbench.base import memory_folders
from workbench.base.memory_folders import new_memory_folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(memory_folders, "_IN_MEMORY", tmp_path / "shm")
    (tmp_path / "shm").mkdir()
    return tmp_path / "shm"


def test_a_folder_is_private_and_in_memory(place: Path) -> None:
    folder = new_memory_folder("images")
    assert folder.parent == place
    assert folder.stat().st_mode & 0o777 == 0o700
    assert new_memory_folder("images") != folder
    assert folder.is_dir()  # this process lives


def test_what_dead_processes_have_left_is_deleted(place: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    left = place / f"images-{int(ended.stdout)}-0123456789ab"
    others = [place / f"images-{int(ended.stdout)}", place / "images-x-0123456789ab", place / f"other-{left.name}"]
    for folder in (left, *others):
        folder.mkdir()
        (folder / "a.pixels").write_bytes(b"a")
    new_memory_folder("images")
    assert not left.exists()
    assert all(folder.is_dir() for folder in others)


def test_what_was_left_in_memory_is_deleted_where_it_leaves_no_room(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    left = place / f"images-{int(ended.stdout)}-0123456789ab"
    left.mkdir()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(memory_folders, "_has_room", lambda folder: not left.exists())
    assert new_memory_folder("images").parent == place
    assert not left.exists()


@pytest.mark.parametrize("why", ["there is none", "it is too small"])
def test_without_room_in_memory_it_is_among_the_temporary_files(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    if why == "there is none":
        monkeypatch.setattr(memory_folders, "_IN_MEMORY", tmp_path / "none")
    else:
        monkeypatch.setattr(memory_folders, "_LEAST_FREE", 1 << 60)
    folder = new_memory_folder("images")
    assert folder.parent == tmp_path
    assert str(os.getpid()) in folder.name
