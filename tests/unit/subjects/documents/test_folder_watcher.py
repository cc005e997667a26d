from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from workbench.subjects.documents.folder_watcher import Watching, changed_since

pytestmark = pytest.mark.slow  # it waits for the system's notices of changes

WAIT_S = 10.0
EventMessage = SimpleQueue[tuple[str, str]]


@pytest.fixture
def told() -> EventMessage:
    return SimpleQueue()


@pytest.fixture
def watching(tmp_path: Path, told: EventMessage) -> Iterator[Watching]:
    (tmp_path / "docs" / "home").mkdir(parents=True)
    watching = Watching(lambda *changed: told.put(changed), tmp_path / "docs" / "home", quiet_s=0.2)
    yield watching
    watching.close()


@pytest.fixture
def nothing_more(watching: Watching, told: EventMessage, tmp_path: Path) -> Callable[[], None]:
    """Sees to it that nothing was told and nothing is about to be: what came before the changes of another folder, the
    second of them made when the first was told, would have been told by then."""
    other = tmp_path / "other"
    other.mkdir()
    watching.watch("other", str(other))

    def check() -> None:
        for number in range(2):
            (other / f"{number}.txt").write_text("x")
            assert told.get(timeout=WAIT_S) == ("other", str(other))

    return check


def test_many_changes_at_once_are_told_once(
    watching: Watching, told: EventMessage, tmp_path: Path, nothing_more: Callable[[], None]
) -> None:
    docs = tmp_path / "docs"
    watching.watch("c", str(docs))
    for n in range(50):
        (docs / f"{n}.txt").write_text("x")
    assert told.get(timeout=WAIT_S) == ("c", str(docs))
    nothing_more()


@pytest.mark.parametrize("change", ["create below", "delete", "rename"])
def test_every_kind_of_change_is_noticed(watching: Watching, told: EventMessage, tmp_path: Path, change: str) -> None:
    docs = tmp_path / "docs"
    (docs / "sub").mkdir()
    (docs / "old.txt").write_text("x")
    watching.watch("c", str(docs))
    if change == "create below":
        (docs / "sub" / "new.txt").write_text("x")
    elif change == "delete":
        (docs / "old.txt").unlink()
    else:
        (docs / "old.txt").rename(docs / "newer.txt")
    assert told.get(timeout=WAIT_S) == ("c", str(docs))


def test_reading_is_no_change_and_neither_is_the_homes_own_writing(
    watching: Watching, tmp_path: Path, nothing_more: Callable[[], None]
) -> None:
    docs = tmp_path / "docs"
    (docs / "old.txt").write_text("x")
    watching.watch("c", str(docs))
    (docs / "old.txt").read_text()
    (docs / "home" / "workbench.sqlite").write_text("x")
    nothing_more()


def test_two_collections_watch_one_folder_until_they_stop(
    watching: Watching, told: EventMessage, tmp_path: Path, nothing_more: Callable[[], None]
) -> None:
    docs = str(tmp_path / "docs")
    for collection in ("a", "b"):
        watching.watch(collection, docs)
    watching.forget("a")
    (tmp_path / "docs" / "x.txt").write_text("x")
    assert told.get(timeout=WAIT_S) == ("b", docs)
    watching.unwatch("b", docs)
    (tmp_path / "docs" / "y.txt").write_text("y")
    nothing_more()


def test_a_folder_that_never_gets_quiet_is_told_all_the_same(
    tmp_path: Path, told: EventMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.subjects.documents.folder_watcher.LONGEST_WAIT_QUIETS", 2)
    (tmp_path / "docs").mkdir()
    watching = Watching(lambda *changed: told.put(changed), tmp_path / "home", quiet_s=0.3)
    watching.watch("c", str(tmp_path / "docs"))
    writes = 0
    with (tmp_path / "docs" / "busy.log").open("w") as log:
        while told.empty() and writes < 1_000_000:
            log.write("x")
            log.flush()
            writes += 1
    watching.close()
    assert told.get(timeout=WAIT_S) == ("c", str(tmp_path / "docs"))


def test_a_folder_that_is_gone_is_passed_over_and_watched_once_it_is_there(
    watching: Watching, told: EventMessage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    late = tmp_path / "late"
    watching.watch("c", str(late))
    assert f"{late} cannot be watched" in caplog.text
    late.mkdir()
    watching.watch("c", str(late))
    (late / "a.txt").write_text("x")
    assert told.get(timeout=WAIT_S) == ("c", str(late))
    watching.unwatch("c", str(tmp_path / "never"))  # one that is not watched


def test_what_changed_while_nobody_watched(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    file = tmp_path / "sub" / "a.txt"
    file.write_text("x")
    for path in (file, tmp_path / "sub", tmp_path):
        os.utime(path, (100, 100))
    assert not changed_since(str(tmp_path), 101)
    assert changed_since(str(tmp_path), 99)
    os.utime(file, (200, 200))
    assert changed_since(str(tmp_path), 101)
    file.unlink()
    assert changed_since(str(tmp_path), 101)
    assert changed_since(str(tmp_path / "nowhere"), 101)


def test_watching_another_folder_does_not_wait_for_changes_to_be_told(
    watching: Watching, told: EventMessage, tmp_path: Path
) -> None:
    docs, other = tmp_path / "docs", tmp_path / "other"
    other.mkdir()
    watching.watch("c", str(docs))
    done = threading.Event()

    def watch_and_stop() -> None:
        for _ in range(100):
            watching.watch("d", str(other))
            watching.unwatch("d", str(other))
        done.set()

    threading.Thread(target=watch_and_stop, daemon=True).start()
    file = docs / "busy.txt"
    deadline = time.monotonic() + WAIT_S
    while not done.is_set() and time.monotonic() < deadline:
        file.write_text("x")
    assert done.is_set()
    assert told.get(timeout=WAIT_S) == ("c", str(docs))
