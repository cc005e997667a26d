"""The program's status: settings, the machine, running work, the workers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from workbench import __version__
from workbench.api import calls
from workbench.backends.llama_cpp import LlamaCppBackend
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.documents.embedder import Embedding
from workbench.core.runs.queue import Runs
from workbench.core.streams import Handlers, unary
from workbench.core.training.workers import TrainingWorkers
from workbench.errors import UserError
from workbench.models.machine import read_machine
from workbench.paths import Home
from workbench.records.hub import Purpose
from workbench.settings import SECTIONS, Settings, load_settings, save_settings
from workbench.techniques import registry
from workbench.workers.host import WorkerHost


class Preferences:
    """The settings of a home: read once, written at every change."""

    def __init__(self, home: Home, changes: ChangeNotifier) -> None:
        self._path = home.settings
        self._changes = changes
        self._lock = threading.Lock()
        self._settings = load_settings(self._path)
        self._followers: list[Callable[[], None]] = []

    def when_changed(self, follower: Callable[[], None]) -> None:
        """Have a function called after each change, on the thread that changes."""
        self._followers.append(follower)

    @property
    def current(self) -> Settings:
        return self._settings

    def allows(self, purpose: Purpose) -> bool:
        """Whether the person has switched a purpose of the network on."""
        network = self._settings.network
        switches: dict[Purpose, bool] = {
            "hub": network.hub,
            "mcp": network.allow_mcp,
            "update": network.updates,
            "endpoint": network.endpoints,
        }
        return not self._settings.general.offline and switches.get(purpose, False)

    def change(self, values: dict[str, dict[str, Any]]) -> Settings:
        """Change fields: all of them, or none when one is unknown or invalid (UserError)."""
        with self._lock:
            settings = {section: _changed(self._settings, section, fields) for section, fields in values.items()}
            plain = {section: msgspec.to_builtins(now) for section, now in settings.items()}
            save_settings(
                self._path, {section: {name: plain[section][name] for name in values[section]} for section in values}
            )
            self._settings = load_settings(self._path)
        for follower in self._followers:
            follower()
        self._changes.publish("settings")
        return self._settings


@dataclass(frozen=True, eq=False)
class Program:
    _home: Home
    _preferences: Preferences
    _backend: LlamaCppBackend
    _embedding: Embedding
    _training: TrainingWorkers
    _runs: Runs
    _changes: ChangeNotifier

    def handlers(self) -> Handlers:
        return {
            calls.GetMachine: unary(lambda call: self.machine()),
            calls.ListMethods: unary(lambda call: calls.MethodList(methods=registry.describe())),
            calls.GetStatus: unary(lambda call: self.status()),
            calls.Subscribe: lambda call, context: self._changes.subscribe(context),
            calls.GetSettings: unary(lambda call: self._preferences.current),
            calls.ChangeSettings: unary(lambda call: self._preferences.change(call.values)),
            calls.RestartWorker: unary(self.restart),
        }

    def machine(self) -> calls.Machine:
        return read_machine(self._home.root, self._backend.list_devices())

    def status(self) -> calls.Status:
        """The training worker's processes are included while they run."""
        hosts = (self._backend.host, self._embedding.host, *self._training.hosts)
        workers = tuple(map(_state, hosts))
        loaded = self._backend.loaded
        known = calls.Status(
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

    def restart(self, call: calls.RestartWorker) -> calls.Status:
        """Restart a worker; the runs that its death interrupts are resumed."""
        host = self._backend.host if call.name == "inference" else self._embedding.host
        host.stop()
        host.start()
        if call.name == "embedding":
            self._runs.resume_interrupted()
        return self.status()


def _changed(settings: Settings, section: str, fields: dict[str, Any]) -> msgspec.Struct:
    if section not in SECTIONS:
        raise UserError(f"There is no settings section {section!r}.", f"The sections are {', '.join(SECTIONS)}.")
    kind = SECTIONS[section]
    known = kind.__struct_fields__
    for field in fields:
        if field not in known:
            raise UserError(
                f"There is no setting {section}.{field}.", f"The settings of this section are {', '.join(known)}."
            )
    data = {**msgspec.to_builtins(getattr(settings, section)), **fields}
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise UserError(f"A setting of {section} is not valid: {error}.") from error


def _state(host: WorkerHost) -> calls.WorkerState:
    death = host.death
    return calls.WorkerState(
        name=host.worker,
        state=host.state,
        pid=host.pid,
        memory_bytes=host.memory_bytes,
        detail=f"Exit code {death.exit_code}." if death is not None and death.exit_code is not None else "",
    )
