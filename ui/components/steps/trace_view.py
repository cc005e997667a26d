"""The steps of an answer: a tree with time, tokens and score of each, and below it the step that is selected; those of
an agent as a timeline.

It shows a stored trace, and one that grows while the answer is generated. It asks for nothing itself.
"""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from ui.components.basics import Line, LinkButton, QuietButton, Text
from ui.components.layout import FlowLayout, column_of, empty_layout, row_of
from ui.components.steps import texts
from ui.components.steps.readable import readable
from ui.components.steps.step_actions import StepActions
from ui.components.steps.thought_canvas import ThoughtCanvas, is_given_up
from ui.components.steps.timeline_view import TimelineView
from ui.components.wording import describe_place, describe_seconds
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.records.messages import Passage
from workbench.records.thoughts import ThoughtTree, text_to_edit
from workbench.records.timeline import Timeline
from workbench.records.trace import Trace, TraceStep

MOST_ROWS = 10
"""So many rows are visible at once; more are scrolled."""

_TITLE, _SCORE, _TIME, _TOKENS = range(4)
_HEADERS = (texts.COLUMN_STEP, texts.COLUMN_SCORE, texts.COLUMN_TIME, texts.COLUMN_TOKENS)
_NARROW = 460  # px: below that only title and time have room
_INDENT = 22
_CHEVRON = 16
_STATES = {
    "running": texts.STEP_RUNNING,
    "done": "",
    "failed": texts.STEP_FAILED,
    "stopped": texts.STEP_STOPPED,
}


class TraceView(QWidget):
    """The arrow keys move through the steps: right and left open and close one. A search among thoughts is drawn as a
    tree, with the outline of all steps behind a switch; both have the same step selected. The steps of an agent are a
    timeline, with the outline behind the same switch."""

    source_wanted = Signal(object)
    """A Passage that a step found was clicked."""
    demonstration_wanted = Signal(bool)
    edit_wanted = Signal(object)
    """A StepEdit: another answer is to go on from there."""

    def __init__(self) -> None:
        super().__init__()
        self.tree = _Tree()
        self.canvas = ThoughtCanvas()
        self.timeline = TimelineView()
        self.tree_button = QuietButton(texts.TREE, "branch", small=True, checkable=True, checked=True)
        self.timeline_button = QuietButton(texts.TIMELINE, "clock", small=True, checkable=True)
        self.outline_button = QuietButton(texts.OUTLINE, "summary", small=True, checkable=True)
        self.tree_button.clicked.connect(lambda: self._show_as("tree"))
        self.timeline_button.clicked.connect(lambda: self._show_as("timeline"))
        self.outline_button.clicked.connect(lambda: self._show_as("outline"))
        self.count = Text("", "small")
        self.smaller_button = QuietButton("−", small=True, accessibleName=texts.SMALLER, toolTip=texts.SMALLER)
        self.larger_button = QuietButton("+", small=True, accessibleName=texts.LARGER, toolTip=texts.LARGER)
        self.smaller_button.clicked.connect(lambda: self.canvas.scale_by(-1))
        self.larger_button.clicked.connect(lambda: self.canvas.scale_by(1))
        self.fit_button = QuietButton(texts.FIT_ALL, small=True, toolTip=texts.FIT_ALL_HELP)
        self.fit_button.clicked.connect(self.canvas.fit_all)
        self.head = QWidget()
        row_of(self.head, self.tree_button, self.timeline_button, self.outline_button, (self.count, 1),
               self.fit_button, self.smaller_button, self.larger_button, gap=tokens.SPACE_1)  # fmt: skip
        self.changes = StepActions()
        self.changes.edit_wanted.connect(self.edit_wanted)
        self.changes.demonstration_wanted.connect(self.demonstration_wanted)
        self.details = StepDetails()
        self.details.source_wanted.connect(self.source_wanted)
        self.timeline.source_wanted.connect(self.source_wanted)
        self.timeline.edit_wanted.connect(self.edit_wanted)
        self._selected = QWidget()
        column_of(self._selected, Line(), self.changes, self.details, gap=tokens.SPACE_2)
        parts = (self.head, self.canvas, self.timeline, self.tree, self._selected)
        column_of(self, *parts, gap=tokens.SPACE_2)
        self._items: dict[str, QTreeWidgetItem] = {}
        self._shown: dict[str, TraceStep] = {}
        self._followed = True  # the newest step is selected until the person selects one
        self._has_timeline = False
        self.tree.currentItemChanged.connect(self._on_current)
        self.tree.itemExpanded.connect(self.tree.fit)
        self.tree.itemCollapsed.connect(self.tree.fit)
        self.tree.chosen.connect(self._on_chosen)
        self.canvas.chosen.connect(self._on_chosen)
        self.canvas.selected_changed.connect(lambda: self._select(self.canvas.selected))
        self.canvas.menu_wanted.connect(self.changes.open_menu)
        self.tree.menu_wanted.connect(self.changes.open_menu)
        self.changes.add_keys(self.canvas, self.tree)
        current_theme().changed.connect(self._on_theme)
        self._show_as("outline")

    @property
    def selected(self) -> TraceStep | None:
        item = self.tree.currentItem()
        return self._shown.get(item.data(_TITLE, Qt.ItemDataRole.UserRole)) if item is not None else None

    @property
    def drawn(self) -> bool:
        """Whether the tree is in sight, not the outline."""
        return self.canvas.tree is not None and self.tree_button.isChecked()

    def set_changeable(self, changeable: bool) -> None:
        """Whether another answer can go on from a step of this one."""
        self.changes.set_changeable(changeable and not self._has_timeline)
        self.timeline.set_changeable(changeable)

    def show_trace(self, trace: Trace) -> None:
        """Show the steps, again whenever there are more or they have changed; rows that did not change are left alone.

        While the answer is generated a step is open as long as it runs.
        """
        newest: QTreeWidgetItem | None = None
        changed = False
        for _, step in trace.walk():
            item = self._items.get(step.id)
            before = self._shown.get(step.id)
            if before is step:
                continue
            changed = True
            if item is None:
                item = self._items[step.id] = QTreeWidgetItem()
                item.setData(_TITLE, Qt.ItemDataRole.UserRole, step.id)
                above = self._items.get(step.parent)
                if above is not None:
                    above.addChild(item)
                else:
                    self.tree.addTopLevelItem(item)
            self._shown[step.id] = step
            _fill(item, step)
            if step.state == "running":
                item.setExpanded(True)
                newest = item
            elif before is not None and before.state == "running" and item.childCount():
                item.setExpanded(False)
            if item is self.tree.currentItem():
                self._tell(step)
        timeline = Timeline.of(trace) if changed else None
        if timeline is not None:
            self._show_timeline(timeline)
        thoughts = ThoughtTree.of(trace) if changed else None
        if thoughts is not None:
            self._show_thoughts(thoughts)
        if thoughts is not None and self._followed and self.drawn:
            self.canvas.select(thoughts.best[-1])
        elif newest is not None and self._followed:
            self.tree.setCurrentItem(newest)
        elif self.tree.currentItem() is None and trace.steps:
            self.tree.setCurrentIndex(self.tree.model().index(self.tree.topLevelItemCount() - 1, 0))
        self.tree.fit()

    def _show_thoughts(self, thoughts: ThoughtTree) -> None:
        first = self.canvas.tree is None
        self.canvas.show_tree(thoughts)
        left = sum(is_given_up(node) for node in thoughts.nodes.values())
        self.count.setText(texts.COUNT_THOUGHTS.format(count=len(thoughts.nodes) - 1, dead=left))
        if first:
            self._show_as("tree")

    def _show_timeline(self, timeline: Timeline) -> None:
        first, self._has_timeline = not self._has_timeline, True
        self.changes.set_changeable(False)  # an agent's steps are edited in the timeline
        self.timeline.show_timeline(timeline)
        if first and self.canvas.tree is None:
            self._show_as("timeline")

    def _show_as(self, view: Literal["tree", "timeline", "outline"]) -> None:
        buttons = {"tree": self.tree_button, "timeline": self.timeline_button, "outline": self.outline_button}
        for name, button in buttons.items():
            button.setChecked(name == view)
        drawn = self.canvas.tree is not None
        self.tree_button.setVisible(drawn)
        self.timeline_button.setVisible(self._has_timeline)
        self.head.setVisible(drawn or self._has_timeline)
        self.canvas.setVisible(view == "tree")
        self.timeline.setVisible(view == "timeline")
        self.tree.setVisible(view == "outline")
        self._selected.setVisible(view != "timeline")
        for button in (self.fit_button, self.smaller_button, self.larger_button):
            button.setVisible(view == "tree")
        self.tree.fit()

    def _select(self, step: str | None) -> None:
        if step is not None and step in self._items:
            self.tree.setCurrentItem(self._items[step])

    def _tell(self, step: TraceStep) -> None:
        node = self.canvas.tree.nodes.get(step.id) if self.canvas.tree is not None else None
        self.details.show_step(step, node.new_tokens if node is not None else 0)
        self.changes.show_step(step)

    def _on_chosen(self) -> None:
        self._followed = False

    def _on_current(self, item: QTreeWidgetItem | None) -> None:
        if item is not None:
            id = item.data(_TITLE, Qt.ItemDataRole.UserRole)
            self._tell(self._shown[id])
            self.canvas.select(id)

    def _on_theme(self) -> None:
        for name, item in self._items.items():
            _fill(item, self._shown[name])


class _Tree(QTreeWidget):
    """As high as its open rows, up to ``MOST_ROWS``. ``chosen``: the person selected a row."""

    chosen = Signal()
    menu_wanted = Signal(QPoint)

    def __init__(self) -> None:
        super().__init__()
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(lambda at: self.menu_wanted.emit(self.viewport().mapToGlobal(at)))
        self.setColumnCount(len(_HEADERS))
        self.setHeaderLabels(_HEADERS)
        self.setAccessibleName(texts.STEPS_OF_ANSWER)
        self.setIndentation(_INDENT)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionsClickable(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(_TITLE, QHeaderView.ResizeMode.Stretch)
        for column in (_SCORE, _TIME, _TOKENS):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
            self.headerItem().setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.itemPressed.connect(self.chosen)
        self._fitting = QTimer(self, singleShot=True, interval=0, timeout=self._fit)

    def fit(self) -> None:
        self._fitting.start()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.chosen.emit()
        super().keyPressEvent(event)

    def drawBranches(self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex) -> None:
        """A selected row is coloured from its left edge on, with the program's own chevrons."""
        if self.selectionModel().isSelected(index):
            painter.fillRect(rect, current_theme().colour("accent_soft"))
        if self.model().hasChildren(index):
            name = "chevron-down" if self.isExpanded(index) else "chevron-right"
            pixmap = current_theme().pixmap(name, "muted", _CHEVRON, self.devicePixelRatioF())
            place = QRect(0, 0, _CHEVRON, _CHEVRON)
            place.moveCenter(QPoint(rect.right() - _INDENT // 2, rect.center().y()))
            painter.drawPixmap(place, pixmap)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for column in (_SCORE, _TOKENS):
            self.setColumnHidden(column, event.size().width() < _NARROW)

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self.height())

    def _fit(self) -> None:
        rows, item = 0, self.topLevelItem(0)
        while item is not None and rows < MOST_ROWS:
            rows, item = rows + 1, self.itemBelow(item)
        height = self.sizeHintForRow(0) if rows else 0
        more = height // 2 if item is not None else 0  # half a row shows that there are more
        self.setFixedHeight(self.header().sizeHint().height() + rows * height + more + 2 * self.frameWidth() + 4)


class StepDetails(QWidget):
    """One step: what it is, its input, output and thoughts, and the passages that it found."""

    source_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.title = Text("", "strong")
        self.figures = Text("", "small")
        self.error = Text("", "error")
        self.parts = {
            name: (Text(name, "small"), _selectable()) for name in (texts.INPUT, texts.THINKING, texts.OUTPUT)
        }
        self.found = Text(texts.PASSAGES, "small")
        self.passages = QWidget()
        self._passages = FlowLayout(self.passages, tokens.SPACE_1)
        column = column_of(self, self.title, self.figures, self.error, gap=tokens.SPACE_1)
        for heading, text in self.parts.values():
            column.addWidget(heading)
            column.addWidget(text)
        column.addWidget(self.found)
        column.addWidget(self.passages)
        self._listed: tuple[Passage, ...] = ()

    def show_step(self, step: TraceStep, new_tokens: int = 0) -> None:
        """Show a step; ``new_tokens`` were computed in it where that is not its own usage."""
        self.title.setText(step.title or texts.kind_name(step.kind))
        inside = [texts.NEW_TOKENS.format(new_tokens=new_tokens)] if new_tokens else []
        self.figures.setText(" · ".join((texts.kind_name(step.kind), *figures_of(step), *inside)))
        self.error.setText(step.error)
        self.error.setVisible(bool(step.error))
        for name, said in (
            (texts.INPUT, readable(step.input)),
            (texts.THINKING, step.thought),
            (texts.OUTPUT, texts.THOUGHT_STATES.get(step.output) or readable(step.output)),
        ):
            heading, text = self.parts[name]
            if text.text() != said:
                text.setText(said)
            heading.setVisible(bool(said.strip()))
            text.setVisible(bool(said.strip()))
        self._show_passages(step.passages)

    def _show_passages(self, passages: tuple[Passage, ...]) -> None:
        if passages != self._listed:
            self._listed = passages
            empty_layout(self._passages)
            for passage in passages:
                button = LinkButton(
                    f"{f'[{passage.n}] ' if passage.n else ''}{describe_place(passage)}",
                    toolTip=passage.text[:300],
                    clicked=lambda _=False, p=passage: self.source_wanted.emit(p),
                )
                self._passages.addWidget(button)
        self.found.setVisible(bool(passages))
        self.passages.setVisible(bool(passages))


def figures_of(step: TraceStep) -> list[str]:
    """State, time, score and tokens of a step, as far as they are known."""
    figures = [_STATES[step.state]] if step.state != "done" else []
    if step.seconds:
        figures.append(_time(step))
    if step.score is not None:
        figures.append(texts.SCORE.format(score=step.score))
    if step.usage is not None:
        figures.append(texts.PROMPT_TOKENS.format(prompt_tokens=step.usage.prompt_tokens))
        figures.append(texts.NEW_TOKENS.format(new_tokens=step.usage.new_tokens))
    return figures


def _fill(item: QTreeWidgetItem, step: TraceStep) -> None:
    """The row of a step."""
    state = _STATES[step.state]
    title = (text_to_edit(step) if step.kind == "line" else "") or step.title or step.kind  # of a program: what it says
    score = f"{step.score:.2f}" if step.score is not None else ""
    new_tokens = f"{step.usage.new_tokens:,}" if step.usage is not None else ""
    for column, text in enumerate((title, score, state or _time(step), new_tokens)):
        item.setText(column, text)
    for column in (_SCORE, _TIME, _TOKENS):
        item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    item.setToolTip(_TITLE, title)
    item.setData(_TITLE, Qt.ItemDataRole.AccessibleTextRole, ", ".join((title, step.kind, *figures_of(step))))
    colour = {"failed": "danger", "running": "accent"}.get(step.state, "muted")
    item.setForeground(_TIME, current_theme().colour(colour))


def _time(step: TraceStep) -> str:
    if not step.seconds:
        return ""
    return f"{step.seconds:.2f} s" if step.seconds < 10 else describe_seconds(step.seconds)


def _selectable() -> Text:
    text = Text(
        "",
        "body",
        textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse
        | Qt.TextInteractionFlag.TextSelectableByKeyboard,
    )
    return text
