"""A memory limit for this process while it parses an untrusted file.

On Linux the kernel enforces it: an allocation beyond it fails. Elsewhere, and for memory that the kernel does not
count, somebody watches (``retrieval.reading.process.ReaderProcess``, ``training.data.table_process``).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def memory_ceiling(megabytes: int) -> Iterator[None]:
    """Limit the process to ``megabytes`` of memory in all, its present memory included.

    The limit is on private writable memory (RLIMIT_DATA): address space alone (RLIMIT_AS) would also count memory that
    libraries only reserve, such as an arena per thread.
    """
    if sys.platform != "linux":
        yield
        return
    import resource

    reserved, resident = _data_and_resident_bytes()
    ceiling = reserved + max(0, megabytes * 1_000_000 - resident)
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        ceiling = min(ceiling, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (ceiling, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_and_resident_bytes() -> tuple[int, int]:
    """Private writable memory as RLIMIT_DATA counts it, whether touched or not, and resident memory."""
    fields = {}
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            name, _, value = line.partition(":")
            if name in ("VmData", "VmRSS"):
                fields[name] = int(value.split()[0]) * 1024
    return fields["VmData"], fields["VmRSS"]
