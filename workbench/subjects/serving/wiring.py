"""Makes the parts of the local API and joins them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from workbench.api.events import Event
from workbench.api.protocol import Call, RequestContext
from workbench.core.foundation import Foundation
from workbench.processes.host import WorkerHost
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.serving.service import Serving
from workbench.subjects.subject import Subject


def wire(
    base: Foundation,
    handle: Callable[[Call[Any], RequestContext], Iterator[Event]],
    services: HomeServices,
    catalogue: ModelCatalogue,
    embedding: Embedding,
    inference: WorkerHost,
) -> Subject:
    """``handle`` answers a call of any subject."""
    serving = Serving(
        base.home, handle, services, catalogue, embedding, inference, base.preferences, base.changes, base.images
    )
    return Subject(
        handlers=serving.handlers(),
        watches={"api": serving.start},
        is_busy=lambda: serving.server.busy,
        stop=serving.server.close,
    )
