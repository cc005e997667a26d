"""Makes the parts of documents and joins them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import NamedTuple

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.core.foundation import Foundation
from workbench.processes.host import State as WorkerState
from workbench.processes.host import WorkerHost
from workbench.subjects.documents import calls
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.documents.folder_watcher import Watching, changed_since
from workbench.subjects.documents.runs import Ingesting, Passwords
from workbench.subjects.documents.service import Documents
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.documents.trash import TrashedCollections
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.runs.queue import Runs
from workbench.subjects.subject import Subject
from workbench.subjects.trash.store import TrashStore


class DocumentParts(NamedTuple):
    registry: CollectionRegistry
    embedding: Embedding
    service: Documents
    subject: Subject


def wire(
    base: Foundation,
    catalogue: ModelCatalogue,
    runs: Runs,
    make_host: Callable[[Callable[[WorkerState], None]], WorkerHost],
    trash: TrashStore,
) -> DocumentParts:
    """``make_host`` makes the host of the embedding worker."""
    registry = CollectionRegistry(base.database)
    embedding = Embedding(base.home, catalogue, make_host, base.background, base.changes.publish)
    passwords = Passwords()

    def read_again(collection: str, path: str) -> None:
        with contextlib.suppress(UserError):  # the collection was removed meanwhile
            known = registry.get(collection)
            runs.add("ingest", known.name, calls.AddDocuments(collection=known.id, paths=(path,)), once=True)

    watching = Watching(read_again, base.home.root)

    def watch(context: RequestContext) -> None:
        for root in registry.list_watched():
            context.raise_if_cancelled()
            watching.watch(root.collection, root.path)
            if root.read_at is None or changed_since(root.path, root.read_at):
                read_again(root.collection, root.path)

    documents = Documents(registry, embedding, runs, watching, base.changes, passwords, trash)
    ingesting = Ingesting(registry, embedding, base.changes, lambda: base.settings.documents, passwords)
    subject = Subject(
        handlers=documents.handlers(),
        kinds={"ingest": ingesting},
        trash={
            "document": documents.trashed,
            "folder": documents.trashed,
            "collection": TrashedCollections(registry, embedding, trash, documents.show),
        },
        hosts=(embedding.host,),
        keeps_hosts=lambda: base.settings.documents.keep_embedder,
        watches={"watch": watch},
        stop=watching.close,
        close=(embedding.host.close,),
    )
    return DocumentParts(registry, embedding, documents, subject)
