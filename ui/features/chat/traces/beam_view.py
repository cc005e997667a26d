"""A beam search drawn as a tree: steps from left to right, a lane for each beam, edges to where each came from.

Nodes are made for what is in sight only. While steps come it goes with the newest one, unless the person scrolled away.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from ui.components.basics import Text
from ui.components.layout import column_of
from ui.components.recipe.probability import visible
from ui.components.tree_canvas import Look, TreeCanvas
from ui.features.chat import texts
from ui.features.chat.traces.beam_tree import BeamTree, Place
from ui.theme import tokens
from ui.theme.theme import current_theme

_BOX_WIDTH, _BOX_HEIGHT = 84, 38
_GAP_X, _GAP_Y = 34, 8
_STRIDE = _BOX_WIDTH + _GAP_X
_HEAD = 20  # the numbers of the steps
_MARGIN = 8
_LANES_SHOWN = 9  # eight beams and the greedy path; a window of 800 px has room for them
_AT_END = 24


class BeamView(QWidget):
    """The tree with a line below it that tells of the node that is pointed at, else of the best one."""

    def __init__(self) -> None:
        super().__init__()
        self.canvas = BeamCanvas()
        self.canvas.selected_changed.connect(self._tell)
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
        place = self.canvas.current
        self.detail.setText("" if place is None else self.canvas.describe(place))


class BeamCanvas(TreeCanvas[Place]):
    """Right leads to the best child, left to the parent, up and down to the others of a step, Home to the first node,
    End to the answer. The node under the mouse is selected."""

    pad_x, pad_top, pad_bottom = 6, 2, 2
    reveal_top = _HEAD

    def __init__(self) -> None:
        super().__init__(texts.BEAM_TREE)
        self.tree = BeamTree()
        self.winner: Place | None = None
        self.following = True
        self._sizing = False
        self.horizontalScrollBar().valueChanged.connect(self._on_scrolled)
        self.lay_out()

    @property
    def current(self) -> Place | None:
        """The node to tell of: the one pointed at, else the winner, else the best of the newest step."""
        if self.selected is not None and self.selected in self.tree:
            return self.selected
        return self.winner if self.winner is not None else self.tree.best()

    def show_tree(self, tree: BeamTree, winner: Place | None) -> None:
        """Show a tree, again whenever it has grown."""
        if tree is not self.tree:
            self.selected = None
            self.following = winner is None
        self.tree, self.winner = tree, winner
        self._mark_path()
        self.lay_out()
        if winner is not None and self.following:  # the end of a search is not where its answer ended
            across = self.horizontalScrollBar()  # at the right, so that what led to it is seen as well
            across.setValue(across.value() + round(self.box_of(winner).right() - 0.85 * self.viewport().width()))
            self.following = False
            self.reveal(winner)

    def select(self, node: Place | None) -> None:
        super().select(node)
        self._mark_path()

    def _mark_path(self) -> None:
        self.mark(frozenset(self.tree.path(self.current)) if self.current is not None else frozenset())

    # -- size and scrolling ---------------------------------------------------------------------------

    def lay_out(self) -> None:
        lanes = max(self.tree.lanes, 1)
        width = 2 * _MARGIN + self.tree.steps * _STRIDE - _GAP_X
        zoom = self.choose_zoom(max(width, 1), _HEAD + lanes * (_BOX_HEIGHT + _GAP_Y))
        shown = _HEAD + min(lanes, _LANES_SHOWN) * (_BOX_HEIGHT + _GAP_Y)
        height = round(shown * zoom) + self.horizontalScrollBar().sizeHint().height()
        following = self.following
        self._sizing = True
        if height != self.height():
            self.setFixedHeight(height)
        self.show_size(width, _HEAD + lanes * (_BOX_HEIGHT + _GAP_Y))
        if following:
            self.horizontalScrollBar().setValue(self.horizontalScrollBar().maximum())
        self._sizing = False
        self._show_steps()

    def _on_scrolled(self, value: int) -> None:
        if not self._sizing:
            self.following = value >= self.horizontalScrollBar().maximum() - _AT_END
            self._show_steps()

    def _show_steps(self) -> None:
        self.show_nodes((step, lane) for step in self._steps_in_sight() for lane in range(self.tree.width(step)))

    def _steps_in_sight(self) -> range:
        shown = self.mapToScene(self.viewport().rect()).boundingRect()
        first, last = int(shown.left() - _MARGIN) // _STRIDE - 1, int(shown.right()) // _STRIDE + 1
        return range(max(0, first), min(self.tree.steps, last + 1))

    # -- the tree ------------------------------------------------------------------------------------

    def rect_of(self, node: Place) -> QRectF:
        step, lane = node
        return QRectF(_MARGIN + step * _STRIDE, _HEAD + lane * (_BOX_HEIGHT + _GAP_Y), _BOX_WIDTH, _BOX_HEIGHT)

    def parent_of(self, node: Place) -> Place | None:
        return self.tree.parent(node)

    def beside(self, node: Place, key: Qt.Key) -> Place | None:
        step, lane = node
        if key == Qt.Key.Key_Right:
            return self._child(node)
        if key == Qt.Key.Key_End:
            return self.winner if self.winner is not None else self.tree.best()
        ends: dict[Qt.Key, Place] = {
            Qt.Key.Key_Up: (step, lane - 1), Qt.Key.Key_Down: (step, lane + 1), Qt.Key.Key_Home: (0, 0),
        }  # fmt: skip
        found = ends.get(key, self.tree.parent(node))
        return found if found is not None and found in self.tree else None

    def _child(self, place: Place) -> Place | None:
        """Where a node goes on: on the path of the answer where it lies on it, else its best child."""
        step, lane = place
        if step + 1 >= self.tree.steps:
            return None
        below = [(step + 1, at) for at in range(self.tree.width(step + 1))]
        children = [child for child in below if self.tree[child].parent == lane]
        best = self.winner if self.winner is not None else self.tree.best()
        path = frozenset(self.tree.path(best)) if best is not None else frozenset()
        return next((child for child in children if child in path), children[0] if children else None)

    def describe(self, node: Place) -> str:
        tree = self.tree
        beam = tree[node]
        state = {"alive": "", "dead": texts.BEAM_PRUNED, "ended": texts.BEAM_COMPLETE}[tree.state(node)]
        if node == self.winner:
            state = texts.BEAM_ANSWER
        if beam.greedy:
            state += texts.BEAM_GREEDY
        text = " ".join(tree.text(node).split())
        if len(text) > 220:
            text = "…" + text[-220:]
        length = node[0] + 1
        return texts.BEAM_HELP.format(
            length=length, value=node[1] + 1, score=beam.score, value2=beam.score / length, state=state, text=text
        )

    def look_of(self, node: Place) -> Look:
        beam, marked, selected = self.tree[node], node in self.marked, node == self.selected
        dead = self.tree.state(node) == "dead"
        quiet = dead and not marked
        return Look(
            text=texts.BEAM_END if beam.ended and not beam.text else visible(beam.text),
            figures=(texts.GREEDY_SCORE.format(score=beam.score) if beam.greedy else f"{beam.score:.2f}",),
            fill="accent_soft" if marked else "sunken" if quiet else "surface",
            border="accent" if marked or selected else "border" if quiet else "edge",
            tone="muted" if quiet else "accent" if marked else "text",
            border_width=2 if selected else 1,
            square=("accent" if marked else "muted") if beam.ended else "",
            edge="border" if dead else "edge",
        )

    def drawForeground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        """The numbers of the steps stay at the top."""
        shown = self.mapToScene(self.viewport().rect()).boundingRect()
        painter.fillRect(QRectF(shown.left(), shown.top(), shown.width(), _HEAD - 3), current_theme().colour("surface"))
        painter.setFont(self.figures_font)
        painter.setPen(current_theme().colour("muted"))
        for step in self._steps_in_sight():
            head = QRectF(self.rect_of((step, 0)).left(), shown.top(), _BOX_WIDTH, _HEAD - 3)
            painter.drawText(head, Qt.AlignmentFlag.AlignCenter, f"{step + 1:,}")
        super().drawForeground(painter, rect)

    # -- pointing ------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.select(self.node_at(event.position().toPoint()))

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self.select(None)
        return super().viewportEvent(event)
