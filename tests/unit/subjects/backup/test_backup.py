"""Backups: what they hold, that they are whole or refused, and that nothing is written that they do not list."""

from __future__ import annotations

import json
import os
import shutil
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.api.events import Event, Progress
from workbench.api.ownership import HomeLock
from workbench.api.protocol import RequestContext
from workbench.base.errors import Cancelled, UserError
from workbench.base.paths import Home
from workbench.records.backup import Manifest, ModelElsewhere
from workbench.storage.database import open_home
from workbench.subjects.backup import restoring, writing
from workbench.subjects.backup.restoring import open_backup, put_in_place, restore
from workbench.subjects.backup.service import Backups
from workbench.subjects.backup.writing import Extent, left_without, write_backup
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.runs.store import RunStore

OTHERS = (
    "core.lock", "core.key", "core.key.123", "api.key", "logs/core.log", "models/half.gguf.part", "recipes/new.toml~",
    "adapters/.unfinished-1/x", "backups/old.backup", "updates/installer.deb",
)  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    database = open_home(home)
    ChatStore(database).rename(ChatStore(database).create().id, "Bridges")
    runs = RunStore(database)
    for state in ("finished", "running", "queued"):
        run = runs.add("data", f"A {state} run", {})
        runs.update(run.id, state=state)
        (home.run(run.id)).mkdir()
        (home.run(run.id) / "events.jsonl").write_text(state)
    database.close()
    (home.models / "big").mkdir()
    (home.models / "big" / "model.gguf").write_bytes(os.urandom(3_000_000))
    (home.recipes / "précis.toml").write_text("schema = 1\n", "utf-8")
    (home.root / "settings.toml").write_text("format = 2\n")
    for name in OTHERS:
        (home.root / name).parent.mkdir(parents=True, exist_ok=True)
        (home.root / name).write_text("not of the backup")
    return home


def ignore(event: Event) -> None:
    pass


def back_up(home: Home, out: Path, extent: Extent | None = None, report: Callable[[Event], None] = ignore) -> Manifest:
    return write_backup(home, out, extent or Extent(), RequestContext(), report)


def restored(out: Path, root: Path) -> Any:
    with open_backup(out) as backup:
        return restore(backup, root, RequestContext(), ignore)


def files_of(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def titles(home: Home) -> tuple[list[str], list[str]]:
    database = open_home(home)
    found = [chat.title for chat in ChatStore(database).list_chats()]
    runs = [run.title for run in RunStore(database).list_runs()]
    database.close()
    return found, runs


def test_a_home_comes_back_without_what_belongs_to_its_machine_and_moment(home: Home, tmp_path: Path) -> None:
    manifest = back_up(home, tmp_path / "b.zip")
    result = restored(tmp_path / "b.zip", tmp_path / "again")
    names = {file.name for file in manifest.files}
    run = next(path.name for path in home.runs.iterdir() if (path / "events.jsonl").read_text() == "finished")
    assert names == {
        "workbench.sqlite", "settings.toml", "models/big/model.gguf", "recipes/précis.toml", f"runs/{run}/events.jsonl",
    }  # fmt: skip
    again = files_of(tmp_path / "again")
    assert set(again) == names
    assert again["models/big/model.gguf"] == (home.models / "big" / "model.gguf").read_bytes()
    assert (tmp_path / "again" / "settings.toml").stat().st_mtime_ns == home.settings.stat().st_mtime_ns
    assert titles(Home(tmp_path / "again")) == (["Bridges"], ["A finished run"])
    assert {one.name for one in manifest.left_out} == {"A running run", "A queued run"}
    assert (result.summary.files, result.unwatched) == (5, ())
    assert titles(home)[1] == ["A queued run", "A running run", "A finished run"]  # the home is as it was
    assert os.name == "nt" or (tmp_path / "b.zip").stat().st_mode & 0o077 == 0


def test_a_person_can_open_it_as_a_zip_file(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert archive.testzip() is None
        assert archive.read("home/settings.toml") == b"format = 2\n"
        assert json.loads(archive.read("manifest.json"))["format"] == 1


def test_a_database_in_use_is_copied_as_it_is_at_one_moment(home: Home, tmp_path: Path) -> None:
    database = open_home(home)
    database.execute("create table pairs (n integer)")
    stopped = threading.Event()

    def write() -> None:
        while not stopped.is_set():
            with database.transaction() as connection:
                for _ in range(2):
                    list(connection.execute("insert into pairs values (1)"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(10):
            back_up(home, tmp_path / f"{number}.zip")
    finally:
        stopped.set()
        writer.join()
        database.close()
    for number in range(10):
        restored(tmp_path / f"{number}.zip", tmp_path / f"{number}")
        copy = open_home(Home(tmp_path / f"{number}"))
        assert copy.row("pragma integrity_check") == ("ok",)
        assert copy.row("select count(*) % 2 from pairs") == (0,)
        copy.close()


def test_what_is_left_out_or_elsewhere_is_named(home: Home, tmp_path: Path) -> None:
    folders = frozenset({home.models / "big"})
    elsewhere = (ModelElsewhere(name="Mine", path="/other/mine.gguf", bytes=5),)
    extent = Extent(folders, left_without(folders, home, "It can be downloaded again."), elsewhere)
    if os.name != "nt":
        (home.root / "datasets").symlink_to(tmp_path)
    manifest = back_up(home, tmp_path / "b.zip", extent)
    assert not any(file.name.startswith(("models/", "datasets")) for file in manifest.files)
    said = {one.name: (one.reason, one.bytes) for one in manifest.left_out}
    assert said["models/big"] == ("It can be downloaded again.", 3_000_000)
    assert os.name == "nt" or "is a link to" in said["datasets"][0]
    assert manifest.elsewhere == elsewhere


def test_progress_is_told_and_a_stop_leaves_nothing(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "PROGRESS_EVERY_S", 0.0)
    monkeypatch.setattr(restoring, "PROGRESS_EVERY_S", 0.0)
    told: list[Progress] = []
    out = tmp_path / "out" / "b.zip"
    back_up(home, out, report=told.append)  # type: ignore[arg-type]
    assert told[-1].done == told[-1].total > 3_000_000
    assert [one.done for one in told] == sorted(one.done for one in told)
    context = RequestContext()
    before = out.read_bytes()
    with pytest.raises(Cancelled):
        write_backup(home, out, Extent(), context, lambda event: context.cancel())
    assert [path.name for path in out.parent.iterdir()] == ["b.zip"]
    assert out.read_bytes() == before
    context = RequestContext()
    with open_backup(out) as backup, pytest.raises(Cancelled):
        restore(backup, tmp_path / "again", context, lambda event: context.cancel())
    assert not list(tmp_path.glob("*again*")) + list(tmp_path.glob(".unfinished*"))


def test_a_place_within_the_home_or_without_room_is_refused(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="in the data folder itself"):
        back_up(home, home.root / "b.zip")
    back_up(home, tmp_path / "b.zip")
    monkeypatch.setattr("workbench.base.durability.free_bytes", lambda folder: 100_000_000)
    for work in (lambda: back_up(home, tmp_path / "c.zip"), lambda: restored(tmp_path / "b.zip", tmp_path / "again")):
        with pytest.raises(UserError, match=r"needs \d MB .* and 200 MB are kept free; 100 MB are free"):
            work()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.zip", "home"]


def test_nothing_that_is_there_is_overwritten(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b.zip")
    with pytest.raises(UserError, match="not empty"):
        restored(tmp_path / "b.zip", home.root)
    (tmp_path / "empty").mkdir()
    restored(tmp_path / "b.zip", tmp_path / "empty")
    assert titles(Home(tmp_path / "empty"))[0] == ["Bridges"]


def test_a_home_that_is_replaced_is_kept_beside(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b.zip")
    (home.root / "later.txt").write_text("later")
    restored(tmp_path / "b.zip", tmp_path / "again")
    kept = put_in_place(tmp_path / "again", home.root, locked(home))
    assert (kept / "later.txt").exists()
    assert not Home(kept).replaced_by.exists()
    assert not (home.root / "later.txt").exists()
    assert titles(home)[0] == ["Bridges"]


def locked(home: Home) -> HomeLock:
    lock = HomeLock.acquire(home)
    assert lock is not None
    return lock


def test_no_core_starts_in_a_home_while_another_one_takes_its_place(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.name == "nt":
        pytest.skip("Windows moves no folder with an open file")
    back_up(home, tmp_path / "b.zip")
    restored(tmp_path / "b.zip", tmp_path / "again")
    rename, others = Path.rename, []

    def look(path: Path, target: Any) -> Path:
        if path == home.root:
            others.append(HomeLock.acquire(home))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", look)
    put_in_place(tmp_path / "again", home.root, locked(home))
    assert others == [None]
    locked(home).release()


@pytest.mark.parametrize("fatal", [True, False], ids=["killed", "refused"])
def test_a_replacement_that_stops_in_its_middle_loses_no_home(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fatal: bool
) -> None:
    back_up(home, tmp_path / "b.zip")
    (home.root / "later.txt").write_text("later")
    again = tmp_path / "again"
    restored(tmp_path / "b.zip", again)
    rename = Path.rename

    def stop(path: Path, target: Any) -> Path:
        if path == again:
            raise KeyboardInterrupt if fatal else PermissionError(13, "Permission denied")
        return rename(path, target)

    lock = locked(home)
    monkeypatch.setattr(Path, "rename", stop)
    with pytest.raises(KeyboardInterrupt if fatal else UserError):
        put_in_place(again, home.root, lock)
    monkeypatch.setattr(Path, "rename", rename)
    assert home.root.exists() == (not fatal)
    home.create()
    assert titles(home)[0] == ["Bridges"]
    assert (home.root / "later.txt").exists() == (not fatal)
    assert home.replacement is None
    assert again.exists() == (not fatal)


def tampered(source: Path, out: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> Path:
    """A backup whose manifest and members are changed, and which is otherwise sound."""
    with zipfile.ZipFile(source) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    manifest = json.loads(members.pop("manifest.json"))
    change(manifest, members)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr("manifest.json", json.dumps(manifest))
    return out


def rename_to(name: str) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    def change(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        [file] = [file for file in manifest["files"] if file["name"] == "settings.toml"]
        members[f"home/{name}"] = members.pop(f"home/{file['name']}")
        file["name"] = name

    return change


def swell(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    members["home/settings.toml"] = bytes(50_000_000)


def swell_both(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    swell(manifest, members)
    next(file for file in manifest["files"] if file["name"] == "settings.toml")["bytes"] = 50_000_000


def add_unlisted(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    members["home/extra.txt"] = b"x"


def drop_listed(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    del members["home/settings.toml"]


def drop_database(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    del members["home/workbench.sqlite"]
    manifest["files"] = [file for file in manifest["files"] if file["name"] != "workbench.sqlite"]


def change_byte(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    members["home/settings.toml"] = b"format = 1\n"


def newer_format(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    manifest["format"] = 99


def newer_schema(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    manifest["schema"] = 9999


BAD: dict[str, tuple[Callable[[dict[str, Any], dict[str, bytes]], None], str]] = {
    "above": (rename_to("../evil.txt"), "no name of a file"),
    "root": (rename_to("/tmp/evil.txt"), "no name of a file"),
    "inside above": (rename_to("models/../../evil.txt"), "no name of a file"),
    "double": (rename_to("models//evil.txt"), "no name of a file"),
    "key": (rename_to("core.key"), "no name of a file"),
    "swelling": (swell, "has not the size"),
    "swelling as listed": (swell_both, "damaged"),
    "unlisted": (add_unlisted, "not those that its manifest lists"),
    "missing": (drop_listed, "not those that its manifest lists"),
    "no database": (drop_database, "no database of a home"),
    "one byte": (change_byte, "settings.toml is damaged"),
    "newer format": (newer_format, "newer version"),
    "newer schema": (newer_schema, "newer than this one"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_backup_that_is_not_as_its_manifest_says_restores_nothing(home: Home, tmp_path: Path, name: str) -> None:
    change, reason = BAD[name]
    back_up(home, tmp_path / "b.zip")
    bad = tampered(tmp_path / "b.zip", tmp_path / "bad.zip", change)
    with pytest.raises(UserError, match=reason):
        restored(bad, tmp_path / "deep" / "again")
    assert not list((tmp_path / "deep").glob("*"))
    assert not list(tmp_path.rglob("evil.txt"))


def test_a_link_in_a_backup_is_refused(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as source, zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad:
        for info in source.infolist():
            content = source.read(info)
            if info.filename == "home/settings.toml":
                info.external_attr = 0o120777 << 16
            bad.writestr(info, content)
    with pytest.raises(UserError, match=r"settings\.toml is not a file"):
        restored(tmp_path / "bad.zip", tmp_path / "again")


def test_every_truncated_or_altered_backup_is_refused(home: Home, tmp_path: Path) -> None:
    shutil.rmtree(home.models / "big")
    back_up(home, tmp_path / "b.zip")
    whole = (tmp_path / "b.zip").read_bytes()
    bad = tmp_path / "bad.zip"
    for share in range(0, 100, 7):
        bad.write_bytes(whole[: len(whole) * share // 100])
        with pytest.raises(UserError):
            restored(bad, tmp_path / "again")
    sound = {name: content for name, content in files_of(tmp_path / "home").items() if name == "settings.toml"}
    for place in range(0, len(whole), max(1, len(whole) // 60)):
        bad.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            restored(bad, tmp_path / "again")
        except UserError:
            assert not (tmp_path / "again").exists()
        else:  # a byte that nothing depends on, such as a date
            assert files_of(tmp_path / "again").items() >= sound.items()
            assert titles(Home(tmp_path / "again"))[0] == ["Bridges"]
            shutil.rmtree(tmp_path / "again")


def test_folders_whose_documents_are_not_here_are_watched_no_longer(home: Home, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    database = open_home(home)
    registry = CollectionRegistry(database)
    collection = registry.create("Papers")
    for path in (tmp_path / "here", tmp_path / "gone"):
        registry.add_root(collection.id, str(path), watched=True)
    database.close()
    back_up(home, tmp_path / "b.zip")
    result = restored(tmp_path / "b.zip", tmp_path / "again")
    assert result.unwatched == (str(tmp_path / "gone"),)
    database = open_home(Home(tmp_path / "again"))
    assert [root.path for root in CollectionRegistry(database).list_watched()] == [str(tmp_path / "here")]
    database.close()


def test_what_a_killed_backup_left_looks_like_none_and_goes_with_the_next(home: Home, tmp_path: Path) -> None:
    left = tmp_path / ".b.zip.999999999.part"
    left.write_bytes(b"PK half of it")
    half = tmp_path / ".unfinished-again-restored"
    half.mkdir()
    (half / "workbench.sqlite").write_text("half")
    with pytest.raises(UserError, match="not a whole backup"):
        restored(left, tmp_path / "again")
    back_up(home, tmp_path / "b.zip")
    restored(tmp_path / "b.zip", tmp_path / "again")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "b.zip", "home"]


def clash(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    rename_to("settings.toml/inner")(manifest, members)
    [file] = [file for file in manifest["files"] if file["name"] == "settings.toml/inner"]
    manifest["files"].append({**file, "name": "settings.toml"})
    members["home/settings.toml"] = members["home/settings.toml/inner"]


def endless_time(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    manifest["created"] = 1e300


def test_a_file_that_is_a_folder_too_and_a_time_beyond_calendars_are_refused(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b.zip")
    with pytest.raises(UserError, match="both a file and a folder"):
        restored(tampered(tmp_path / "b.zip", tmp_path / "clash.zip", clash), tmp_path / "again")
    with pytest.raises(UserError, match="created"):
        restored(tampered(tmp_path / "b.zip", tmp_path / "time.zip", endless_time), tmp_path / "again")


def test_a_file_whose_time_no_system_knows_is_restored_with_another_one(home: Home, tmp_path: Path) -> None:
    def change(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        manifest["files"][0]["mtime_ns"] = 10**30

    back_up(home, tmp_path / "b.zip")
    restored(tampered(tmp_path / "b.zip", tmp_path / "time.zip", change), tmp_path / "again")
    assert titles(Home(tmp_path / "again"))[0] == ["Bridges"]


def test_a_file_from_the_next_century_is_backed_up_with_its_time(home: Home, tmp_path: Path) -> None:
    late = 5_000_000_000 * 10**9  # in 2128; zip files end in 2107
    os.utime(home.settings, ns=(late, late))
    back_up(home, tmp_path / "b.zip")
    restored(tmp_path / "b.zip", tmp_path / "again")
    assert (tmp_path / "again" / "settings.toml").stat().st_mtime_ns == late


def test_what_cannot_be_read_as_a_zip_file_of_ours_is_refused_with_the_reason(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b.zip")
    with pytest.raises(UserError, match="cannot be read"), open_backup(tmp_path):
        pass
    names = (tmp_path / "b.zip").read_bytes().replace("précis".encode(), b"pr\xff\xffcis")
    (tmp_path / "names.zip").write_bytes(names)
    with pytest.raises(UserError, match="not a whole backup"), open_backup(tmp_path / "names.zip"):
        pass
    with zipfile.ZipFile(tmp_path / "b.zip") as source, zipfile.ZipFile(tmp_path / "xz.zip", "w", 14) as archive:
        for info in source.infolist():
            archive.writestr(info.filename, source.read(info))
    with pytest.raises(UserError, match="compressed in another way"), open_backup(tmp_path / "xz.zip"):
        pass


def test_an_error_while_a_backup_is_open_is_not_taken_for_one_of_its_file(home: Home, tmp_path: Path) -> None:
    back_up(home, tmp_path / "b.zip")
    with pytest.raises(FileNotFoundError, match="another"), open_backup(tmp_path / "b.zip"):
        raise FileNotFoundError("another")


def test_a_damaged_collection_is_restored_as_it_was(home: Home, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    database = open_home(home)
    registry = CollectionRegistry(database)
    collection = registry.create("Papers")
    registry.add_root(collection.id, str(tmp_path / "here"), watched=True)
    database.close()
    home.collection(collection.id).write_bytes(b"no database at all" * 500)
    back_up(home, tmp_path / "b.zip")
    assert restored(tmp_path / "b.zip", tmp_path / "again").unwatched == ()
    again = Home(tmp_path / "again")
    assert again.collection(collection.id).read_bytes() == home.collection(collection.id).read_bytes()


def test_a_folder_that_cannot_be_read_is_named(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def refuse(folder: Any) -> Any:
        if Path(folder).name == "big":
            raise PermissionError(13, "Permission denied", str(folder))
        return scan(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UserError, match="big cannot be read: Permission denied"):
        back_up(home, tmp_path / "b.zip")


def test_what_killed_runs_left_is_removed_and_nothing_of_another_home(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [tmp_path / name for name in (".unfinished-home2-restored", ".unfinished-home2-restored-1-restored")]
    own = [tmp_path / name for name in (".unfinished-home-restored-20261129-1-restored", ".unfinished-new-restored")]
    for folder in (*others, *own):
        folder.mkdir()
    database = open_home(home)
    store = RunStore(database)
    runs = [
        store.add("restore", "", {"path": "b.zip", "folder": ""}),
        store.add("restore", "", {"path": "b.zip", "folder": str(tmp_path / "new")}),
        store.add("backup", "", {"path": str(tmp_path / "b.zip")}),
    ]
    (tmp_path / ".b.zip.999999999.part").write_bytes(b"half")

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(30, "Read-only file system", str(path))

    backups = Backups(home, ModelCatalogue(database, home.models), database)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        backups.remove_unfinished(runs)  # a core starts also where it cannot clean up
    assert [folder.exists() for folder in (*others, *own)] == [True, True, False, False]
    backups.remove_unfinished(runs)
    assert not (tmp_path / ".b.zip.999999999.part").exists()
    database.close()
