"""The core is killed at every point of an agent's answer, and a person goes on with it: no acting tool runs twice
unasked, and none that ran is lost unseen.

A kill is an exception that nothing catches at a numbered point: before and after each write to the database, between
any two events of the answer, before and after each effect. What was not committed is gone, and nothing that was in
memory is used again.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fakes import FakeModelBackend, FakeServices, FakeToolServices, whole_start
from workbench.answering import answer
from workbench.api.calls import Ask, Decide, StoredMessage
from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.core.answers import service
from workbench.core.answers.service import Answers, PendingAnswer
from workbench.core.background import Background
from workbench.core.change_notifier import ChangeNotifier
from workbench.engine.inference_calls import Score
from workbench.paths import Home
from workbench.records.agents import Approval, Decision, Effect, ToolCall
from workbench.records.messages import Message
from workbench.records.recipes import AgentPart, DecodingPart, Recipe
from workbench.records.trace import Trace
from workbench.storage.chats import ChatStore
from workbench.storage.database import open_home
from workbench.techniques.agents.approval import calls_in
from workbench.techniques.tools.tool import Tool, ToolOutput

PLAN = (
    ("test.read", {"q": "one"}),
    ("test.write", {"q": "first"}),
    ("test.read", {"q": "two"}),
    ("test.write", {"q": "second"}),
)
EVERY = 4
"""Of so many points one is tried by each of the four cases below, another one by each."""
WRITES = ("store_", "update_", "leave_", "interrupt_", "allow_tool")


class Killed(BaseException):
    """The core has died."""


class World:
    """What is outside of the core: the ``effects`` that happened, and when it is killed (``kill_at``, by points)."""

    def __init__(self, kill_at: tuple[int, ...] = ()) -> None:
        self.effects: list[str] = []
        self.reads: list[str] = []
        self.points = 0
        self.kills = 0
        self._kill_at = kill_at
        self._dead = False

    def point(self) -> None:
        if not self._dead:
            self.points += 1
            self._dead = self.points in self._kill_at
            self.kills += self._dead
        if self._dead:
            raise Killed

    def restart(self) -> None:
        self._dead = False

    def tool(self, name: str, *effects: Effect, output: str) -> Tool:
        def run(arguments: dict[str, Any], context: RequestContext) -> ToolOutput:
            self.point()
            (self.reads if effects == ("read",) else self.effects).append(arguments["q"])
            self.point()
            return ToolOutput(text=f"done: {arguments['q']}")

        schema = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
        return Tool(
            name=name,
            description="",
            parameters=schema,
            effects=effects,
            output=output,  # type: ignore[arg-type]
            run=run,
        )


class KilledStore:
    """A store whose writes are points."""

    def __init__(self, store: ChatStore, world: World) -> None:
        self._store, self._world = store, world

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if not name.startswith(WRITES):
            return method

        def write(*given: Any, **named: Any) -> Any:
            self._world.point()
            result = method(*given, **named)
            self._world.point()
            return result

        return write


class PlannedModel(FakeModelBackend):
    """Makes the calls of ``PLAN`` in turn: how many were made it reads in its prompt."""

    def __init__(self) -> None:
        super().__init__(self._reply_to, scores=self._score)

    def _score(self, asked: Score) -> list[float]:
        made = _made(asked.messages, whole_start(asked.assistant_start))
        wanted = PLAN[made][0] if made < len(PLAN) else "final_answer"
        return [0.0 if str(text).strip(' \n"') == wanted else -9.0 for text in asked.continuations]

    def _reply_to(self, messages: Any, decoding: DecodingPart, start: str) -> str:
        if decoding.format == "json_schema":
            return msgspec.json.encode(PLAN[_made(messages, start)][1]).decode()
        return "I go on." if start.rstrip().endswith("Thought:") else "All is done."


def _made(messages: tuple[Message, ...], start: str) -> int:
    prompt = start + "".join(one.content for one in messages)
    return prompt.count("Observation:") - 1  # one is in the rules


class InlineAnswers(Answers):
    """Makes answers on the calling thread, so that a kill ends everything."""

    def _start(self, pending: PendingAnswer, saved: Any = None) -> None:
        self._pending[pending.answer.id] = pending
        self._make(pending, saved)


class Core:
    """The home of a core that can be killed."""

    def __init__(self, home: Home, world: World, allowed: tuple[str, ...], output: str) -> None:
        self.database = open_home(home)
        self.database.connection.pragma("synchronous", "off")  # the machine does not fail here, only the core
        self.store = ChatStore(self.database)
        services = FakeServices(PlannedModel())
        tools = (world.tool("test.read", "read", output=output), world.tool("test.write", "write", output="trusted"))
        services.tool_services = FakeToolServices(servers=tools)
        killed: Any = KilledStore(self.store, world)
        fakes: Any = services
        self.answers = InlineAnswers(killed, fakes, ChangeNotifier(), Background(), lambda title, config: None)  # type: ignore[arg-type,return-value]
        self.recipe = Recipe(
            agent=AgentPart(tools=("test.read", "test.write"), allowed=allowed), decoding=DecodingPart(seed=1)
        )

    def latest(self) -> StoredMessage | None:
        chats = self.store.list_chats()
        return self.store.get_message(chats[0].head) if chats and chats[0].head is not None else None


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
    def stopping(request: Any, services: Any, context: Any, **named: Any) -> Iterator[Event]:
        world = services.world
        for event in answer(request, services, context, **named):
            world.point()
            yield event
            world.point()

    monkeypatch.setattr(service, "answer", stopping)


Person = Callable[[Approval], Decision]


def allows_all(approval: Approval) -> Decision:
    return Decision(signature=approval.call.signature, choice="allow")


def repeats_nothing(approval: Approval) -> Decision:
    choice = "deny" if approval.repeated else "allow"
    return Decision(signature=approval.call.signature, choice=choice)  # type: ignore[arg-type]


class Played(msgspec.Struct, frozen=True):
    """An answer to its end: what was ``asked`` of the person, the final ``message`` and its ``trace``."""

    asked: list[tuple[Approval, Decision]]
    message: StoredMessage
    trace: Trace


def play(home: Home, world: World, person: Person, allowed: tuple[str, ...], output: str) -> Played:
    """Ask, decide and resume until the answer is complete, with a new core after each kill."""
    asked: list[tuple[Approval, Decision]] = []
    core: Core | None = None
    try:
        for _ in range(60):
            try:
                if core is None:
                    core = Core(home, world, allowed, output)
                    core.answers._services.world = world  # type: ignore[attr-defined]
                    core.answers.recover()
                latest = core.latest()
                if latest is None:
                    core.answers._begin(Ask(question="Do it.", recipe=core.recipe), RequestContext())
                elif latest.state == "waiting":
                    assert latest.waiting is not None
                    decision = person(latest.waiting)
                    asked.append((latest.waiting, decision))
                    core.answers._go_on(Decide(message=latest.id, decision=decision))
                elif latest.state == "interrupted":
                    again = Ask(regenerate=latest.id, resume=latest.steps > 0, recipe=core.recipe)
                    core.answers._begin(again, RequestContext())
                else:
                    assert latest.state == "done", (latest.state, latest.error)
                    return Played(asked, latest, core.store.get_trace(latest.id) or Trace())
            except Killed:
                assert core is not None
                core.database.close()
                core = None
                world.restart()
    finally:
        if core is not None:
            core.database.close()
    raise AssertionError("the answer does not end")


SCENARIOS = {"asked": ((), "untrusted"), "allowed": (("test.write",), "trusted")}
"""The acting tool is asked about, since strangers' text was read; or is allowed and not asked about."""


def check(world: World, played: Played, person: Person) -> None:
    repeats = [approval.call.arguments["q"] for approval, _ in played.asked if approval.repeated]
    shown = [call.arguments["q"] for step, call, _ in calls_in(played.trace.steps) if call.tool == "test.write"]
    for effect in ("first", "second"):
        times = world.effects.count(effect)
        again = repeats.count(effect) if person is allows_all else 0
        assert times <= 1 + again, (effect, world.effects, repeats)
        assert effect in shown
        if not times:
            assert effect in repeats  # it might have happened, and the person said no
    assert played.message.text == "All is done."
    for step in played.trace.steps:
        assert step.kind != "call" or step.state in ("done", "failed")


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
    core.answers._services.world = world  # type: ignore[attr-defined]
    core.answers._begin(Ask(question="Do it.", recipe=core.recipe), RequestContext())
    core.database.close()
    core = Core(home, world, (), "untrusted")
    core.answers._services.world = world  # type: ignore[attr-defined]
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
