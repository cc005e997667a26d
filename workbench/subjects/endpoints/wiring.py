"""Makes the parts of endpoints and joins them."""

from __future__ import annotations

from typing import NamedTuple

from workbench.core.foundation import Foundation
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.endpoints.sending import SendingGate
from workbench.subjects.endpoints.service import Endpoints
from workbench.subjects.endpoints.store import EndpointStore
from workbench.subjects.endpoints.trash import TrashedEndpoints
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.subject import Subject
from workbench.subjects.trash.store import TrashStore


class EndpointParts(NamedTuple):
    store: EndpointStore
    sending: SendingGate
    service: Endpoints
    trashed: TrashedEndpoints
    subject: Subject


def wire(base: Foundation, catalogue: ModelCatalogue, registry: CollectionRegistry, trash: TrashStore) -> EndpointParts:
    store = EndpointStore(base.database)
    sending = SendingGate(registry, store)
    endpoints = Endpoints(catalogue, sending, store, base.secrets, base.gate, base.changes)
    trashed = TrashedEndpoints(catalogue, store, base.secrets, trash, base.preferences, base.changes)
    subject = Subject(handlers=endpoints.handlers(), trash={"endpoint": trashed})
    return EndpointParts(store, sending, endpoints, trashed, subject)
