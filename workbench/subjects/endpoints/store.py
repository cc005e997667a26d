"""What endpoints were sent: the person's decisions by collection and host, and the tokens that were used."""

from __future__ import annotations

import time

from workbench.records.endpoints import EndpointUse
from workbench.storage.database import Database


def secret_of(name: str) -> str:
    """The name of an endpoint's key among the secrets."""
    return f"endpoint {name.casefold()}"


class EndpointStore:
    """Decisions and usage; the endpoints themselves are models of the catalogue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def may_send(self, collection: str, host: str) -> bool | None:
        """The decision on passages of a collection for a host; None: there is none yet."""
        row = self._database.row(
            "select allowed from sending where collection = ? and host = ?", (collection, host.lower())
        )
        return None if row is None else bool(row[0])

    def decide(self, collection: str, host: str, allowed: bool) -> None:
        self._database.execute(
            """insert into sending (collection, host, allowed, decided) values (?, ?, ?, ?)
               on conflict (collection, host) do update set allowed = excluded.allowed, decided = excluded.decided""",
            (collection, host.lower(), int(allowed), time.time()),
        )

    def decisions(self, host: str) -> dict[str, bool]:
        """The decisions for a host, by the ids of the collections."""
        rows = self._database.execute("select collection, allowed from sending where host = ?", (host.lower(),))
        return {str(row[0]): bool(row[1]) for row in rows}

    def note_use(self, model: str, prompt_tokens: int, new_tokens: int, cost: float) -> None:
        self._database.execute(
            "insert into endpoint_usage (model, at, prompt_tokens, new_tokens, cost) values (?, ?, ?, ?, ?)",
            (model, time.time(), prompt_tokens, new_tokens, cost),
        )

    def use_of(self, model: str) -> EndpointUse:
        row = self._database.row(
            """select count(*), coalesce(sum(prompt_tokens), 0), coalesce(sum(new_tokens), 0), coalesce(sum(cost), 0)
               from endpoint_usage where model = ?""",
            (model,),
        )
        requests, prompt, new, cost = row if row is not None else (0, 0, 0, 0.0)
        return EndpointUse(
            name=model, requests=int(requests), prompt_tokens=int(prompt), new_tokens=int(new), cost=float(cost)
        )

    def rename(self, model: str, new: str) -> None:
        self._database.execute("update endpoint_usage set model = ? where model = ?", (new, model))

    def forget(self, model: str) -> None:
        """Forget what a model was used for, once it is removed."""
        self._database.execute("delete from endpoint_usage where model = ?", (model,))
