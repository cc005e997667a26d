"""What else could have stood at a token's place: a small pane with the alternatives and their probabilities as bars."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFont, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGraphicsDropShadowEffect, QVBoxLayout, QWidget

from ui.components.basics import Text
from ui.components.recipe import texts as recipe_texts
from ui.components.recipe.probability import describe_probability, probability_of, visible
from ui.features.chat import texts
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.records.messages import Alternative, ChosenToken

_ROW = 26
_WIDTH = 300


class Alternatives(QFrame):
    """Floats over the window that it is a child of. ``chosen``: another token's id was clicked."""

    chosen = Signal(int)
    entered = Signal()
    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setProperty("role", "floating")
        self.setFixedWidth(_WIDTH)
        self._title = Text("", "strong", wordWrap=False)
        self._hint = Text("", "small")
        shadow = QGraphicsDropShadowEffect(self)
        shadow.setBlurRadius(24)
        shadow.setOffset(0, 4)
        shade = current_theme().colour("shadow")
        shade.setAlpha(60)
        shadow.setColor(shade)
        self.setGraphicsEffect(shadow)
        self.rows = _Rows()
        self.rows.chosen.connect(self.chosen)
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(tokens.SPACE_3, tokens.SPACE_2, tokens.SPACE_3, tokens.SPACE_2)
        column.setSpacing(tokens.SPACE_1)
        column.addWidget(self._title)
        column.addWidget(self.rows)
        column.addWidget(self._hint)
        self.hide()

    @property
    def title(self) -> str:
        return self._title.text()

    @property
    def hint(self) -> str:
        return self._hint.text()

    def show_token(self, token: ChosenToken, place: int) -> None:
        """Show a token's alternatives; ``place`` counts from 1."""
        if token.token < 0:
            title = recipe_texts.NEXT_TOKEN
        else:
            title = f"{visible(token.text)}  {describe_probability(probability_of(token.logprob))}"
        room = _WIDTH - 2 * tokens.SPACE_3
        self._title.setText(self._title.fontMetrics().elidedText(title, Qt.TextElideMode.ElideMiddle, room))
        self.rows.show_token(token)
        if not token.alternatives:
            words = texts.NO_ALTERNATIVES
        else:
            words = texts.TOKEN_HELP.format(place=place)
        self._hint.setText(words)
        self._hint.setFixedHeight(self._hint.heightForWidth(room))
        self.setFixedHeight(self._column.totalMinimumSize().height())

    def stand_at(self, box: QRect) -> None:
        """Stand below a rectangle of the window, or above it where there is more room, and show."""
        area = self._over.rect()
        x = min(max(tokens.SPACE_1, box.left() - tokens.SPACE_3), area.width() - self.width() - tokens.SPACE_1)
        below = box.bottom() + 3
        y = below if below + self.height() <= area.height() else box.top() - 2 - self.height()
        self.move(QPoint(x, max(0, y)))
        self.show()
        self.raise_()

    def select_next(self, by: int) -> None:
        """Go up or down among the alternatives."""
        self.rows.select_next(by)

    def choose_selected(self) -> None:
        self.rows.choose(self.rows.selected)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.entered.emit()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.left.emit()


class _Rows(QWidget):
    """A row each: the token, a bar, its probability. The one that stands in the answer cannot be chosen."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self.setAccessibleName(texts.ALTERNATIVES)
        self.alternatives: tuple[Alternative, ...] = ()
        self._standing = -1
        self.selected: int | None = None

    def show_token(self, token: ChosenToken) -> None:
        self._standing = token.token
        rows = token.alternatives
        if token.token >= 0 and rows and token.token not in [row.token for row in rows]:
            rows = (*rows, Alternative(token=token.token, text=token.text, logprob=token.logprob))
        self.alternatives = rows
        self.selected = None
        self.setFixedHeight(_ROW * len(rows))
        self.update()

    def select_next(self, by: int) -> None:
        open_rows = [row for row, other in enumerate(self.alternatives) if other.token != self._standing]
        if not open_rows:
            return
        if self.selected not in open_rows:
            self._select(open_rows[0 if by > 0 else -1])
        else:
            at = open_rows.index(self.selected) + by
            self._select(open_rows[min(max(0, at), len(open_rows) - 1)])

    def choose(self, row: int | None) -> None:
        if row is not None and row < len(self.alternatives) and self.alternatives[row].token != self._standing:
            self.chosen.emit(self.alternatives[row].token)

    def _select(self, row: int | None) -> None:
        if row == self.selected:
            return
        self.selected = row
        if row is not None:
            other = self.alternatives[row]
            share = describe_probability(probability_of(other.logprob))
            self.setAccessibleDescription(f"{visible(other.text)}, {share}")
        self.update()

    def _row_at(self, y: float) -> int | None:
        row = int(y // _ROW)
        return row if 0 <= row < len(self.alternatives) else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row = self._row_at(event.position().y())
        standing = row is not None and self.alternatives[row].token == self._standing
        self._select(None if standing else row)
        cursor = Qt.CursorShape.PointingHandCursor if self.selected is not None else Qt.CursorShape.ArrowCursor
        self.setCursor(cursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.choose(self._row_at(event.position().y()))

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH - 2 * tokens.SPACE_3, _ROW * len(self.alternatives))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font, strong = QFont(self.font()), QFont(self.font())
        strong.setWeight(QFont.Weight.DemiBold)
        width = self.width()
        named, number_width = width * 0.42, 66
        for row, other in enumerate(self.alternatives):
            y = row * _ROW
            standing = other.token == self._standing
            if row == self.selected:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.colour("accent_soft"))
                painter.drawRoundedRect(QRectF(0, y + 1, width, _ROW - 2), 5, 5)
            painter.setFont(strong if standing else font)
            painter.setPen(theme.colour("accent" if row == self.selected else "text"))
            words = painter.fontMetrics().elidedText(visible(other.text), Qt.TextElideMode.ElideRight, int(named) - 12)
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(tokens.SPACE_1, y, named, _ROW), middle | Qt.AlignmentFlag.AlignLeft, words)
            share = probability_of(other.logprob)
            room = width - named - number_width - tokens.SPACE_1
            track = QRectF(named, y + _ROW / 2 - 3, room, 6)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("sunken"))
            painter.drawRoundedRect(track, 3, 3)
            painter.setBrush(theme.colour("decoding"))
            painter.drawRoundedRect(QRectF(track.left(), track.top(), max(2.0, room * share), 6), 3, 3)
            painter.setFont(font)
            painter.setPen(theme.colour("muted"))
            number = QRectF(width - number_width - tokens.SPACE_1, y, number_width, _ROW)
            painter.drawText(
                number, middle | Qt.AlignmentFlag.AlignRight, describe_probability(share).replace("under ", "< ")
            )
        painter.end()
