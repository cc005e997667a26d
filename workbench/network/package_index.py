"""The files of a package in an index of Python packages, read through the gate.

An index answers in JSON (https://peps.python.org/pep-0691) or in HTML (https://peps.python.org/pep-0503). It is
another program's word: an answer is bounded, names are checked by the rules of package names, and a file without a
SHA-256 is left out.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import Any

import httpx2
import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import sys_tags
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.network.gate import Gate
from workbench.network.http import open_client
from workbench.records.hub import RemoteFile

LARGEST_ANSWER_BYTES = 32 << 20
WHOLE_S = 120.0
_JSON, _HTML = "application/vnd.pypi.simple.v1+json", "text/html"


class PackageFile(msgspec.Struct, frozen=True, kw_only=True):
    """A wheel that this Python can install (``wheel``), or a source package, of a release that was not withdrawn."""

    version: str
    wheel: bool
    remote: RemoteFile


def find_package(gate: Gate, address: str, package: str, context: RequestContext) -> tuple[PackageFile, ...]:
    """The files of all final releases, the newest release first and its wheels before its source.

    ``address`` is that of the index, ``package`` a normalised name. Raises UserError where it cannot be asked or has no
    such package, and ``Offline`` where the network is off for that.
    """
    url = f"{address.rstrip('/')}/{package}/"
    accept = {"Accept": f"{_JSON}, {_HTML};q=0.5"}
    with open_client(
        gate, "packages", accept, context=context, whole_s=WHOLE_S, largest_bytes=LARGEST_ANSWER_BYTES
    ) as client:
        try:
            response = client.get(url)
        except httpx2.TransportError as error:
            host = httpx2.URL(url).host
            raise UserError(
                f"{host} cannot be reached: {error or type(error).__name__}.", "Try again later."
            ) from error
    if response.status_code == 404:
        raise UserError(f"The package index {address} has no {package}.", "Check its address in Settings · Network.")
    if response.status_code != 200:
        raise UserError(f"The package index answered {response.status_code}.", "Try again later.")
    try:
        read = _from_json if response.content.lstrip().startswith(b"{") else _from_html
        known = [file for file in read(response) if file is not None]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            f"What answers at {address} is no package index.", "Check its address in Settings · Network."
        ) from error
    return tuple(sorted(known, key=lambda file: (Version(file.version), file.wheel), reverse=True))


def _from_json(response: httpx2.Response) -> Iterator[PackageFile | None]:
    for file in json.loads(response.content)["files"]:
        if not file.get("yanked"):
            digest = file.get("hashes", {}).get("sha256", "")
            address = str(response.url.join(file["url"]))
            yield _described(file["filename"], address, digest, int(file.get("size") or 0), file.get("requires-python"))


def _from_html(response: httpx2.Response) -> Iterator[PackageFile | None]:
    links = _Links()
    links.feed(response.text)
    if not links.found and "<html" not in response.text.lower():
        raise ValueError("it has no links")
    for name, attributes in links.found:
        address, _, fragment = attributes.get("href", "").partition("#")
        digest = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
        if "data-yanked" not in attributes:
            yield _described(name, str(response.url.join(address)), digest, 0, attributes.get("data-requires-python"))


class _Links(HTMLParser):
    """Each link's text and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self._open: dict[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._open = {name: value or "" for name, value in attrs}

    def handle_data(self, data: str) -> None:
        if self._open is not None and data.strip():
            self.found.append((data.strip(), self._open))
            self._open = None


def _described(name: Any, url: str, digest: str, size: int, python: str | None) -> PackageFile | None:
    """None for a file that cannot be installed here, and for one without a checksum."""
    found = read_file_name(name)
    if found is None or len(digest) != 64 or not _suits_python(python):
        return None
    version, wheel = found
    return PackageFile(
        version=version, wheel=wheel, remote=RemoteFile(url=url, name=name, bytes=size, sha256=digest.lower())
    )


def read_file_name(name: str) -> tuple[str, bool] | None:
    """The version that a wheel or a source package is of by its name, and whether it is a wheel. None for anything
    else, a release that is not final, and a wheel for another system or Python."""
    try:
        if name.endswith(".whl"):
            _, version, _, tags = parse_wheel_filename(name)
            if not wheel_suits(tags):
                return None
        else:
            _, version = parse_sdist_filename(name)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return None if version.is_prerelease else (str(version), name.endswith(".whl"))


def wheel_suits(tags: Iterable[object]) -> bool:
    """Whether this system and Python are among those that a wheel is for."""
    return not set(sys_tags()).isdisjoint(tags)


def _suits_python(python: str | None) -> bool:
    try:
        return not python or platform.python_version() in SpecifierSet(python)
    except InvalidSpecifier:
        return False
