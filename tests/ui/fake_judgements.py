"""The part of the fake core that has judgements and labelling queues: the program's own, in memory, over the fake's
chats. Candidates are there at once."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import msgspec

from tests.ui import fake_adapters, fake_judging
from workbench import calls as c
from workbench.api.events import Finished, Progress
from workbench.api.protocol import Call, RequestContext, finish
from workbench.base.errors import UserError
from workbench.core.change_notifier import ChangeNotifier
from workbench.records.judgements import JudgedAnswer, Judgement, LabellingQueue, name_of
from workbench.records.messages import Message
from workbench.records.origins import Origins
from workbench.records.training import DataSet
from workbench.storage.database import SCHEMA, Database, migrate
from workbench.subjects.datasets.store import DatasetStore
from workbench.subjects.judgements.file_service import JudgementFiles
from workbench.subjects.judgements.from_chats import judgements_of_chats
from workbench.subjects.judgements.labelling import blind
from workbench.subjects.judgements.service import Judgements
from workbench.subjects.judgements.store import JudgementStore, QueueStore
from workbench.subjects.judgements.training_rows import training_rows

if TYPE_CHECKING:
    from tests.ui.fake_home import FakeHome

PROMPTS = ("How long is the warranty?", "Who pays for the return?", "Where is the pump made?")


class FakeChats:
    """The judgements that the fake's chats hold."""

    def __init__(self, home: FakeHome, store: JudgementStore) -> None:
        self._home = home
        self._store = store

    def all(self) -> tuple[Judgement, ...]:
        messages = [message for chat in self._home.messages.values() for message in chat]
        left_out = self._store.left_out()
        return tuple(one for one in judgements_of_chats(messages) if one.id not in left_out)

    def origins(self, judgement: Judgement) -> Origins:
        return judgement.origins

    def rate(self, message: str, rating: int) -> str:
        chat: str = self._home.message(message).chat
        fake_adapters.do(self._home, c.RateAnswer(message=message, rating=rating))  # type: ignore[arg-type]
        return chat


class JudgementRoom(ChangeNotifier):
    """Judgements in memory, that collect what changed."""

    def __init__(self, home: FakeHome) -> None:
        super().__init__()
        self.news: list[tuple[str, str]] = []
        connection = apsw.Connection(":memory:")
        connection.pragma("foreign_keys", True)
        migrate(connection, Path(":memory:"), SCHEMA)
        database = Database(connection, Path(":memory:"))
        self.store = JudgementStore(database)
        self.queues = QueueStore(database, self.store)
        sets = DatasetStore(Path(tempfile.gettempdir()) / "no-such-folder-of-sets")
        judgements = Judgements(self.store, FakeChats(home, self.store), sets, self)  # type: ignore[arg-type]
        self.judgements = judgements
        self.handlers = {**judgements.handlers(), **JudgementFiles(judgements).handlers()}

    def publish(self, kind: str, id: str = "") -> None:
        self.news.append((kind, id))

    def wait_for(self, queue: LabellingQueue, a: str, b: str) -> None:
        """Pairs of a queue that wait to be judged."""
        self.store.add_waiting(
            Judgement(
                prompt=(Message("user", question),),
                a=JudgedAnswer(text=f"{a} {number}", name=queue.columns[0]),
                b=JudgedAnswer(text=f"{b} {number}", name=queue.columns[-1]),
                shown="ab" if number % 2 else "ba",
                source="verdict" if queue.purpose == "verdict" else "label",
                queue=queue.id,
                created=time.time(),
                changed=time.time(),
            )
            for number, question in enumerate(PROMPTS, 1)
        )


def do(home: FakeHome, call: Call[Any]) -> tuple[Any, list[tuple[str, str]]] | None:
    """What the call comes to, and what changed; None for a call that is not ours."""
    room = home.judgements
    if (judged := fake_judging.do(home, room, call)) is not None:
        return judged
    match call:
        case c.MakeCandidates():
            return _start(home, room, call)
        case c.ListQueues():
            return c.QueueList(queues=room.queues.list_queues()), []
        case c.GetNextPair():
            return _next(room, call.queue), []
        case c.SkipPair():
            queue = room.store.get(call.judgement).queue
            room.store.postpone(call.judgement)
            return _next(room, queue), [("labelling", queue)]
        case c.RemoveQueue():
            found = room.queues.get(call.queue)
            room.queues.remove(found)
            return c.QueueList(queues=room.queues.list_queues()), [("labelling", found.id)]
        case c.MakePreferenceSet():
            return _make_set(home, room, call)
    handler = room.handlers.get(type(call))
    if handler is None:
        return None
    [event] = [one for one in handler(call, RequestContext()) if not isinstance(one, Progress)]
    assert isinstance(event, Finished)
    news, room.news = room.news, []
    return event.result, news


def _next(room: JudgementRoom, name: str) -> c.NextPair:
    queue = room.queues.get(name)
    pair = room.store.next_waiting(queue.id)
    return c.NextPair(queue=queue, pair=blind(pair) if pair is not None else None)


def _make_set(home: FakeHome, room: JudgementRoom, call: c.MakePreferenceSet) -> tuple[Any, list[tuple[str, str]]]:
    if call.name in home.sets:
        raise UserError(f"There is already a set named {call.name!r}.")
    made = training_rows(room.judgements.each(call.which), call.kind, skip_conflicts=call.skip_conflicts)
    if not made.rows:
        raise UserError("No example can be taken from these preferences.")
    origin = f"{len(set(made.ids)):,} judgements of {made.prompts:,} prompts"
    home.sets[call.name] = DataSet(
        name=call.name, path=f"/home/ada/workbench/datasets/{call.name}.jsonl", examples=len(made.rows), bytes=4_000,
        created=time.time(), origin=origin,
    )  # fmt: skip
    return home.sets[call.name], [("data", call.name)]


def _start(home: FakeHome, room: JudgementRoom, call: c.MakeCandidates) -> tuple[Any, list[tuple[str, str]]]:
    if not 1 <= len(call.recipes) <= 2:
        raise UserError(f"{len(call.recipes)} recipes were given.", "Give the two that are compared, or one.")
    if call.prompts == "questions" and call.path not in home.question_sets:
        raise UserError(f"There is no question set {call.path!r}.")
    for recipe in call.recipes:
        home.model(recipe.model.name)
    number = next(home.numbers)
    names = [name_of(recipe) for recipe in call.recipes]
    columns = tuple(names) if len(set(names)) == len(names) else tuple(f"{n} ({p})" for p, n in enumerate(names, 1))
    queue = LabellingQueue(
        id=f"q{number}", name=room.queues.check_name(call.name), created=time.time(), purpose=call.purpose,
        columns=columns, origin=call.path or call.prompts, run=f"r{number}", prompts=len(PROMPTS),
    )  # fmt: skip
    room.queues.add(queue)
    room.wait_for(queue, home.answer_text, home.base_text)
    done = finish(room.queues.get(queue.id))
    run = c.RunRecord(
        id=f"r{number}", kind="candidates", title=f"Answers to compare: {queue.name}", state="finished",
        created=time.time(), ended=time.time(), progress=1.0, config={"queue": queue.id}, result=done.result,
    )  # fmt: skip
    home.runs[run.id] = run
    home.run_events[run.id] = [msgspec.structs.replace(done, seq=1)]
    return run, [("run", run.id), ("labelling", queue.id)]
