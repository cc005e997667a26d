"""The kind of run in which a judge judges: a recipe is measured against the person first, and refused at chance.

Opinions are noted in the run's folder, so that a stopped run asks none of them again.

Judges of pairs: a recipe, asked for the log-probabilities of its verdicts, or the weighted sum of rewards.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.base.stored import Stored
from workbench.core.change_notifier import ChangeNotifier
from workbench.records.endpoints import MadeBy, made_by
from workbench.records.judgements import JudgedAnswer, Judgement, JudgementFilter, LabellingQueue
from workbench.records.judging import JudgeReport, WinRate
from workbench.records.messages import UNFINISHED, Message
from workbench.records.recipes import Recipe
from workbench.rewards.reward import Sample, WeightedSum
from workbench.rewards.spec import weighted_sum
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.evaluation.scorers.scorer import ScorerContext
from workbench.subjects.evaluation.scoring import HomeScorerContext
from workbench.subjects.judgements.calls import JudgePairs
from workbench.subjects.judgements.judging.agreement import measure, names_one_place
from workbench.subjects.judgements.judging.comparing import VERDICTS, AskJudge, Opinion, PairToJudge, ask
from workbench.subjects.judgements.judging.win_rate import measure_wins
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.journal import Journal, Line
from workbench.subjects.runs.kinds import OpenRun, RunKind
from workbench.techniques.registry import METHODS

BATCH = 5
"""Pairs after which it is seen whether a judge names one place only."""

OPINIONS = "opinions.jsonl"


class JudgingResult(msgspec.Struct, frozen=True, kw_only=True):
    """``report`` of a recipe's measurement, None of rewards; ``judged`` pairs of the queue got a verdict, ``dropped``
    got none, since the judge contradicted itself. ``win_rate`` is that of the queue where it compares two recipes."""

    report: JudgeReport | None = None
    judged: int = 0
    dropped: int = 0
    win_rate: WinRate | None = None


class JudgementSource(Protocol):
    """The judgements of a home, those of its chats included."""

    def each(self, which: JudgementFilter) -> Iterator[Judgement]: ...


class PairStore(Protocol):
    """The stored pairs, also those that wait."""

    def each(self, which: JudgementFilter) -> Iterator[Judgement]: ...

    def judge_waiting(self, judgement: Judgement, title: str, action: int = 0) -> int: ...


class Queues(Protocol):
    def get(self, name: str) -> LabellingQueue: ...


class _Said(Line, frozen=True):
    """The opinion of a pair."""

    shown_first: float
    shown_second: float
    mass: float


@dataclass(frozen=True, eq=False)
class JudgingRuns(RunKind):
    config = Stored("config of this run", JudgePairs)
    result = Stored("result of this run", JudgingResult)
    resumable = True

    _home: Home
    _source: JudgementSource
    _store: PairStore
    _queues: Queues
    _services: HomeServices
    _changes: ChangeNotifier

    def concurrency_group(self, run: RunRecord) -> str:
        """As evaluations: each takes a model for itself."""
        return "evaluation"

    def problem(self, run: RunRecord) -> str:
        call = msgspec.convert(run.config, JudgePairs)
        try:
            if call.rewards:
                weighted_sum(call.rewards, METHODS)
        except UserError as error:
            return error.message
        return ""

    def work(self, run: OpenRun) -> Event:
        call = msgspec.convert(run.record.config, JudgePairs)
        scores = HomeScorerContext(self._services, run.context, run.emit)
        queue = self._queues.get(call.queue) if call.queue else None
        judging = Judging(
            call, queue, scores, run, self._home.run(run.id), self._source, self._store,
            lambda pairs: scores.made_from(*(one.origins for one in pairs)),
            lambda recipe: made_by(self._services.resolve(recipe).model.endpoint),
        )  # fmt: skip
        result = judging.carry_out()
        if queue is not None:
            self._changes.publish("judgements", "")
            self._changes.publish("labelling", queue.id)
        return finish(result)


class Judging:
    """One run. ``scores`` answers for recipes and rewards; ``scores_for`` gives it for the texts of some pairs,
    ``judge_of`` the endpoint of a recipe."""

    def __init__(
        self,
        call: JudgePairs,
        queue: LabellingQueue | None,
        scores: ScorerContext,
        run: OpenRun,
        folder: Path,
        source: JudgementSource,
        store: PairStore,
        scores_for: Callable[[Sequence[Judgement]], ScorerContext] | None = None,
        judge_of: Callable[[Recipe], MadeBy | None] = lambda recipe: None,
    ) -> None:
        self._judge_of = judge_of
        self._call, self._queue, self._run = call, queue, run
        self._scores_for = scores_for or (lambda pairs: scores)
        self._source, self._store = source, store
        self._said: Journal[_Said] = Journal(folder / OPINIONS, _Said)
        self._action = 0

    def carry_out(self) -> JudgingResult:
        """Measure the judge and, unless it is refused, judge the queue. Raises UserError with the figures of one that
        is refused."""
        call = self._call
        if not call.rewards and call.recipe is None:
            raise UserError("No judge is chosen.", "Choose a recipe, or rewards.")
        report, judged, dropped = None, 0, 0
        if call.rewards:
            judged = self._judge_by_rewards()
        else:
            assert call.recipe is not None
            report = self._measure()
            if self._queue is not None:
                if not report.accepted:
                    raise UserError(
                        f"This judge may not compare for you. {' '.join(report.reasons)}",
                        f"{report.summary} Choose a larger model as the judge, write down what counts for you, or "
                        "compare more pairs yourself.",
                    )
                judged, dropped = self._judge_by_recipe()
        return JudgingResult(report=report, judged=judged, dropped=dropped, win_rate=self._win_rate())

    # -- measuring -----------------------------------------------------------------------------------

    def _measure(self) -> JudgeReport:
        known = [
            one
            for one in self._source.each(self._call.measured_on)
            if one.judge == "person" and one.verdict in ("a", "b") and one.b is not None and not one.unreadable
        ][: max(0, self._call.limit)]
        if not known:
            raise UserError(
                "You have compared no pairs yet that the judge could be measured on.",
                "Compare at least 30 pairs of answers first.",
            )
        opinions: list[Opinion] = []
        for start in range(0, len(known), BATCH):
            batch = known[start : start + BATCH]
            self._tell("measuring the judge", start, len(known))
            opinions += self._ask(batch)
            if names_one_place(opinions):
                break
        choices: list[Literal["a", "b"]] = ["a" if one.verdict == "a" else "b" for one in known[: len(opinions)]]
        report = measure(opinions, choices, threshold=self._call.threshold)
        self._run.emit(events.Artifact(kind="judge", id=self._run.id, result=msgspec.to_builtins(report)))
        return report

    def _ask(self, pairs: Sequence[Judgement]) -> list[Opinion]:
        """Opinions, of which those that the run has noted are not asked again."""
        missing = [one for one in pairs if self._said.find(one.id) is None]
        assert self._call.recipe is not None
        judge = recipe_judge(self._call.recipe, self._scores_for(missing), self._run.context)
        for one, opinion in zip(missing, opinions_of(missing, judge, self._call.constitution), strict=True):
            self._said.add(_Said(one.id, opinion.shown_first, opinion.shown_second, opinion.mass))
        found = []
        for one in pairs:
            said = self._said.find(one.id)
            assert said is not None
            found.append(Opinion(shown_first=said.shown_first, shown_second=said.shown_second, mass=said.mass))
        return found

    # -- judging -------------------------------------------------------------------------------------

    def _waiting(self) -> list[Judgement]:
        if self._queue is None:
            return []
        return list(self._store.each(JudgementFilter(queue=self._queue.id, verdicts=("",), kind="pairs")))

    def _judge_by_recipe(self) -> tuple[int, int]:
        assert self._queue is not None
        recipe = self._call.recipe
        assert recipe is not None
        name = recipe.name or recipe.model.name or "default recipe"
        waiting = self._waiting()
        judged = dropped = 0
        for start in range(0, len(waiting), BATCH):
            batch = waiting[start : start + BATCH]
            self._tell("judging", start, len(waiting))
            for one, opinion in zip(batch, self._ask(batch), strict=True):
                verdict = opinion.winner(self._call.threshold)
                if not verdict:
                    dropped += 1
                    if self._queue.purpose != "verdict":
                        continue  # the person may judge it
                    verdict = "tie"
                judged += self._store_verdict(one, verdict, "model", name, opinion.confidence)
        return judged, dropped

    def _judge_by_rewards(self) -> int:
        rewards = weighted_sum(self._call.rewards, METHODS)
        if self._queue is None:
            raise UserError("Rewards need no measuring.", "Choose the comparison whose pairs they are to compare.")
        waiting = self._waiting()
        judged = 0
        for number, one in enumerate(waiting):
            self._run.context.raise_if_cancelled()
            self._tell("judging", number, len(waiting))
            verdict, _ = RewardJudge(rewards, self._scores_for((one,))).compare(one)
            judged += self._store_verdict(one, verdict, "rule", "; ".join(self._call.rewards), None)
        return judged

    def _store_verdict(
        self, pair: Judgement, verdict: str, kind: Literal["model", "rule"], name: str, confidence: float | None
    ) -> bool:
        """Returns False where the person has judged or deleted the pair since."""
        judged = msgspec.structs.replace(
            pair, verdict=verdict, judge=kind, judge_name=name, confidence=confidence, changed=time.time(),
            judged_by=self._judge_of(self._call.recipe) if kind == "model" and self._call.recipe is not None else None,
        )  # fmt: skip
        action = self._store.judge_waiting(judged, f"Preferences of {name}", self._action)
        self._action = action or self._action
        return bool(action)

    def _win_rate(self) -> WinRate | None:
        return win_rate_of(self._queue, self._store) if self._queue is not None else None

    def _tell(self, stage: str, done: int, total: int) -> None:
        self._run.emit(events.Progress(stage=stage, done=done, total=total, unit="pairs"))


def win_rate_of(queue: LabellingQueue, store: PairStore) -> WinRate | None:
    """The win rate over a queue's pairs, None where it has not two recipes."""
    if len(queue.columns) != 2 or queue.columns[0] == queue.columns[1]:
        return None
    every = JudgementFilter(queue=queue.id, verdicts=("", "a", "b", "tie", "bad"), kind="pairs")
    return measure_wins(list(store.each(every)), *queue.columns)


def recipe_judge(recipe: Recipe, scores: ScorerContext, context: RequestContext) -> AskJudge:
    """The recipe as a judge. Raises errors.Cancelled between two prompts."""

    def judge(prompts: Sequence[Sequence[Message]]) -> list[list[float]]:
        found = []
        for prompt in prompts:
            context.raise_if_cancelled()
            found.append([one.logprob for one in scores.score(recipe, prompt, VERDICTS)])
        return found

    return judge


def pair_of(judgement: Judgement) -> PairToJudge:
    """Raises ValueError for a judgement of a single answer."""
    if judgement.b is None:
        raise ValueError("a single answer is no pair")
    return PairToJudge(prompt=judgement.prompt, a=judgement.a.text, b=judgement.b.text)


def opinions_of(judgements: Sequence[Judgement], judge: AskJudge, constitution: str) -> list[Opinion]:
    return ask([pair_of(one) for one in judgements], judge, constitution)


@dataclass(frozen=True)
class RewardJudge:
    """Prefers the answer with the higher weighted sum of rewards; equal ones are a tie."""

    rewards: WeightedSum
    scores: ScorerContext

    def compare(self, judgement: Judgement) -> tuple[str, tuple[float, float]]:
        """ "a", "b" or "tie", and the rewards of both."""
        samples = [_sample(judgement, one) for one in judgement.answers]
        first, second = (one.value for one in self.rewards.score(samples, self.scores))
        return ("tie" if first == second else "a" if first > second else "b"), (first, second)


def _sample(judgement: Judgement, answer: JudgedAnswer) -> Sample:
    return Sample(prompt=judgement.prompt, answer=answer.text, finished=answer.finish not in UNFINISHED)
