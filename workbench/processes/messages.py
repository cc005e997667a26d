"""The messages on a worker's stdin and stdout: JSON, one per line.

Parent to worker: ``WorkerRequest``, ``Cancel``, ``Shutdown``. Worker to parent: ``Ready`` first, then ``Reply``s.
EOF on stdin: the parent has gone.
"""

from __future__ import annotations

import msgspec

from workbench.api.events import Event

PROTOCOL = 1


class WorkerRequest(msgspec.Struct, frozen=True, tag="request"):
    """``call`` is a Call of the worker's kind, kept raw until the worker decodes it."""

    id: int
    call: msgspec.Raw


class Cancel(msgspec.Struct, frozen=True, tag="cancel", omit_defaults=True):
    """Of the request ``id``, or of one of several that it is made of (``RequestContext.part``)."""

    id: int
    part: int | None = None


class Shutdown(msgspec.Struct, frozen=True, tag="shutdown"):
    """Cancel the requests in flight and leave."""


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    worker: str
    pid: int
    protocol: int = PROTOCOL


class Reply(msgspec.Struct, frozen=True, tag="reply"):
    """One event of the request ``id``."""

    id: int
    event: Event


ToWorker = WorkerRequest | Cancel | Shutdown
FromWorker = Ready | Reply
