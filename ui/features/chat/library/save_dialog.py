"""The dialog that saves a prompt or a reasoning preset into the library."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from ui.bridge import Bridge
from ui.components.basics import InlineMessage, Text
from ui.components.dialog import Dialog, LabelledField
from ui.components.layout import column_of
from ui.components.wording import in_words
from ui.features.chat import texts
from ui.theme import tokens
from workbench.records.prompts import PromptRecord
from workbench.records.recipes import PromptingPart, PromptKind
from workbench.subjects.prompts.calls import (
    ListPrompts,
    PromptList,
    SavedPrompt,
    SavePrompt,
)


class SaveDialog(Dialog):
    """Saves a part of the recipe; ``saved`` sends the entry."""

    saved = Signal(object)

    def __init__(self, bridge: Bridge, part: PromptingPart, kind: PromptKind, parent: QWidget | None = None) -> None:
        super().__init__(texts.SAVE_TITLES[kind], texts.SAVE_HELP[kind], texts.SAVE_GO, parent)
        self._bridge, self._part, self._kind = bridge, part, kind
        self._records: dict[str, PromptRecord] = {}
        source = next((one.name for one in part.sources if one.kind == kind), "")
        self.name = QLineEdit(source, textChanged=lambda _: self._show_state())
        self.effect = Text("", "small")
        self.note = QPlainTextEdit(tabChangesFocus=True)
        self.note.setFixedHeight(72)
        self.tags = QLineEdit()
        for field in (
            LabelledField(texts.PROMPT_NAME, "", column_of(None, self.name, self.effect, gap=tokens.SPACE_1)),
            LabelledField(texts.NOTE, texts.NOTE_HELP, self.note),
            LabelledField(texts.TAGS, texts.TAGS_HELP, self.tags),
        ):
            self.inside.addWidget(field)
        self.name.setAccessibleName(texts.PROMPT_NAME)
        self.inside.addStretch(1)
        self.message = InlineMessage(closable=False)
        self.below.addWidget(self.message)
        self.go.clicked.connect(self._on_go)
        self.resize(560, 470)
        bridge.home.listing(ListPrompts()).follow(self._on_prompts)
        self._show_state()

    def _on_prompts(self, found: PromptList) -> None:
        self._records = {one.name.casefold(): one for one in found.prompts}
        self._show_state()

    @property
    def _known(self) -> PromptRecord | None:
        return self._records.get(" ".join(self.name.text().split()).casefold())

    def _show_state(self) -> None:
        known = self._known
        if known is None:
            self.effect.setText(texts.MAKES_ENTRY)
        else:
            self.effect.setText(texts.ADDS_VERSION.format(number=known.head.number + 1, name=known.name))
        self.tags.setPlaceholderText(", ".join(known.tags) if known is not None else "")
        self.go.setEnabled(bool(self.name.text().strip()))

    def _on_go(self) -> None:
        tags = tuple(self.tags.text().split(",")) if self.tags.text().strip() else None
        call = SavePrompt(
            name=self.name.text(), part=self._part, kind=self._kind, note=self.note.toPlainText(), tags=tags
        )
        self._bridge.call(call, self._on_saved, self._on_refused, self)

    def _on_saved(self, saved: SavedPrompt) -> None:
        self.saved.emit(saved)
        self.accept()

    def _on_refused(self, error: Exception) -> None:
        self.message.show_message(in_words(error), "danger")
