"""What is refused as a model is what llama.cpp aborts on, and what it computes with is not refused."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.subjects.models.conftest import Tensors, gguf_bytes
from workbench.base.errors import UserError
from workbench.gguf.assertions import NOT_COMPUTED
from workbench.gguf.ggml_types import TENSOR_TYPES
from workbench.gguf.inspection import inspect_path

WIDTH, WORDS = 256, 256
NUMBERS = {kind.name: number for number, kind in TENSOR_TYPES.items()}
EPSILON = "llama.attention.layer_norm_rms_epsilon"
METADATA: dict[str, Any] = {
    "general.architecture": "llama",
    "llama.context_length": 64,
    "llama.block_count": 1,
    "llama.embedding_length": WIDTH,
    "llama.feed_forward_length": WIDTH,
    "llama.attention.head_count": 4,
    EPSILON: 1e-5,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "smollm",
    "tokenizer.ggml.tokens": [chr(0x100 + n) if n < 33 or n > 126 else chr(n) for n in range(WORDS)],
    "tokenizer.ggml.merges": ["t h"],
}
NORMS = ("output_norm.weight", "blk.0.attn_norm.weight", "blk.0.ffn_norm.weight")
PARTS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
MATRICES = ("token_embd.weight", "output.weight", *(f"blk.0.{part}.weight" for part in PARTS))

COMPUTE = """
import os, sys
from workbench.engine.library import llama, start_library

def compute(path):
    start_library()
    model = llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params())
    if not model:
        return 1
    parameters = llama.llama_context_default_params()
    parameters.n_ctx = 64
    context = llama.llama_init_from_model(model, parameters)
    for tokens in ([5, 6, 7], [8]):
        batch = llama.llama_batch_get_one((llama.llama_token * len(tokens))(*tokens), len(tokens))
        if llama.llama_decode(context, batch):
            return 2
    return 0

for path in sys.argv[1:]:
    child = os.fork()
    if not child:
        os._exit(compute(path))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def tensors(changed: str = "", kind: str = "") -> Tensors:
    """All of a model of one layer; one tensor in another format."""
    rows = []
    for name in (*NORMS, *MATRICES):
        shape = (WIDTH,) if name in NORMS else (WIDTH, WIDTH)
        number = NUMBERS[kind if name == changed else "F32" if name in NORMS else "F16"]
        block = TENSOR_TYPES[number]
        rows.append((name, shape, number, WIDTH ** len(shape) // block.block * block.bytes))
    return rows


def outcomes(folder: Path, files: dict[str, bytes]) -> dict[str, tuple[bool, int]]:
    """Of each file: whether it is refused, and how a process ends that computes with it (negative: by a signal)."""
    paths = []
    for number, contents in enumerate(files.values()):
        paths.append(folder / f"{number}.gguf")
        paths[-1].write_bytes(contents)
    command = [sys.executable, "-c", COMPUTE, *map(str, paths)]
    ended = subprocess.run(command, capture_output=True, check=True, cwd=Path(__file__).parents[3])
    codes = [int(line) for line in ended.stdout.split()]
    return {name: (refused(path), code) for name, path, code in zip(files, paths, codes, strict=True)}


def refused(path: Path) -> bool:
    try:
        inspect_path(path)
    except UserError:
        return True
    return False


@pytest.fixture(autouse=True)
def no_backtrace(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows has no fork")
    monkeypatch.setenv("GGML_NO_BACKTRACE", "1")


@pytest.mark.parametrize("changed", ["output_norm.weight", "token_embd.weight", "blk.0.attn_output.weight"])
@pytest.mark.slow
def test_formats_are_refused_that_a_tensor_cannot_have(tmp_path: Path, changed: str) -> None:
    made = {kind: gguf_bytes(METADATA, tensors(changed, kind)) for kind in NUMBERS}
    impossible = set(NUMBERS) - {"F32"} if changed in NORMS else NOT_COMPUTED
    found = outcomes(tmp_path, made)
    assert {kind for kind, (is_refused, _) in found.items() if is_refused} == impossible
    assert {kind for kind, (_, code) in found.items() if code < 0} == impossible
    assert {code for _, code in found.values() if code >= 0} == {0}


@pytest.mark.slow
def test_entries_are_refused_that_llama_cpp_aborts_on(tmp_path: Path) -> None:
    bad = {
        "epsilon": {EPSILON: float("nan")},
        "negative": {EPSILON: -1.0},
        "layers": {"llama.block_count": 0},
        "many layers": {"llama.block_count": 513},
        "idle experts": {"llama.expert_count": 4},
        "few experts": {"llama.expert_used_count": 4},
        "many experts": {"llama.expert_count": 1025, "llama.expert_used_count": 1},
        "unknown scaling": {"llama.rope.scaling.type": "bogus"},
        "twice": {"tokenizer.ggml.tokens": ["a", "a", *METADATA["tokenizer.ggml.tokens"][2:]]},
    }
    made = {name: gguf_bytes({**METADATA, **entries}, tensors()) for name, entries in bad.items()}
    found = outcomes(tmp_path, {"sound": gguf_bytes(METADATA, tensors()), **made})
    assert found.pop("sound") == (False, 0)
    assert {name for name, (is_refused, _) in found.items() if is_refused} == set(bad)
    assert {name for name, (_, code) in found.items() if code < 0} == set(bad)


def test_a_negative_number_of_heads_is_refused_in_words_also_without_another_number(tmp_path: Path) -> None:
    file = tmp_path / "m.gguf"
    entries = {name: value for name, value in METADATA.items() if not name.endswith("head_count_kv")}
    key, unsigned, signed = b"llama.attention.head_count", 4, 5
    entry = key + struct.pack("<II", unsigned, METADATA[key.decode()])
    sound = gguf_bytes(entries, tensors())
    assert entry in sound
    file.write_bytes(sound.replace(entry, key + struct.pack("<Ii", signed, -1)))
    with pytest.raises(UserError, match="attention heads"):
        inspect_path(file)
