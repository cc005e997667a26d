"""Values and calls of records."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.records.endpoints import Endpoint
from workbench.records.exam import ExamResult


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A processor or GPU that ggml can compute on. ``shared``: its memory is part of the machine's own."""

    name: str
    description: str = ""
    kind: Literal["cpu", "gpu", "accelerator"] = "cpu"
    memory_bytes: int = 0
    free_bytes: int = 0
    shared: bool = False


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The machine. Memory and disk in bytes."""

    processor: str
    cores: int
    memory_bytes: int
    memory_free_bytes: int
    disk_free_bytes: int
    devices: tuple[Device, ...] = ()


class Projector(msgspec.Struct, frozen=True, kw_only=True):
    """The image encoder of a vision model (mmproj file). ``kind`` is llama.cpp's name of its way from an image to
    embeddings ("idefics3")."""

    path: str
    kind: str = ""
    bytes: int = 0


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One model of the catalogue. ``path`` is its (first) file or its folder.

    ``kind``: chat models answer; embedders turn text into vectors. ``format``: gguf, safetensors, or an ``endpoint``,
    which another program or service computes and whose ``path`` is its address. ``projector`` is the file of its image
    encoder (mmproj), "" for none. ``owned``: the files are in the home
    folder and deleted with the model. ``thinking``: its chat template has a switch for it. ``exam`` is that of the
    files as they are now, None without one; ``exam_problem`` says why a stored one cannot be read. ``unreadable`` says
    why the stored row cannot be read; then only the name is known.
    """

    name: str
    kind: Literal["chat", "base", "embedder"]
    format: Literal["gguf", "safetensors", "endpoint"]
    path: str
    architecture: str
    parameters: int
    quantization: str
    context_tokens: int
    bytes: int
    licence: str = ""
    files: tuple[str, ...] = ()
    sha256: str = ""
    owned: bool = False
    missing: bool = False
    thinking: bool = False
    projector: str = ""
    exam: ExamResult | None = None
    exam_problem: str = ""
    endpoint: Endpoint | None = None
    unreadable: Shown = ""

    @property
    def sees_images(self) -> bool:
        """Whether images can be shown to it."""
        return bool(self.projector) if self.endpoint is None else self.endpoint.sees_images


class ModelDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A model with its files' metadata, without the big arrays."""

    model: ModelRecord
    chat_template: str = ""
    tokenizer: str = ""
    vocabulary: int = 0
    layers: int = 0
    embedding_length: int = 0
    metadata: dict[str, Any] = {}
