"""Where questions are written: a field that grows to eight lines, what is on above it, Send or Stop beside it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

from ui.components.basics import ChipButton, IconButton, LinkButton, PlainButton, PrimaryButton, Text
from ui.components.layout import FlowLayout, column_of, row_of
from ui.components.recipe import texts as recipe_texts
from ui.components.wording import within
from ui.features.chat import agent_texts, compare_texts, texts
from ui.features.chat.composer.one_question import ChosenChips
from ui.theme import tokens

_LINES = 8
_NAMES = 36  # characters


class Composer(QWidget):
    """``asked`` tells a question to ask; the field is emptied by ``clear`` once it is stored.

    ``set_blocked`` with words keeps Send off and says why, with a link that does something about it.
    """

    asked = Signal(str)
    queued = Signal(str)
    """A question is to be asked when the answer that is being made has ended."""
    stop_wanted = Signal()
    documents_chip_clicked = Signal()
    files_chip_clicked = Signal()
    adapters_chip_clicked = Signal()
    agent_chip_clicked = Signal()
    attach_clicked = Signal()
    remedy_clicked = Signal()
    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(texts.COMPOSER)
        self._blocked = ""
        self._busy = False
        self.documents_chip = ChipButton(recipe_texts.NO_DOCUMENTS, "retrieval", clicked=self.documents_chip_clicked)
        self.files_chip = ChipButton("", toolTip=texts.FILES_CHIP_HELP, clicked=self.files_chip_clicked, visible=False)
        self.adapters_chip = ChipButton("", "accent", clicked=self.adapters_chip_clicked)
        self.agent_chip = ChipButton("", "agents", clicked=self.agent_chip_clicked)
        self.compare_chip = ChipButton(compare_texts.CHIP_OFF, toolTip=recipe_texts.CHIP_HELP)
        self.reason = Text("", "small")
        self.remedy = LinkButton("", clicked=self.remedy_clicked)
        chips = QWidget()
        row_of_chips = FlowLayout(chips, tokens.SPACE_2)
        for part in (self.documents_chip, self.files_chip, self.agent_chip, self.adapters_chip, self.compare_chip):
            row_of_chips.addWidget(part)
        blocked = row_of(None, (self.reason, 1), self.remedy, gap=tokens.SPACE_2)
        self.field = QuestionField()
        self.field.setPlaceholderText(texts.ASK)
        self.field.setAccessibleName(texts.QUESTION)
        self.field.setAccessibleDescription(texts.COMPOSER_HELP)
        self.field.sent.connect(self._on_send)
        self.field.textChanged.connect(self._on_changed)
        self.attach = IconButton("attach", texts.ATTACH, clicked=self.attach_clicked)
        self.send = PrimaryButton(texts.SEND, "send", clicked=self._on_send)
        self.stop = PlainButton(texts.STOP, "stop", toolTip=texts.STOP_HELP, clicked=self.stop_wanted)
        for button in (self.send, self.stop):
            button.setMinimumWidth(100)
        self.chosen = ChosenChips()
        """The documents and the recipe of the next question alone."""
        row = row_of(None, gap=tokens.SPACE_1)
        bottom = Qt.AlignmentFlag.AlignBottom
        row.addWidget(self.field, 1)
        row.addWidget(self.attach, 0, bottom)
        row.addWidget(self.send, 0, bottom)
        row.addWidget(self.stop, 0, bottom)
        frame = QFrame()
        frame.setProperty("role", "card")
        margins = (tokens.SPACE_2, tokens.SPACE_1, tokens.SPACE_1, tokens.SPACE_1)
        column_of(frame, self.chosen, row, gap=tokens.SPACE_1, margins=margins)
        self.above = row_of(None, (chips, 1), gap=tokens.SPACE_2)
        """The chips, and room beside them."""
        column_of(self, blocked, self.above, frame, gap=tokens.SPACE_2)
        self.show_adapters("")
        self.show_agent("")
        self._show_state()

    @property
    def text(self) -> str:
        return self.field.toPlainText()

    @property
    def blocked(self) -> str:
        return self._blocked

    def show_opponent(self, title: str) -> None:
        """What each next question is compared with; no words: with nothing."""
        words = compare_texts.CHIP_ON.format(title=title) if title else compare_texts.CHIP_OFF
        self.compare_chip.setText(within(words, _NAMES))
        self.compare_chip.setAccessibleName(words)
        self.compare_chip.set_tone("preference" if title else "plain")

    def show_documents(self, names: Sequence[str], files: str, otherwise: str, *, asked: bool) -> None:
        """The collections of the recipe, by name, and the number of their files in words; ``otherwise`` where there is
        none. ``asked``: not where an agent has no tool for them."""
        of = texts.ASKED if asked else texts.UNASKED
        words = of.format(names=", ".join(names)) if names else otherwise
        self.documents_chip.setText(within(words, _NAMES + len(of)))
        self.documents_chip.setAccessibleName(words)
        self.documents_chip.setToolTip(words)
        is_used = asked if names else otherwise != recipe_texts.NO_DOCUMENTS
        self.documents_chip.set_tone("retrieval" if is_used else "plain")
        self.files_chip.setText(files)
        self.files_chip.setVisible(bool(names and files and asked))

    def show_adapters(self, words: str) -> None:
        """What is on over the model; no words: nothing."""
        self.adapters_chip.setText(within(words, _NAMES))
        self.adapters_chip.setAccessibleName(texts.ADAPTERS_CHIP.format(words=words))
        self.adapters_chip.setToolTip(texts.ADAPTERS_CHIP.format(words=words))
        self.adapters_chip.setVisible(bool(words))

    def show_agent(self, words: str) -> None:
        """How an agent is to answer; no words: none is."""
        chip = agent_texts.AGENT_CHIP.format(words=words)
        self.agent_chip.setText(within(chip, _NAMES))
        self.agent_chip.setAccessibleName(chip)
        self.agent_chip.setToolTip(chip)
        self.agent_chip.setVisible(bool(words))

    def set_text(self, text: str) -> None:
        self.field.setPlainText(text)
        self.field.moveCursor(self.field.textCursor().MoveOperation.End)

    def clear(self) -> None:
        self.field.clear()

    def set_blocked(self, reason: str, remedy: str = "") -> None:
        self._blocked = reason
        self.remedy.setText(remedy)
        self._show_state()

    def set_busy(self, busy: bool) -> None:
        """An answer is being made here: Stop is there, and what is written meanwhile is queued."""
        self._busy = busy
        self._show_state()

    def _show_state(self) -> None:
        reason = self._blocked
        self.reason.setText(reason)
        self.reason.setVisible(bool(reason))
        self.remedy.setVisible(bool(reason and self.remedy.text()))
        empty = not self.text.strip()
        self.send.setVisible(not self._busy or not empty)
        self.send.setText(texts.QUEUE if self._busy else texts.SEND)
        self.stop.setVisible(self._busy)
        self.send.setEnabled(not reason and not empty)
        help_ = texts.QUEUE_BUTTON_HELP if self._busy else texts.SEND_HELP
        self.send.setToolTip(reason or (texts.WRITE_FIRST if empty else help_))

    def _on_changed(self) -> None:
        self._show_state()
        self.edited.emit()

    def _on_send(self) -> None:
        text = self.text.strip()
        if text and not self._blocked:
            (self.queued if self._busy else self.asked).emit(text)


class QuestionField(QPlainTextEdit):
    """Grows with its text up to eight lines. Enter sends, Shift+Enter breaks the line. Text and files are pasted."""

    sent = Signal()
    files_pasted = Signal(list)
    """Paths of files that were copied elsewhere."""
    image_pasted = Signal(QImage)
    """An image that was copied elsewhere, of which there is no file."""

    def __init__(self) -> None:
        super().__init__()
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setStyleSheet(
            "QPlainTextEdit, QPlainTextEdit:focus { border: none; background: none; padding: 4px 4px; }"
            f"QPlainTextEdit {{ font-size: {tokens.TEXT_READING - 1}px; }}"
        )
        self.document().setDocumentMargin(2)
        self.textChanged.connect(self._fit)
        self.setAcceptDrops(False)  # files dropped here are the page's business
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        breaks = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not breaks:
            self.sent.emit()
        else:
            super().keyPressEvent(event)

    def insertFromMimeData(self, source: QMimeData) -> None:
        files = [url.toLocalFile() for url in source.urls() if url.isLocalFile()]
        if files:
            self.files_pasted.emit(files)
        elif source.hasImage() and not source.hasText():
            self.image_pasted.emit(QImage(source.imageData()))
        elif source.hasText():
            self.insertPlainText(source.text())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self._fit()

    def _fit(self) -> None:
        lines = 0
        block = self.document().firstBlock()
        while block.isValid() and lines < _LINES:
            self.document().documentLayout().blockBoundingRect(block)
            lines += max(1, block.layout().lineCount())
            block = block.next()
        lines = min(_LINES, max(1, lines))
        height = lines * self.fontMetrics().lineSpacing() + 8 + 4 + 4
        many = Qt.ScrollBarPolicy.ScrollBarAsNeeded if lines == _LINES else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(many)
        if height != self.height():
            self.setFixedHeight(max(36, height))
