"""What the trash asks of a subject whose things can be deleted."""

from __future__ import annotations

from typing import Protocol

from workbench.api.protocol import RequestContext
from workbench.subjects.trash.calls import TrashEntry


class TrashKind(Protocol):
    """Restores and deletes the things of one kind. Each method removes the entry in the transaction that decides, and
    may be called again for an entry after a kill."""

    def restore(self, entry: TrashEntry, context: RequestContext) -> TrashEntry:
        """Put the thing back, whole; returns the entry, with the title that the thing has now. Raises UserError, with
        nothing changed, when that is impossible."""

    def delete(self, entry: TrashEntry) -> None:
        """Delete the thing for good. Raises UserError when that is impossible now."""

    def settle(self, entry: TrashEntry) -> None:
        """At the start of a core: finish what a killed one has begun. Raises UserError when that is impossible now."""
