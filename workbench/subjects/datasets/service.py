"""The home's sets of examples: the list, building one, removing one."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from workbench.base.errors import UserError
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.records.training import DataSetList
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.datasets.calls import BuildData, ListDataSets, RemoveDataSet
from workbench.subjects.datasets.store import DatasetStore
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.endpoints.sending import SendingGate
from workbench.subjects.models.store import ModelCatalogue, chat_model
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.queue import Runs


@dataclass(frozen=True, eq=False)
class DataSets:
    _sets: DatasetStore
    _chats: ChatStore
    _catalogue: ModelCatalogue
    _registry: CollectionRegistry
    _sending: SendingGate
    _runs: Runs
    _changes: ChangeNotifier

    def handlers(self) -> Handlers:
        return {
            ListDataSets: unary(lambda call: DataSetList(sets=self._sets.list_sets())),
            BuildData: unary(self.build),
            RemoveDataSet: unary(self.remove),
        }

    def recover(self) -> None:
        """Delete incomplete sets of an earlier core."""
        self._sets.remove_unfinished()

    def build(self, call: BuildData) -> RunRecord:
        """Invalid requests are refused before they are queued."""
        name = self._sets.check_name(call.name)
        for run in self._runs.list_open():
            if run.kind == "data" and run.config["name"].casefold() == name.casefold():
                raise UserError(f"A set named {name!r} is being built already.", "Choose another name, or wait for it.")
        self._sets.check_room()
        if call.source == "chats":
            for chat in call.chats:
                self._chats.get_record(chat)
        else:
            if not call.collection:
                raise UserError("The set needs a collection to be built from.", "Name the collection.")
            call = msgspec.structs.replace(call, collection=self._registry.get(call.collection).id)
        if call.source == "pairs":
            if call.questions < 1 or call.limit < 0:
                raise UserError(
                    f"{call.questions} questions per passage and at most {call.limit} passages make no set.",
                    "Set the questions to 1 or more, and the limit to 0 (all passages) or more.",
                )
            model = chat_model(call.model, self._catalogue)
            self._sending.check(model, origins=(call.collection,))
            call = msgspec.structs.replace(call, model=model.name)
        return self._runs.add("data", f"Data set {name}", msgspec.structs.replace(call, name=name))

    def remove(self, call: RemoveDataSet) -> DataSetList:
        found = self._sets.get(call.name)
        for run in self._runs.list_open():
            if run.kind == "train" and found.name in run.config["data"].values():
                raise UserError(
                    f"The training {run.title!r} is using {found.name}.", "Stop it first, or wait for its end."
                )
        self._sets.remove(found.name)
        self._changes.publish("data", found.name)
        return DataSetList(sets=self._sets.list_sets())
