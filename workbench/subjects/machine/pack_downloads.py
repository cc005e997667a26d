"""Runtime packs to download: a signed list beside the announcement of versions, asked for when the person wants it.

``packs.json`` and ``packs.json.sig`` are made by ``packaging/packs/list_packs.py``. A pack that is downloaded is
installed and tried like one from a file, so its own signature is checked as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from workbench.api.events import Event, Progress
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import UserError
from workbench.base.installation import base_release
from workbench.base.paths import Home
from workbench.core.streams import Handlers
from workbench.network.gate import Gate
from workbench.records.hub import RemoteFile
from workbench.records.runtime import PACK_LIST, PackFileOffer
from workbench.subjects.machine import calls
from workbench.subjects.machine.packs import this_platform
from workbench.subjects.machine.service import RuntimePacks
from workbench.subjects.machine.updates import Releases, Updates


class PackDownloads:
    """``base`` and ``platform`` are those of this program: packs for others are not offered."""

    def __init__(
        self,
        releases: Releases,
        packs: RuntimePacks,
        base: Callable[[], str] = base_release,
        platform: Callable[[], str] = this_platform,
    ) -> None:
        self._releases, self._packs = releases, packs
        self._base, self._platform = base, platform

    def handlers(self) -> Handlers:
        return {calls.FindPacks: self.find, calls.DownloadPack: self.fetch}

    def find(self, call: calls.FindPacks, context: RequestContext) -> Iterator[Event]:
        yield Progress(stage="asking for runtime packs")
        yield finish(calls.PackOffers(packs=self._offered(context)))

    def fetch(self, call: calls.DownloadPack, context: RequestContext) -> Iterator[Event]:
        """Raises UserError where it is not offered, or not what was announced."""
        offered = self._offered(context)
        offer = next((one for one in offered if one.name == call.name), None)
        if offer is None:
            known = ", ".join(one.name for one in offered) or "none"
            raise UserError(f"No runtime pack {call.name!r} is offered for this program.", f"Those offered: {known}.")
        url = self._releases.address(offer.url)
        remote = RemoteFile(url=url, name=f"{offer.name}.pack", bytes=offer.bytes, sha256=offer.sha256)
        path = Path((yield from self._releases.download(remote, context)))
        try:
            yield from self._packs.install(calls.InstallPack(path=str(path)), context)
        finally:
            path.unlink(missing_ok=True)

    def _offered(self, context: RequestContext) -> tuple[PackFileOffer, ...]:
        content = self._releases.read("packs.json", "The list of runtime packs", "packs", context)
        base, platform = self._base(), self._platform()
        return tuple(one for one in PACK_LIST.get(content).packs if (one.base, one.platform) == (base, platform))


def release_handlers(home: Home, gate: Gate, packs: RuntimePacks) -> Handlers:
    """Everything that is fetched from the maker of this installation."""
    releases = Releases(home, gate)
    return {**Updates(releases).handlers(), **PackDownloads(releases, packs, packs.base).handlers()}
