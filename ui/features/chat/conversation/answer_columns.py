"""Several answers that were made at once, side by side: each a column, one of them kept as the conversation's."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from ui.components.basics import Card, Chip, ElidedLabel, QuietButton, Text
from ui.components.layout import row_of
from ui.components.markdown_view import MarkdownView
from ui.components.wording import describe_count
from ui.features.chat import texts
from ui.theme import tokens
from workbench.records.messages import UNFINISHED, Candidate

LEAST_WIDTH = 250
"""Two columns fit beside history and recipe in a window of 1280 px."""
_GAP = tokens.SPACE_3
FINISHES = {
    "eos": texts.ENDED_ITSELF,
    "stop": texts.STOP_STRING,
    "length": texts.CUT_OFF,
    "grammar": texts.COMPLETE_FORM,
    "loop": texts.LOOPED_SHORT,
    "cancelled": texts.STOPPED_SHORT,
}


class AnswerColumns(QWidget):
    """As many columns beside each other as fit at ``LEAST_WIDTH`` px each; the rest stands in rows below."""

    keep_wanted = Signal(int)
    tokens_wanted = Signal(int)
    grown = Signal()
    citation_clicked = Signal(int)
    link_clicked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(texts.ANSWERS_BESIDE)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.columns: list[AnswerColumn] = []
        self._language: str | None = None
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_GAP)
        self._grid.setSizeConstraint(QGridLayout.SizeConstraint.SetNoConstraint)
        self._grid.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self._fit_soon = QTimer(self, singleShot=True, interval=0, timeout=self._fit)

    def fit_soon(self) -> None:
        """Arrange the columns anew once what they show has its size."""
        self._fit_soon.start()

    def begin(self, count: int) -> None:
        """Make place for so many answers; what stands there already stays."""
        while len(self.columns) < count:
            column = AnswerColumn(len(self.columns))
            column.text.set_language(self._language)
            column.keep_wanted.connect(self.keep_wanted)
            column.tokens_wanted.connect(self.tokens_wanted)
            column.grown.connect(self.grown)
            column.text.citation_clicked.connect(self.citation_clicked)
            column.text.link_clicked.connect(self.link_clicked)
            self.columns.append(column)
            self._grid.addWidget(column, len(self.columns), 0)
        while len(self.columns) > max(count, 0):
            gone = self.columns.pop()
            self._grid.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        self._fit()

    def set_language(self, language: str | None) -> None:
        """Show the answers as code in this language; None: as Markdown."""
        self._language = language
        for column in self.columns:
            column.text.set_language(language)

    def set_numbers(self, numbers: Collection[int]) -> None:
        """Which ``[n]`` in the answers are citations."""
        for column in self.columns:
            column.text.set_numbers(numbers)

    def add_text(self, sequence: int, piece: str) -> None:
        """Let one of the answers grow."""
        if sequence >= len(self.columns):
            self.begin(sequence + 1)
        self.columns[sequence].text.add(piece)

    def show_answers(
        self, answers: Sequence[Candidate], kept: int, numbers: Collection[int], can_keep: bool, traced: bool
    ) -> None:
        """Show answers that are done; ``kept`` is the place of the one that the conversation goes on from."""
        self.begin(len(answers))
        for column, answer in zip(self.columns, answers, strict=True):
            column.show_answer(answer, column.number == kept, numbers, can_keep, traced)
        self._fit()

    def _fit(self) -> None:
        """Share the width among as many as fit; each row is as high as its longest."""
        count = len(self.columns)
        if not count or self.width() < LEAST_WIDTH:
            return
        fitting = max(1, min(count, (self.width() + _GAP) // (LEAST_WIDTH + _GAP)))
        each = (self.width() - (fitting - 1) * _GAP) // fitting
        heights = [0] * -(-count // fitting)
        for number, column in enumerate(self.columns):
            row, place = divmod(number, fitting)
            if self._grid.itemAtPosition(row, place) is not self._grid.itemAt(self._grid.indexOf(column)):
                self._grid.removeWidget(column)
                self._grid.addWidget(column, row, place)
            column.setFixedWidth(each)
            layout = column.layout()
            assert layout is not None
            heights[row] = max(heights[row], column.sizeHint().height(), layout.totalHeightForWidth(each))
        for row in range(max(len(heights), self._grid.rowCount())):
            least = heights[row] if row < len(heights) else 0
            if self._grid.rowMinimumHeight(row) != least:
                self._grid.setRowMinimumHeight(row, least)
        height = sum(heights) + (len(heights) - 1) * _GAP
        if self.height() != height:
            self.setFixedHeight(height)

    def minimumSizeHint(self) -> QSize:
        """The columns as wide as they are now do not keep the page from becoming narrower."""
        return QSize(LEAST_WIDTH, 0)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit_soon.start()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()


class AnswerColumn(Card):
    """One answer with its number, how it ended, its score and length, and Keep."""

    keep_wanted = Signal(int)
    tokens_wanted = Signal(int)
    grown = Signal()

    def __init__(self, number: int) -> None:
        super().__init__(tokens.SPACE_3)
        self.number = number
        self._followed: object = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.title = Text(texts.CANDIDATE.format(value=number + 1), "strong", wordWrap=False)
        self.finish = Chip("", "plain", visible=False)
        self.figures = ElidedLabel(texts.GENERATING, "small")
        self.text = MarkdownView()
        self.keep_button = QuietButton(
            texts.KEEP,
            "check",
            small=True,
            accessibleName=texts.KEEP_ANSWER.format(value=number + 1),
            clicked=lambda: self.keep_wanted.emit(self.number),
        )
        self.kept_mark = Chip(texts.KEPT, "accent")
        self.tokens_button = QuietButton(
            texts.TOKENS,
            "search",
            small=True,
            accessibleName=texts.TOKENS_OF.format(value=number + 1),
            clicked=lambda: self.tokens_wanted.emit(self.number),
        )
        head = row_of(None, self.title, self.finish, None, gap=tokens.SPACE_2)
        foot = self.foot = row_of(None, self.kept_mark, self.keep_button, self.tokens_button, None, gap=tokens.SPACE_1)
        feet = QWidget()
        feet.setLayout(foot)
        feet.setFixedHeight(30)  # reserved while the answer is made
        self.body.addLayout(head)
        self.body.addWidget(self.figures)
        self.body.addWidget(self.text)
        self.body.addStretch(1)
        self.body.addWidget(feet)
        for part in (self.keep_button, self.kept_mark, self.tokens_button):
            part.hide()

    def follow(self, source: object) -> bool:
        """Whether this is another answer being made than the one that is followed; the text begins anew then."""
        if source is self._followed:
            return False
        self._followed = source
        self.text.restart()
        for part in (self.finish, self.keep_button, self.kept_mark):
            part.hide()
        self.figures.show()
        return True

    def add_piece(self, piece: str, sequence: int) -> None:
        """Let it grow by a piece of its first sequence."""
        if sequence == 0 and piece:
            self.text.add(piece)
            self.figures.set_full_text(texts.GENERATING)
        self.grown.emit()

    def show_waiting(self, words: str) -> None:
        """What is waited for before the first word."""
        if words and not self.text.text:
            self.figures.set_full_text(words)

    def show_answer(
        self, answer: Candidate, kept: bool, numbers: Collection[int], can_keep: bool, traced: bool
    ) -> None:
        self.text.set_text(answer.text, numbers)
        self.finish.setText(FINISHES[answer.finish])
        self.finish.set_tone("attention" if answer.finish in (*UNFINISHED, "cancelled") else "plain")
        self.finish.show()
        self.figures.set_full_text(describe_figures(answer))
        self.figures.setVisible(bool(self.figures.full_text))
        self.set_selected(kept)
        self.kept_mark.setVisible(kept)
        self.keep_button.setVisible(not kept and can_keep)
        self.tokens_button.setVisible(traced)
        state = texts.KEPT_STATE if kept else ""
        self.setAccessibleName(
            texts.CANDIDATE_NAME.format(value=self.number + 1, value2=FINISHES[answer.finish], state=state)
        )


def describe_figures(answer: Candidate) -> str:
    """``score -0.42 · 64 tokens``"""
    parts = []
    if answer.score is not None:
        parts.append(texts.SCORE.format(score=answer.score))
    if answer.tokens:
        parts.append(describe_count(answer.tokens, "token"))
    return " · ".join(parts)
