"""The program's status: settings, the machine, running work, the workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from workbench import __version__
from workbench.backends.llama_cpp import LlamaCppBackend
from workbench.base.paths import Home
from workbench.base.settings import Settings
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.preferences import Preferences
from workbench.core.streams import Handlers, unary
from workbench.engine.machine import read_machine
from workbench.processes.host import WorkerHost
from workbench.records.methods import MethodInfo
from workbench.records.models import Machine
from workbench.subjects.documents.embedder import Embedding
from workbench.subjects.machine import calls
from workbench.subjects.models.folders import check_folder
from workbench.subjects.runs.calls import GetStatus, Status, Subscribe, WorkerState
from workbench.subjects.runs.queue import Runs
from workbench.training.worker_host import TrainingWorkers


@dataclass(frozen=True, eq=False)
class Program:
    _home: Home
    _preferences: Preferences
    _backend: LlamaCppBackend
    _embedding: Embedding
    _training: TrainingWorkers
    _runs: Runs
    _changes: ChangeNotifier
    _describe_methods: Callable[[], tuple[MethodInfo, ...]]

    def handlers(self) -> Handlers:
        return {
            calls.GetMachine: unary(lambda call: self.machine()),
            calls.ListMethods: unary(lambda call: calls.MethodList(methods=self._describe_methods())),
            GetStatus: unary(lambda call: self.status()),
            Subscribe: lambda call, context: self._changes.subscribe(context),
            calls.GetSettings: unary(lambda call: self._preferences.current),
            calls.ChangeSettings: unary(self.change),
            calls.RestartWorker: unary(self.restart),
        }

    def change(self, call: calls.ChangeSettings) -> Settings:
        """A folder for models that is not there, or cannot be written, is refused."""
        folder = call.values.get("general", {}).get("model_folder")
        if isinstance(folder, str) and folder:
            check_folder(folder)
        return self._preferences.change(call.values)

    def machine(self) -> Machine:
        return read_machine(self._home.root, self._backend.list_devices())

    def status(self) -> Status:
        """The training worker's processes are included while they run."""
        hosts = (self._backend.host, self._embedding.host, *self._training.hosts)
        workers = tuple(map(_state, hosts))
        loaded = self._backend.loaded
        known = Status(
            home=str(self._home.root),
            version=__version__,
            memory_bytes=sum(worker.memory_bytes for worker in workers),
            workers=workers,
            runs=self._runs.list_open(),
        )
        if loaded is None:
            return known
        name, how = loaded
        return msgspec.structs.replace(known, model=name, context_tokens=how.context_tokens, device=how.device)

    def restart(self, call: calls.RestartWorker) -> Status:
        """Restart a worker; the runs that its death interrupts are resumed."""
        host = self._backend.host if call.name == "inference" else self._embedding.host
        host.stop()
        host.start()
        if call.name == "embedding":
            self._runs.resume_interrupted()
        return self.status()


def _state(host: WorkerHost) -> WorkerState:
    death = host.death
    return WorkerState(
        name=host.worker,
        state=host.state,
        pid=host.pid,
        memory_bytes=host.memory_bytes,
        detail=f"Exit code {death.exit_code}." if death is not None and death.exit_code is not None else "",
    )
