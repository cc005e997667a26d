"""The messages of the local connection between a client and the core: msgspec bytes, never pickles.

The client sends ``Hello`` first; the answer is ``Welcome`` or ``Refused``. Then it sends ``CallMessage``s, several of
which may be open at once, and ``Cancel``s; each call is answered by ``EventMessage``s, the last one terminal. Both ends
have the same version: only ``Hello`` and ``Refused`` have to be readable by another one.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from multiprocessing.connection import Connection

import msgspec

from workbench.api.events import Event

WIRE = 2
LARGEST_MESSAGE_BYTES = 256 * 1024 * 1024


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """``home`` is the identity of the folder that the client means (``ownership.folder_identity``)."""

    version: str
    wire: int = WIRE
    home: str = ""


class CallMessage(msgspec.Struct, frozen=True, tag="request"):
    """``call`` stays raw until it is known that this core can read it."""

    id: int
    call: msgspec.Raw


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    id: int


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

ToCore = CallMessage | Cancel
ToClient = Welcome | Refused | EventMessage

encode = msgspec.msgpack.Encoder().encode
decode_hello = msgspec.msgpack.Decoder(Hello).decode
decode_to_core: msgspec.msgpack.Decoder[ToCore] = msgspec.msgpack.Decoder(ToCore)
decode_to_client: msgspec.msgpack.Decoder[ToClient] = msgspec.msgpack.Decoder(ToClient)


def hang_up(link: Connection) -> None:
    """Wake the threads that read from a connection, or write to it, with its end. They close it, which others must not
    do under them."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            link.close()
        else:
            with socket.socket(fileno=os.dup(link.fileno())) as same:
                same.shutdown(socket.SHUT_RDWR)
