"""Makes the parts of ladders and joins them."""

from __future__ import annotations

from workbench.core.foundation import Foundation
from workbench.subjects.adapters.wiring import AdapterParts
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.datasets.store import DatasetStore
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.evaluation.wiring import EvaluationParts
from workbench.subjects.ladder.planning import Planner
from workbench.subjects.ladder.preparing import Preparer
from workbench.subjects.ladder.report import LadderReports
from workbench.subjects.ladder.runs import LadderRuns
from workbench.subjects.ladder.service import Ladders
from workbench.subjects.ladder.store import LadderStore
from workbench.subjects.runs.queue import Runs
from workbench.subjects.subject import Subject
from workbench.subjects.trainings.service import Training


def wire(
    base: Foundation,
    evaluation: EvaluationParts,
    training: Training,
    sets: DatasetStore,
    collections: CollectionRegistry,
    adapters: AdapterParts,
    services: HomeServices,
    runs: Runs,
) -> Subject:
    store, questions = LadderStore(base.database), evaluation.questions
    planner = Planner(questions, evaluation.store, store, services, collections, adapters.workers, training)
    reports = LadderReports(store, evaluation.store, questions, services, runs)
    ladders = Ladders(
        store, evaluation.store, evaluation.service, questions, services, planner, reports, runs, base.changes
    )
    preparer = Preparer(runs, store, questions, sets, evaluation.store, adapters.store, training, evaluation.optimising)
    climbing = LadderRuns(
        store, evaluation.answering, evaluation.store, questions, planner, preparer, reports, adapters.trained,
        base.changes,
    )  # fmt: skip
    return Subject(handlers=ladders.handlers(), kinds={"ladder": climbing})
