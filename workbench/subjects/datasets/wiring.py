"""Makes the parts of data sets and joins them."""

from __future__ import annotations

from workbench.core.foundation import Foundation
from workbench.subjects.answering.answer import Services
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.datasets.runs import DataRuns
from workbench.subjects.datasets.service import DataSets
from workbench.subjects.datasets.store import DatasetStore
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.endpoints.sending import SendingGate
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.runs.queue import Runs
from workbench.subjects.subject import Subject


def wire(
    base: Foundation,
    sets: DatasetStore,
    chats: ChatStore,
    catalogue: ModelCatalogue,
    registry: CollectionRegistry,
    embedding: Embedding,
    sending: SendingGate,
    services: Services,
    runs: Runs,
) -> tuple[DataSets, Subject]:
    data_sets = DataSets(sets, chats, catalogue, registry, sending, runs, base.changes)
    building = DataRuns(base.home, sets, chats, catalogue, registry, embedding, services, base.changes)
    return data_sets, Subject(handlers=data_sets.handlers(), kinds={"data": building})
