"""The API for other machines of the local network: its switch, its certificate, its clients and the codes they get."""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import msgspec
import psutil

from workbench.api.events import Event, Failed, Finished
from workbench.api.protocol import Call, RequestContext, finish, read_result
from workbench.base.catalogue import Shown
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.base.settings import Settings
from workbench.records.network_code import MOST_ADDRESSES, NetworkCode, write_code
from workbench.subjects.serving.calls import (
    AddApiClient,
    ApiClientCode,
    AskServed,
    ListServedModels,
    ServedAnswer,
    ServedModels,
)
from workbench.subjects.serving.certificate import certificate_at
from workbench.subjects.serving.clients import ApiClients

if TYPE_CHECKING:
    from workbench.subjects.serving.http.running import RunningServer

_log = logging.getLogger(__name__)
OFFLINE: Shown = (
    "Other machines are not served while the program works offline. Switch off “Work offline” in Settings · General."
)


class NetworkServer:
    """Not safe for several threads but for ``clients`` and ``busy``: its owner holds a lock."""

    def __init__(
        self,
        home: Home,
        handle: Callable[[Call[Any], RequestContext], Iterator[Event]],
        settings: Callable[[], Settings],
    ) -> None:
        self._home = home
        self._handle = handle
        self._settings = settings
        self._running: RunningServer | None = None
        self._port = 0
        self.clients = ApiClients(home.api_clients)
        self.problem: Shown = ""
        """Why it cannot be served where it should be."""

    @property
    def busy(self) -> bool:
        running = self._running
        return running is not None and running.counts.now > 0

    def addresses(self) -> tuple[str, ...]:
        """Where other machines reach it; () while it is not served."""
        if self._running is None:
            return ()
        port = self._running.port
        return tuple(f"https://{host}:{port}/v1" for host in own_addresses())

    def follow(self, served: bool) -> None:
        """Start or stop as the settings say; it is only served to others while it is ``served`` here and the program
        does not work offline."""
        everything = self._settings()
        settings, offline = everything.server, everything.general.offline
        wanted = served and settings.shared and not offline
        if self._running is not None and (not wanted or self._port != settings.shared_port):
            self._running.close()
            self._running = None
            _log.info("The API is no longer served to the network")
        self.problem = OFFLINE if served and settings.shared and offline else ""
        if wanted and self._running is None:
            try:
                self._start(settings.shared_port)
            except UserError as error:
                self.problem = f"{error.message} {error.hint}".strip()
                _log.warning("The API is not served to the network: %s", self.problem)

    def add_client(self, call: AddApiClient) -> ApiClientCode:
        """Raises UserError, before anything is kept, where this machine has no address in a network."""
        hosts = own_addresses()
        if not hosts:
            raise UserError("This machine has no address in a local network.", "Connect it to the network first.")
        certificate = certificate_at(self._home.api_certificate)
        client, key = self.clients.add(call.name, call.per_minute, call.largest_mb)
        port = self._settings().server.shared_port
        code = NetworkCode(hosts=hosts, port=port, fingerprint=certificate.fingerprint, key=key)
        return ApiClientCode(client=client, code=write_code(code))

    def _answer(self, call: Call[Any], context: RequestContext) -> Iterator[Event]:
        """Answers as for this machine, but the folders of files are nobody else's to know."""
        for event in self._handle(call, context):
            if isinstance(call, AskServed) and isinstance(event, Finished):
                event = finish(_without_folders(read_result(call, event.result)))
            elif isinstance(call, ListServedModels) and isinstance(event, Finished):
                found = read_result(call, event.result).models
                told = (msgspec.structs.replace(one, problem=without_folders(one.problem)) for one in found)
                event = finish(ServedModels(models=tuple(told)))
            elif isinstance(event, Failed):
                said = without_folders(event.message), without_folders(event.hint)
                event = msgspec.structs.replace(event, message=said[0], hint=said[1])
            yield event

    def _start(self, port: int) -> None:
        try:
            from workbench.subjects.serving.http.app import make_app
            from workbench.subjects.serving.http.running import RunningServer
            from workbench.subjects.serving.http.security import NetworkAccess
        except ImportError as error:
            raise UserError(
                f"The API needs a library that is not installed: {error.name}.", "Install starlette and uvicorn."
            ) from error
        certificate = certificate_at(self._home.api_certificate)
        access = NetworkAccess(self.clients, lambda: self._settings().server.allowed, own_names)
        self._running = RunningServer(make_app(self._answer, access), port, certificate.path)
        self._port = port
        _log.info("The API is served to the network at port %d", self._running.port)


def _without_folders(answered: ServedAnswer) -> ServedAnswer:
    result = answered.result
    names = [PurePath(one.path.replace("\\", "/")).name for one in result.citations]
    cited = tuple(msgspec.structs.replace(one, path=name) for one, name in zip(result.citations, names, strict=True))
    notices = tuple(map(without_folders, result.notices))
    return msgspec.structs.replace(answered, result=msgspec.structs.replace(result, citations=cited, notices=notices))


_SEGMENT = r"(?:(?!\s[\"'“(]?(?:~|[A-Za-z]:)?[/\\])[^/\\\n])+"
"""The name of a folder, which may have blanks; what begins after one with a slash is another path."""
_FOLDERS = re.compile(rf"(?<![\w:/\\.~])(?:~|[A-Za-z]:)?[/\\]{{1,2}}(?=[^\s/\\])(?:{_SEGMENT}[/\\]+)+(?=[^\s/\\])")


def without_folders(text: Shown) -> Shown:
    """A text with the names of files alone, where it has their whole paths. Addresses of the web stay."""
    return _FOLDERS.sub("", text)


def own_addresses() -> tuple[str, ...]:
    """The IPv4 addresses of this machine in its networks, those of private networks first."""
    found = [
        one.address
        for interface in psutil.net_if_addrs().values()
        for one in interface
        if one.family == socket.AF_INET and not ipaddress.ip_address(one.address).is_loopback
    ]
    found.sort(key=lambda one: not ipaddress.ip_address(one).is_private)
    return tuple(found[:MOST_ADDRESSES])


def own_names() -> frozenset[str]:
    """The names and addresses under which this machine may be asked."""
    name = socket.gethostname().lower()
    return frozenset(("127.0.0.1", "localhost", name, f"{name}.local", *own_addresses()))
