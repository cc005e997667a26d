"""A tree of thoughts drawn as one: thoughts from left to right by their depth, each beside those from the same thought.

It knows nothing of what can be done with a thought. Its size is its own: a tree that grows moves nothing around it once
it is as high as it may be.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QMouseEvent

from ui.components.steps import texts
from ui.components.tree_canvas import FIGURES, LINE, Look, TreeCanvas
from ui.components.wording import describe_count
from workbench.records.thoughts import ThoughtNode, ThoughtTree

LEAST_HEIGHT = 200
_NARROWEST, _WIDEST = 108, 236
_GAP_X, _GAP_Y = 28, 10
_MARGIN = 10
_PAD = 8
_LONG = 22
"""Characters; longer thoughts have two lines."""


class ThoughtCanvas(TreeCanvas[str]):
    """Right leads to the best child, left to the parent, up and down to the others of a depth, Home to the question,
    End to the best thought. At first it is as wide as there is room, while that can be read."""

    menu_wanted = Signal(QPoint)
    """The menu of the selected thought, at a place of the screen."""

    least_legible = 0.75

    def __init__(self) -> None:
        super().__init__(texts.THOUGHT_TREE)
        self.tree: ThoughtTree | None = None
        self._places: dict[str, QRectF] = {}
        self.setFixedHeight(LEAST_HEIGHT)

    def show_tree(self, tree: ThoughtTree) -> None:
        """Show a tree, again whenever it has grown. What is selected stays so."""
        self.tree = tree
        if self.selected not in tree.nodes:
            self.selected = None
        self.mark(frozenset(tree.best))
        self.lay_out()

    def select(self, id: str | None) -> None:
        """Select a thought and bring it into sight."""
        if self.tree is not None and id in self.tree.nodes:
            self.reveal(id)
            super().select(id)

    def lay_out(self) -> None:
        """The boxes are as wide as there is room for, within limits."""
        tree = self.tree
        if tree is None:
            return
        columns = max(node.depth for node in tree.nodes.values()) + 1
        self.lines = 2 if any(len(node.step.title) > _LONG for node in tree.nodes.values() if node.parent) else 1
        height = 2 * _PAD + self.lines * LINE + FIGURES
        tops = packed(tree, height + _GAP_Y)
        bottom = max(tops.values()) + height + 2 * _MARGIN
        zoom = self.choose_zoom(2 * _MARGIN + columns * (_NARROWEST + _GAP_X) - _GAP_X, bottom)
        room = (self.viewport().width() / zoom - 2 * _MARGIN + _GAP_X) / max(columns, 3) - _GAP_X
        width = min(max(room, _NARROWEST), _WIDEST)
        self._places = {
            id: QRectF(_MARGIN + node.depth * (width + _GAP_X), _MARGIN + tops[id], width, height)
            for id, node in tree.nodes.items()
        }
        across = 2 * _MARGIN + columns * (width + _GAP_X) - _GAP_X
        bar = self.horizontalScrollBar().sizeHint().height()
        below = bar if round(across * zoom) > self.viewport().width() else 0
        wanted = min(max(round(bottom * zoom) + below, LEAST_HEIGHT), self.most_height)
        if wanted != self.height():
            self.setFixedHeight(wanted)
        self.show_size(across, bottom)
        self.show_nodes(tree.nodes)

    def rect_of(self, node: str) -> QRectF:
        return self._places[node]

    def parent_of(self, node: str) -> str | None:
        assert self.tree is not None
        return self.tree.nodes[node].parent or None

    def describe(self, node: str) -> str:
        """What a thought says, its figures, and where it is in the tree."""
        assert self.tree is not None
        thought = self.tree.nodes[node]
        best = [texts.ON_BEST_PATH] if node in self.tree.best else []
        return " · ".join((words_of(thought), *figures_of(thought), *best))

    def beside(self, node: str, key: Qt.Key) -> str | None:
        tree = self.tree
        assert tree is not None
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            level = [name for name, one in tree.nodes.items() if one.depth == tree.nodes[node].depth]
            level.sort(key=lambda name: self._places[name].y())
            place = level.index(node) + (1 if key == Qt.Key.Key_Down else -1)
            return level[place] if 0 <= place < len(level) else None
        if key == Qt.Key.Key_Right:
            below = tree.children[node]
            return max(below, key=lambda id: (id in tree.best, tree.nodes[id].step.score or 0.0), default=None)
        ends = {Qt.Key.Key_Home: next(iter(tree.nodes)), Qt.Key.Key_End: tree.best[-1]}
        return ends.get(key, self.parent_of(node))

    def look_of(self, node: str) -> Look:
        assert self.tree is not None
        thought, best, selected = self.tree.nodes[node], node in self.marked, node == self.selected
        left, state = is_given_up(thought), thought.state
        tone = "success" if state == "solved" else "muted" if left else "text"
        score = thought.step.score if thought.parent else None
        return Look(
            text=words_of(thought),
            figures=figures_of(thought),
            fill="success_soft" if state == "solved" else "accent_soft" if best else "sunken" if left else "surface",
            border="accent" if selected or best or state == "running" else "border" if left else "edge",
            tone=tone,
            figures_tone=tone if state == "solved" else "muted",
            border_width=3 if selected else 1,
            dashed=state in ("running", "pruned") and not selected,
            struck=state == "pruned",
            share=None if score is None else min(max(score, 0.0), 1.0),
            share_tone="accent" if tone == "text" else tone,
            edge="border" if left else "edge",
            edge_dashed=state == "pruned",
        )

    # -- pointing ------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = self.node_at(event.position().toPoint())
        if at is not None:
            self.chosen.emit()
            self.select(at)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        at = self.node_at(event.pos()) if by_mouse else self.selected
        if at is not None:
            self.select(at)
            self.chosen.emit()
            where = event.pos() if by_mouse else self.box_of(at).center().toPoint()
            self.menu_wanted.emit(self.viewport().mapToGlobal(where))

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            at = self.node_at(self.viewport().mapFromGlobal(event.globalPos()))  # type: ignore[attr-defined]
            self.viewport().setToolTip("" if at is None else self.describe(at))
        return super().viewportEvent(event)


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
    tokens = describe_count(node.new_tokens, "token") if node.new_tokens else ""
    seconds = f"{node.step.seconds:.1f} s" if node.step.seconds >= 0.05 else ""
    return score + [figure for figure in (state, edit, tokens, seconds) if figure]
