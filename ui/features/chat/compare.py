"""Two answers side by side: which two are compared, asking for the one that is missing, keeping one.

An answer made with adapters is compared with that of the same model without; any other with the latest one whose recipe
differs. The missing one is asked for *aside*, of the base model or with the recipe as it is now: the chat keeps its
head and its recipe.
"""

from __future__ import annotations

import msgspec
from PySide6.QtCore import QObject

from ui.features.chat import texts
from ui.features.chat.answer_comparison import BASE, TUNED, describe_tuned, is_tuned, titles_of
from ui.features.chat.answer_view import AnswerView
from ui.features.chat.conversation import Conversation
from ui.features.chat.recipe_panel import RecipePanel
from ui.features.chat.recipes import without_adapters
from ui.features.chat.session import ChatSession
from workbench.api.calls import StoredMessage
from workbench.records.recipes import Recipe


class ChatCompare(QObject):
    """Keeps every answer view told of what it can be compared with."""

    def __init__(self, session: ChatSession, conversation: Conversation, panel: RecipePanel, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._conversation = conversation
        self._panel = panel
        self._open: set[str] = set()  # questions whose answers stand side by side
        self._awaited = ""  # an answer that is not stored yet; the base model is asked once it is
        conversation.answer_made.connect(self._show)
        conversation.compare_wanted.connect(self._on_wanted)
        conversation.pair_kept.connect(self._on_kept)
        for changed in (session.opened, session.branch_changed, panel.recipe_shown):
            changed.connect(self._show_all)
        session.identified.connect(self._on_identified)

    def ask(self, question: str) -> None:
        """Ask with the recipe that is on, and the base model as well."""
        self._session.ask(question, self._panel.recipe)
        self._awaited = self._session.chat.branches.head or ""
        self._show_all()

    # -- which are compared --------------------------------------------------------------------------

    def pair_of(self, message: str) -> tuple[StoredMessage, StoredMessage] | None:
        """Two answers to the question above ``message`` that can be compared, of which it is one, if both are there:
        the base model's and the tuned one, else the earlier and the later one."""
        branches = self._session.chat.branches
        if message not in branches or branches[message].recipe is None:
            return None
        mine = branches[message]
        model = _model(mine)
        beside = [branches[id] for id in reversed(branches.siblings(message)) if id != message]
        wanted = [other for other in beside if is_tuned(other) != is_tuned(mine) and _model(other) == model]
        if wanted:
            return (wanted[0], mine) if is_tuned(mine) else (mine, wanted[0])
        others = [other for other in beside if other.recipe is not None and any(self._titles(other, mine))]
        if not others:
            return None
        first, second = sorted((others[0], mine), key=lambda one: branches.siblings(message).index(one.id))
        return first, second

    def _titles(self, first: StoredMessage, second: StoredMessage) -> tuple[str, str]:
        if is_tuned(first) != is_tuned(second) and _model(first) == _model(second):
            return texts.BASE, describe_tuned(second)
        return titles_of(first.recipe or Recipe(), second.recipe or Recipe(), self._panel.methods)

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
        done = message.state == "done" and message.recipe is not None and not self._is_task(message)
        other = done and any(titles_of(message.recipe or Recipe(), self._panel.recipe, self._panel.methods))
        tuned = any(is_tuned(one) for one in pair or (message,)) and (pair is None or not all(map(is_tuned, pair)))
        view.footer.offer_comparison(pair is not None, done and (is_tuned(message) or other), tuned)
        if pair is None or awaited or message.parent not in self._open:
            view.close_comparison()
            return
        view.show_comparison(pair, self._titles(*pair))
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
                self._ask_other(message)
        self._show_all()

    def _is_task(self, message: StoredMessage) -> bool:
        branches = self._session.chat.branches
        parent = message.parent
        return parent is not None and parent in branches and branches[parent].document is not None

    def _ask_other(self, message: str) -> None:
        answer = self._session.chat.branches[message]
        if not is_tuned(answer):
            self._session.answer_aside(message, self._panel.recipe)
            return
        plain = without_adapters(answer.recipe or self._panel.recipe)
        # what was filled in when the answer was made is filled in anew
        part = msgspec.structs.replace(plain.model, sha256="", engine="")
        self._session.answer_aside(message, msgspec.structs.replace(plain, model=part))

    def _on_identified(self, old: str, new: str) -> None:
        if old == self._awaited:
            self._awaited = ""
            question = self._session.chat.branches[new].parent
            if question is not None:
                self._open.add(question)
                self._ask_other(new)
        self._show_all()

    def _on_kept(self, message: str) -> None:
        branches = self._session.chat.branches
        if message not in branches:
            return
        self._open.discard(branches[message].parent or "")
        self._session.show_sibling(message)
        self._show_all()


def _model(message: StoredMessage) -> str:
    return message.recipe.model.name if message.recipe is not None else ""
