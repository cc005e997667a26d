"""Parts of an answer's view: what is waited for, a model's thinking, the note that the documents do not hold it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from ui.components.basics import Card, IconLabel, LinkButton, PlainButton, QuietButton, Text
from ui.components.layout import FlowLayout, column_of, empty_layout, row_of
from ui.components.wording import describe_place
from ui.features.chat import texts
from ui.theme import tokens
from workbench.records.messages import Passage


class Waiting(QWidget):
    """A line that says what is waited for. A dot that breathes is all that moves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dot = QLabel("●")
        self._dot.setProperty("role", "muted")
        self._words = Text(texts.WAITING, "muted")
        row_of(self, self._dot, (self._words, 1), gap=tokens.SPACE_2)
        self.setFixedHeight(24)
        self._beat = QTimer(self, interval=500, timeout=self._on_beat)

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
        self.button = QuietButton(texts.THINKING, "chevron-right", small=True, checkable=True, toggled=self._on_toggled)
        self._text = Text("", "muted", textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse, visible=False)
        self._whole = ""
        column_of(self, (self.button, 0, Qt.AlignmentFlag.AlignLeft), self._text, gap=tokens.SPACE_1)
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

    nearest_wanted = Signal()
    plain_wanted = Signal()
    """The question is to be answered without documents."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        head = row_of(gap=tokens.SPACE_3)
        self.words = Text("", "reading")
        head.addWidget(IconLabel("info", "muted"), 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self.words, 1)
        self.body.addLayout(head)
        self._nearest = Text(texts.NEAREST_PASSAGES, "muted")
        self.body.addWidget(self._nearest)
        self._list = column_of(gap=0)
        self.body.addLayout(self._list)
        self.nearest_button = PlainButton(texts.SHOW_NEAREST, "eye", small=True, clicked=self.nearest_wanted)
        self.plain_button = PlainButton(texts.WITHOUT_DOCUMENTS, "chat", small=True, clicked=self.plain_wanted)
        self.plain_button.setToolTip(texts.WITHOUT_DOCUMENTS_HELP)
        buttons = QWidget()
        flow = FlowLayout(buttons, tokens.SPACE_2)
        for button in (self.nearest_button, self.plain_button):
            flow.addWidget(button)
        self.body.addWidget(buttons)
        self.hide()

    def show_note(self, words: str, passages: tuple[Passage, ...], open_source: Callable[[Passage], None]) -> None:
        self.words.setText(words)
        empty_layout(self._list)
        self._nearest.setVisible(bool(passages))
        self.nearest_button.setVisible(bool(passages))
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


def _shortened(text: str, length: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[: length - 1].rsplit(" ", 1)[0] + "…"
