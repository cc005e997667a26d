"""Converts trained weights to what the engine loads: a GGUF adapter or a merged model.

The weights methods say beforehand what cannot be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from workbench.base.durability import kept_beside
from workbench.base.errors import UserError
from workbench.engine.quantization import quantize
from workbench.gguf import changed_folder, peft_folder, peft_kinds
from workbench.gguf.base_model import read_base
from workbench.gguf.ggml_types import check_type
from workbench.gguf.lora import adapter_to_gguf
from workbench.gguf.merging import SMALL_PARAMETERS, merge, write_merged
from workbench.gguf.reader import read_pieces
from workbench.gguf.reward_head import read_reward_model
from workbench.gguf.soft_prompts import PROMPT_KINDS, prompt_to_gguf, read_saved_prompt
from workbench.records.training import ArtifactKind, MergedType
from workbench.records.training.rewards import REWARD_FILE
from workbench.training.protocol import BaseModel, Served

Report = Callable[[str, int, int], None]
"""Receives a stage ("merging", "quantising") and how far it is of how much; what it raises stops the work."""


def kind_of(trained: Path) -> ArtifactKind:
    """The kind of artifact that a PEFT folder, a folder of trained tensors or a GGUF LoRA becomes.

    Raises UserError when it is none of them.
    """
    if not trained.is_dir():
        return "lora"
    if (trained / changed_folder.CONFIG).is_file():
        return "merged"
    if (trained / REWARD_FILE).is_file():
        return "reward"
    config = peft_folder.read_config(trained)
    kind = str(config.get("peft_type", ""))
    if kind in PROMPT_KINDS:
        return "prefix" if PROMPT_KINDS[kind] == "prefix" else "soft-prompt"
    return "lora" if peft_kinds.is_low_rank(config) else "merged"


def default_type(model: Path) -> Literal["F16", "Q8_0"]:
    """The default number format of a merge into a model."""
    parameters = sum(piece.parameters for piece in read_pieces(model))
    return "F16" if parameters <= SMALL_PARAMETERS else "Q8_0"


def convert_trained(
    trained: Path, base: BaseModel | Path, out: Path, name: str = "", *, report: Report | None = None
) -> Served:
    """Write what ``trained`` holds to ``out`` as the engine is given it; see ``kind_of`` for what that is.

    What can only be given merged takes ``default_type``. Raises UserError when it is not sound, does not fit the base,
    or cannot be carried over; then nothing is written.
    """
    path = _path(base)
    kind = kind_of(trained)
    if kind == "merged":
        _check_mergeable(path)
        return merge_trained(trained, path, out, default_type(path), name=name, report=report)
    if kind in ("lora", "reward"):
        described = read_reward_model(trained)
        head = described.head if described is not None else None
        adapter_to_gguf(trained, path, out, name, "F16" if _is_wide(trained) else "F32", head)
    else:
        prompt_to_gguf(read_saved_prompt(trained), read_base(path), out, name)
    return _served(kind, out)


def merge_trained(
    adapter: Path,
    base: BaseModel | Path,
    out: Path,
    type: MergedType = "Q8_0",
    scale: float = 1.0,
    quantization: str = "",
    name: str = "",
    *,
    report: Report | None = None,
) -> Served:
    """Merge a PEFT folder, what a training left, or a GGUF LoRA into the GGUF model ``base`` (``merging.merge``).

    With ``quantization`` the whole model is written in that format by llama.cpp afterwards, from an intermediate file
    whose changed tensors are ``type``, or F16 where that is smaller; it lies beside ``out`` and is removed.
    """
    path = _path(base)
    _check_mergeable(path)
    if adapter.is_dir() and (kind := kind_of(adapter)) in ("soft-prompt", "prefix", "reward"):
        named = (
            "reward model, which scores answers and writes none"
            if kind == "reward"
            else (f"{kind.replace('-', ' ')}, which does not change weights")
        )
        raise UserError(f"{adapter} is a {named}.", "Use it as an adapter.")
    if not quantization:
        merge(path, adapter, out, type, scale, name, progress=_of(report, "merging"))
        return _served("merged", out)
    check_type(quantization)
    with kept_beside(out, "merged") as beside:
        first: MergedType = "F32" if type == "F32" else "F16"
        write_merged(path, adapter, beside, out, first, scale, name, progress=_of(report, "merging"))
        if report:
            report("quantising", 0, 1)
        quantize(beside, out, quantization)
    return _served("merged", out)


def requantize(model: BaseModel | Path, out: Path, type: str, *, report: Report | None = None) -> Served:
    """Write a GGUF model in another number format, by llama.cpp."""
    if report:
        report("quantising", 0, 1)
    quantize(_path(model), out, type)
    return _served("merged", out)


def _is_wide(trained: Path) -> bool:
    """Whether an adapter's rank is so high that its file is written in 16 bits: in 32 it would outgrow small bases."""
    rank = peft_folder.read_config(trained).get("r")
    return isinstance(rank, int) and rank >= peft_kinds.WIDE_RANK


def _path(base: BaseModel | Path) -> Path:
    return base if isinstance(base, Path) else Path(base.path)


def _check_mergeable(base: Path) -> None:
    if base.is_dir():
        raise UserError(
            f"{base.name} is a folder of safetensors; a merge needs a GGUF file.",
            "Choose the same model as a GGUF file.",
        )


def _of(report: Report | None, stage: str) -> Callable[[int, int], None] | None:
    if report is None:
        return None
    return lambda done, total: report(stage, done, total)


def _served(kind: ArtifactKind, out: Path) -> Served:
    with out.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Served(
        kind=kind, path=str(out), bytes=out.stat().st_size, sha256=digest, can_merge=kind in ("lora", "merged")
    )
