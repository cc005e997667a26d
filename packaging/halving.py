"""Halves the starter model for embeddings in a tree: its weights become float16, which moves no vector by more than
rounding (docs/packaging.md has the cosines).

    TREE/python/bin/python3 packaging/halving.py SITE/all_minilm_l6_v2/model.zip
"""

from __future__ import annotations

import json
import os
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np

WEIGHTS = "model.safetensors"
CHANGED = "weights rounded from float32 to float16 for the installer of LLM Workbench"
_LENGTH = struct.Struct("<Q")


def halve(weights: bytes) -> bytes:
    """A safetensors file (https://github.com/huggingface/safetensors) with its float32 tensors as float16, in their
    order; others stay. Raises ValueError for a number that float16 cannot hold."""
    (length,) = _LENGTH.unpack_from(weights)
    head = json.loads(weights[_LENGTH.size : _LENGTH.size + length])
    data = memoryview(weights)[_LENGTH.size + length :]
    about = {**head.pop("__metadata__", {}), "changed": CHANGED}
    tensors, parts, at = {}, [], 0
    for name, tensor in sorted(head.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = tensor["data_offsets"]
        part = bytes(data[begin:end])
        if tensor["dtype"] == "F32":
            with np.errstate(over="ignore"):
                values = np.frombuffer(part, "<f4").astype("<f2")
            if not np.isfinite(values).all():
                raise ValueError(f"{name} holds a number that is too large for float16")
            tensor, part = {**tensor, "dtype": "F16"}, values.tobytes()
        tensors[name] = {**tensor, "data_offsets": [at, at + len(part)]}
        parts.append(part)
        at += len(part)
    encoded = json.dumps({"__metadata__": about, **tensors}).encode()
    encoded += b" " * (-len(encoded) % 8)  # tensors begin at a multiple of eight bytes
    return b"".join((_LENGTH.pack(len(encoded)), encoded, *parts))


def halve_archive(archive: Path) -> None:
    """Replace the archive. Its files are not compressed: the installer does that, and better."""
    beside = archive.with_suffix(".new")
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(beside, "w") as new:
        for member in old.infolist():
            if not member.is_dir():
                content = old.read(member)
                new.writestr(member.filename, halve(content) if member.filename == WEIGHTS else content)
    os.replace(beside, archive)


if __name__ == "__main__":
    halve_archive(Path(sys.argv[1]))
