"""What every subject may use of a home: its settings, its database, its news, the way to the network, its workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from workbench.base.paths import Home
from workbench.base.settings import Settings
from workbench.core.background import Background
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.images import ImageStore
from workbench.core.preferences import Preferences
from workbench.network.gate import Gate
from workbench.network.request_log import RequestLog
from workbench.network.secrets import Secrets
from workbench.processes.host import State, WorkerHost
from workbench.storage.database import Database, open_home


@dataclass(eq=False)
class Foundation:
    """One per home. ``commands`` replaces the command line of a worker (``inference``, ``embedding``, ``training``,
    ...), for tests. Raises UserError when the home's database cannot be read."""

    home: Home
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home.create()
        self.changes = ChangeNotifier()
        self.preferences = Preferences(self.home, self.changes)
        self.database: Database = open_home(self.home)
        self.background = Background()
        self.images = ImageStore(self.home.images, self.home.logs / "reader.log")
        self.requests = RequestLog(self.home.logs / "network.jsonl")
        self.secrets = Secrets()
        self.gate = Gate(self.preferences.allows, log=self.requests)

    @property
    def settings(self) -> Settings:
        """As they are now."""
        return self.preferences.current

    def tell_workers(self, state: State | None = None) -> None:
        """Announce that a worker's state has changed."""
        self.changes.publish("worker")

    def host(
        self,
        worker: str,
        environment: Callable[[], Mapping[str, str]] | Mapping[str, str],
        on_state: Callable[[State], None] | None = None,
        *,
        name: str = "",
        cancel_grace_s: float = 20.0,
        stop_grace_s: float = 8.0,
    ) -> WorkerHost:
        """The host of a worker process. ``name`` is that of its log and its replacement, where it is another."""
        return WorkerHost(
            worker,
            command=self.commands.get(name or worker),
            log=self.home.logs / f"{name or worker}.log",
            on_state=on_state,
            cancel_grace_s=cancel_grace_s,
            stop_grace_s=stop_grace_s,
            environment=environment,
        )
