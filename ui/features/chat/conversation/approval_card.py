"""A call that waits for the person: what it would do, its exact arguments, why it is asked, and the decision.

Nothing is allowed by Enter: the buttons that allow are pressed with the mouse or Space. Closing the card denies.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QPlainTextEdit, QWidget

from ui.components.basics import IconButton, IconLabel, PlainButton, Text
from ui.components.layout import FlowLayout, column_of, row_of
from ui.components.steps.arguments import ArgumentsEditor, ArgumentTable
from ui.features.chat import agent_texts, texts
from ui.theme import tokens
from ui.theme.theme import set_property
from workbench.records.agents import Approval, Choice, Decision
from workbench.records.approvals import REPEATED, UNTRUSTED, explain_effects, tool_title


class ApprovalCard(QFrame):
    """``decided`` sends a Decision, once for each approval that is shown."""

    decided = Signal(object)
    editing = Signal(object)
    """The editor of the arguments was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "message")
        self.approval: Approval | None = None
        self.title = Text("", "strong")
        self.icon = IconLabel("shield", "attention")
        self.close_button = IconButton("close", agent_texts.CLOSE_DENIES, clicked=lambda: self._decide("deny"))
        self.effect = Text("")
        self.reason = Text("")
        self.repeated = Text(REPEATED, "attention", visible=False)
        self.untrusted = Text(UNTRUSTED, "attention", visible=False)
        self.table: ArgumentTable | None = None
        self._table_place = column_of(gap=0)
        self.allow = _SpaceButton(agent_texts.ALLOW_ONCE, "check", small=True, clicked=lambda: self._decide("allow"))
        self.allow_here = _SpaceButton(
            agent_texts.ALLOW_IN_CHAT, small=True, toolTip=agent_texts.ALLOW_IN_CHAT_HELP,
            clicked=lambda: self._decide("allow-in-chat"),
        )  # fmt: skip
        self.edit = PlainButton(agent_texts.EDIT_ARGUMENTS, "edit", small=True, clicked=self._on_edit)
        self.deny = PlainButton(agent_texts.DENY, "close", small=True, clicked=self._on_deny)
        self.editor = ArgumentsEditor(agent_texts.ALLOW_EDITED)
        self.editor.take_button.setAutoDefault(False)
        self.editor.taken.connect(self._on_edited)
        self.editor.given_up.connect(self._show_buttons)
        self.why = QLineEdit(placeholderText=agent_texts.DENY_REASON, returnPressed=self._on_denied)
        self.why.setAccessibleName(agent_texts.DENY_REASON)
        self.deny_button = PlainButton(agent_texts.DENY_NOW, small=True, clicked=self._on_denied)
        self.keep_button = PlainButton(texts.CANCEL, small=True, clicked=self._show_buttons)
        self.answer = _AnswerField()
        self.answer.setAccessibleName(agent_texts.YOUR_ANSWER)
        self.answer.setPlaceholderText(agent_texts.YOUR_ANSWER)
        self.answer.taken.connect(self._on_answered)
        self.answer_button = PlainButton(agent_texts.SEND_ANSWER, "send", small=True, clicked=self._on_answered)
        self.no_answer_button = PlainButton(agent_texts.NO_ANSWER, small=True, clicked=lambda: self._decide("deny"))
        self._parts: dict[str, QWidget] = {}
        self._lay_out()
        self.hide()

    def show_approval(self, approval: Approval | None) -> None:
        """Show what waits; None: nothing does. The same approval keeps what was typed."""
        self.setVisible(approval is not None)
        if approval is None or approval == self.approval:
            self.approval = approval
            return
        self.approval = approval
        tool = tool_title(approval.call.tool)
        asks = bool(approval.question)
        set_property(self, "kind", "info" if asks else "attention")
        self.title.setText(approval.question if asks else agent_texts.WANTS_TO_USE.format(tool=tool))
        self.setAccessibleName(self.title.text())
        self.effect.setText("" if asks else explain_effects(approval.effects))
        self.effect.setVisible(not asks)
        self.reason.setText(agent_texts.WHY_ASKED.format(reason=approval.reason))
        self.reason.setVisible(bool(approval.reason) and not asks)
        self.repeated.setVisible(approval.repeated)
        if self.table is not None:
            self._table_place.removeWidget(self.table)
            self.table.deleteLater()
            self.table = None
        if not asks:
            self.table = ArgumentTable(approval.call.arguments, approval.spans)
            self._table_place.addWidget(self.table)
        self.untrusted.setVisible(self.table is not None and bool(self.table.marked))
        self.edit.setVisible(bool(approval.call.arguments))
        self.allow_here.setVisible(not (approval.repeated or approval.only_once))
        self.why.clear()
        self.answer.clear()
        self._show_buttons()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._parts["buttons"].isHidden() and self._asks_nothing:
            self._show_buttons()
        elif event.key() == Qt.Key.Key_Escape:
            self._decide("deny")
        else:
            super().keyPressEvent(event)

    # -- parts ---------------------------------------------------------------------------------------

    @property
    def _asks_nothing(self) -> bool:
        return self.approval is not None and not self.approval.question

    def _lay_out(self) -> None:
        top = Qt.AlignmentFlag.AlignTop
        middle = Qt.AlignmentFlag.AlignVCenter
        head = row_of(None, (self.icon, 0, middle), (self.title, 1, middle), (self.close_button, 0, top),
                      gap=tokens.SPACE_2)  # fmt: skip
        buttons = QWidget()
        flow = FlowLayout(buttons, tokens.SPACE_2)
        for button in (self.allow, self.allow_here, self.edit, self.deny):
            flow.addWidget(button)
        denial = QWidget()
        row_of(denial, (self.why, 1), self.keep_button, self.deny_button, gap=tokens.SPACE_2)
        question = QWidget()
        row = row_of(None, None, self.no_answer_button, self.answer_button, gap=tokens.SPACE_2)
        column_of(question, self.answer, row, gap=tokens.SPACE_2)
        self._parts = {"buttons": buttons, "denial": denial, "editor": self.editor, "question": question}
        below = column_of(
            None, self.effect, self.repeated, self.reason, self._table_place, self.untrusted, *self._parts.values(),
            gap=tokens.SPACE_2, margins=(tokens.ICON_SIZE + tokens.SPACE_2, 0, tokens.SPACE_2, 0),
        )  # fmt: skip
        margins = (tokens.SPACE_3, tokens.SPACE_2, tokens.SPACE_2, tokens.SPACE_3)
        column_of(self, head, below, gap=tokens.SPACE_2, margins=margins)

    def _show_only(self, name: str) -> None:
        for part, widget in self._parts.items():
            widget.setVisible(part == name)
        if self.table is not None:
            self.table.setVisible(name != "editor")  # the fields say the same

    def _show_buttons(self) -> None:
        had_keyboard = self.focusWidget() is not None and self.focusWidget().hasFocus()
        self._show_only("buttons" if self._asks_nothing else "question")
        if had_keyboard and self._asks_nothing:
            self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_edit(self) -> None:
        if self.approval is not None:
            self._show_only("editor")
            self.editor.begin(self.approval.call.arguments)
            self.editing.emit(self.editor)

    def _on_deny(self) -> None:
        self._show_only("denial")
        self.why.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_denied(self) -> None:
        self._decide("deny", text=self.why.text().strip())

    def _on_edited(self, arguments: dict[str, Any]) -> None:
        same = self.approval is not None and arguments == self.approval.call.arguments
        self._decide("allow" if same else "edit", None if same else arguments)

    def _on_answered(self) -> None:
        if text := self.answer.toPlainText().strip():
            self._decide("allow", text=text)

    def _decide(self, choice: Choice, arguments: dict[str, Any] | None = None, text: str = "") -> None:
        approval, self.approval = self.approval, None
        if approval is not None:  # a second click decides nothing
            self.hide()
            signature = approval.call.signature
            self.decided.emit(Decision(signature=signature, choice=choice, arguments=arguments, text=text))


class _SpaceButton(PlainButton):
    """A button that Enter does not press."""

    def __init__(self, text: str, icon: str = "", **properties: Any) -> None:
        super().__init__(text, icon, **properties)
        self.setAutoDefault(False)
        self.setAccessibleDescription(agent_texts.PRESS_SPACE)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)


class _AnswerField(QPlainTextEdit):
    """Enter sends, Shift+Enter breaks the line."""

    taken = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setTabChangesFocus(True)
        self.setFixedHeight(2 * self.fontMetrics().lineSpacing() + 28)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.taken.emit()
        else:
            super().keyPressEvent(event)
