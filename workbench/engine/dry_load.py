"""Loads a model without memory for its weights, cache and results, and counts what it would take (``no_alloc``).

llama.cpp builds the model, its memory and its compute graph, and allocates none of them: the count is that of the real
load, and takes 0.05 to 1 s. It needs the header of a file only: the rest may be a hole. A header on which llama.cpp
aborts ends the process, so this runs in a worker of its own, or in one that is about to load the model.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
from typing import Any

from workbench.base.errors import UserError
from workbench.base.huge_pages import has_huge_pages
from workbench.engine.library import LibraryLog, llama
from workbench.engine.memory_breakdown import can_count, count_memory, count_repacked
from workbench.engine.memory_planner import Plan
from workbench.engine.parameters import context_parameters, is_recurrent, log_reason, model_parameters, not_loaded
from workbench.records.fit import MemoryPart
from workbench.records.models import ModelRecord

MOST_TWICE = 0.1
"""A file is mapped unless more than this share of its weights is repacked: those are in memory twice."""

SMALL_FILE = 256 << 20
"""The load mode of a smaller file is chosen without a count, which takes as long as the load (bytes). It is read into
memory where that has huge pages, which a mapped file has not: tokens come faster. Elsewhere it is mapped."""


class DryModel:
    """A model without weights, loaded with a number of layers on the GPUs; ``close`` frees it."""

    def __init__(self, path: str, plan: Plan, log: LibraryLog) -> None:
        self._log = log
        log.forget_errors()
        # a mapped file needs no memory, and cannot be left out
        parameters = model_parameters(path, dataclasses.replace(plan, mapped=False))
        parameters.no_alloc = True
        self._pointer: Any = llama.llama_model_load_from_file(path.encode(), parameters)
        if not self._pointer:
            raise not_loaded("this model", "This model", log)

    def count(self, plan: Plan, contexts: int = 1) -> tuple[MemoryPart, ...]:
        """What the model takes with so many contexts of the plan. Raises UserError where llama.cpp makes none."""
        mapped = plan.mapped and bool(llama.llama_supports_mmap())
        context = self._context(plan)
        try:
            parts = count_memory(context, mapped=mapped)
        finally:
            llama.llama_free(context)
        return tuple(
            MemoryPart(
                device=part.device, weights=part.weights, cache=contexts * part.cache,
                computing=contexts * part.computing, mapped=mapped and not part.device,
            )
            for part in parts
        )  # fmt: skip

    def choose_load_mode(self, plan: Plan, size: int) -> Plan:
        """The plan of a model of ``size`` bytes, with its file mapped or not. On a processor llama.cpp repacks some
        quantisations (Q4_0, and by the kind of processor Q4_K, IQ4_NL and others) into memory of their own, beside
        which a mapped file would stay resident. Raises as ``count``."""
        if size < SMALL_FILE:
            return _of_small_file(plan)
        if not can_count():
            return plan
        context = self._context(plan)
        try:
            weights = sum(part.weights for part in count_memory(context))
            return dataclasses.replace(plan, mapped=count_repacked(context) <= MOST_TWICE * weights)
        finally:
            llama.llama_free(context)

    def _context(self, plan: Plan) -> Any:
        self._log.forget_errors()
        context = llama.llama_init_from_model(self._pointer, context_parameters(plan, is_recurrent(self._pointer)))
        if not context:
            raise UserError(f"llama.cpp cannot run this model with these settings: {log_reason(self._log)}")
        return context

    def close(self) -> None:
        pointer, self._pointer = self._pointer, ctypes.c_void_p()
        if pointer:
            llama.llama_model_free(pointer)


def choose_load_mode(model: ModelRecord, plan: Plan, log: LibraryLog) -> Plan:
    """As ``DryModel.choose_load_mode``, for a model that is about to be loaded. A file that cannot be counted is
    mapped: the load says what is wrong with it."""
    if model.bytes < SMALL_FILE:
        return _of_small_file(plan)
    try:
        with contextlib.closing(DryModel(model.path, plan, log)) as dry:
            return dry.choose_load_mode(plan, model.bytes)
    except UserError:
        return plan


def _of_small_file(plan: Plan) -> Plan:
    return dataclasses.replace(plan, mapped=not has_huge_pages())
