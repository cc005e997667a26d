"""Backups of homes as released programs left them, and of one whose core is at work; restored and opened whole."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.test_stored_homes import *  # noqa: F403 - a restored home passes the same tests
from tests.e2e.test_stored_homes import FIXTURES, RELEASED
from tests.e2e.training_core import call, opened
from workbench.api import events
from workbench.api.client import Client
from workbench.api.ownership import read_key, read_owner
from workbench.api.protocol import RequestContext
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.cli import main
from workbench.subjects.backup.calls import BackUp, InspectBackup, RestoreBackup
from workbench.subjects.backup.restoring import open_backup, restore
from workbench.subjects.documents.calls import CreateCollection, ListCollections
from workbench.subjects.runs.calls import FollowRun, GetRun, ListRuns, RunRecord

WAIT_S = 30.0


@pytest.fixture(params=[*RELEASED, "now"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """A home as in ``test_stored_homes``, after a backup and a restore."""
    source = request.getfixturevalue("written") if request.param == "now" else FIXTURES / request.param
    original = Home(shutil.copytree(source, tmp_path / "original"))
    workbench = opened(original)
    run = call(workbench, BackUp(path=str(tmp_path / "b.zip")))
    ended = list(workbench.handle(FollowRun(run=run.id)))[-1]
    workbench.close()
    assert isinstance(ended, events.Finished), ended
    with open_backup(tmp_path / "b.zip") as backup:
        restore(backup, tmp_path / "home", RequestContext(), lambda event: None)
    shutil.rmtree(original.root)
    return Home(tmp_path / "home")


def done(client: Any, call: Any) -> dict[str, Any]:
    run: RunRecord = client.call(call)
    result: dict[str, Any] = client.call(FollowRun(run=run.id))
    assert client.call(GetRun(run=run.id)).state == "finished"
    return result


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[Any]:
    made: list[Client] = []

    def make(root: Path) -> Client:
        made.append(Client(Home(root), idle_s=600))
        return made[-1]

    yield make
    for one in made:
        one.close()
    for one in made:
        owner = read_owner(one.home)
        if owner is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                core = psutil.Process(owner.pid)
                core.terminate()
                core.wait(WAIT_S)


def test_a_home_in_use_is_backed_up_and_lives_on_beside_the_restored_one(tmp_path: Path, clients: Any) -> None:
    one = clients(tmp_path / "one")
    one.call(CreateCollection(name="Papers"))
    written = done(one, BackUp(path=str(tmp_path / "b.zip")))
    assert one.call(InspectBackup(path=str(tmp_path / "b.zip"))).files == written["summary"]["files"] > 0
    one.call(CreateCollection(name="Later"))
    done(one, RestoreBackup(path=str(tmp_path / "b.zip"), folder=str(tmp_path / "two")))
    two = clients(tmp_path / "two")
    assert [c.name for c in two.call(ListCollections()).collections] == ["Papers"]
    assert two.call(ListRuns()).runs == ()  # the backup itself was under way, which is no news
    assert [c.name for c in one.call(ListCollections()).collections] == ["Later", "Papers"]
    assert read_key(Home(tmp_path / "one")) != read_key(Home(tmp_path / "two"))


def test_a_restored_home_takes_the_place_of_the_one_in_use_when_its_core_has_left(tmp_path: Path, clients: Any) -> None:
    one = clients(tmp_path / "home")
    one.call(CreateCollection(name="Papers"))
    done(one, BackUp(path=str(tmp_path / "b.zip")))
    one.call(CreateCollection(name="Later"))
    done(one, RestoreBackup(path=str(tmp_path / "b.zip")))
    assert [c.name for c in one.call(ListCollections()).collections] == ["Later", "Papers"]
    owner = read_owner(Home(tmp_path / "home"))
    assert owner is not None
    core = psutil.Process(owner.pid)
    one.close()
    core.wait(WAIT_S)  # at once: it would stay for ten minutes else
    again = clients(tmp_path / "home")
    assert [c.name for c in again.call(ListCollections()).collections] == ["Papers"]
    [kept] = [path for path in tmp_path.iterdir() if path.name.startswith("home-before-")]
    assert [c.name for c in clients(kept).call(ListCollections()).collections] == ["Later", "Papers"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.zip", "home", kept.name]


def test_what_cannot_be_restored_is_refused_before_a_run_begins(tmp_path: Path) -> None:
    workbench = Workbench(Home(tmp_path / "home"))
    (tmp_path / "bad.zip").write_text("no backup")
    try:
        for restoring in (
            RestoreBackup(path=str(tmp_path / "bad.zip"), folder=str(tmp_path / "new")),
            RestoreBackup(path=str(tmp_path / "none.zip"), folder=str(tmp_path / "new")),
        ):
            with pytest.raises(UserError):
                call(workbench, restoring)
        with pytest.raises(UserError, match="is no backup, so it is not overwritten"):
            call(workbench, BackUp(path=str(tmp_path / "bad.zip")))
        assert (tmp_path / "bad.zip").read_text() == "no backup"
        assert call(workbench, ListRuns()).runs == ()
    finally:
        workbench.close()


def test_the_terminal_restores_without_a_core(tmp_path: Path, clients: Any, capsys: pytest.CaptureFixture[str]) -> None:
    one = clients(tmp_path / "one")
    one.call(CreateCollection(name="Papers"))
    out = str(tmp_path / "b.zip")
    assert main(["--home", str(tmp_path / "one"), "backup", out]) == 0
    assert f"{out} holds" in capsys.readouterr().out
    assert main(["--home", str(tmp_path / "two"), "restore", out, "--inspect"]) == 0
    assert f"It holds 1 file of {tmp_path / 'one'}" in capsys.readouterr().out
    assert not (tmp_path / "two").exists()
    assert main(["--home", str(tmp_path / "two"), "restore", out]) == 0
    assert not Home(tmp_path / "two").lock.exists()
    assert main(["--home", str(tmp_path / "two"), "restore", out]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert main(["--home", str(tmp_path / "one"), "restore", out, "--replace"]) == 1
    assert f"is in use by process {read_owner(Home(tmp_path / 'one')).pid}" in capsys.readouterr().err  # type: ignore[union-attr]
    assert main(["--home", str(tmp_path / "two"), "restore", out, "--replace"]) == 0
    assert "What was there before is in" in capsys.readouterr().out
    assert [c.name for c in clients(tmp_path / "two").call(ListCollections()).collections] == ["Papers"]
