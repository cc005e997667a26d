"""Makes the parts of chats and joins them."""

from __future__ import annotations

from pathlib import Path

from workbench.core.foundation import Foundation
from workbench.core.streams import Handlers
from workbench.storage.database import open_memory
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.chats.answers import Answers, TaskConfig
from workbench.subjects.chats.images import ChatImages
from workbench.subjects.chats.importing import ChatImports, ImportedChatStore
from workbench.subjects.chats.inspection import Inspecting
from workbench.subjects.chats.runs import TaskRuns
from workbench.subjects.chats.service import Chats
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.chats.temporary import with_temporary
from workbench.subjects.chats.trash import TrashedChats
from workbench.subjects.chats.trash_store import TrashedChatStore
from workbench.subjects.chats.unfinished import UnfinishedSections
from workbench.subjects.documents.wiring import DocumentParts
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.queue import Runs
from workbench.subjects.subject import Subject
from workbench.subjects.trash.store import TrashStore


def wire(
    base: Foundation,
    store: ChatStore,
    read: DocumentParts,
    services: HomeServices,
    runs: Runs,
    trash: TrashStore,
) -> tuple[Answers, Subject]:
    def add_task(title: str, config: TaskConfig) -> tuple[RunRecord, Path]:
        run = runs.add("task", title, config)
        return run, runs.folder(run.id)

    sections = UnfinishedSections(base.home.sections)
    answers = Answers(store, services, base.changes, base.background, add_task, sections, base.images.keep)
    shown = ChatImages(store, base.images)
    trashed = TrashedChats(
        store, TrashedChatStore(base.database), read.service, read.embedding, sections, trash, base.changes, shown
    )
    imports = ChatImports(
        ImportedChatStore(base.database), lambda: base.settings.documents, base.changes, base.home.logs / "reader.log"
    )
    memory = open_memory()
    passing = ChatStore(memory)
    unkept = Answers(passing, services, base.changes, base.background, require_image=base.images.hold)
    unkept_images = ChatImages(passing, base.images, False)

    def handlers(store: ChatStore, answers: Answers, trash: TrashedChats | None, images: ChatImages | None) -> Handlers:
        return {
            **Chats(store, answers, read.service, base.changes, trash, images).handlers(),
            **answers.handlers(),
            **Inspecting(store, services, base.changes).handlers(),
        }

    def stop() -> None:
        answers.close()
        unkept.close()

    subject = Subject(
        handlers={
            **with_temporary(
                handlers(store, answers, trashed, shown), handlers(passing, unkept, None, unkept_images), passing
            ),
            **imports.handlers(),
        },
        kinds={"task": TaskRuns(answers, base.home.run)},
        trash={"chat": trashed},
        watches={"images": shown.tidy, "passing chats": unkept_images.tidy_held},
        is_busy=lambda: answers.busy or unkept.busy,
        stop=stop,
        close=(memory.close,),
    )
    return answers, subject
