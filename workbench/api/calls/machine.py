"""The machine and the program: hardware, status, settings."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from workbench.api.calls.runs import RunRecord
from workbench.api.protocol import Call
from workbench.records.methods import MethodInfo
from workbench.settings import Settings


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A processor or GPU that ggml can compute on. ``shared``: its memory is part of the machine's own."""

    name: str
    description: str = ""
    kind: Literal["cpu", "gpu", "accelerator"] = "cpu"
    memory_bytes: int = 0
    free_bytes: int = 0
    shared: bool = False


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The machine. Memory and disk in bytes."""

    processor: str
    cores: int
    memory_bytes: int
    memory_free_bytes: int
    disk_free_bytes: int
    devices: tuple[Device, ...] = ()


class WorkerState(msgspec.Struct, frozen=True, kw_only=True):
    """One worker process, as the status bar shows it. ``memory_bytes`` is its resident memory."""

    name: str
    state: Literal["stopped", "starting", "ready", "dead"]
    pid: int = 0
    memory_bytes: int = 0
    detail: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The present state of the core. ``model`` is the name of the loaded model, empty without one."""

    home: str
    version: str
    model: str = ""
    context_tokens: int = 0
    device: str = ""
    memory_bytes: int = 0
    workers: tuple[WorkerState, ...] = ()
    runs: tuple[RunRecord, ...] = ()


class GetMachine(Call[Machine], frozen=True, kw_only=True, tag="machine"):
    """The machine's processor, memory, disk and GPUs."""


class MethodList(msgspec.Struct, frozen=True, kw_only=True):
    methods: tuple[MethodInfo, ...]


class ListMethods(Call[MethodList], frozen=True, kw_only=True, tag="methods.list"):
    """All methods of the program, with the fields of their configurations."""


class GetStatus(Call[Status], frozen=True, kw_only=True, tag="status"):
    """The present state of the core."""


class Subscribe(Call[None], frozen=True, kw_only=True, tag="subscribe"):
    """A stream of ``Changed`` events until it is cancelled."""


class GetSettings(Call[Settings], frozen=True, kw_only=True, tag="settings.get"):
    """All settings."""


class ChangeSettings(Call[Settings], frozen=True, kw_only=True, tag="settings.set"):
    """Change fields: ``{section: {field: value}}``. Raises UserError for an unknown or invalid one."""

    values: dict[str, dict[str, Any]]


class RestartWorker(Call[Status], frozen=True, kw_only=True, tag="worker.restart"):
    """Restart a worker: ``inference`` or ``embedding``."""

    name: Literal["inference", "embedding"]
