"""Labelling in a row: queues of pairs that wait to be judged, and the run that fills them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.base.errors import UserError
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.records.judgements import JudgedAnswer, Judgement, LabellingQueue, name_of
from workbench.records.messages import Message
from workbench.records.recipes import Recipe
from workbench.storage.database import new_id
from workbench.subjects.answering.answer import check
from workbench.subjects.answering.request import AnswerRequest
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.judgements.calls import (
    GetNextPair,
    ListQueues,
    MakeCandidates,
    NextPair,
    QueueList,
    RemoveQueue,
    SkipPair,
)
from workbench.subjects.judgements.prompt_source import PromptSource
from workbench.subjects.judgements.runs import CandidatesRun
from workbench.subjects.judgements.store import JudgementStore, QueueStore
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.log import RunLog
from workbench.subjects.runs.queue import Runs

MOST_PROMPTS = 10_000


@dataclass(frozen=True, eq=False)
class Labelling:
    _store: JudgementStore
    _queues: QueueStore
    _prompts: PromptSource
    _services: HomeServices
    _runs: Runs
    _changes: ChangeNotifier

    def handlers(self) -> Handlers:
        return {
            MakeCandidates: unary(self.start),
            ListQueues: unary(lambda call: self._list()),
            GetNextPair: unary(lambda call: self.next_pair(call.queue)),
            SkipPair: unary(self.skip),
            RemoveQueue: unary(self.remove),
        }

    def start(self, call: MakeCandidates) -> RunRecord:
        """What cannot be answered is refused before anything is stored."""
        name = self._queues.check_name(call.name)
        if not 1 <= len(call.recipes) <= 2:
            raise UserError(f"{len(call.recipes)} recipes were given.", "Give the two that are compared, or one.")
        if not 0 <= call.limit <= MOST_PROMPTS:
            raise UserError(f"At most {MOST_PROMPTS:,} prompts are answered.", "Set a limit of 0 (all) or more.")
        origin, origins = self._prompts.check(call), self._prompts.origins(call)
        for recipe in call.recipes:
            resolved = self._services.resolve(recipe)
            asked = AnswerRequest(recipe=recipe, conversation=(Message("user", "How?"),), origins=origins)
            check(asked, resolved, self._services)
            if len(call.recipes) == 1 and resolved.recipe.decoding.temperature == 0:
                raise UserError(
                    "At temperature 0 a recipe gives the same answer twice, so that there is nothing to compare.",
                    "Raise its temperature, or choose a second recipe.",
                )
        queue = LabellingQueue(
            id=new_id(),
            name=name,
            created=time.time(),
            purpose=call.purpose,
            columns=_names([self._services.resolve(recipe).recipe for recipe in call.recipes]),
            origin=origin,
        )
        self._queues.add(queue)

        def note_run(folder: Path, log: RunLog) -> None:
            self._queues.update(msgspec.structs.replace(queue, run=folder.name))

        try:
            request = msgspec.structs.replace(call, name=name)
            config = CandidatesRun(queue=queue.id, request=request)
            run = self._runs.add("candidates", f"Answers to compare: {name}", config, prepare=note_run)
        except UserError:
            self._queues.remove(queue)
            raise
        self._changes.publish("labelling", queue.id)
        return run

    def next_pair(self, name: str) -> NextPair:
        queue = self._queues.get(name)
        pair = self._store.next_waiting(queue.id)
        return NextPair(queue=queue, pair=blind(pair) if pair is not None else None)

    def skip(self, call: SkipPair) -> NextPair:
        pair = self._store.get(call.judgement)
        if pair.verdict or not pair.queue:
            raise UserError("This pair does not wait to be compared.", "Take the next pair of the comparison.")
        self._store.postpone(pair.id)
        self._changes.publish("labelling", pair.queue)
        return self.next_pair(pair.queue)

    def remove(self, call: RemoveQueue) -> QueueList:
        queue = self._queues.get(call.queue)
        if queue.run and self._runs.is_open(queue.run):
            raise UserError("Answers for this comparison are being generated.", "Stop the run, or wait for its end.")
        self._queues.remove(queue)
        self._changes.publish("labelling", queue.id)
        return self._list()

    def _list(self) -> QueueList:
        return QueueList(queues=self._queues.list_queues())


def blind(pair: Judgement) -> Judgement:
    """The pair without what tells who answered."""

    def bare(answer: JudgedAnswer) -> JudgedAnswer:
        return msgspec.structs.replace(answer, name="", recipe=None, tokens=(), score=None, message="", made_by=None)

    return msgspec.structs.replace(pair, a=bare(pair.a), b=bare(pair.b) if pair.b is not None else None)


def _names(recipes: Sequence[Recipe]) -> tuple[str, ...]:
    """What the recipes are called, numbered where two are called the same."""
    names = [name_of(recipe) or "Recipe" for recipe in recipes]
    if len(set(names)) == len(names):
        return tuple(names)
    return tuple(f"{name} ({place})" for place, name in enumerate(names, 1))
