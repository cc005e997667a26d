"""The change of each tensor by an adapter: low rank, low rank with magnitudes (DoRA), scaling (IA3), new
values.

Changes are in llama.cpp's names and order of rows, the arrays in numpy's order of dimensions: a weight is (out, in).
They are read when asked for, so that one tensor's are in memory at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from workbench.base.errors import UserError
from workbench.base.files import open_regular
from workbench.gguf import changed_folder
from workbench.gguf.adapter_files import check_adapter
from workbench.gguf.architectures import FAMILIES
from workbench.gguf.base_model import Base
from workbench.gguf.peft_folder import Module, PeftAdapter, read_peft_folder
from workbench.gguf.reader import read_gguf
from workbench.gguf.weights import Floats, open_single

_EMBEDDING = "token_embd.weight"


class Change(Protocol):
    """The changed values of a weight; ``weights`` are rows of it from ``first`` on, of one expert where there are
    several."""

    def apply(self, weights: Floats, first: int, expert: int) -> Floats: ...


@dataclass(frozen=True)
class LowRank:
    """W + b·a: ``a`` is (rank, in) and ``b`` (out, rank), with the scaling in it; of experts (experts, ...).

    ``magnitude`` (out,) is DoRA's: rows are brought to that length. https://arxiv.org/abs/2402.09353
    """

    a: Floats
    b: Floats
    magnitude: Floats | None = None

    def apply(self, weights: Floats, first: int, expert: int) -> Floats:
        a, b = (self.a[expert], self.b[expert]) if self.a.ndim == 3 else (self.a, self.b)
        changed: Floats = weights + b[first : first + len(weights)] @ a
        if self.magnitude is None:
            return changed
        lengths = np.linalg.norm(changed, axis=1)
        lengths[lengths == 0] = 1
        factors: Floats = (self.magnitude[first : first + len(weights)] / lengths).astype(np.float32)
        return changed * factors[:, None]


@dataclass(frozen=True)
class Scaling:
    """IA3: ``rows`` (out, 1), or ``columns`` (1, in), multiply the weight. https://arxiv.org/abs/2205.05638"""

    rows: Floats | None
    columns: Floats | None

    def apply(self, weights: Floats, first: int, expert: int) -> Floats:
        if self.columns is not None:
            return weights * self.columns
        assert self.rows is not None
        return weights * self.rows[first : first + len(weights)]


class Changes(Protocol):
    """All that an adapter does. ``sha256`` is of its files."""

    name: str
    method: str
    sha256: str

    def targets(self) -> Sequence[str]:
        """llama.cpp's names of the tensors that it changes."""
        ...

    def additions(self) -> Mapping[str, tuple[int, ...]]:
        """The shapes of those that the model came without: they are added in float32, and were zero."""
        ...

    def change(self, tensor: str) -> Change: ...


def read_changes(adapter: Path, base: Base) -> Changes:
    """Read a GGUF LoRA, a PEFT folder, or what a training of whole tensors left (``changed_folder``).

    Raises UserError when it is not sound or does not fit the base.
    """
    if not adapter.is_dir():
        return _GgufChanges(adapter, base)
    if (adapter / changed_folder.CONFIG).is_file():
        return changed_folder.ChangedFolder(adapter, base)
    return PeftChanges(read_peft_folder(adapter), base)


class PeftChanges:
    """A PEFT adapter in llama.cpp's names and order."""

    def __init__(self, adapter: PeftAdapter, base: Base) -> None:
        """Raises UserError when the base does not have what the adapter changes."""
        self.name = adapter.name
        self.method: str = adapter.method
        self.sha256 = adapter.sha256()
        self._adapter = adapter
        self._base = base
        self._modules: dict[str, Module] = {}
        for module in adapter.modules:
            name = base.tensor_of(module.name)
            tensor = f"{name}.weight"
            if tensor in self._modules:
                raise UserError(
                    f"{self._modules[tensor].name!r} and {module.name!r} of {adapter.folder} are the same {tensor}.",
                    "Choose the model that the adapter was trained on.",
                )
            self._check_embedding(module, tensor)
            self._modules[tensor] = module
            bias = f"{name}.bias"
            if adapter.method == "IA3" and self._scales_rows(module) and base.tensors and bias in base.tensors:
                self._modules[bias] = module

    def targets(self) -> Sequence[str]:
        return tuple(self._modules)

    def additions(self) -> Mapping[str, tuple[int, ...]]:
        return {}

    def change(self, tensor: str) -> Change:
        module = self._modules[tensor]
        if self.method == "IA3":
            return self._scaling(tensor, module)
        a, b = self.halves(tensor)
        b = b * np.float32(module.scaling)
        if self.method == "LORA":
            return LowRank(a, b)
        magnitude = self._adapter.read(module, "magnitude").reshape(-1)
        order = self._base.row_order(tensor, len(magnitude), self._adapter.folder)
        return LowRank(a, b, magnitude if order is None else magnitude[order])

    def scaling(self, tensor: str) -> tuple[float, int]:
        """The factor of B·A of a tensor, and its rank."""
        return self._modules[tensor].scaling, self._modules[tensor].rank

    def halves(self, tensor: str) -> tuple[Floats, Floats]:
        """A (rank, in) and B (out, rank) without the scaling; of the embeddings what multiplies to the same shape."""
        module = self._modules[tensor]
        if "embedding_a" in module.parts:  # (rank, vocabulary) and (width, rank): the weight is (vocabulary, width)
            b, a = self._adapter.read(module, "embedding_a").T, self._adapter.read(module, "embedding_b").T
        else:
            a, b = self._adapter.read(module, "a"), self._adapter.read(module, "b")
        if module.experts:
            return self._of_experts(module, tensor, a, b)
        self._check_shape(module, tensor, (len(b), a.shape[1]))
        order = self._base.row_order(tensor, len(b), self._adapter.folder)
        return np.ascontiguousarray(a), np.ascontiguousarray(b if order is None else b[order])

    def _of_experts(self, module: Module, tensor: str, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        """A (experts, rank, in) and B (experts, out, rank), from PEFT's (experts·rank, in) and (out, rank·experts)."""
        if not FAMILIES[self._base.architecture].packed_experts:
            raise UserError(
                f"The adapter in {self._adapter.folder} changes the experts of {self._base.name}, which the "
                f"architecture {self._base.architecture} packs in a different way.",
                "Train the layers of the attention only.",
            )
        a = a.reshape(module.experts, module.rank, a.shape[1])
        b = b.reshape(len(b), module.rank, module.experts).transpose(2, 0, 1)
        if module.half is not None:
            width = b.shape[1] // 2
            b = b[:, module.half * width : (module.half + 1) * width]
        self._check_shape(module, tensor, (module.experts, b.shape[1], a.shape[2]))
        return np.ascontiguousarray(a), np.ascontiguousarray(b)

    def _scaling(self, tensor: str, module: Module) -> Scaling:
        vector = self._adapter.read(module, "vector")
        if not self._scales_rows(module):
            self._check_shape(module, tensor, (None, vector.size))
            return Scaling(None, vector.reshape(1, -1))
        self._check_shape(module, tensor, (vector.size, None))
        order = self._base.row_order(tensor, vector.size, self._adapter.folder)
        rows = vector.reshape(-1, 1)
        return Scaling(rows if order is None else rows[order], None)

    def _scales_rows(self, module: Module) -> bool:
        shape = self._adapter.weights.shape(module.parts["vector"])
        if len(shape) != 2 or 1 not in shape:
            raise UserError(
                f"The scaling of {module.name!r} in {self._adapter.folder} is {shape}: no row or column.",
                "Train linear layers only.",
            )
        return shape[1] == 1

    def _check_embedding(self, module: Module, tensor: str) -> None:
        if (tensor == _EMBEDDING) != ("embedding_a" in module.parts):
            raise UserError(
                f"The adapter in {self._adapter.folder} changes {module.name!r} in a way that llama.cpp does not "
                "support.",
                "Train linear layers only.",
            )
        if tensor == _EMBEDDING and self._base.tied:
            raise UserError(
                f"The adapter in {self._adapter.folder} changes the token embeddings, which are {self._base.name}'s "
                "output layer as well: llama.cpp cannot do that.",
                "Train the adapter without the embeddings.",
            )

    def _check_shape(self, module: Module, tensor: str, shape: tuple[int | None, ...]) -> None:
        if self._base.tensors is None or tensor.endswith(".bias"):
            return
        has = tuple(reversed(self._base.tensors[tensor].shape))
        if len(has) != len(shape) or any(a is not None and a != b for a, b in zip(shape, has, strict=True)):
            raise UserError(
                f"The adapter in {self._adapter.folder} does not fit: its {module.name!r} is for "
                f"{' x '.join('any' if n is None else str(n) for n in shape)} weights, {self._base.name}'s is "
                f"{' x '.join(map(str, has))}.",
                "Choose the model that the adapter was trained on.",
            )


class _GgufChanges:
    """A GGUF LoRA. llama.cpp multiplies B·A by alpha / rank, or by 1 where alpha is 0."""

    def __init__(self, path: Path, base: Base) -> None:
        kind = read_gguf(path).text("adapter.type")
        if kind != "lora":
            raise UserError(f"{path} is a {kind or 'model'}, which does not change weights.", "Choose a LoRA.")
        details = check_adapter(path, base.path)
        self.name, self.method = details.name, "LORA"
        with open_regular(path) as file:
            self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        self._alpha = details.alpha
        self._targets = details.targets
        self._stored = open_single(path).tensors

    def targets(self) -> Sequence[str]:
        return self._targets

    def additions(self) -> Mapping[str, tuple[int, ...]]:
        return {}

    def change(self, tensor: str) -> Change:
        a, b = self._half(f"{tensor}.lora_a"), self._half(f"{tensor}.lora_b")
        rank = a.shape[-1] if tensor == _EMBEDDING else a.shape[-2]
        scaling = np.float32(self._alpha / rank if self._alpha else 1.0)
        if tensor == _EMBEDDING:  # a is (vocabulary, rank) and b (width, rank)
            return LowRank(np.ascontiguousarray(b.T), a * scaling)
        return LowRank(a, b * scaling)

    def _half(self, name: str) -> Floats:
        stored = self._stored[name]
        shape = tuple(reversed(stored.tensor.shape))
        return stored.read(0, stored.tensor.elements // shape[-1]).reshape(shape)


class NoChanges:
    """A model as it is."""

    name = method = sha256 = ""

    def targets(self) -> Sequence[str]:
        return ()

    def additions(self) -> Mapping[str, tuple[int, ...]]:
        return {}

    def change(self, tensor: str) -> Change:
        raise KeyError(tensor)


def touched(changes: Changes, tensors: Mapping[str, object]) -> list[str]:
    """The changed tensors in the model's order."""
    targets = set(changes.targets())
    return [name for name in tensors if name in targets]
