"""A zip file on a server, of which only the parts that are read are fetched (``Range``, RFC 9110)."""

from __future__ import annotations

import io
import re

import httpx2

from workbench.base.errors import UserError
from workbench.network.http import BEHIND_A_PORTAL

BLOCK_BYTES = 1 << 18
LARGEST_WHOLE_BYTES = 8 << 20
"""A server that does not serve parts may send this much."""

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class RemoteZip(io.RawIOBase):
    """For ``zipfile.ZipFile``, which reads a zip file from its end. Raises UserError where the server does not answer,
    or serves no parts of files."""

    def __init__(self, client: httpx2.Client, url: str) -> None:
        super().__init__()
        self._client, self._url = client, url
        self._blocks: dict[int, bytes] = {}  # by their first byte
        self._place = 0
        self.size = 0
        self._fetch(f"bytes=-{BLOCK_BYTES}")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        return self._place

    def read(self, size: int = -1) -> bytes:
        end = self.size if size < 0 else min(self.size, self._place + size)
        parts = []
        while self._place < end:
            part = self._known(end) or self._fetched(end)
            parts.append(part)
            self._place += len(part)
        return b"".join(parts)

    def _known(self, end: int) -> bytes:
        for first, block in self._blocks.items():
            if first <= self._place < first + len(block):
                return block[self._place - first : end - first]
        return b""

    def _fetched(self, end: int) -> bytes:
        last = min(self.size, max(end, self._place + BLOCK_BYTES)) - 1
        self._fetch(f"bytes={self._place}-{last}")
        part = self._known(end)
        if not part:
            raise UserError(f"{_host(self._url)} sent another part of a file than was asked for.", "Try again later.")
        return part

    def _fetch(self, wanted: str) -> None:
        try:
            with self._client.stream("GET", self._url, headers={"Range": wanted}) as response:
                found = _RANGE.fullmatch(response.headers.get("content-range", ""))
                length = int(response.headers.get("content-length", "0") or 0)
                if response.status_code == 206 and found is not None:
                    first, self.size = int(found[1]), int(found[3])
                elif response.status_code == 200 and 0 < length <= LARGEST_WHOLE_BYTES:
                    first, self.size = 0, length
                elif response.status_code == 200:
                    raise UserError(f"{_host(self._url)} does not serve parts of files.", "Choose another index.")
                else:
                    raise UserError(f"{_host(self._url)} answered {response.status_code}.", BEHIND_A_PORTAL)
                self._blocks[first] = response.read()
        except httpx2.TransportError as error:
            raise UserError(
                f"{_host(self._url)} cannot be reached: {error or type(error).__name__}.", "Try again later."
            ) from error


def _host(url: str) -> str:
    return httpx2.URL(url).host
