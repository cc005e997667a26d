"""A tree of thoughts drawn as one: thoughts from left to right by their depth, each beside those from the same thought.

It paints what is in sight only, and knows nothing of what can be done with a thought. Its size is its own: a tree that
grows moves nothing around it once it is higher than ``MOST_HEIGHT``.
"""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTextLayout,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from ui.components.steps import texts
from ui.components.tree_area import TreeArea, draw_edge
from ui.theme.theme import current_theme
from workbench.records.thoughts import ThoughtNode, ThoughtTree

LEAST_HEIGHT, MOST_HEIGHT = 200, 400
_NARROWEST, _WIDEST = 108, 236
_GAP_X, _GAP_Y = 28, 10
_MARGIN = 10
_PAD = 8
_LINE, _FIGURES = 17, 16
ZOOMS = (0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.25, 1.5)
LEAST_LEGIBLE, LEAST_WHOLE = 0.75, 0.1
"""As small as the tree is made by itself, for its width; and as small as the whole of it on request."""
_LONG = 22
"""Characters; longer thoughts have two lines."""


class ThoughtCanvas(TreeArea):
    """Arrow keys go along the tree: right to the best child, left to the parent, up and down to the others of a depth;
    Home is the question, End the best thought. Ctrl with + and - or the wheel scales it. Ctrl+0: as at first, all of
    its width while that can be read; Ctrl+9: all of it."""

    selected_changed = Signal()
    chosen = Signal()
    """The person pointed at a thought."""
    menu_wanted = Signal(QPoint)
    """The menu of the selected thought, at a place of the screen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(texts.THOUGHT_TREE, parent)
        self.tree: ThoughtTree | None = None
        self.selected = ""
        self._places: dict[str, QRectF] = {}
        self._content = QSize()
        self._lines = 1
        self._zoom = 1.0
        self._fits: Literal["width", "whole", "own"] = "width"
        self.setFixedHeight(LEAST_HEIGHT)

    @property
    def node(self) -> ThoughtNode | None:
        """The selected thought."""
        return self.tree.nodes.get(self.selected) if self.tree is not None else None

    @property
    def zoom(self) -> float:
        return self._zoom

    def show_tree(self, tree: ThoughtTree) -> None:
        """Show a tree, again whenever it has grown. What is selected stays so."""
        self.tree = tree
        self._lay_out()
        self.paint_soon.start()

    def select(self, id: str) -> None:
        """Select a thought and bring it into sight."""
        if self.tree is None or id not in self.tree.nodes:
            return
        self._reveal(id)
        if id != self.selected:
            self.selected = id
            self.setAccessibleDescription(describe(self.tree, self.tree.nodes[id]))
            self.paint_soon.start()
            self.selected_changed.emit()

    def box_of(self, id: str) -> QRectF:
        """Where a thought is drawn, in the viewport."""
        place, zoom = self._places[id], self._zoom
        x, y = self.horizontalScrollBar().value(), self.verticalScrollBar().value()
        return QRectF(place.x() * zoom - x, place.y() * zoom - y, place.width() * zoom, place.height() * zoom)

    def thought_at(self, point: QPoint) -> str:
        """The thought at a point of the viewport; "" for none."""
        return next((id for id in self._places if self.box_of(id).contains(QPointF(point))), "")

    def scale(self, by: int) -> None:
        """Larger or smaller by so many sizes; 0: the size at first."""
        self._fits = "own" if by else "width"
        if by > 0:
            self._zoom = next((zoom for zoom in ZOOMS if zoom > self._zoom + 0.01), ZOOMS[-1])
        elif by:
            self._zoom = next((zoom for zoom in reversed(ZOOMS) if zoom < self._zoom - 0.01), ZOOMS[0])
        self._lay_out()
        if self.selected:
            self._reveal(self.selected)
        self.viewport().update()

    def fit_all(self) -> None:
        """So small that all of the tree is in sight."""
        self._fits = "whole"
        self._lay_out()
        self.viewport().update()

    # -- size and scrolling ---------------------------------------------------------------------------

    def _lay_out(self) -> None:
        """The boxes; as wide as there is room for, within limits."""
        tree = self.tree
        if tree is None:
            return
        depths = 1 + max(node.depth for node in tree.nodes.values())
        self._lines = 2 if any(len(node.step.title) > _LONG for node in tree.nodes.values() if node.parent) else 1
        height = 2 * _PAD + self._lines * _LINE + _FIGURES
        tops = packed(tree, height + _GAP_Y)
        bottom = max(tops.values()) + height + 2 * _MARGIN
        across = self.viewport().width() / (2 * _MARGIN + depths * (_NARROWEST + _GAP_X) - _GAP_X)
        if self._fits == "width":
            self._zoom = min(1.0, max(across, LEAST_LEGIBLE))
        elif self._fits == "whole":
            self._zoom = min(1.0, max(min(across, MOST_HEIGHT / bottom), LEAST_WHOLE))
        room = (self.viewport().width() / self._zoom - 2 * _MARGIN + _GAP_X) / max(depths, 3) - _GAP_X
        width = min(max(room, _NARROWEST), _WIDEST)
        self._places = {
            id: QRectF(_MARGIN + node.depth * (width + _GAP_X), _MARGIN + tops[id], width, height)
            for id, node in tree.nodes.items()
        }
        across = 2 * _MARGIN + depths * (width + _GAP_X) - _GAP_X
        self._content = QSize(round(across * self._zoom), round(bottom * self._zoom))
        bar = self.horizontalScrollBar().sizeHint().height()
        below = bar if self._content.width() > self.viewport().width() else 0
        wanted = min(max(self._content.height() + below, LEAST_HEIGHT), MOST_HEIGHT)
        if wanted != self.height():
            self.setFixedHeight(wanted)
        self._fit_bars()

    def _fit_bars(self) -> None:
        for bar, content, shown in (
            (self.horizontalScrollBar(), self._content.width(), self.viewport().width()),
            (self.verticalScrollBar(), self._content.height(), self.viewport().height()),
        ):
            bar.setRange(0, max(0, content - shown))
            bar.setPageStep(shown)
            bar.setSingleStep(48)

    def _reveal(self, id: str) -> None:
        box, shown = self.box_of(id), self.viewport().rect()
        for bar, before, after in (
            (self.horizontalScrollBar(), box.left() - _MARGIN, box.right() + _MARGIN - shown.width()),
            (self.verticalScrollBar(), box.top() - _MARGIN, box.bottom() + _MARGIN - shown.height()),
        ):
            by = before if before < 0 else max(after, 0)
            if abs(by) > bar.pageStep() / 2:  # from far away into the middle
                by = (before + after) / 2
            bar.setValue(bar.value() + round(by))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """With Ctrl it scales."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.scale(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
        else:
            super().wheelEvent(event)

    # -- pointing ------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if at := self.thought_at(event.position().toPoint()):
            self.chosen.emit()
            self.select(at)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            at = self.thought_at(event.pos())
            self.select(at)
        else:
            at = self.selected
        if at:
            self.chosen.emit()
            where = (
                event.pos() if event.reason() == QContextMenuEvent.Reason.Mouse else self.box_of(at).center().toPoint()
            )
            self.menu_wanted.emit(self.viewport().mapToGlobal(where))

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and self.tree is not None:
            at = self.thought_at(self.viewport().mapFromGlobal(event.globalPos()))  # type: ignore[attr-defined]
            self.viewport().setToolTip(describe(self.tree, self.tree.nodes[at]) if at else "")
        return super().viewportEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        tree, key = self.tree, event.key()
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if control and key == Qt.Key.Key_9:
            self.fit_all()
            return
        sizes = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1, Qt.Key.Key_0: 0}
        if control and key in sizes:
            self.scale(sizes[Qt.Key(key)])
            return
        node = self.node
        if tree is None or node is None or control:
            super().keyPressEvent(event)
            return
        wanted = self._beside(tree, node, Qt.Key(key))
        if wanted is None:
            super().keyPressEvent(event)
            return
        self.chosen.emit()
        self.select(wanted)

    def _beside(self, tree: ThoughtTree, node: ThoughtNode, key: Qt.Key) -> str | None:
        """The thought to which a key leads; "" where there is none; None for other keys."""
        id = node.step.id
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            level = [name for name, one in tree.nodes.items() if one.depth == node.depth]
            level.sort(key=lambda name: self._places[name].y())
            place = level.index(id) + (1 if key == Qt.Key.Key_Down else -1)
            return level[place] if 0 <= place < len(level) else ""
        below = tree.children[id]
        best = max(below, key=lambda name: (name in tree.best, tree.nodes[name].step.score or 0.0), default="")
        return {
            Qt.Key.Key_Left: node.parent,
            Qt.Key.Key_Right: best,
            Qt.Key.Key_Home: next(iter(tree.nodes)),
            Qt.Key.Key_End: tree.best[-1],
        }.get(key)

    # -- drawing -------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tree = self.tree
        if tree is not None:
            shown = QRectF(self.viewport().rect())
            best = frozenset(tree.best)
            painter.save()
            painter.translate(-self.horizontalScrollBar().value(), -self.verticalScrollBar().value())
            painter.scale(self._zoom, self._zoom)
            for on_path in (False, True):  # the best path lies above the others
                for id, node in tree.nodes.items():
                    if node.parent and (id in best) == on_path:
                        self._draw_edge(painter, node, on_path)
            for id, node in tree.nodes.items():
                if self.box_of(id).intersects(shown):
                    self._draw_box(painter, node, id in best)
            painter.restore()
        self.draw_focus(painter)
        painter.end()

    def _draw_edge(self, painter: QPainter, node: ThoughtNode, best: bool) -> None:
        colour = "accent" if best else "border" if is_given_up(node) else "edge"
        style = Qt.PenStyle.DashLine if node.state == "pruned" else Qt.PenStyle.SolidLine
        pen = QPen(current_theme().colour(colour), 2.5 if best else 1, style)
        draw_edge(painter, self._places[node.parent], self._places[node.step.id], pen)

    def _draw_box(self, painter: QPainter, node: ThoughtNode, best: bool) -> None:
        theme, box = current_theme(), self._places[node.step.id]
        left, selected = is_given_up(node), node.step.id == self.selected
        fill = "success_soft" if node.state == "solved" else "accent_soft" if best else "sunken" if left else "surface"
        edge = "accent" if selected or best or node.state == "running" else "border" if left else "edge"
        dashed = node.state in ("running", "pruned") and not selected
        style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
        painter.setPen(QPen(theme.colour(edge), 3 if selected else 1, style))
        painter.setBrush(theme.colour(fill))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        inner = box.adjusted(_PAD + 2, _PAD - 2, -_PAD - 2, -_PAD)
        tone = "success" if node.state == "solved" else "muted" if left else "text"
        painter.setPen(theme.colour(tone))
        font = self.fonts[best]
        font.setStrikeOut(node.state == "pruned")
        painter.setFont(font)
        for number, line in enumerate(self._wrapped(painter, words_of(node), inner.width())):
            place = QRectF(inner.left(), inner.top() + number * _LINE, inner.width(), _LINE)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, line)
        font.setStrikeOut(False)
        painter.setFont(self.figures_font)
        painter.setPen(theme.colour(tone if node.state == "solved" else "muted"))
        parts = figures_of(node)
        while len(parts) > 1 and painter.fontMetrics().horizontalAdvance(" · ".join(parts)) > inner.width():
            parts.pop()
        figures = painter.fontMetrics().elidedText(" · ".join(parts), Qt.TextElideMode.ElideRight, int(inner.width()))
        below = QRectF(inner.left(), inner.top() + self._lines * _LINE, inner.width(), _FIGURES)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, figures)
        if node.parent and node.step.score is not None:
            self._draw_score(painter, box, min(max(node.step.score, 0.0), 1.0), tone if tone != "text" else "accent")

    @staticmethod
    def _draw_score(painter: QPainter, box: QRectF, score: float, token: str) -> None:
        """How promising it is, as the length of a line at the bottom."""
        track = QRectF(box.left() + _PAD + 2, box.bottom() - 7, box.width() - 2 * _PAD - 4, 3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(current_theme().colour("border"))
        painter.drawRoundedRect(track, 1.5, 1.5)
        track.setWidth(max(track.width() * score, 3 if score else 0))
        painter.setBrush(current_theme().colour(token))
        painter.drawRoundedRect(track, 1.5, 1.5)

    def _wrapped(self, painter: QPainter, text: str, width: float) -> list[str]:
        """The text in as many lines as there is room for, the last one cut short."""
        metrics = painter.fontMetrics()
        if self._lines == 1 or metrics.horizontalAdvance(text) <= width:
            return [metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(width))]
        layout = QTextLayout(text, painter.font())
        layout.setTextOption(QTextOption())
        layout.beginLayout()
        line = layout.createLine()
        line.setLineWidth(width)
        cut = line.textLength()
        layout.endLayout()
        rest = metrics.elidedText(text[cut:].strip(), Qt.TextElideMode.ElideRight, int(width))
        return [text[:cut].strip(), rest]


def packed(tree: ThoughtTree, stride: float) -> dict[str, float]:
    """How far down each thought is, from 0: siblings in the order in which they came, a parent in the middle of its
    children, the best path of a search that has ended a straight line, subtrees as close as their thoughts of the same
    depth allow, at least ``stride`` apart (after Reingold and Tilford 1981, Tidier Drawings of Trees)."""
    straight = frozenset(tree.best if tree.nodes[tree.best[0]].state != "running" else ())
    offsets: dict[str, float] = {}  # from the parent
    contours: dict[str, dict[int, tuple[float, float]]] = {}  # by depth the first and the last place, from the thought
    for id in reversed(tree.nodes):  # children come after their parents
        depth, below = tree.nodes[id].depth, tree.children[id]
        joined: dict[int, tuple[float, float]] = {}
        for child in below:
            own = contours.pop(child)
            shared = joined.keys() & own.keys()
            offsets[child] = max((joined[at][1] - own[at][0] + stride for at in shared), default=0.0)
            for at, (top, bottom) in own.items():
                first = joined[at][0] if at in joined else top + offsets[child]
                joined[at] = (first, bottom + offsets[child])
        middle = (offsets[below[0]] + offsets[below[-1]]) / 2 if below else 0.0
        middle = next((offsets[child] for child in below if child in straight), middle)
        for child in below:
            offsets[child] -= middle
        contours[id] = {depth: (0.0, 0.0)} | {at: (top - middle, end - middle) for at, (top, end) in joined.items()}
    places: dict[str, float] = {}
    for id, node in tree.nodes.items():
        places[id] = places[node.parent] + offsets[id] if node.parent else 0.0
    least = min(places.values())
    return {id: place - least for id, place in places.items()}


def is_given_up(node: ThoughtNode) -> bool:
    """Whether the search has dropped it."""
    return node.state in ("dead end", "pruned", "stopped")


def words_of(node: ThoughtNode) -> str:
    return " ".join(node.step.title.split()) if node.parent else texts.THE_QUESTION


def figures_of(node: ThoughtNode) -> list[str]:
    """Score, state, tokens and time, the most telling ones first."""
    score = [f"{node.step.score:.2f}"] if node.parent and node.step.score is not None else []
    searches = not node.parent and node.state == "running"
    state = texts.SEARCHING_THOUGHTS if searches else texts.THOUGHT_STATES[node.state]
    edit = {"expand": texts.EXPANDED, "edit": texts.CHANGED}.get(node.edit or "", "")
    tokens = texts.SHORT_TOKENS.format(count=node.new_tokens) if node.new_tokens else ""
    seconds = f"{node.step.seconds:.1f} s" if node.step.seconds >= 0.05 else ""
    return score + [figure for figure in (state, edit, tokens, seconds) if figure]


def describe(tree: ThoughtTree, node: ThoughtNode) -> str:
    """A thought in a sentence: what it says, its figures, and where it is in the tree."""
    best = [texts.ON_BEST_PATH] if node.step.id in tree.best else []
    return " · ".join((words_of(node), *figures_of(node), *best))
