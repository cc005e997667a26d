"""What the decoding card needs from the rest of the chat: the last answer's distribution, and the form's editor.

Nothing is computed for a panel that is only open: the distribution is asked for when the model of the answer is loaded
and no answer is being made; otherwise a button offers it.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject

from ui.bridge import Bridge, Handle
from ui.components.recipe import texts as recipe_texts
from ui.features.chat import texts
from ui.features.chat.conversation.live_answer import describe_progress
from ui.features.chat.layout import ChatLayout
from ui.features.chat.session import ChatSession
from workbench.api import events
from workbench.api.events import Event, Terminal
from workbench.api.protocol import error_of, read_result
from workbench.base.errors import Cancelled
from workbench.records.answers import StoredMessage
from workbench.records.recipes import Recipe
from workbench.subjects.chats.calls import AnswerTokens, InspectAnswer

ALTERNATIVES = 100
NO_ANSWER = texts.DISTRIBUTION_EMPTY
NOT_KNOWN = texts.DISTRIBUTION_UNKNOWN
COMPUTING = texts.COMPUTING


class ChatDecoding(QObject):
    """Carries between session, recipe panel and format pane."""

    def __init__(self, bridge: Bridge, session: ChatSession, parts: ChatLayout, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge, self._session, self._parts = bridge, session, parts
        self._view = parts.recipe.decoding_form.distribution
        self._shown: tuple[str, int] | None = None  # message and sequence
        self._asking: tuple[str, int] | None = None
        self._failed: tuple[str, int] | None = None
        self._handle: Handle | None = None
        for changed in (session.opened, session.branch_changed, session.busy_changed, bridge.status_changed):
            changed.connect(lambda *_: self._refresh())
        self._view.appeared.connect(self._refresh)
        self._view.wanted.connect(self._on_wanted)
        panel, pane = parts.recipe, parts.format
        panel.recipe_shown.connect(lambda recipe: pane.set_decoding(recipe.decoding))
        panel.decoding_form.format_wanted.connect(self._on_format_wanted)
        pane.close_wanted.connect(self._on_format_left)
        pane.changed.connect(panel.put_format)
        pane.checked.connect(panel.set_format_problem)
        pane.set_decoding(panel.recipe.decoding)
        self._refresh()

    def _on_format_wanted(self) -> None:
        self._parts.show_side(self._parts.format)
        pane = self._parts.format
        (pane.editor if pane.described else pane.kind).setFocus()

    def _on_format_left(self) -> None:
        form = self._parts.recipe.decoding_form
        self._parts.show_side(self._parts.recipe)
        (form.edit_format if form.edit_format.isVisible() else form.format).setFocus()

    def _answer(self) -> StoredMessage | None:
        """The last complete answer of the shown branch."""
        path = self._session.chat.branches.path()
        return next((m for m in reversed(path) if m.role == "assistant" and m.state in ("done", "stopped")), None)

    def _refresh(self) -> None:
        answer = self._answer()
        self._parts.format.set_answer(answer.text if answer is not None else None)
        key = (answer.id, answer.selected_sequence) if answer is not None else None
        if self._handle is not None and (key != self._asking or self._session.busy):
            self._handle.cancel()  # the person goes on: an answer goes before the picture
            self._handle = self._asking = None
        if answer is None or key is None:
            self._shown = None
            self._view.show_note(NO_ANSWER)
        elif key == self._shown or key == self._asking or key == self._failed:
            return
        elif not answer.traced:
            self._shown = None
            self._view.show_note(NOT_KNOWN)
        elif self._session.busy:
            if self._shown is None:
                self._view.show_note(texts.DISTRIBUTION_LATER)
        elif not self._is_loaded(answer):
            self._shown = None
            name = answer.recipe.model.name if answer.recipe is not None else ""
            self._view.show_note(texts.MODEL_NOT_LOADED.format(value=name or texts.SOME_MODEL), recipe_texts.SHOW)
        elif self._view.isVisible():
            self._ask(answer)

    def _is_loaded(self, answer: StoredMessage) -> bool:
        status = self._bridge.status
        return bool(
            status is not None and status.model and answer.recipe is not None
            and answer.recipe.model.name == status.model
        )  # fmt: skip

    def _on_wanted(self) -> None:
        answer = self._answer()
        if answer is not None and not self._session.busy:
            self._ask(answer)

    def _ask(self, answer: StoredMessage) -> None:
        key = (answer.id, answer.selected_sequence)
        call = InspectAnswer(message=answer.id, sequence=answer.selected_sequence, alternatives=ALTERNATIVES, last=1)

        def take(batch: Sequence[Event]) -> None:
            for event in batch:
                if isinstance(event, events.Progress) and self._asking == key:
                    self._view.show_note(describe_progress(event, answer.recipe or Recipe()))

        def end(terminal: Terminal) -> None:
            if self._asking != key or self._handle is not handle:
                return
            self._handle = self._asking = None
            if isinstance(terminal, events.Finished):
                self._show(key, read_result(call, terminal.result))
                return
            error = error_of(terminal)
            self._failed = None if isinstance(error, Cancelled) else key
            self._view.show_note("" if isinstance(error, Cancelled) else str(error), texts.TRY_AGAIN)

        self._shown = self._failed = None
        self._asking = key
        self._view.show_note(COMPUTING)
        handle = self._handle = self._bridge.stream(call, take, end, self)

    def _show(self, key: tuple[str, int], found: AnswerTokens) -> None:
        """The last token that was chosen; where none has alternatives, what could come next."""
        last = next((token for token in reversed(found.tokens) if token.alternatives), found.next)
        self._shown = key
        if last is None or not last.alternatives:
            self._view.show_note(NOT_KNOWN)
        else:
            self._view.show_tokens(last.alternatives, last.token, last.text if last.token >= 0 else "")
