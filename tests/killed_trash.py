"""A core that is killed while it moves things to the trash, restores them and deletes them for good.

Points are numbered: before and after each commit, each move of files, and each call of the embedding worker.
A process of its own (``python -m tests.killed_trash``) ends by SIGKILL at one of them.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.local_front import LocalFront
from tests.workers import fake_embedding, fake_inference
from workbench.app import Workbench
from workbench.base.paths import Home
from workbench.calls import (
    DeleteChat,
    DeleteForGood,
    ListChats,
    RemoveAdapter,
    RemoveCollection,
    RemoveDocument,
    RemoveModel,
    RemovePrompt,
    RemoveRecipe,
    RestoreDeleted,
)
from workbench.processes.host import WorkerHost
from workbench.storage import database
from workbench.subjects.models import importing, trash
from workbench.subjects.trash import places
from workbench.techniques import embedding_calls

COMMANDS = {
    "inference": [sys.executable, fake_inference.__file__],
    "embedding": [sys.executable, fake_embedding.__file__],
}
MODEL, COLLECTION, OTHER = "Tiny", "Papers", "Letters"
ENDPOINT, ADAPTER, RECIPE, PROMPT = "Remote", "notes", "brief", "Reply"
_WORK = (embedding_calls.Trash, embedding_calls.Restore, embedding_calls.Purge)


class Points:
    """Kills this process at point ``kill_at``; 0: never."""

    def __init__(self, kill_at: int) -> None:
        self.passed = 0
        self._kill_at = kill_at

    def around(self, function: Callable[..., Any], counts: Callable[..., bool]) -> Callable[..., Any]:
        def wrapped(*given: Any, **named: Any) -> Any:
            if not counts(*given):
                return function(*given, **named)
            self._pass()
            result = function(*given, **named)
            self._pass()
            return result

        return wrapped

    def _pass(self) -> None:
        self.passed += 1
        if self.passed == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def deletions(home: Home, workbench: Workbench) -> dict[str, Any]:
    """The call that deletes each thing of the home, by what it is restored by."""
    (chat,) = LocalFront(workbench).call(ListChats()).chats
    river = str(home.root.parent / "papers" / "river.txt")
    return {
        chat.id: DeleteChat(chat=chat.id),
        river: RemoveDocument(collection=COLLECTION, document=river),
        OTHER: RemoveCollection(collection=OTHER),
        MODEL: RemoveModel(name=MODEL),
        ENDPOINT: RemoveModel(name=ENDPOINT),
        ADAPTER: RemoveAdapter(adapter=ADAPTER),
        RECIPE: RemoveRecipe(recipe=RECIPE),
        PROMPT: RemovePrompt(prompt=PROMPT),
    }


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(root: str, kill_at: str) -> None:
    points = Points(int(kill_at))
    home = Home(Path(root))
    workbench = Workbench(home, commands=COMMANDS)
    workbench.start()
    front = LocalFront(workbench)
    going = deletions(home, workbench)
    patched: Any = database
    patched._run = points.around(database._run, lambda connection, sql, *_: sql == "commit")
    models: Any = trash
    models.move_place = points.around(importing.move_place, lambda *_: True)
    files: Any = places
    files._move = points.around(places._move, lambda *_: True)
    host: Any = WorkerHost
    host.call = points.around(WorkerHost.call, lambda host, call, *_: isinstance(call, _WORK))
    for delete in going.values():
        front.call(delete)
    for item in going:
        front.call(RestoreDeleted(item=item))
    for delete in going.values():
        front.call(delete)
    for item in going:
        say(item)  # it may be gone from now on
        front.call(DeleteForGood(item=item))
    say(str(points.passed))
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
