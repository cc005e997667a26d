"""The dialog that builds a data set from rated answers, generated pairs, or document text."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QStackedWidget, QWidget

from ui.bridge import Bridge
from ui.components.basics import Text
from ui.components.call_dialog import RunDialog
from ui.components.choice_box import ChoiceRow
from ui.components.cost_note import CostNote
from ui.components.dialog import LabelledField
from ui.components.set_builder import texts
from ui.components.set_builder.pair_list import PairList
from ui.components.set_builder.sources import ChatSource, PairSource, TextSource, collection_choices
from ui.components.wording import describe_count
from ui.theme import tokens
from workbench.api.events import Artifact, Progress
from workbench.base.naming import free_name
from workbench.records.training import DataSet, DataSetList
from workbench.subjects.chats.calls import Chat, ChatList, ChatRecord, GetChat, ListChats
from workbench.subjects.datasets.calls import BuildData, ListDataSets
from workbench.subjects.documents.calls import CollectionList, ListCollections
from workbench.subjects.models.calls import ListModels, ModelList
from workbench.subjects.runs.calls import RunRecord

_LONGEST_NAME = 60  # of the documents in the name of a set
MOST_CHATS = 500
"""So many of the latest chats are looked through for answers to learn from."""
SOURCES = (
    ("chats", texts.SOURCE_CHATS, texts.SOURCE_CHATS_HELP),
    ("pairs", texts.SOURCE_PAIRS, texts.SOURCE_PAIRS_HELP),
    ("text", texts.SOURCE_TEXT, texts.SOURCE_TEXT_HELP),
)  # fmt: skip


class SetBuilder(RunDialog):
    """``built`` sends the new set's name once the person accepts it. The run continues when the dialog is closed."""

    built = Signal(str)
    stopped_words = texts.BUILD_STOPPED

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(bridge, texts.BUILD_DATA, "", texts.BUILD, parent, 640)
        self._made: DataSet | None = None
        self._names: set[str] = set()
        self._collections: dict[str, str] = {}
        self._chats: list[ChatRecord] = []
        self._looked = 0
        self._named_by_hand = False
        self._looking_at_pairs = False  # of a run that came to nothing: why they were left out
        self.source = ChoiceRow(texts.SOURCE, [(name, title) for name, title, _ in SOURCES], chosen=self._on_source)
        self.explanation = Text("", "muted")
        self.chats, self.pairs, self.text = ChatSource(), PairSource(), TextSource()
        self._stack = QStackedWidget()
        for panel in (self.chats, self.pairs, self.text):
            self._stack.addWidget(panel)
            panel.changed.connect(self._show_state)
        self.name = QLineEdit(textEdited=self._on_named)
        self._name_field = LabelledField(texts.SET_NAME, "", self.name)
        self.pair_list = PairList()
        self.why = Text("", "small")
        for part in (self.source, self.explanation, self._stack, self._name_field):
            self.inside.addWidget(part)
        self.inside.addWidget(self.pair_list, 1)
        self.cost = CostNote(bridge)
        self.below.insertWidget(0, self.why)
        self.below.insertWidget(1, self.cost)
        self.inside.setSpacing(tokens.SPACE_4)
        self.pair_list.hide()
        self.resize(720, 640)
        self._on_source("chats")
        self.source.buttons["chats"].setFocus()
        home = bridge.home
        home.listing(ListDataSets()).follow(self._on_sets)
        home.listing(ListModels()).follow(self._on_models)
        home.listing(ListCollections()).follow(self._on_collections)
        home.listing(ListChats()).once(self._on_chats, self)

    # -- what there is -------------------------------------------------------------------------------

    def _on_sets(self, found: DataSetList) -> None:
        self._names = {known.name for known in found.sets}
        self._suggest_name()

    def _on_models(self, found: ModelList) -> None:
        usable = [m for m in found.models if m.kind != "embedder" and m.format == "gguf" and not m.missing]
        self.pairs.set_models(usable)

    def _on_collections(self, found: CollectionList) -> None:
        self._collections = {known.id: known.name for known in found.collections}
        for choice in (self.pairs.collection, self.text.collection):
            choice.set_choices(collection_choices(found.collections))
        self._show_state()

    def _on_chats(self, found: ChatList) -> None:
        self._chats = list(found.chats[:MOST_CHATS])
        self._look_at_next()

    def _look_at_next(self) -> None:
        """Count what the next chat holds; one after the other, so that the window stays free."""
        if self._looked == len(self._chats):
            self.chats.end_looking()
            return
        chat = self._chats[self._looked]
        self.chats.show_looking(self._looked, len(self._chats))
        self._looked += 1

        def take(found: Chat) -> None:
            self.chats.add_chat(found.chat, found.messages)
            self._look_at_next()

        self._bridge.call(GetChat(chat=chat.id), take, lambda error: self._look_at_next(), self)

    # -- what the person chooses ---------------------------------------------------------------------

    def _on_source(self, source: str) -> None:
        self.source.show_value(source)
        self.explanation.setText(next(words for name, _, words in SOURCES if name == source))
        self._stack.setCurrentIndex([name for name, _, _ in SOURCES].index(source))
        self._show_state()

    def _on_named(self, text: str) -> None:
        self._named_by_hand = bool(text.strip())
        self._show_state()

    def _suggest_name(self) -> None:
        """A name that says what is in it and is not taken, until the person writes one."""
        if self._named_by_hand:
            return
        source = self.source.value
        choice = self.pairs.collection if source == "pairs" else self.text.collection
        documents = self._collections.get(str(choice.currentData()), "documents")
        documents = re.sub(r'[/\\:*?"<>|]+', "-", documents)[:_LONGEST_NAME].strip()
        wanted = {
            "chats": texts.NAME_CHATS,
            "pairs": texts.NAME_PAIRS.format(documents=documents),
            "text": texts.NAME_TEXT.format(documents=documents),
        }[source]
        self.name.setText(free_name(wanted, self._names))

    @property
    def _panel(self) -> ChatSource | PairSource | TextSource:
        return {"chats": self.chats, "pairs": self.pairs, "text": self.text}[self.source.value]  # type: ignore[return-value]

    def missing(self) -> str:
        if self._made is not None or self._looking_at_pairs:
            return ""
        if self.watch is not None:
            return texts.BUILDING
        return self._panel.problem or ("" if self.name.text().strip() else texts.NAME_FIRST)

    def _show_state(self) -> None:
        self._suggest_name()
        super()._show_state()
        running, done, looking = self.watch is not None, self._made is not None, self._looking_at_pairs
        why = self.missing()
        self.go.setText(texts.USE_IT if done else texts.TRY_AGAIN if looking else texts.BUILD)
        starts = self.source.value == "pairs" and not (why or running or done or looking)
        self.cost.ask(self.make_call() if starts else None)
        self.why.setText(f"{why}.")
        self.why.setVisible(bool(why) and not running)
        for part in (self.source, self.explanation, self._stack, self._name_field):
            part.setVisible(not running and not done and not looking)
        if not running and not done and not looking:
            self.pair_list.hide()

    # -- building ------------------------------------------------------------------------------------

    def _on_go(self) -> None:
        if self._made is not None:
            self._use(self._made)
            return
        if self._looking_at_pairs:
            self.message.hide()
            self._looking_at_pairs = False
            self._show_state()
            return
        super()._on_go()

    def make_call(self) -> BuildData:
        name = self.name.text().strip()
        if self.source.value == "chats":
            return BuildData(name=name, source="chats", chats=self.chats.chats)
        if self.source.value == "text":
            return BuildData(name=name, source="text", collection=str(self.text.collection.currentData()))
        return BuildData(
            name=name,
            source="pairs",
            collection=str(self.pairs.collection.currentData()),
            model=str(self.pairs.model.currentData()),
            questions=self.pairs.questions.value(),
            limit=self.pairs.limit.value(),
        )

    def take_result(self, run: RunRecord) -> None:
        self.pair_list.clear()
        self.pair_list.setVisible(self.source.value == "pairs")
        super().take_result(run)

    def words_of(self, progress: Progress) -> str:
        words = {"asking": texts.GENERATING_PAIRS, "reading": texts.READING_DOCUMENTS}.get(progress.stage)
        return words or super().words_of(progress)

    def take_made(self, artifact: Artifact) -> None:
        if artifact.kind == "pair":
            self.pair_list.add_pair(artifact.result)

    def take_end(self, result: dict[str, Any]) -> None:
        self._made = msgspec.convert(result, DataSet)
        if self.source.value != "pairs":  # there is nothing to be looked at
            self._use(self._made)
            return
        words = texts.BUILT.format(name=self._made.name, count=describe_count(self._made.examples, "example"))
        self.message.show_message(words, "success")

    def take_failure(self, error: Exception) -> None:
        super().take_failure(error)
        self._looking_at_pairs = bool(self.pair_list.rows)

    def _use(self, made: DataSet) -> None:
        self.built.emit(made.name)
        self.accept()
