"""Passages with their scores and how they were found: those a model was shown, or those a search found."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QWidget

from ui import texts
from ui.components.basics import Card, Chip, ElidedLabel, IconButton, Text
from ui.components.layout import column_of, row_of
from ui.components.passage_text import PassageText
from ui.components.wording import describe_place
from ui.theme import tokens
from workbench.records.messages import Passage
from workbench.records.visible import visible_name

FOUND_BY = {"words": texts.BY_WORDS, "meaning": texts.BY_MEANING, "both": texts.BY_BOTH}


class PassageCard(Card):
    """One passage; a click or Enter opens it."""

    clicked = Signal()

    def __init__(self, passage: Passage, *, ranked: bool = True, about: str = "") -> None:
        """Without ``ranked`` nothing is said of how it was found: it is not the hit of a search. Of a long passage the
        part that holds ``about`` is shown."""
        super().__init__(tokens.SPACE_3)
        self.passage = passage
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        number = f"[{passage.n}] " if passage.n else ""
        place = ElidedLabel(f"{number}{describe_place(passage)}", "strong", Qt.TextElideMode.ElideMiddle)
        words = PassageText(passage, about)
        head = QHBoxLayout()
        head.addWidget(place, 1)
        self.body.addLayout(head)
        if passage.superseded_by:
            newer = texts.NEWER_VERSION.format(name=visible_name(passage.superseded_by))
            self.body.addWidget(Text(newer, "small"))
        self.body.addWidget(words)
        if not ranked or not (passage.score or passage.similarity):  # rows of a table that was asked have neither
            self.setAccessibleName(f"{describe_place(passage)}. {words.text}")
            return
        head.addWidget(Text(f"{passage.score:.3f}", "small", wordWrap=False, toolTip=texts.SCORE_HELP))
        found = Chip(
            texts.FOUND_BY.format(value=FOUND_BY[passage.found_by]),
            "retrieval" if passage.found_by == "both" else "plain",
        )
        foot = QHBoxLayout()
        foot.addWidget(found)
        if passage.similarity is not None:
            similar = Text(texts.SIMILARITY.format(similarity=passage.similarity), "small", wordWrap=False)
            foot.addWidget(similar)
        foot.addStretch(1)
        self.body.addLayout(foot)
        self.setAccessibleName(
            texts.PASSAGE_NAME.format(
                place=describe_place(passage), score=passage.score, value=FOUND_BY[passage.found_by], text=words.text
            )
        )

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)


class PassageList(QScrollArea):
    """Cards below each other. ``opened`` sends the passage of one that was clicked."""

    opened = Signal(object)

    def __init__(self, *, ranked: bool = True) -> None:
        super().__init__()
        self._ranked = ranked
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.cards: list[PassageCard] = []

    def show_passages(
        self, passages: Sequence[Passage], nothing: str = "", between: Sequence[str] = (), about: str = ""
    ) -> None:
        """The cards of passages, or ``nothing`` where there are none; ``between`` are texts after the first ones.
        ``about`` is what the passages are shown for."""
        inner = QWidget()
        inner.setProperty("role", "page")
        column = column_of(inner, gap=tokens.SPACE_2, margins=(0, 0, tokens.SPACE_1, 0))
        self.cards = []
        for number, passage in enumerate(passages):
            card = PassageCard(passage, ranked=self._ranked, about=about)
            card.clicked.connect(lambda p=passage: self.opened.emit(p))
            column.addWidget(card)
            self.cards.append(card)
            if number < len(between):
                column.addWidget(Text(between[number], "muted", alignment=Qt.AlignmentFlag.AlignHCenter))
        if not passages and nothing:
            column.addWidget(Text(nothing, "muted"))
        column.addStretch(1)
        self.setWidget(inner)


class PassagesPanel(QFrame):
    """The passages that an answer's model was shown."""

    close_wanted = Signal()
    opened = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.close_button = IconButton("close", texts.CLOSE_PASSAGES, clicked=self.close_wanted)
        self.query = Text("", "muted")
        self.list = PassageList()
        self.list.opened.connect(self.opened)
        head = row_of(None, (Text(texts.PASSAGES, "heading"), 1), self.close_button)
        column_of(
            self,
            head,
            self.query,
            (self.list, 1),
            gap=tokens.SPACE_2,
            margins=(tokens.SPACE_4, tokens.SPACE_3, tokens.SPACE_3, tokens.SPACE_3),
        )

    def show_passages(self, query: str, passages: Sequence[Passage]) -> None:
        self.query.setText(texts.SEARCHED_FOR.format(query=query) if query else "")
        self.query.setVisible(bool(query))
        self.list.show_passages(passages)
