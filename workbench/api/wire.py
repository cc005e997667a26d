"""What crosses the local connection between a client and the core: msgspec bytes, never pickles.

The client says ``Hello`` first and is told ``Welcome`` or ``Refused``. Then it sends ``Request``s, several of which may
be under way, and ``Cancel``s; each request is answered by ``EventMessage``s, the last one terminal. Both ends are the
same version of the program, so nothing here needs to be understood by another one but ``Hello`` and ``Refused``.
"""

from __future__ import annotations

import msgspec

from workbench.api.events import Event

WIRE = 1
LARGEST_MESSAGE_BYTES = 256 * 1024 * 1024


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    version: str
    wire: int = WIRE


class Request(msgspec.Struct, frozen=True, tag="request"):
    """``call`` stays raw until it is known that this core can read it."""

    id: int
    call: msgspec.Raw


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    id: int


class Leave(msgspec.Struct, frozen=True, tag="leave"):
    """The client is done: the core closes the connection."""


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    version: str
    pid: int


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """``leaving``: this core has nothing to do and makes way, so try again."""

    message: str
    hint: str
    leaving: bool = False


class EventMessage(msgspec.Struct, frozen=True, tag="told"):
    """One event of the request ``id``."""

    id: int
    event: Event


class Started(msgspec.Struct, frozen=True, tag="started"):
    """The one line (JSON) that a core which a client starts writes to its stdout."""

    outcome: str
    message: str = ""
    hint: str = ""


READY, TAKEN, FAILED = "ready", "taken", "failed"

ToCore = Request | Cancel | Leave
ToClient = Welcome | Refused | EventMessage

encode = msgspec.msgpack.Encoder().encode
decode_hello = msgspec.msgpack.Decoder(Hello).decode
decode_to_core: msgspec.msgpack.Decoder[ToCore] = msgspec.msgpack.Decoder(ToCore)
decode_to_client: msgspec.msgpack.Decoder[ToClient] = msgspec.msgpack.Decoder(ToClient)
