"""Loads a model without memory for its weights, cache and results, and counts what it would take (``no_alloc``).

llama.cpp builds the model, its memory and its compute graph, and allocates none of them: the count is that of the real
load, and takes 0.05 to 1 s. It needs the header of a file only: the rest may be a hole. A header on which llama.cpp
aborts ends the process, so this runs in a worker of its own.
"""

from __future__ import annotations

import ctypes
from typing import Any

from workbench.base.errors import UserError
from workbench.engine.library import LibraryLog, llama
from workbench.engine.loading import context_parameters, is_recurrent, log_reason, model_parameters
from workbench.engine.memory_breakdown import count_memory
from workbench.engine.memory_planner import Plan
from workbench.records.fit import MemoryPart


class DryModel:
    """A model without weights, loaded with a number of layers on the GPUs; ``close`` frees it."""

    def __init__(self, path: str, plan: Plan, log: LibraryLog) -> None:
        self._log = log
        log.forget_errors()
        parameters = model_parameters(plan)
        parameters.no_alloc = True
        parameters.load_mode = llama.LLAMA_LOAD_MODE_NONE  # a mapped file needs no memory, and cannot be left out
        self._pointer: Any = llama.llama_model_load_from_file(path.encode(), parameters)
        if not self._pointer:
            raise UserError(f"llama.cpp cannot load this model: {log_reason(log)}")

    def count(self, plan: Plan, contexts: int = 1) -> tuple[MemoryPart, ...]:
        """What the model takes with so many contexts of the plan. Raises UserError where llama.cpp makes none."""
        self._log.forget_errors()
        context = llama.llama_init_from_model(self._pointer, context_parameters(plan, is_recurrent(self._pointer)))
        if not context:
            raise UserError(f"llama.cpp cannot run this model with these settings: {log_reason(self._log)}")
        try:
            parts = count_memory(context, mapped=bool(llama.llama_supports_mmap()))
        finally:
            llama.llama_free(context)
        return tuple(
            MemoryPart(
                device=part.device, weights=part.weights, cache=contexts * part.cache,
                computing=contexts * part.computing,
            )
            for part in parts
        )  # fmt: skip

    @property
    def has_encoder(self) -> bool:
        return bool(llama.llama_model_has_encoder(self._pointer))

    def close(self) -> None:
        pointer, self._pointer = self._pointer, ctypes.c_void_p()
        if pointer:
            llama.llama_model_free(pointer)
