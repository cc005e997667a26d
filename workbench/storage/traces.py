"""Traces: what a model was shown and what it said, as token ids, small enough to be kept with every answer."""

from __future__ import annotations

import zlib

import msgspec

from workbench.records.messages import Beam


class Trace(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The token ids of a ``prompt`` and of each of an answer's ``sequences``, in the order of the message's own, and
    the steps of its beam search. Which model's tokens they are, with which adapters, is in the message's recipe."""

    prompt: tuple[int, ...]
    sequences: tuple[tuple[int, ...], ...]
    beams: tuple[tuple[Beam, ...], ...] = ()


def pack(trace: Trace) -> bytes:
    """The trace as compressed msgpack: about two bytes a token."""
    return zlib.compress(msgspec.msgpack.encode(trace), 6)


def unpack(packed: bytes) -> Trace:
    return msgspec.msgpack.decode(zlib.decompress(packed), type=Trace)
