"""``python -m workbench.workers NAME``: become a worker. Only the chosen worker's module is imported."""

from __future__ import annotations

import faulthandler
import importlib
import os
import sys

from workbench.base.training_environment import use_given_folder
from workbench.processes.process import ENGINE_VARIABLE, TORCH_VARIABLE

WORKERS = {
    "inference": "workbench.workers.inference",
    "fitting": "workbench.workers.fitting",
    "engine-check": "workbench.workers.engine_check",
    "embedding": "workbench.workers.embedding",
    "formulas": "workbench.workers.formulas",
    "reader": "workbench.workers.reader",
    "mcp": "workbench.workers.mcp",
    "sandbox": "workbench.workers.sandbox",
    "training": "workbench.workers.training",
    "embedder": "workbench.techniques.retrieval.preparation",
    "template": "workbench.engine.template_process",
    "table": "workbench.training.data.table_process",
    "process-group": "torch.distributed.run",
    "rank": "workbench.workers.training:main_of_rank",
    "torch-trial": "workbench.workers.torch_trial",
    "training-trial": "workbench.workers.training_trial",
}


def run(arguments: list[str]) -> int:
    """Run the named worker; its module's ``main()`` reads further arguments from ``sys.argv[1:]``."""
    if not arguments or arguments[0] not in WORKERS:
        sys.stderr.write(f"usage: python -m workbench.workers {{{'|'.join(WORKERS)}}}\n")
        return 2
    if engine := os.environ.get(ENGINE_VARIABLE):
        sys.path.insert(0, engine)
        os.environ.pop("LLAMA_CPP_LIB_PATH", None)  # an engine is its package with its own libraries
    if folder := os.environ.get(TORCH_VARIABLE):
        sys.path.insert(0, folder)  # before the packages of the program, and of the processes that this one starts
    use_given_folder()
    faulthandler.enable()  # a crash in native code writes its place to stderr, which the parent keeps
    sys.argv[1:] = arguments[1:]
    module, _, function = WORKERS[arguments[0]].partition(":")
    getattr(importlib.import_module(module), function or "main")()
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
