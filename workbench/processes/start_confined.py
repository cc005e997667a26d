"""Becomes another program, within limits: ``python -m workbench.processes.start_confined SECONDS MEGABYTES FOLDER …``.

The program, the rest of the arguments, writes only below FOLDER, opens no TCP connection, uses so many seconds of
processor time and so much private memory at most, and ends with the process that has started it. On Linux; with the
standard library only, since each call waits for it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

from workbench.processes.confinement import confine_writes

_PR_SET_PDEATHSIG = 1
_PARENT = "WORKBENCH_STARTED_BY"


def main() -> None:
    seconds, megabytes, folder, *command = sys.argv[1:]
    if sys.platform == "linux":
        import resource

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != int(os.environ.pop(_PARENT, os.getppid())):
            sys.exit(1)  # it had ended before
        for limit, value in (
            (resource.RLIMIT_CPU, int(seconds)),
            (resource.RLIMIT_DATA, int(megabytes) * 1_000_000),
            (resource.RLIMIT_CORE, 0),
        ):
            _, hard = resource.getrlimit(limit)
            lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(limit, (lowest, lowest))
        confine_writes([Path(folder)])
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
