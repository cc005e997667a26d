"""The sources of a data set, each as a panel: chats, generated pairs, document text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from ui.components.basics import LinkButton, Text
from ui.components.choice_box import ChoiceBox
from ui.components.dialog import LabelledField
from ui.components.layout import column_of, row_of
from ui.components.number_box import NumberBox
from ui.components.set_builder import texts
from ui.components.wording import describe_count
from ui.theme import tokens
from workbench.records.answers import StoredMessage
from workbench.records.documents import Collection
from workbench.records.models import ModelRecord
from workbench.subjects.chats.calls import ChatRecord

SMALL = 1_000_000_000
"""Parameters below which a model makes hardly any pair that its passage supports (docs/finetuning.md)."""
_ChatRole = Qt.ItemDataRole.UserRole + 1
_WORDS = {"rated": texts.RATED_GOOD, "edited": texts.EDITED, "chosen": texts.CHOSEN}


def why_good(message: StoredMessage) -> str:
    """Why an answer can be trained on: rated, edited, or chosen among several; "" when it cannot."""
    if message.role != "assistant" or message.document is not None:
        return ""
    if message.original is not None:
        return "edited" if message.text.strip() else ""
    if message.state != "done" or message.declined or not message.text.strip():
        return ""
    if message.rating:
        return "rated" if message.rating > 0 else ""
    return "chosen" if message.selected_sequence > 0 else ""


def describe_reasons(found: Counter[str]) -> str:
    """``3 rated good, 1 edited``"""
    return ", ".join(f"{found[reason]:,} {words}" for reason, words in _WORDS.items() if found[reason])


class ChatSource(QWidget):
    """Answers of chats that were rated as good, edited or chosen. ``changed`` when others are ticked."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, Counter[str]] = {}
        self.summary = Text(texts.SCANNING_CHATS)
        self.list = QListWidget(accessibleName=texts.CHATS_TO_USE, minimumHeight=200)
        self.list.itemChanged.connect(lambda _: self._on_ticked())
        self._all, self._none = LinkButton(texts.PAIRS_ALL), LinkButton(texts.NONE)
        self._all.setAccessibleName(texts.TICK_ALL)
        self._none.setAccessibleName(texts.TICK_NONE)
        self._all.clicked.connect(lambda: self._tick(True))
        self._none.clicked.connect(lambda: self._tick(False))
        for button in (self._all, self._none):
            button.hide()  # there is nothing to tick before all chats are read
        row = row_of(None, (self.summary, 1), self._all, self._none)
        column_of(self, row, (self.list, 1), gap=tokens.SPACE_2)

    @property
    def chats(self) -> tuple[str, ...]:
        """The ids of the chats that are ticked."""
        rows = (self.list.item(row) for row in range(self.list.count()))
        return tuple(str(item.data(_ChatRole)) for item in rows if item.checkState() == Qt.CheckState.Checked)

    @property
    def problem(self) -> str:
        """Why nothing can be built of it."""
        if not self.list.count():
            return texts.NOTHING_MARKED
        return "" if self.chats else texts.TICK_FIRST

    def show_looking(self, done: int, total: int) -> None:
        self.summary.setText(texts.SCANNING_COUNT.format(done=done, total=total))

    def add_chat(self, chat: ChatRecord, messages: Iterable[StoredMessage]) -> None:
        """Count what can be trained on in a chat; one without anything is not listed."""
        found = Counter(reason for message in messages if (reason := why_good(message)))
        if not found:
            return
        self._counts[chat.id] = found
        item = QListWidgetItem(f"{chat.title or texts.NEW_CHAT}   ({describe_reasons(found)})")
        item.setData(_ChatRole, chat.id)
        item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable)
        item.setCheckState(Qt.CheckState.Checked)
        self.list.addItem(item)

    def end_looking(self) -> None:
        """All chats were added."""
        for part in (self.list, self._all, self._none):
            part.setVisible(bool(self.list.count()))
        self._on_ticked()

    def _tick(self, on: bool) -> None:
        for row in range(self.list.count()):
            self.list.item(row).setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)

    def _on_ticked(self) -> None:
        chosen: Counter[str] = Counter()
        for chat in self.chats:
            chosen += self._counts[chat]
        if not self.list.count():
            self.summary.setText(texts.NOTHING_MARKED_HELP)
        elif chosen:
            of = describe_count(len(self.chats), "chat")
            self.summary.setText(
                texts.COUNT_OF.format(
                    count=describe_count(chosen.total(), "answer"), of=of, reasons=describe_reasons(chosen)
                )
            )
        else:
            self.summary.setText(texts.NO_CHAT_TICKED)
        self.changed.emit()


class PairSource(QWidget):
    """Question-answer pairs that a model makes of the documents of a collection."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._models: tuple[ModelRecord, ...] = ()
        self.collection = ChoiceBox(texts.DOCUMENTS, characters=24, placeholder=texts.NONE_YET)
        self.model = ChoiceBox(texts.PAIR_MODEL, characters=24, placeholder=texts.NONE_YET)
        self.questions = NumberBox()
        self.questions.setRange(1, 10)
        self.questions.setValue(2)
        self.limit = NumberBox()
        self.limit.setRange(0, 1_000_000)
        self.limit.setSpecialValueText(texts.ALL)
        self.limit.setValue(100)
        self.limit.setSingleStep(50)
        for box in (self.questions, self.limit):
            box.setFixedWidth(200)
        self.warning = Text("", "attention")
        numbers = row_of(
            None,
            LabelledField(texts.QUESTIONS_PER_PASSAGE, texts.QUESTIONS_HELP, self.questions),
            LabelledField(texts.MOST_PASSAGES, texts.MOST_PASSAGES_HELP, self.limit),
            None,
            gap=tokens.SPACE_5,
        )
        column_of(
            self,
            LabelledField(texts.DOCUMENTS, "", self.collection),
            LabelledField(texts.PAIR_MODEL, "", self.model),
            self.warning,
            numbers,
            None,
            gap=tokens.SPACE_4,
        )
        for choice in (self.collection, self.model):
            choice.currentIndexChanged.connect(lambda _: self._on_changed())
        self._on_changed()

    @property
    def problem(self) -> str:
        if not self.collection.count():
            return texts.NO_DOCUMENTS
        return "" if self.model.count() else texts.NO_PAIR_MODEL

    def set_models(self, models: Sequence[ModelRecord]) -> None:
        """The models that can answer, the largest first: it makes the best pairs."""
        self._models = tuple(sorted(models, key=lambda model: -model.parameters))
        self.model.set_choices([(model.name, model.name) for model in self._models])
        self._on_changed()

    def _on_changed(self) -> None:
        chosen = next((model for model in self._models if model.name == self.model.currentData()), None)
        small = chosen is not None and chosen.parameters < SMALL
        self.warning.setText(texts.SMALL_MODEL.format(name=chosen.name) if chosen is not None and small else "")
        self.warning.setVisible(small)
        self.changed.emit()


class TextSource(QWidget):
    """The raw text of a collection's documents."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.collection = ChoiceBox(
            texts.DOCUMENTS,
            characters=24,
            placeholder=texts.NONE_YET,
            currentIndexChanged=lambda _: self.changed.emit(),
        )
        column = column_of(self, LabelledField(texts.DOCUMENTS, "", self.collection), gap=tokens.SPACE_4)
        words = texts.TEXT_HELP
        column.addWidget(Text(words, "small"))
        column.addStretch(1)

    @property
    def problem(self) -> str:
        return "" if self.collection.count() else texts.NO_DOCUMENTS


def collection_choices(collections: Sequence[Collection]) -> list[tuple[str, str]]:
    """Those that hold something: ``Brunnen pumps (3 files)``."""
    return [(f"{c.name} ({describe_count(c.documents, 'file')})", c.id) for c in collections if c.documents]
