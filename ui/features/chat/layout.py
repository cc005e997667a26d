"""Where the parts of the chat page stand: history, conversation with its composer, and one panel at the right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QWidget

from ui.bridge import Bridge
from ui.components.basics import InlineMessage, LinkButton
from ui.components.document_pane import DocumentPane
from ui.components.layout import column_of
from ui.components.notices import EmptyState
from ui.components.passages_panel import PassagesPanel
from ui.components.recipe.recipe_panel import FORMS, RecipePanel
from ui.features.chat import texts
from ui.features.chat.composer.attachments import AttachedFiles
from ui.features.chat.composer.composer import Composer
from ui.features.chat.composer.queue import QuestionQueue
from ui.features.chat.composer.sending_card import SendingCard
from ui.features.chat.conversation.conversation import Conversation
from ui.features.chat.header import ChatHeader
from ui.features.chat.history.chat_list import HistoryPanel
from ui.features.chat.recipe.format_pane import FormatPane
from ui.theme import tokens

NARROW = 960
"""Below this width of the page, in px, the history and the right panel take turns."""
_HISTORY, _RECIPE, _SOURCE = 230, 320, 430
_SHARE = 0.36  # of a wide window, so that a page of a PDF can be read at its width


def make_parts(bridge: Bridge) -> Iterator[tuple[str, QWidget]]:
    """The parts by their names, one after the other: each takes some milliseconds."""
    forms: dict[str, Any] = {}
    for name, make in FORMS.items():
        forms[name] = make()
        yield name, forms[name]
    yield "recipe", RecipePanel(forms)
    yield "head", ChatHeader()
    yield "history", HistoryPanel()
    yield "conversation", Conversation()
    yield "composer", Composer()
    yield "queue", QuestionQueue()
    yield "sending", SendingCard()
    yield "files", AttachedFiles(bridge)
    yield "source", DocumentPane(bridge)
    yield "passages", PassagesPanel()
    yield "format", FormatPane(bridge)


class ChatLayout(QWidget):
    """Arranges the parts of ``make_parts``, which it makes where they were not made before; what they mean is the
    page's business."""

    def __init__(self, bridge: Bridge, made: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        parts = made or dict(make_parts(bridge))
        self.head: ChatHeader = parts["head"]
        self.history: HistoryPanel = parts["history"]
        self.conversation: Conversation = parts["conversation"]
        self.composer: Composer = parts["composer"]
        self.queue: QuestionQueue = parts["queue"]
        self.sending: SendingCard = parts["sending"]
        self.files: AttachedFiles = parts["files"]
        self.recipe: RecipePanel = parts["recipe"]
        self.source: DocumentPane = parts["source"]
        self.passages: PassagesPanel = parts["passages"]
        self.format: FormatPane = parts["format"]
        self.empty = EmptyState("chat", texts.GREETING, "")
        self.hint = self.empty.words
        self.keep_nothing = LinkButton(texts.KEEP_NOTHING, toolTip=texts.KEEP_NOTHING_HELP)
        self.empty.add_action(self.keep_nothing)
        self.not_kept = InlineMessage(closable=False)
        self._middle = QStackedWidget()
        self._middle.addWidget(self.empty)
        self._middle.addWidget(self.conversation)
        self.side = QStackedWidget()
        for panel in (self.recipe, self.source, self.passages, self.format):
            self.side.addWidget(panel)
        self._wants_history = True
        self._wants_side = True
        self._is_narrow = False
        self._arrange()

    def _arrange(self) -> None:
        below = QWidget()
        below.setMaximumWidth(tokens.READING_WIDTH)
        margins = (0, tokens.SPACE_2, 0, tokens.SPACE_4)
        column_of(
            below,
            self.not_kept,
            self.sending,
            self.files,
            self.queue,
            self.composer,
            gap=tokens.SPACE_2,
            margins=margins,
        )
        self.composer.above.addWidget(self.conversation.to_end_button)
        row = QHBoxLayout()
        row.setContentsMargins(tokens.SPACE_5, 0, tokens.SPACE_4 + tokens.SCROLL_BAR, 0)  # as the conversation's
        row.setSpacing(0)
        row.addStretch(1)
        row.addWidget(below, 1000)
        row.addStretch(1)
        centre = QWidget()
        column_of(centre, (self._middle, 1), row, gap=0)
        centre.setMinimumWidth(380)
        self.history.setMinimumWidth(180)
        self.side.setMinimumWidth(300)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        for number, part in enumerate((self.history, centre, self.side)):
            self._split.addWidget(part)
            self._split.setCollapsible(number, False)
            self._split.setStretchFactor(number, 1 if part is centre else 0)
        self._split.setSizes([_HISTORY, 900, _RECIPE])
        column_of(self, self._split)

    def showEvent(self, event: QShowEvent) -> None:
        """The history is as wide as its words need, in any language, until a person makes it narrower."""
        super().showEvent(event)
        sizes, needed = self._split.sizes(), self.history.minimumSizeHint().width()
        if sizes[0] == _HISTORY < needed:
            self._split.setSizes([needed, sizes[1] - needed + _HISTORY, sizes[2]])

    def show_messages(self, there_are: bool) -> None:
        """The conversation, or what to do where there is none."""
        self._middle.setCurrentWidget(self.conversation if there_are else self.empty)

    def show_side(self, panel: QWidget) -> None:
        """Bring a panel to the right side; a source gets more room than the recipe."""
        changes = self.side.currentWidget() is not panel or not self._wants_side
        self.side.setCurrentWidget(panel)
        self._wants_side = True
        if self.width() < NARROW:
            self._wants_history = False
        self._apply()
        if changes:
            wanted = _RECIPE if panel is self.recipe else max(_SOURCE, round(self._split.width() * _SHARE))
            history = self.history.width() if self._wants_history else 0
            spare = self._split.width() - history
            side = min(wanted, max(300, spare - 380))
            self._split.setSizes([history, spare - side, side])

    def toggle_recipe(self) -> None:
        """Hide what is at the right, or show the recipe there."""
        if self.side.isVisibleTo(self) and self.side.currentWidget() is self.recipe:
            self._wants_side = False
            self._apply()
        else:
            self.show_side(self.recipe)

    def toggle_history(self) -> None:
        self._wants_history = not self.history.isVisibleTo(self)
        if self._wants_history and self.width() < NARROW:
            self._wants_side = False
        self._apply()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow, was_narrow = event.size().width() < NARROW, self._is_narrow  # a hidden page is not told its old size
        self._is_narrow = narrow
        if narrow and self._wants_side and self._wants_history:
            self._wants_side = False
        elif was_narrow and not narrow:
            self._wants_side = self._wants_history = True
        self._apply()

    def _apply(self) -> None:
        self.history.setVisible(self._wants_history)
        self.side.setVisible(self._wants_side)
