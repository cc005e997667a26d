"""A beam search drawn as a tree: steps from left to right, a lane for each beam, edges to where each came from.

It paints what is in sight only. While steps come it goes with the newest one, unless the person scrolled away.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

from ui.components.basics import Text
from ui.components.layout import column_of
from ui.components.tree_area import TreeArea, draw_edge
from ui.features.chat import texts
from ui.features.chat.traces.beam_tree import BeamTree, Place
from ui.features.chat.traces.probability import visible
from ui.theme import tokens
from ui.theme.theme import current_theme

_BOX_WIDTH, _BOX_HEIGHT = 84, 38
_GAP_X, _GAP_Y = 34, 8
_HEAD = 20  # the numbers of the steps
_MARGIN = 8
_LANES_SHOWN = 9  # eight beams and the greedy path; a window of 800 px has room for them
_AT_END = 24


class BeamView(QWidget):
    """The tree with a line below it that tells of the node that is pointed at, else of the best one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = BeamCanvas()
        self.canvas.pointed.connect(self._tell)
        self.detail = Text("", "small")
        self.detail.setMinimumHeight(5 * 15)  # reserved: what is pointed at changes, the page does not
        self.detail.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column_of(self, self.canvas, self.detail, gap=tokens.SPACE_2)

    def show_tree(self, tree: BeamTree, winner: Place | None = None) -> None:
        """Show a tree. With a ``winner`` it is done: its path is the answer; without, it still grows."""
        self.canvas.show_tree(tree, winner)
        self._tell()

    def _tell(self) -> None:
        tree, place = self.canvas.tree, self.canvas.described
        if place is None:
            self.detail.setText("")
            return
        beam = tree[place]
        state = {"alive": "", "dead": texts.BEAM_PRUNED, "ended": texts.BEAM_COMPLETE}[tree.state(place)]
        if self.canvas.winner is not None and place == self.canvas.winner:
            state = texts.BEAM_ANSWER
        if beam.greedy:
            state += texts.BEAM_GREEDY
        text = " ".join(tree.text(place).split())
        if len(text) > 220:
            text = "…" + text[-220:]
        length = place[0] + 1
        self.detail.setText(
            texts.BEAM_HELP.format(
                length=length, value=place[1] + 1, score=beam.score, value2=beam.score / length, state=state, text=text
            )
        )


class BeamCanvas(TreeArea):
    """The painted tree. Arrow keys go along it: right to the best child, left to the parent, up and down to others."""

    pointed = Signal()
    """Another node is pointed at, or none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(texts.BEAM_TREE, parent)
        self.tree = BeamTree()
        self.winner: Place | None = None
        self.following = True
        self._path: frozenset[Place] = frozenset()
        self._hovered: Place | None = None
        self._stepping = False
        self.horizontalScrollBar().valueChanged.connect(self._on_scrolled)
        self._fit()

    @property
    def described(self) -> Place | None:
        """The node to tell of: the one pointed at, else the winner, else the best of the newest step."""
        if self._hovered is not None and self._hovered in self.tree:
            return self._hovered
        return self.winner if self.winner is not None else self.tree.best()

    @property
    def hovered(self) -> Place | None:
        return self._hovered

    def show_tree(self, tree: BeamTree, winner: Place | None) -> None:
        """Show a tree, again whenever it has grown."""
        if tree is not self.tree:
            self._hovered = None
            self.following = winner is None
        self.tree, self.winner = tree, winner
        best = winner if winner is not None else tree.best()
        self._path = frozenset(tree.path(best)) if best is not None else frozenset()
        self._fit()
        if winner is not None and self.following:  # the end of a search is not where its answer ended
            across = self.horizontalScrollBar()  # at the right, so that what led to it is seen as well
            across.setValue(across.value() + round(self.box_of(winner).right() - 0.85 * self.viewport().width()))
            self.following = False
            self._reveal(winner)
        self.paint_soon.start()

    def box_of(self, place: Place) -> QRectF:
        """Where a node is drawn, in the viewport."""
        x = _MARGIN + place[0] * (_BOX_WIDTH + _GAP_X) - self.horizontalScrollBar().value()
        y = _HEAD + place[1] * (_BOX_HEIGHT + _GAP_Y) - self.verticalScrollBar().value()
        return QRectF(x, y, _BOX_WIDTH, _BOX_HEIGHT)

    def place_at(self, point: QPoint) -> Place | None:
        """The node at a point of the viewport."""
        step = (point.x() + self.horizontalScrollBar().value() - _MARGIN) // (_BOX_WIDTH + _GAP_X)
        lane = (point.y() + self.verticalScrollBar().value() - _HEAD) // (_BOX_HEIGHT + _GAP_Y)
        place = (step, lane)
        return place if place in self.tree and self.box_of(place).contains(QPointF(point)) else None

    # -- size and scrolling ---------------------------------------------------------------------------

    def _fit(self) -> None:
        shown = min(max(self.tree.lanes, 1), _LANES_SHOWN)
        bar = self.horizontalScrollBar().sizeHint().height()
        height = _HEAD + shown * (_BOX_HEIGHT + _GAP_Y) + bar
        if height != self.height():
            self.setFixedHeight(height)
        width = 2 * _MARGIN + self.tree.steps * (_BOX_WIDTH + _GAP_X) - _GAP_X
        tall = _HEAD + self.tree.lanes * (_BOX_HEIGHT + _GAP_Y)
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        following = self.following
        self._stepping = True
        across.setRange(0, max(0, width - self.viewport().width()))
        across.setPageStep(self.viewport().width())
        across.setSingleStep(_BOX_WIDTH + _GAP_X)
        down.setRange(0, max(0, tall - self.viewport().height()))
        down.setPageStep(self.viewport().height())
        down.setSingleStep(_BOX_HEIGHT + _GAP_Y)
        if following:
            across.setValue(across.maximum())
        self._stepping = False

    def _on_scrolled(self, value: int) -> None:
        if not self._stepping:
            self.following = value >= self.horizontalScrollBar().maximum() - _AT_END
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    # -- pointing ------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(self.place_at(event.position().toPoint()))

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._point_at(None)
        return super().viewportEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        at = self.described
        wanted: Place | None = None
        if at is not None:
            step, lane = at
            if event.key() == Qt.Key.Key_Left:
                wanted = self.tree.parent(at)
            elif event.key() == Qt.Key.Key_Right:
                wanted = self._child(at)
            elif event.key() == Qt.Key.Key_Up:
                wanted = (step, lane - 1)
            elif event.key() == Qt.Key.Key_Down:
                wanted = (step, lane + 1)
            elif event.key() == Qt.Key.Key_Home:
                wanted = (0, 0)
            elif event.key() == Qt.Key.Key_End:
                wanted = self.winner if self.winner is not None else self.tree.best()
            else:
                super().keyPressEvent(event)
                return
        if wanted is not None and wanted in self.tree:
            self._point_at(wanted)
            self._reveal(wanted)
        event.accept()

    def _child(self, place: Place) -> Place | None:
        """Where a node goes on: on the path of the answer where it lies on it, else its best child."""
        step, lane = place
        if step + 1 >= self.tree.steps:
            return None
        below = [(step + 1, at) for at in range(self.tree.width(step + 1))]
        children = [child for child in below if self.tree[child].parent == lane]
        return next((child for child in children if child in self._path), children[0] if children else None)

    def _point_at(self, place: Place | None) -> None:
        if place != self._hovered:
            self._hovered = place
            self.viewport().update()
            self.pointed.emit()

    def _reveal(self, place: Place) -> None:
        box = self.box_of(place)
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        if box.left() < 0:
            across.setValue(across.value() + round(box.left()) - _MARGIN)
        elif box.right() > self.viewport().width():
            across.setValue(across.value() + round(box.right() - self.viewport().width()) + _MARGIN)
        if box.top() < _HEAD:
            down.setValue(down.value() + round(box.top()) - _HEAD)
        elif box.bottom() > self.viewport().height():
            down.setValue(down.value() + round(box.bottom() - self.viewport().height()) + _GAP_Y)

    # -- drawing -------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        stride = _BOX_WIDTH + _GAP_X
        left = self.horizontalScrollBar().value()
        first = max(0, (left - _MARGIN) // stride - 1)
        last = min(self.tree.steps - 1, (left + self.viewport().width()) // stride + 1)
        points = frozenset(self.tree.path(self._hovered)) if self._hovered and self._hovered in self.tree else None
        marked = self._path if points is None else points
        for on_path in (False, True):  # the path that matters lies above the others
            for step in range(first, last + 1):
                for lane in range(self.tree.width(step)):
                    if ((step, lane) in marked) == on_path:
                        self._draw_edge(painter, (step, lane), on_path)
        for step in range(first, last + 1):
            for lane in range(self.tree.width(step)):
                self._draw_box(painter, (step, lane), (step, lane) in marked)
        self._draw_head(painter, first, last)
        self.draw_focus(painter)
        painter.end()

    def _draw_head(self, painter: QPainter, first: int, last: int) -> None:
        theme = current_theme()
        painter.fillRect(QRectF(0, 0, self.viewport().width(), _HEAD - 3), theme.colour("surface"))
        painter.setFont(self.figures_font)
        painter.setPen(theme.colour("muted"))
        for step in range(first, last + 1):
            box = self.box_of((step, 0))
            painter.drawText(
                QRectF(box.left(), 0, box.width(), _HEAD - 3), Qt.AlignmentFlag.AlignCenter, f"{step + 1:,}"
            )

    def _draw_edge(self, painter: QPainter, place: Place, marked: bool) -> None:
        parent = self.tree.parent(place)
        if parent is None:
            return
        theme = current_theme()
        dead = self.tree.state(place) == "dead"
        colour = theme.colour("accent" if marked else "border" if dead else "edge")
        draw_edge(painter, self.box_of(parent), self.box_of(place), QPen(colour, 2.5 if marked else 1))

    def _draw_box(self, painter: QPainter, place: Place, marked: bool) -> None:
        theme = current_theme()
        beam, state, box = self.tree[place], self.tree.state(place), self.box_of(place)
        dead = state == "dead" and not marked
        fill = "accent_soft" if marked else "sunken" if dead else "surface"
        edge = "accent" if marked or place == self._hovered else "border" if dead else "edge"
        painter.setPen(QPen(theme.colour(edge), 2 if place == self._hovered else 1))
        painter.setBrush(theme.colour(fill))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        inner = box.adjusted(6, 2, -6, -2)
        painter.setFont(self.fonts[marked])
        painter.setPen(theme.colour("muted" if dead else "accent" if marked else "text"))
        room = inner.width() - (14 if beam.ended else 0)
        said = "end" if beam.ended and not beam.text else visible(beam.text)
        words = painter.fontMetrics().elidedText(said, Qt.TextElideMode.ElideRight, int(room))
        half = QRectF(inner.left(), inner.top(), inner.width(), inner.height() / 2)
        painter.drawText(half, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
        painter.setFont(self.figures_font)
        painter.setPen(theme.colour("muted"))
        score = QRectF(inner.left(), half.bottom(), inner.width(), inner.height() / 2)
        figures = texts.GREEDY_SCORE.format(score=beam.score) if beam.greedy else f"{beam.score:.2f}"
        painter.drawText(score, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, figures)
        if beam.ended:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent" if marked else "muted"))
            painter.drawRect(QRectF(inner.right() - 8, half.center().y() - 4, 8, 8))
