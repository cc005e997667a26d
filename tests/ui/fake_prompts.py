"""The part of the fake core that has the prompt library: the program's own, in memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw

from workbench import calls as c
from workbench.api.events import Finished
from workbench.api.protocol import Call, RequestContext
from workbench.base.errors import UserError
from workbench.core.change_notifier import ChangeNotifier
from workbench.records.demonstrations import demonstration_of
from workbench.storage.database import SCHEMA, Database, migrate
from workbench.subjects.prompts.service import Prompts
from workbench.subjects.prompts.store import PromptStore
from workbench.subjects.prompts.trash import TrashedPrompts
from workbench.subjects.trash.store import TrashStore

if TYPE_CHECKING:
    from tests.ui.fake_home import FakeHome

OURS = (
    c.ListPrompts, c.GetPrompt, c.SavePrompt, c.RestorePrompt, c.RenamePrompt, c.RemovePrompt,
    c.ExportPrompt, c.ImportPrompt,
    c.ListDemonstrations, c.SaveDemonstration, c.RemoveDemonstration,
)  # fmt: skip


class Library(ChangeNotifier):
    """A library that collects what changed."""

    def __init__(self) -> None:
        super().__init__()
        self.news: list[tuple[str, str]] = []
        connection = apsw.Connection(":memory:")
        connection.pragma("foreign_keys", True)
        migrate(connection, Path(":memory:"), SCHEMA)
        self.database = Database(connection, Path(":memory:"))
        store, trash = PromptStore(self.database), TrashStore(self.database)
        self.trashed = TrashedPrompts(store, trash, self)
        self.in_trash = trash
        self.handlers = Prompts(store, self, self.trashed).handlers()

    def publish(self, kind: str, id: str = "") -> None:
        self.news.append((kind, id))


def do(home: FakeHome, call: Call[Any]) -> tuple[Any, list[tuple[str, str]]] | None:
    """What the call comes to, and what changed; None for a call that is not ours."""
    if not isinstance(call, OURS):
        return None
    match call:
        case c.ListDemonstrations():
            return c.DemonstrationList(demonstrations=tuple(home.demonstrations.values())), []
        case c.SaveDemonstration(message=message):
            asked = home.message(home.message(message).parent or "")
            made = demonstration_of(
                asked.text, home.message(message).text, home.trace(message), message=message, created=1e9
            )
            home.demonstrations[made.id] = made
            return made, [("demonstrations", made.id)]
        case c.RemoveDemonstration(demonstration=id):
            if home.demonstrations.pop(id, None) is None:
                raise UserError(f"There is no demonstration {id!r}.", "List them to see their ids.")
            return c.DemonstrationList(demonstrations=tuple(home.demonstrations.values())), [("demonstrations", id)]
    library = home.library
    if isinstance(call, c.RemovePrompt):
        return _removed(home, call), [("prompts", call.prompt), ("trash", "")]
    [event] = library.handlers[type(call)](call, RequestContext())
    assert isinstance(event, Finished)
    news, library.news = library.news, []
    return event.result, news


def _removed(home: FakeHome, call: c.RemovePrompt) -> Any:
    library = home.library
    [event] = library.handlers[c.RemovePrompt](call, RequestContext())
    assert isinstance(event, Finished)
    entry = library.in_trash.get(call.prompt)
    back = lambda: library.trashed.restore(entry, RequestContext())  # noqa: E731
    home.trash.put("prompt", entry.item, entry.title, back)
    library.news.clear()
    return event.result
