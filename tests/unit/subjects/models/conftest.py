"""Small model files made by the tests, sound ones and, by overriding a detail, bad ones."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

Tensors = Sequence[tuple[str, tuple[int, ...], int, int]]  # name, shape, type number, bytes in the file

TINY_METADATA: dict[str, Any] = {
    "general.architecture": "llama",
    "general.name": "Tiny",
    "general.license": "apache-2.0",
    "general.file_type": 7,
    "llama.context_length": 2048,
    "llama.block_count": 1,
    "llama.embedding_length": 32,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "smollm",
    "tokenizer.ggml.tokens": [f"t{n}" for n in range(100)],
}
TINY_TENSORS: Tensors = (("token_embd.weight", (32, 100), 8, 3400), ("output_norm.weight", (32,), 0, 128))


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def value(item: Any) -> bytes:
    """A metadata value with its type number in front. ``bytes`` are taken as they are."""
    if isinstance(item, bytes):
        return item
    if isinstance(item, bool):
        return struct.pack("<I?", 7, item)
    if isinstance(item, int):
        return struct.pack("<II", 4, item)
    if isinstance(item, float):
        return struct.pack("<If", 6, item)
    if isinstance(item, str):
        return struct.pack("<I", 8) + text(item)
    kinds = {value(i)[:4] for i in item} or {struct.pack("<I", 4)}
    assert len(kinds) == 1
    return struct.pack("<I", 9) + kinds.pop() + struct.pack("<Q", len(item)) + b"".join(value(i)[4:] for i in item)


def gguf_bytes(
    metadata: dict[str, Any] | None = None,
    tensors: Tensors = TINY_TENSORS,
    *,
    version: int = 3,
    tensor_count: int | None = None,
    key_count: int | None = None,
    alignment: int = 32,
) -> bytes:
    metadata = TINY_METADATA if metadata is None else metadata
    out = b"GGUF" + struct.pack("<I", version)
    out += struct.pack("<Q", len(tensors) if tensor_count is None else tensor_count)
    out += struct.pack("<Q", len(metadata) if key_count is None else key_count)
    for key, item in metadata.items():
        out += text(key) + value(item)
    data = b""
    for name, shape, kind, size in tensors:
        out += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        out += struct.pack("<IQ", kind, len(data))
        data += b"\1" * size + b"\0" * (-size % alignment)
    return out + b"\0" * (-len(out) % alignment) + data


def safetensors_bytes(tensors: dict[str, tuple[str, tuple[int, ...], int]] | None = None) -> bytes:
    table: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, (dtype, shape, size) in (tensors or {"w": ("BF16", (4, 8), 64)}).items():
        table[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    header = json.dumps(table).encode()
    return struct.pack("<Q", len(header)) + header + b"\1" * end


TINY_CONFIG = {
    "model_type": "llama",
    "vocab_size": 100,
    "max_position_embeddings": 4096,
    "num_hidden_layers": 2,
    "hidden_size": 16,
}


@pytest.fixture
def make_gguf(tmp_path: Path) -> Callable[..., Path]:
    """Write a GGUF file; ``changes`` are put into the metadata (None takes an entry out)."""

    def make(name: str = "tiny.gguf", changes: dict[str, Any] | None = None, **rest: Any) -> Path:
        metadata = {**TINY_METADATA, **(changes or {})}
        path = tmp_path / name
        path.write_bytes(gguf_bytes({k: v for k, v in metadata.items() if v is not None}, **rest))
        return path

    return make


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """Write a model folder; ``files`` are added, replace others, or (None) take them out."""

    def make(name: str = "Tiny-Llama", **files: bytes | str | None) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        contents: dict[str, bytes | str | None] = {
            "config.json": json.dumps(TINY_CONFIG),
            "model.safetensors": safetensors_bytes(),
            "tokenizer.json": "{}",
            **{key.replace("__", "."): content for key, content in files.items()},
        }
        for place, content in contents.items():
            if content is not None:
                path = folder / place
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    return make


@pytest.fixture(scope="session")
def gguf() -> Callable[..., bytes]:
    """The bytes of a GGUF file."""
    return gguf_bytes


@pytest.fixture(scope="session")
def safetensors() -> Callable[..., bytes]:
    """The bytes of a safetensors file."""
    return safetensors_bytes
