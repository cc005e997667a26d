"""Makes the services that answering uses of a home."""

from __future__ import annotations

from workbench.backends.backend import Backend
from workbench.backends.openai_compatible import NAME as REMOTE
from workbench.core.foundation import Foundation
from workbench.subjects.agents.tools import AgentTools
from workbench.subjects.answering.resolver import ExampleSource, HomeServices, Resolver
from workbench.subjects.documents.wiring import DocumentParts
from workbench.subjects.endpoints.wiring import EndpointParts
from workbench.subjects.models.checksums import Checksums
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.prompts.store import DemonstrationStore


def open_services(
    base: Foundation,
    catalogue: ModelCatalogue,
    checksums: Checksums,
    documents: DocumentParts,
    endpoints: EndpointParts,
    llama_cpp: Backend,
    agent_tools: AgentTools,
    questions: ExampleSource,
    demonstrations: DemonstrationStore,
) -> HomeServices:
    home = base.home
    return HomeServices(
        Resolver(catalogue, documents.registry, home.adapters, checksums),
        endpoints.sending,
        {"llama.cpp": llama_cpp, REMOTE: endpoints.service.make_backend(base.images.path_of)},
        documents.embedding, catalogue, checksums, base.background, questions, agent_tools, home.recipes,
        demonstrations, base.images,
    )  # fmt: skip
