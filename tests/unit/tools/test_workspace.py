"""The workspace: files of one folder, and no way out of it."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from tests.fakes import FakeToolServices
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.techniques.tools import list_files, read_file, workspace, write_file
from workbench.techniques.tools.services import ToolUnavailable
from workbench.techniques.tools.workspace import Workspace

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs links, pipes and sockets in the file system")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("SECRET")
    made = tmp_path / "work"
    made.mkdir()
    return made


@pytest.fixture(params=["descriptors", "paths"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to open files: within descriptors of folders, and by paths where the system has no such calls."""
    if request.param == "paths":
        monkeypatch.setattr(workspace, "_BY_DESCRIPTOR", False)
    elif not workspace._BY_DESCRIPTOR:
        pytest.skip("this system opens no files within descriptors")


def test_what_is_written_is_read_and_listed(folder: Path) -> None:
    work = Workspace(folder)
    assert not work.write("notes/a.txt", "ä\r\nb")
    assert work.write("notes/a.txt", "ä\r\nb")
    assert work.read("notes/a.txt") == "ä\r\nb"
    entries, more = work.list_folder()
    assert ([(one.name, one.is_folder) for one in entries], more) == ([("notes", True)], False)
    assert [(one.name, one.bytes) for one in work.list_folder("notes/")[0]] == [("a.txt", 5)]
    assert os.listdir(folder / "notes") == ["a.txt"]


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "../secret.txt", "notes/../../secret.txt", "..", "~/x", "C:\\x", "c:x", "\\\\server\\share",
        ".env", ".git/config", "a/.hidden", "a\x00b", "a\nb", "con", "NUL.txt", "x.", "a:b", "", "   ",
        "/".join("abcdefghijklmnopqrstuvw"), "x" * 300, "a\\..\\b",
    ],
)  # fmt: skip
def test_a_path_that_is_not_within_is_refused(folder: Path, path: str) -> None:
    work = Workspace(folder)
    with pytest.raises(UserError):
        work.read(path)
    with pytest.raises(UserError):
        work.write(path, "x")
    assert sorted(os.listdir(folder.parent)) == ["secret.txt", "work"]
    assert os.listdir(folder) == []


@POSIX
def test_links_lead_nowhere(folder: Path) -> None:
    (folder / "file").symlink_to(folder.parent / "secret.txt")
    (folder / "up").symlink_to("..", target_is_directory=True)
    (folder / "within").symlink_to(folder / "a.txt")
    work = Workspace(folder)
    work.write("a.txt", "mine")
    for path in ("file", "up/secret.txt", "within"):
        with pytest.raises(UserError):
            work.read(path)
    for path in ("file", "up/new.txt", "up/secret.txt"):
        with pytest.raises(UserError):
            work.write(path, "overwritten")
    with pytest.raises(UserError):
        work.list_folder("up")
    assert [one.name for one in work.list_folder()[0]] == ["a.txt"]
    assert (folder.parent / "secret.txt").read_text() == "SECRET"
    assert not (folder.parent / "new.txt").exists()


@POSIX
def test_a_write_never_goes_through_a_hard_link(folder: Path) -> None:
    os.link(folder.parent / "secret.txt", folder / "hard")
    Workspace(folder).write("hard", "mine")
    assert (folder.parent / "secret.txt").read_text() == "SECRET"


@POSIX
def test_special_files_are_neither_read_nor_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(folder)
        listening.bind("socket")
        work = Workspace(folder)
        assert work.list_folder() == ([], False)
        for name in ("pipe", "socket"):
            with pytest.raises(UserError, match="is not a file"):
                work.read(name)
            with pytest.raises(UserError, match="is not a file"):
                work.write(name, "x")


def test_bytes_that_are_not_text_and_large_files_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.bin").write_bytes(b"\x00\x01\xff")
    (folder / "b.txt").write_bytes("ä".encode("latin-1"))
    for name in ("a.bin", "b.txt"):
        with pytest.raises(UserError, match="is not a text file"):
            Workspace(folder).read(name)
    monkeypatch.setattr(workspace, "LARGEST_READ_BYTES", 3)
    (folder / "c.txt").write_text("1234")
    with pytest.raises(UserError, match="larger"):
        Workspace(folder).read("c.txt")
    monkeypatch.setattr(workspace, "LARGEST_WRITTEN", 3)
    with pytest.raises(UserError, match="more than 3 characters"):
        Workspace(folder).write("d.txt", "1234")


def test_a_write_that_fails_leaves_the_old_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Workspace(folder)
    work.write("a.txt", "old")

    def fail(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(UserError, match="No space left"):
        work.write("a.txt", "new")
    assert work.read("a.txt") == "old"
    assert os.listdir(folder) == ["a.txt"]


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not there"):
        Workspace(tmp_path / "gone").list_folder()


def test_the_tools_show_files_as_data(folder: Path) -> None:
    services = FakeToolServices(folder=folder)
    writing, reading, listing = (module.make(services) for module in (write_file, read_file, list_files))
    assert writing.acts
    assert not reading.acts
    context = RequestContext()
    assert writing.run({"path": "a.txt", "text": "x\x1b[31my"}, context).text == "a.txt was written: 7 characters."
    assert reading.run({"path": "a.txt"}, context).text == "x[31my"
    assert reading.run({"path": "a.txt", "start": 6}, context).text == "y"
    assert reading.run({"path": "a.txt", "start": 99}, context).text == "(nothing from there on)"
    assert listing.run({}, context).text == "a.txt (7 bytes)"
    refused = reading.run({"path": "../secret.txt"}, context)
    assert refused.failed
    assert "SECRET" not in refused.text


def test_without_a_folder_the_tools_are_absent() -> None:
    for module in (write_file, read_file, list_files):
        with pytest.raises(ToolUnavailable, match="workspace folder"):
            module.make(FakeToolServices())
