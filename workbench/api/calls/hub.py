"""Searching the hub, downloading from it, and what was sent over the network."""

from __future__ import annotations

import msgspec

from workbench.api.calls.runs import RunRecord
from workbench.api.protocol import Call
from workbench.records.fit import Fit
from workbench.records.hub import HubCard, HubFiles, HubFilters, HubModel, NetworkRequest


class HubModels(msgspec.Struct, frozen=True, kw_only=True):
    models: tuple[HubModel, ...]


class HubAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an access token is known, and whether it is stored in the keyring or for this session only."""

    has_token: bool
    kept: bool = False


class NetworkLog(msgspec.Struct, frozen=True, kw_only=True):
    """The last requests, the latest first, at most 1,000."""

    requests: tuple[NetworkRequest, ...]


class SearchHub(Call[HubModels], frozen=True, kw_only=True, tag="hub.search"):
    """Repositories with GGUF files whose name contains the words, by ``filters``."""

    words: str = ""
    limit: int = 30
    filters: HubFilters = HubFilters()


class ListHubFiles(Call[HubFiles], frozen=True, kw_only=True, tag="hub.files"):
    """The GGUF models of a repository, the smallest first; nothing of them is downloaded."""

    repository: str
    revision: str = ""


class DownloadModel(Call[RunRecord], frozen=True, kw_only=True, tag="hub.download"):
    """Start a run that downloads a model of a repository, verifies it and adds it to the catalogue as ``name`` ("":
    chosen). ``file`` is a name of ``ListHubFiles``, or a quantisation that only one of them has. A stopped download is
    resumed where it was. Its events: Progress in bytes; its result: ``{model, path}``."""

    repository: str
    file: str
    revision: str = ""
    name: str = ""


class FitHubFile(Call[Fit], frozen=True, kw_only=True, tag="hub.fit"):
    """Whether a model of a repository fits this machine now: only the headers of its files are fetched. ``file`` as in
    ``DownloadModel``. Streams Progress in bytes."""

    repository: str
    file: str
    revision: str = ""


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


class ReadHubCard(Call[HubCard], frozen=True, kw_only=True, tag="hub.card"):
    """The model card of a repository."""

    repository: str
    revision: str = ""


class SetHubToken(Call[HubAccount], frozen=True, kw_only=True, tag="hub.token"):
    """Keep an access token of the hub in the keyring of the operating system; "" forgets it."""

    token: str


class GetHubAccount(Call[HubAccount], frozen=True, kw_only=True, tag="hub.account"):
    """Whether there is an access token."""


class ListNetworkRequests(Call[NetworkLog], frozen=True, kw_only=True, tag="network.requests"):
    """What was sent over the network, and what was refused."""


class ClearNetworkLog(Call[NetworkLog], frozen=True, kw_only=True, tag="network.clear"):
    """Forget the requests that were logged."""


class ExportNetworkLog(Call[str], frozen=True, kw_only=True, tag="network.export"):
    """Write the log as a CSV file, and return its path. Raises UserError where it cannot be written."""

    path: str
