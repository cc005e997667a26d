"""The calls of the task library: a person's demonstrations of programs with tools."""

from __future__ import annotations

import time
from dataclasses import dataclass

from workbench.api.calls import DemonstrationList, ListDemonstrations, RemoveDemonstration, SaveDemonstration
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.errors import UserError
from workbench.records.demonstrations import Demonstration, demonstration_of
from workbench.storage.chats import ChatStore
from workbench.storage.demonstrations import DemonstrationStore


@dataclass(frozen=True, eq=False)
class Demonstrations:
    _store: DemonstrationStore
    _chats: ChatStore
    _changes: ChangeNotifier

    def handlers(self) -> Handlers:
        return {
            ListDemonstrations: unary(lambda call: self._list()),
            SaveDemonstration: unary(self.save),
            RemoveDemonstration: unary(self.remove),
        }

    def save(self, call: SaveDemonstration) -> Demonstration:
        message = self._chats.get_message(call.message)
        trace = self._chats.get_trace(call.message)
        if message.role != "assistant" or message.parent is None or trace is None:
            raise UserError("No steps are stored for this message.", "Choose an answer that was made in steps.")
        if message.state != "done":
            raise UserError("This answer is not finished.", "Wait for its end, or ask again.")
        question = self._chats.get_message(message.parent).text
        made = demonstration_of(question, message.text, trace, message=message.id, created=time.time())
        self._store.add(made)
        self._changes.publish("demonstrations", made.id)
        return made

    def remove(self, call: RemoveDemonstration) -> DemonstrationList:
        left = self._store.remove(call.demonstration)
        self._changes.publish("demonstrations", call.demonstration)
        return DemonstrationList(demonstrations=left)

    def _list(self) -> DemonstrationList:
        try:
            return DemonstrationList(demonstrations=self._store.list_all())
        except UserError as error:
            return DemonstrationList(demonstrations=(), unreadable=f"{error.message} {error.hint}".strip())
