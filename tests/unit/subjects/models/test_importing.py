"""Models taken in by reference and by copy, and what is left when that goes wrong."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from workbench.api.events import Progress
from workbench.api.protocol import RequestContext
from workbench.base import errors
from workbench.base.errors import UserError
from workbench.subjects.models import importing
from workbench.subjects.models.checksums import Checksums
from workbench.subjects.models.importing import delete_place, import_model, own_place, remove_unfinished


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "models"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def checksums(home: Path) -> Checksums:
    return Checksums(home.parent / "checksums.json")


def test_reference_leaves_the_file_where_it_is(
    make_gguf: Callable[..., Path], home: Path, checksums: Checksums
) -> None:
    path = make_gguf()
    model = import_model(path, home, checksums)
    assert (model.path, model.owned, model.name) == (str(path), False, "Tiny")
    assert list(home.iterdir()) == []
    assert own_place(model, home) is None


def test_copy_is_whole_verified_and_owned(make_gguf: Callable[..., Path], home: Path, checksums: Checksums) -> None:
    path = make_gguf()
    seen: list[Progress] = []
    model = import_model(path, home, checksums, copy=True, report=seen.append)
    assert model.path == str(home / "tiny" / "tiny.gguf")
    assert model.owned
    assert Path(model.path).read_bytes() == path.read_bytes()
    assert model.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert seen[-1].done == seen[-1].total == 2 * model.bytes
    assert {p.stage for p in seen} == {"copying", "checking"}
    path.unlink()
    place = own_place(model, home)
    assert place == home / "tiny"
    delete_place(place, model.name)
    assert list(home.iterdir()) == []


def test_folder_is_copied_with_its_parts_and_without_pickles(
    make_folder: Callable[..., Path], home: Path, checksums: Checksums
) -> None:
    folder = make_folder(
        **{
            "modules.json": '[{"type":"sentence_transformers.models.Transformer","path":""},'
            '{"type":"sentence_transformers.models.Pooling","path":"1_Pooling"}]',
            "1_Pooling/config.json": "{}",
            "pytorch_model.bin": "x",
        }
    )
    model = import_model(folder, home, checksums, copy=True, name="Mine")
    assert (model.name, model.path) == ("Mine", str(home / "mine"))
    copied = sorted(p.relative_to(home / "mine").as_posix() for p in (home / "mine").rglob("*") if p.is_file())
    assert copied == ["1_Pooling/config.json", "config.json", "model.safetensors", "modules.json", "tokenizer.json"]


def test_names_do_not_collide(make_gguf: Callable[..., Path], home: Path, checksums: Checksums) -> None:
    path = make_gguf()
    assert import_model(path, home, checksums, taken=["tiny"]).name == "Tiny Q8_0"
    with pytest.raises(UserError, match="already a model named 'TINY'"):
        import_model(path, home, checksums, taken=["tiny"], name="TINY")
    first = import_model(path, home, checksums, copy=True)
    second = import_model(path, home, checksums, copy=True)
    assert first.path != second.path


def test_cancelled_copy_leaves_nothing(make_gguf: Callable[..., Path], home: Path, checksums: Checksums) -> None:
    context = RequestContext()

    def cancel_while_checking(progress: Progress) -> None:
        if progress.stage == "checking":
            context.cancel()

    path = make_gguf()
    with pytest.raises(errors.Cancelled):
        import_model(path, home, checksums, copy=True, context=context, report=lambda p: context.cancel())
    assert list(home.iterdir()) == []
    context = RequestContext()
    folder = path.parent / "two"
    folder.mkdir()
    with pytest.raises(errors.Cancelled):
        import_model(path, folder, checksums, copy=True, context=context, report=cancel_while_checking)
    assert list(folder.iterdir()) == []


def test_too_small_a_disk_is_told_before_anything_is_written(
    make_gguf: Callable[..., Path], home: Path, checksums: Checksums, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9 - 4096, 4096))
    with pytest.raises(UserError, match=r"'Tiny' needs 1 MB on the disk of .* and 67 MB are kept free; 0 MB are free"):
        import_model(make_gguf(), home, checksums, copy=True)
    assert list(home.iterdir()) == []


def test_disk_that_fills_up_leaves_nothing(
    make_gguf: Callable[..., Path], home: Path, checksums: Checksums, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(importing, "flush_to_disk", full)
    with pytest.raises(UserError, match="are kept free"):
        import_model(make_gguf(), home, checksums, copy=True)
    assert list(home.iterdir()) == []


def test_copy_that_differs_is_refused(
    make_gguf: Callable[..., Path], home: Path, checksums: Checksums, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flip_a_byte(file: object) -> None:
        file.flush()  # type: ignore[attr-defined]
        with open(file.name, "r+b") as again:  # type: ignore[attr-defined]
            again.seek(100)
            again.write(b"\xff")

    monkeypatch.setattr(importing, "flush_to_disk", flip_a_byte)
    with pytest.raises(UserError, match="differs from the original"):
        import_model(make_gguf(), home, checksums, copy=True)
    assert list(home.iterdir()) == []


def test_what_a_dead_process_left_is_removed(home: Path) -> None:
    dead, ours, other = (
        home / ".unfinished-4000000000-0123456789ab",
        home / f".unfinished-{os.getpid()}-0123456789ab",
        home / ".unfinished-business",
    )
    for folder in (dead, ours, other):
        folder.mkdir()
    remove_unfinished(home)
    assert (dead.exists(), ours.exists(), other.exists()) == (False, True, True)


def test_files_outside_of_the_home_are_not_its_own(
    make_gguf: Callable[..., Path], home: Path, checksums: Checksums
) -> None:
    path = make_gguf()
    model = import_model(path, home, checksums)
    for claimed in (str(path), str(home / ".." / ".." / "tiny.gguf"), str(home)):
        assert own_place(msgspec.structs.replace(model, owned=True, path=claimed), home) is None


def test_checksums_are_remembered_until_the_file_changes(tmp_path: Path, checksums: Checksums) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"one")
    files = (str(path),)
    assert checksums.known(files) == ""
    assert checksums.compute(files) == hashlib.sha256(b"one").hexdigest()
    again = Checksums(tmp_path / "home" / "checksums.json")
    assert again.known(files) == hashlib.sha256(b"one").hexdigest()
    path.write_bytes(b"three")
    assert again.known(files) == ""
    assert again.compute(files) == hashlib.sha256(b"three").hexdigest()


def test_checksum_of_several_files_depends_on_each(tmp_path: Path, checksums: Checksums) -> None:
    files = []
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode())
        files.append(str(tmp_path / name))
    done: list[tuple[int, int]] = []
    both = checksums.compute(files, report=lambda now, total: done.append((now, total)))
    assert done[-1] == (2, 2)
    (tmp_path / "b").write_bytes(b"bb")
    assert checksums.compute(files) != both


def test_hashing_can_be_cancelled(tmp_path: Path, checksums: Checksums) -> None:
    (tmp_path / "a").write_bytes(b"a")
    context = RequestContext()
    context.cancel()
    with pytest.raises(errors.Cancelled):
        checksums.compute([str(tmp_path / "a")], context)


def test_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "checksums.json").write_text("{nonsense")
    (tmp_path / "a").write_bytes(b"a")
    checksums = Checksums(tmp_path / "checksums.json")
    assert checksums.compute([str(tmp_path / "a")]) == hashlib.sha256(b"a").hexdigest()
