"""Makes the parts of trainings and joins them."""

from __future__ import annotations

from typing import NamedTuple

from workbench.core.foundation import Foundation
from workbench.subjects.adapters.wiring import AdapterParts
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.runs.queue import Runs
from workbench.subjects.subject import Subject
from workbench.subjects.trainings.judges import TrainingJudges
from workbench.subjects.trainings.runs import TrainingRuns
from workbench.subjects.trainings.service import Training


class TrainingParts(NamedTuple):
    service: Training
    subject: Subject


def wire(base: Foundation, adapters: AdapterParts, services: HomeServices, runs: Runs) -> TrainingParts:
    judges, of = TrainingJudges(services), adapters
    training = Training(base.home, of.bases, of.workers, runs, of.store, judges, of.trained)
    working = TrainingRuns(base.home, of.bases, of.workers, of.store, of.artifacts, judges, of.trained)
    return TrainingParts(training, Subject(handlers=training.handlers(), kinds={"train": working}))
