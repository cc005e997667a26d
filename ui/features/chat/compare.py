"""Base and tuned side by side: which two answers are compared, asking for the one that is missing, keeping one.

Two answers to one question can be compared when one was made with adapters and the other, by the same model, without.
The base model's is asked for *aside*: the chat keeps its head and its recipe.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from PySide6.QtCore import QObject

from ui.features.chat.answer_comparison import BASE, TUNED
from ui.features.chat.answer_view import AnswerView
from ui.features.chat.conversation import Conversation
from ui.features.chat.recipes import without_adapters
from ui.features.chat.session import ChatSession
from workbench.api.calls import StoredMessage
from workbench.records.recipes import Recipe


class ChatCompare(QObject):
    """Keeps every answer view told of what it can be compared with."""

    def __init__(
        self, session: ChatSession, conversation: Conversation, recipe: Callable[[], Recipe], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._conversation = conversation
        self._recipe = recipe
        self._open: set[str] = set()  # questions whose answers stand side by side
        self._awaited = ""  # an answer that is not stored yet; the base model is asked once it is
        conversation.answer_made.connect(self._show)
        conversation.compare_wanted.connect(self._on_wanted)
        conversation.pair_kept.connect(self._on_kept)
        for changed in (session.opened, session.branch_changed):
            changed.connect(self._show_all)
        session.identified.connect(self._on_identified)

    def ask(self, question: str) -> None:
        """Ask with the recipe that is on, and the base model as well."""
        self._session.ask(question, self._recipe())
        self._awaited = self._session.chat.branches.head or ""
        self._show_all()

    # -- which are compared --------------------------------------------------------------------------

    def pair_of(self, message: str) -> tuple[StoredMessage, StoredMessage] | None:
        """The base model's answer and the tuned one to the question above ``message``, if both are there."""
        branches = self._session.chat.branches
        if message not in branches or branches[message].recipe is None:
            return None
        mine = branches[message]
        model = _model(mine)
        beside = [branches[id] for id in reversed(branches.siblings(message)) if id != message]
        wanted = [other for other in beside if is_tuned(other) != is_tuned(mine) and _model(other) == model]
        if not wanted:
            return None
        return (wanted[0], mine) if is_tuned(mine) else (mine, wanted[0])

    def _show_all(self) -> None:
        for view in self._conversation.views:
            if isinstance(view, AnswerView):
                self._show(view)

    def _show(self, view: AnswerView) -> None:
        branches = self._session.chat.branches
        if view.message_id not in branches:
            return
        message, pair = branches[view.message_id], self.pair_of(view.message_id)
        awaited = message.id == self._awaited
        can_ask = is_tuned(message) and message.state == "done" and message.document is None
        view.offer_comparison(pair is not None, can_ask)
        if pair is None or awaited or message.parent not in self._open:
            view.close_comparison()
            return
        view.show_comparison(*pair)
        for place, one in ((BASE, pair[0]), (TUNED, pair[1])):
            live = self._session.lives.get(one.id)
            if live is None and one.state == "streaming":
                live = self._session.follow(one)
            column = view.comparison.columns[place]
            if live is not None and column.follow(live):
                column.add_piece(live.text, 0)
                column.show_waiting(live.waiting)
                live.text_added.connect(column.add_piece)
                live.waiting_changed.connect(column.show_waiting)

    # -- what the person does ------------------------------------------------------------------------

    def _on_wanted(self, message: str, opened: bool) -> None:
        """The button of an answer: show the two that are there, ask for the missing one, or show only one again."""
        branches = self._session.chat.branches
        question = branches[message].parent if message in branches else None
        if question is None:
            return
        if not opened:
            self._open.discard(question)
        else:
            self._open.add(question)
            if self.pair_of(message) is None:
                self._ask_base(message)
        self._show_all()

    def _ask_base(self, message: str) -> None:
        recipe = self._session.chat.branches[message].recipe or self._recipe()
        plain = without_adapters(recipe)
        # what was filled in when the answer was made is filled in anew
        part = msgspec.structs.replace(plain.model, sha256="", engine="")
        self._session.answer_aside(message, msgspec.structs.replace(plain, model=part))

    def _on_identified(self, old: str, new: str) -> None:
        if old == self._awaited:
            self._awaited = ""
            question = self._session.chat.branches[new].parent
            if question is not None:
                self._open.add(question)
                self._ask_base(new)
        self._show_all()

    def _on_kept(self, message: str) -> None:
        branches = self._session.chat.branches
        if message not in branches:
            return
        self._open.discard(branches[message].parent or "")
        self._session.show_sibling(message)
        self._show_all()


def is_tuned(message: StoredMessage) -> bool:
    """Whether adapters had a part in it."""
    return message.recipe is not None and any(use.scale for use in message.recipe.model.adapters)


def _model(message: StoredMessage) -> str:
    return message.recipe.model.name if message.recipe is not None else ""
