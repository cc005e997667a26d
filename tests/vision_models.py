"""A language model with positions in two dimensions (M-RoPE), as the Qwen-VL family has them, for tests of images.

It has the weights of another model under the architecture ``qwen2vl``: its texts mean nothing.
"""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

ARCHITECTURE = "qwen2vl"
SECTIONS = [8, 12, 12, 0]
"""Pairs of numbers of a head of 64 that turn with the time, the row and the column of a position."""


def write_qwen2vl(source: Path, out: Path) -> Path:
    """Write the llama model ``source``, of heads of 64, as one of Qwen2-VL's architecture."""
    read = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(out, ARCHITECTURE)
    for name, field in read.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        kind, value = field.types[0], field.contents()
        of_items = field.types[-1] if kind is gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name.replace("llama.", f"{ARCHITECTURE}."), value, kind, of_items)
    writer.add_array(f"{ARCHITECTURE}.rope.dimension_sections", SECTIONS)
    drawn = np.random.default_rng(5)
    for tensor in read.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
        head, _, ending = tensor.name.rpartition(".")
        if ending == "weight" and head.endswith(("attn_q", "attn_k", "attn_v")):
            rows = int(tensor.shape[1])
            writer.add_tensor(f"{head}.bias", (0.1 * drawn.standard_normal(rows)).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out
