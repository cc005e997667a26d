"""The machine: processor, memory and disk. Only the inference worker knows the GPUs."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import psutil

from workbench.base.paths import free_bytes
from workbench.records.models import Device, Machine


def read_machine(folder: Path, devices: tuple[Device, ...] = ()) -> Machine:
    """The machine as it is now. ``folder`` names the disk whose free space counts; it need not exist yet.

    ``cores`` are the physical ones available to this process. In a container its limits count, not the host's memory.
    """
    total, free = read_memory()
    return Machine(
        processor=_processor(),
        cores=_cores(),
        memory_bytes=total,
        memory_free_bytes=free,
        disk_free_bytes=free_bytes(folder),
        devices=devices,
    )


def _cores() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(psutil.cpu_count(logical=False) or usable, usable))


def read_memory() -> tuple[int, int]:
    """The bytes of memory that there are, and those that are free; in a container its limits count."""
    memory = psutil.virtual_memory()
    limit, used = _container_memory()
    if not limit:
        return memory.total, memory.available
    return min(memory.total, limit), min(memory.available, max(0, limit - used))


def _processor() -> str:
    try:
        if sys.platform == "linux":
            for line in Path("/proc/cpuinfo").read_text("utf-8", errors="replace").splitlines():
                if line.startswith("model name"):
                    return " ".join(line.partition(":")[2].split())
        elif sys.platform == "darwin":
            asked = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(asked, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        pass
    return platform.processor() or platform.machine() or "unknown"


def _container_memory() -> tuple[int, int]:
    """Limit and use of this process's control group in bytes; (0, 0) where there is no limit."""
    group = Path("/sys/fs/cgroup")
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            return int((group / limit).read_text()), int((group / used).read_text())
        except (OSError, ValueError):  # no such file, or the word "max"
            continue
    return 0, 0
