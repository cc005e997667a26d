"""Fully trained tensors as a training stores them: ``changed.safetensors`` and ``changed.json``.

The new values of full fine-tuning, of chosen layers, of biases or norms alone, by their names in transformers. Here
they become llama.cpp's: names, order of rows, norms that are stored with or without one added, experts apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.base.errors import UserError
from workbench.base.files import read_json_file
from workbench.gguf.architectures import FAMILIES, Order
from workbench.gguf.base_model import Base
from workbench.gguf.peft_folder import folder_sha256
from workbench.gguf.safetensors import SafetensorsFile
from workbench.gguf.weights import Floats

CONFIG, WEIGHTS = "changed.json", "changed.safetensors"

_CONV1D = ("gpt2",)  # whose layers are transformers' Conv1D: (in, out)
_OTHER_HINT = "Choose the model that it was trained on."


@dataclass(frozen=True)
class NewValues:
    """The new values of a tensor. Rows are read from the file on demand.

    ``order`` is that of the rows where it is not transformers'; ``rows`` are those of one expert, which begin at
    ``start`` and are followed by the next one's after ``stride``."""

    file: SafetensorsFile
    name: str
    offset: float = 0.0
    order: Order | None = None
    turned: bool = False
    start: int = 0
    stride: int = 0

    def apply(self, weights: Floats, first: int, expert: int) -> Floats:
        if self.order is not None or self.turned or len(self.file.shape(self.name)) == 1:
            whole = self.file.read(self.name)
            whole = whole.reshape(len(whole), -1)
            whole = whole.T if self.turned else whole
            values = (whole if self.order is None else whole[self.order])[first : first + len(weights)]
        else:
            values = self.file.read_rows(self.name, self.start + expert * self.stride + first, len(weights))
        return values + np.float32(self.offset) if self.offset else values


class ChangedFolder:
    """The folder of fully trained tensors."""

    def __init__(self, folder: Path, base: Base) -> None:
        """Raises UserError when it is not sound, does not fit the base, or llama.cpp cannot be given it."""
        self.folder = folder
        self.name = folder.parent.name if folder.name == "trained" else folder.name
        self.method = read_method(folder)
        self._base = base
        self._family = FAMILIES[base.architecture]
        if not (folder / WEIGHTS).is_file():
            raise UserError(f"{folder} holds no {WEIGHTS}.", "Train it again.")
        self._file = SafetensorsFile(folder / WEIGHTS)
        self._values: dict[str, NewValues] = {}
        self._additions: dict[str, tuple[int, ...]] = {}
        names = sorted(self._file.names())
        embedded = any(name.endswith(("embed_tokens.weight", "wte.weight", "word_embeddings.weight")) for name in names)
        for name in names:
            if base.tied and embedded and name == "lm_head.weight":
                continue  # the same numbers once more
            for tensor, values in self._found(name):
                if tensor in self._values:
                    raise UserError(f"{folder} holds {tensor} twice, the second time as {name!r}.", "Train it again.")
                self._values[tensor] = values
        if not self._values:
            raise UserError(f"{folder} changes nothing: it holds no tensors.", "Train it again.")
        self.sha256 = folder_sha256(folder, (WEIGHTS, CONFIG))

    def targets(self) -> Sequence[str]:
        return tuple(self._values)

    def additions(self) -> Mapping[str, tuple[int, ...]]:
        return self._additions

    def change(self, tensor: str) -> NewValues:
        return self._values[tensor]

    def _found(self, name: str) -> list[tuple[str, NewValues]]:
        layer, _, kind = name.rpartition(".")
        if ".experts" in name and kind in ("gate_up_proj", "down_proj"):
            return self._experts(name, layer, kind)
        if kind not in ("weight", "bias"):
            raise UserError(
                f"{self.folder} changes {name!r}, which cannot be converted for llama.cpp.", "Train linear layers."
            )
        stem = self._base.tensor_of(layer)
        tensor = f"{stem}.{kind}"
        shape = self._file.shape(name)
        has = self._shape_of(tensor)
        if has is None:
            self._add_bias(name, tensor, shape)
        offset = self._family.norm_offset if layer.endswith("norm") and kind == "weight" else 0.0
        turned = self._base.architecture in _CONV1D and kind == "weight" and stem.startswith("blk.") and len(shape) == 2
        values = NewValues(self._file, name, offset, self._base.row_order(tensor, shape[0], self.folder), turned)
        squeezed = tuple(n for n in shape if n != 1) if len(shape) > 2 else shape  # a convolution by channel
        now = shape[::-1] if turned else squeezed
        if has is not None and now != has:
            raise UserError(
                f"{self.folder} does not fit: its {name!r} is {_spelled(shape)}, {self._base.name}'s is "
                f"{_spelled(has)}.",
                _OTHER_HINT,
            )
        return [(tensor, values)]

    def _experts(self, name: str, layer: str, kind: str) -> list[tuple[str, NewValues]]:
        if not self._family.packed_experts:
            raise UserError(
                f"{self.folder} changes the experts of {self._base.name}, which the architecture "
                f"{self._base.architecture} packs in a different way.",
                "Train the layers of the attention only.",
            )
        experts, rows, width = self._file.shape(name)
        parts = ("gate_proj", "up_proj") if kind == "gate_up_proj" else ("down_proj",)
        found = []
        for number, part in enumerate(parts):
            tensor = f"{self._base.tensor_of(f'{layer}.{part}')}.weight"
            each = rows // len(parts)
            if (experts, each, width) != self._shape_of(tensor):
                raise UserError(
                    f"{self.folder} does not fit: its {name!r} is {_spelled((experts, rows, width))}.", _OTHER_HINT
                )
            found.append((tensor, NewValues(self._file, name, start=number * each, stride=rows)))
        return found

    def _add_bias(self, name: str, tensor: str, shape: tuple[int, ...]) -> None:
        """A bias that the base came without, where llama.cpp computes with one if there is one."""
        stem, _, kind = tensor.rpartition(".")
        weight = self._shape_of(f"{stem}.weight")
        if kind != "bias" or stem.rpartition(".")[2] not in self._family.new_biases or weight is None:
            raise UserError(
                f"{self.folder} changes {name!r} ({tensor}), which {self._base.name} does not have, and llama.cpp "
                f"has no place for it in models of the architecture {self._base.architecture}.",
                "Train only what the model has.",
            )
        if shape != weight[:1]:
            raise UserError(f"{self.folder} does not fit: its {name!r} is {_spelled(shape)}.", _OTHER_HINT)
        self._additions[tensor] = shape

    def _shape_of(self, tensor: str) -> tuple[int, ...] | None:
        stored = (self._base.tensors or {}).get(tensor)
        return None if stored is None else tuple(reversed(stored.shape))


def read_method(folder: Path) -> str:
    """The weights method by which a folder says that it was trained. Raises UserError when it does not say."""
    path = folder / CONFIG
    try:
        method = read_json_file(path, "Train it again.").get("method")
    except FileNotFoundError as error:
        raise UserError(f"There is no {path}.", "Train it again.") from error
    if not isinstance(method, str) or not method:
        raise UserError(f"{path} does not say by which method it was trained: {method!r}.", "Train it again.")
    return str(method)


def _spelled(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
