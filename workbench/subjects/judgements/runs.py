"""The kind of run that makes the candidates of a labelling queue: for each prompt the answers of two recipes.

A prompt's answers are asked for side by side, so that the engine computes the beginning that they share once; recipes
with different models take turns by blocks of prompts, since loading a model takes longer than an answer. Prompts that
are done are noted in the run's folder: a stopped run resumes with the next one, and what was judged is not asked again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Literal

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import error_of, finish
from workbench.base.catalogue import Shown
from workbench.base.errors import Cancelled, UserError
from workbench.base.paths import Home
from workbench.base.stored import Stored
from workbench.core.change_notifier import ChangeNotifier
from workbench.records.answers import AskResult
from workbench.records.judgements import JudgedAnswer, Judgement, LabellingQueue, prompt_key
from workbench.records.messages import Message
from workbench.records.origins import UNKNOWN, joined, origins_of_answer
from workbench.records.recipes import LARGEST_SEED, Recipe
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.judgements.calls import MakeCandidates
from workbench.subjects.judgements.prompt_source import PromptSource
from workbench.subjects.judgements.prompts import Prompt, number_of
from workbench.subjects.judgements.store import JudgementStore, QueueStore
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.journal import Journal, Line
from workbench.subjects.runs.kinds import OpenRun, RunKind

TOGETHER = 4
"""Answers that are generated side by side."""
BLOCK = 8
"""Prompts for which one model answers before the other is loaded."""
FAILED_ALONE = 3
"""When so many prompts fail at the beginning, and none succeeds, the run fails with their reason."""

DONE = "done.jsonl"


class CandidatesRun(msgspec.Struct, frozen=True, kw_only=True):
    """The config of a run: the queue that it fills, and what was asked for."""

    queue: str
    request: MakeCandidates


class _Done(Line, frozen=True):
    """A prompt whose pair is in the queue, or for which there is none, with the reason."""

    key: str = msgspec.field(name="prompt")
    reason: Shown = ""


@dataclass(frozen=True, eq=False)
class CandidateRuns(RunKind):
    config = Stored("config of this run", CandidatesRun)
    result = Stored("result of this run", LabellingQueue)
    resumable = True

    _home: Home
    _store: JudgementStore
    _queues: QueueStore
    _prompts: PromptSource
    _services: HomeServices
    _changes: ChangeNotifier

    def concurrency_group(self, run: RunRecord) -> str:
        """Candidates are made for one queue after the other: each takes the model for itself."""
        return "candidates"

    def work(self, run: OpenRun) -> Event:
        config = msgspec.convert(run.record.config, CandidatesRun)
        queue = self._queues.get(config.queue)
        work = _Work(self, run, queue, config.request, self._home.run(run.id))
        work.make_all()
        self._changes.publish("labelling", queue.id)
        return finish(self._queues.get(queue.id))


class _Work:
    def __init__(
        self, kind: CandidateRuns, run: OpenRun, queue: LabellingQueue, request: MakeCandidates, folder: Path
    ) -> None:
        self._kind, self._run, self._queue, self._request = kind, run, queue, request
        self._done = Journal(folder / DONE, _Done)
        self._models = [recipe.model for recipe in request.recipes]
        self._succeeded = any(not one.reason for one in self._done.lines)
        self._began, self._made = time.monotonic(), 0
        self._origins: tuple[str, ...] = (UNKNOWN,)

    def make_all(self) -> None:
        self._origins = joined(self._kind._prompts.origins(self._request))
        prompts, total = self._kind._prompts.open(self._request, self._run)
        waiting = (prompt for prompt in prompts if self._done.find(prompt_key(prompt)) is None)
        same = len({(model.name, model.adapters) for model in self._models}) == 1
        while block := list(islice(waiting, TOGETHER // 2 if same else BLOCK)):
            self._run.context.raise_if_cancelled()
            self._tell(total)
            answers = self._answers(block, by_model=not same)
            for place, prompt in enumerate(block):
                self._keep(prompt, answers[place])
            self._tell(total)
        found = len(self._done.lines)
        if not found:
            raise UserError("There are no prompts.", "Choose others.")
        self._kind._queues.update(msgspec.structs.replace(self._kind._queues.get(self._queue.id), prompts=found))

    # -- answers ------------------------------------------------------------------------------------

    def _answers(self, block: Sequence[Prompt], *, by_model: bool) -> list[list[JudgedAnswer | UserError]]:
        """For each prompt its two answers, or why there is none."""
        found: list[list[JudgedAnswer | UserError]] = [[] for _ in block]
        if len(self._request.recipes) == 1:
            groups = [[partial(self._two, prompt, found[place]) for place, prompt in enumerate(block)]]
        else:
            for both in found:
                both += [UserError("It was not asked.")] * 2
            columns = [
                [partial(self._one, prompt, column, found[place]) for place, prompt in enumerate(block)]
                for column in range(2)
            ]
            groups = columns if by_model else [list(chain(*zip(*columns, strict=True)))]
        for jobs in groups:
            self._together(jobs)
        return found

    def _one(self, prompt: Prompt, column: int, into: list[JudgedAnswer | UserError]) -> None:
        recipe = self._seeded(self._request.recipes[column], prompt, column)
        try:
            into[column] = _judged(self._ask(recipe, prompt), self._queue.columns[column])[0]
        except UserError as error:
            into[column] = error

    def _two(self, prompt: Prompt, into: list[JudgedAnswer | UserError]) -> None:
        """Two answers of one generation, which share its prompt."""
        recipe = self._seeded(self._request.recipes[0], prompt, 0)
        both = msgspec.structs.replace(recipe, decoding=msgspec.structs.replace(recipe.decoding, n=2))
        try:
            into += _judged(self._ask(both, prompt), self._queue.columns[0])[:2]
        except UserError as error:
            into.append(error)

    def _seeded(self, recipe: Recipe, prompt: Prompt, column: int) -> Recipe:
        if recipe.decoding.seed >= 0:
            return recipe
        seed = number_of(self._request.seed, prompt_key(prompt), str(column)) % (LARGEST_SEED + 1)
        return msgspec.structs.replace(recipe, decoding=msgspec.structs.replace(recipe.decoding, seed=seed))

    def _ask(self, recipe: Recipe, prompt: Prompt) -> AskResult:
        """Raises UserError where this prompt has no answer, and whatever ends the run."""
        ended: Event | None = None
        request = AnswerRequest(recipe=recipe, conversation=prompt, origins=self._origins)
        for event in answer(request, self._kind._services, self._run.context, background=True):
            if isinstance(event, events.TERMINAL):
                ended = event
            elif isinstance(event, events.Progress) and not event.step:
                self._run.emit(msgspec.structs.replace(event, seq=0, at=0.0))
        if isinstance(ended, events.Finished):
            return msgspec.convert(ended.result, AskResult)
        assert isinstance(ended, events.Failed | events.Cancelled)
        raise error_of(ended)

    def _together(self, jobs: Sequence[Callable[[], None]]) -> None:
        """Do the jobs, in their order, on some threads. Raises the first exception, once all have ended."""
        waiting, raised, lock = iter(jobs), list[Exception](), threading.Lock()

        def run() -> None:
            while not raised:
                with lock:
                    job = next(waiting, None)
                if job is None:
                    return
                try:
                    self._run.context.raise_if_cancelled()
                    job()
                except Exception as error:  # noqa: BLE001 - raised again on the run's thread
                    raised.append(error)

        count = min(TOGETHER, len(jobs))
        threads = [threading.Thread(target=run, name=f"{self._run.id}-{n}", daemon=True) for n in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if raised:
            raise next((error for error in raised if not isinstance(error, Cancelled)), raised[0])

    # -- the queue ----------------------------------------------------------------------------------

    def _keep(self, prompt: Prompt, answers: Sequence[JudgedAnswer | UserError]) -> None:
        reason = _problem(answers)
        if not reason:
            both = [one for one in answers if isinstance(one, JudgedAnswer)]
            first, second = both
            read = (origins_of_answer(one.recipe, (), whole_document=True) for one in both)
            shown: Literal["ab", "ba"] = (
                "ab" if number_of(self._request.seed, prompt_key(prompt), "shown") % 2 else "ba"
            )
            now = time.time()
            pair = Judgement(
                id=f"{self._queue.id}-{prompt_key(prompt)}",
                prompt=(*self._instructions(), *prompt),
                a=first,
                b=second,
                shown=shown,
                source="verdict" if self._queue.purpose == "verdict" else "label",
                queue=self._queue.id,
                origin=self._queue.origin,
                created=now,
                changed=now,
                origins=joined(self._origins, *read),
            )
            if not self._kind._store.has(pair.id):  # a core that died may have stored it, and not noted that it did
                self._kind._store.add_waiting([pair])
        self._done.add(_Done(prompt_key(prompt), reason))
        self._succeeded = self._succeeded or not reason
        failed = [one.reason for one in self._done.lines if one.reason]
        if not self._succeeded and len(failed) >= FAILED_ALONE:
            raise UserError(f"The first prompts have no two answers to judge. {failed[0]}", "Choose other recipes.")

    def _instructions(self) -> tuple[Message, ...]:
        """The messages that all recipes share: what one of them was told besides is not what the other answered."""
        told = {recipe.prompting.instructions.strip() for recipe in self._request.recipes}
        return (Message("system", text),) if len(told) == 1 and (text := told.pop()) else ()

    def _tell(self, total: int) -> None:
        done = len(self._done.lines)
        self._made = self._made or done
        fresh = done - self._made
        left = (time.monotonic() - self._began) / fresh * max(0, total - done) if fresh > 0 and total else None
        self._run.emit(events.Progress(stage="answering", done=done, total=total, unit="prompts", seconds_left=left))
        self._kind._changes.publish("labelling", self._queue.id)


def _judged(result: AskResult, name: str) -> list[JudgedAnswer]:
    tokens = result.trace.tokens if result.trace is not None else None
    said = [(one.text, one.finish) for one in result.sequences] or [(result.answer, "eos")]
    return [
        JudgedAnswer(
            text=text.strip(),
            name=name,
            recipe=result.recipe,
            tokens=tokens.sequences[place] if tokens is not None and place < len(tokens.sequences) else (),
            finish=finish,
            made_by=result.made_by,
        )
        for place, (text, finish) in enumerate(said)
    ]


def _problem(answers: Sequence[JudgedAnswer | UserError]) -> Shown:
    """Why there is nothing to judge; "" where there is."""
    error = next((one for one in answers if isinstance(one, UserError)), None)
    if error is not None:
        return error.message
    texts = [one.text for one in answers if isinstance(one, JudgedAnswer)]
    if len(texts) < 2 or texts[0] == texts[1]:
        return "Both answers are the same."
    return "" if all(texts) else "An answer is empty."
