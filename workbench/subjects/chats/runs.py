"""The kind of run that carries out a task on one whole document, as the answer of a chat.

The answer is computed by the answering service, and its text belongs to the chat; the run tells how far it is, keeps
the finished sections, and resumes with the next one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.base.stored import Stored
from workbench.subjects.chats.answers import Answers, TaskConfig
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.kinds import OpenRun, RunKind


class TaskResult(msgspec.Struct, frozen=True, kw_only=True):
    """The place of the answer."""

    chat: str
    message: str


@dataclass(frozen=True, eq=False)
class TaskRuns(RunKind):
    config = Stored("config of this run", TaskConfig)
    result = Stored("result of this run", TaskResult)
    resumable = True

    _answers: Answers
    _folder: Callable[[str], Path]

    def concurrency_group(self, run: RunRecord) -> str:
        """Tasks do not wait for each other."""
        return f"task {run.config['message']}"

    def work(self, run: OpenRun) -> Event:
        config = msgspec.convert(run.record.config, TaskConfig)
        pending = self._answers.take_task(config.message) or self._answers.resume(config.message, self._folder(run.id))
        done = finish(TaskResult(chat=pending.answer.chat, message=pending.answer.id))
        run.context.when_cancelled(pending.context.cancel)
        for event in pending.stream.follow(RequestContext()):
            if isinstance(event, events.Failed):
                return event
            if isinstance(event, events.Finished):
                return done
            if isinstance(event, events.Cancelled):
                if not event.interrupted:
                    run.context.cancel()  # the answer was stopped, and thereby the run
                return events.Cancelled(result=done.result)
            if isinstance(event, events.Progress | events.Log):
                run.emit(msgspec.structs.replace(event, seq=0, at=0.0))
        raise RuntimeError("the answer ended without a terminal event")
