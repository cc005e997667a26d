"""LoRA adapters on the loaded model: each read once, then set on a context in no time.

What an adapter is was checked before (``workbench.models.adapters``): llama.cpp aborts the process on some that do
not fit. A set of adapters is known by its files as they are now and by the scales, so that what was computed with one
set is never taken for another's, not even when a file was replaced.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from workbench.engine.library import llama
from workbench.engine.protocol import LoraUse
from workbench.errors import UserError
from workbench.models.adapters import check_adapter

KEPT = 8
"""How many adapters stay in memory."""


class AdapterKey(NamedTuple):
    """One adapter of a set: its file as it was when asked for, and how strongly it counts."""

    path: str
    changed_ns: int
    size: int
    scale: float


Key = tuple[AdapterKey, ...]


def make_key(adapters: Sequence[LoraUse]) -> Key:
    """What a set of adapters is known by; those with scale 0 do nothing and are left out. Raises UserError when a
    file is gone."""
    found = []
    for adapter in adapters:
        if adapter.scale == 0:
            continue
        try:
            stat = os.stat(adapter.path)
        except OSError as error:
            raise UserError(
                f"The adapter {adapter.path} is not there any more.", "Take it out of the recipe."
            ) from error
        found.append(AdapterKey(adapter.path, stat.st_mtime_ns, stat.st_size, adapter.scale))
    return tuple(sorted(found))


class Adapters:
    """The adapters of one model that are in memory, the one used last at the end."""

    def __init__(self, model: Any, model_path: str) -> None:
        self._model = model
        self._model_path = model_path
        self._loaded: dict[tuple[str, int, int], Any] = {}

    def load(self, key: Key) -> None:
        """Bring a set into memory. Raises UserError when one does not fit the model."""
        for adapter in key:
            identity = adapter[:3]
            if identity in self._loaded:
                self._loaded[identity] = self._loaded.pop(identity)
                continue
            check_adapter(Path(adapter.path), Path(self._model_path))
            pointer = llama.llama_adapter_lora_init(self._model, adapter.path.encode())
            if not pointer:
                raise UserError(f"llama.cpp cannot load the adapter {adapter.path}.", "Convert it again.")
            self._loaded[identity] = pointer

    def set_on(self, context: Any, key: Key) -> None:
        """Compute with this set, which is loaded, from now on."""
        count = len(key)
        pointers = (llama.llama_adapter_lora_p_ctypes * max(1, count))(*[self._loaded[adapter[:3]] for adapter in key])
        scales = (ctypes.c_float * max(1, count))(*[adapter.scale for adapter in key])
        if llama.llama_set_adapters_lora(context, pointers, count, scales):
            raise RuntimeError("llama.cpp refused the adapters")

    def forget_unused(self, in_use: Sequence[Key]) -> None:
        """Free the oldest ones beyond ``KEPT`` that no context computes with."""
        used = {adapter[:3] for key in in_use for adapter in key}
        for identity in [identity for identity in self._loaded if identity not in used]:
            if len(self._loaded) <= KEPT:
                return
            llama.llama_adapter_lora_free(self._loaded.pop(identity))
