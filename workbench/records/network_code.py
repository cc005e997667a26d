"""The code by which another machine adds this one's recipes as an endpoint: where it serves, the fingerprint of its
certificate, and the key of that client. A person copies it as one text.
"""

from __future__ import annotations

import base64
import binascii
import zlib

import msgspec

from workbench.base.errors import UserError

PREFIX = "workbench1:"
LONGEST = 4_000
MOST_ADDRESSES = 8
_CHECK_BYTES = 4


class NetworkCode(msgspec.Struct, frozen=True, array_like=True):
    """``hosts`` are addresses or names of the machine, the likeliest first; ``fingerprint`` is the SHA-256 of its
    certificate in DER (32 bytes)."""

    hosts: tuple[str, ...]
    port: int
    fingerprint: bytes
    key: str

    def addresses(self) -> tuple[str, ...]:
        """The base addresses of its API."""
        return tuple(f"https://{f'[{host}]' if ':' in host else host}:{self.port}/v1" for host in self.hosts)


def is_code(text: str) -> bool:
    return text.strip().startswith(PREFIX)


def write_code(code: NetworkCode) -> str:
    packed = msgspec.msgpack.encode(code)
    check = zlib.crc32(packed).to_bytes(_CHECK_BYTES, "big")
    return PREFIX + base64.urlsafe_b64encode(packed + check).decode().rstrip("=")


def read_code(text: str) -> NetworkCode:
    """Raises UserError for a text that is no code, or only a part of one."""
    damaged = UserError("The code is not complete, or was changed.", "Copy all of it from the other machine again.")
    plain = "".join(text.split()).removeprefix(PREFIX)
    if len(plain) > LONGEST:
        raise damaged
    try:
        packed = base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except (ValueError, binascii.Error):
        raise damaged from None
    packed, check = packed[:-_CHECK_BYTES], packed[-_CHECK_BYTES:]
    if zlib.crc32(packed).to_bytes(_CHECK_BYTES, "big") != check:
        raise damaged
    try:
        code = msgspec.msgpack.decode(packed, type=NetworkCode)
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise damaged from None
    if len(code.fingerprint) != 32 or not 1 <= len(code.hosts) <= MOST_ADDRESSES or not 0 < code.port < 1 << 16:
        raise damaged
    return code
