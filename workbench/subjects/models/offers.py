"""The models that the first start offers to download: a short list of the program's own, and which of them fit."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from workbench.base.paths import RESOURCES
from workbench.records.models import Machine

OFFERS = RESOURCES / "offers.toml"
ROOM_ON_DISK = 1_000_000_000
"""Bytes that stay free on the disk after the download."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the hub: ``file`` is a name or a quantisation of ``repository``, ``bytes`` its approximate size."""

    title: str
    repository: str
    file: str
    bytes: Annotated[int, msgspec.Meta(gt=0)]
    licence: str


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """``processor_bytes``: without a GPU no larger model is offered."""

    models: tuple[Offer, ...]
    processor_bytes: int


def read_offers(path: Path = OFFERS) -> Offers:
    return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Offers)


def fitting_offers(offers: Offers, machine: Machine) -> tuple[Offer, ...]:
    """Those that leave half of the memory and some of the disk free, the largest first. With a GPU whose memory holds
    a model, the machine's own memory does not count."""
    on_gpu = max((device.memory_bytes for device in machine.devices if device.kind == "gpu"), default=0) * 3 // 4
    room = max(on_gpu, min(machine.memory_bytes // 2, offers.processor_bytes))
    on_disk = machine.disk_free_bytes - ROOM_ON_DISK
    found = [one for one in offers.models if one.bytes <= min(room, on_disk)]
    return tuple(sorted(found, key=lambda one: one.bytes, reverse=True))
