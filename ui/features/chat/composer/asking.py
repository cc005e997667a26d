"""From the composer to the question: drafts by chat, what waits for files, for a model or for an answer, and how it is
sent."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from ui.features import ShellActions
from ui.features.chat import texts
from ui.features.chat.composer.kept_drafts import read_drafts, write_drafts
from ui.features.chat.composer.one_question import NOTHING, OneQuestion
from ui.features.chat.composer.queue import QueuedQuestion
from ui.features.chat.layout import ChatLayout
from ui.features.chat.session import ChatSession


class Asking(QObject):
    """``compare`` asks a question twice where that is wanted, and says whether it did; ``ready``: it is known what
    models there are. ``stored``: the question that was asked is stored,
    and whether in a new chat."""

    stored = Signal(bool)

    def __init__(
        self,
        session: ChatSession,
        parts: ChatLayout,
        shell: ShellActions,
        compare: Callable[[str, OneQuestion], bool],
        ready: Callable[[], bool],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session, self._parts, self._shell = session, parts, shell
        self._compare, self._ready = compare, ready
        self.drafts: dict[str | None, str] = {}
        """What was written and not sent, by chat."""
        self._drafted: str | None = None
        self._passing = False  # that chat is not kept
        self._question_waiting = ""
        self._waits_for_files = False  # the composer's question is to be asked when they are read
        self._sent = ""  # the words of the composer that were asked: they go once they are stored
        self._queued: QueuedQuestion | None = None  # a question of the queue that is being asked
        self._refusal = ""  # what the frame was last told of a question that could not be asked
        composer, queue = parts.composer, parts.queue
        composer.asked.connect(self.ask_written)
        composer.queued.connect(self._on_queued)
        composer.edited.connect(self._on_drafted)
        composer.chosen.left.connect(composer.field.setFocus)
        queue.send_wanted.connect(self._send_queued)
        queue.left.connect(composer.field.setFocus)
        session.busy_changed.connect(lambda busy: None if busy else QTimer.singleShot(0, self, self._on_answer_ended))
        session.stored.connect(self._on_stored)
        session.refused.connect(self._on_refused)
        parts.files.read.connect(self._on_files_read)

    # -- drafts --------------------------------------------------------------------------------------

    def show_chat(self) -> None:
        """Another chat is shown: with what was written in it."""
        chat, parts = self._session.chat, self._parts
        self._waits_for_files = False
        if self._passing and self._drafted is None and not chat.temporary:
            parts.composer.chosen.forget(None)  # it was chosen for a chat that is not kept
        self._drafted, self._passing = chat.id, chat.temporary
        parts.queue.show_chat(chat.id)
        parts.composer.chosen.show_chat(chat.id)
        if not self._session.busy and not parts.queue.held:
            parts.queue.hold(texts.HELD_AWAY)
        parts.composer.set_text(self.drafts.get(chat.id, ""))

    def remember(self) -> str:
        """The drafts, the queued questions and the chosen documents of the chats that are kept, as one text."""
        queue, chosen = self._parts.queue, self._parts.composer.chosen.by_chat
        unsent, queued = queue.unsent(), queue.chosen()
        if self._session.chat.temporary:
            for kept in (unsent, queued, chosen):
                kept.pop(self._session.chat.id, None)
        texts_of = {chat: (self.drafts.get(chat, ""), unsent.get(chat, "")) for chat in {*self.drafts, *unsent}}
        written = {chat: "\n\n".join(filter(str.strip, both)) for chat, both in texts_of.items() if any(both)}
        return write_drafts(written, queued | chosen)

    def recall(self, memory: str) -> None:
        """Take back what ``remember`` gave; anything else counts as nothing."""
        kept = read_drafts(memory)
        self.drafts = kept.written | {chat: text for chat, text in self.drafts.items() if text}
        self._parts.composer.chosen.take_back(kept.chosen)
        if not self._parts.composer.text:
            self._parts.composer.set_text(self.drafts.get(self._drafted, ""))

    def forget(self, chat: str) -> None:
        """A chat is gone, with what was written in it."""
        self.drafts.pop(chat, None)
        self._parts.queue.forget(chat)
        self._parts.composer.chosen.forget(chat)

    def adopt(self, chat: str, open_it: Callable[[], None]) -> None:
        """What was written in the new chat goes on in the one that was stored for its files."""
        self.drafts[chat] = self.drafts.pop(None, "")
        self._parts.composer.chosen.identify(chat)
        waits = self._waits_for_files
        open_it()
        self._waits_for_files = waits

    def give_back(self, chat: str) -> None:
        """A chat that was stored for files alone goes; what was written stays in the new chat."""
        self.drafts[None] = self._parts.composer.text
        self.drafts.pop(chat, None)

    def _on_drafted(self) -> None:
        if not self._session.chat.temporary:
            self.drafts[self._drafted] = self._parts.composer.text

    # -- asking --------------------------------------------------------------------------------------

    def ask_when_ready(self, question: str) -> None:
        """Write a question, and ask it as soon as it is known that there is a model."""
        self._parts.composer.set_text(question)
        self._question_waiting = question
        self.ask_waiting()

    def ask_waiting(self) -> None:
        if self._question_waiting and self._ready() and not self._parts.composer.blocked:
            question, self._question_waiting = self._question_waiting, ""
            self.ask_written(question)

    def ask_written(self, question: str) -> None:
        """Ask the composer's question, or let it wait for the files that are being read."""
        if self._parts.files.reading and not self._waits_for_files:
            self._waits_for_files = True
            self._parts.files.wait(lambda: self._on_files_read(True))
            return
        self._waits_for_files = False
        self._sent = question
        self._ask(question, self._parts.composer.chosen.chosen)

    def _ask(self, question: str, only: OneQuestion) -> None:
        if not self._compare(question, only):
            self._session.ask(question, self._parts.recipe.recipe, only=only)

    def _on_files_read(self, complete: bool) -> None:
        """Ask the question that waited for them, or that is not to wait any longer; not where one was taken away,
        stopped or cannot be read."""
        question = self._parts.composer.text.strip()
        if complete and self._waits_for_files and question and not self._parts.composer.blocked:
            self._parts.files.message.hide()
            self.ask_written(question)
        self._waits_for_files = False

    def _on_stored(self) -> None:
        """Only now the words may go from the composer; what was written meanwhile stays."""
        composer = self._parts.composer
        new, draft = self._drafted is None, self.drafts.pop(self._drafted, "")
        self._drafted = self._session.chat.id
        if self._drafted is not None:
            self._parts.queue.identify(self._drafted)
            composer.chosen.identify(self._drafted)
        if self._sent and composer.text.strip() == self._sent:
            composer.clear()
            composer.chosen.choose(NOTHING)
        elif draft:
            self.drafts[self._drafted] = draft
        self._sent, self._queued = "", None
        self._shell.take_back_message(self._refusal)
        self.stored.emit(new)

    def _on_refused(self, question: str, reason: str) -> None:
        if self._queued is not None and question == self._queued.text:
            why = texts.HELD_BLOCKED.format(reason=reason) if reason else texts.HELD_FAILED
            self._parts.queue.put_back(self._queued, why)
        elif question and not self._parts.composer.text.strip():
            self._parts.composer.set_text(question)
        if reason:
            self._refusal = texts.NOT_ASKED.format(reason=reason)
            self._shell.show_message(self._refusal, "danger")

    # -- the queue -----------------------------------------------------------------------------------

    def _on_queued(self, question: str) -> None:
        composer = self._parts.composer
        self._parts.queue.add(question, composer.chosen.chosen)
        composer.clear()
        composer.chosen.choose(NOTHING)

    def _on_answer_ended(self) -> None:
        """Ask the next queued question, unless the answer ended otherwise than by itself."""
        path, queue = self._session.chat.branches.path(), self._parts.queue
        if self._session.busy or not queue.questions or not path:
            return
        if queue.editing:
            queue.hold(texts.HELD_EDITING)
        elif path[-1].state == "done":
            self._send_queued()
        else:
            held = {"stopped": texts.HELD_STOPPED, "waiting": texts.HELD_DECISION}
            queue.hold(held.get(path[-1].state, texts.HELD_FAILED))

    def _send_queued(self) -> None:
        composer, queue = self._parts.composer, self._parts.queue
        if self._session.busy:
            return
        if composer.blocked:
            queue.hold(texts.HELD_BLOCKED.format(reason=composer.blocked))
        elif self._parts.files.reading:
            queue.hold(texts.HELD_FILES)
        elif (question := queue.take()) is not None:
            self._queued = question
            self._ask(question.text, question.only)
            composer.field.setFocus()
