"""The dialog that saves a prompt or a reasoning preset into the library."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from ui.bridge import Bridge
from ui.components.basics import Text
from ui.components.call_dialog import CallDialog
from ui.components.dialog import LabelledField
from ui.components.layout import column_of
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


class SaveDialog(CallDialog):
    """Saves a part of the recipe; ``saved`` sends the entry."""

    saved = Signal(object)

    def __init__(self, bridge: Bridge, part: PromptingPart, kind: PromptKind, parent: QWidget | None = None) -> None:
        super().__init__(bridge, texts.SAVE_TITLES[kind], texts.SAVE_HELP[kind], texts.SAVE_GO, parent)
        self._part, self._kind = part, kind
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
        super()._show_state()
        known = self._known
        if known is None:
            self.effect.setText(texts.MAKES_ENTRY)
        else:
            self.effect.setText(texts.ADDS_VERSION.format(number=known.head.number + 1, name=known.name))
        self.tags.setPlaceholderText(", ".join(known.tags) if known is not None else "")
        self.go.setEnabled(self.go.isEnabled() and bool(self.name.text().strip()))

    def make_call(self) -> SavePrompt:
        tags = tuple(self.tags.text().split(",")) if self.tags.text().strip() else None
        return SavePrompt(
            name=self.name.text(), part=self._part, kind=self._kind, note=self.note.toPlainText(), tags=tags
        )

    def take_result(self, saved: SavedPrompt) -> None:
        self.saved.emit(saved)
        self.accept()
