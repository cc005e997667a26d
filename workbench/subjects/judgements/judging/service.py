"""Answers scored by rewards, judges that judge, and win rates, for clients."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish, with_progress
from workbench.base.errors import UserError
from workbench.core.streams import Handlers, unary
from workbench.records.judgements import JudgementFilter
from workbench.records.judging import WinRate
from workbench.records.origins import joined
from workbench.rewards.reward import Sample
from workbench.rewards.spec import weighted_sum
from workbench.subjects.answering.request import AnswerRequest
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.evaluation.scoring import HomeScorerContext
from workbench.subjects.judgements.calls import GetWinRate, JudgePairs, ScoreAnswers, ScoredAnswer
from workbench.subjects.judgements.judging.runs import win_rate_of
from workbench.subjects.judgements.store import JudgementStore, QueueStore
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.queue import Runs
from workbench.techniques.registry import METHODS

MOST_MEASURED = 2_000


class JudgingService:
    def __init__(self, store: JudgementStore, queues: QueueStore, services: HomeServices, runs: Runs) -> None:
        self._store, self._queues, self._services, self._runs = store, queues, services, runs

    def handlers(self) -> Handlers:
        return {ScoreAnswers: self.score, JudgePairs: unary(self.start), GetWinRate: unary(self.win_rate)}

    def score(self, call: ScoreAnswers, context: RequestContext) -> Iterator[Event]:
        rewards = weighted_sum(call.rewards, METHODS)
        samples = [Sample(prompt=one.prompt, answer=one.answer, expected=one.expected) for one in call.answers]
        found = yield from with_progress(
            lambda emit: rewards.score(samples, HomeScorerContext(self._services, context, emit))
        )
        yield finish(tuple(ScoredAnswer(value=one.value, parts=one.parts) for one in found))

    def start(self, call: JudgePairs) -> RunRecord:
        """What cannot be is refused before anything is queued."""
        queue = self._queues.get(call.queue) if call.queue else None
        if call.rewards:
            weighted_sum(call.rewards, METHODS)
            if queue is None:
                raise UserError("Rewards need no measuring.", "Choose the comparison whose pairs they are to compare.")
        elif call.recipe is None:
            raise UserError("No judge is chosen.", "Choose a recipe, or rewards.")
        else:
            waiting = JudgementFilter(queue=queue.id, verdicts=("",), kind="pairs") if queue is not None else None
            read = joined(*(one.origins for one in self._store.each(waiting))) if waiting is not None else ()
            asking = AnswerRequest(recipe=call.recipe, origins=read)
            self._services.declared(asking, self._services.resolve(call.recipe))
        if not 1 <= call.limit <= MOST_MEASURED:
            raise UserError(f"A judge is measured on 1 to {MOST_MEASURED:,} pairs, not {call.limit:,}.")
        what = f"A judge compares: {queue.name}" if queue is not None else "Measuring a judge"
        return self._runs.add("judging", what, msgspec.structs.replace(call, queue=queue.id if queue else ""))

    def win_rate(self, call: GetWinRate) -> WinRate:
        queue = self._queues.get(call.queue)
        found = win_rate_of(queue, self._store)
        if found is None:
            raise UserError(
                f"The comparison {queue.name} has only one recipe.",
                "Begin one with two recipes.",
            )
        return found
