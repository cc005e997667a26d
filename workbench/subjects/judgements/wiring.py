"""Makes the parts of judgements and joins them."""

from __future__ import annotations

from typing import NamedTuple

from workbench.core.foundation import Foundation
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.datasets.store import DatasetStore
from workbench.subjects.documents.wiring import DocumentParts
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.judgements.file_service import JudgementFiles
from workbench.subjects.judgements.judging.runs import JudgingRuns
from workbench.subjects.judgements.judging.service import JudgingService
from workbench.subjects.judgements.labelling import Labelling
from workbench.subjects.judgements.prompt_source import PromptSource
from workbench.subjects.judgements.runs import CandidateRuns
from workbench.subjects.judgements.service import ChatJudgements, Judgements
from workbench.subjects.judgements.store import JudgementStore, QueueStore
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.runs.queue import Runs
from workbench.subjects.subject import Subject


class JudgementParts(NamedTuple):
    service: Judgements
    prompts: PromptSource
    subject: Subject


def wire(
    base: Foundation,
    chats: ChatStore,
    sets: DatasetStore,
    questions: QuestionStore,
    catalogue: ModelCatalogue,
    documents: DocumentParts,
    services: HomeServices,
    runs: Runs,
) -> JudgementParts:
    home, changes = base.home, base.changes
    prompts = PromptSource(home, chats, questions, catalogue, documents.registry, documents.embedding, services)
    store = JudgementStore(base.database)
    queues = QueueStore(base.database, store)
    judgements = Judgements(store, ChatJudgements(chats, store), sets, changes)
    subject = Subject(
        handlers={
            **judgements.handlers(),
            **JudgementFiles(judgements).handlers(),
            **Labelling(store, queues, prompts, services, runs, changes).handlers(),
            **JudgingService(store, queues, services, runs).handlers(),
        },
        kinds={
            "candidates": CandidateRuns(home, store, queues, prompts, services, changes),
            "judging": JudgingRuns(home, judgements, store, queues, services, changes),
        },
    )
    return JudgementParts(judgements, prompts, subject)
