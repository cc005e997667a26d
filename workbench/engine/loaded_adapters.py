"""Adapters on the loaded model: each file is read once, then switched on a context in milliseconds.

``workbench.gguf.adapter_files`` validates adapters first: llama.cpp aborts the process on some that do not fit.
llama.cpp applies LoRAs; virtual tokens (``virtual_tokens``) are applied by the engine. All methods run on the engine's
thread.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from workbench.base.errors import UserError
from workbench.engine.keys import AdapterKey, Key, file_state
from workbench.engine.library import llama
from workbench.engine.virtual_tokens import Prefix, SoftPrompt, VirtualPrefix, read_virtual_tokens
from workbench.gguf.adapter_files import check_fit
from workbench.gguf.reader import Tensor

MAX_ADAPTERS = 8
"""Maximum number of adapters in memory."""

_K = TypeVar("_K")
_Identity = tuple[str, int, int]
"""Path, modification time and size: identifies one state of a file."""


class Adapters:
    """The adapters of one model that are in memory, the most recently used last. ``base`` are the model's tensors;
    ``windowed`` names the layers with a sliding attention window."""

    def __init__(
        self, model: Any, name: str, architecture: str, base: Mapping[str, Tensor], windowed: Sequence[bool]
    ) -> None:
        self._model = model
        self._name = name
        self._architecture = architecture
        self._base = base
        self._windowed = windowed
        self._loras: dict[_Identity, Any] = {}
        self._virtual: dict[_Identity, SoftPrompt | Prefix] = {}
        self._beginnings: dict[Key, VirtualPrefix] = {}

    def load(self, key: Key) -> None:
        """Load a set into memory. A set that is loaded already needs no file.

        Raises UserError when an adapter does not fit the model, or when its file is missing or has been replaced.
        """
        for adapter in key:
            loaded: dict[_Identity, Any] = self._virtual if adapter.virtual_tokens else self._loras
            identity = adapter[:3]
            loaded[identity] = loaded.pop(identity) if identity in loaded else self._read(adapter)

    def activate(self, context: Any, key: Key) -> VirtualPrefix | None:
        """Activate a loaded set on a context; returns the virtual tokens that every sequence has to begin with."""
        loras = [adapter for adapter in key if not adapter.virtual_tokens]
        count = len(loras)
        pointers = (llama.llama_adapter_lora_p_ctypes * max(1, count))(*[self._loras[lora[:3]] for lora in loras])
        scales = (ctypes.c_float * max(1, count))(*[lora.scale for lora in loras])
        if llama.llama_set_adapters_lora(context, pointers, count, scales):
            raise RuntimeError("llama.cpp refused the adapters")
        for adapter in key:
            if adapter.virtual_tokens:
                if key not in self._beginnings:
                    self._beginnings[key] = VirtualPrefix(self._virtual[adapter[:3]])
                self._beginnings[key] = self._beginnings.pop(key)
                return self._beginnings[key]
        return None

    def forget_unused(self, in_use: Sequence[Key], most: int = MAX_ADAPTERS) -> None:
        """Free the least recently used adapters beyond ``most`` that no context uses."""
        used = {adapter[:3] for key in in_use for adapter in key}
        for identity in _oldest(self._loras, used, most):
            llama.llama_adapter_lora_free(self._loras.pop(identity))
        for identity in _oldest(self._virtual, used, most):
            del self._virtual[identity]
        for key in _oldest(self._beginnings, set(in_use), most):
            del self._beginnings[key]

    def _read(self, adapter: AdapterKey) -> Any:
        path = Path(adapter.path)
        check_fit(path, self._name, self._architecture, self._base)
        read: Any
        if adapter.virtual_tokens:
            read = read_virtual_tokens(path, self._windowed)
        else:
            read = llama.llama_adapter_lora_init(self._model, adapter.path.encode())
        if not read:
            raise UserError(f"llama.cpp cannot load the adapter {path}.", "Export or convert the adapter again.")
        if file_state(adapter.path) != (adapter.changed_ns, adapter.size):
            if not adapter.virtual_tokens:
                llama.llama_adapter_lora_free(read)
            raise UserError(
                f"The adapter file {path} was replaced while it was being loaded.", "Ask again to use the new file."
            )
        return read


def _oldest(kept: Mapping[_K, Any], used: set[_K], most: int) -> list[_K]:
    """The least recently used entries beyond ``most`` that are not in use."""
    unused = [one for one in kept if one not in used]
    return unused[: max(0, len(kept) - most)]
