"""A core that is killed while an agent answers, and a person who resumes the answer.

Points are numbered: before and after each write to the database, before and after each event of the answer, before and
after each effect. Killed there, the core raises what nothing catches; a process of its own (``python -m
tests.killed_core``) ends by SIGKILL.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from tests.fakes import FakeModelBackend, FakeServices, FakeToolServices, whole_start
from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.base.paths import Home
from workbench.core.background import Background
from workbench.core.change_notifier import ChangeNotifier
from workbench.engine.inference_calls import Score
from workbench.records.agents import Approval, Decision, Effect
from workbench.records.answers import StoredMessage
from workbench.records.messages import Message
from workbench.records.recipes import AgentPart, DecodingPart, Recipe
from workbench.records.trace import Trace
from workbench.storage.database import open_home
from workbench.subjects.agents.calls import Decide
from workbench.subjects.answering.answer import answer
from workbench.subjects.chats import answers as service
from workbench.subjects.chats.answers import Answers, PendingAnswer
from workbench.subjects.chats.calls import Ask
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.chats.unfinished import UnfinishedSections
from workbench.techniques.tools.approval import calls_in
from workbench.techniques.tools.tool import Tool, ToolOutput

PLAN = (
    ("test.read", {"q": "one"}),
    ("test.write", {"q": "first"}),
    ("test.read", {"q": "two"}),
    ("test.write", {"q": "second"}),
)
WRITES = ("store_", "update_", "leave_", "interrupt_", "allow_tool")


class Killed(BaseException):
    """The core has died."""


class World:
    """What is outside of the core: the ``effects`` that happened, and when it is killed (``kill_at``, by points).

    With a ``log`` the process itself is killed, and effects are lines of that file."""

    def __init__(self, kill_at: tuple[int, ...] = (), log: Path | None = None) -> None:
        self.effects: list[str] = []
        self.reads: list[str] = []
        self.points = 0
        self.kills = 0
        self._kill_at = kill_at
        self._log = log
        self._dead = False

    def point(self) -> None:
        if not self._dead:
            self.points += 1
            self._dead = self.points in self._kill_at
            self.kills += self._dead
        if self._dead and self._log is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._dead:
            raise Killed

    def restart(self) -> None:
        self._dead = False

    def note(self, line: str) -> None:
        """Write a line to the log, on the disk on return."""
        if self._log is not None:
            with self._log.open("a") as file:
                file.write(f"{line}\n")
                file.flush()
                os.fsync(file.fileno())

    def tool(self, name: str, *effects: Effect, output: str) -> Tool:
        def run(arguments: dict[str, Any], context: RequestContext) -> ToolOutput:
            self.point()
            (self.reads if effects == ("read",) else self.effects).append(arguments["q"])
            if effects != ("read",):
                self.note(f"effect {arguments['q']}")
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


def with_points(request: Any, services: Any, context: Any, **named: Any) -> Iterator[Event]:
    """``answer`` with a point before and after each event."""
    for event in answer(request, services, context, **named):
        services.world.point()
        yield event
        services.world.point()


class InlineAnswers(Answers):
    """Makes answers on the calling thread, so that a kill ends everything."""

    def _start(self, pending: PendingAnswer, saved: Any = None) -> None:
        self._pending[pending.answer.id] = pending
        self._make(pending, saved)

    def _save_now_and_then(self, pending: PendingAnswer) -> None:
        """Not saved by the clock: the points of an answer must be the same at each run, on a slow machine too."""


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
        fakes.world = world
        unfinished = UnfinishedSections(home.sections)
        self.answers = InlineAnswers(
            killed,
            fakes,
            ChangeNotifier(),
            Background(),
            lambda title, config: None,
            unfinished,  # type: ignore[arg-type,return-value]
        )
        self.recipe = Recipe(
            agent=AgentPart(tools=("test.read", "test.write"), allowed=allowed), decoding=DecodingPart(seed=1)
        )

    def latest(self) -> StoredMessage | None:
        chats = self.store.list_chats()
        return self.store.get_message(chats[0].head) if chats and chats[0].head is not None else None


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
                    core.answers.recover()
                latest = core.latest()
                if latest is None:
                    core.answers._begin(Ask(question="Do it.", recipe=core.recipe), RequestContext())
                elif latest.state == "waiting":
                    assert latest.waiting is not None
                    ran = latest.waiting.call.arguments["q"] in world.effects
                    assert latest.waiting.repeated or not ran, "the question does not say that the call has run"
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


def main(home: str, log: str, scenario: str, kill_at: str) -> None:
    """Play in this process, which kills itself at a point; 0: never. Says at its end what the final answer shows."""
    service.answer = with_points  # type: ignore[assignment]
    world = World((int(kill_at),), Path(log))
    played = play(Home(Path(home)), world, repeats_nothing, *SCENARIOS[scenario])
    for approval, _ in played.asked:
        if approval.repeated:
            world.note(f"repeated {approval.call.arguments['q']}")
    for step, call, _ in calls_in(played.trace.steps):
        world.note(f"shown {call.tool} {call.arguments['q']} {step.state}")


if __name__ == "__main__":
    main(*sys.argv[1:])
