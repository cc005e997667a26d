"""Values of the hub and of the network: repositories and their files, and requests as the log shows them."""

from __future__ import annotations

import uuid
from typing import Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.stored import Stored

Purpose = Literal["hub", "endpoint", "update", "mcp", "packages"]
"""Why a connection is made: to search and download models; to answer by a remote model; to look for a new version; to
use the tools of an MCP server; to fetch parts of the program from a package index."""


class RemoteFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file to download as ``name``. ``bytes`` 0 and ``sha256`` "": not known beforehand."""

    url: str
    name: str
    bytes: int = 0
    sha256: str = ""


Sorting = Literal["downloads", "likes", "updated"]


class HubFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which repositories are found, and in which order. ``task``: as the hub names it, "" any. Parameters in units, 0:
    no limit. ``licence``: as the hub names it, "" any. ``gated`` None: gated or not."""

    sort: Sorting = "downloads"
    task: str = ""
    licence: str = ""
    least_parameters: int = 0
    most_parameters: int = 0
    gated: bool | None = None


class HubCard(msgspec.Struct, frozen=True, kw_only=True):
    """A model card: its text in Markdown, and the results that its authors report as (benchmark, metric, value)."""

    repository: str
    revision: str = ""
    text: str = ""
    results: tuple[tuple[str, str, str], ...] = ()


class HubModel(msgspec.Struct, frozen=True, kw_only=True):
    """A repository with GGUF files. ``parameters`` and ``context_tokens`` 0, ``architecture`` "": not known.
    ``updated`` is a date (YYYY-MM-DD). ``gated``: its terms have to be accepted on its page first."""

    repository: str
    downloads: int = 0
    likes: int = 0
    licence: str = ""
    gated: bool = False
    updated: str = ""
    task: str = ""
    architecture: str = ""
    parameters: int = 0
    context_tokens: int = 0


class HubFile(msgspec.Struct, frozen=True, kw_only=True):
    """A model of a repository: one GGUF file, or all files of a split one, whose first is ``name``."""

    name: str
    bytes: int
    quantization: str = ""
    parts: tuple[RemoteFile, ...] = ()


class HubFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The models of a repository at the commit ``revision``, and the image encoders (mmproj files) of vision models."""

    repository: str
    revision: str
    licence: str = ""
    gated: bool = False
    files: tuple[HubFile, ...] = ()
    projectors: tuple[RemoteFile, ...] = ()


class NetworkRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request as the log shows it. ``at`` is seconds since the epoch; ``bytes_out`` and ``bytes_in`` are those of the
    bodies; ``refused`` says why it was not made; ``failed`` names the error where no response arrived."""

    at: float
    purpose: Purpose
    host: str
    id: str = msgspec.field(default_factory=lambda: uuid.uuid4().hex[:12])
    method: str = ""
    path: str = ""
    bytes_out: int = 0
    bytes_in: int = 0
    status: int = 0
    refused: Shown = ""
    failed: Shown = ""


NETWORK_REQUEST = Stored("request of the network's log", NetworkRequest)
