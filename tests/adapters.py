"""GGUF LoRA adapters with random weights, for tests."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

from workbench.gguf.reader import read_gguf


def write_adapter(base: Path, path: Path, *, seed: int = 1, rank: int = 4, strength: float = 0.1) -> Path:
    """An adapter on the attention and feed-forward layers of a GGUF model, strong enough to change what it says."""
    model = read_gguf(base)
    writer = gguf.GGUFWriter(path, model.text("general.architecture"))
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(rank))
    source = np.random.default_rng(seed)
    for tensor in model.tensors:
        if any(f".{target}.weight" in tensor.name for target in ("attn_q", "attn_v", "ffn_down")):
            into, out = tensor.shape[0], tensor.shape[1]
            for half, shape in (("a", (rank, into)), ("b", (out, rank))):
                weights = source.standard_normal(shape) * strength
                writer.add_tensor(f"{tensor.name}.lora_{half}", weights.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
