"""Makes the parts of adapters and joins them."""

from __future__ import annotations

from workbench.backends.llama_cpp import LlamaCppBackend
from workbench.core.foundation import Foundation
from workbench.subjects.adapters.artifact_registry import ArtifactRegistry
from workbench.subjects.adapters.base_models import BaseModels, SetSource
from workbench.subjects.adapters.export_run import ExportRuns
from workbench.subjects.adapters.runs import MergeRuns, QuantizeRuns
from workbench.subjects.adapters.service import Adapters
from workbench.subjects.adapters.store import AdapterStore
from workbench.subjects.adapters.trained_data import TrainedData
from workbench.subjects.models.checksums import Checksums
from workbench.subjects.models.folders import folders_of
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.runs.queue import Runs
from workbench.subjects.subject import Subject
from workbench.subjects.trash.places import TrashedPlaces
from workbench.subjects.trash.store import TrashStore
from workbench.training.worker_host import TrainingWorkers


class AdapterParts:
    """``workers`` are the training workers, ``sets`` the data sets of the home, ``backend`` what adapters are loaded
    in."""

    def __init__(
        self,
        base: Foundation,
        catalogue: ModelCatalogue,
        checksums: Checksums,
        workers: TrainingWorkers,
        backend: LlamaCppBackend,
        sets: SetSource,
    ) -> None:
        self._changes, self._catalogue, self._backend = base.changes, catalogue, backend
        self.workers = workers
        self.store = AdapterStore(base.home.adapters)
        self.bases = BaseModels(catalogue, checksums, sets)
        self.trained = TrainedData(self.store, self.bases, workers)
        self.artifacts = ArtifactRegistry(self.store, catalogue, folders_of(base), checksums, backend, base.changes)
        self.exports = ExportRuns(self.bases, workers, self.store)

    def wire(self, runs: Runs, trash: TrashStore) -> Subject:
        trashed = TrashedPlaces("adapter", self.store.folder, trash, self._changes)
        adapters = Adapters(
            self.store, self._catalogue, self.bases, self.workers, self.artifacts, self._backend, runs, self.exports,
            self._changes, trashed,
        )  # fmt: skip
        runs.on_removal = self.artifacts.detach_run
        return Subject(
            handlers=adapters.handlers(),
            kinds={
                "merge": MergeRuns(self.bases, self.workers, self.store, self.artifacts),
                "export": self.exports,
                "quantize": QuantizeRuns(self.bases, self.workers, self.artifacts),
            },
            trash={"adapter": trashed},
            close=(self.workers.close,),
        )
