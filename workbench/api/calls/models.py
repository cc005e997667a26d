"""The catalogue of models, and the one that is loaded."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from workbench.api.calls.machine import Status
from workbench.api.calls.runs import RunRecord
from workbench.api.protocol import Call
from workbench.records.endpoints import Endpoint
from workbench.records.exam import ExamResult
from workbench.records.fit import Fit
from workbench.records.local_models import LocalModel


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One model of the catalogue. ``path`` is its (first) file or its folder.

    ``kind``: chat models answer; embedders turn text into vectors. ``format``: gguf, safetensors, or an ``endpoint``,
    which another program or service computes and whose ``path`` is its address. ``owned``: the files are in the home
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
    exam: ExamResult | None = None
    exam_problem: str = ""
    endpoint: Endpoint | None = None
    unreadable: str = ""


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """Models. ``default`` is the name of the default model that a person has chosen, "" when none is, or it is gone.
    ``starter_hint`` says how to install the starter chat model, "" when it is installed."""

    models: tuple[ModelRecord, ...]
    default: str = ""
    starter_hint: str = ""


class ModelDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A model with its files' metadata, without the big arrays."""

    model: ModelRecord
    chat_template: str = ""
    tokenizer: str = ""
    vocabulary: int = 0
    layers: int = 0
    embedding_length: int = 0
    metadata: dict[str, Any] = {}


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """The speed of a model here, in tokens per second: prompts, one answer, ``sequences`` answers in parallel."""

    model: str
    prompt: float
    alone: float
    together: float
    sequences: int
    prompt_tokens: int
    new_tokens: int
    load_seconds: float
    device: str
    threads: int
    choice: str
    engine: str


class RegisterStarter(Call[ModelList], frozen=True, kw_only=True, tag="models.starter"):
    """Find the models of the installed starter packages and register them; unpacks the embedder once."""


class ListModels(Call[ModelList], frozen=True, kw_only=True, tag="models.list"):
    """The catalogue."""


class SetDefaultModel(Call[ModelList], frozen=True, kw_only=True, tag="models.default"):
    """Choose the model that is used where none is named; "" chooses none: the chat model that was added first."""

    name: str = ""


class ImportModel(Call[ModelRecord], frozen=True, kw_only=True, tag="models.import"):
    """Add a GGUF file (or the first of a split one) or a safetensors folder, by reference or as a copy."""

    path: str
    name: str = ""
    copy: bool = False


class LocalModels(msgspec.Struct, frozen=True, kw_only=True):
    """Models of other programs on this disk."""

    models: tuple[LocalModel, ...]


class FindLocalModels(Call[LocalModels], frozen=True, kw_only=True, tag="models.local"):
    """Look for models in the folders of Ollama, LM Studio and the Hugging Face cache; nothing is changed. Each can be
    imported by its path."""


class InspectModel(Call[ModelDetails], frozen=True, kw_only=True, tag="models.inspect"):
    """The metadata of a model's files. ``name`` is a name in the catalogue or a path."""

    name: str


class RemoveModel(Call[ModelRecord], frozen=True, kw_only=True, tag="models.remove"):
    """Remove a model from the catalogue; its files are deleted only when the home folder owns them."""

    name: str


class LoadModel(Call[Status], frozen=True, kw_only=True, tag="models.load"):
    """Load a model; streams Progress in [0, 1]. Questions do it by themselves. ``anyway``: although it does not fit
    into what is free, now and until the program ends."""

    name: str
    anyway: bool = False


class FitModel(Call[Fit], frozen=True, kw_only=True, tag="models.fit"):
    """Whether a model of the catalogue, or the GGUF file at a path, fits this machine now. ``context_tokens`` 0: that
    of the settings."""

    name: str
    context_tokens: int = 0


class BenchModel(Call[Benchmark], frozen=True, kw_only=True, tag="models.bench"):
    """Measure the speed of a model on this machine; streams Progress. Other answers wait meanwhile."""

    name: str
    prompt_tokens: int = 512
    new_tokens: int = 64
    sequences: int = 8
    rounds: int = 3


class UnloadModel(Call[Status], frozen=True, kw_only=True, tag="models.unload"):
    """Free the loaded model's memory."""


class ExamineModel(Call[RunRecord], frozen=True, kw_only=True, tag="models.exam"):
    """Start the run that examines a model, or resume the one that has stopped; its result is an ``ExamResult``."""

    name: str


class QuantizeModel(Call[RunRecord], frozen=True, kw_only=True, tag="models.quantize"):
    """Start a run that quantises a GGUF model of the catalogue, as a new model."""

    model: str
    type: str
    name: str = ""
