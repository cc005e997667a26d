"""The chat that is open: its messages, the answers being made in it, and the calls that change it.

It draws nothing. What it knows lies in ``branches`` and ``lives``; signals tell what changed.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
from PySide6.QtCore import QObject, Signal, SignalInstance

from ui.bridge import Bridge, Handle
from ui.features.chat import texts
from ui.features.chat.composer.one_question import NOTHING, OneQuestion
from ui.features.chat.conversation.branches import Branches
from ui.features.chat.conversation.first_formulas import draw_first
from ui.features.chat.conversation.live_answer import LiveAnswer
from workbench.api import events
from workbench.api.events import Event, Terminal
from workbench.api.protocol import Call, error_of
from workbench.base.errors import UserError
from workbench.records.agents import Decision
from workbench.records.answers import AskResult, DocumentTask, StoredMessage
from workbench.records.messages import Part, TextPart
from workbench.records.outcomes import Road
from workbench.records.recipes import Recipe
from workbench.records.trace import StepEdit
from workbench.subjects.agents.calls import Decide
from workbench.subjects.chats.calls import (
    Ask,
    BranchPoint,
    Chat,
    ChatRecord,
    DeleteChat,
    EditAnswer,
    FollowAnswer,
    GetChat,
    RateAnswer,
    SelectSequence,
    SetHead,
    StopAnswer,
)


class OpenChat:
    """One chat as it is known here; ``record`` is None until it is stored."""

    def __init__(self, record: ChatRecord | None = None, messages: Sequence[StoredMessage] = ()) -> None:
        self.record = record
        self.folder = ""  # that a new chat is put into
        self.temporary = False  # nothing of it is kept
        self.messages = tuple(messages)
        self.branches = Branches(messages, record.head if record is not None else None)

    @property
    def id(self) -> str | None:
        return self.record.id if self.record is not None else None


class ChatSession(QObject):
    """Opens chats, asks, stops, branches; keeps answers going that were begun in chats left meanwhile."""

    opened = Signal()
    """Another chat is shown, or none."""
    branch_changed = Signal()
    """The shown branch has other messages, or they have other contents."""
    identified = Signal(str, str)
    """A shown message has been stored: its id until now, its id from now on."""
    stored = Signal()
    """A question is safely stored; its words need not be kept any more."""
    refused = Signal(str, str)
    """A question could not be stored: its words, and why; no reason where ``undecided`` tells it."""
    undecided = Signal(object, object)
    """A question was refused for want of a permission: the Failed event, and what asks it again."""
    busy_changed = Signal(bool)
    missing = Signal(str)
    """A chat that was to be opened is not there any more."""
    answered = Signal(object)
    """An AskResult came in."""

    def __init__(self, bridge: Bridge, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.chat = OpenChat()
        self.lives: dict[str, LiveAnswer] = {}
        self._handles: dict[LiveAnswer, Handle] = {}
        self._aside: set[LiveAnswer] = set()  # made beside an answer of the branch, to be compared with it
        self._lost: set[str] = set()  # answers that were followed to an end: not followed again
        self._only: dict[str, OneQuestion] = {}  # by question
        self._names = itertools.count(1)
        self._wanted: str | None = None
        self._moving = 0  # calls under way that change the head
        self._busy = False
        bridge.changed.connect(self._on_changed)
        bridge.connected_changed.connect(self._on_connected)

    @property
    def busy(self) -> bool:
        """Whether an answer is being made in the shown branch."""
        return self.live() is not None

    def live(self) -> LiveAnswer | None:
        """The answer that is being made in the shown branch."""
        found = self._shown_lives()
        return found[0] if found else None

    def _shown_lives(self) -> list[LiveAnswer]:
        """All that are being made in the shown branch and aside from it, the last one of the branch first."""
        path = self.chat.branches.path()
        shown = [self.lives[message.id] for message in reversed(path) if message.id in self.lives]
        questions = {message.id for message in path}
        aside = [live for live in self._aside if live.message in self.chat.branches]
        return shown + [live for live in aside if self.chat.branches[live.message].parent in questions]

    def only(self, question: str) -> OneQuestion:
        """What a question was asked with in place of what the chat's recipe says, since this window was opened."""
        return self._only.get(question, NOTHING)

    # -- opening -------------------------------------------------------------------------------------

    def open(self, chat: str | None, folder: str = "", *, temporary: bool = False) -> None:
        """Show a chat; None begins a new one, which is stored with its first question, in a folder or in none, or is
        ``temporary``. A chat that is not kept ends when another one is shown."""
        self._wanted = chat
        if chat is None:
            self.leave()
            self.chat = OpenChat()
            self.chat.folder, self.chat.temporary = folder, temporary
            self.opened.emit()
            self._tell_busy()
            return
        self._bridge.call(GetChat(chat=chat), self._on_chat, lambda error: self._on_missing(chat, error), self)

    def leave(self) -> None:
        """End the shown chat if it is not kept."""
        left = self.chat
        if left.temporary and left.id is not None:
            self._bridge.call(DeleteChat(chat=left.id, forever=True), lambda _: None, lambda _: None, self)

    def adopt(self, record: ChatRecord) -> None:
        """Go on in a chat that was stored for what is shown, without a message so far."""
        self._wanted = record.id
        self.chat = OpenChat(record)
        self.opened.emit()

    def reload(self) -> None:
        """Read the shown chat again, unless an answer is being made in it here, or another chat is on its way."""
        if self.chat.id is not None and self._wanted == self.chat.id and not self.busy:
            self.open(self.chat.id)

    def _on_chat(self, chat: Chat) -> None:
        if chat.chat.id != self._wanted:
            return
        same = chat.chat.id == self.chat.id
        if same and (self.busy or self._moving):  # what was read may be older than what is shown
            return
        if same and chat.chat == self.chat.record and chat.messages == self.chat.messages:
            return
        opened = OpenChat(chat.chat, chat.messages)
        if same:
            opened.temporary = self.chat.temporary
            self._show(opened, self.branch_changed)
            return

        def show() -> None:
            if self._wanted == chat.chat.id != self.chat.id:
                self.leave()
                self._show(opened, self.opened)
                if waited:
                    self.reload()  # it may have been changed meanwhile

        waited = False
        waited = draw_first(opened.branches.path(), show, self)

    def _show(self, chat: OpenChat, told: SignalInstance) -> None:
        self.chat = chat
        for message in self.chat.branches.path():
            if message.state == "streaming" and message.id not in self.lives:
                self.follow(message)
        told.emit()
        self._tell_busy()

    def _on_missing(self, chat: str, error: Exception) -> None:
        """Only a chat that is gone is left; one that cannot be reached now is read again when the core is there."""
        if self._wanted == chat and isinstance(error, UserError):
            self.missing.emit(str(error))
            self.open(None)

    # -- asking --------------------------------------------------------------------------------------

    def ask(
        self,
        question: str,
        recipe: Recipe,
        edit_of: str | None = None,
        document: DocumentTask | None = None,
        only: OneQuestion = NOTHING,
    ) -> None:
        """Ask a question at the end of the shown branch, or beside the question that it is an edit of. The chat goes on
        with ``recipe``; this question, and every further answer to it, is asked with what ``only`` makes of it."""
        branches = self.chat.branches
        only = only or self.only(edit_of or "")
        chat_recipe, recipe = recipe, only.applied(recipe)
        parent = branches[edit_of].parent if edit_of is not None else branches.head
        name = next(self._names)
        images = only.images or (branches[edit_of].as_message().images if edit_of is not None else ())
        parts: tuple[Part, ...] = (*images, TextPart(question)) if images else ()
        asked = StoredMessage(id=f"new-q{name}", chat="", parent=parent, role="user", text=question, parts=parts)
        answer = StoredMessage(
            id=f"new-a{name}", chat="", parent=asked.id, role="assistant", text="", state="streaming", recipe=recipe
        )
        call = Ask(
            question=question,
            images=images,
            recipe=recipe,
            chat=self.chat.id,
            folder="" if self.chat.id is not None else self.chat.folder,
            temporary=self.chat.temporary and self.chat.id is None,
            parent=parent,
            root=edit_of is not None and parent is None,
            document=document,
            chat_recipe=chat_recipe if only else None,
        )
        if only:
            self._only[asked.id] = only
        self._begin(call, (asked, answer), recipe)

    def answer_again(
        self,
        message: str,
        recipe: Recipe,
        branch: BranchPoint | None = None,
        *,
        varied: bool = False,
        without_documents: bool = False,
        edit: StepEdit | None = None,
        road: Road | None = None,
    ) -> None:
        """Answer the question above an answer anew, beside it; with ``branch``, from another of its tokens on; with
        ``edit``, from a step of it; by another ``road``."""
        if message not in self.chat.branches:
            return
        old = self.chat.branches[message]
        if old.id.startswith("new-") or self.chat.id is None:
            return
        only = self.only(old.parent or "")
        chat_recipe, recipe = recipe, only.applied(recipe)
        answer = answer_beside(old, f"new-a{next(self._names)}", recipe)
        call = Ask(
            recipe=recipe,
            chat_recipe=chat_recipe if only else None,
            chat=self.chat.id,
            regenerate=message,
            branch=branch,
            varied=varied,
            without_documents=without_documents,
            edit=edit,
            road=road,
        )
        self._begin(call, (answer,), recipe)

    def answer_aside(self, message: str, recipe: Recipe, *, varied: bool = False) -> str:
        """Answer the question above an answer with another recipe, only to be compared: the shown branch stays.
        ``varied``: drawn more freely than the recipe says. Returns the id that the answer has until it is stored; ""
        where it cannot be asked."""
        if message not in self.chat.branches or self.chat.id is None:
            return ""
        answer = answer_beside(self.chat.branches[message], f"new-a{next(self._names)}", recipe)
        call = Ask(recipe=recipe, chat=self.chat.id, regenerate=message, aside=True, varied=varied)
        self._begin(call, (answer,), recipe)
        return answer.id

    def _begin(self, call: Ask, messages: tuple[StoredMessage, ...], recipe: Recipe) -> None:
        chat = self.chat
        before = chat.branches.head
        for message in messages:
            chat.branches.put(message)
        live = LiveAnswer(messages[-1].id, chat.id or "", recipe, self)
        self.lives[live.message] = live
        if call.aside:
            self._aside.add(live)
        else:
            chat.branches.show(messages[-1].id)
        stored = False

        def take(batch: Sequence[Event]) -> None:
            nonlocal stored
            for event in batch:
                if isinstance(event, events.Artifact) and event.kind == "message" and not stored:
                    stored = True
                    self._identify(chat, live, messages, event.result, call.chat_recipe or recipe)
            live.take(batch)

        def end(terminal: Terminal) -> None:
            if stored or isinstance(terminal, events.Finished):
                self._end(chat, live, terminal)
                return
            self._take_back(chat, live, messages, before)
            reason = f"{terminal.message} {terminal.hint}".strip() if isinstance(terminal, events.Failed) else ""
            asks = isinstance(terminal, events.Failed) and terminal.sending is not None and chat is self.chat
            self.refused.emit(call.question, "" if asks else reason)
            if asks:
                self.undecided.emit(terminal, lambda: self._begin(call, messages, recipe))

        self._handles[live] = self._bridge.stream(call, take, end, self)
        self.branch_changed.emit()
        self._tell_busy()

    def _identify(
        self, chat: OpenChat, live: LiveAnswer, messages: tuple[StoredMessage, ...], ids: dict[str, Any], recipe: Recipe
    ) -> None:
        """The question is stored: use the ids that it and its answer have from now on."""
        question, answer = str(ids["question"]), str(ids["answer"])
        shown = chat is self.chat
        if chat.record is None:
            title = messages[0].text[:60]
            chat.record = ChatRecord(
                id=str(ids["chat"]), title=title, created=0, updated=0, head=answer, recipe=recipe, folder=chat.folder
            )
            if shown:
                self._wanted = chat.record.id
            elif chat.temporary:  # it was left before it was known
                self._bridge.call(DeleteChat(chat=chat.record.id, forever=True), lambda _: None, lambda _: None, self)
        if len(messages) == 2:
            chat.branches.rename(messages[0].id, question, messages[0].parent)
            if messages[0].id in self._only:
                self._only[question] = self._only.pop(messages[0].id)
            if shown:
                self.identified.emit(messages[0].id, question)
        chat.branches.rename(messages[-1].id, answer, question)
        del self.lives[live.message]
        live.message, live.chat = answer, str(ids["chat"])
        self.lives[answer] = live
        if shown:
            self.identified.emit(messages[-1].id, answer)
        if live not in self._aside:  # that has no words in the composer
            self.stored.emit()

    def _take_back(
        self, chat: OpenChat, live: LiveAnswer, messages: tuple[StoredMessage, ...], before: str | None
    ) -> None:
        self._forget(live)
        for message in reversed(messages):
            chat.branches.drop(message.id)
        if before is not None and chat.branches.head != before:
            chat.branches.show(before)
        if chat is self.chat:
            self.branch_changed.emit()
        self._tell_busy()

    def _end(self, chat: OpenChat, live: LiveAnswer, terminal: Terminal) -> None:
        self._forget(live)
        if live.message in chat.branches:
            chat.branches.put(live.outcome(chat.branches[live.message], terminal))
        live.ended.emit()
        if isinstance(terminal, events.Finished):
            self.answered.emit(result_of(terminal))
        if chat is self.chat:
            self.branch_changed.emit()
        self._tell_busy()
        live.deleteLater()
        self.reload()

    def _forget(self, live: LiveAnswer) -> None:
        self.lives.pop(live.message, None)
        self._handles.pop(live, None)
        self._aside.discard(live)

    # -- following, stopping, branching ----------------------------------------------------------------

    def follow(self, message: StoredMessage) -> LiveAnswer | None:
        """Watch an answer that was begun elsewhere: by another window, a terminal, or before this window opened."""
        if message.id in self._lost:
            return None
        chat = self.chat
        live = LiveAnswer(message.id, message.chat, message.recipe or Recipe(), self)
        self.lives[message.id] = live

        def end(terminal: Terminal) -> None:
            if not (isinstance(terminal, events.Finished) and result_of(terminal).waiting is not None):
                self._lost.add(message.id)
            self._end(chat, live, terminal)

        self._handles[live] = self._bridge.stream(FollowAnswer(message=message.id), live.take, end, self)
        return live

    def decide(self, message: str, decision: Decision) -> None:
        """Decide on the call that an answer waits for, and watch the answer, which goes on."""
        chat = self.chat
        if message not in chat.branches or message in self.lives:
            return
        before = chat.branches[message]
        chat.branches.put(msgspec.structs.replace(before, state="streaming", waiting=None))
        live = LiveAnswer(message, before.chat, before.recipe or Recipe(), self)
        live.waiting = texts.GOING_ON
        self.lives[message] = live

        def end(terminal: Terminal) -> None:
            if isinstance(terminal, events.Failed) and not live.state.trace().steps:  # it was not taken
                self._forget(live)
                chat.branches.put(before)
                self._bridge.failed.emit(error_of(terminal))
                self.branch_changed.emit()
                self._tell_busy()
                return
            self._end(chat, live, terminal)

        self._handles[live] = self._bridge.stream(Decide(message=message, decision=decision), live.take, end, self)
        self.branch_changed.emit()
        self._tell_busy()

    def stop(self) -> None:
        """Stop the answer that is being made in the shown branch; what was written is kept."""
        for live in self._shown_lives():
            if live.message.startswith("new-"):
                self._handles[live].cancel()
            else:
                self._bridge.call(StopAnswer(message=live.message), lambda _: None, owner=self)

    def keep(self, message: str, sequence: int) -> None:
        """Go on from another of the answers that were made at once."""
        self._change(SelectSequence(message=message, sequence=sequence))

    def rate(self, message: str, rating: int) -> None:
        """Say that an answer is good (1) or bad (-1), or take that back (0)."""
        self._change(RateAnswer(message=message, rating=1 if rating > 0 else -1 if rating < 0 else 0))

    def rewrite(self, message: str, text: str) -> None:
        """Go on from what a person says the answer should have been; no words: from what it was."""
        self._change(EditAnswer(message=message, text=text))

    def _change(self, call: Call[StoredMessage]) -> None:
        chat = self.chat

        def show(changed: StoredMessage) -> None:
            if changed.id in chat.branches:
                chat.branches.put(changed)
            if chat is self.chat:
                self.branch_changed.emit()

        self._bridge.call(call, show, owner=self)

    def show_sibling(self, message: str) -> None:
        """Show the branch of a message, here and when the chat is opened again."""
        self.chat.branches.show(message)
        self.branch_changed.emit()
        self._tell_busy()
        if self.chat.id is not None and not message.startswith("new-"):
            self._moving += 1
            call = SetHead(chat=self.chat.id, message=message)
            self._bridge.call(call, self._on_head, self._on_head_failed, self)

    def _on_head_failed(self, error: Exception) -> None:
        self._moving -= 1
        self._bridge.failed.emit(error)
        self.reload()

    def _on_head(self, record: ChatRecord) -> None:
        self._moving -= 1
        if self.chat.record is not None and record.id == self.chat.record.id:
            self.chat.record = record
        self.reload()  # what was read meanwhile was passed over

    def _tell_busy(self) -> None:
        if self.busy != self._busy:
            self._busy = self.busy
            self.busy_changed.emit(self._busy)

    def _on_changed(self, kind: str, id: str) -> None:
        if kind == "chat" and id == self.chat.id:
            self.reload()

    def _on_connected(self, connected: bool) -> None:
        if connected:
            self._lost.clear()
            self.reload()


def answer_beside(old: StoredMessage, id: str, recipe: Recipe) -> StoredMessage:
    """An empty answer at the place of another one."""
    return StoredMessage(
        id=id, chat=old.chat, parent=old.parent, role="assistant", text="", state="streaming", recipe=recipe
    )


def result_of(terminal: events.Finished) -> AskResult:
    """The answer that a terminal event holds."""
    return msgspec.convert(terminal.result, AskResult)
