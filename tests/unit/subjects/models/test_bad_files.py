"""A table of files that are no sound model, with the reason that each is refused with."""

from __future__ import annotations

import json
import os
import struct
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.base.errors import UserError
from workbench.gguf.inspection import inspect_path

U64 = struct.Struct("<Q")


def array(kind: int, count: int, rest: bytes = b"") -> bytes:
    """A metadata array value as it claims to be."""
    return struct.pack("<IIQ", 9, kind, count) + rest


BAD_GGUF = {
    "empty": (lambda g: b"", "is empty"),
    "text": (lambda g: b"Hello, I am a text file.\n" * 40, "not a GGUF file"),
    "zeros": (lambda g: bytes(4096), "only zeros"),
    "lfs pointer": (lambda g: b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS pointer"),
    "web page": (lambda g: b"<!DOCTYPE html><html><body>401</body></html>", "web page"),
    "old ggml": (lambda g: b"tjgg" + bytes(100), "before GGUF"),
    "zip": (lambda g: b"PK\x03\x04" + bytes(100), "pickle"),
    "pickle": (lambda g: b"\x80\x04\x95" + bytes(100), "pickle"),
    "safetensors": (lambda g: U64.pack(50) + b'{"a":' + bytes(60), "is a safetensors file"),
    "header only": (lambda g: g()[:10], "cut short"),
    "version 1": (lambda g: g(version=1), "version 1"),
    "version 4": (lambda g: g(version=4), "version 4"),
    "big endian": (lambda g: b"GGUF" + struct.pack(">I", 3) + bytes(64), "big-endian"),
    "truncated metadata": (lambda g: g()[:150], "ends inside its metadata"),
    "truncated weights": (lambda g: g()[:-200], "cut short: its weights need"),
    "truncated tensor table": (lambda g: g()[:-3600], "cut short"),
    "2**63 tensors": (lambda g: g(tensor_count=1 << 63), "tensors"),
    "2**63 keys": (lambda g: g(key_count=1 << 63), "metadata entries"),
    "more keys than there are": (lambda g: g(key_count=4000), "damaged"),
    "key of 2**40 bytes": (lambda g: b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1 << 40) + bytes(64), "cut short"),
    "long key": (
        lambda g: b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 70_000) + bytes(80_000),
        "a metadata name is 70,000 bytes",
    ),
    "unknown value type": (lambda g: g({"a": struct.pack("<I", 77)}), "unknown type 77"),
    "unknown array type": (lambda g: g({"a": array(77, 1)}), "unknown type 77"),
    "array of 2**60": (lambda g: g({"a": array(4, 1 << 60)}), "cut short"),
    "nested arrays": (lambda g: g({"a": array(9, 1, struct.pack("<IQ", 9, 1) * 900)}), "nested too deep"),
    "many nested arrays": (
        lambda g: g({"a": array(9, 200_000, struct.pack("<IQ", 4, 0) * 200_000)}),
        "has 200,000 items",
    ),
    "huge text": (lambda g: g({"a": "x" * 5_000_000}), "5,000,000 bytes long"),
    "many big texts": (lambda g: g({f"k{n}": "x" * 3_000_000 for n in range(12)}), "3,000,000 bytes long"),
    "key twice": (
        lambda g: b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + (U64.pack(1) + b"a" + struct.pack("<II", 4, 1)) * 2,
        "there twice",
    ),
    "alignment 3": (lambda g: g({"general.alignment": 3}), "alignment is 3"),
    "alignment text": (lambda g: g({"general.alignment": "x"}), "alignment is 'x'"),
    "unknown tensor type": (lambda g: g(tensors=[("t", (32,), 99, 32)]), "does not know (type 99)"),
    "removed tensor type": (lambda g: g(tensors=[("t", (32,), 31, 32)]), "has dropped"),
    "5 dimensions": (lambda g: g(tensors=[("t", (1,) * 5, 0, 4)]), "5 dimensions"),
    "shape not whole blocks": (lambda g: g(tensors=[("t", (33,), 8, 34)]), "impossible shape"),
    "shape overflows": (lambda g: g(tensors=[("t", (1 << 40, 1 << 40), 0, 4)]), "impossible shape"),
    "tensors overlap": (lambda g: g(tensors=[("a", (64,), 0, 32), ("b", (8,), 0, 32)]), "does not begin where"),
    "tensor twice": (lambda g: g(tensors=[("a", (8,), 0, 32)] * 2), "there twice"),
}

BAD_MODELS = {
    "no weights": ({}, {"tensors": ()}, "contains no weights"),
    "weights of nothing": ({}, {"tensors": [("t", (0,), 0, 0)]}, "contains no weights"),
    "no architecture": ({"general.architecture": None}, {}, "architecture"),
    "no tokenizer": ({"general.architecture": "flux", "tokenizer.ggml.model": None}, {}, "not a language model"),
    "adapter": ({"general.type": "adapter"}, {}, "LoRA adapter"),
    "image encoder": ({"general.architecture": "clip"}, {}, "image encoder"),
    "control vector": ({"general.architecture": "controlvector"}, {}, "control vector"),
    "importance matrix": ({"general.type": "imatrix"}, {}, "importance matrix"),
    "norm quantised": ({}, {"tensors": [("output_norm.weight", (32,), 8, 34)]}, "'output_norm.weight' as Q8_0"),
    "norm in bytes": ({}, {"tensors": [("blk.0.attn_norm.weight", (32,), 24, 32)]}, "'blk.0.attn_norm.weight' as I8"),
    "norm of two dimensions": ({}, {"tensors": [("blk.0.attn_q_norm.weight", (32, 2), 1, 128)]}, "'blk.0.attn_q_norm"),
    "bias halved": ({}, {"tensors": [("blk.0.attn_q.bias", (32, 2), 1, 128)]}, "'blk.0.attn_q.bias' as F16"),
    "weights doubled": ({}, {"tensors": [("blk.0.attn_q.weight", (32, 1), 28, 256)]}, "'blk.0.attn_q.weight' as F64"),
    "embeddings in bytes": ({}, {"tensors": [("token_embd.weight", (32, 1), 24, 32)]}, "'token_embd.weight' as I8"),
    "epsilon is not a number": ({"llama.attention.layer_norm_rms_epsilon": float("nan")}, {}, "epsilon is 'nan'"),
    "epsilon below zero": ({"llama.attention.layer_norm_rms_epsilon": -1.0}, {}, "epsilon is -1.0"),
    "no layers": ({"llama.block_count": 0}, {}, "claims 0 layers"),
    "more layers than llama.cpp has": ({"llama.block_count": 513}, {}, "claims 513 layers"),
    "experts that are not used": ({"llama.expert_count": 8}, {}, "8 experts of which 0 are used"),
    "more experts used than there are": (
        {"llama.expert_count": 2, "llama.expert_used_count": 4},
        {},
        "2 experts of which 4 are used",
    ),
    "token twice": ({"tokenizer.ggml.tokens": [*"abcdefgh" * 20, "x"]}, {}, "the token 'a' twice"),
    "bytes without a token": ({"tokenizer.ggml.model": "llama"}, {}, "no token for 256 of the 256 bytes"),
    "piece without its name": ({"split.count": 3, "split.no": 0}, {}, "not named as such"),
}

GOOD_WEIGHTS = U64.pack(2) + b"{}"
BAD_FOLDERS = {
    "no model": ({"config.json": None, "model.safetensors": None, "tokenizer.json": None, "a.txt": "x"}, "no model"),
    "pickle only": ({"model.safetensors": None, "pytorch_model.bin": "x"}, "Python pickles only (pytorch_model.bin)"),
    "checkpoint only": ({"model.safetensors": None, "model.ckpt": "x"}, "Python pickles only"),
    "adapter": (
        {"config.json": None, "model.safetensors": None, "adapter_config.json": "{}", "adapter_model.safetensors": "x"},
        "LoRA adapter",
    ),
    "no config": ({"config.json": None}, "no config.json"),
    "no tokenizer": ({"tokenizer.json": None}, "no tokenizer"),
    "config is a list": ({"config.json": "[]"}, "is damaged"),
    "config is binary": ({"config.json": b"\xff\xfe\x00"}, "is damaged"),
    "config nested deep": ({"config.json": '{"a":' + "[" * 100_000 + "]" * 100_000 + "}"}, "is damaged"),
    "weights empty": ({"model.safetensors": b""}, "is empty"),
    "weights are text": ({"model.safetensors": b"Hello, I am a text file."}, "not a safetensors file"),
    "weights are a pointer": ({"model.safetensors": b"version https://git-lfs"}, "Git LFS pointer"),
    "no tensors": ({"model.safetensors": GOOD_WEIGHTS}, "contains no weights"),
    "tensors of nothing": (
        {"model.safetensors": U64.pack(54) + b'{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'},
        "contains no weights",
    ),
    "header too long": ({"model.safetensors": U64.pack(1 << 40) + b"{}"}, "not a safetensors file"),
    "header cut": ({"model.safetensors": U64.pack(500) + b"{}"}, "cut short: it ends inside its header"),
    "header is no JSON": ({"model.safetensors": U64.pack(4) + b"nope"}, "header cannot be read"),
    "header of millions of names": (
        {"model.safetensors": U64.pack(18_000_001) + b"{" + b",".join([b'"1234567890":0'] * 1_200_000) + b"}"},
        "has 1,200,000 entries",
    ),
    "header nested deep": ({"model.safetensors": U64.pack(200_006) + b'{"a":' + b"[" * 200_001}, "cannot be read"),
    "index to elsewhere": ({"model.safetensors.index.json": '{"weight_map":{"a":"../../x.safetensors"}}'}, "outside"),
    "index names a missing file": ({"model.safetensors.index.json": '{"weight_map":{"a":"b.safetensors"}}'}, "lacks 1"),
    "index names a missing tensor": (
        {"model.safetensors.index.json": '{"weight_map":{"lost":"model.safetensors"}}'},
        "lack 1 of 1 tensors, such as 'lost'",
    ),
    "module with its own code": ({"modules.json": '[{"type":"evil.Module","path":""}]'}, "code of its own"),
    "module elsewhere": (
        {"modules.json": '[{"type":"sentence_transformers.models.Transformer","path":"../.."}]'},
        "outside of its folder",
    ),
    "module with pickles": (
        {
            "modules.json": '[{"type":"sentence_transformers.models.Transformer","path":""},'
            '{"type":"sentence_transformers.models.Dense","path":"2_Dense"}]',
            "2_Dense/pytorch_model.bin": "x",
        },
        "2_Dense has its weights as Python pickles only",
    ),
    "modules empty": ({"modules.json": "[]"}, "lists no modules"),
}  # fmt: skip


def refused(path: Path) -> UserError:
    with pytest.raises(UserError) as caught:
        inspect_path(path)
    assert str(path) in caught.value.message or path.name in caught.value.message
    return caught.value


@pytest.mark.parametrize("case", BAD_GGUF)
def test_bad_gguf_is_refused_with_its_reason(case: str, tmp_path: Path, gguf: Callable[..., bytes]) -> None:
    make, reason = BAD_GGUF[case]
    path = tmp_path / "bad.gguf"
    path.write_bytes(make(gguf))
    tracemalloc.start()
    started = time.monotonic()
    error = refused(path)
    assert time.monotonic() - started < 5
    assert tracemalloc.get_traced_memory()[1] < 80_000_000
    tracemalloc.stop()
    assert reason in error.message
    assert error.hint


@pytest.mark.parametrize("case", BAD_MODELS)
def test_what_is_no_language_model_is_refused(case: str, make_gguf: Callable[..., Path]) -> None:
    changes, rest, reason = BAD_MODELS[case]
    assert reason in refused(make_gguf(changes=changes, **rest)).message


@pytest.mark.parametrize("case", BAD_FOLDERS)
def test_bad_folder_is_refused_with_its_reason(case: str, make_folder: Callable[..., Path]) -> None:
    files, reason = BAD_FOLDERS[case]
    assert reason in refused(make_folder(**files)).message


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (("BF16", (4, 8), 32), "does not fit its shape"),
        (("BF16", (-4, -8), 64), "does not fit its shape"),
        (("Q17", (4, 8), 64), "does not know (Q17)"),
        (("F32", (1 << 40,), 64), "does not fit its shape"),
        (("F32", (*[1 << 62] * 60_000,), 64), "does not fit its shape"),
        (("F" * 5_000, (1,), 4), "5,000 characters long"),
    ],
)
def test_impossible_tensors_are_refused(
    tensor: tuple[str, tuple[int, ...], int],
    reason: str,
    make_folder: Callable[..., Path],
    safetensors: Callable[..., bytes],
) -> None:
    folder = make_folder(**{"model.safetensors": safetensors({"w": tensor})})
    started = time.monotonic()
    assert reason in refused(folder).message
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(("change", "reason"), [(-8, "cut short"), (8, "follow its end")])
def test_weights_of_another_length_are_refused(
    change: int, reason: str, make_folder: Callable[..., Path], safetensors: Callable[..., bytes]
) -> None:
    weights = safetensors()
    weights = weights[:change] if change < 0 else weights + b"\0" * change
    assert reason in refused(make_folder(**{"model.safetensors": weights})).message


def test_gaps_between_tensors_are_refused(make_folder: Callable[..., Path]) -> None:
    header = json.dumps({"w": {"dtype": "U8", "shape": [8], "data_offsets": [8, 16]}}).encode()
    weights = U64.pack(len(header)) + header + bytes(16)
    assert "does not fit its shape" in refused(make_folder(**{"model.safetensors": weights})).message


def test_truncated_real_model_is_refused(smollm_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.gguf"
    with smollm_path.open("rb") as source:
        path.write_bytes(source.read(5_000_000))
    assert "cut short: its weights need 98,362,432 bytes" in refused(path).message


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_paths_without_a_model_are_refused(tmp_path: Path) -> None:
    assert "There is no file or folder" in refused(tmp_path / "nothing.gguf").message
    assert "empty folder" in refused(tmp_path).message
    dangling = tmp_path / "dangling.gguf"
    dangling.symlink_to(tmp_path / "gone.gguf")
    assert "a link to a missing file" in refused(dangling).message
    loop = tmp_path / "loop.gguf"
    loop.symlink_to(loop)
    assert "cannot be read: Too many levels of symbolic links" in refused(loop).message
    assert "cannot be read: File name too long" in refused(tmp_path / ("x" * 300)).message


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.gguf"
    os.mkfifo(pipe)
    assert "is not a file" in refused(pipe).message


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything can be read here")
def test_unreadable_file_is_refused(make_gguf: Callable[..., Path]) -> None:
    path = make_gguf()
    path.chmod(0)
    assert "cannot be read" in refused(path).message
