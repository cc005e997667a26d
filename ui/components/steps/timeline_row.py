"""One step of an agent's timeline: its icon on the line of time, what it is, its arguments and result, and its cost."""

from __future__ import annotations

from functools import partial

import msgspec
from PySide6.QtCore import QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from ui.components.basics import ElidedLabel, IconButton, LinkButton, Text
from ui.components.layout import FlowLayout, column_of, empty_layout, row_of
from ui.components.steps import texts
from ui.components.steps.arguments import ArgumentsEditor, ArgumentTable
from ui.components.steps.readable import readable
from ui.components.wording import describe_count, describe_place, describe_seconds
from ui.components.words_editor import WordsEditor
from ui.theme import tokens
from ui.theme.theme import current_theme
from workbench.records.approvals import describe_decision, shown, tool_title
from workbench.records.timeline import CALL, Entry
from workbench.records.trace import StepAction, StepEdit
from workbench.records.visible import visible

_GUTTER, _DEPTH, _CIRCLE = 34, 22, 26  # px
_FOLDED_LINES, _FOLDED_LENGTH = 3, 280
_LONG_LINES, _LONG_LENGTH = 6, 420  # shorter texts are shown whole: a button for a line saves nothing
_SHORT = 72  # characters: a call of one short argument is shown in the line of its title
_VALUE_LINES = 4

_TOOL_ICONS = {
    "calculator": "calculator", "python": "code", "search": "search", "read": "file", "list": "folder",
    "write": "edit", "query": "table", "table": "table", "ask": "question", "remember": "memory",
}  # fmt: skip
"""By a word of the tool's name."""
_ICONS = {
    "thought": "thought",
    "plan": "plan",
    "plan-step": "plan",
    "route": "team",
    "specialist": "team",
    "round": "refresh",
    "draft": "edit",
    "check": "eye",
    "reflection": "refresh",
    "trial": "restart",
    "finding": "info",
    "note": "info",
    "edit": "edit",
    "search": "search",
    "pages": "file",
}


class TimelineRow(QWidget):
    """Takes the keyboard; ``moved`` asks for the row above (-1) or below (1)."""

    source_wanted = Signal(object)
    edit_wanted = Signal(object)
    moved = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.entry: Entry | None = None
        self._changeable = False
        self._first = self._last = False
        self._action: StepAction = "edit"
        self.title = ElidedLabel("", "strong")
        self.title.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.detail = ElidedLabel("", "muted")
        self.figures = Text("", "small", wordWrap=False)
        self.edit_button = IconButton("edit", texts.EDIT_THIS_STEP, clicked=self._on_edit)
        self.edit_button.setFixedSize(_CIRCLE, _CIRCLE)
        keep = self.edit_button.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.edit_button.setSizePolicy(keep)
        self.table: ArgumentTable | None = None
        self._table_place = column_of(gap=0)
        self.decision = Text("", "small", visible=False)
        self.result = FoldedText()
        self.note = Text("", "small", visible=False)
        self.error = Text("", "error", visible=False)
        self.passages = QWidget()
        self._passages = FlowLayout(self.passages, tokens.SPACE_1)
        self.words_editor = WordsEditor(texts.THOUGHT_TEXT, texts.GO_ON, texts.EDIT_STEP_HELP, (1, 12))
        self.words_editor.taken.connect(self._on_words)
        self.words_editor.given_up.connect(self.words_editor.hide)
        self.editor = ArgumentsEditor(texts.GO_ON)
        self.editor.taken.connect(self._on_arguments)
        self.editor.given_up.connect(self.editor.hide)
        head = row_of(None, self.title, (self.detail, 1), self.figures, self.edit_button, gap=tokens.SPACE_2)
        self._body = column_of(
            self, head, self._table_place, self.decision, self.result, self.error, self.note, self.passages,
            self.words_editor, self.editor, gap=tokens.SPACE_1,
        )  # fmt: skip
        current_theme().changed.connect(self.update)

    @property
    def seconds(self) -> float:
        return self.entry.seconds if self.entry is not None else 0.0

    @property
    def waits(self) -> bool:
        return self.entry is not None and self.entry.waits

    def set_changeable(self, changeable: bool) -> None:
        self._changeable = changeable
        self._offer_edit()

    def show_entry(self, entry: Entry, first: bool, last: bool) -> None:
        if (first, last) != (self._first, self._last):
            self._first, self._last = first, last
            self.update()
        if entry == self.entry:
            return
        before, self.entry = self.entry, entry
        step = entry.step
        left = _GUTTER + entry.depth * _DEPTH + tokens.SPACE_2
        self._body.setContentsMargins(left, tokens.SPACE_1, tokens.SPACE_1, tokens.SPACE_2)
        self.title.set_full_text(title_of(entry))
        short = _short_arguments(entry)
        state = state_of(entry)
        self.detail.set_full_text(" · ".join(part for part in (short, state) if part))
        self.figures.setText(" · ".join(_figures(entry)))
        if before is None or before.call != entry.call:
            self._show_arguments(entry, bool(short))
        decided = describe_decision(entry.decision) if entry.decision is not None and not entry.denied else ""
        said = " · ".join(words for words in (decided, entry.edit) if words)
        self.decision.setText(said)
        self.decision.setVisible(bool(said))
        self.result.show_text(_result(entry), code=step.kind == CALL)
        self.note.setText(entry.note)
        self.note.setVisible(bool(entry.note))
        self.error.setText(visible(step.error))
        self.error.setVisible(bool(step.error) and not entry.denied)
        if before is None or before.passages != entry.passages:
            self._show_passages(entry)
        self.setAccessibleName(_aloud(entry))
        self._offer_edit()
        self.update()

    @property
    def offered(self) -> tuple[StepAction, ...]:
        return self.entry.actions if self.entry is not None and self._changeable else ()

    def begin_edit(self, action: StepAction = "edit") -> None:
        """Open the editor of the step's text, or of a call's arguments or result."""
        if self.entry is None or action not in self.offered:
            return
        self._action = action
        if action == "edit" and self.entry.call is not None:
            self.words_editor.hide()
            self.editor.begin(self.entry.call.arguments)
        else:
            self.editor.hide()
            self.words_editor.begin(self.entry.step.output)

    def make_menu(self) -> QMenu:
        """What of a call can be changed."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for action in self.offered:
            menu.addAction(_CHANGES[action], partial(self.begin_edit, action))
        return menu

    # -- parts ---------------------------------------------------------------------------------------

    def _show_arguments(self, entry: Entry, in_title: bool) -> None:
        if self.table is not None:
            self._table_place.removeWidget(self.table)
            self.table.deleteLater()
            self.table = None
        if entry.call is not None and entry.call.arguments and not in_title:
            spans = entry.approval.spans if entry.approval is not None else ()
            self.table = ArgumentTable(entry.call.arguments, spans, _VALUE_LINES)
            self._table_place.addWidget(self.table)

    def _show_passages(self, entry: Entry) -> None:
        empty_layout(self._passages)
        for passage in entry.passages:
            number = f"[{passage.n}] " if passage.n else ""
            button = LinkButton(f"{number}{describe_place(passage)}", toolTip=passage.text[:300])
            button.clicked.connect(lambda _=False, p=passage: self.source_wanted.emit(p))
            self._passages.addWidget(button)
        self.passages.setVisible(bool(entry.passages))

    def _offer_edit(self) -> None:
        self.edit_button.setVisible(bool(self.offered))

    def _on_edit(self) -> None:
        if len(self.offered) > 1:
            self.make_menu().popup(self.edit_button.mapToGlobal(QPoint(0, self.edit_button.height())))
        else:
            self.begin_edit()

    def _on_words(self, text: str) -> None:
        self.words_editor.hide()
        self._send(text)

    def _on_arguments(self, arguments: dict[str, object]) -> None:
        self._send(msgspec.json.encode(arguments).decode())

    def _send(self, text: str) -> None:
        if self.entry is not None:
            self.edit_wanted.emit(StepEdit(step=self.entry.step.id, action=self._action, text=text))

    # -- keyboard and drawing --------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Up | Qt.Key.Key_Down:
                self.moved.emit(-1 if event.key() == Qt.Key.Key_Up else 1)
            case Qt.Key.Key_Space:
                self.result.toggle()
            case Qt.Key.Key_F2:
                self.begin_edit()
            case _:
                super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.entry is None:
            return
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        x = self.entry.depth * _DEPTH + _GUTTER // 2
        middle = tokens.SPACE_1 + max(self.title.sizeHint().height(), _CIRCLE) // 2 + 1
        painter.setPen(QPen(theme.colour("border"), 2))
        if not self._first:
            painter.drawLine(x, 0, x, middle - _CIRCLE // 2)
        if not self._last:
            painter.drawLine(x, middle + _CIRCLE // 2, x, self.height())
        colour = _colour(self.entry)
        circle = QRect(x - _CIRCLE // 2, middle - _CIRCLE // 2, _CIRCLE, _CIRCLE)
        painter.setPen(QPen(theme.colour(colour), 1.5))
        painter.setBrush(theme.colour("surface"))
        painter.drawEllipse(QRectF(circle).adjusted(1, 1, -1, -1))
        icon = theme.pixmap(icon_of(self.entry), colour, 16, self.devicePixelRatioF())
        place = QRect(0, 0, 16, 16)
        place.moveCenter(circle.center())
        painter.drawPixmap(place, icon)
        painter.end()


class FoldedText(QWidget):
    """A text of which only the beginning is shown where it is long, with a button for the rest."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = ""
        self._opened = False
        selectable = Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        self.words = Text("", "body", textInteractionFlags=selectable)
        self.more = LinkButton("", clicked=self.toggle)
        column_of(self, self.words, (self.more, 0, Qt.AlignmentFlag.AlignLeft), gap=0)
        self.hide()

    def show_text(self, text: str, code: bool) -> None:
        text = visible(text.strip("\n") if code else text.strip())
        if text != self._whole:
            self._whole = text
            self.words.setProperty("role", "code" if code and "\n" in text else "body")
            self._show()

    @property
    def is_long(self) -> bool:
        return len(self._whole) > _LONG_LENGTH or self._whole.count("\n") >= _LONG_LINES

    def toggle(self) -> None:
        if self.is_long:
            self._opened = not self._opened
            self._show()

    def _show(self) -> None:
        self.setVisible(bool(self._whole))
        beginning = "\n".join(self._whole.split("\n")[:_FOLDED_LINES])[:_FOLDED_LENGTH]
        folded = self.is_long and not self._opened
        self.words.setText(f"{beginning.rstrip()} …" if folded else self._whole)
        self.more.setText(texts.SHOW_REST.format(count=len(self._whole)) if folded else texts.SHOW_LESS)
        self.more.setVisible(self.is_long)


_CHANGES: dict[StepAction, str] = {"edit": texts.EDIT_CALL, "result": texts.EDIT_RESULT}
_STATES = {
    "running": texts.STEP_RUNNING,
    "done": "",
    "failed": texts.STEP_FAILED,
    "stopped": texts.STEP_STOPPED,
}


def title_of(entry: Entry) -> str:
    """``Calculator``, ``Thought``, ``Answer``, or the step's own title."""
    step = entry.step
    if step.kind == CALL:
        return tool_title(entry.call.tool) if entry.call is not None else step.title or texts.TOOL_CALL
    if step.writes_answer:
        return texts.ANSWER_STEP
    return texts.THOUGHT_STEP if step.kind == "thought" else step.title or texts.kind_name(step.kind)


def state_of(entry: Entry) -> str:
    """``Running…``, ``Waits for you``, ``Denied: not today``; "" for a step that is done."""
    if entry.denied and entry.decision is not None:
        return describe_decision(entry.decision)
    return texts.STEP_WAITS if entry.waits else _STATES[entry.step.state]


def icon_of(entry: Entry) -> str:
    step = entry.step
    if entry.waits:
        return "question" if entry.approval is not None and entry.approval.question else "shield"
    if step.writes_answer:
        return "check"
    if step.kind == CALL:
        words = (entry.call.tool if entry.call is not None else "").replace(".", "_").split("_")
        return next((icon for word, icon in _TOOL_ICONS.items() if word in words), "tool")
    return _ICONS.get(step.kind, "summary")


def _colour(entry: Entry) -> str:
    step = entry.step
    if entry.waits:
        return "attention"
    if entry.denied:
        return "muted"
    if step.state in ("failed", "running"):
        return "danger" if step.state == "failed" else "accent"
    if step.writes_answer:
        return "success"
    return "agents" if step.kind == CALL else "muted"


def _short_arguments(entry: Entry) -> str:
    """The one argument of a call, where it fits into a line: ``(3 + 5) * 2``."""
    arguments = entry.call.arguments if entry.call is not None else {}
    if len(arguments) != 1 or (entry.approval is not None and entry.approval.spans):
        return ""
    text = visible(shown(next(iter(arguments.values()))))
    return text if len(text) <= _SHORT and "\n" not in text else ""


def _result(entry: Entry) -> str:
    step = entry.step
    if step.writes_answer or step.error or entry.denied:
        return ""
    return readable(step.output)


def _figures(entry: Entry) -> list[str]:
    figures = []
    if entry.seconds:
        figures.append(f"{entry.seconds:.1f} s" if entry.seconds < 10 else describe_seconds(entry.seconds))
    if entry.new_tokens:
        figures.append(describe_count(entry.new_tokens, "token"))
    return figures


def _aloud(entry: Entry) -> str:
    """The step for a screen reader."""
    arguments = entry.call.arguments if entry.call is not None else {}
    said = [title_of(entry), *(f"{name} {visible(shown(value))}" for name, value in arguments.items())]
    decision = describe_decision(entry.decision) if entry.decision is not None and not entry.denied else ""
    parts = (
        *said,
        state_of(entry),
        decision,
        entry.edit,
        entry.step.error or _result(entry)[:_FOLDED_LENGTH],
        *_figures(entry),
    )
    return ", ".join(part for part in parts if part)
