"""The server of the API: where it serves, as the settings say or as a client asks, and its key."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import Call, RequestContext, finish
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.base.settings import Settings
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.subjects.serving.calls import (
    AddApiClient,
    ApiClientCode,
    ApiClientList,
    ApiState,
    GetApiState,
    ListApiClients,
    RemoveApiClient,
    RenewApiKey,
    ServeApi,
)
from workbench.subjects.serving.network_server import NetworkServer

if TYPE_CHECKING:
    from workbench.subjects.serving.http.running import RunningServer

KEY_BYTES = 24
_log = logging.getLogger(__name__)


class ApiService:
    """``handle`` answers the calls of requests. The libraries of the server are imported when it first starts."""

    def __init__(
        self,
        home: Home,
        handle: Callable[[Call[Any], RequestContext], Iterator[Event]],
        settings: Callable[[], Settings],
        changes: ChangeNotifier,
    ) -> None:
        self._home = home
        self._handle = handle
        self._settings = settings
        self._changes = changes
        self._lock = threading.Lock()  # guards what follows
        self._running: RunningServer | None = None
        self._port = 0
        self._asked = 0  # clients that serve whatever the settings say
        self._problem = ""
        self._key = ""
        self._network = NetworkServer(home, handle, settings)

    def handlers(self) -> Handlers:
        return {
            GetApiState: unary(lambda call: self.state()),
            RenewApiKey: unary(self.renew),
            ServeApi: self.serve,
            ListApiClients: unary(lambda call: self._client_list()),
            AddApiClient: unary(self._add_client),
            RemoveApiClient: unary(self._remove_client),
        }

    @property
    def busy(self) -> bool:
        """Whether a request is being answered."""
        running = self._running
        return (running is not None and running.counts.now > 0) or self._network.busy

    def state(self) -> ApiState:
        with self._lock:
            running, problem = self._running, self._problem
            network, network_problem = self._network.addresses(), self._network.problem
        state = ApiState(
            running=running is not None,
            key=self._read_key(),
            problem=problem,
            network_addresses=network,
            network_problem=network_problem,
        )
        if running is None:
            return state
        answered, refused = running.counts.answered, running.counts.refused
        return msgspec.structs.replace(state, address=running.address, problem="", answered=answered, refused=refused)

    def _client_list(self) -> ApiClientList:
        return ApiClientList(clients=self._network.clients.all())

    def _add_client(self, call: AddApiClient) -> ApiClientCode:
        made = self._network.add_client(call)
        self._changes.publish("api")
        return made

    def _remove_client(self, call: RemoveApiClient) -> ApiClientList:
        self._network.clients.remove(call.name)
        self._changes.publish("api")
        return self._client_list()

    def follow_settings(self) -> None:
        """Start or stop as the settings say. A problem is part of the state."""
        settings = self._settings().server
        with self._lock:
            wanted = settings.enabled or self._asked > 0
            moved = settings.enabled and self._running is not None and self._port != settings.port and not self._asked
            if self._running is not None and (not wanted or moved):
                self._stop()
            self._problem = ""
            if wanted and self._running is None:
                try:
                    self._start(settings.port)
                except UserError as error:
                    self._problem = f"{error.message} {error.hint}".strip()
                    _log.warning("The API is not served: %s", self._problem)
            self._network.follow(self._running is not None)
        self._changes.publish("api")

    def serve(self, call: ServeApi, context: RequestContext) -> Iterator[Event]:
        """Serve until the call is cancelled."""
        port = call.port or self._settings().server.port
        with self._lock:
            if self._running is not None and self._port != port:
                raise UserError(
                    f"The API is served already, at {self._running.address}.", "Use that one, or stop it first."
                )
            if self._running is None:
                self._start(port)
            self._asked += 1
            self._network.follow(True)
        self._changes.publish("api")
        try:
            state = finish(self.state()).result
            yield events.Artifact(kind="api", id=str(port), result=state)
            while not context.wait_cancelled(None):
                pass
            yield events.Cancelled()
        finally:
            with self._lock:
                self._asked -= 1
            self.follow_settings()

    def renew(self, call: RenewApiKey) -> ApiState:
        with self._lock:
            self._write_key()
        self._changes.publish("api")
        return self.state()

    def close(self) -> None:
        with self._lock:
            self._stop()
            self._network.follow(False)

    def _start(self, port: int) -> None:
        try:
            from workbench.subjects.serving.http.app import make_app
            from workbench.subjects.serving.http.running import RunningServer
            from workbench.subjects.serving.http.security import LocalAccess
        except ImportError as error:
            raise UserError(
                f"The API needs a library that is not installed: {error.name}.", "Install starlette and uvicorn."
            ) from error
        self._read_key()
        app = make_app(self._handle, LocalAccess(lambda: self._key, lambda: self._settings().server.origins))
        self._running = RunningServer(app, port)
        self._port = port
        _log.info("The API is served at %s", self._running.address)

    def _stop(self) -> None:
        if self._running is not None:
            self._running.close()
            self._running = None
            _log.info("The API is served no more")

    def _read_key(self) -> str:
        """The key, made when there is none."""
        if not self._key:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                self._key = self._home.api_key.read_text("ascii").strip()
        if not self._key:
            self._write_key()
        return self._key

    def _write_key(self) -> None:
        """Make a key: whole or not at all, readable by its owner only. Raises UserError."""
        key = f"wb-{secrets.token_urlsafe(KEY_BYTES)}"
        beside = self._home.api_key.with_name("api.key.new")
        try:
            beside.unlink(missing_ok=True)
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{key}\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self._home.api_key)
        except OSError as error:
            raise UserError(f"The key of the API cannot be written: {error.strerror or error}.") from error
        self._key = key
