"""Converts a PEFT LoRA to a GGUF adapter, which llama.cpp switches on and off at run time.

The form is that of llama.cpp's ``convert_lora_to_gguf.py``, and so are the numbers (docs/finetuning.md). llama.cpp
multiplies B·A of every tensor by one alpha over the tensor's rank; where PEFT's scaling is another one (rsLoRA, alphas
by pattern) the difference is multiplied into B, which llama.cpp's converter leaves out.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from workbench.base.durability import check_room, written_beside
from workbench.base.errors import UserError
from workbench.gguf.adapter_deltas import PeftChanges
from workbench.gguf.adapter_files import AdapterDetails, check_adapter, check_fit
from workbench.gguf.base_model import Base, read_base
from workbench.gguf.peft_folder import PeftAdapter, read_peft_folder
from workbench.gguf.peft_kinds import name_of
from workbench.gguf.reader import Tensor, read_gguf
from workbench.gguf.reward_head import entries_of
from workbench.gguf.weights import Floats
from workbench.gguf.writer import fill, float_entry, header, number_entry, text_entry
from workbench.records.training.rewards import RewardHead

ALIGNMENT = 32

_EMBEDDING = "token_embd.weight"


def adapter_to_gguf(
    peft_folder: Path,
    base: Path,
    out: Path,
    name: str = "",
    number_type: Literal["F32", "F16"] = "F32",
    head: RewardHead | None = None,
) -> AdapterDetails:
    """Write the LoRA in ``peft_folder`` as a GGUF adapter for the model ``base``.

    In F16 the file is half as large; llama.cpp computes with it as it does in F32, but for the rounding.
    ``name`` is what the adapter calls itself, by default as its folder is called. With ``head`` it is a reward model.
    ``base`` is a GGUF model, or a folder with config.json (and, for shapes to be checked, its safetensors). The file is
    written beside ``out``, checked against the base and then put in its place. Raises UserError with the reason when
    the adapter is not sound, does not fit, or is of a kind that llama.cpp can only be given merged (DoRA, IA3).
    """
    adapter = read_peft_folder(peft_folder)
    if adapter.method != "LORA":
        raise UserError(
            f"The adapter in {peft_folder} is {name_of(adapter.method)}, which llama.cpp cannot add while it runs.",
            "Merge it into the model instead.",
        )
    described = read_base(base)
    changes = PeftChanges(adapter, described)
    with written_beside(out) as beside:
        _write(beside, out, adapter, changes, described, name or adapter.name, number_type, head)
        if described.path.is_dir():
            details = check_fit(beside, described.name, described.architecture, described.tensors or _implied(beside))
        else:
            details = check_adapter(beside, described.path)
    return replace(details, path=str(out))


def _write(
    beside: Path,
    out: Path,
    adapter: PeftAdapter,
    changes: PeftChanges,
    base: Base,
    name: str,
    number_type: str,
    head: RewardHead | None,
) -> None:
    alpha = adapter.alpha if adapter.alpha > 0 else 1.0
    entries = {
        "general.architecture": text_entry("general.architecture", base.architecture),
        "general.type": text_entry("general.type", "adapter"),
        "general.name": text_entry("general.name", name),
        "general.base_model.count": number_entry("general.base_model.count", 1),
        "general.base_model.0.name": text_entry("general.base_model.0.name", base.name),
        "general.source.sha256": text_entry("general.source.sha256", changes.sha256),
        "adapter.type": text_entry("adapter.type", "lora"),
        "adapter.lora.alpha": float_entry("adapter.lora.alpha", alpha),
        **(entries_of(head) if head is not None else {}),
    }
    shapes: dict[str, tuple[tuple[int, ...], str]] = {}
    for tensor in changes.targets():
        a, b = _halves(changes, tensor, alpha)
        shapes[f"{tensor}.lora_a"] = (tuple(reversed(a.shape)), number_type)
        shapes[f"{tensor}.lora_b"] = (tuple(reversed(b.shape)), number_type)
    start = header(entries, shapes, ALIGNMENT)
    check_room(out, len(start) + sum(4 * int(np.prod(shape)) + ALIGNMENT for shape, _ in shapes.values()))
    with beside.open("wb") as file:
        file.write(start)
        for tensor in changes.targets():
            for half in _halves(changes, tensor, alpha):
                with np.errstate(over="ignore"):
                    raw = np.ascontiguousarray(half, dtype="<f4" if number_type == "F32" else "<f2")
                if not np.isfinite(raw).all():
                    raise UserError(f"{tensor} would hold numbers that {number_type} cannot.", "Write it as F32.")
                file.write(raw.data)
                fill(file, raw.nbytes, ALIGNMENT)


def _halves(changes: PeftChanges, tensor: str, alpha: float) -> tuple[Floats, Floats]:
    """The two halves as llama.cpp stores them, where it computes ``alpha / rank * b @ a``."""
    a, b = changes.halves(tensor)
    scaling, rank = changes.scaling(tensor)
    factor = scaling * rank / alpha
    if abs(factor - 1) > 1e-12:
        b = b * np.float32(factor)
    if tensor == _EMBEDDING:  # looked up, not multiplied: (vocabulary, rank) and (width, rank)
        return b, np.ascontiguousarray(a.T)
    return a, b


def _implied(beside: Path) -> dict[str, Tensor]:
    """The tensors that an adapter fits, where of the model the config alone is known."""
    halves = {tensor.name: tensor.shape for tensor in read_gguf(beside).tensors}
    found = {"output.weight": Tensor("output.weight", (1, 1), "F32", 4)}
    for half, shape in halves.items():
        name = half.removesuffix(".lora_a")
        if name != half:
            other = halves[f"{name}.lora_b"]
            fits = (other[1], shape[1]) if name == _EMBEDDING else (shape[0], other[1])
            found[name] = Tensor(name, fits, "F32", 0)
    return found
