"""Makes the parts of chats and joins them."""

from __future__ import annotations

from pathlib import Path

from workbench.core.foundation import Foundation
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.chats.answers import Answers, TaskConfig
from workbench.subjects.chats.inspection import Inspecting
from workbench.subjects.chats.runs import TaskRuns
from workbench.subjects.chats.service import Chats
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.chats.unfinished import UnfinishedSections
from workbench.subjects.documents.service import Documents
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.queue import Runs
from workbench.subjects.subject import Subject


def wire(
    base: Foundation, store: ChatStore, documents: Documents, services: HomeServices, runs: Runs
) -> tuple[Answers, Subject]:
    def add_task(title: str, config: TaskConfig) -> tuple[RunRecord, Path]:
        run = runs.add("task", title, config)
        return run, runs.folder(run.id)

    answers = Answers(store, services, base.changes, base.background, add_task, UnfinishedSections(base.home.sections))
    subject = Subject(
        handlers={
            **Chats(store, answers, documents, base.changes).handlers(),
            **answers.handlers(),
            **Inspecting(store, services, base.changes).handlers(),
        },
        kinds={"task": TaskRuns(answers, base.home.run)},
        is_busy=lambda: answers.busy,
        stop=answers.close,
    )
    return answers, subject
