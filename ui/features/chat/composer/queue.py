"""Questions that wait for the answer that is being made: shown above the composer, edited and dropped there.

They belong to a chat and are kept in the window only. The page sends the first one when the answer has ended; after
Stop, and where an answer failed, they are held until the person sends them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from ui.components.basics import ElidedLabel, IconButton, LinkButton, Text
from ui.components.layout import column_of, row_of
from ui.components.words_editor import WordsEditor
from ui.features.chat import texts
from ui.features.chat.composer.one_question import NOTHING, OneQuestion
from ui.theme import tokens

_SHOWN = 3


@dataclass(frozen=True)
class QueuedQuestion:
    """``only``: what it is asked with beside the chat's recipe."""

    text: str
    only: OneQuestion = NOTHING


class QuestionQueue(QWidget):
    """The queue of the chat that is shown; hidden while it is empty. ``send_wanted``: the first question is to be sent
    although it was held."""

    send_wanted = Signal()
    left = Signal()
    """A question was edited or dropped: the keyboard goes back to the composer."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: dict[str | None, list[QueuedQuestion]] = {}
        self._held: dict[str | None, str] = {}
        self._chat: str | None = None
        self._rows: list[QueuedRow] = []
        self.title = Text("", "small")
        self.send = LinkButton(texts.SEND_QUEUED, clicked=self.send_wanted)
        self.more = Text("", "muted")
        self._column = column_of(self, gap=tokens.SPACE_1)
        self._column.addLayout(row_of(None, (self.title, 1), self.send, gap=tokens.SPACE_2))
        self._column.addWidget(self.more)
        self._show()

    @property
    def questions(self) -> tuple[str, ...]:
        """Those of the chat that is shown, the next one first."""
        return tuple(one.text for one in self._waiting.get(self._chat, ()))

    @property
    def rows(self) -> tuple[QueuedRow, ...]:
        return tuple(self._rows)

    @property
    def held(self) -> str:
        """Why the questions of the shown chat are not sent by themselves; "" where they are."""
        return self._held.get(self._chat, "")

    def show_chat(self, chat: str | None) -> None:
        self._chat = chat
        self._show()

    def identify(self, chat: str) -> None:
        """The new chat that is shown has been stored."""
        for kept in (self._waiting, self._held):
            if None in kept and chat not in kept:
                kept[chat] = kept.pop(None)  # type: ignore[assignment]
        self.show_chat(chat)

    def add(self, question: str, only: OneQuestion = NOTHING) -> None:
        self._waiting.setdefault(self._chat, []).append(QueuedQuestion(question, only))
        self._show()

    def put_back(self, question: QueuedQuestion, reason: str) -> None:
        """A question that was taken could not be asked: it is the next one again, and held."""
        self._waiting.setdefault(self._chat, []).insert(0, question)
        self._show()
        self.hold(reason)

    def take(self) -> QueuedQuestion | None:
        """The next question, which waits no more. Those behind it are held no longer."""
        waiting = self._waiting.get(self._chat, [])
        question = waiting.pop(0) if waiting else None
        self._held.pop(self._chat, None)
        self._show()
        return question

    def hold(self, reason: str) -> None:
        """Send none of the shown chat's questions until the person says so."""
        if self.questions:
            self._held[self._chat] = reason
            self._show_title()

    @property
    def editing(self) -> bool:
        """Whether one of them is being edited."""
        return any(row.editor.isVisibleTo(row) for row in self._rows)

    def forget(self, chat: str | None) -> None:
        """A chat is gone, and its questions with it."""
        self._waiting.pop(chat, None)
        self._held.pop(chat, None)
        self._show()

    def unsent(self) -> dict[str | None, str]:
        """What waits, by chat, as one text each: it is a draft when the window is opened again."""
        return {chat: "\n\n".join(one.text for one in waiting) for chat, waiting in self._waiting.items() if waiting}

    def chosen(self) -> dict[str | None, OneQuestion]:
        """What the first question that waits is asked of alone, by chat."""
        firsts = {chat: waiting[0].only for chat, waiting in self._waiting.items() if waiting}
        return {chat: only for chat, only in firsts.items() if only}

    def _show(self) -> None:
        waiting = self._waiting.get(self._chat, [])
        for row in self._rows:
            row.hide()
            row.deleteLater()
        self._rows = [QueuedRow(question) for question in waiting[:_SHOWN]]
        for number, row in enumerate(self._rows):
            row.changed.connect(partial(self._on_changed, number))
            row.dropped.connect(partial(self._on_dropped, number))
            self._column.insertWidget(1 + number, row)
        self.more.setText(texts.QUEUED_MORE.format(count=len(waiting) - _SHOWN))
        self.more.setVisible(len(waiting) > _SHOWN)
        self._show_title()
        self.setVisible(bool(waiting))

    def _show_title(self) -> None:
        """Whether they are sent by themselves; the rows stay, one of which may be edited."""
        reason, waiting = self.held, self.questions
        self.title.setText(reason or (texts.QUEUED if len(waiting) == 1 else texts.QUEUED_SEVERAL))
        self.title.setToolTip(texts.QUEUE_HELP)
        self.send.setVisible(bool(reason))

    def _on_changed(self, number: int, question: str) -> None:
        waiting = self._waiting[self._chat]
        waiting[number] = replace(waiting[number], text=question)
        self._show()
        self.left.emit()

    def _on_dropped(self, number: int) -> None:
        del self._waiting[self._chat][number]
        if not self.questions:
            self._held.pop(self._chat, None)
        self._show()
        self.left.emit()


class QueuedRow(QWidget):
    """One question that waits. ``changed`` tells its new words."""

    changed = Signal(str)
    dropped = Signal()

    def __init__(self, question: QueuedQuestion) -> None:
        super().__init__()
        self._question = question.text
        self.setAccessibleName(texts.QUEUED_SPOKEN.format(question=question.text[:300]))
        words = (" ".join(question.text.split()), question.only.described())
        self.words = ElidedLabel(" · ".join(filter(None, words)), "body")
        self.edit_button = IconButton("edit", texts.EDIT_QUEUED, clicked=self.begin_edit)
        self.drop_button = IconButton("close", texts.DROP_QUEUED, clicked=self.dropped)
        self._line = row_of(None, (self.words, 1), self.edit_button, self.drop_button, gap=tokens.SPACE_1)
        self._shown = QFrame()
        self._shown.setProperty("role", "sunken")
        column_of(self._shown, self._line, margins=(tokens.SPACE_3, 0, tokens.SPACE_1, 0))
        self.editor = WordsEditor(texts.EDIT_QUEUED, texts.TAKE_QUEUED, "", (1, 6), enter_takes=True)
        self.editor.taken.connect(self.changed)
        self.editor.given_up.connect(self.end_edit)
        column_of(self, self._shown, self.editor, gap=tokens.SPACE_1)

    def begin_edit(self) -> None:
        self._shown.hide()
        self.editor.begin(self._question)

    def end_edit(self) -> None:
        self.editor.hide()
        self._shown.show()
        self.edit_button.setFocus()
