"""Which files of a folder are documents."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests import documents
from workbench.base.errors import UserError
from workbench.reading.kinds import find_files, kind_of
from workbench.reading.read import read_file
from workbench.reading.reader_calls import ReadLimits

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX names and links")


def write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")


def found(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in find_files(root)]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.TXT", "text"),
        ("a.md", "markdown"),
        ("report.final.PDF", "pdf"),
        ("README", "text"),
        ("Makefile", "code"),
        ("a.rs", "code"),
        ("a.DOC", "doc"),
        ("photo.jpg", "picture"),
        ("film.mp4", None),
        ("unknown", None),
        (".pdf", None),
    ],
)
def test_kind_is_told_by_the_name(name: str, kind: str | None) -> None:
    assert kind_of(Path("folder") / name) == kind


def test_folder_is_walked_in_order(tmp_path: Path) -> None:
    write(tmp_path, "b.txt", "a.txt", "z/c.md", "k/d.pdf", "k/l/e.csv")
    assert found(tmp_path) == ["a.txt", "b.txt", "k/d.pdf", "k/l/e.csv", "z/c.md"]


def test_what_is_not_a_document_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "b.mp4", ".hidden.txt", "~$a.docx", ".git/c.txt", "node_modules/d.js", "__pycache__/e.py")
    write(tmp_path, "python/pyvenv.cfg", "python/lib/f.py", "kept/g.py")
    assert found(tmp_path) == ["a.txt", "kept/g.py"]


def test_old_formats_are_found_for_their_reason_and_newer_files_under_their_names_are_read(tmp_path: Path) -> None:
    write(tmp_path, "a.doc", "b.msg")
    assert found(tmp_path) == ["a.doc", "b.msg"]
    with pytest.raises(UserError, match="an Outlook message") as told:
        read_file(tmp_path / "b.msg", ReadLimits())
    assert "Save it" in told.value.hint
    documents.write_docx(tmp_path / "new.doc", "New", ["Read."])
    documents.write_rtf(tmp_path / "rich.doc", ["Rich."])
    documents.write_html(tmp_path / "page.xls", "Page", ["Shown."])
    kinds = [read_file(tmp_path / name, ReadLimits()).kind for name in ("new.doc", "rich.doc", "page.xls")]
    assert kinds == ["docx", "rtf", "html"]


def test_file_that_is_named_is_always_tried(tmp_path: Path) -> None:
    write(tmp_path, ".secret.mp4")
    assert list(find_files(tmp_path / ".secret.mp4")) == [tmp_path / ".secret.mp4"]


def test_folder_named_like_a_document_is_a_folder(tmp_path: Path) -> None:
    write(tmp_path, "x.pdf/a.txt")
    assert found(tmp_path) == ["x.pdf/a.txt"]


@posix
def test_links_make_no_circle_and_no_second_visit(tmp_path: Path) -> None:
    write(tmp_path, "a/b/c.txt")
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "twin").symlink_to(tmp_path / "a")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert found(tmp_path) == ["a/b/c.txt"]


@posix
def test_broken_link_and_pipe_are_yielded_for_their_reason(tmp_path: Path) -> None:
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.txt")
    assert found(tmp_path) == ["gone.txt", "pipe.txt"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.txt")
    path.write_text("x")
    told: list[tuple[Path, str]] = []
    assert list(find_files(tmp_path, lambda path, reason: told.append((path, reason)))) == []
    assert told == [(path, "The file name is not valid text. Rename the file.")]


@posix
def test_folder_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "closed/b.txt")
    (tmp_path / "closed").chmod(0)
    if os.access(tmp_path / "closed", os.R_OK):
        pytest.skip("this user may open every folder")
    told: list[str] = []
    try:
        assert [path.name for path in find_files(tmp_path, lambda path, reason: told.append(path.name))] == ["a.txt"]
    finally:
        (tmp_path / "closed").chmod(0o700)
    assert told == ["closed"]


@posix
def test_links_that_leave_the_folder_are_told_and_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    write(root, "a.txt", "sub/b.txt")
    write(outside, "secret.txt", "deep/more.txt")
    (root / "sub" / "folder").symlink_to(outside)
    (root / "file.txt").symlink_to(outside / "secret.txt")
    (root / "hop").symlink_to(root / "sub" / "folder" / "deep")
    (root / "broken.txt").symlink_to(outside / "nowhere.txt")
    (root / "inside.txt").symlink_to(root / "a.txt")
    (root / "up").symlink_to("..")
    left: list[Path] = []
    files = find_files(root, on_outside=left.append)
    assert [path.relative_to(root).as_posix() for path in files] == ["a.txt", "inside.txt", "sub/b.txt"]
    assert sorted(path.relative_to(root).as_posix() for path in left) == [
        "broken.txt",
        "file.txt",
        "hop",
        "sub/folder",
        "up",
    ]


@posix
def test_a_folder_that_is_reached_over_a_link_is_read(tmp_path: Path) -> None:
    write(tmp_path / "real", "a.txt")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "b.txt").symlink_to(tmp_path / "link" / "a.txt")
    assert found(tmp_path / "link") == ["a.txt", "b.txt"]
