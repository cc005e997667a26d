"""The base model of an adapter, for conversion: names, shapes and heads, no weights.

It is a GGUF file, or a folder as transformers saves it; of a folder ``config.json`` is enough, and where safetensors
lie beside it the shapes are checked as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import gguf

from workbench.base.errors import UserError
from workbench.base.files import read_json_file
from workbench.gguf.architectures import FAMILIES, Order, architecture_of, layer_of, row_order
from workbench.gguf.reader import Tensor
from workbench.gguf.safetensors import SafetensorsFile
from workbench.gguf.weights import open_model

_OUTPUT = "output.weight"
_INNER = ("language_model.", "text_model.")
_SEEING = ("vision", "visual.", "audio", "multi_modal_projector")
_TRANSPOSED = ("gpt2",)  # whose layers are transformers' Conv1D, (in, out): PEFT's fan_in_fan_out
_TIED_BY_DEFAULT = ("gemma", "cohere")


@dataclass(frozen=True)
class Base:
    """``heads`` and ``kv_heads`` are of each layer. ``tensors`` are by llama.cpp's names, in ggml's order of
    dimensions; None where only the config is known. ``tied``: the token embeddings are the output layer too."""

    path: Path
    name: str
    architecture: str
    heads: tuple[int, ...]
    kv_heads: tuple[int, ...]
    tied: bool
    tensors: Mapping[str, Tensor] | None

    @cached_property
    def _names(self) -> gguf.TensorNameMap:
        kinds = {name: kind for kind, name in gguf.MODEL_ARCH_NAMES.items()}
        return gguf.get_tensor_name_map(kinds[self.architecture], len(self.heads))

    def tensor_of(self, layer: str) -> str:
        """llama.cpp's name, without ".weight", of a layer by its name in transformers.

        Raises UserError when llama.cpp has none, or the model does not have it.
        """
        if any(part in layer for part in _SEEING):
            raise UserError(
                f"The adapter changes {layer!r}, which belongs to an image or audio encoder: a text model in "
                "llama.cpp does not have it.",
                "Train the layers of the language model only.",
            )
        plain = layer
        for inner in _INNER:
            plain = plain.replace(inner, "")
        name = self._names.get_name(plain) or self._names.get_name(f"model.{plain}")
        if name is None:
            raise UserError(
                f"llama.cpp has no name for {layer!r} in models of the architecture {self.architecture}.",
                f"Choose the model that the adapter was trained on; {self.name} may be another one.",
            )
        weight = f"{name}.weight"
        if weight == _OUTPUT and self.tied:
            raise UserError(
                f"The adapter changes the output layer {layer!r}, which is {self.name}'s token embeddings as well: "
                "llama.cpp cannot do that.",
                "Train the adapter without the output layer.",
            )
        if self.tensors is not None and weight not in self.tensors:
            raise UserError(
                f"The adapter changes {layer!r} ({weight}), which {self.name} does not have.",
                "Choose the model that the adapter was trained on.",
            )
        return name

    def row_order(self, tensor: str, rows: int, trained: Path) -> Order | None:
        """See ``families.row_order``. Raises UserError when ``rows``, those of what lies in the folder ``trained``, are
        not those of this model's heads."""
        layer = layer_of(tensor)
        if layer is None:
            return None
        try:
            return row_order(self.architecture, tensor, rows, self.heads[layer], self.kv_heads[layer])
        except (ValueError, ZeroDivisionError, IndexError) as error:
            raise UserError(
                f"The {rows} rows of {tensor} in {trained} are not those of {self.name}'s heads.",
                "Choose the model that it was trained on.",
            ) from error


def read_base(path: Path) -> Base:
    """Describe the model at ``path``: any file of a GGUF model, or a folder with config.json.

    Raises UserError when it is not sound, or of an architecture whose order of weights is not known here.
    """
    return _read_folder(path) if path.is_dir() else _read_gguf(path)


def _read_gguf(path: Path) -> Base:
    contents = open_model(path)
    first = contents.first
    architecture = first.text("general.architecture")
    _check_known(path, architecture)
    tensors = {name: stored.tensor for name, stored in contents.tensors.items()}
    layers = first.number(f"{architecture}.block_count")
    heads, kv_heads = (
        contents.whole_numbers(key) or first.metadata.get(key)
        for key in (f"{architecture}.attention.head_count", f"{architecture}.attention.head_count_kv")
    )
    heads = _per_layer(path, heads, layers)
    return Base(
        path=path,
        name=first.text("general.name") or path.stem,
        architecture=architecture,
        heads=heads,
        kv_heads=heads if kv_heads is None else _per_layer(path, kv_heads, layers),
        tied=_OUTPUT not in tensors,
        tensors=tensors,
    )


def _read_folder(folder: Path) -> Base:
    try:
        config: dict[str, Any] = read_json_file(folder / "config.json")
    except FileNotFoundError as error:
        raise UserError(
            f"{folder} is not a model: it has no config.json.", "Choose the folder that transformers saved."
        ) from error
    inner = config.get("text_config")
    text = inner if isinstance(inner, dict) else config
    model_type = str(text.get("model_type") or config.get("model_type") or "unknown")
    architecture = architecture_of(model_type)
    _check_known(folder, architecture or model_type)
    assert architecture is not None
    layers = _first(text, "num_hidden_layers", "n_layer", "n_layers")
    heads = _per_layer(folder, _first(text, "num_attention_heads", "n_head"), layers if isinstance(layers, int) else 0)
    kv_heads = _first(text, "num_key_value_heads", "num_kv_heads", "n_head_kv")
    tied = config.get("tie_word_embeddings", text.get("tie_word_embeddings"))
    base = Base(
        path=folder,
        name=folder.name,
        architecture=architecture,
        heads=heads,
        kv_heads=heads if kv_heads is None else _per_layer(folder, kv_heads, len(heads)),
        tied=model_type.startswith(_TIED_BY_DEFAULT) if tied is None else bool(tied),
        tensors=None,
    )
    return _with_tensors(base, sorted(folder.glob("*.safetensors")))


def _with_tensors(base: Base, files: Sequence[Path]) -> Base:
    if not files:
        return base
    tensors: dict[str, Tensor] = {}
    for path in files:
        file = SafetensorsFile(path)
        for name in file.names():
            if not name.endswith(".weight") or any(part in name for part in _SEEING):
                continue
            layer = name.removesuffix(".weight")
            for inner in _INNER:
                layer = layer.replace(inner, "")
            mapped = base._names.get_name(layer) or base._names.get_name(f"model.{layer}")
            if mapped is not None and not (base.tied and f"{mapped}.weight" == _OUTPUT):
                shape = file.shape(name)
                if not mapped.startswith("blk.") or base.architecture not in _TRANSPOSED:
                    shape = tuple(reversed(shape))
                tensors[f"{mapped}.weight"] = Tensor(f"{mapped}.weight", shape, "F32", 0)
    return Base(base.path, base.name, base.architecture, base.heads, base.kv_heads, base.tied, tensors)


def _check_known(path: Path, architecture: str) -> None:
    if architecture not in FAMILIES or architecture not in gguf.MODEL_ARCH_NAMES.values():
        raise UserError(
            f"{path.name} is of the architecture {architecture or 'unknown'}, for which the row order of "
            "llama.cpp's weights is unknown.",
            f"Known are {', '.join(sorted(FAMILIES))}.",
        )


def _per_layer(path: Path, value: object, layers: int) -> tuple[int, ...]:
    counts = [value] * layers if isinstance(value, int) else value
    if isinstance(counts, list) and counts and all(isinstance(n, int) and n >= 0 for n in counts):
        return tuple(counts)
    raise UserError(f"{path.name} does not declare its number of layers and attention heads.", "Get the model again.")


def _first(config: Mapping[str, Any], *keys: str) -> Any:
    return next((config[key] for key in keys if config.get(key) is not None), None)
