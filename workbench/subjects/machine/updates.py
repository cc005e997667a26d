"""New versions: looked for when the person asks, announced in a signed file, downloaded and never started by itself.

``latest.json`` is at the address that the installer's tree names, its signature beside it as ``latest.json.sig``. What
it announces is compared with what runs and with what was announced before, so that nobody can offer an old version as
new.

What the maker of an installation publishes at its source: signed files, fetched when the person asks.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Annotated

import httpx2
import msgspec

from workbench import __version__
from workbench.api.events import Event, Progress
from workbench.api.protocol import RequestContext, finish, with_progress
from workbench.base.errors import UserError
from workbench.base.installation import Installation, installation
from workbench.base.paths import Home
from workbench.base.stored import Stored
from workbench.core.streams import Handlers
from workbench.network.gate import Gate
from workbench.network.http import open_client, refuse_web_page
from workbench.records.hub import RemoteFile
from workbench.records.runtime import Sha256
from workbench.subjects.machine import calls
from workbench.subjects.machine.signatures import OWN_KEYS, Use, check_signature, trusted_keys
from workbench.subjects.models.download import download

_HOW = {
    "deb": "Install it with: sudo apt install {path}",
    "run": "Install it with: sh {path}",
    "windows": "Open {path}.",
    "macos": "Open {path}, and drag the program over the old one.",
    "folder": "Unpack {path} beside the old folder.",
}
Version = Annotated[str, msgspec.Meta(pattern=r"^\d{1,6}\.\d{1,6}\.\d{1,6}$")]


class Installer(msgspec.Struct, frozen=True, kw_only=True):
    """``name`` is that of the file; ``url`` may be relative to the announcement's."""

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]
    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+~-]{0,150}$")]
    bytes: Annotated[int, msgspec.Meta(gt=0, lt=1 << 40)]
    sha256: Sha256


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """``files`` are by kind of installation and platform, such as "deb-linux-x86_64"; ``published`` is a date."""

    version: Version
    published: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    files: dict[str, Installer]
    notes: Annotated[str, msgspec.Meta(max_length=20_000)] = ""


ANNOUNCEMENT: Stored[Announcement] = Stored("announcement of the latest version", Announcement)


class Updates:
    def __init__(self, releases: Releases, version: str = __version__) -> None:
        self._releases, self._version = releases, version

    def handlers(self) -> Handlers:
        return {calls.CheckUpdate: self.check, calls.DownloadUpdate: self.fetch}

    def check(self, call: calls.CheckUpdate, context: RequestContext) -> Iterator[Event]:
        yield Progress(stage="asking for the latest version")
        tree, announced = self._announced(context)
        yield finish(self._update(tree, announced))

    def fetch(self, call: calls.DownloadUpdate, context: RequestContext) -> Iterator[Event]:
        """Raises UserError where nothing newer is announced, or nothing for this installation."""
        tree, announced = self._announced(context)
        update = self._update(tree, announced)
        if not update.newer:
            raise UserError(f"Version {announced.version} is not newer than this one, {self._version}.")
        installer = announced.files.get(_place(tree))
        if installer is None:
            raise UserError(f"Version {announced.version} has no installer for {_place(tree)}.")
        url = self._releases.address(installer.url)
        remote = RemoteFile(url=url, name=installer.name, bytes=installer.bytes, sha256=installer.sha256)
        path = yield from self._releases.download(remote, context)
        yield finish(msgspec.structs.replace(update, path=path, how=_HOW[tree.kind].format(path=path)))

    def _announced(self, context: RequestContext) -> tuple[Installation, Announcement]:
        tree = self._releases.installation()
        content = self._releases.read("", "The announcement of the latest version", "updates", context)
        announced = ANNOUNCEMENT.get(content)
        self._refuse_older(announced)
        return tree, announced

    def _refuse_older(self, announced: Announcement) -> None:
        """Remember the latest announcement; raises UserError for one from before that."""
        seen = self._releases.home.updates / "announced.json"
        known = ANNOUNCEMENT.load(seen)
        if isinstance(known, Announcement) and _numbers(announced.version) < _numbers(known.version):
            raise UserError(
                f"Version {announced.version} was announced, but {known.version} already on {known.published}.",
                "Somebody may offer you an old version. Nothing was downloaded; try again later.",
            )
        seen.parent.mkdir(parents=True, exist_ok=True)
        ANNOUNCEMENT.save(seen, announced)

    def _update(self, tree: Installation, announced: Announcement) -> calls.Update:
        installer = announced.files.get(_place(tree))
        return calls.Update(
            version=announced.version,
            current=self._version,
            newer=_numbers(announced.version) > _numbers(self._version),
            published=announced.published,
            notes=announced.notes,
            file=installer.name if installer is not None else "",
            bytes=installer.bytes if installer is not None else 0,
            url=self._releases.address(installer.url) if installer is not None else "",
        )


def _place(tree: Installation) -> str:
    return f"{tree.kind}-{tree.platform}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


LARGEST_BYTES = 1 << 20


@dataclass(frozen=True, eq=False)
class Releases:
    """``tree`` says how the program is installed, and where its maker publishes."""

    home: Home
    gate: Gate
    tree: Callable[[], Installation | None] = installation
    open_http: Callable[[Gate, RequestContext], httpx2.Client] = lambda gate, context: open_client(
        gate, "update", context=context
    )

    def installation(self) -> Installation:
        """Raises UserError for a program without a maker that publishes."""
        tree = self.tree()
        if tree is None:
            raise UserError(
                "This program was installed by pip or runs from a checkout, which are updated there.",
                "Use pip install --upgrade, or update the checkout.",
            )
        if not tree.source:
            raise UserError("This build does not know where new versions are announced.", "Ask who made it.")
        return tree

    def read(self, name: str, what: str, use: Use, context: RequestContext) -> bytes:
        """The content of a file beside the announcement ("" for that itself), signed by a key for ``use``. ``what`` is
        its name in a sentence."""
        url = self.address(name)
        with self.open_http(self.gate, context) as client:
            content = _get(client, url)
            signature = _get(client, f"{url}.sig").decode("ascii", "replace")
        check_signature(what, content, signature, trusted_keys(use, OWN_KEYS, self.home.trusted_keys))
        return content

    def address(self, url: str) -> str:
        """The address of a file, relative to the announcement's. Raises UserError where it is not https."""
        whole = httpx2.URL(self.installation().source).join(url)
        if whole.scheme != "https" and whole.host not in ("127.0.0.1", "localhost", "::1"):
            raise UserError(f"{whole} is not an address with https.", "New versions are fetched over https only.")
        return str(whole)

    def download(self, remote: RemoteFile, context: RequestContext) -> Generator[Event, None, str]:
        """Streams Progress in bytes; returns the path of the verified file."""

        def work(report: Callable[[Event], None]) -> str:
            def progress(done: int, total: int) -> None:
                report(Progress(stage="downloading", done=done, total=total or remote.bytes, unit="bytes"))

            with self.open_http(self.gate, context) as client:
                return str(download(remote, self.home.updates, client, context, progress=progress))

        return (yield from with_progress(work))


def _get(client: httpx2.Client, url: str) -> bytes:
    try:
        with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
            refuse_web_page(response)
            if response.status_code != 200:
                raise UserError(f"{url} answered {response.status_code}.", "Try again later.")
            content = b""
            for block in response.iter_raw():
                content += block
                if len(content) > LARGEST_BYTES:
                    raise UserError(f"{url} is too long for an announcement.")
            return content
    except httpx2.TransportError as error:
        raise UserError(f"{url} cannot be reached: {error or type(error).__name__}.", "Try again later.") from error
