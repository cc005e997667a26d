"""What a person can do with a step: expand a thought, prune it, or edit it; from there another answer goes on."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from ui.components.basics import PlainButton
from ui.components.layout import column_of, row_of
from ui.components.steps import texts
from ui.components.words_editor import WordsEditor
from ui.theme import tokens
from workbench.records.thoughts import actions_on, text_to_edit
from workbench.records.trace import StepAction, StepEdit, TraceStep

_ACTIONS: dict[StepAction, tuple[str, str, Qt.Key]] = {
    "expand": (texts.EXPAND, "plus", Qt.Key.Key_Insert),
    "prune": (texts.PRUNE, "close", Qt.Key.Key_Delete),
    "edit": (texts.EDIT_STEP, "edit", Qt.Key.Key_F2),
}


class StepActions(QWidget):
    """A button for each action that the shown step has, and the editor of its text. Hidden where there is none."""

    edit_wanted = Signal(object)
    """A StepEdit."""
    demonstration_wanted = Signal(bool)
    """Save the program of this answer as a demonstration; False: remove it again."""

    def __init__(self) -> None:
        super().__init__()
        self._step: TraceStep | None = None
        self._changeable = self._demonstrated = False
        self.buttons: dict[StepAction, PlainButton] = {}
        row = row_of(gap=tokens.SPACE_2)
        for action, (words, icon, _) in _ACTIONS.items():
            button = PlainButton(words, icon, small=True, toolTip=texts.STEP_ACTIONS_HELP[action])
            button.clicked.connect(lambda _=False, action=action: self.do(action))
            self.buttons[action] = button
            row.addWidget(button)
        self.demonstration_button = PlainButton(texts.SAVE_DEMONSTRATION, "pin", small=True)
        self.demonstration_button.clicked.connect(lambda: self.demonstration_wanted.emit(not self._demonstrated))
        row.addWidget(self.demonstration_button)
        row.addStretch(1)
        self.editor = WordsEditor(texts.THOUGHT_TEXT, texts.GO_ON, texts.EDIT_STEP_HELP, (1, 12))
        self.editor.taken.connect(self._on_taken)
        self.editor.given_up.connect(self.editor.hide)
        column_of(self, row, self.editor, gap=tokens.SPACE_2)
        self._offer()

    @property
    def offered(self) -> tuple[StepAction, ...]:
        return actions_on(self._step) if self._step is not None and self._changeable else ()

    def set_changeable(self, changeable: bool) -> None:
        self._changeable = changeable
        self._offer()

    def set_demonstrated(self, demonstrated: bool) -> None:
        """Whether the program of this answer is a demonstration."""
        self._demonstrated = demonstrated
        self._offer()

    def show_step(self, step: TraceStep) -> None:
        """The actions of a step; an editor that is open stays with the step that it was opened for."""
        if self._step is None or step.id != self._step.id:
            self.editor.hide()
        self._step = step
        self._offer()

    def add_keys(self, *views: QWidget) -> None:
        """The actions' keys, in these views of the steps."""
        for view in views:
            view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and not event.modifiers():
            for action, (_, _, key) in _ACTIONS.items():
                if event.key() == key and action in self.offered:
                    self.do(action)
                    return True
        return super().eventFilter(watched, event)

    def do(self, action: StepAction) -> None:
        if action not in self.offered or self._step is None:
            return
        if action == "edit":
            self.editor.begin(text_to_edit(self._step))
        else:
            self.edit_wanted.emit(StepEdit(step=self._step.id, action=action))

    def open_menu(self, at: QPoint) -> None:
        if self.offered:
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            for action in self.offered:
                words, _, key = _ACTIONS[action]
                entry = menu.addAction(words)
                entry.setShortcut(QKeySequence(key))
                entry.triggered.connect(lambda _=False, action=action: self.do(action))
            menu.popup(at)

    def _on_taken(self, text: str) -> None:
        if self._step is not None:
            self.editor.hide()
            self.edit_wanted.emit(StepEdit(step=self._step.id, action="edit", text=text))

    def _offer(self) -> None:
        offered = self.offered
        for action, button in self.buttons.items():
            button.setVisible(action in offered)
        is_program = self._changeable and self._step is not None and self._step.kind == "line"
        words, help = (
            (texts.REMOVE_DEMONSTRATION, texts.REMOVE_DEMONSTRATION_HELP)
            if self._demonstrated
            else (texts.SAVE_DEMONSTRATION, texts.SAVE_DEMONSTRATION_HELP)
        )
        self.demonstration_button.setText(words)
        self.demonstration_button.setToolTip(help)
        self.demonstration_button.setVisible(is_program)
        self.setVisible(bool(offered) or is_program)
