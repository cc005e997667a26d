"""What the maker of an installation publishes at its source: signed files, fetched when the person asks."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import httpx2

from workbench.api.events import Event, Progress
from workbench.api.protocol import RequestContext, with_progress
from workbench.errors import UserError
from workbench.installation import Installation, installation
from workbench.models.download import download
from workbench.network.gate import Gate
from workbench.network.http import open_client, refuse_web_page
from workbench.paths import Home
from workbench.records.hub import RemoteFile
from workbench.signatures import OWN_KEYS, Use, check_signature, trusted_keys

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
