"""Quantises a whole model with llama.cpp: ``quantize`` runs in a worker process only.

llama.cpp cannot be stopped meanwhile: the worker is killed instead, which leaves a temporary file and no half model.
"""

from __future__ import annotations

import os
from pathlib import Path

from workbench.base.durability import check_room, written_beside
from workbench.base.errors import UserError
from workbench.gguf.ggml_types import FILE_TYPES, check_type
from workbench.gguf.model import describe_gguf
from workbench.gguf.reader import read_gguf

_NUMBERS = {name: number for number, name in FILE_TYPES.items()}


def quantize(model: Path, out: Path, type_name: str, threads: int = 0) -> int:
    """Write ``model``, any file of a GGUF model, to ``out`` with its weights as ``type_name``; returns the bytes.

    ``threads`` 0 takes all cores. Requantising a quantised model loses a little more than quantising the original.
    Raises UserError for a type that is not in ``WRITABLE_TYPES``, for a damaged model, for a full disk, and with
    llama.cpp's own reason when it fails.
    """
    check_type(type_name)
    details = describe_gguf(model)
    if any(Path(file).resolve() == out.resolve() for file in details.model.files):
        raise UserError(f"The output {out} is the source model itself.", "Give the new model another name.")

    from workbench.engine.library import llama, start_library

    log = start_library()
    parameters = llama.llama_model_quantize_default_params()
    parameters.ftype = _NUMBERS[type_name]
    parameters.nthread = threads or os.cpu_count() or 1
    parameters.allow_requantize = True
    with written_beside(out) as beside:
        check_room(out, details.model.parameters * 2 // 8)  # no format takes less than two bits per weight
        log.forget_errors()
        failed = llama.llama_model_quantize(details.model.path.encode(), str(beside).encode(), parameters)
        if failed or not beside.is_file():
            reasons = " ".join(log.errors()) or "it gave no reason"
            raise UserError(
                f"llama.cpp could not write {model.name} as {type_name}: {reasons}.", "Choose another format."
            )
        return read_gguf(beside).size
