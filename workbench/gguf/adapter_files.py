"""Adapters in GGUF form: whether one fits a model, and where the home keeps them. A LoRA's weights are never read.

There are LoRAs, soft prompts and prefixes; of the last two see ``virtual_tokens``. llama.cpp ends the process on some
adapters that do not fit and tells the reason of others to its log only, so that everything is checked here first. A
LoRA's form is that of llama.cpp's ``convert_lora_to_gguf.py``: for each changed tensor ``NAME.lora_a`` and
``NAME.lora_b``, in llama.cpp's order of dimensions: a base tensor of shape (in, out) has a of shape (in, rank) and b of
shape (rank, out). LoRA: https://arxiv.org/abs/2106.09685
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workbench.base.errors import UserError
from workbench.gguf.reader import GGUF, Tensor, read_gguf, read_pieces
from workbench.gguf.reward_head import check_head, has_head
from workbench.gguf.virtual_tokens import check_virtual, count_virtual_tokens

ADAPTER_FILE = "adapter.gguf"
MAX_LISTED = 8
KINDS = ("lora", "soft-prompt", "prefix")

_FIRST, _SECOND = ".lora_a", ".lora_b"
_TYPES = ("F32", "F16", "BF16")
_EMBEDDING, _OUTPUT = "token_embd.weight", "output.weight"
_ALPHA = "adapter.lora.alpha"
_FLOAT32 = 6  # number of the type in GGUF's metadata
_OTHER_HINT = "Choose an adapter that was trained on this model."
_AGAIN_HINT = "Convert the adapter again."


@dataclass(frozen=True)
class AdapterDetails:
    """The metadata of an adapter. ``ranks`` are the different ones, ascending; ``targets`` the names of the base
    tensors that it changes, in the file's order; ``bytes`` is the file's size. ``alpha`` / rank multiplies the product
    of a and b; with ``alpha`` 0 nothing does. Soft prompts and prefixes have no ranks and targets, but
    ``virtual_tokens``: how many positions they take before every text."""

    path: str
    name: str
    architecture: str
    ranks: tuple[int, ...]
    alpha: float
    targets: tuple[str, ...]
    bytes: int
    kind: Literal["lora", "soft-prompt", "prefix", "reward"] = "lora"
    virtual_tokens: int = 0


def check_adapter(adapter: Path, model: Path) -> AdapterDetails:
    """Read an adapter and see whether it fits a model, which is a GGUF file (any one of a split model's).

    Raises UserError with the reason: not a sound GGUF file, of no known kind, for another architecture, half a pair, a
    tensor that the model lacks, shapes or ranks or number formats that do not fit, token embeddings that are the output
    too; see also ``check_virtual``.
    """
    pieces = read_pieces(model)
    base = {tensor.name: tensor for piece in pieces for tensor in piece.tensors}
    return check_fit(adapter, pieces[0].path.name, pieces[0].text("general.architecture"), base)


def check_fit(adapter: Path, model: str, architecture: str, base: Mapping[str, Tensor]) -> AdapterDetails:
    """``check_adapter`` for a model that is known by its name, its architecture and its tensors only."""
    file = read_gguf(adapter)
    _check_kind(file, model, architecture)
    if file.text("adapter.type") != "lora":
        return AdapterDetails(
            path=str(adapter),
            name=_name(file),
            architecture=architecture,
            ranks=(),
            alpha=0.0,
            targets=(),
            bytes=file.size,
            kind=check_virtual(file, model, base),
            virtual_tokens=count_virtual_tokens(file),
        )
    is_reward = has_head(file)
    if is_reward:
        check_head(file, model, base)
    pairs = _pair(file)
    if not pairs:
        raise UserError(f"The adapter {adapter} changes nothing: it holds no LoRA tensors.", _AGAIN_HINT)
    ranks = {_check_pair(adapter, name, a, b, base) for name, (a, b) in pairs.items()}
    return AdapterDetails(
        path=str(adapter),
        name=_name(file),
        architecture=file.text("general.architecture"),
        ranks=tuple(sorted(ranks)),
        alpha=_alpha(file),
        targets=tuple(pairs),
        bytes=file.size,
        kind="reward" if is_reward else "lora",
    )


def _name(file: GGUF) -> str:
    return file.text("general.name") or (file.path.parent.name if file.path.name == ADAPTER_FILE else file.path.stem)


def resolve_adapter(name: str, adapters_folder: Path) -> Path:
    """The GGUF file of an adapter: ``name`` is a path to it, or what it is called in the home's folder of adapters.

    There it is ``NAME/adapter.gguf`` or ``NAME.gguf``. Raises UserError that lists what is there.
    """
    given = Path(name).expanduser()
    if given.suffix.lower() == ".gguf" and given.is_file():
        return given.absolute()
    if name and given.name == name and not name.startswith("."):  # a bare name, which cannot lead out of the folder
        for file in (adapters_folder / name / ADAPTER_FILE, adapters_folder / f"{name}.gguf"):
            if file.is_file():
                return file
    known = list_adapters(adapters_folder)
    shown = ", ".join(known[:MAX_LISTED]) + (" ..." if len(known) > MAX_LISTED else "")
    raise UserError(
        f"There is no adapter {name}.",
        f"These are in {adapters_folder}: {shown}."
        if known
        else f"Give the path of a .gguf file, or put it into {adapters_folder}, which holds no adapters yet.",
    )


def list_adapters(adapters_folder: Path) -> list[str]:
    """The names of the adapters in the home's folder of adapters, sorted."""
    try:
        entries = [entry for entry in adapters_folder.iterdir() if not entry.name.startswith(".")]
    except OSError:
        return []
    folders = {entry.name for entry in entries if (entry / ADAPTER_FILE).is_file()}
    files = {entry.stem for entry in entries if entry.suffix == ".gguf" and entry.is_file()}
    return sorted(folders | files)


def _check_kind(file: GGUF, model: str, architecture: str) -> None:
    kind = file.text("general.type")
    if kind != "adapter":
        what = "a model" if kind in ("", "model") else f"of the kind {kind}"
        raise UserError(f"{file.path} is not an adapter: it is {what}.", "Choose the GGUF file of an adapter.")
    method = file.text("adapter.type")
    if method not in KINDS:
        raise UserError(
            f"{file.path} is an adapter of the kind {method or 'unknown'}; the engine knows {', '.join(KINDS)}.",
            "Choose the GGUF file of such an adapter.",
        )
    made_for = file.text("general.architecture")
    if made_for != architecture:
        raise UserError(
            f"The adapter {file.path} is for models of the architecture {made_for or 'unknown'}; "
            f"{model} is {architecture}.",
            _OTHER_HINT,
        )


def _alpha(file: GGUF) -> float:
    value = file.metadata.get(_ALPHA, 0.0)
    if _ALPHA in file.metadata and (
        # llama.cpp ends the process when the entry's type is another than it expects
        not isinstance(value, float) or not math.isfinite(value) or file.types[_ALPHA] != _FLOAT32
    ):
        raise UserError(f"The adapter {file.path} has no usable alpha: {value!r}.", _AGAIN_HINT)
    return float(value)


def _pair(file: GGUF) -> dict[str, tuple[Tensor, Tensor]]:
    halves: dict[str, dict[str, Tensor]] = {}
    for tensor in file.tensors:
        suffix = tensor.name[-len(_FIRST) :]
        if suffix in (_FIRST, _SECOND):
            halves.setdefault(tensor.name[: -len(suffix)], {})[suffix] = tensor
        elif not tensor.name.endswith("_norm.weight"):  # llama.cpp leaves those out and works without them
            raise UserError(f"The adapter {file.path} holds {tensor.name!r}, which is not part of a LoRA.", _AGAIN_HINT)
    for name, pair in halves.items():
        for suffix in (_FIRST, _SECOND):
            if suffix not in pair:
                raise UserError(f"The adapter {file.path} has one half of {name!r} only: no {suffix[1:]}.", _AGAIN_HINT)
    return {name: (pair[_FIRST], pair[_SECOND]) for name, pair in halves.items()}


def _check_pair(adapter: Path, name: str, a: Tensor, b: Tensor, base: Mapping[str, Tensor]) -> int:
    """The rank of a pair that fits."""
    tensor = base.get(name)
    if tensor is None:
        raise UserError(f"The adapter {adapter} changes {name!r}, which the model does not have.", _OTHER_HINT)
    for half in (a, b):
        if half.type not in _TYPES:
            raise UserError(
                f"The adapter {adapter} stores {half.name!r} as {half.type}; adapters are {', '.join(_TYPES)}.",
                "Convert the adapter again, unquantised.",
            )
    if name == _EMBEDDING and _OUTPUT not in base:
        raise UserError(
            f"The adapter {adapter} changes the token embeddings, which are this model's output layer as well: "
            "llama.cpp cannot do that.",
            "Train the adapter without the embeddings.",
        )
    if not (len(tensor.shape) in (2, 3) and len(a.shape) == len(b.shape) == len(tensor.shape)):
        raise _misfit(adapter, name, a, b, tensor)
    if name == _EMBEDDING:  # looked up, not multiplied: a is (rank, vocabulary) and b is (rank, width)
        fits = (a.shape[1], b.shape[1]) == (tensor.shape[1], tensor.shape[0])
        rank, other = a.shape[0], b.shape[0]
    else:
        fits = (a.shape[0], b.shape[1]) == tensor.shape[:2]
        rank, other = a.shape[1], b.shape[0]
    if not fits or a.shape[2:] != tensor.shape[2:] or b.shape[2:] != tensor.shape[2:]:
        raise _misfit(adapter, name, a, b, tensor)
    if rank != other or rank < 1:
        raise UserError(
            f"The halves of {name!r} in the adapter {adapter} are of the ranks {rank} and {other}.", _AGAIN_HINT
        )
    return rank


def _misfit(adapter: Path, name: str, a: Tensor, b: Tensor, tensor: Tensor) -> UserError:
    return UserError(
        f"The adapter {adapter} does not fit: its {name!r} is {_spell(a)} by {_spell(b)}, the model's is "
        f"{_spell(tensor)}.",
        _OTHER_HINT,
    )


def _spell(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape))
