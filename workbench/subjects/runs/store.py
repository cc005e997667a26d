"""The index of runs. The events of a run are in its folder, ``runs/<id>/events.jsonl``; its state is here."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from workbench.base.errors import UserError
from workbench.base.stored import Stored, Unreadable
from workbench.storage.database import Database, Row, new_id
from workbench.subjects.runs.calls import RunRecord

_RUN = "id, kind, title, state, created, ended, progress, stage, seconds_left, message, config, result"
_ANYTHING = Stored("record of this run", dict[str, Any])
RunState = Literal["queued", "running", "finished", "failed", "cancelled", "interrupted"]


Formats = tuple[Stored[Any], Stored[Any]]
"""How the configs and the results of one kind of run are stored; an empty result is none."""


class RunStore:
    """The run index of a home. Configs and results are plain data of today's format."""

    def __init__(self, database: Database, formats: Mapping[str, Formats] | None = None) -> None:
        self._database = database
        self._formats = dict(formats or {})

    def register(self, formats: Mapping[str, Formats]) -> None:
        """Add kinds of runs, by their names."""
        self._formats.update(formats)

    def add(self, kind: str, title: str, config: dict[str, Any]) -> RunRecord:
        """A new run, queued."""
        run = new_id()
        with self._database.transaction():
            self._database.execute(
                "insert into runs (id, kind, title, state, created, config) values (?, ?, ?, 'queued', ?, ?)",
                (run, kind, title, time.time(), self._encoded(kind, "config", config)),
            )
            return self.get(run)

    def get(self, run: str) -> RunRecord:
        """Raises UserError when there is no such run."""
        row = self._database.row(f"select {_RUN} from runs where id = ?", (run,))
        if row is None:
            raise UserError(f"There is no run {run}.", "List the runs to see which there are.")
        return self._run(row)

    def list_runs(self, limit: int = 100) -> tuple[RunRecord, ...]:
        """The latest first."""
        rows = self._database.execute(f"select {_RUN} from runs order by number desc limit ?", (limit,))
        return tuple(self._run(row) for row in rows)

    def list_in(self, *states: RunState) -> tuple[RunRecord, ...]:
        """Those in one of these states, the oldest first."""
        marks = ", ".join("?" * len(states))
        rows = self._database.execute(f"select {_RUN} from runs where state in ({marks}) order by number", states)
        return tuple(self._run(row) for row in rows)

    def update(self, run: str, **fields: Any) -> RunRecord:
        """Change some of a run's fields, by their names in RunRecord."""
        with self._database.transaction():
            kind = self.get(run).kind
            values = {name: self._encoded(kind, name, value) for name, value in fields.items()}
            assignments = ", ".join(f"{name} = :{name}" for name in values)
            self._database.execute(f"update runs set {assignments} where id = :id", {**values, "id": run})
            return self.get(run)

    def remove(self, run: str) -> None:
        """Forget a run. Raises UserError when there is no such run."""
        with self._database.transaction():
            self.get(run)
            self._database.execute("delete from runs where id = ?", (run,))

    def _run(self, row: Row) -> RunRecord:
        values = dict(zip((name.strip() for name in _RUN.split(",")), row, strict=True))
        for name in ("config", "result"):
            value = (
                {}
                if (name, values[name]) == ("result", "{}")
                else self._format(values["kind"], name).current(values[name])
            )
            if isinstance(value, Unreadable):
                values["unreadable"] = f"{values.get('unreadable', '')} {value.reason}".strip()
                value = value.raw if isinstance(value.raw, dict) else {}
            values[name] = value
        if "unreadable" in values:
            values["message"] = f"{values['message']} {values['unreadable']}".strip()
        return RunRecord(**values)

    def _encoded(self, kind: str, name: str, value: Any) -> Any:
        if name not in ("config", "result"):
            return value
        return msgspec.json.encode(self._format(kind, name).numbered(value) if value else value).decode()

    def _format(self, kind: str, name: str) -> Stored[Any]:
        return self._formats[kind][name == "result"] if kind in self._formats else _ANYTHING
