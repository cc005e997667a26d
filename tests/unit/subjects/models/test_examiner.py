"""When exams start by themselves: once a model has none and the machine has been idle, and not again once stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from tests.fakes import MODEL
from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.base.paths import Home
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.preferences import Preferences
from workbench.records.exam import EXAM_VERSION, ExamResult
from workbench.storage.database import open_home
from workbench.subjects.evaluation import exam as examiner
from workbench.subjects.evaluation.exam import Examiner
from workbench.subjects.evaluation.exam_run import ExamRuns
from workbench.subjects.models.checksums import Checksums
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.runs.kinds import OpenRun
from workbench.subjects.runs.queue import Runs
from workbench.subjects.runs.store import RunStore

CONTEXT = RequestContext()


class Waiting(ExamRuns):
    """An exam that lasts until it is stopped, or ends as a test says."""

    def __init__(self) -> None:
        self.ending: Event | None = None

    def work(self, run: OpenRun) -> Event:
        if self.ending is None:
            run.context.wait_cancelled()
            return events.Cancelled()
        return self.ending


class Desk:
    def __init__(self, home: Home) -> None:
        home.create()
        self.now = 1000.0
        self.free = True
        self.answers = SimpleNamespace(busy=False)
        self.database = open_home(home)
        self.changes = ChangeNotifier()
        self.changes.latest = self.now
        self.checksums = Checksums(home.models / "checksums.json")
        self.catalogue = ModelCatalogue(self.database, home.models, checksum=self.checksums.known)
        self.kind = Waiting()
        store = RunStore(self.database, {"exam": (ExamRuns.config, ExamRuns.result)})
        self.runs = Runs(home, store, self.changes, {"exam": self.kind})
        self.preferences = Preferences(home, self.changes)
        self.examiner = Examiner(
            self.catalogue,
            self.checksums,
            self.runs,
            self.answers,  # type: ignore[arg-type]
            self.changes,
            self.preferences,
            is_free=lambda: self.free,
            clock=lambda: self.now,
        )
        self.file = home.models / "small.gguf"
        self.file.write_bytes(b"weights")
        model = msgspec.structs.replace(MODEL, name="Small", path=str(self.file), files=(str(self.file),))
        self.catalogue.put(model)
        self.changes.latest = self.now

    def wait(self, minutes: float) -> bool:
        self.now += minutes * 60
        return self.examiner.is_idle()

    def put_exam(self, version: int = EXAM_VERSION) -> None:
        sha256 = self.checksums.compute((str(self.file),))
        result = ExamResult(version=version, sha256=sha256, ended=1.0, seconds=1.0, languages={})
        self.catalogue.put_exam("Small", result)

    def end(self, run: str) -> None:
        """Until the run has left the queue."""
        list(self.runs.follow(SimpleNamespace(run=run, after=0), RequestContext()))  # type: ignore[arg-type]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(Home(tmp_path / "home"))
    yield desk
    desk.runs.close()
    desk.database.close()


def test_machine_is_idle_after_the_time_of_the_setting(desk: Desk) -> None:
    assert not desk.wait(4)
    assert desk.wait(1)
    desk.changes.latest = desk.now  # an answer was begun or ended, a model loaded, a file read
    assert not desk.wait(4)
    desk.answers.busy = True
    assert not desk.wait(10)
    desk.answers.busy = False
    assert not desk.wait(4)
    assert desk.wait(1)
    desk.free = False  # another program computes
    assert not desk.wait(10)
    desk.free = True
    assert desk.wait(5)
    desk.preferences.change({"models": {"exam_after_import": False}})
    desk.changes.latest = 0.0
    assert not desk.wait(10)


def test_model_without_an_exam_is_examined_once(desk: Desk) -> None:
    run = desk.examiner.start_next(CONTEXT)
    assert run is not None
    assert (run.kind, run.title, run.config["model"]) == ("exam", "Exam of Small", "Small")
    assert desk.examiner.begin("Small").id == run.id  # a person asks for the one that is under way
    assert not desk.runs.busy  # the core does not stay for it
    assert not desk.wait(60)  # nor is the machine idle meanwhile
    desk.runs.stop(run.id, 10.0)
    desk.put_exam()
    assert desk.examiner.start_next(CONTEXT) is None


def test_watch_starts_it_when_the_machine_is_idle(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examiner, "POLL_S", 0.01)
    context = RequestContext()
    news = desk.changes.subscribe(context)
    desk.now += 3600
    watching = threading.Thread(target=desk.examiner.watch, args=(context,), daemon=True)
    watching.start()
    changed = next(event for event in news if isinstance(event, events.Changed) and event.kind == "run")
    context.cancel()
    watching.join(10.0)
    assert desk.runs.get(changed.id).title == "Exam of Small"


def test_stopped_exam_is_not_started_again_by_itself_but_by_a_person(desk: Desk) -> None:
    run = desk.examiner.start_next(CONTEXT)
    assert run is not None
    assert desk.runs.stop(run.id, 10.0).state == "cancelled"
    assert desk.examiner.start_next(CONTEXT) is None
    again = desk.examiner.begin("Small")
    assert (again.id, again.state) == (run.id, "queued")


def test_interrupted_exam_is_resumed_once(desk: Desk) -> None:
    desk.kind.ending = events.Failed(message="The worker died.", reason="worker")
    run = desk.examiner.start_next(CONTEXT)
    assert run is not None
    desk.end(run.id)
    resumed = desk.examiner.start_next(CONTEXT)
    assert resumed is not None
    assert resumed.id == run.id
    desk.end(run.id)
    assert desk.examiner.start_next(CONTEXT) is None


def test_exam_of_another_version_or_file_is_repeated(desk: Desk) -> None:
    desk.put_exam(version=EXAM_VERSION - 1)
    old = desk.catalogue.get("Small").exam
    assert old is not None
    assert not old.current  # shown, as old
    desk.kind.ending = events.Finished(result={})
    run = desk.examiner.start_next(CONTEXT)
    assert run is not None
    desk.end(run.id)
    desk.put_exam()
    assert desk.examiner.start_next(CONTEXT) is None
    desk.file.write_bytes(b"other weights")
    assert desk.catalogue.get("Small").exam is None
    assert desk.examiner.start_next(CONTEXT) is not None


def test_file_that_was_only_touched_keeps_its_exam(desk: Desk) -> None:
    desk.put_exam()
    desk.file.touch()
    assert desk.catalogue.get("Small").exam is None  # not known yet whether it is the same
    assert desk.examiner.start_next(CONTEXT) is None
    assert desk.catalogue.get("Small").exam is not None


def test_a_machine_whose_battery_cannot_be_read_may_be_free(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable() -> None:
        raise FileNotFoundError("/sys/class/power_supply")

    monkeypatch.setattr(examiner.psutil, "sensors_battery", unreadable, raising=False)
    monkeypatch.setattr(examiner.psutil, "cpu_percent", lambda: 1.0)
    assert examiner.machine_is_free()
