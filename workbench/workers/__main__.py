"""``python -m workbench.workers NAME``: become a worker. Only the chosen worker's module is imported."""

from __future__ import annotations

import faulthandler
import importlib
import sys

WORKERS = {
    "inference": "workbench.workers.inference",
    "embedding": "workbench.workers.embedding",
    "reader": "workbench.workers.reader",
    "training": "workbench.workers.training",
    "template": "workbench.engine.template_process",
    "process-group": "torch.distributed.run",
    "rank": "workbench.training.process_group",
}


def run(arguments: list[str]) -> int:
    """Run the worker named first; its module's ``main()`` finds further arguments in ``sys.argv[1:]``."""
    if not arguments or arguments[0] not in WORKERS:
        sys.stderr.write(f"usage: python -m workbench.workers {{{'|'.join(WORKERS)}}}\n")
        return 2
    faulthandler.enable()  # a crash in native code says where, in the stderr that the parent keeps
    sys.argv[1:] = arguments[1:]
    importlib.import_module(WORKERS[arguments[0]]).main()
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
