"""Makes the parts of estimates of costs and joins them."""

from __future__ import annotations

from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.costs.service import Costs, JudgementSource
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.endpoints.store import EndpointStore
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.judgements.prompt_source import PromptSource
from workbench.subjects.subject import Subject


def wire(
    services: HomeServices,
    questions: QuestionStore,
    judgements: JudgementSource,
    registry: CollectionRegistry,
    endpoints: EndpointStore,
    prompts: PromptSource,
) -> Subject:
    return Subject(handlers=Costs(services, questions, judgements, registry, endpoints, prompts).handlers())
