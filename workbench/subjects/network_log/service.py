"""The log of the network for clients: shown, exported, cleared."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.durability import flush_to_disk
from workbench.base.errors import UserError
from workbench.base.paths import absolute_path
from workbench.core.streams import Handlers, unary
from workbench.network.request_log import RequestLog, as_csv
from workbench.subjects.network_log.calls import ClearNetworkLog, ExportNetworkLog, ListNetworkRequests, NetworkLog


@dataclass(frozen=True, eq=False)
class NetworkRequests:
    _log: RequestLog

    def handlers(self) -> Handlers:
        return {
            ListNetworkRequests: unary(lambda call: self._listed()),
            ClearNetworkLog: unary(lambda call: self.clear()),
            ExportNetworkLog: unary(self.export),
        }

    def clear(self) -> NetworkLog:
        try:
            self._log.clear()
        except OSError as error:
            raise UserError(f"The log of the network cannot be cleared: {error.strerror or error}.") from error
        return self._listed()

    def export(self, call: ExportNetworkLog) -> str:
        path = absolute_path(call.path)
        beside = path.with_name(f".{path.name}.unfinished")
        try:
            with beside.open("wb") as file:
                for line in as_csv(self._log.all()):
                    file.write(line.encode("utf-8", "replace"))
                flush_to_disk(file)
            beside.replace(path)
        except OSError as error:
            raise UserError(f"{path} cannot be written: {error.strerror or error}.", "Choose another place.") from error
        finally:
            beside.unlink(missing_ok=True)
        return str(path)

    def _listed(self) -> NetworkLog:
        return NetworkLog(requests=tuple(self._log.all()))
