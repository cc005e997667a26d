"""How a collection is indexed: the length of its passages and its embedding model. A change reads its files again."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.call_dialog import CallDialog
from ui.components.choice_box import ChoiceBox
from ui.components.dialog import LabelledField
from ui.components.number_box import NumberBox
from ui.features.documents import texts
from ui.texts import AUTO
from workbench.api.protocol import Call
from workbench.records.documents import Collection
from workbench.records.models import ModelRecord
from workbench.subjects.documents.calls import SetEmbedder, SetPassageLength

_LONGEST = 8192  # tokens of a passage


class IndexDialog(CallDialog):
    """``changed`` sends the collection after a change was accepted."""

    changed = Signal(object)

    def __init__(
        self, bridge: Bridge, collection: Collection, models: Sequence[ModelRecord], parent: QWidget | None = None
    ) -> None:
        help = texts.INDEX_HELP.format(name=collection.name)
        super().__init__(bridge, texts.INDEX_TITLE, help, texts.READ_ALL_AGAIN, parent, 460)
        self._collection = collection
        self.tokens = NumberBox(maximum=_LONGEST, value=collection.passage_tokens, specialValueText=AUTO)
        self.embedder = ChoiceBox(texts.EMBEDDER, choices_of(models, collection.embedder), chosen=self._on_chosen)
        self.embedder.show_value(collection.embedder)
        self._embedder = collection.embedder
        self._models = models
        self._length = LabelledField(texts.PASSAGE_TOKENS, texts.PASSAGE_TOKENS_HELP.format(most=_LONGEST), self.tokens)
        self.inside.addWidget(self._length)
        self.inside.addWidget(LabelledField(texts.EMBEDDER, texts.EMBEDDER_HELP, self.embedder))
        self.inside.addStretch(1)
        self.tokens.valueChanged.connect(lambda _: self._show_state())
        self._show_longest()
        self._show_state()

    def _on_chosen(self, name: str) -> None:
        self._embedder = name
        self._show_longest()
        self._show_state()

    def _show_longest(self) -> None:
        """Say how long passages can be with the chosen model."""
        embedders = [one for one in self._models if one.kind == "embedder" and not one.missing]
        chosen = next((one for one in embedders if self._embedder in ("", one.name)), None)
        most = min(_LONGEST, chosen.context_tokens or _LONGEST) if chosen is not None else _LONGEST
        self._length.help.setText(texts.PASSAGE_TOKENS_HELP.format(most=most))

    def _calls(self) -> list[Call[Collection]]:
        """What was changed; both settings make the index anew, so that one after the other costs little."""
        changes: list[Call[Collection]] = []
        if self._embedder != self._collection.embedder:
            changes.append(SetEmbedder(collection=self._collection.id, model=self._embedder))
        if self.tokens.value() != self._collection.passage_tokens:
            changes.append(SetPassageLength(collection=self._collection.id, tokens=self.tokens.value()))
        return changes

    def missing(self) -> str:
        return "" if self._calls() else texts.NOTHING_CHANGED

    def make_call(self) -> Call[Collection]:
        return self._calls()[0]

    def take_result(self, collection: Collection) -> None:
        self._collection = collection
        self.changed.emit(collection)
        if self._calls():
            self._on_go()
        else:
            self.accept()


def choices_of(models: Sequence[ModelRecord], chosen: str) -> list[tuple[str, str]]:
    """The embedding models to choose from, the default one first; ``chosen`` also where it is not there any more."""
    known = [model.name for model in models if model.kind == "embedder" and not model.missing]
    default = texts.DEFAULT_EMBEDDER.format(name=known[0]) if known else texts.DEFAULT_EMBEDDER.format(name="starter")
    choices = [(default, ""), *((name, name) for name in known)]
    if chosen and chosen not in known:
        choices.append((texts.MISSING_EMBEDDER.format(name=chosen), chosen))
    return choices
