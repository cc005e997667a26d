"""What stands at the right of the chat page's title: the model, how full its context is, what can be done."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.components.basics import Chip, ChipButton, ElidedLabel, IconButton
from ui.components.layout import row_of
from ui.components.recipe import texts as recipe_texts
from ui.components.wording import within
from ui.features.chat import texts
from ui.theme import tokens
from workbench.records.messages import Usage

_MOST = 60  # characters


class ChatHeader(QWidget):
    """Always in sight while the chat page is."""

    model_clicked = Signal()
    history_toggled = Signal()
    recipe_toggled = Signal()
    menu_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.chat_title = ElidedLabel("", "muted")
        self.model = ChipButton(recipe_texts.NO_MODEL, clicked=self.model_clicked)
        self.context = Chip(texts.CONTEXT_UNKNOWN)
        self.menu_button = IconButton("more", texts.CHAT_MENU, clicked=self.menu_wanted)
        self.history_button = IconButton("clock", texts.TOGGLE_HISTORY, clicked=self.history_toggled)
        self.recipe_button = IconButton("sidebar", texts.TOGGLE_RECIPE, clicked=self.recipe_toggled)
        row = row_of(self, (self.chat_title, 1), gap=tokens.SPACE_2)
        for part in (self.model, self.context, self.menu_button, self.history_button, self.recipe_button):
            row.addWidget(part)

    def show_model(self, words: str, whole: str, usable: bool = True) -> None:
        """The model with what is on over it; ``whole`` where there was no room for all."""
        self.model.set_tone("plain" if usable else "attention")
        self.model.setText(within(words, _MOST) or recipe_texts.NO_MODEL)
        self.model.setToolTip(whole)
        self.model.setAccessibleName(whole or recipe_texts.NO_MODEL)

    def show_context(self, usage: Usage | None, context_tokens: int) -> None:
        """How much of the model's context the last answer took."""
        used = usage.prompt_tokens + usage.new_tokens if usage is not None else 0
        if not context_tokens:
            words, full = texts.CONTEXT_UNKNOWN, texts.CONTEXT_LATER
        else:
            words = texts.CONTEXT.format(value=min(1.0, used / context_tokens))
            full = texts.CONTEXT_HELP.format(used=used, context_tokens=context_tokens)
        self.context.setText(words)
        self.context.setToolTip(full)
        self.context.setAccessibleName(full)
        self.context.set_tone("attention" if context_tokens and used > 0.85 * context_tokens else "plain")
