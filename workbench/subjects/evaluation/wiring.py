"""Makes the services of evaluation and joins them."""

from __future__ import annotations

from typing import NamedTuple

from workbench.core.foundation import Foundation
from workbench.subjects.adapters.trained_data import TrainedData
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.chats.answers import Answers
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.datasets.store import DatasetStore
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.documents.service import Documents
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.evaluation.benchmark_service import BenchmarkFiles, BenchmarkRuns
from workbench.subjects.evaluation.document_set_run import KIND as DOCUMENT_QUESTIONS
from workbench.subjects.evaluation.document_set_run import DocumentSetRuns, DocumentSets
from workbench.subjects.evaluation.exam import Examiner
from workbench.subjects.evaluation.exam_run import ExamRuns
from workbench.subjects.evaluation.optimise_run import OptimiseRuns
from workbench.subjects.evaluation.optimising import Optimising
from workbench.subjects.evaluation.question_sets import QuestionSets
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.evaluation.runs import EvaluateRuns
from workbench.subjects.evaluation.samples import SampleSets
from workbench.subjects.evaluation.service import Evaluations
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.subjects.evaluation.verification_run import VerificationRuns, Verifications
from workbench.subjects.models.checksums import Checksums
from workbench.subjects.models.hub_service import hub_of
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.prompts.service import Prompts
from workbench.subjects.runs.queue import Runs
from workbench.subjects.subject import Subject


class EvaluationParts(NamedTuple):
    questions: QuestionStore
    store: EvaluationStore
    service: Evaluations
    answering: EvaluateRuns
    optimising: Optimising
    subject: Subject


def wire(
    base: Foundation,
    questions: QuestionStore,
    services: HomeServices,
    runs: Runs,
    *,
    catalogue: ModelCatalogue,
    checksums: Checksums,
    documents: Documents,
    registry: CollectionRegistry,
    embedding: Embedding,
    chats: ChatStore,
    answers: Answers,
    sets: DatasetStore,
    prompts: Prompts,
    trained: TrainedData,
) -> EvaluationParts:
    home, changes = base.home, base.changes
    store = EvaluationStore(base.database)
    evaluations = Evaluations(store, questions, services, runs, changes)
    evaluating = EvaluateRuns(store, services, checksums, changes, trained)
    examiner = Examiner(catalogue, checksums, runs, answers, changes, base.preferences)
    verifications = Verifications(runs)
    benchmarks = BenchmarkRuns(
        store, questions, catalogue, evaluations.start, evaluations.report, verifications.results
    )
    optimising = Optimising(evaluations, store, questions, services, runs, changes)
    subject = Subject(
        handlers={
            **evaluations.handlers(),
            **examiner.handlers(),
            **QuestionSets(questions, chats, sets, changes).handlers(),
            **DocumentSets(questions, registry, runs).handlers(),
            **SampleSets(questions, documents, runs, changes).handlers(),
            **BenchmarkFiles(home, base.gate, hub_of(base)).handlers(),
            **benchmarks.handlers(),
            **verifications.handlers(),
            **optimising.handlers(),
        },
        kinds={
            "evaluate": evaluating,
            DOCUMENT_QUESTIONS: DocumentSetRuns(questions, registry, embedding, changes),
            "verification": VerificationRuns(),
            "exam": ExamRuns(home, catalogue, checksums, embedding, services, changes),
            "optimise": OptimiseRuns(home, evaluating, store, questions, prompts, services, changes),
        },
        watches={"exams": examiner.watch},
    )
    return EvaluationParts(questions, store, evaluations, evaluating, optimising, subject)
