"""Values and calls of subjects."""

from __future__ import annotations

import msgspec

from workbench.api.protocol import Call
from workbench.records.hub import NetworkRequest


class NetworkLog(msgspec.Struct, frozen=True, kw_only=True):
    """The last requests, the latest first, at most 1,000."""

    requests: tuple[NetworkRequest, ...]


class ListNetworkRequests(Call[NetworkLog], frozen=True, kw_only=True, tag="network.requests"):
    """What was sent over the network, and what was refused."""


class ClearNetworkLog(Call[NetworkLog], frozen=True, kw_only=True, tag="network.clear"):
    """Forget the requests that were logged."""


class ExportNetworkLog(Call[str], frozen=True, kw_only=True, tag="network.export"):
    """Write the log as a CSV file, and return its path. Raises UserError where it cannot be written."""

    path: str
