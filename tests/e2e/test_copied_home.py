"""Homes that are copied, moved or reached by several names: each folder has a core of its own, and only that one."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from multiprocessing.connection import Client as connect  # noqa: N813
from pathlib import Path
from typing import Any

import psutil
import pytest

from workbench import __version__
from workbench.api import wire
from workbench.api.client import Client
from workbench.api.ownership import folder_identity, read_key, read_owner
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.subjects.documents.calls import CreateCollection, ListCollections, RemoveCollection
from workbench.subjects.runs.calls import GetStatus

WAIT_S = 30.0
MakeClient = Callable[[Path], Client]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX copies and links")


@pytest.fixture
def client() -> Iterator[MakeClient]:
    """Makes clients of homes, whose cores are ended with the test."""
    made: list[Client] = []
    pids: set[int] = set()

    def make(root: Path, **options: Any) -> Client:
        one = Client(Home(root), idle_s=600, **options)
        made.append(one)
        one.call(GetStatus())
        owner = read_owner(Home(root))
        assert owner is not None
        pids.add(owner.pid)
        return one

    yield make
    for one in made:
        one.close()
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            core = psutil.Process(pid)
            core.terminate()
            core.wait(WAIT_S)


def names(client: Client) -> list[str]:
    return [one.name for one in client.call(ListCollections()).collections]


def pid_of(root: Path) -> int:
    owner = read_owner(Home(root))
    assert owner is not None
    return owner.pid


def copied(root: Path, *options: str) -> Path:
    copy = root.with_name("copy")
    subprocess.run(["cp", "-a", *options, str(root), str(copy)], check=True)
    return copy


@pytest.mark.parametrize("depth", ["home", "h" * 100], ids=["short", "socket elsewhere"])
def test_a_home_that_was_copied_under_its_core_is_another_home(tmp_path: Path, client: MakeClient, depth: str) -> None:
    root = tmp_path / depth
    original = client(root)
    original.call(CreateCollection(name="Papers"))
    copy = copied(root)
    assert read_owner(Home(copy)) is None  # what the lock file says is of another folder
    other = client(copy)
    assert names(other) == ["Papers"]
    assert pid_of(copy) != pid_of(root)
    assert read_key(Home(copy)) != read_key(Home(root))
    removed = other.call(ListCollections()).collections[0].id
    other.call(RemoveCollection(collection=removed))
    other.call(CreateCollection(name="Of the copy"))
    original.call(CreateCollection(name="Of the original"))
    assert names(other) == ["Of the copy"]
    assert sorted(names(original)) == ["Of the original", "Papers"]


def test_a_copy_of_hard_links_is_refused(tmp_path: Path, client: MakeClient) -> None:
    client(tmp_path / "home").call(CreateCollection(name="Papers"))
    copy = copied(tmp_path / "home", "-l")
    with pytest.raises(UserError, match="another folder"):
        client(copy)


def test_a_core_refuses_a_client_that_means_another_home(tmp_path: Path, client: MakeClient) -> None:
    client(tmp_path / "home")
    home = Home(tmp_path / "home")
    key = read_key(home)
    assert key is not None
    for identity in (folder_identity(tmp_path), ""):
        link = connect(home.address, authkey=key)
        link.send_bytes(wire.encode(wire.Hello(__version__, home=identity)))
        answer = wire.decode_to_client.decode(link.recv_bytes())
        link.close()
        assert isinstance(answer, wire.Refused)
        assert "another folder" in answer.message
        assert not answer.leaving


def test_a_home_has_one_core_under_all_its_names(tmp_path: Path, client: MakeClient) -> None:
    client(tmp_path / "home").call(CreateCollection(name="Papers"))
    (tmp_path / "link").symlink_to(tmp_path / "home")
    assert names(client(tmp_path / "link")) == ["Papers"]
    assert pid_of(tmp_path / "link") == pid_of(tmp_path / "home")


def test_a_home_that_is_moved_under_its_core_gets_a_core_at_its_new_place(tmp_path: Path, client: MakeClient) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    before = client(old)
    before.call(CreateCollection(name="Papers"))
    core = psutil.Process(pid_of(old))
    old.rename(new)
    core.wait(WAIT_S)  # it notices
    assert names(client(new)) == ["Papers"]
    with pytest.raises(UserError, match="moved or deleted"):
        before.call(ListCollections())  # and makes no new home at the old place
    assert not old.exists()


def test_the_key_of_a_home_is_new_with_each_core(tmp_path: Path, client: MakeClient) -> None:
    root = tmp_path / "home"
    one = client(root)
    key = read_key(Home(root))
    core = psutil.Process(pid_of(root))
    core.terminate()
    core.wait(WAIT_S)
    assert isinstance(one.call(GetStatus()).version, str)
    client(root)
    assert read_key(Home(root)) not in (None, key)


def test_an_unlocked_lock_file_of_a_living_process_names_no_owner(tmp_path: Path, client: MakeClient) -> None:
    client(tmp_path / "home")
    (tmp_path / "other").mkdir()
    shutil.copy(Home(tmp_path / "home").lock, Home(tmp_path / "other").lock)
    assert read_owner(Home(tmp_path / "other")) is None
    assert os.getpid() not in (pid_of(tmp_path / "home"),)
