"""The call of the sandbox worker, and its limits. Light: importing this loads no interpreter."""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.api.protocol import Call
from workbench.techniques.tools.services import PythonResult


class SandboxLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one program. ``memory_mb`` is its own memory; that of its process is limited to twice as much and what
    the interpreter takes."""

    seconds: float = 5.0
    memory_mb: int = 128
    printed: int = 20_000
    """Characters."""
    code: int = 100_000
    """Characters."""


DEFAULT_LIMITS = SandboxLimits()


class RunPython(Call[PythonResult], frozen=True, kw_only=True, tag="python"):
    """Run a program in an interpreter of its own; ``inputs`` are JSON values, each a variable of the program. What the
    program does wrong, its limits included, is the result's ``error``."""

    code: str
    inputs: dict[str, Any] = {}
    limits: SandboxLimits = DEFAULT_LIMITS


class Protections(msgspec.Struct, frozen=True, kw_only=True):
    """What the system enforces around the interpreter, which has no way out of its own: names of
    ``workers/confinement.py``; empty where the system has nothing."""

    names: tuple[str, ...] = ()


class GetProtections(Call[Protections], frozen=True, kw_only=True, tag="protections"):
    """What surrounds the interpreter in this worker."""


SandboxCall = RunPython | GetProtections
