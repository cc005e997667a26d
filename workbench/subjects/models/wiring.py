"""Makes the parts of models and joins them."""

from __future__ import annotations

from collections.abc import Callable

from workbench.backends.llama_cpp import LlamaCppBackend
from workbench.core.foundation import Foundation
from workbench.processes.host import WorkerHost
from workbench.records.models import Machine, ModelRecord
from workbench.subjects.models.checksums import Checksums
from workbench.subjects.models.fitting import Fitting
from workbench.subjects.models.folders import folders_of
from workbench.subjects.models.hub_service import HubService, hub_of
from workbench.subjects.models.runs import DownloadRuns
from workbench.subjects.models.service import Models
from workbench.subjects.models.store import ModelCatalogue
from workbench.subjects.models.suggesting import Suggesting
from workbench.subjects.models.trash import TrashedModels
from workbench.subjects.runs.queue import Runs
from workbench.subjects.subject import Subject
from workbench.subjects.trash.store import TrashStore


def wire(
    base: Foundation,
    catalogue: ModelCatalogue,
    checksums: Checksums,
    backend: LlamaCppBackend,
    runs: Runs,
    fitting_host: WorkerHost,
    *,
    status: Callable[[], object],
    machine: Callable[[], Machine],
    trash_endpoint: Callable[[ModelRecord, bool], None],
    prepare_embedder: Callable[[ModelRecord], None],
    discard_prepared: Callable[[ModelRecord], None],
    trash: TrashStore,
) -> tuple[Models, Subject]:
    """``backend`` loads GGUF models, ``fitting_host`` computes what fits into memory. ``prepare_embedder`` gets each
    model that is imported, ``discard_prepared`` each that is deleted for good."""
    hub, folders = hub_of(base), folders_of(base)
    trashed = TrashedModels(catalogue, folders, trash, base.preferences, base.changes, discard_prepared)
    models = Models(
        folders, catalogue, checksums, backend, runs, base.changes, base.preferences, status, trashed,
        trash_endpoint, prepare_embedder,
    )  # fmt: skip
    fitting = Fitting(catalogue, backend, hub, base.gate, fitting_host)
    subject = Subject(
        handlers={
            **models.handlers(),
            **fitting.handlers(),
            **Suggesting(hub, fitting, machine).handlers(),
            **HubService(hub, base.secrets, runs, folders).handlers(),
        },
        kinds={"download": DownloadRuns(folders, catalogue, checksums, base.gate, hub, base.changes)},
        trash={"model": trashed},
        hosts=(fitting.host,),
        close=(fitting.close,),
    )
    return models, subject
