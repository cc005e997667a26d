"""What computes the models of a home: engines, runtime packs, and the workers that run in their environment."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping

from workbench.backends.llama_cpp import LlamaCppBackend
from workbench.base.errors import UserError
from workbench.base.huge_pages import ask_for_huge_pages
from workbench.base.training_environment import FOLDER_VARIABLE
from workbench.core.foundation import Foundation
from workbench.processes.host import State, WorkerHost
from workbench.processes.process import EMBEDDERS_VARIABLE
from workbench.subjects.machine.engines import Engines
from workbench.subjects.machine.service import RuntimePacks, smallest_model
from workbench.subjects.models.store import ModelCatalogue
from workbench.training.worker_host import HostMaker, TrainingWorkers


class Computing:
    """``llama_cpp`` answers with GGUF models in the inference worker, ``training`` are the workers that use torch."""

    def __init__(self, base: Foundation, catalogue: ModelCatalogue) -> None:
        self._base = base
        # for children of the core that are no worker, such as the one that reads Parquet files
        os.environ[FOLDER_VARIABLE] = str(base.home.training)
        self.engines = Engines(
            base.home, self._engine_host, lambda: smallest_model(base.home, catalogue), self._restart, base.tell_workers
        )
        self.packs = RuntimePacks(
            base.home, catalogue, self._trial_host, self._restart, base.tell_workers, self.engines.base
        )
        self.llama_cpp = LlamaCppBackend(
            self._inference_host, base.tell_workers, base.preferences.engine, base.images.path_of
        )
        self.training = TrainingWorkers(self.host_maker("training"), base.tell_workers, packages=base.home.training)

    def forget_training(self) -> None:
        """The children of this process are those of no home any more."""
        os.environ.pop(FOLDER_VARIABLE, None)

    def host_maker(self, worker: str) -> HostMaker:
        """Makes hosts of a worker that uses torch."""

        def make(
            on_state: Callable[[State], None], *, cancel_grace_s: float = 20.0, stop_grace_s: float = 8.0
        ) -> WorkerHost:
            return self._base.host(
                worker,
                lambda: {
                    **self.packs.torch_environment(),
                    **self.engines.environment(),
                    FOLDER_VARIABLE: str(self._base.home.training),
                    EMBEDDERS_VARIABLE: str(self._base.home.embedders),
                },
                on_state,
                cancel_grace_s=cancel_grace_s,
                stop_grace_s=stop_grace_s,
            )

        return make

    def fitting_host(self) -> WorkerHost:
        """It sees the devices and the memory that the inference worker sees."""

        def environment() -> dict[str, str]:
            return {**self.engines.environment(), **self.packs.environment(), **ask_for_huge_pages()}

        return self._base.host("fitting", environment)

    def _inference_host(self, on_state: Callable[[State], None]) -> WorkerHost:
        def changed(state: State) -> None:
            self.packs.on_state(state, host.death)
            self.engines.on_state(state, host.death)
            on_state(state)

        def environment() -> dict[str, str]:
            return {**self.engines.inference_environment(), **self.packs.environment(), **ask_for_huge_pages()}

        host = self._base.host("inference", environment, changed)
        return host

    def _trial_host(self, environment: Mapping[str, str]) -> WorkerHost:
        """For trying runtime packs, with the engine that they belong to."""
        return self._base.host("inference", {**self.engines.environment(), **environment}, name="trial")

    def _engine_host(self, environment: Mapping[str, str]) -> WorkerHost:
        return self._base.host("inference", environment, name="trial")

    def _restart(self) -> None:
        """Let the inference worker go, unless it is in use: then the choice holds from its next start on."""
        with contextlib.suppress(UserError):
            self.llama_cpp.unload()
            self.llama_cpp.host.stop()
