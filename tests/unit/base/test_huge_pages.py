"""Huge pages: asked for beside what was set, and only said to be there where the system gives them."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.base import huge_pages
from workbench.base.huge_pages import ask_for_huge_pages, has_huge_pages

ASKED = "glibc.malloc.hugetlb=1"


@pytest.mark.parametrize(
    ("set", "expected"),
    [
        ("", ASKED),
        ("glibc.cpu.x=1", f"glibc.cpu.x=1:{ASKED}"),
        (ASKED, ASKED),
        (f"a=1:{ASKED}:b=2", f"a=1:b=2:{ASKED}"),
        ("a=1:glibc.malloc.hugetlb=0", "a=1:glibc.malloc.hugetlb=0"),
        ("glibc.malloc.hugetlb=2", "glibc.malloc.hugetlb=2"),
    ],
)
def test_settings_of_the_person_stay(set: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIBC_TUNABLES", set)
    assert ask_for_huge_pages() == {"GLIBC_TUNABLES": expected}


@pytest.mark.parametrize(
    ("system", "asked", "expected"),
    [
        ("[always] madvise never", False, True),
        ("always [madvise] never", True, True),
        ("always [madvise] never", False, False),
        ("always madvise [never]", True, False),
        (None, True, False),
    ],
)
def test_they_are_there_where_the_system_gives_them(
    system: str | None, asked: bool, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huge_pages, "_SYSTEM", tmp_path / "enabled")
    monkeypatch.setenv("GLIBC_TUNABLES", ASKED if asked else "")
    if system is not None:
        (tmp_path / "enabled").write_text(system)
    assert has_huge_pages() is expected
