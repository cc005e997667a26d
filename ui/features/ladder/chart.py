"""The chart of a comparison in the window: a button at each point names it, and shows its answers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from ui.features.ladder import texts
from ui.features.ladder.chart_picture import ChartPicture, ChartPoint, Looks, draw_slide
from ui.theme.theme import current_theme

_LEAST, _HEIGHT, _TALL = 240, 256, 400
_HALF = 12  # px around a point that can be pressed
_NEXT = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}


class LadderChart(QWidget):
    """``opened`` sends the name of the rung whose point was pressed. Tab comes to one point, arrows go to the others,
    from the fastest to the slowest."""

    opened = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(texts.CHART)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(_LEAST)
        self.buttons: dict[str, PointButton] = {}
        self._points: Sequence[ChartPoint] = ()
        self._unit, self._questions, self._sentence = "", 1_000, ""
        self._picture: ChartPicture | None = None
        self._height = _HEIGHT
        current_theme().changed.connect(self._lay_out)

    def show_points(self, points: Sequence[ChartPoint], unit: str, questions: int, sentence: str) -> None:
        """Show these, the fastest first. Points keep their buttons, so that the keyboard stays where it is."""
        self._points, self._unit, self._questions, self._sentence = points, unit, questions, sentence
        names = [point.name for point in points]
        for gone in set(self.buttons) - set(names):
            self.buttons.pop(gone).deleteLater()
        for point in points:
            if point.name not in self.buttons:
                button = self.buttons[point.name] = PointButton(self)
                button.clicked.connect(lambda _=False, name=point.name: self.opened.emit(name))
                button.moved.connect(lambda steps, name=point.name: self._move(name, steps))
                button.show()
            words = texts.POINT.format(
                title=point.title, quality=texts.quality(point.score, unit), time=texts.seconds(point.seconds)
            )
            self.buttons[point.name].setAccessibleName(words)
            self.buttons[point.name].setToolTip(words)
        reached = [button for button in self.buttons.values() if button.focusPolicy() & Qt.FocusPolicy.TabFocus]
        if not reached and names:
            self._reach(names[0])
        self._lay_out()

    @property
    def points(self) -> Sequence[ChartPoint]:
        return self._points

    def draw_for_slide(self, painter: QPainter, size: QSizeF) -> None:
        """Draw it with its sentence for a slide, in the light theme."""
        draw_slide(painter, size, self._sentence, self._points, self._unit, self._questions, self.font())

    def sizeHint(self) -> QSize:
        return QSize(560, self._height)

    def set_tall(self, tall: bool) -> None:
        """Take more height, where there is room."""
        self._height = _TALL if tall else _HEIGHT
        self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._picture is not None:
            self._picture.draw(QPainter(self))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        looks = Looks(current_theme().palette, self.font())
        self._picture = ChartPicture(self._points, self._unit, self._questions, QRectF(self.rect()), looks)
        for name, place in self._picture.places.items():
            self.buttons[name].put(place)
        self.update()

    def _move(self, name: str, steps: int) -> None:
        names = [point.name for point in self._points]
        self._reach(names[(names.index(name) + steps) % len(names)])

    def _reach(self, name: str) -> None:
        """Let Tab come to this point, and give it the keyboard where another one had it."""
        had = any(button.hasFocus() for button in self.buttons.values())
        for other, button in self.buttons.items():
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if other == name else Qt.FocusPolicy.ClickFocus)
        if had:
            self.buttons[name].setFocus(Qt.FocusReason.OtherFocusReason)


class PointButton(QAbstractButton):
    """Lies over a point. ``moved`` sends 1 or -1 where the person goes on to another point."""

    moved = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def put(self, centre: QPointF) -> None:
        self.setGeometry(round(centre.x()) - _HALF, round(centre.y()) - _HALF, 2 * _HALF, 2 * _HALF)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = _NEXT.get(Qt.Key(event.key()))
        if steps is not None:
            self.moved.emit(steps)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat():
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.hasFocus() or self.underMouse():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(current_theme().palette.text), 2))
            painter.drawEllipse(QRectF(self.rect()).adjusted(2, 2, -2, -2))
