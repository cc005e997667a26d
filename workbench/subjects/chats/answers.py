"""The chats' part of answers: questions stored before anything else, answers made on the core's own threads, saved
while they are made, followed by any number of clients.

What is asked is ``requests``' matter, how it is answered ``workbench.subjects.answering.answer``'s. An answer belongs
to the core: it goes on when its client leaves. It is saved about every second, so that no
death of any process loses more than that.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import msgspec

from workbench.api import events
from workbench.api.answer_state import AnswerState, replay
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, failure_of, finish
from workbench.base.errors import UserError
from workbench.core.background import Background
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, LiveStream, unary
from workbench.records.agents import Approval
from workbench.records.answers import AskResult, StoredMessage
from workbench.records.recipes import Recipe, without_attachments
from workbench.records.trace import Trace
from workbench.subjects.agents.calls import Decide
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest, Resolved
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.chats.calls import Ask, FollowAnswer, StopAnswer
from workbench.subjects.chats.inspection import readable
from workbench.subjects.chats.journal import carries_out, is_boundary, joined
from workbench.subjects.chats.requests import Requests
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.chats.unfinished import UnfinishedSections
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.journal import TaskSections
from workbench.techniques.context import SavedSections

SAVE_EVERY_S = 1.0
STORE_AGAIN_S = 5.0
TITLE_LENGTH = 60

_log = logging.getLogger(__name__)


class TaskConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The config of a task's run: the answer that it writes, in which chat."""

    chat: str
    message: str


class Answers:
    """The answers that are being made, and how to ask for one. A task on a document is a run as well: ``add_run``
    queues it under a title and tells its folder. Without it, and without ``unfinished``, nothing is written beside
    ``store``: the answers are of chats that are not kept."""

    def __init__(
        self,
        store: ChatStore,
        services: HomeServices,
        changes: ChangeNotifier,
        background: Background,
        add_run: Callable[[str, TaskConfig], tuple[RunRecord, Path]] | None = None,
        unfinished: UnfinishedSections | None = None,
        require_image: Callable[[str], None] = lambda sha256: None,
    ) -> None:
        self._store = store
        self._services = services
        self._requests = Requests(store, services, require_image)
        self._changes = changes
        self._background = background
        self._add_run = add_run
        self.unfinished = unfinished
        self._lock = threading.Lock()  # guards the three below
        self._pending: dict[str, PendingAnswer] = {}
        self._tasks: dict[str, PendingAnswer] = {}  # whose runs have not begun to follow them
        self._closing = False

    def handlers(self) -> Handlers:
        return {Ask: self.ask, Decide: self.decide, FollowAnswer: self.follow, StopAnswer: unary(self.stop)}

    @property
    def busy(self) -> bool:
        with self._lock:
            return bool(self._pending)

    def recover(self) -> None:
        """Mark the answers that an earlier core left unfinished; one whose decision was not carried out waits again."""
        self._store.interrupt_streaming()
        if self.unfinished is not None:
            self.unfinished.remove_old()

    def close(self, timeout_s: float = 5.0) -> None:
        """Interrupt the answers that are being made; what they have is stored."""
        with self._lock:
            self._closing = True
        self._stop(None, timeout_s)

    def stop_chat(self, chat: str) -> None:
        """Stop the answers of a chat and wait until they have ended."""
        self._stop(chat, 30.0)

    def _stop(self, chat: str | None, timeout_s: float) -> None:
        with self._lock:
            stopped = [one for one in self._pending.values() if chat in (None, one.answer.chat)]
        for one in stopped:
            one.context.cancel()
        for one in stopped:
            if one.thread is not None:
                one.thread.join(timeout_s)

    # -- calls ------------------------------------------------------------------------------------

    def ask(self, call: Ask, context: RequestContext) -> Iterator[Event]:
        """Store the question, then make the answer on a thread of its own and follow it.

        Cancelling the call stops the answer; leaving it does not.
        """
        yield from self._followed(self._begin(call, context), context)

    def decide(self, call: Decide, context: RequestContext) -> Iterator[Event]:
        """Go on with an answer that waits, and follow it as ``ask`` does."""
        yield from self._followed(self._go_on(call), context)

    def _followed(self, pending: PendingAnswer, context: RequestContext) -> Iterator[Event]:
        gone = RequestContext()  # the asker has gone: send no more events, go on answering
        context.when_cancelled(lambda: gone.cancel() if context.left else pending.context.cancel())
        ended = False
        try:
            for event in pending.stream.follow(gone):
                ended = isinstance(event, events.TERMINAL)
                yield event
        finally:
            if not ended and not context.left:
                pending.context.cancel()

    def follow(self, call: FollowAnswer, context: RequestContext) -> Iterator[Event]:
        """An answer that is being made, from its beginning; a stored one as the events that it would have ended in."""
        with self._lock:
            pending = self._pending.get(call.message)
        if pending is not None:
            yield from pending.stream.follow(context)
        else:
            message = self._store.get_message(call.message)
            yield from replay(message, self._store.get_trace(message.id))

    def stop(self, call: StopAnswer) -> None:
        """Stop an answer; one that waits goes on no more."""
        with self._lock:
            pending = self._pending.get(call.message)
        if pending is not None:
            pending.context.cancel()
        elif self._store.leave_waiting(call.message, "stopped"):
            self._changes.publish("chat", self._store.get_message(call.message).chat)

    # -- asking -----------------------------------------------------------------------------------

    def _begin(self, call: Ask, context: RequestContext) -> PendingAnswer:
        """Check the request, store question and empty answer, and begin. Both are on the disk before any event."""
        checked = self._requests.of_ask(call, context)
        recipe = without_attachments(call.chat_recipe or call.recipe)
        request, resolved = checked.request, checked.resolved
        if call.regenerate is not None:
            question, empty = self._store.store_another_answer(
                checked.branch, recipe, resolved.recipe, aside=call.aside, trace=checked.earlier
            )
        else:
            text = request.conversation[-1].content
            question, empty = self._store.store_question(
                text,
                recipe,
                resolved.recipe,
                after=checked.branch,
                title=_title(text),
                document=call.document,
                folder=call.folder,
                parts=request.conversation[-1].parts,
            )
        pending = PendingAnswer(question, empty, msgspec.structs.replace(request, chat=question.chat), resolved)
        pending.earlier = checked.earlier
        stored = {"chat": question.chat, "question": question.id, "answer": empty.id}
        pending.stream.append(events.Artifact(kind="message", id=empty.id, result=stored))
        saved: SavedSections | None = None
        if request.task is not None and self._add_run is not None:
            saved = self._begin_run(pending, self._add_run)
        elif resolved.recipe.retrieval is not None and self.unfinished is not None:
            saved = self.unfinished.of(question.chat, resolved.recipe)
        self._start(pending, saved)
        return pending

    def _go_on(self, call: Decide) -> PendingAnswer:
        """Check a decision, and resume the answer from its steps, under its own id. What the answer waits for stays
        stored until the decision is carried out, so that a core that dies before that leaves it waiting."""
        branch, decision = self._store.read_to(call.message), call.decision
        answer_, asked = readable(branch.messages[-1]), branch.messages[:-1]
        waiting = answer_.waiting
        if answer_.state != "waiting" or waiting is None or answer_.parent is None or answer_.recipe is None:
            raise UserError("This answer waits for no decision.", "It may have been decided elsewhere.")
        if decision.signature != waiting.call.signature:
            raise UserError(
                "The decision is on another call than the one that waits.", "Look at the call again and decide anew."
            )
        checked = self._requests.of_decision(branch, waiting, decision)
        allows = waiting.call.tool if decision.choice == "allow-in-chat" else ""
        if not self._store.leave_waiting(answer_.id, "streaming", allows):
            raise UserError("This answer waits for no decision.", "It was decided elsewhere.")
        pending = PendingAnswer(asked[-1], answer_, checked.request, checked.resolved)
        pending.earlier, pending.waiting = checked.earlier, waiting
        stored = {"chat": answer_.chat, "question": asked[-1].id, "answer": answer_.id}
        pending.stream.append(events.Artifact(kind="message", id=answer_.id, result=stored))
        self._start(pending)
        return pending

    def _start(self, pending: PendingAnswer, saved: SavedSections | None = None) -> None:
        id = pending.answer.id
        pending.thread = threading.Thread(target=self._make, args=(pending, saved), name=f"answer-{id}", daemon=True)
        with self._lock:  # whoever finds it here joins its thread
            self._pending[id] = pending
            pending.thread.start()
        self._changes.publish("chat", pending.answer.chat)

    # -- tasks on a document, which are runs -------------------------------------------------------

    def _begin_run(
        self, pending: PendingAnswer, add_run: Callable[[str, TaskConfig], tuple[RunRecord, Path]]
    ) -> SavedSections | None:
        """The run of a task, and what keeps its sections; None where the run's folder cannot be written: the task is
        done all the same."""
        answer_id = pending.answer.id
        with self._lock:
            self._tasks[answer_id] = pending
        try:
            config = TaskConfig(chat=pending.answer.chat, message=answer_id)
            run, folder = add_run(_title(pending.question.text), config)
        except UserError:
            _log.exception("The task %s could not be made a run", answer_id)
            self.take_task(answer_id)
            return None
        pending.stream.append(events.Artifact(kind="run", id=run.id))
        return TaskSections(folder)

    def take_task(self, message: str) -> PendingAnswer | None:
        """The answer of a task that was just begun, for the run that follows it."""
        with self._lock:
            return self._tasks.pop(message, None)

    def resume(self, message: str, folder: Path) -> PendingAnswer:
        """Begin the answer of a stopped task again, with the sections that are finished. Raises UserError when it is
        gone, being generated, or complete."""
        *_, asked, found = (None, *self._store.read_to(message).messages)
        empty = readable(found)
        with self._lock:
            pending = self._pending.get(message)
        if pending is not None:
            raise UserError("This answer is still being generated.", "Wait until it is complete, or stop it.")
        if empty.state == "done" or asked is None or empty.recipe is None:
            raise UserError("This task is complete.", "Ask again to repeat it.")
        question = readable(asked)
        checked = self._requests.of_task(empty.recipe, question.document)
        self._store.update_message(message, state="streaming", text="", error="")
        pending = PendingAnswer(question, empty, checked.request, checked.resolved)
        self._start(pending, TaskSections(folder))
        return pending

    # -- making and storing -----------------------------------------------------------------------

    def _make(self, pending: PendingAnswer, saved: SavedSections | None) -> None:
        """On the answer's own thread: follow the answering service to its end and store what it says."""
        request, resolved = pending.request, pending.resolved
        background = request.task is not None  # a task on a whole document gives way to chats
        terminal: Event = events.Cancelled()
        try:
            stream = cast(
                "Generator[Event, None, None]",
                answer(request, self._services, pending.context, background=background, resolved=resolved, saved=saved),
            )
            with closing(stream):
                for event in stream:
                    if isinstance(event, events.TERMINAL):
                        terminal = event
                        break
                    pending.take(event)
                    if is_boundary(event, pending.state):
                        self._store_journal(pending, event)
                    pending.stream.append(event)
                    self._save_now_and_then(pending)
            terminal, recipe = self._ending(pending, terminal)
        except Exception as error:  # noqa: BLE001 - those who follow the answer have to hear of its end
            terminal, recipe = self._ending(pending, failure_of(error, traceback.format_exc()))
        pending.take(terminal)
        if isinstance(terminal, events.Finished) and self.unfinished is not None:
            self.unfinished.complete(pending.answer.chat, pending.resolved.recipe)
        trace = pending.trace()
        fields = {**pending.state.fields(), "recipe": recipe, "steps": len(trace.steps)}
        if pending.waiting is not None and pending.state.state in ("interrupted", "failed"):
            fields.update(state="waiting", waiting=pending.waiting)
        try:
            self._store.store_ending(pending.answer.id, trace, **fields)
        except Exception as error:  # noqa: BLE001 - as above
            terminal = failure_of(error, traceback.format_exc())
            self._background.start("ending", lambda context: self._store_later(pending, trace, fields, context))
        with self._lock:
            del self._pending[pending.answer.id]
        pending.stream.append(terminal)
        self._changes.publish("chat", pending.answer.chat)

    def _store_journal(self, pending: PendingAnswer, event: Event) -> None:
        """Put the steps on the disk; what waited for the decision waits no more once that is carried out."""
        if pending.earlier is not None and carries_out(event, pending.state, pending.earlier):
            pending.waiting = None
        self._store.store_journal(pending.answer.id, pending.trace(), decided=pending.waiting is None)

    def _save_now_and_then(self, pending: PendingAnswer) -> None:
        now = time.monotonic()
        if pending.unsaved and now - pending.saved >= SAVE_EVERY_S:
            pending.saved, pending.unsaved = now, False
            try:
                self._store.update_message(pending.answer.id, **pending.state.fields())
            except UserError:  # the disk is full now; whether it still is at the end is what counts
                _log.exception("The answer %s could not be saved so far", pending.answer.id)

    def _store_later(
        self, pending: PendingAnswer, trace: Trace, fields: dict[str, Any], context: RequestContext
    ) -> None:
        """Store the end of an answer for which there was no room, once there is some."""
        while not context.wait_cancelled(STORE_AGAIN_S):
            try:
                self._store.store_ending(pending.answer.id, trace, **fields)
            except UserError:
                continue
            self._changes.publish("chat", pending.answer.chat)
            return

    def _ending(self, pending: PendingAnswer, terminal: Event) -> tuple[Event, Recipe]:
        """The terminal event with the ids of the stored message, and the recipe that the answer was made with."""
        recipe = pending.resolved.recipe
        if isinstance(terminal, events.Failed):
            return terminal, recipe
        assert isinstance(terminal, (events.Finished, events.Cancelled))
        result = msgspec.structs.replace(pending.state.result(), recipe=recipe)
        if terminal.result is not None:
            result = msgspec.convert(terminal.result, AskResult)
        stored = finish(msgspec.structs.replace(result, chat=pending.answer.chat, message=pending.answer.id))
        if isinstance(terminal, events.Finished):
            return stored, result.recipe
        interrupted = self._closing or not pending.context.cancelled
        return events.Cancelled(result=stored.result, interrupted=interrupted), result.recipe


def _title(question: str) -> str:
    """A chat's title: the first line of its first question, cut at a word."""
    line = " ".join(question.strip().split("\n", 1)[0].split())
    if len(line) <= TITLE_LENGTH:
        return line
    cut = line[:TITLE_LENGTH]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut) + "…"


class PendingAnswer:
    """An answer that is being generated: its request, its ``state`` so far and the ``stream`` that clients follow.

    ``earlier`` are the steps that it goes on from, ``waiting`` is the call whose decision was not carried out yet.
    ``unsaved``: the stored message is behind, which was ``saved`` at that time (monotonic seconds).
    """

    def __init__(
        self,
        question: StoredMessage,
        answer: StoredMessage,
        request: AnswerRequest,
        resolved: Resolved,
    ) -> None:
        self.earlier: Trace | None = None
        self.waiting: Approval | None = None
        self.question = question
        self.answer = answer
        self.request = request
        self.resolved = resolved
        self.context = RequestContext()
        self.stream = LiveStream()
        self.thread: threading.Thread | None = None
        self.saved = time.monotonic()
        self.unsaved = False
        self.state = AnswerState()

    def take(self, event: Event) -> None:
        self.unsaved = self.state.apply(event) or self.unsaved

    def trace(self) -> Trace:
        """The steps so far, with the calls of the same answer before it waited."""
        now = self.state.trace()
        if self.earlier is None:
            return now
        return joined(self.earlier, now, ended=self.state.state in ("done", "waiting"))
