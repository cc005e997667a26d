"""Questions and answers: stored before anything else, made on the core's own threads, watched by anybody.

An answer belongs to the core: it goes on when its client leaves. What was streamed is saved about every second,
so that no death of any process loses more than that.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

import msgspec

from workbench.answering import AnswerContext, Prefix, answer, go_on, work_on_document
from workbench.api import events
from workbench.api.calls import Ask, AskResult, DocumentTask, FollowAnswer, StopAnswer, StoredMessage
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, failure_of, finish
from workbench.core.answers.inspection import read_trace, readable, tokens_of
from workbench.core.answers.pending_answer import PendingAnswer, replayed
from workbench.core.answers.resolver import Resolved, Resolver, with_engine
from workbench.core.background import Background
from workbench.core.change_notifier import Changes
from workbench.core.documents.embedder import Embedding
from workbench.core.models.leases import Inference
from workbench.core.streams import Handlers, unary
from workbench.errors import UserError
from workbench.models.checksums import Checksums
from workbench.records.messages import Message
from workbench.settings import Settings
from workbench.storage.chats import ChatStore
from workbench.storage.models import ModelCatalogue
from workbench.storage.traces import Trace

SAVE_EVERY_S = 1.0
STORE_AGAIN_S = 5.0
TITLE_LENGTH = 60

_log = logging.getLogger(__name__)


class Answers:
    """The answers that are being made, and how to ask for one."""

    def __init__(
        self,
        store: ChatStore,
        catalogue: ModelCatalogue,
        resolver: Resolver,
        inference: Inference,
        embedding: Embedding,
        checksums: Checksums,
        changes: Changes,
        background: Background,
        settings: Callable[[], Settings],
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._resolver = resolver
        self._inference = inference
        self._embedding = embedding
        self._checksums = checksums
        self._changes = changes
        self._background = background
        self._settings = settings
        self._lock = threading.Lock()  # guards the two below
        self._making: dict[str, PendingAnswer] = {}
        self._closing = False

    def handlers(self) -> Handlers:
        return {Ask: self.ask, FollowAnswer: self.follow, StopAnswer: unary(self.stop)}

    @property
    def busy(self) -> bool:
        with self._lock:
            return bool(self._making)

    def recover(self) -> None:
        """Mark what an earlier core left unfinished."""
        self._store.interrupt_streaming()

    def close(self, timeout_s: float = 5.0) -> None:
        """Interrupt the answers that are being made; what they have is stored."""
        with self._lock:
            self._closing = True
            making = list(self._making.values())
        for one in making:
            one.context.cancel()
        for one in making:
            if one.thread is not None:
                one.thread.join(timeout_s)

    def stop_chat(self, chat: str, timeout_s: float = 30.0) -> None:
        """Stop the answers of a chat and wait until they have ended."""
        with self._lock:
            making = [one for one in self._making.values() if one.answer.chat == chat]
        for one in making:
            one.context.cancel()
        for one in making:
            if one.thread is not None:
                one.thread.join(timeout_s)

    # -- calls ------------------------------------------------------------------------------------

    def ask(self, call: Ask, context: RequestContext) -> Iterator[Event]:
        """Store the question, then make the answer on a thread of its own and follow it.

        Cancelling the call stops the answer; leaving it does not.
        """
        making = self._begin(call, context)
        gone = RequestContext()  # the asker has gone: stop telling, go on answering
        context.when_cancelled(lambda: gone.cancel() if context.left else making.context.cancel())
        ended = False
        try:
            for event in making.stream.follow(gone):
                ended = isinstance(event, events.TERMINAL)
                yield event
        finally:
            if not ended and not context.left:
                making.context.cancel()

    def follow(self, call: FollowAnswer, context: RequestContext) -> Iterator[Event]:
        """An answer that is being made, from its begin; of one that is there, what it holds."""
        with self._lock:
            making = self._making.get(call.message)
        if making is not None:
            yield from making.stream.follow(context)
        else:
            yield from replayed(self._store.get_message(call.message))

    def stop(self, call: StopAnswer) -> None:
        with self._lock:
            making = self._making.get(call.message)
        if making is not None:
            making.context.cancel()

    # -- making an answer -------------------------------------------------------------------------

    def _begin(self, call: Ask, context: RequestContext) -> PendingAnswer:
        """Store question and empty answer; both are on the disk before anybody is told of them."""
        begun = None
        if call.branch is not None:
            begun, resolved = self._branch(call, context)
        else:
            resolved = self._resolver.resolve(call.recipe)
        if call.regenerate is not None:
            task = self._task_of(call.regenerate)
            _check_task(task, resolved, begun)
            question, empty = self._store.store_another_answer(
                call.regenerate, call.recipe, resolved.recipe, aside=call.aside
            )
        else:
            task = call.document
            _check_task(task, resolved, begun)
            text = call.question.strip() or _described(task)
            if not text:
                raise UserError("There is no question.", "Write one first.")
            parent = call.parent
            if parent is None and call.chat is not None and not call.root:
                parent = self._store.get_record(call.chat).head
            question, empty = self._store.store_question(
                text,
                call.recipe,
                resolved.recipe,
                chat=call.chat,
                parent=parent,
                title=_title(text),
                document=task,
            )
        making = PendingAnswer(question, empty, resolved, task, begun)
        stored = {"chat": question.chat, "question": question.id, "answer": empty.id}
        making.stream.append(events.Artifact(kind="message", id=empty.id, result=stored))
        making.thread = threading.Thread(target=self._make, args=(making,), name=f"answer-{empty.id}", daemon=True)
        with self._lock:
            self._making[empty.id] = making
        making.thread.start()
        self._changes.publish("chat", question.chat)
        return making

    def _branch(self, call: Ask, context: RequestContext) -> tuple[Prefix, Resolved]:
        """What the new answer begins with, and the recipe of the old one with the decoding that is asked for."""
        assert call.branch is not None
        if call.regenerate is None:
            raise UserError("A branch begins at an answer.", "Name it as the one to be answered anew.")
        message = readable(self._store.get_message(call.regenerate))
        trace = read_trace(self._store, message)
        tokens, place = tokens_of(trace, call.branch.sequence), call.branch.position
        if not 0 <= place <= len(tokens) or call.branch.token < 0:
            raise UserError(
                f"The answer has no place {place} for the token {call.branch.token}.",
                f"Its places are numbered from 0 to {len(tokens)}.",
            )
        assert message.parent is not None
        assert message.recipe is not None
        begun = Prefix(
            prompt=trace.prompt,
            answer=(*tokens[:place], call.branch.token),
            question=self._store.get_message(message.parent).text,
            query=message.query,
            passages=message.passages,
        )
        return begun, self._resolver.resolve_as_made(message.recipe, call.recipe.decoding, context)

    def _task_of(self, answer: str) -> DocumentTask | None:
        """The task on a document that an answer was made for."""
        question = self._store.get_message(answer).parent
        return readable(self._store.get_message(question)).document if question is not None else None

    def _make(self, making: PendingAnswer) -> None:
        terminal: Event
        try:
            for event in self._events(making):
                making.take(event)
                if isinstance(event, events.TERMINAL):
                    terminal = event
                    break
                making.stream.append(event)
                self._save_now_and_then(making)
            else:
                raise RuntimeError("the answer ended without a terminal event")
        except Exception as error:  # noqa: BLE001 - whatever happened is how the answer ended
            terminal = failure_of(error, traceback.format_exc())
        terminal, fields = self._ending(making, terminal)
        trace = making.trace()
        try:
            self._store.store_ending(making.answer.id, trace, **fields)
        except Exception as error:  # noqa: BLE001 - who waits for the answer has to hear of its end
            terminal = failure_of(error, traceback.format_exc())
            self._background.start("ending", lambda context: self._store_later(making, trace, fields, context))
        with self._lock:
            del self._making[making.answer.id]
        making.stream.append(terminal)
        self._changes.publish("chat", making.answer.chat)

    def _events(self, making: PendingAnswer) -> Iterator[Event]:
        resolved, context = making.resolved, making.context
        if resolved.collection is not None:
            self._embedding.warm_up()
        engine = self._settings().engine
        wanted = resolved.recipe.model.context_tokens
        # what works through a whole document can wait a little for those who chat
        use = msgspec.structs.replace(resolved.use, background=making.task is not None)
        leased = self._inference.lease(resolved.model, engine, wanted, context, making.stream.append, use=use)
        with leased as model:
            making.model = model
            sha256 = self._checksums.known(resolved.model.files)
            if not sha256:
                self._compute_checksum(resolved)
            making.recipe = with_engine(resolved.recipe, model.loaded, sha256)
            retriever = None
            if resolved.collection is not None:
                retriever = self._embedding.retriever(resolved.collection, context)
            answering = AnswerContext(model=model, retriever=retriever, cancelled=lambda: context.cancelled)
            if making.begun is not None:
                yield from go_on(making.begun, making.recipe, answering)
            elif making.task is not None:
                yield from work_on_document(making.task, making.recipe, answering)
            else:
                yield from answer(making.recipe, self._conversation(making.question), answering)

    def _conversation(self, question: StoredMessage) -> tuple[Message, ...]:
        """The turns down to the question. A question that got no answer is left out with it."""
        branch = self._store.get_branch(question.id)
        turns: list[Message] = []
        for asked, answered in zip(branch[:-1:2], branch[1::2], strict=True):
            if answered.text.strip():
                turns += [Message("user", asked.text), Message("assistant", answered.text)]
        return (*turns, Message("user", question.text))

    def _compute_checksum(self, resolved: Resolved) -> None:
        """In the background: a big model's takes longer than its first answer, which then goes without."""

        def compute(context: RequestContext) -> None:
            sha256 = self._checksums.compute(resolved.model.files, context)
            current = self._catalogue.find(resolved.model.name)
            if current is not None and current.files == resolved.model.files:
                self._catalogue.put(msgspec.structs.replace(current, sha256=sha256))

        self._background.start("checksum", compute)

    # -- storing it -------------------------------------------------------------------------------

    def _save_now_and_then(self, making: PendingAnswer) -> None:
        now = time.monotonic()
        if making.unsaved and now - making.saved >= SAVE_EVERY_S:
            making.saved = now
            try:
                self._store.update_message(making.answer.id, **making.partial())
            except UserError:  # the disk is full now; whether it still is at the end is what counts
                _log.exception("The answer %s could not be saved so far", making.answer.id)

    def _store_later(
        self, making: PendingAnswer, trace: Trace | None, fields: dict[str, Any], context: RequestContext
    ) -> None:
        """Store the end of an answer for which there was no room, once there is some."""
        while not context.wait_cancelled(STORE_AGAIN_S):
            try:
                self._store.store_ending(making.answer.id, trace, **fields)
            except UserError:
                continue
            self._changes.publish("chat", making.answer.chat)
            return

    def _ending(self, making: PendingAnswer, terminal: Event) -> tuple[Event, dict[str, Any]]:
        """How the answer ended: the terminal event with the stored message's ids, and the message's fields."""
        sha256 = self._checksums.known(making.resolved.model.files)
        recipe = msgspec.structs.replace(
            making.recipe, model=msgspec.structs.replace(making.recipe.model, sha256=sha256)
        )
        fields = making.partial()
        result: AskResult | None = None
        if isinstance(terminal, events.Finished) or (isinstance(terminal, events.Cancelled) and terminal.result):
            result = msgspec.convert(terminal.result, AskResult)
            if result.recipe.retrieval is not None:
                recipe = msgspec.structs.replace(recipe, retrieval=result.recipe.retrieval)
            fields.update(
                text=result.answer,
                query=result.query or making.query,
                passages=result.passages or making.passages,
                citations=result.citations,
                declined=result.declined,
                notices=result.notices,
                usage=result.usage,
            )
            if len(result.sequences) > 1:  # the best one need not be the one that streamed as the first
                fields.update(sequences=result.sequences, thought=result.sequences[0].thought)
        used = making.usage()
        if result is not None and used is not None and not result.usage.prompt_tokens:  # stopped before it was told
            result = msgspec.structs.replace(result, usage=used)
            fields["usage"] = used
        fields["recipe"] = recipe
        fields["state"] = "done"
        if isinstance(terminal, events.Failed):
            fields["state"], fields["error"] = "failed", f"{terminal.message} {_hint(terminal)}".strip()
        elif isinstance(terminal, events.Cancelled):
            fields["state"] = "interrupted" if self._closing or not making.context.cancelled else "stopped"
        if isinstance(terminal, events.Failed):
            return terminal, fields
        told = msgspec.structs.replace(
            result or AskResult(answer=making.text),
            chat=making.answer.chat,
            message=making.answer.id,
            recipe=recipe,
        )
        finished = finish(told)
        cancelled = isinstance(terminal, events.Cancelled)
        return events.Cancelled(result=finished.result) if cancelled else finished, fields


def _check_task(task: DocumentTask | None, resolved: Resolved, begun: Prefix | None) -> None:
    if task is not None and begun is None and resolved.collection is None:
        raise UserError("A task on a document needs the collection that holds it.", "Name the collection.")


def _hint(failed: events.Failed) -> str:
    return failed.hint if failed.reason == "user" else ""


def _title(question: str) -> str:
    """A chat's title: the first line of its first question, cut at a word."""
    line = " ".join(question.strip().split("\n", 1)[0].split())
    if len(line) <= TITLE_LENGTH:
        return line
    cut = line[:TITLE_LENGTH]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut) + "…"


def _described(task: DocumentTask | None) -> str:
    """The question that a task on a document stands for."""
    if task is None:
        return ""
    name = PurePath(task.document).name
    if task.task == "translate":
        return f"Translate {name} into {task.language}"
    if task.task == "extract":
        return f"Extract {', '.join(task.columns)} from {name}"
    return f"Summarise {name}"
