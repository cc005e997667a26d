"""An answer in the conversation: what is waited for, the text, its sources and what it cost, and what to do with it.

It shows a stored message, and one that is being made. It asks for nothing itself: what the person wants is signalled.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from ui.theme import tokens
from ui.widgets.basics import Card, ElidedLabel, IconLabel, InlineMessage, LinkButton, QuietButton, Text, set_property
from ui.widgets.flow import FlowLayout
from ui.widgets.markdown_view import MarkdownView
from ui.widgets.siblings import SiblingSwitch
from workbench.calls import StoredMessage
from workbench.messages import Citation, Passage, Usage

_COPIED_MS = 1_500


class AnswerView(QWidget):
    """One answer. ``message_id`` is the stored message that it shows."""

    source_wanted = Signal(object)
    """A Citation or Passage was clicked."""
    passages_wanted = Signal(str)
    again_wanted = Signal(str)
    sibling_wanted = Signal(str)
    link_clicked = Signal(str)

    def __init__(self, message: StoredMessage, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.message_id = message.id
        self._citations: tuple[Citation, ...] = ()
        self._passages: tuple[Passage, ...] = ()
        self.waiting = Waiting()
        self.thought = ThoughtView()
        self.text = MarkdownView()
        self.text.citation_clicked.connect(self._on_citation)
        self.text.link_clicked.connect(self.link_clicked)
        self.declined_note = DeclinedNote()
        self.notices = Text("", "attention")
        self.state_line = Text("", "small")
        self.failure = InlineMessage(closable=False)
        self.sources = QWidget()
        self._sources = FlowLayout(self.sources, tokens.SPACE_1)
        self.siblings = SiblingSwitch("answer")
        self.siblings.chosen.connect(self.sibling_wanted)
        self.footer = self._make_footer()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, tokens.SPACE_4)
        column.setSpacing(tokens.SPACE_2)
        for part in (
            self.waiting,
            self.declined_note,
            self.thought,
            self.text,
            self.state_line,
            self.failure,
            self.sources,
            self.notices,
            self.footer,
        ):
            column.addWidget(part)
        self.show_message(message)

    # -- a stored message --------------------------------------------------------------------------

    def show_message(self, message: StoredMessage, siblings: tuple[str, ...] = ()) -> None:
        """Show the message as it is stored; what stands there already stays untouched."""
        self.message_id = message.id
        streaming = message.state == "streaming"
        self.show_sources(message.citations, message.passages)
        self.thought.set_text(message.thought)
        declined = message.declined and not streaming
        self._show_declined(declined, message.text)
        if streaming:
            self.text.set_numbers({passage.n for passage in message.passages})
        else:
            numbers = {source.n for source in message.citations} | {source.n for source in message.passages}
            self.text.set_text(message.text, numbers)
        self.waiting.setVisible(streaming and not self.text.text)
        self.text.setVisible(bool(self.text.text) and not declined)
        self._show_notices(message.notices)
        self._show_state(message)
        self._show_footer(message, streaming)
        if siblings:
            self.siblings.show_siblings(siblings, message.id)

    def show_sources(self, citations: tuple[Citation, ...], passages: tuple[Passage, ...]) -> None:
        if (citations, passages) == (self._citations, self._passages):
            return
        self._citations, self._passages = citations, passages
        while (item := self._sources.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for citation in citations:
            button = LinkButton(_within(describe_source(citation), 44))
            button.setAccessibleName(f"Source {describe_source(citation)}")
            button.setToolTip(citation.text[:300])
            button.clicked.connect(lambda _=False, c=citation: self.source_wanted.emit(c))
            self._sources.addWidget(button)
        self.sources.setVisible(bool(citations))
        self.passages_button.setText(f"Passages shown ({len(passages)})")
        self.passages_button.setVisible(bool(passages))

    @property
    def source_buttons(self) -> list[LinkButton]:
        items = (self._sources.itemAt(i) for i in range(self._sources.count()))
        return [w for item in items if item is not None and isinstance(w := item.widget(), LinkButton)]

    # -- one that is being made --------------------------------------------------------------------

    def show_waiting(self, words: str) -> None:
        """What the answer waits for; no words hide the line."""
        self.waiting.show_words(words)

    def show_passages(self, passages: tuple[Passage, ...]) -> None:
        """The passages that the model is shown, before it answers."""
        self.show_sources(self._citations, passages)
        self.text.set_numbers({passage.n for passage in passages})

    def add_text(self, piece: str) -> None:
        if self.waiting.isVisibleTo(self):
            self.waiting.hide()
        if not self.text.isVisibleTo(self):
            self.text.show()
        self.text.add(piece)

    def add_thought(self, piece: str) -> None:
        self.thought.add_text(piece)

    def show_notices(self, notices: tuple[str, ...]) -> None:
        self._show_notices(notices)

    # -- parts ---------------------------------------------------------------------------------------

    def _make_footer(self) -> QWidget:
        footer = QWidget()
        row = QHBoxLayout(footer)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(tokens.SPACE_1)
        self.usage = ElidedLabel("", "small")
        self.usage.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.copy_button = _small(QuietButton("Copy", "copy"))
        self.copy_button.setAccessibleName("Copy answer")
        self.copy_button.clicked.connect(self._on_copy)
        self.again_button = _small(QuietButton("Again", "refresh"))
        self.again_button.setAccessibleName("Answer again")
        self.again_button.clicked.connect(lambda: self.again_wanted.emit(self.message_id))
        self.passages_button = _small(QuietButton("", "eye"))
        self.passages_button.clicked.connect(lambda: self.passages_wanted.emit(self.message_id))
        self.passages_button.hide()
        self._copied = QTimer(self, singleShot=True, interval=_COPIED_MS)
        self._copied.timeout.connect(lambda: self.copy_button.setText("Copy"))
        row.addWidget(self.siblings)
        row.addWidget(self.copy_button)
        row.addWidget(self.again_button)
        row.addWidget(self.passages_button)
        row.addWidget(self.usage, 1)
        footer.setFixedHeight(30)  # reserved from the start: nothing moves when it is filled
        return footer

    def _show_footer(self, message: StoredMessage, streaming: bool) -> None:
        self.usage.set_full_text(describe_usage(message.usage))
        self.usage.setStatusTip(describe_usage_fully(message.usage))
        self.again_button.setVisible(not streaming and message.state != "failed")  # that has its own Try again
        self.copy_button.setVisible(not streaming and bool(message.text))

    def _show_declined(self, declined: bool, words: str) -> None:
        self.declined_note.setVisible(declined)
        if declined:
            self.declined_note.show_note(words, self._passages, self.source_wanted.emit)

    def _show_notices(self, notices: tuple[str, ...]) -> None:
        self.notices.setText("\n".join(notices))
        self.notices.setVisible(bool(notices))

    def _show_state(self, message: StoredMessage) -> None:
        words = {
            "stopped": "Stopped. What was written until then is kept.",
            "interrupted": "The program ended before this answer was finished.",
        }.get(message.state, "")
        self.state_line.setText(words)
        self.state_line.setVisible(bool(words))
        if message.state == "failed":
            reason = message.error or "The answer could not be finished."
            self.failure.show_message(reason, "danger", "Try again", lambda: self.again_wanted.emit(self.message_id))
        else:
            self.failure.hide()

    def _on_citation(self, number: int) -> None:
        sources: tuple[Citation | Passage, ...] = (*self._citations, *self._passages)
        for source in sources:
            if source.n == number:
                self.source_wanted.emit(source)
                return

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.text)
        self.copy_button.setText("Copied")
        self._copied.start()


class Waiting(QWidget):
    """A line that says what is waited for. A dot that breathes is all that moves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dot = QLabel("●")
        self._dot.setProperty("role", "muted")
        self._words = Text("Waiting…", "muted")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(tokens.SPACE_2)
        row.addWidget(self._dot)
        row.addWidget(self._words, 1)
        self.setFixedHeight(24)
        self._beat = QTimer(self, interval=500)
        self._beat.timeout.connect(self._on_beat)

    @property
    def words(self) -> str:
        return self._words.text()

    def show_words(self, words: str) -> None:
        self._words.setText(words)
        self._words.setAccessibleName(words)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self._beat.start()

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)  # type: ignore[arg-type]
        self._beat.stop()

    def _on_beat(self) -> None:
        self._dot.setText("●" if self._dot.text() == "○" else "○")


class ThoughtView(QWidget):
    """A reasoning model's thinking: closed, one click away."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button = _small(QuietButton("Thinking", "chevron-right"))
        self.button.setCheckable(True)
        self.button.toggled.connect(self._on_toggled)
        self._text = Text("", "muted")
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.hide()
        self._whole = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.SPACE_1)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._text)
        self.hide()

    @property
    def text(self) -> str:
        """The thinking so far."""
        return self._whole

    def set_text(self, text: str) -> None:
        self._whole = text
        self.setVisible(bool(text))
        if self.button.isChecked():
            self._text.setText(text)

    def add_text(self, piece: str) -> None:
        self.set_text(self._whole + piece)

    def _on_toggled(self, opened: bool) -> None:
        self._text.setText(self._whole if opened else "")
        self._text.setVisible(opened)


class DeclinedNote(Card):
    """Says calmly that the documents do not hold the answer, with what comes nearest."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        head = QHBoxLayout()
        head.setSpacing(tokens.SPACE_3)
        self.words = Text("", "reading")
        head.addWidget(IconLabel("info", "muted"), 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self.words, 1)
        self.body.addLayout(head)
        self._nearest = Text("The passages that come nearest:", "muted")
        self.body.addWidget(self._nearest)
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self.body.addLayout(self._list)
        self.hide()

    def show_note(self, words: str, passages: tuple[Passage, ...], open_source: Callable[[Passage], None]) -> None:
        self.words.setText(words)
        while (item := self._list.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._nearest.setVisible(bool(passages))
        for passage in passages[:3]:
            button = _ElidedLink(f"{describe_place(passage)}:  {_shortened(passage.text, 120)}")
            button.setToolTip(passage.text[:300])
            button.clicked.connect(lambda _=False, p=passage: open_source(p))
            self._list.addWidget(button)


class _ElidedLink(LinkButton):
    """A link that is shortened to the room there is."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._whole = text
        self.setAccessibleName(text)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        room = self.width() - 2 * tokens.SPACE_2
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, room))


def describe_place(source: Citation | Passage) -> str:
    """``pump.pdf p.3``"""
    name = PurePath(source.path).name or source.title
    return f"{name} p.{source.page}" if source.page else name


def describe_source(source: Citation | Passage) -> str:
    """``[1] pump.pdf p.3``"""
    return f"[{source.n}] {describe_place(source)}"


def describe_usage(usage: Usage | None) -> str:
    """``41 tok/s · 0.3 s · 64 tokens``; nothing while nothing was generated."""
    if usage is None or not usage.new_tokens:
        return ""
    return f"{usage.tokens_per_s:.0f} tok/s · {usage.first_token_s:.1f} s · {usage.new_tokens:,} tokens"


def describe_usage_fully(usage: Usage | None) -> str:
    if usage is None:
        return ""
    return (
        f"{usage.tokens_per_s:.1f} tokens a second, {usage.first_token_s:.2f} s until the first one. "
        f"{usage.prompt_tokens:,} tokens read, {usage.cached_tokens:,} of them remembered from before, "
        f"{usage.new_tokens:,} written."
    )


def _shortened(text: str, length: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[: length - 1].rsplit(" ", 1)[0] + "…"


def _within(text: str, length: int) -> str:
    """A text that is too long, without its middle: file names differ at both ends."""
    if len(text) <= length:
        return text
    return f"{text[: length // 2]}…{text[-length // 2 + 1 :]}"


def _small(button: QuietButton) -> QuietButton:
    set_property(button, "small", True)
    return button
