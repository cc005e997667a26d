"""The index of runs. What a run did stands in its folder, ``runs/<id>/events.jsonl``; here is where it stands."""

from __future__ import annotations

import time
from typing import Any, Literal

import msgspec

from workbench.api.calls import RunRecord
from workbench.errors import UserError
from workbench.storage.database import Database, Row
from workbench.storage.identity import new_id

_RUN = "id, kind, title, state, created, ended, progress, stage, seconds_left, message, config, result"
_JSON = ("config", "result")
RunState = Literal["queued", "running", "finished", "failed", "cancelled", "interrupted"]


class RunStore:
    """The run index of a home."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, kind: str, title: str, config: dict[str, Any]) -> RunRecord:
        """A new run, queued."""
        run = new_id()
        with self._database.transaction():
            self._database.execute(
                "insert into runs (id, kind, title, state, created, config) values (?, ?, ?, 'queued', ?, ?)",
                (run, kind, title, time.time(), _encoded("config", config)),
            )
            return self.get(run)

    def get(self, run: str) -> RunRecord:
        """Raises UserError when there is no such run."""
        row = self._database.row(f"select {_RUN} from runs where id = ?", (run,))
        if row is None:
            raise UserError(f"There is no run {run}.", "List the runs to see which there are.")
        return _run(row)

    def list_runs(self, limit: int = 100) -> tuple[RunRecord, ...]:
        """The latest first."""
        rows = self._database.execute(f"select {_RUN} from runs order by number desc limit ?", (limit,))
        return tuple(_run(row) for row in rows)

    def list_in(self, *states: RunState) -> tuple[RunRecord, ...]:
        """Those in one of these states, the oldest first."""
        marks = ", ".join("?" * len(states))
        rows = self._database.execute(f"select {_RUN} from runs where state in ({marks}) order by number", states)
        return tuple(_run(row) for row in rows)

    def update(self, run: str, **fields: Any) -> RunRecord:
        """Change some of a run's fields, by their names in RunRecord."""
        values = {name: _encoded(name, value) for name, value in fields.items()}
        assignments = ", ".join(f"{name} = :{name}" for name in values)
        with self._database.transaction():
            self._database.execute(f"update runs set {assignments} where id = :id", {**values, "id": run})
            return self.get(run)

    def remove(self, run: str) -> None:
        """Forget a run. Raises UserError when there is no such run."""
        with self._database.transaction():
            self.get(run)
            self._database.execute("delete from runs where id = ?", (run,))


def _run(row: Row) -> RunRecord:
    values = dict(zip((name.strip() for name in _RUN.split(",")), row, strict=True))
    for name in _JSON:
        values[name] = msgspec.json.decode(values[name])
    return RunRecord(**values)


def _encoded(name: str, value: Any) -> Any:
    return msgspec.json.encode(value).decode() if name in _JSON else value
