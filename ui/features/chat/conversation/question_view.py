"""A question in the conversation. It can be edited: the edited one becomes a branch beside it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QFrame, QWidget

from ui.components.basics import IconButton, Text
from ui.components.formula_text import split_formulas
from ui.components.layout import column_of, row_of
from ui.components.markdown_blocks import Leaf, Span
from ui.components.prose import LINE_END, Prose
from ui.components.shown_images import ImageRow
from ui.components.words_editor import WordsEditor
from ui.features.chat import texts
from ui.features.chat.conversation.message_controls import SiblingSwitch
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.records.answers import StoredMessage

_SHOWN = 4_000  # characters: a pasted book is not laid out again and again


class QuestionView(QWidget):
    """One question of the person."""

    edited = Signal(str, str)
    """The message's id and the new words."""
    sibling_wanted = Signal(str)
    editing = Signal(object)
    """The editor was opened."""

    def __init__(self, message: StoredMessage) -> None:
        super().__init__()
        self.message_id = message.id
        self._words = ""
        self._text = Prose()  # which, other than a label, breaks an address that is longer than a line
        self._text.setAccessibleName(texts.QUESTION_TEXT)
        current_theme().changed.connect(self._show_words)
        self._bubble = QFrame()
        self._bubble.setProperty("role", "sunken")
        self.images = ImageRow()
        margins = (tokens.SPACE_4, tokens.SPACE_3)
        column_of(self._bubble, self.images, self._text, gap=tokens.SPACE_2, margins=margins)
        self.edit_button = IconButton("edit", texts.EDIT_QUESTION_HELP, clicked=self.begin_edit)
        self.siblings = SiblingSwitch("question")
        self.siblings.chosen.connect(self.sibling_wanted)
        self.about = Text("", "small", visible=False)
        beside = row_of(None, (self._bubble, 1), (self.edit_button, 0, Qt.AlignmentFlag.AlignTop), gap=tokens.SPACE_1)
        self.editor = WordsEditor(
            texts.EDIT_QUESTION, texts.ASK_AGAIN, texts.EDIT_QUESTION_NOTE, (2, 8), enter_takes=True
        )
        self.editor.taken.connect(self._on_taken)
        self.editor.given_up.connect(self.end_edit)
        column_of(
            self,
            self.about,
            beside,
            self.editor,
            (self.siblings, 0, Qt.AlignmentFlag.AlignLeft),
            gap=tokens.SPACE_1,
            margins=(0, tokens.SPACE_2),
        )
        self.show_message(message)

    def show_message(self, message: StoredMessage, siblings: tuple[str, ...] = ()) -> None:
        self.message_id = message.id
        self.images.show_images(message.as_message().images)
        if message.text != self._words:
            self._words = message.text
            self._show_words()
            self._bubble.setAccessibleName(texts.YOU_ASKED.format(value=message.text[:300]))
        if siblings:
            self.siblings.show_siblings(siblings, message.id)

    def show_about(self, words: str) -> None:
        """What the question was asked of alone; no words: of what the chat asks."""
        self.about.setText(words)
        self.about.setVisible(bool(words))

    def _show_words(self) -> None:
        rest = len(self._words) - _SHOWN
        shown = self._words if rest <= 0 else texts.MORE_CHARACTERS.format(value=self._words[:_SHOWN], rest=rest)
        self._text.restart()
        spans = (
            Span(text if style else text.replace("\n", LINE_END), formula=style)
            for text, style in split_formulas(shown)
        )
        self._text.write([Leaf("paragraph", tuple(spans))], ())
        self._text.settle()
        self._text.fit()

    def begin_edit(self) -> None:
        self._bubble.hide()
        self.edit_button.hide()
        self.editor.begin(self._words)
        self.editor.field.moveCursor(QTextCursor.MoveOperation.End)
        self.editing.emit(self.editor)

    def end_edit(self) -> None:
        self.editor.hide()
        self._bubble.show()
        self.edit_button.show()
        self.edit_button.setFocus()

    def _on_taken(self, text: str) -> None:
        self.end_edit()
        self.edited.emit(self.message_id, text)
