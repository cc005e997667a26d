"""Adapters on the loaded model: each read once, then set on a context in no time.

What an adapter is was checked before (``workbench.gguf.adapter_files``): llama.cpp aborts the process on some that do
not fit. A LoRA is llama.cpp's; what stands before the text is ours (``virtual_tokens``). Everything here is called on
the engine's thread.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from workbench.engine.keys import AdapterKey, Key, file_state
from workbench.engine.library import llama
from workbench.engine.virtual_tokens import Beginning, Prefix, SoftPrompt, read_virtual_tokens
from workbench.errors import UserError
from workbench.gguf.adapter_files import check_fit
from workbench.gguf.reader import Tensor

KEPT = 8
"""How many adapters stay in memory."""

_K = TypeVar("_K")
_Identity = tuple[str, int, int]
"""Path, time of change and size: a file as it was."""


class Adapters:
    """The adapters of one model that are in memory, the one used last at the end. ``base`` are the model's tensors;
    ``windowed`` says which layers look back over a sliding window only."""

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
        self._beginnings: dict[Key, Beginning] = {}

    def load(self, key: Key) -> None:
        """Bring a set into memory. What is there already serves without its file.

        Raises UserError when one does not fit the model, or when its file is gone or another one than was asked for.
        """
        for adapter in key:
            loaded: dict[_Identity, Any] = self._virtual if adapter.virtual_tokens else self._loras
            identity = adapter[:3]
            loaded[identity] = loaded.pop(identity) if identity in loaded else self._read(adapter)

    def set_on(self, context: Any, key: Key) -> Beginning | None:
        """Compute with this set, which is loaded, from now on; returns what every sequence has to begin with."""
        loras = [adapter for adapter in key if not adapter.virtual_tokens]
        count = len(loras)
        pointers = (llama.llama_adapter_lora_p_ctypes * max(1, count))(*[self._loras[lora[:3]] for lora in loras])
        scales = (ctypes.c_float * max(1, count))(*[lora.scale for lora in loras])
        if llama.llama_set_adapters_lora(context, pointers, count, scales):
            raise RuntimeError("llama.cpp refused the adapters")
        for adapter in key:
            if adapter.virtual_tokens:
                if key not in self._beginnings:
                    self._beginnings[key] = Beginning(self._virtual[adapter[:3]])
                self._beginnings[key] = self._beginnings.pop(key)
                return self._beginnings[key]
        return None

    def forget_unused(self, in_use: Sequence[Key]) -> None:
        """Free the oldest ones beyond ``KEPT`` that no context computes with."""
        used = {adapter[:3] for key in in_use for adapter in key}
        for identity in _oldest(self._loras, used):
            llama.llama_adapter_lora_free(self._loras.pop(identity))
        for identity in _oldest(self._virtual, used):
            del self._virtual[identity]
        for key in _oldest(self._beginnings, set(in_use)):
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
            raise UserError(f"llama.cpp cannot load the adapter {path}.", "Convert it again.")
        if file_state(adapter.path) != (adapter.changed_ns, adapter.size):
            if not adapter.virtual_tokens:
                llama.llama_adapter_lora_free(read)
            raise UserError(f"The adapter {path} was replaced just now.", "Ask again, with the new one.")
        return read


def _oldest(kept: Mapping[_K, Any], used: set[_K]) -> list[_K]:
    """Those beyond ``KEPT`` that are not used, the ones unused for longest."""
    unused = [one for one in kept if one not in used]
    return unused[: max(0, len(kept) - KEPT)]
