"""Starts this program again as another process, from a checkout, an installation or a frozen build; and identifies a
process beyond its id.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from workbench.base.installation import installation, without_foreign

INSTALLED_FOLDER = "llm_workbench"
"""The folder within site-packages that a wheel's packages lie in; a .pth file beside it lets every Python find it."""

SERVER_MARK = "WORKBENCH_MCP_SERVER"
"""The variable that marks the processes of an MCP server; another value, or none, exempts a process."""

OF_NO_SERVER: Mapping[str, str] = {SERVER_MARK: ""}
"""The environment of a process that a server may start and that serves others, too: it does not end with the server."""


def python_command(module: str, frozen_flag: str, argument: str, interpreter: str | None = None) -> list[str]:
    """The command line of ``python -m module argument``; a frozen build has no Python to be found, so it starts
    its own executable with ``frozen_flag argument`` instead."""
    if interpreter is None and is_frozen():
        return [sys.executable, frozen_flag, argument]
    # -P: a file in the current folder must not stand in for a module of ours
    return [interpreter or sys.executable, "-P", "-m", module, argument]


def child_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of another process of this program, made from ``environment`` (None: this process's own): an
    installed program mixes nothing of other Pythons into it, whoever started it."""
    own = dict(os.environ if environment is None else environment)
    if installation() is not None:
        return without_foreign(own)
    return {**own, **import_path()}


def import_path() -> dict[str, str]:
    """The environment that lets a child import this ``workbench`` when it runs from a checkout not installed."""
    root = Path(__file__).parents[2]
    if root.name in (INSTALLED_FOLDER, "site-packages", "dist-packages") or is_frozen():
        return {}
    before = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([str(root), before] if before else [str(root)])}


def is_frozen() -> bool:
    return bool(getattr(sys, "frozen", False))


def process_mark(pid: int) -> str:
    """A mark that no other process has, independent of the clock. Raises psutil.Error when there is none."""
    if sys.platform != "linux":
        return repr(psutil.Process(pid).create_time())  # written down when it began
    # psutil reckons the time of day from the ticks since the machine began, by a clock that is set while it runs
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError as error:
        raise psutil.NoSuchProcess(pid) from error
    return f"{_boot()} {stat.rpartition(b')')[2].split()[19].decode()}"


@functools.cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
