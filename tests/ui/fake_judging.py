"""The part of the fake core in which judges judge: the program's own judging, with a judge that likes short answers. A
recipe of the name "First" always prefers the answer shown first."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from workbench import calls as c
from workbench.api.events import Event, Failed, Finished
from workbench.api.protocol import Call, RequestContext, finish
from workbench.base.errors import UserError
from workbench.engine.inference_calls import Scored
from workbench.methods import METHODS
from workbench.records.messages import Message
from workbench.records.recipes import Recipe
from workbench.rewards.reward import Sample
from workbench.rewards.spec import weighted_sum
from workbench.subjects.judgements.judging.runs import Judging, win_rate_of
from workbench.workers.training_rewards import LocalRewardContext

if TYPE_CHECKING:
    from tests.ui.fake_home import FakeHome
    from tests.ui.fake_judgements import JudgementRoom


class FakeScores(LocalRewardContext):
    def score(self, recipe: Recipe, conversation: Sequence[Message], continuations: Sequence[str]) -> list[Scored]:
        first, _, rest = conversation[-1].content.partition("Answer A:\n")[2].partition("\n\nAnswer B:\n")
        likes = recipe.name == "First" or len(first) < len(rest.partition("\n\nWhich answer")[0])
        odds = 1.0 if likes else -1.0
        return [Scored(logprob=min(0.0, odds) - 0.2, tokens=1), Scored(logprob=min(0.0, -odds) - 0.2, tokens=1)]

    def similarities(self, text: str, others: Sequence[str]) -> list[float]:
        return [0.5] * len(others)


class _Run:
    def __init__(self, id: str) -> None:
        self.id = id
        self.context = RequestContext()
        self.told: list[Event] = []

    def emit(self, event: Event) -> None:
        self.told.append(event)


def do(home: FakeHome, room: JudgementRoom, call: Call[Any]) -> tuple[Any, list[tuple[str, str]]] | None:
    """What the call comes to, and what changed; None for a call that is not ours."""
    match call:
        case c.ScoreAnswers():
            samples = [Sample(prompt=one.prompt, answer=one.answer, expected=one.expected) for one in call.answers]
            found = weighted_sum(call.rewards, METHODS).score(samples, FakeScores())
            return tuple(c.ScoredAnswer(value=one.value, parts=one.parts) for one in found), []
        case c.GetWinRate():
            rate = win_rate_of(room.queues.get(call.queue), room.store)
            if rate is None:
                raise UserError(f"The comparison {call.queue} has only one recipe.")
            return rate, []
        case c.JudgePairs():
            return _judge(home, room, call)
    return None


def _judge(home: FakeHome, room: JudgementRoom, call: c.JudgePairs) -> tuple[Any, list[tuple[str, str]]]:
    queue = room.queues.get(call.queue) if call.queue else None
    if call.rewards:
        weighted_sum(call.rewards, METHODS)
    elif call.recipe is None:
        raise UserError("No judge is chosen.")
    open_run = _Run(f"r{next(home.numbers)}")
    ended: Finished | Failed
    with tempfile.TemporaryDirectory() as folder:
        work = Judging(call, queue, FakeScores(), open_run, Path(folder), room.judgements, room.store)  # type: ignore[arg-type]
        try:
            ended = finish(work.carry_out())
        except UserError as error:
            ended = Failed(message=error.message, hint=error.hint, reason="user")
    run = c.RunRecord(
        id=open_run.id, kind="judging", title="Judging", state="finished" if isinstance(ended, Finished) else "failed",
        created=time.time(), ended=time.time(), progress=1.0, config=msgspec.to_builtins(call),
        result=ended.result if isinstance(ended, Finished) else {},
        message="" if isinstance(ended, Finished) else ended.message,
    )  # fmt: skip
    home.runs[run.id] = run
    told = [*open_run.told, ended]
    home.run_events[run.id] = [msgspec.structs.replace(one, seq=number) for number, one in enumerate(told, 1)]
    return run, [("run", run.id), ("judgements", ""), *([("labelling", queue.id)] if queue else [])]
