"""Merges an adapter into a GGUF model: changed tensors are dequantised, changed and quantised again, the others copied.

The original safetensors are not needed. Packing the changed tensors into 4 bits again erases a small adapter: what
it changes is smaller than what rounding changes (measured in docs/finetuning.md), so that they are Q8_0 by default,
and what feels rounding most F16.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, get_args

import gguf
import numpy as np

from workbench.base.durability import check_room, written_beside
from workbench.base.errors import UserError
from workbench.gguf.adapter_deltas import Change, Changes, NoChanges, read_changes, touched
from workbench.gguf.base_model import read_base
from workbench.gguf.ggml_types import FILE_TYPES, TYPES_BY_NAME
from workbench.gguf.reader import padded, read_gguf
from workbench.gguf.weights import Contents, Floats, Stored, can_unpack, open_model
from workbench.gguf.writer import fill, float_entry, header, number_entry, size_of, text_entry

Progress = Callable[[int, int], None]
"""Receives the bytes that are written and all that will be; what it raises stops the work."""

ChangedType = Literal["Q8_0", "F16", "F32", "same"]

CHUNK_ELEMENTS = 1 << 22
"""How many weights are unpacked at a time; 16 MB as float32."""

WRITABLE = ("F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0")
"""What ``gguf.quants`` packs as llama.cpp does."""

QUANTIZATION_VERSION = 2  # of ggml's block formats: GGML_QNT_VERSION

FINER = ("attn_q", "attn_k", "attn_v")
"""What stays F16 in a merge with 8 bits, also where the three are one tensor: attention feels rounding most."""

FINER_IN_SMALL = ("attn_", "ffn_down")
"""The same in a model of up to ``SMALL_PARAMETERS``, where rounding turns over more of what is nearly level. Measured
for each kind of tensor on SmolLM2 in docs/finetuning.md."""

SMALL_PARAMETERS = 500_000_000
"""Up to so many parameters closeness to what was trained is worth more than space: no file is large."""

_FILE_TYPES = {name: number for number, name in FILE_TYPES.items()}
_ORIGIN = "general.merged."


@dataclass(frozen=True)
class Merged:
    """The result of a merge. ``changed`` maps the changed tensors to the number formats that they have now."""

    path: Path
    bytes: int
    changed: dict[str, str]
    adapter_sha256: str


def merge(
    base: Path,
    adapter: Path,
    out: Path,
    changed_type: ChangedType = "Q8_0",
    scale: float = 1.0,
    name: str = "",
    *,
    unpacked: bool = False,
    progress: Progress | None = None,
) -> Merged:
    """Write ``base`` with ``adapter`` in it to ``out``, one file also where the base is split.

    ``adapter`` is a GGUF LoRA, a PEFT folder (LoRA, DoRA, IA3), or a folder of whole tensors (``changed_folder``);
    biases may be among them that the base came without. ``scale`` is its strength, 1 as it was trained.
    Changed tensors take ``changed_type`` (with Q8_0 those of ``FINER``, in small models of
    ``FINER_IN_SMALL``, take F16), or with "same" the format that they
    had; where a row is no multiple of its
    block they take F16; what has one dimension (norms, biases) keeps its format. Everything else is copied byte for
    byte, or with ``unpacked`` written as float32. General metadata tells the origin: the base's name,
    the adapter's name, method, strength and SHA-256, and the format; ``name`` is what the model calls itself, by
    default both names.

    Memory stays near a chunk of a tensor and the adapter's part of it. Raises UserError when the adapter does not fit,
    when a format cannot be written, when the result would not be finite, or when there is no room. ``progress`` is told
    how far it is.
    """
    if changed_type not in get_args(ChangedType):
        raise UserError(
            f"Changed tensors cannot be written as {changed_type}.",
            f"Choose one of {', '.join(get_args(ChangedType))}.",
        )
    with written_beside(out) as beside:
        changed, sha256 = write_merged(
            base, adapter, beside, out, changed_type, scale, name, unpacked=unpacked, progress=progress
        )
        size = read_gguf(beside).size
    return Merged(out, size, changed, sha256)


def unpack(base: Path, out: Path) -> int:
    """Write a model with all of its weights as float32; returns the bytes. Raises UserError as ``merge`` does."""
    with written_beside(out) as beside:
        write_merged(base, None, beside, out, "F32", unpacked=True)
        return read_gguf(beside).size


def write_merged(
    base: Path,
    adapter: Path | None,
    file: Path,
    out: Path,
    changed_type: ChangedType,
    scale: float = 1.0,
    name: str = "",
    *,
    unpacked: bool = False,
    progress: Progress | None = None,
) -> tuple[dict[str, str], str]:
    """``merge`` into ``file``, on the way to ``out``. Returns the formats of what changed and the SHA-256."""
    described = read_base(base)
    contents = open_model(base)
    if any(piece.path.resolve() in (out.resolve(), file.resolve()) for piece in contents.files):
        raise UserError(f"{out} is the model itself.", "Give the merged model another name.")
    changes = NoChanges() if adapter is None else read_changes(adapter, described)
    parameters = sum(stored.tensor.elements for stored in contents.tensors.values())
    finer = FINER_IN_SMALL if parameters <= SMALL_PARAMETERS else FINER
    changed = {
        key: _type_after(contents.tensors[key], changed_type, finer) for key in touched(changes, contents.tensors)
    }
    shapes = {
        key: (stored.tensor.shape, changed.get(key) or _kept_type(stored, unpacked))
        for key, stored in contents.tensors.items()
    }
    added = {key: (shape, "F32") for key, shape in changes.additions().items()}
    shapes |= added
    entries = _entries(contents, changes, described.name, shapes, changed, changed_type, scale)
    if name:
        entries["general.name"] = text_entry("general.name", name)
    start = header(entries, shapes, contents.alignment)
    total = len(start) + sum(padded(size_of(*shape), contents.alignment) for shape in shapes.values())
    check_room(out, total)
    with file.open("wb") as writing:
        writing.write(start)
        for key, stored in contents.tensors.items():
            if key in changed:
                _write_changed(writing, stored, changes.change(key), changed[key], scale)
            elif shapes[key][1] == stored.tensor.type:
                for block in stored.blocks():
                    writing.write(block)
            else:
                for _first, _expert, weights in _chunks(stored):
                    writing.write(np.ascontiguousarray(weights, "<f4").data)
            fill(writing, size_of(*shapes[key]), contents.alignment)
            if progress:
                progress(writing.tell(), total)
        for key, ((count,), _) in added.items():
            values = changes.change(key).apply(np.zeros((count, 1), np.float32), 0, 0) * np.float32(scale)
            writing.write(np.ascontiguousarray(values, "<f4").data)
            fill(writing, values.nbytes, contents.alignment)
    return changed | dict.fromkeys(added, "F32"), changes.sha256


def _kept_type(stored: Stored, unpacked: bool) -> str:
    return "F32" if unpacked and can_unpack(stored.tensor.type) else stored.tensor.type


def _type_after(stored: Stored, changed_type: ChangedType, finer: tuple[str, ...]) -> str:
    tensor = stored.tensor
    if len(tensor.shape) == 1:  # a norm or a bias, which llama.cpp keeps unpacked
        return tensor.type
    if not can_unpack(tensor.type):
        raise UserError(
            f"{tensor.name} is {tensor.type}, which cannot be unpacked here.", "Get the model in another quantisation."
        )
    kind = tensor.type if changed_type == "same" else changed_type
    if changed_type == "Q8_0" and any(f".{stem}" in tensor.name for stem in finer):
        kind = "F16"
    if kind not in WRITABLE:
        raise UserError(
            f"{tensor.name} is {kind}, which cannot be packed again here.",
            "Merge with Q8_0 or F16, and quantise the whole model afterwards if it must be smaller.",
        )
    return "F16" if tensor.shape[0] % TYPES_BY_NAME[kind].block else kind


def _write_changed(file: BinaryIO, stored: Stored, change: Change, kind: str, scale: float) -> None:
    for first, expert, weights in _chunks(stored):
        with np.errstate(all="ignore"):
            changed = change.apply(weights, first, expert)
            if scale != 1:
                changed = weights + np.float32(scale) * (changed - weights)
            packed = gguf.quants.quantize(np.ascontiguousarray(changed, np.float32), gguf.GGMLQuantizationType[kind])
        finite = np.isfinite(packed if kind == "F16" else changed).all()
        if not finite:
            raise UserError(
                f"{stored.tensor.name} would hold numbers that {kind} cannot.", "Merge as F32, or with less strength."
            )
        file.write(np.ascontiguousarray(packed).data)


def _chunks(stored: Stored) -> Iterator[tuple[int, int, Floats]]:
    """The rows of a tensor, some at a time: the number of the first one within its expert, the expert, the weights.

    A bias comes as a column, since its numbers belong to the rows of a weight.
    """
    shape = stored.tensor.shape
    if len(shape) == 1:
        yield 0, 0, stored.read(0, 1).reshape(-1, 1)
        return
    rows = shape[1]
    step = max(1, CHUNK_ELEMENTS // shape[0])
    for expert in range(shape[2] if len(shape) > 2 else 1):
        for first in range(0, rows, step):
            count = min(step, rows - first)
            yield first, expert, stored.read(expert * rows + first, count)


def _entries(
    contents: Contents,
    changes: Changes,
    base_name: str,
    shapes: dict[str, tuple[tuple[int, ...], str]],
    changed: dict[str, str],
    changed_type: str,
    scale: float,
) -> dict[str, bytes]:
    """The metadata of the merged model: the base's as they are, but for its name, its format and its origin."""
    entries = {
        key: raw
        for key, raw in contents.entries.items()
        if not key.startswith(("split.", "general.base_model.", _ORIGIN))
    }
    mixed = changed_type == "Q8_0" and "Q8_0" in changed.values()  # with F16 for what is sensitive to rounding
    sizes: dict[str, int] = {}  # in weights
    for key, (shape, kind) in shapes.items():
        named = "Q8_0" if mixed and key in changed and kind == "F16" else kind
        sizes[named] = sizes.get(named, 0) + math.prod(shape)
    largest = max(sizes, key=lambda kind: sizes[kind])
    if "general.file_type" in entries and changed_type != "same" and largest in _FILE_TYPES:
        entries["general.file_type"] = number_entry("general.file_type", _FILE_TYPES[largest])
    if any(TYPES_BY_NAME[kind].block > 1 for kind in sizes) and "general.quantization_version" not in entries:
        entries["general.quantization_version"] = number_entry("general.quantization_version", QUANTIZATION_VERSION)
    if isinstance(changes, NoChanges):
        return entries
    texts = {
        "general.name": f"{base_name} + {changes.name}",
        "general.base_model.0.name": base_name,
        f"{_ORIGIN}adapter": changes.name,
        f"{_ORIGIN}adapter_sha256": changes.sha256,
        f"{_ORIGIN}method": changes.method.lower(),
        f"{_ORIGIN}type": changed_type,
    }
    entries |= {key: text_entry(key, value) for key, value in texts.items()}
    entries["general.base_model.count"] = number_entry("general.base_model.count", 1)
    entries[f"{_ORIGIN}scale"] = float_entry(f"{_ORIGIN}scale", scale)
    return entries
