"""One larger model to download at the first start: the first of the program's list that the hub has and that fits.

The models that the first start offers to download: a short list of the program's own, and which of them fit.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from workbench.api.events import Event, Progress
from workbench.api.protocol import RequestContext, finish, with_progress
from workbench.base.errors import UserError
from workbench.base.paths import RESOURCES
from workbench.core.streams import Handlers
from workbench.records.hub import HubFile, HubFiles
from workbench.records.models import Machine
from workbench.subjects.models import calls
from workbench.subjects.models.fitting import Fitting
from workbench.subjects.models.hub import Hub
from workbench.subjects.models.hub_service import chosen_file


@dataclass(frozen=True, eq=False)
class Suggesting:
    _hub: Callable[[], Hub]
    _fitting: Fitting
    _machine: Callable[[], Machine]

    def handlers(self) -> Handlers:
        return {calls.SuggestModel: self.suggest, calls.ListRecommended: self.recommend}

    def recommend(self, call: calls.ListRecommended, context: RequestContext) -> Iterator[Event]:
        yield finish(recommended(read_offers(), self._machine()))

    def suggest(self, call: calls.SuggestModel, context: RequestContext) -> Iterator[Event]:
        yield Progress(stage="looking up")

        def work(report: Callable[[Event], None]) -> calls.ModelSuggestion:
            machine = self._machine()
            for offer in fitting_offers(read_offers(), machine):
                context.raise_if_cancelled()
                report(Progress(stage="looking up", detail=offer.title))
                listed = self._hub().files(offer.repository, context=context)
                file = _offered(offer, listed)
                if file is None:
                    continue
                wanted = calls.FitHubFile(repository=listed.repository, file=file.name, revision=listed.revision)
                fit = self._fitting.measure(wanted, context, report)
                if fit.verdict == "too big" or fit.problem:
                    continue
                return calls.ModelSuggestion(
                    title=offer.title,
                    repository=listed.repository,
                    revision=listed.revision,
                    file=file.name,
                    bytes=file.bytes,
                    licence=listed.licence,
                    fit=fit,
                )
            raise UserError(
                "No larger model of the program's list fits this machine.",
                f"It has {machine.memory_bytes / 1e9:.0f} GB of memory and {machine.disk_free_bytes / 1e9:.0f} GB of "
                "free disk. The starter model works all the same.",
            )

        yield finish((yield from with_progress(work)))


def _offered(offer: Offer, listed: HubFiles) -> HubFile | None:
    """The file of an offer, unless the repository has become gated, has another licence or no such file."""
    if listed.gated or listed.licence.lower() != offer.licence:
        return None
    try:
        return chosen_file(listed, offer.file)
    except UserError:
        return None


OFFERS = RESOURCES / "offers.toml"
ROOM_ON_DISK = 1_000_000_000
"""Bytes that stay free on the disk after the download."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the hub: ``file`` is a name or a quantisation of ``repository``, ``bytes`` its approximate size. The
    first start suggests only those that are ``offered``."""

    title: str
    repository: str
    file: str
    bytes: Annotated[int, msgspec.Meta(gt=0)]
    licence: str
    purpose: str
    languages: str
    context_tokens: int
    offered: bool = True


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """``processor_bytes``: without a GPU no larger model is offered. ``checked`` is the day, as 2026-11-30, on which
    the facts of the list were looked up."""

    models: tuple[Offer, ...]
    processor_bytes: int
    checked: str


def read_offers(path: Path = OFFERS) -> Offers:
    return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Offers)


def fitting_offers(offers: Offers, machine: Machine) -> tuple[Offer, ...]:
    """Those that leave half of the memory and some of the disk free, the largest first. With a GPU whose memory holds
    a model, the machine's own memory does not count."""
    room = max(_gpu_room(machine), min(machine.memory_bytes // 2, offers.processor_bytes))
    on_disk = machine.disk_free_bytes - ROOM_ON_DISK
    found = [one for one in offers.models if one.offered and one.bytes <= min(room, on_disk)]
    return tuple(sorted(found, key=lambda one: one.bytes, reverse=True))


def recommended(offers: Offers, machine: Machine) -> calls.RecommendedModels:
    """The whole list, the smallest first, with the reason against each model that does not fit the machine. Nothing is
    asked of the network."""
    on_gpu = _gpu_room(machine)
    room, disk = max(on_gpu, machine.memory_bytes // 2), machine.disk_free_bytes - ROOM_ON_DISK
    models = []
    for one in sorted(offers.models, key=lambda one: one.bytes):
        size = f"{one.bytes / 1e9:.1f} GB"
        problem = ""
        if one.bytes > room:
            problem = (
                f"It needs {size} of memory beside the programs that run. This machine has "
                f"{machine.memory_bytes / 1e9:.0f} GB, of which half stays free."
            )
        elif one.bytes > disk:
            problem = f"It needs {size} of disk. {machine.disk_free_bytes / 1e9:.1f} GB are free."
        slow = not problem and one.bytes > max(on_gpu, offers.processor_bytes)
        models.append(
            calls.RecommendedModel(
                title=one.title,
                repository=one.repository,
                file=one.file,
                bytes=one.bytes,
                licence=one.licence,
                purpose=one.purpose,
                languages=one.languages,
                context_tokens=one.context_tokens,
                problem=problem,
                slow=slow,
            )
        )
    best = next((one.file for one in fitting_offers(offers, machine)), "")
    return calls.RecommendedModels(checked=offers.checked, models=tuple(models), best=best)


def _gpu_room(machine: Machine) -> int:
    return max((device.memory_bytes for device in machine.devices if device.kind == "gpu"), default=0) * 3 // 4
