"""The catalogue of models, and the one that is loaded.

Searching the hub, downloading from it, and what was sent over the network.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from workbench.api.protocol import Call
from workbench.base.catalogue import Shown
from workbench.records.fit import Fit
from workbench.records.hub import HubCard, HubFiles, HubFilters, HubModel
from workbench.records.local_models import LocalModel
from workbench.records.models import ModelDetails, ModelRecord
from workbench.subjects.runs.calls import RunRecord, Status


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """Models. ``default`` is the name of the default model that a person has chosen, "" when none is, or it is gone.
    ``starter_hint`` says how to install the starter chat model, "" when it is installed."""

    models: tuple[ModelRecord, ...]
    default: str = ""
    starter_hint: str = ""


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

    changed_by = ("model", "settings")


class SetDefaultModel(Call[ModelList], frozen=True, kw_only=True, tag="models.default"):
    """Choose the model that is used where none is named; "" chooses none: the chat model that was added first."""

    name: str = ""


class ImportModel(Call[ModelRecord], frozen=True, kw_only=True, tag="models.import"):
    """Add a GGUF file (or the first of a split one) or a safetensors folder, by reference or as a copy."""

    path: Annotated[str, "a .gguf file, any file of a split one, or a folder"]
    name: Annotated[str, "its name in the catalogue (default: from its metadata)"] = ""
    copy: Annotated[bool, "copy the files into the home folder"] = False


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
    """Move a model to the trash, with its files where the program made them; other files stay where they are. An
    endpoint keeps its key and what was noted of its use there."""

    name: str


class SetProjector(Call[ModelRecord], frozen=True, kw_only=True, tag="models.projector"):
    """Give a GGUF model the image encoder (mmproj file) that belongs to it, so that it sees images; without a path it
    is taken away. The file stays where it is. Raises UserError when it is no projector, or that of another model by the
    width of its embeddings."""

    name: str
    path: Annotated[str, "its mmproj file (default: none)"] = ""


class LoadModel(Call[Status], frozen=True, kw_only=True, tag="models.load"):
    """Load a model; streams Progress in [0, 1]. Questions do it by themselves. ``anyway``: although it does not fit
    into what is free, now and until the program ends."""

    name: str
    anyway: Annotated[bool, "load it although it does not fit into the free memory"] = False


class FitModel(Call[Fit], frozen=True, kw_only=True, tag="models.fit"):
    """Whether a model of the catalogue, or the GGUF file at a path, fits this machine now. ``context_tokens`` 0: that
    of the settings."""

    name: Annotated[str, "a name in the catalogue, or a path"]
    context_tokens: Annotated[int, "tokens of context (default: of the settings)"] = 0


class BenchModel(Call[Benchmark], frozen=True, kw_only=True, tag="models.bench"):
    """Measure the speed of a model on this machine; streams Progress. Other answers wait meanwhile."""

    name: str
    prompt_tokens: Annotated[int, "length of the prompt"] = 512
    new_tokens: Annotated[int, "length of each answer"] = 64
    sequences: Annotated[int, "number of answers computed in parallel"] = 8
    rounds: Annotated[int, "number of measurements; medians are shown"] = 3


class UnloadModel(Call[Status], frozen=True, kw_only=True, tag="models.unload"):
    """Free the loaded model's memory."""


REVISION = "a branch, a tag or a commit (default: the latest)"
FILE = "one of its files, or a quantisation such as Q4_K_M"


class HubModels(msgspec.Struct, frozen=True, kw_only=True):
    models: tuple[HubModel, ...]


class HubAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an access token is known, and whether it is stored in the keyring or for this session only."""

    has_token: bool
    kept: bool = False


class SearchHub(Call[HubModels], frozen=True, kw_only=True, tag="hub.search"):
    """Repositories with GGUF files whose name contains the words, by ``filters``."""

    words: str = ""
    limit: int = 30
    filters: HubFilters = HubFilters()


class ListHubFiles(Call[HubFiles], frozen=True, kw_only=True, tag="hub.files"):
    """The GGUF models of a repository, the smallest first; nothing of them is downloaded."""

    repository: str
    revision: Annotated[str, REVISION] = ""


class DownloadModel(Call[RunRecord], frozen=True, kw_only=True, tag="hub.download"):
    """Start a run that downloads a model of a repository, verifies it and adds it to the catalogue as ``name`` ("":
    chosen). ``file`` is a name of ``ListHubFiles``, or a quantisation that only one of them has. A stopped download is
    resumed where it was. Its events: Progress in bytes; its result: ``{model, path}``."""

    repository: str
    file: Annotated[str, FILE]
    revision: Annotated[str, REVISION] = ""
    name: Annotated[str, "its name in the catalogue (default: from its metadata)"] = ""


class FitHubFile(Call[Fit], frozen=True, kw_only=True, tag="hub.fit"):
    """Whether a model of a repository fits this machine now: only the headers of its files are fetched. ``file`` as in
    ``DownloadModel``. Streams Progress in bytes."""

    repository: str
    file: Annotated[str, FILE]
    revision: Annotated[str, REVISION] = ""


class ModelSuggestion(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the hub to download beside the starter, with its fit on this machine as measured by its header."""

    title: str
    repository: str
    revision: str
    file: str
    bytes: int
    licence: str
    fit: Fit


class SuggestModel(Call[ModelSuggestion], frozen=True, kw_only=True, tag="hub.suggest"):
    """The largest model of the program's own list (``resources/offers.toml``) that fits this machine, is not gated and
    has the licence of the list. Asks the hub; nothing is downloaded but headers. Streams Progress. Raises UserError
    where none fits."""


class RecommendedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the program's own list. ``bytes`` is its approximate size, ``problem`` why it does not fit this
    machine ("": it fits); a ``slow`` one answers, but slowly, since no GPU holds it."""

    title: str
    repository: str
    file: str
    bytes: int
    licence: str
    purpose: Shown
    languages: Shown
    context_tokens: int
    problem: Shown = ""
    slow: bool = False


class RecommendedModels(msgspec.Struct, frozen=True, kw_only=True):
    """The list, the smallest first. ``checked`` is the day on which its facts were looked up, as 2026-11-30;
    ``best`` is the file of the one that suits this machine best, "" for none."""

    checked: str
    models: tuple[RecommendedModel, ...]
    best: str = ""


class ListRecommended(Call[RecommendedModels], frozen=True, kw_only=True, tag="models.recommended"):
    """The models that the program recommends, by name, size and purpose, and which of them fit this machine. The list
    ships with the program: nothing is asked of the network."""


class ReadHubCard(Call[HubCard], frozen=True, kw_only=True, tag="hub.card"):
    """The model card of a repository."""

    repository: str
    revision: Annotated[str, REVISION] = ""


class SetHubToken(Call[HubAccount], frozen=True, kw_only=True, tag="hub.token"):
    """Keep an access token of the hub in the keyring of the operating system; "" forgets it."""

    token: str


class GetHubAccount(Call[HubAccount], frozen=True, kw_only=True, tag="hub.account"):
    """Whether there is an access token."""
