"""The queue of runs, with kinds that do what the test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.base.errors import Cancelled, UserError, WorkerDied
from workbench.base.paths import Home
from workbench.core.change_notifier import ChangeNotifier
from workbench.storage.database import Database, open_home
from workbench.subjects.runs.calls import FollowRun, RunRecord
from workbench.subjects.runs.kinds import OpenRun, RunKind
from workbench.subjects.runs.log import RunLog
from workbench.subjects.runs.queue import Runs
from workbench.subjects.runs.store import RunStore

WAIT_S = 10.0


class Kind(RunKind):
    """Runs of one concurrency group for each value of ``concurrency_group`` in their config; ``work`` is the test's."""

    def __init__(self, work: Callable[[OpenRun], Event], *, auto_resume: bool = False, resumable: bool = True) -> None:
        self._work = work
        self.auto_resume = auto_resume
        self.resumable = resumable

    def concurrency_group(self, run: RunRecord) -> str:
        if run.config.get("gone"):
            raise UserError("It has gone.")
        return str(run.config.get("concurrency group", ""))

    def work(self, run: OpenRun) -> Event:
        return self._work(run)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_home(Home(tmp_path))
    yield database
    database.close()


def queue(database: Database, tmp_path: Path, **kinds: Kind) -> Runs:
    return Runs(Home(tmp_path), RunStore(database), ChangeNotifier(), kinds)  # type: ignore[arg-type]


def ended(runs: Runs, run: str) -> Event:
    return list(runs.follow(FollowRun(run=run), RequestContext()))[-1]


def wait_cancelled(run: OpenRun) -> Event:
    run.emit(events.Progress(stage="waiting", done=1, total=4))
    run.context.wait_cancelled(WAIT_S)
    raise Cancelled


def test_runs_of_one_lane_go_one_after_the_other_and_lanes_side_by_side(database: Database, tmp_path: Path) -> None:
    together = threading.Barrier(2, timeout=WAIT_S)
    working: list[str] = []

    def work(run: OpenRun) -> Event:
        concurrency_group = run.record.config["concurrency group"]
        assert concurrency_group not in working
        working.append(concurrency_group)
        together.wait()  # passes only when the other concurrency group works too
        working.remove(concurrency_group)
        return events.Finished(result={"concurrency group": concurrency_group})

    runs = queue(database, tmp_path, data=Kind(work))
    added = [
        runs.add("data", "x", {"concurrency group": concurrency_group, "number": n})
        for n in range(2)
        for concurrency_group in ("a", "b")
    ]
    assert {type(ended(runs, run.id)) for run in added} == {events.Finished}
    assert not runs.busy


def test_a_run_that_ends_just_as_it_is_followed_keeps_its_result(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, over = threading.Event(), threading.Event()

    def work(run: OpenRun) -> Event:
        looked.wait(WAIT_S)
        return events.Finished(result={"path": "out"})

    store = RunStore(database)
    notifier = ChangeNotifier()
    runs = Runs(Home(tmp_path), store, notifier, {"export": Kind(work)})  # type: ignore[dict-item]
    run = runs.add("export", "x", {})
    get = store.get

    def get_and_end(id: str) -> RunRecord:
        """The first look is before the end of the run; it is over when the caller goes on."""
        record = get(id)
        if threading.current_thread() is threading.main_thread() and not looked.is_set():
            looked.set()
            assert over.wait(WAIT_S)
        return record

    def look_for_the_end() -> None:
        looked.wait(WAIT_S)
        while runs.busy:
            over.wait(0.01)
        over.set()

    monkeypatch.setattr(store, "get", get_and_end)
    threading.Thread(target=look_for_the_end, daemon=True).start()
    last = ended(runs, run.id)
    assert isinstance(last, events.Finished)
    assert last.result == {"path": "out"}


def test_a_run_that_waits_already_is_not_queued_twice(database: Database, tmp_path: Path) -> None:
    runs = queue(database, tmp_path, data=Kind(wait_cancelled))
    first = runs.add("data", "x", {})
    second = runs.add("data", "x", {}, once=True)  # the first one works already
    assert second.id != first.id
    assert runs.add("data", "x", {}, once=True).id == second.id
    assert runs.add("data", "x", {}).id != second.id
    runs.close()


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (UserError("No.", "Do."), "failed"),
        (ZeroDivisionError(), "failed"),
        (WorkerDied("training", -11), "interrupted"),
    ],
    ids=["user", "bug", "worker"],
)
def test_what_the_work_raises_is_how_the_run_ended(
    database: Database, tmp_path: Path, error: Exception, state: str
) -> None:
    def work(run: OpenRun) -> Event:
        raise error

    runs = queue(database, tmp_path, data=Kind(work))
    run = runs.add("data", "x", {})
    assert isinstance(ended(runs, run.id), events.Failed)
    record = runs.get(run.id)
    assert (record.state, record.resumable) == (state, True)


def test_what_does_not_go_on_is_not_said_to(database: Database, tmp_path: Path) -> None:
    def work(run: OpenRun) -> Event:
        raise UserError("No.")

    runs = queue(database, tmp_path, data=Kind(work, resumable=False))
    run = runs.add("data", "x", {})
    ended(runs, run.id)
    assert not runs.get(run.id).resumable
    runs.resume(run.id)  # begins anew
    ended(runs, run.id)


def test_what_an_earlier_core_left_is_taken_up_or_marked(database: Database, tmp_path: Path) -> None:
    kinds = {"ingest": Kind(wait_cancelled, auto_resume=True), "train": Kind(wait_cancelled)}
    before = queue(database, tmp_path, **kinds)
    ids = {kind: [before.add(kind, kind, {}).id for _ in range(2)] for kind in kinds}  # type: ignore[arg-type]
    before.close()
    now = queue(database, tmp_path, **kinds)
    now.recover()
    assert all(now.is_open(run) for run in ids["ingest"])
    assert [now.get(run).state for run in ids["train"]] == ["interrupted"] * 2
    assert not any(now.is_open(run) for run in ids["train"])
    now.resume_interrupted()
    assert not any(now.is_open(run) for run in ids["train"])
    now.close()


def test_a_run_whose_matter_has_gone_does_not_stop_the_others(database: Database, tmp_path: Path) -> None:
    store = RunStore(database)
    gone, there = store.add("ingest", "x", {"gone": True}), store.add("ingest", "x", {})
    runs = queue(database, tmp_path, ingest=Kind(wait_cancelled, auto_resume=True))
    runs.recover()
    assert not runs.is_open(gone.id)
    assert runs.is_open(there.id)
    runs.close()


def test_only_what_computes_and_can_wait_is_paused(database: Database, tmp_path: Path) -> None:
    runs = queue(database, tmp_path, data=Kind(wait_cancelled))
    run = runs.add("data", "Papers", {})
    with pytest.raises(UserError, match="'Papers' cannot be paused"):
        runs.pause(run.id)
    with pytest.raises(UserError, match="no run"):
        runs.pause("nope")
    runs.stop(run.id)
    assert isinstance(ended(runs, run.id), events.Cancelled)
    with pytest.raises(UserError, match="computing"):
        runs.pause(run.id)


def test_a_run_is_removed_with_its_folder_once_it_has_ended(database: Database, tmp_path: Path) -> None:
    runs = queue(database, tmp_path, data=Kind(wait_cancelled))
    run = runs.add("data", "x", {}, prepare=lambda folder, log: (folder / "extra").write_text("x"))  # type: ignore[arg-type]
    with pytest.raises(UserError, match="still running or waiting"):
        runs.remove(run.id)
    assert (runs.folder(run.id) / "extra").is_file()
    runs.stop(run.id)
    ended(runs, run.id)
    runs.remove(run.id)
    assert not runs.folder(run.id).exists()
    with pytest.raises(UserError, match="no run"):
        runs.get(run.id)


def test_a_run_that_cannot_be_queued_again_is_as_it_was(database: Database, tmp_path: Path) -> None:
    runs = queue(database, tmp_path, data=Kind(wait_cancelled))
    run = runs.add("data", "Papers", {})
    runs.stop(run.id)
    ended(runs, run.id)
    log = runs.folder(run.id) / "events.jsonl"
    log.unlink()
    log.mkdir()  # as good as a file that cannot be opened
    with pytest.raises(UserError, match="'Papers' cannot be resumed"):
        runs.resume(run.id)
    assert (runs.get(run.id).state, runs.get(run.id).resumable) == ("cancelled", True)
    assert not runs.list_open()


def test_an_end_that_the_disk_has_no_room_for_is_not_taken_for_still_running(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = RunLog.append

    def full(log: RunLog, event: Event) -> None:
        if isinstance(event, events.TERMINAL):
            raise UserError("The disk is full.", "Free some space.")
        append(log, event)

    monkeypatch.setattr(RunLog, "append", full)
    runs = queue(database, tmp_path, data=Kind(lambda run: events.Finished()))
    run = runs.add("data", "x", {})
    assert isinstance(ended(runs, run.id), events.Failed)
    record = runs.get(run.id)
    assert (record.state, record.message) == ("interrupted", "The disk is full. Free some space.")


@pytest.mark.parametrize("error", [UserError("The database is used."), RuntimeError("a bug")], ids=["user", "bug"])
def test_an_end_that_cannot_be_stored_does_not_keep_the_next_run_waiting(
    database: Database, tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def work(run: OpenRun) -> Event:
        assert go_on.wait(WAIT_S)
        return events.Finished(result={})

    def update(store: RunStore, run: str, **fields: Any) -> RunRecord:
        if fields.get("state") == "finished" and store.get(run).config == {"number": 0}:
            raise error
        return stored(store, run, **fields)

    stored = RunStore.update
    monkeypatch.setattr(RunStore, "update", update)
    runs = queue(database, tmp_path, data=Kind(work))
    first, second = (runs.add("data", "x", {"number": number}) for number in range(2))
    go_on.set()
    assert isinstance(ended(runs, second.id), events.Finished)
    assert not runs.busy
    assert [(run.state, run.resumable) for run in map(runs.get, (first.id, second.id))] == [
        ("interrupted", True),
        ("finished", False),
    ]
    assert not runs.list_open()


def test_what_a_core_left_of_a_removed_run_goes_when_the_next_one_starts(database: Database, tmp_path: Path) -> None:
    left = tmp_path / "runs" / ".removed-1"
    left.mkdir(parents=True)
    queue(database, tmp_path, data=Kind(wait_cancelled)).recover()
    assert not left.exists()


def test_a_run_that_ends_in_an_evaluation_is_as_far_as_its_steps(database: Database, tmp_path: Path) -> None:
    def work(run: OpenRun) -> Event:
        run.emit(events.Progress(stage="training", done=20, total=40, unit="steps"))
        run.emit(events.Progress(stage="evaluating", done=1, total=10, unit="examples"))
        raise WorkerDied("training", 1, "")

    runs = queue(database, tmp_path, train=Kind(work))
    run = runs.add("train", "x", {})
    ended(runs, run.id)
    assert runs.get(run.id).progress == 0.5
