"""Files with holes: on this system, and as Windows is asked for them."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from workbench.base import sparse_files
from workbench.base.errors import UserError
from workbench.base.sparse_files import FSCTL_SET_SPARSE, lengthen

SIZE = 1 << 30


def test_a_hole_takes_no_space(tmp_path: Path) -> None:
    path = tmp_path / "header.gguf"
    with path.open("wb") as file:
        file.write(b"GGUF")
        lengthen(file, path, SIZE)
    assert path.stat().st_size == SIZE
    if sys.platform != "win32":
        assert path.stat().st_blocks * 512 < SIZE // 100
    with path.open("rb") as file:
        assert file.read(8) == b"GGUF\0\0\0\0"


class Windows:
    """kernel32 as far as it is used; ``has_holes``: NTFS and not FAT."""

    def __init__(self, has_holes: bool) -> None:
        self.has_holes = has_holes
        self.asked: list[tuple[Any, ...]] = []

    def DeviceIoControl(self, handle: ctypes.c_void_p, code: int, *rest: Any) -> int:
        self.asked.append((handle.value, code, rest[:4]))
        return int(self.has_holes)


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Windows:
    system = Windows(has_holes=True)
    msvcrt = ModuleType("msvcrt")
    msvcrt.get_osfhandle = lambda descriptor: 1000 + descriptor  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=system), raising=False)
    monkeypatch.setattr(sparse_files.sys, "platform", "win32")
    return system


def test_windows_is_asked_to_mark_the_file_before_it_grows(windows: Windows, tmp_path: Path) -> None:
    path = tmp_path / "header.gguf"
    with path.open("wb") as file:
        lengthen(file, path, 4096)
        assert windows.asked == [(1000 + file.fileno(), FSCTL_SET_SPARSE, (None, 0, None, 0))]
    assert path.stat().st_size == 4096


def test_a_disk_without_holes_and_without_room_is_refused(windows: Windows, tmp_path: Path) -> None:
    windows.has_holes = False
    path = tmp_path / "header.gguf"
    with path.open("wb") as file:
        lengthen(file, path, 4096)  # there is room
        with pytest.raises(UserError, match="has no sparse files"):
            lengthen(file, path, 1 << 60)
    assert path.stat().st_size == 4096
