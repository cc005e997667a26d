"""The drawings of formulas in the window: asked of the core, kept within limits, and put into texts as objects.

There is one ``Formulas`` for a QApplication, its child: ``current_formulas()`` finds it. Without a core every formula
stays its source.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QObject, QPointF, QRect, QRectF, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFont,
    QFontMetrics,
    QPainter,
    QPixmap,
    QPyTextObject,
    QTextCharFormat,
    QTextDocument,
    QTextFormat,
)
from PySide6.QtWidgets import QApplication

from ui import texts
from ui.components.formula_text import formula_of
from ui.theme.theme import current_theme
from workbench.records.formulas import FORMULA_COLOUR, DrawnFormula, Formula
from workbench.subjects.formulas.calls import DrawFormulas

if TYPE_CHECKING:
    from ui.bridge import Bridge

FORMULA_OBJECT = int(QTextFormat.ObjectTypes.UserObject) + 1
SOURCE = int(QTextFormat.Property.UserProperty) + 10
"""The source of a formula, on an object that stands for it, and on the text of one that is not drawn yet."""

OBJECT = "\ufffc"
_SIZE, _WIDTH, _HEIGHT, _DEPTH = (int(QTextFormat.Property.UserProperty) + number for number in range(11, 15))
_MOST_DRAWN = 2_000
_LARGEST_PIXMAPS = 24_000_000  # bytes
_AT_ONCE = 12
_LARGER = 1.12
"""The letters of the formulas' font are smaller than those of most fonts of the same size."""
_WIDEST = 1_150
"""Pixels that a formula may be wide; it is drawn smaller where its column is narrower, and a wider one could not be
read then."""


class Formulas(QObject):
    """``drawn`` tells that drawings have come. Both caches are bounded, and what was used longest ago goes first."""

    drawn = Signal()

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self.setObjectName("formulas")
        self._bridge: Bridge | None = None
        self._known: OrderedDict[Formula, DrawnFormula] = OrderedDict()
        self._wanted: dict[Formula, None] = {}
        self._asking = False
        self._pixmaps: OrderedDict[tuple[Formula, float, str, float], QPixmap] = OrderedDict()
        self._bytes = 0
        self._turn = QTimer(self, singleShot=True, interval=0, timeout=self._ask)
        self.objects = FormulaObjects(self)

    def draw_with(self, bridge: Bridge | None) -> None:
        """Ask this core for drawings from now on; what is kept is forgotten."""
        self._bridge, self._asking, self._bytes = bridge, False, 0
        for kept in (self._known, self._wanted, self._pixmaps):
            kept.clear()

    def find(self, source: str) -> DrawnFormula | None:
        """The drawing of a formula with its delimiters, or a reason in its place; None where it is not known yet: then
        it is asked for, and ``drawn`` tells of it."""
        formula = formula_of(source)
        known = self._known.get(formula)
        if known is not None:
            self._known.move_to_end(formula)
        elif self._bridge is not None:
            self._wanted[formula] = None
            if not self._asking and not self._turn.isActive():
                self._turn.start()
        return known

    def prepare(self, sources: Iterable[str], then: Callable[[], None], most_ms: int, owner: QObject) -> bool:
        """Call ``then`` as soon as the drawings of these formulas are known, or after ``most_ms``: at once where none
        is missing; never where ``owner`` has gone. Returns whether it waits."""
        missing = [source for source in dict.fromkeys(sources) if self.find(source) is None]
        if self._bridge is None or not missing:
            then()
            return False
        _Waiting(self, [formula_of(source) for source in missing], then, most_ms, owner)
        return True

    def knows(self, formula: Formula) -> bool:
        return formula in self._known

    def pixmap(self, source: str, size: float, colour: str, ratio: float) -> QPixmap | None:
        """A drawing in pixels of the screen, for a font of ``size`` logical pixels."""
        key = (formula_of(source), size, colour, ratio)
        made = self._pixmaps.get(key)
        if made is not None:
            self._pixmaps.move_to_end(key)
            return made
        drawn = self.find(source)
        if drawn is None or drawn.reason:
            return None
        made = self._pixmaps[key] = _paint(drawn, size, colour, ratio)
        self._bytes += _weight(made)
        while self._bytes > _LARGEST_PIXMAPS and len(self._pixmaps) > 1:
            self._bytes -= _weight(self._pixmaps.popitem(last=False)[1])
        return made

    def _ask(self) -> None:
        if self._bridge is None or self._asking or not self._wanted:
            return
        asked = tuple(self._wanted)[:_AT_ONCE]
        self._asking = True
        self._bridge.call(
            DrawFormulas(formulas=asked), lambda made: self._take(asked, made), lambda _: self._take(asked, ()), self
        )

    def _take(self, asked: tuple[Formula, ...], made: tuple[DrawnFormula, ...]) -> None:
        """Keep what has come. What a failed call asked for is asked for again when it is shown again."""
        self._asking = False
        for formula in asked:
            self._wanted.pop(formula, None)
        for formula, drawn in zip(asked, made, strict=False):
            self._known[formula] = drawn
        while len(self._known) > _MOST_DRAWN:
            self._known.popitem(last=False)
        if self._wanted:
            self._turn.start()
        if made:
            self.drawn.emit()


class _Waiting(QObject):
    """Waits for drawings, once."""

    def __init__(
        self, formulas: Formulas, missing: Sequence[Formula], then: Callable[[], None], most_ms: int, owner: QObject
    ) -> None:
        super().__init__(owner)
        self._formulas, self._missing, self._then = formulas, missing, then
        self._limit = QTimer(self, singleShot=True, interval=most_ms, timeout=self._end)
        self._limit.start()
        formulas.drawn.connect(self._on_drawn)

    def _on_drawn(self) -> None:
        if all(self._formulas.knows(formula) for formula in self._missing):
            self._end()

    def _end(self) -> None:
        self._limit.stop()
        self._formulas.drawn.disconnect(self._on_drawn)
        self.deleteLater()
        self._then()


def current_formulas() -> Formulas:
    """The application's formulas; made on first use. Raises RuntimeError before there is a QApplication."""
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        raise RuntimeError("there is no QApplication yet")
    found = application.findChild(Formulas, "formulas", Qt.FindChildOption.FindDirectChildrenOnly)
    return found if isinstance(found, Formulas) else Formulas(application)


def formula_format(source: str, drawn: DrawnFormula, size: int, colour: str) -> QTextCharFormat:
    """The format of the object that stands for a drawn formula in text of ``size`` px.

    Qt puts an object as far below the baseline as the descent of its font is: so its font is one whose descent is
    nearest above the depth of the formula, and the object is drawn that much higher.
    """
    made = QTextCharFormat()
    made.setObjectType(FORMULA_OBJECT)
    made.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignBaseline)
    made.setProperty(SOURCE, source)
    for name, value in ((_SIZE, size), (_WIDTH, drawn.width), (_HEIGHT, drawn.height), (_DEPTH, drawn.depth)):
        made.setProperty(name, float(value))  # its layout does not depend on what is still kept
    made.setProperty(QTextFormat.Property.FontPixelSize, _font_for(drawn.depth * size * _LARGER))
    made.setForeground(current_theme().colour("text"))
    made.setToolTip("")
    return made


def reason_against(drawn: DrawnFormula, size: int) -> str:
    """Why a formula is shown as its source in text of ``size`` px; "" where it is not."""
    return drawn.reason or (texts.FORMULA_TOO_WIDE if drawn.width * size * _LARGER > _WIDEST else "")


def _font_for(depth: float) -> int:
    font = QFont(QApplication.font())
    size = 2
    for size in range(2, 400):
        font.setPixelSize(size)
        if QFontMetrics(font).descent() >= depth:
            break
    return size


class FormulaObjects(QPyTextObject):
    """Measures and draws the objects of formulas in text documents."""

    def __init__(self, formulas: Formulas) -> None:
        super().__init__(formulas)
        self._formulas = formulas

    def intrinsicSize(self, document: QTextDocument, position: int, style: QTextFormat) -> QSizeF:
        scale = _scale(document, style)
        above = (style.doubleProperty(_HEIGHT) - style.doubleProperty(_DEPTH)) * scale
        return QSizeF(math.ceil(style.doubleProperty(_WIDTH) * scale), math.ceil(above) + _descent(style))

    def drawObject(
        self, painter: QPainter, area: QRectF | QRect, document: QTextDocument, position: int, style: QTextFormat
    ) -> None:
        scale, ratio = _scale(document, style), painter.device().devicePixelRatioF()
        colour = style.toCharFormat().foreground().color().name()
        pixmap = self._formulas.pixmap(str(style.property(SOURCE)), scale, colour, ratio)
        if pixmap is None:
            return
        above = (style.doubleProperty(_HEIGHT) - style.doubleProperty(_DEPTH)) * scale
        area = QRectF(area)
        top = area.bottom() - _descent(style) - above
        painter.drawPixmap(QPointF(_whole(area.left(), ratio), _whole(top, ratio)), pixmap)


def _descent(style: QTextFormat) -> int:
    return QFontMetrics(style.toCharFormat().font()).descent()


def _scale(document: QTextDocument, style: QTextFormat) -> float:
    """The size of a formula's font in px: smaller where the column is narrower than the formula."""
    scale = style.doubleProperty(_SIZE) * _LARGER
    room = document.textWidth() - 2 * document.documentMargin()
    return min(scale, (room - 2) / style.doubleProperty(_WIDTH)) if room > 2 else scale


def _whole(place: float, ratio: float) -> float:
    """The nearest whole pixel of the screen: drawings are not blurred between two."""
    return round(place * ratio) / ratio


def _paint(drawn: DrawnFormula, size: float, colour: str, ratio: float) -> QPixmap:
    from PySide6.QtSvg import QSvgRenderer  # only here: a window without formulas starts without it

    svg = drawn.svg.replace(FORMULA_COLOUR, colour)
    width, height = (max(1, math.ceil(part * size * ratio)) for part in (drawn.width, drawn.height))
    pixmap = QPixmap(width, height)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    area = QRectF(0, 0, drawn.width * size * ratio, drawn.height * size * ratio)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, area)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _weight(pixmap: QPixmap) -> int:
    return 4 * pixmap.width() * pixmap.height()
