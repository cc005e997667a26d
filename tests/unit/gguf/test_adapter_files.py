"""Adapters that fit a model, and all that do not."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from tests.virtual_tokens import write_prefix, write_soft_prompt, write_virtual
from workbench.base.errors import UserError
from workbench.gguf.adapter_files import check_adapter, list_adapters, resolve_adapter

Pairs = Mapping[str, tuple[int, int]]  # name of a half, (rows, columns) as numpy has them


def write(path: Path, shapes: Pairs, *, architecture: str = "llama", dtype: Any = np.float32, **fields: Any) -> Path:
    """A GGUF adapter with small random weights. ``fields``: alpha, method, kind; as None they are left out."""
    rng = np.random.default_rng(3)
    writer = gguf.GGUFWriter(path, architecture)
    kind, method, alpha = fields.get("kind", "adapter"), fields.get("method", "lora"), fields.get("alpha", 16.0)
    if kind is not None:
        writer.add_type(kind)
    if method is not None:
        writer.add_string("adapter.type", method)
    if isinstance(alpha, float):
        writer.add_float32("adapter.lora.alpha", alpha)
    elif alpha is not None:
        writer.add_key_value("adapter.lora.alpha", alpha[0], alpha[1])
    for name, shape in shapes.items():
        writer.add_tensor(name, (rng.normal(size=shape) * 0.01).astype(dtype))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def pair(name: str, into: int, out: int, rank: int = 4) -> dict[str, tuple[int, int]]:
    return {f"{name}.lora_a": (rank, into), f"{name}.lora_b": (out, rank)}


def write_base(path: Path, *, tied: bool = True) -> Path:
    writer = gguf.GGUFWriter(path, "llama")
    shapes = {"token_embd.weight": (100, 32), "blk.0.attn_q.weight": (32, 32), "blk.0.ffn_up.weight": (64, 32)}
    shapes |= {} if tied else {"output.weight": (100, 32)}
    for name, shape in shapes.items():
        writer.add_tensor(name, np.zeros(shape, np.float32))
    writer.add_tensor("blk.0.attn_norm.weight", np.zeros(32, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write_base(tmp_path / "base.gguf")


def test_an_adapter_that_fits_is_described(tmp_path: Path, base: Path) -> None:
    shapes = pair("blk.0.attn_q.weight", 32, 32, 4) | pair("blk.0.ffn_up.weight", 32, 64, 8)
    path = write(tmp_path / "mine.gguf", shapes)
    details = check_adapter(path, base)
    assert (details.name, details.architecture, details.ranks, details.alpha) == ("mine", "llama", (4, 8), 16.0)
    assert details.targets == ("blk.0.attn_q.weight", "blk.0.ffn_up.weight")
    assert details.bytes == path.stat().st_size
    assert check_adapter(write(tmp_path / "half.gguf", shapes, dtype=np.float16, alpha=None), base).alpha == 0.0


def test_what_stands_before_the_text_is_described(tmp_path: Path, base: Path) -> None:
    soft = check_adapter(write_soft_prompt(tmp_path / "soft.gguf", np.ones((5, 32), np.float32)), base)
    assert (soft.kind, soft.virtual_tokens, soft.ranks, soft.targets) == ("soft-prompt", 5, (), ())
    rows = [np.ones((7, 16), np.float32)]
    prefix = check_adapter(write_prefix(tmp_path / "prefix.gguf", rows, rows), base)
    assert (prefix.kind, prefix.virtual_tokens, prefix.name) == ("prefix", 7, "prefix")


ROWS = np.ones((5, 32), np.float32)
HALVES = {"prefix.blk.0.k": ROWS, "prefix.blk.0.v": ROWS}


@pytest.mark.parametrize(
    ("kind", "tensors", "architecture", "reason"),
    [
        ("soft-prompt", {"soft_prompt": ROWS}, "qwen2", "architecture qwen2"),
        ("soft-prompt", {"soft_prompt": ROWS[:, :16]}, "llama", "embeddings of 16 numbers; .* have 32"),
        ("soft-prompt", {"soft_prompt": ROWS.astype(np.float16)}, "llama", "as F16"),
        ("soft-prompt", {"soft_prompt": ROWS[0]}, "llama", "has the shape 32"),
        ("soft-prompt", {"soft_prompt": ROWS * np.float32("nan")}, "llama", "not finite"),
        ("soft-prompt", {"soft_prompt": np.array([[-np.inf] + [np.inf] * 31], np.float32)}, "llama", "not finite"),
        ("soft-prompt", {"soft_prompt": ROWS, "more": ROWS}, "llama", "should hold the tensor 'soft_prompt'"),
        ("soft-prompt", {}, "llama", "should hold the tensor 'soft_prompt'"),
        ("prefix", {}, "llama", "every layer"),
        ("prefix", HALVES | {"soft_prompt": ROWS}, "llama", "not part of one"),
        ("prefix", {"prefix.blk.0.k": ROWS}, "llama", "lacks the keys or the values of layer 0"),
        ("prefix", {"prefix.blk.1.k": ROWS, "prefix.blk.1.v": ROWS}, "llama", "every layer"),
        ("prefix", HALVES | {"prefix.blk.0.v": ROWS[:4]}, "llama", "different lengths"),
        ("prefix", HALVES | {"prefix.blk.1.k": ROWS, "prefix.blk.1.v": ROWS}, "llama", "for 2 layers; .* has 1"),
        ("prefix", HALVES | {"prefix.blk.0.v": ROWS * np.float32("inf")}, "llama", "'prefix.blk.0.v' .* not finite"),
    ],
)
def test_what_stands_before_the_text_and_does_not_fit_is_refused(
    tmp_path: Path, base: Path, kind: str, tensors: dict[str, Any], architecture: str, reason: str
) -> None:
    path = write_virtual(tmp_path / "bad.gguf", tensors, kind, architecture)
    with pytest.raises(UserError, match=reason) as refused:
        check_adapter(path, base)
    assert refused.value.hint


Q, UP = "blk.0.attn_q.weight", "blk.0.ffn_up.weight"


@pytest.mark.parametrize(
    ("shapes", "fields", "reason"),
    [
        (pair(Q, 32, 32), {"kind": None}, "not an adapter: it is a model"),
        (pair(Q, 32, 32), {"kind": "imatrix"}, "of the kind imatrix"),
        (pair(Q, 32, 32), {"method": "ia3"}, "kind ia3"),
        (pair(Q, 32, 32), {"architecture": "gemma3"}, "architecture gemma3"),
        (pair("blk.1.attn_q.weight", 32, 32), {}, "the model does not have"),
        (pair(Q, 64, 32), {}, r"does not fit: .* 64x4 by 4x32, the model's is 32x32"),
        (pair(UP, 64, 32), {}, "does not fit"),  # the two sides exchanged
        ({f"{UP}.lora_a": (32, 4), f"{UP}.lora_b": (64, 4)}, {}, "does not fit"),  # not transposed
        (pair("blk.0.attn_norm.weight", 32, 1), {}, "does not fit"),
        ({f"{Q}.lora_a": (4, 32)}, {}, "no lora_b"),
        ({f"{Q}.lora_b": (32, 4)}, {}, "no lora_a"),
        ({f"{Q}.lora_a": (4, 32), f"{Q}.lora_b": (32, 8)}, {}, "of the ranks 4 and 8"),
        ({"token_embd.weight.lora_a": (100, 4), "token_embd.weight.lora_b": (32, 4)}, {}, "output layer as well"),
        (pair(Q, 32, 32) | {"blk.0.attn_q.bias": (1, 32)}, {}, "not part of a LoRA"),
        (pair(Q, 32, 32), {"dtype": np.int32}, "as I32"),
        (pair(Q, 32, 32), {"alpha": (16.0, gguf.GGUFValueType.FLOAT64)}, "no usable alpha"),
        (pair(Q, 32, 32), {"alpha": (16, gguf.GGUFValueType.UINT32)}, "no usable alpha"),
        (pair(Q, 32, 32), {"alpha": float("nan")}, "no usable alpha"),
        ({}, {}, "changes nothing"),
    ],
)
def test_an_adapter_that_does_not_fit_is_refused_with_the_reason(
    tmp_path: Path, base: Path, shapes: Pairs, fields: dict[str, Any], reason: str
) -> None:
    path = write(tmp_path / "bad.gguf", shapes, **fields)
    with pytest.raises(UserError, match=reason) as refused:
        check_adapter(path, base)
    assert refused.value.hint


def test_embeddings_may_be_changed_where_the_output_is_another_layer(tmp_path: Path) -> None:
    base = write_base(tmp_path / "untied.gguf", tied=False)
    shapes = {"token_embd.weight.lora_a": (100, 4), "token_embd.weight.lora_b": (32, 4)}
    assert check_adapter(write(tmp_path / "a.gguf", shapes), base).ranks == (4,)
    with pytest.raises(UserError, match="does not fit"):
        check_adapter(write(tmp_path / "b.gguf", pair("token_embd.weight", 32, 100)), base)


def test_a_file_that_is_cut_short_is_refused(tmp_path: Path, base: Path) -> None:
    path = write(tmp_path / "whole.gguf", pair(Q, 32, 32))
    whole = path.read_bytes()
    for length in range(0, len(whole) - 300, 97):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError):
            check_adapter(path, base)


def test_an_adapter_is_found_by_path_and_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "adapters"
    with pytest.raises(UserError, match="no adapter polite") as refused:
        resolve_adapter("polite", folder)
    assert "no adapters yet" in refused.value.hint
    (folder / "polite").mkdir(parents=True)
    first = write(folder / "polite" / "adapter.gguf", pair(Q, 32, 32))
    second = write(folder / "terse.gguf", pair(Q, 32, 32))
    assert resolve_adapter("polite", folder) == first
    assert resolve_adapter("terse", folder) == second
    assert resolve_adapter(str(second), folder) == second
    assert list_adapters(folder) == ["polite", "terse"]
    for name in ("", ".", "..", "../adapters/polite", "kind"):
        with pytest.raises(UserError) as refused:
            resolve_adapter(name, folder)
        assert "polite, terse" in refused.value.hint


def test_what_passes_loads_in_llama_cpp_and_changes_the_model(tmp_path: Path, smollm_path: Path) -> None:
    from workbench.engine.library import llama, start_library

    tensors = {tensor.name: tensor.shape for tensor in gguf_tensors(smollm_path)}
    shapes: dict[str, tuple[int, int]] = {}
    for name, shape in tensors.items():
        if name.startswith("blk.") and len(shape) == 2:
            shapes |= pair(name, shape[0], shape[1], 8)
    path = write(tmp_path / "smol.gguf", shapes)
    details = check_adapter(path, smollm_path)
    assert len(details.targets) == 30 * 7
    start_library()
    model = llama.llama_model_load_from_file(str(smollm_path).encode(), llama.llama_model_default_params())
    parameters = llama.llama_context_default_params()
    parameters.n_ctx = 64
    context = llama.llama_init_from_model(model, parameters)
    adapter = llama.llama_adapter_lora_init(model, str(path).encode())
    assert adapter
    pointers = (llama.llama_adapter_lora_p_ctypes * 1)(adapter)
    found = []
    for scale in (0.0, 1.0, 0.0):
        llama.llama_memory_clear(llama.llama_get_memory(context), True)
        assert llama.llama_set_adapters_lora(context, pointers, 1, (ctypes.c_float * 1)(scale)) == 0
        token = (llama.llama_token * 1)(100)
        assert llama.llama_decode(context, llama.llama_batch_get_one(token, 1)) == 0
        found.append(np.ctypeslib.as_array(llama.llama_get_logits_ith(context, -1), (49152,)).copy())
    llama.llama_free(context)
    llama.llama_model_free(model)  # and the adapter with it
    assert float(np.abs(found[1] - found[0]).max()) > 0.01
    assert float(np.abs(found[2] - found[0]).max()) < 1e-4


def gguf_tensors(path: Path) -> Any:
    from workbench.gguf.reader import read_gguf

    return read_gguf(path).tensors
