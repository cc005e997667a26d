"""A tree drawn from left to right, of beams or of thoughts: boxes in columns, each joined to the one before it.

``TreeCanvas`` has the scene, the scrolling, the sizes, the selection and the keys. Of which tree it is, where its nodes
stand, how each looks now and where an arrow key leads is said by a subclass. Looks are asked for when a node is drawn,
so that a tree that grows changes no node that is there already.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QPainter,
    QPainterPath,
    QPen,
    QResizeEvent,
    QTextLayout,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsItem, QGraphicsScene, QGraphicsView, QSizePolicy, QStyle, QWidget

from ui.theme.theme import current_theme

ZOOMS = (0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.25, 1.5)
LEAST_WHOLE = 0.1
"""As small as the whole tree is made on request."""
LINE, FIGURES = 17, 16
"""The heights of a line of text and of the figures below, in px."""
_RADIUS = 8
_SQUARE = 8
_WAYS = frozenset((Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End))
_SIZES = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1, Qt.Key.Key_0: 0}
_TEXT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter

Node = TypeVar("Node", bound=Hashable)


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a node is drawn. Colours are named as in the theme."""

    text: str
    figures: Sequence[str]
    """The most telling ones first: the last ones are left out where there is no room."""
    fill: str
    border: str
    tone: str
    figures_tone: str = "muted"
    border_width: int = 1
    dashed: bool = False
    struck: bool = False
    share: float | None = None
    """The length of a bar at the bottom, 0 to 1."""
    share_tone: str = ""
    square: str = ""
    """The colour of a square at the right of the text, the sign of an end."""
    edge: str = "edge"
    """The colour of the curve from its parent, while it is not on the marked path."""
    edge_dashed: bool = False


class TreeCanvas(QGraphicsView, Generic[Node]):
    """The arrow keys, Home and End go along the tree. Ctrl with + and - or the wheel scales it. Ctrl+0: as at first;
    Ctrl+9: all of it. It is as high as it makes itself."""

    selected_changed = Signal()
    chosen = Signal()
    """The person went to a node."""

    least_legible = 1.0
    """As small as the tree is made by itself, for its width."""
    most_height = 400
    pad_x, pad_top, pad_bottom = 10, 6, 8
    """Between the border of a node and what is in it."""
    reveal_top = 10
    """Between the upper edge and a node that is brought into sight."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.selected: Node | None = None
        self.marked: frozenset[Node] = frozenset()
        """The nodes of the path that matters: strong, and joined above the others."""
        self.lines = 1
        self.fonts = (sized(self.font(), 13), sized(self.font(), 13, strong=True))
        self.figures_font = sized(self.font(), 11)
        self._nodes: dict[Node, _NodeItem] = {}
        self._zoom = 1.0
        self._fits: Literal["first", "whole", "own"] = "first"
        self.setScene(QGraphicsScene(self))
        self.setInteractive(False)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.viewport().setMouseTracking(True)
        current_theme().changed.connect(self.viewport().update)

    # -- what a kind of tree says --------------------------------------------------------------------

    def lay_out(self) -> None:
        """Choose the size (``show_size``) and show the nodes (``show_nodes``), for the width that there is."""
        raise NotImplementedError

    def rect_of(self, node: Node) -> QRectF:
        """Where a node stands, in the scene."""
        raise NotImplementedError

    def parent_of(self, node: Node) -> Node | None:
        raise NotImplementedError

    def look_of(self, node: Node) -> Look:
        raise NotImplementedError

    def describe(self, node: Node) -> str:
        """A node in a sentence, for a screen reader."""
        raise NotImplementedError

    def beside(self, node: Node, key: Qt.Key) -> Node | None:
        """The node to which an arrow key, Home or End leads; None for none."""
        raise NotImplementedError

    @property
    def current(self) -> Node | None:
        """Where the keys go on from."""
        return self.selected

    # -- nodes -----------------------------------------------------------------------------------------

    def show_nodes(self, nodes: Iterable[Node]) -> None:
        """Put these nodes, and no others, where they stand now."""
        before, self._nodes = self._nodes, {}
        for node in nodes:
            item = before.pop(node, None)
            if item is None:
                item = _NodeItem(self, node)
                item.setZValue(node in self.marked)
                self.scene().addItem(item)
            parent = self.parent_of(node)
            item.put(self.rect_of(node), None if parent is None else self.rect_of(parent))
            self._nodes[node] = item
        for item in before.values():
            self.scene().removeItem(item)
        self.viewport().update()

    def mark(self, path: frozenset[Node]) -> None:
        """Draw this path above the others from now on."""
        for node in path ^ self.marked:
            if node in self._nodes:
                self._nodes[node].setZValue(node in path)
            self.viewport().update()
        self.marked = path

    def select(self, node: Node | None) -> None:
        if node != self.selected:
            self.selected = node
            self.setAccessibleDescription("" if node is None else self.describe(node))
            self.viewport().update()
            self.selected_changed.emit()

    def node_at(self, point: QPoint) -> Node | None:
        """The node at a point of the viewport."""
        return next((item.node for item in self.items(point) if isinstance(item, _NodeItem)), None)

    def box_of(self, node: Node) -> QRectF:
        """Where a node is drawn, in the viewport."""
        return self.viewportTransform().mapRect(self.rect_of(node))

    # -- size and scrolling ---------------------------------------------------------------------------

    @property
    def zoom(self) -> float:
        return self._zoom

    def choose_zoom(self, width: float, height: float) -> float:
        """The zoom of a drawing that takes at least so much room."""
        across = self.viewport().width() / width
        if self._fits == "first":
            self._zoom = min(1.0, max(across, self.least_legible))
        elif self._fits == "whole":
            self._zoom = min(1.0, max(min(across, self.most_height / height), LEAST_WHOLE))
        return self._zoom

    def show_size(self, width: float, height: float) -> None:
        """The size of the drawing. QGraphicsView reckons with the scroll bars of the style (Qt 6.11), which are wider
        than those of the style sheet: what they differ by is taken from the margin."""
        extent = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent, None, self)
        spare = max(0, extent - self.verticalScrollBar().sizeHint().width()) / self._zoom
        self.setTransform(QTransform.fromScale(self._zoom, self._zoom))
        self.setSceneRect(0, 0, width - spare, height - spare)

    def scale_by(self, sizes: int) -> None:
        """Larger or smaller by so many sizes; 0: the size at first."""
        self._fits = "own" if sizes else "first"
        if sizes > 0:
            self._zoom = next((zoom for zoom in ZOOMS if zoom > self._zoom + 0.01), ZOOMS[-1])
        elif sizes:
            self._zoom = next((zoom for zoom in reversed(ZOOMS) if zoom < self._zoom - 0.01), ZOOMS[0])
        self.lay_out()
        if self.current is not None:
            self.reveal(self.current)

    def fit_all(self) -> None:
        """So small that all of the tree is in sight."""
        self._fits = "whole"
        self.lay_out()

    def reveal(self, node: Node) -> None:
        """Bring a node into sight: from far away into the middle."""
        box, shown, margin = self.box_of(node), self.viewport().rect(), 10
        for bar, before, after in (
            (self.horizontalScrollBar(), box.left() - margin, box.right() + margin - shown.width()),
            (self.verticalScrollBar(), box.top() - self.reveal_top, box.bottom() + margin - shown.height()),
        ):
            by = before if before < 0 else max(after, 0)
            if abs(by) > bar.pageStep() / 2:
                by = (before + after) / 2
            bar.setValue(bar.value() + round(by))

    def sizeHint(self) -> QSize:
        return QSize(600, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.lay_out()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """With Ctrl it scales. Sideways it scrolls the tree; up and down the page, unless the tree is taller than its
        place."""
        turned = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.scale_by(1 if turned.y() > 0 else -1)
            event.accept()
        elif abs(turned.x()) > abs(turned.y()) or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            bar = self.horizontalScrollBar()
            bar.setValue(bar.value() - (turned.x() or turned.y()))
            event.accept()
        elif self.verticalScrollBar().maximum():
            super().wheelEvent(event)
        else:
            event.ignore()

    def event(self, event: QEvent) -> bool:
        """Ctrl with + or - is its own while it has the keyboard, not the window's."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and _sizes(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, current = Qt.Key(event.key()), self.current
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if control and key == Qt.Key.Key_9:
            self.fit_all()
        elif control and key in _SIZES:
            self.scale_by(_SIZES[key])
        elif control or key not in _WAYS or current is None:
            super().keyPressEvent(event)
        else:
            self.chosen.emit()
            node = self.beside(current, key)
            if node is not None:
                self.select(node)
                self.reveal(node)

    # -- drawing -------------------------------------------------------------------------------------

    def drawForeground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        """A ring around it while it has the keyboard."""
        if self.hasFocus():
            painter.resetTransform()
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(current_theme().colour("accent"), 2))
            painter.drawRoundedRect(QRectF(self.viewport().rect()).adjusted(1, 1, -1, -1), 4, 4)


class _NodeItem(QGraphicsItem):
    """A node with the curve from its parent."""

    def __init__(self, canvas: TreeCanvas[Any], node: Any) -> None:
        super().__init__()
        self._canvas, self.node = canvas, node
        self._box, self._parent = QRectF(), QRectF()

    def put(self, box: QRectF, parent: QRectF | None) -> None:
        parent = parent or QRectF()
        if (box, parent) != (self._box, self._parent):
            self.prepareGeometryChange()
            self._box, self._parent = box, parent

    def boundingRect(self) -> QRectF:
        area = self._box
        if not self._parent.isNull():
            area = area.united(QRectF(self._parent.right(), self._parent.center().y(), 1, 1))
        return area.adjusted(-2, -2, 2, 2)

    def shape(self) -> QPainterPath:
        path = QPainterPath()
        path.addRect(self._box)
        return path

    def paint(self, painter: QPainter, option: Any, widget: QWidget | None = None) -> None:
        look, marked = self._canvas.look_of(self.node), self.node in self._canvas.marked
        if not self._parent.isNull():
            self._draw_edge(painter, look, marked)
        theme, box = current_theme(), self._box
        style = Qt.PenStyle.DashLine if look.dashed else Qt.PenStyle.SolidLine
        painter.setPen(QPen(theme.colour(look.border), look.border_width, style))
        painter.setBrush(theme.colour(look.fill))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS, _RADIUS)
        canvas = self._canvas
        inner = box.adjusted(canvas.pad_x, canvas.pad_top, -canvas.pad_x, -canvas.pad_bottom)
        self._draw_text(painter, look, inner, marked)
        if look.share is not None:
            _draw_share(painter, box.adjusted(canvas.pad_x, 0, -canvas.pad_x, 0), look.share, look.share_tone)
        if look.square:
            square = QRectF(inner.right() - _SQUARE, inner.top() + (LINE - _SQUARE) / 2, _SQUARE, _SQUARE)
            painter.fillRect(square, theme.colour(look.square))

    def _draw_edge(self, painter: QPainter, look: Look, marked: bool) -> None:
        """A curve from the right of the parent to the left of the node."""
        start = QPointF(self._parent.right(), self._parent.center().y())
        end = QPointF(self._box.left(), self._box.center().y())
        middle = (start.x() + end.x()) / 2
        path = QPainterPath(start)
        path.cubicTo(QPointF(middle, start.y()), QPointF(middle, end.y()), end)
        style = Qt.PenStyle.DashLine if look.edge_dashed else Qt.PenStyle.SolidLine
        colour = current_theme().colour("accent" if marked else look.edge)
        painter.setPen(QPen(colour, 2.5 if marked else 1, style))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)

    def _draw_text(self, painter: QPainter, look: Look, inner: QRectF, strong: bool) -> None:
        theme, lines = current_theme(), self._canvas.lines
        font = self._canvas.fonts[strong]
        if look.struck:
            font = QFont(font)
            font.setStrikeOut(True)
        painter.setFont(font)
        painter.setPen(theme.colour(look.tone))
        room = inner.width() - (_SQUARE + 6 if look.square else 0)
        for number, line in enumerate(_wrapped(look.text, font, room, lines)):
            painter.drawText(QRectF(inner.left(), inner.top() + number * LINE, inner.width(), LINE), _TEXT, line)
        painter.setFont(self._canvas.figures_font)
        painter.setPen(theme.colour(look.figures_tone))
        metrics, figures = painter.fontMetrics(), list(look.figures)
        while len(figures) > 1 and metrics.horizontalAdvance(" · ".join(figures)) > inner.width():
            figures.pop()
        words = metrics.elidedText(" · ".join(figures), Qt.TextElideMode.ElideRight, int(inner.width()))
        painter.drawText(QRectF(inner.left(), inner.top() + lines * LINE, inner.width(), FIGURES), _TEXT, words)


def _draw_share(painter: QPainter, box: QRectF, share: float, tone: str) -> None:
    track = QRectF(box.left(), box.bottom() - 7, box.width(), 3)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(current_theme().colour("border"))
    painter.drawRoundedRect(track, 1.5, 1.5)
    track.setWidth(max(track.width() * share, 3 if share else 0))
    painter.setBrush(current_theme().colour(tone))
    painter.drawRoundedRect(track, 1.5, 1.5)


def _wrapped(text: str, font: QFont, width: float, lines: int) -> list[str]:
    """The text in one line or two, the last one cut short."""
    metrics = QFontMetricsF(font)
    if lines == 1 or metrics.horizontalAdvance(text) <= width:
        return [metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)]
    layout = QTextLayout(text, font)
    layout.beginLayout()
    line = layout.createLine()
    line.setLineWidth(width)
    cut = line.textLength()
    layout.endLayout()
    return [text[:cut].strip(), metrics.elidedText(text[cut:].strip(), Qt.TextElideMode.ElideRight, width)]


def sized(font: QFont, pixels: int, strong: bool = False) -> QFont:
    made = QFont(font)
    made.setPixelSize(pixels)
    if strong:
        made.setWeight(QFont.Weight.DemiBold)
    return made


def _sizes(event: QKeyEvent) -> bool:
    """Whether the keys make the picture larger or smaller."""
    return event.key() in _SIZES and bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
