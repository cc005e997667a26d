"""The core is killed at every point of an agent's answer, and a person resumes it: no acting tool runs twice
unasked, and none that ran is lost unseen.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.killed_core import (
    SCENARIOS,
    Core,
    Person,
    World,
    allows_all,
    check,
    play,
    repeats_nothing,
    with_points,
)
from workbench.api.protocol import RequestContext
from workbench.base.paths import Home
from workbench.core.background import Background
from workbench.core.change_notifier import ChangeNotifier
from workbench.records.agents import Decision, ToolCall
from workbench.storage.database import open_home
from workbench.subjects.agents.calls import Decide
from workbench.subjects.chats import answers as service
from workbench.subjects.chats.calls import Ask

pytestmark = pytest.mark.process

EVERY = 4
"""Of so many points one is tried by each of the four cases below, another one by each."""


@pytest.fixture
def homes(tmp_path: Path) -> Callable[[], Home]:
    """Homes whose database is migrated already."""
    first = Home(tmp_path / "first")
    first.create()
    open_home(first).close()
    numbers = iter(range(10_000))

    def make() -> Home:
        return Home(shutil.copytree(first.root, tmp_path / f"home{next(numbers)}"))

    return make


@pytest.fixture(autouse=True)
def _points_between_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "answer", with_points)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("person", [allows_all, repeats_nothing])
def test_no_effect_happens_twice_unasked_and_none_is_lost_unseen(
    homes: Callable[[], Home], scenario: str, person: Person
) -> None:
    whole = World()
    played = play(homes(), whole, person, *SCENARIOS[scenario])
    assert whole.effects == ["first", "second"]
    assert len(played.asked) == (2 if scenario == "asked" else 0)
    assert not any(approval.repeated for approval, _ in played.asked)
    repeated = 0
    first = 1 + 2 * list(SCENARIOS).index(scenario) + (person is allows_all)
    for kill_at in range(first, whole.points + 1, EVERY):
        world = World((kill_at,))
        check(world, one := play(homes(), world, person, *SCENARIOS[scenario]), person)
        assert world.kills == 1
        repeated += any(approval.repeated for approval, _ in one.asked)
    assert repeated  # after the start of a call and before its result was stored


def test_also_when_the_core_dies_again_and_again(homes: Callable[[], Home]) -> None:
    drawn = random.Random(13)
    for _ in range(40):
        scenario = drawn.choice(list(SCENARIOS))
        person = drawn.choice([allows_all, repeats_nothing])
        world = World(tuple(sorted(drawn.sample(range(1, 300), 4))))
        check(world, play(homes(), world, person, *SCENARIOS[scenario]), person)


def test_a_waiting_answer_is_there_after_a_restart_and_a_decision_counts_for_its_call_only(
    homes: Callable[[], Home],
) -> None:
    home, world = homes(), World()
    core = Core(home, world, (), "untrusted")
    core.answers._begin(Ask(question="Do it.", recipe=core.recipe), RequestContext())
    core.database.close()
    core = Core(home, world, (), "untrusted")
    core.answers.recover()
    waiting = core.latest()
    assert waiting is not None
    assert (waiting.state, world.effects) == ("waiting", [])
    assert waiting.waiting is not None
    assert waiting.waiting.call == ToolCall(tool="test.write", arguments={"q": "first"})
    other = Decision(signature="other", choice="allow")
    with pytest.raises(Exception, match="another call"):
        core.answers._go_on(Decide(message=waiting.id, decision=other))
    core.answers._go_on(Decide(message=waiting.id, decision=allows_all(waiting.waiting)))
    assert world.effects == ["first"]
    after = core.latest()
    assert after is not None
    assert after.waiting is not None
    assert after.id == waiting.id
    assert after.waiting.call.arguments == {"q": "second"}
    with pytest.raises(Exception, match="another call"):  # the first decision is used up
        core.answers._go_on(Decide(message=waiting.id, decision=allows_all(waiting.waiting)))
    core.database.close()


def test_a_decision_that_the_disk_has_no_room_for_leaves_the_answer_waiting(homes: Callable[[], Home]) -> None:
    core = Core(homes(), World(), (), "untrusted")
    core.answers._begin(Ask(question="Do it.", recipe=core.recipe), RequestContext())
    waiting = core.latest()
    assert waiting is not None
    assert waiting.waiting is not None
    core.database.execute(
        "create trigger full before update of allowed on chats begin select raise(abort, 'no room'); end"
    )
    decision = Decision(signature=waiting.waiting.call.signature, choice="allow-in-chat")
    with pytest.raises(Exception, match="no room"):
        core.answers._go_on(Decide(message=waiting.id, decision=decision))
    assert core.latest() == waiting
    core.database.close()


def test_an_answer_can_be_waited_for_as_soon_as_it_can_be_found(
    homes: Callable[[], Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chat may be deleted at the moment in which its answer starts."""
    core = Core(homes(), World(), (), "untrusted")
    answers = service.Answers(
        core.answers._store,
        core.answers._services,
        ChangeNotifier(),
        Background(),
        core.answers._add_run,
        core.answers.unfinished,
    )

    class Thread(threading.Thread):
        def start(self) -> None:
            if self.name.startswith("answer-") and answers._lock.acquire(
                blocking=False
            ):  # so could another thread, which deletes the chat
                answers._lock.release()
                answers.close()
            super().start()

    monkeypatch.setattr(service.threading, "Thread", Thread)
    pending = answers._begin(Ask(question="Do it.", recipe=core.recipe), RequestContext())
    assert pending.thread is not None
    pending.thread.join()
    latest = core.latest()
    assert latest is not None
    assert latest.state == "waiting"
    core.database.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("share", [0.35, 0.5, 0.65, 0.8])
def test_a_process_that_is_killed_has_journaled_what_it_began(
    homes: Callable[[], Home], tmp_path: Path, share: float
) -> None:
    whole = World()
    play(homes(), whole, repeats_nothing, *SCENARIOS["allowed"])
    home, log = homes(), tmp_path / "log"

    def run(kill_at: int) -> int:
        command = [sys.executable, "-m", "tests.killed_core", str(home.root), str(log), "allowed", str(kill_at)]
        return subprocess.run(command, check=False, cwd=Path(__file__).parents[4], timeout=120).returncode

    assert run(int(whole.points * share)) == -signal.SIGKILL
    assert run(0) == 0
    lines = log.read_text().splitlines()
    for effect in ("first", "second"):
        assert lines.count(f"effect {effect}") <= 1
        assert any(line.startswith(f"shown test.write {effect}") for line in lines)
        if f"effect {effect}" not in lines:
            assert f"repeated {effect}" in lines
