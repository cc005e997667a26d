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

from workbench import events
from workbench.answering import AnswerContext, answer, work_on_document
from workbench.calls import Ask, AskResult, DocumentTask, FollowAnswer, StopAnswer, StoredMessage
from workbench.core.background import Background
from workbench.core.changes import Changes
from workbench.core.embedding import Embedding
from workbench.core.inference import Inference, WorkerModel
from workbench.core.resolving import Resolved, resolve, with_engine
from workbench.core.streams import Handlers, LiveStream, at_once
from workbench.errors import UserError
from workbench.events import Event
from workbench.messages import Message, Usage
from workbench.models.checksums import Checksums
from workbench.protocol import RequestContext, error_of, failure_of, finish
from workbench.settings import Settings
from workbench.storage.chats import ChatStore
from workbench.storage.collections import CollectionRegistry
from workbench.storage.models import ModelCatalogue

SAVE_EVERY_S = 1.0
TITLE_LENGTH = 60

_log = logging.getLogger(__name__)


class Answers:
    """The answers that are being made, and how to ask for one."""

    def __init__(
        self,
        store: ChatStore,
        catalogue: ModelCatalogue,
        registry: CollectionRegistry,
        inference: Inference,
        embedding: Embedding,
        checksums: Checksums,
        changes: Changes,
        background: Background,
        settings: Callable[[], Settings],
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._registry = registry
        self._inference = inference
        self._embedding = embedding
        self._checksums = checksums
        self._changes = changes
        self._background = background
        self._settings = settings
        self._lock = threading.Lock()  # guards the two below
        self._making: dict[str, _Making] = {}
        self._closing = False

    def handlers(self) -> Handlers:
        return {Ask: self.ask, FollowAnswer: self.follow, StopAnswer: at_once(self.stop)}

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
        making = self._begin(call)
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
            yield from _replayed(self._store.get_message(call.message))

    def stop(self, call: StopAnswer) -> None:
        with self._lock:
            making = self._making.get(call.message)
        if making is not None:
            making.context.cancel()

    # -- making an answer -------------------------------------------------------------------------

    def _begin(self, call: Ask) -> _Making:
        """Store question and empty answer; both are on the disk before anybody is told of them."""
        resolved = resolve(call.recipe, self._catalogue, self._registry)
        if call.regenerate is not None:
            task = self._task_of(call.regenerate)
            _check_task(task, resolved)
            question, empty = self._store.store_another_answer(call.regenerate, call.recipe, resolved.recipe)
        else:
            task = call.document
            _check_task(task, resolved)
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
        making = _Making(question, empty, resolved)
        stored = {"chat": question.chat, "question": question.id, "answer": empty.id}
        making.stream.append(events.Artifact(kind="message", id=empty.id, result=stored))
        making.thread = threading.Thread(target=self._make, args=(making, task), name=f"answer-{empty.id}", daemon=True)
        with self._lock:
            self._making[empty.id] = making
        making.thread.start()
        self._changes.publish("chat", question.chat)
        return making

    def _task_of(self, answer: str) -> DocumentTask | None:
        """The task on a document that an answer was made for."""
        question = self._store.get_message(answer).parent
        return self._store.get_message(question).document if question is not None else None

    def _make(self, making: _Making, task: DocumentTask | None) -> None:
        terminal: Event
        try:
            for event in self._events(making, task):
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
        try:
            terminal = self._store_ending(making, terminal)
        except Exception as error:  # noqa: BLE001 - who waits for the answer has to hear of its end
            terminal = failure_of(error, traceback.format_exc())
        with self._lock:
            del self._making[making.answer.id]
        making.stream.append(terminal)
        self._changes.publish("chat", making.answer.chat)

    def _events(self, making: _Making, task: DocumentTask | None) -> Iterator[Event]:
        resolved, context = making.resolved, making.context
        if resolved.collection is not None:
            self._embedding.warm_up()
        engine = self._settings().engine
        part = resolved.recipe.model
        with self._inference.lease(resolved.model, engine, part.context_tokens, context, making.stream.append) as model:
            making.model = model
            sha256 = self._checksums.known(resolved.model.files)
            if not sha256:
                self._compute_checksum(resolved)
            making.recipe = with_engine(resolved.recipe, model.loaded, sha256)
            retriever = None
            if resolved.collection is not None:
                retriever = self._embedding.retriever(resolved.collection, context)
            answering = AnswerContext(model=model, retriever=retriever, cancelled=lambda: context.cancelled)
            if task is not None:
                yield from work_on_document(task, making.recipe, answering)
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

    def _save_now_and_then(self, making: _Making) -> None:
        now = time.monotonic()
        if making.unsaved and now - making.saved >= SAVE_EVERY_S:
            making.saved = now
            try:
                self._store.update_message(making.answer.id, **making.partial())
            except UserError:  # the disk is full now; whether it still is at the end is what counts
                _log.exception("The answer %s could not be saved so far", making.answer.id)

    def _store_ending(self, making: _Making, terminal: Event) -> Event:
        """Store how the answer ended, then say it: the terminal event with the stored message's ids."""
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
        used = making.model.usage if making.model is not None else None
        if result is not None and used is not None and not result.usage.prompt_tokens:  # stopped before it was told
            result = msgspec.structs.replace(result, usage=used)
            fields["usage"] = used
        fields["recipe"] = recipe
        fields["state"] = "done"
        if isinstance(terminal, events.Failed):
            fields["state"], fields["error"] = "failed", f"{terminal.message} {_hint(terminal)}".strip()
        elif isinstance(terminal, events.Cancelled):
            fields["state"] = "interrupted" if self._closing or not making.context.cancelled else "stopped"
        self._store.update_message(making.answer.id, **fields)
        if isinstance(terminal, events.Failed):
            return terminal
        told = msgspec.structs.replace(
            result or AskResult(answer=making.text),
            chat=making.answer.chat,
            message=making.answer.id,
            recipe=recipe,
        )
        finished = finish(told)
        return events.Cancelled(result=finished.result) if isinstance(terminal, events.Cancelled) else finished


class _Making:
    """An answer that is being made: what it was asked with and what there is of it."""

    def __init__(self, question: StoredMessage, answer: StoredMessage, resolved: Resolved) -> None:
        self.question = question
        self.answer = answer
        self.resolved = resolved
        self.recipe = resolved.recipe
        self.context = RequestContext()
        self.stream = LiveStream()
        self.model: WorkerModel | None = None
        self.thread: threading.Thread | None = None
        self.saved = time.monotonic()
        self.unsaved = False
        self.query = ""
        self.passages: tuple[Any, ...] = ()
        self._text: list[str] = []
        self._thought: list[str] = []
        self._notices: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._text)

    def take(self, event: Event) -> None:
        """Keep what of an event belongs to the message."""
        if isinstance(event, events.TextDelta) and event.sequence == 0:
            self._text.append(event.text)
        elif isinstance(event, events.Thought):
            self._thought.append(event.text)
        elif isinstance(event, events.Retrieved):
            self.query, self.passages = event.query, event.passages
        elif isinstance(event, events.Log) and event.level == "notice":
            self._notices.append(event.text)
        else:
            return
        self.unsaved = True

    def partial(self) -> dict[str, Any]:
        """The message's fields as far as they are known."""
        self.unsaved = False
        return {
            "text": self.text,
            "thought": "".join(self._thought),
            "query": self.query,
            "passages": self.passages,
            "notices": tuple(self._notices),
        }


def _replayed(message: StoredMessage) -> Iterator[Event]:
    """A stored answer as the events that its making would have ended in."""
    if message.passages:
        yield events.Retrieved(query=message.query, passages=message.passages)
    if message.thought:
        yield events.Thought(text=message.thought)
    if message.text:
        yield events.TextDelta(text=message.text)
    if message.state == "failed":
        raise UserError(message.error or "The answer failed.")
    if message.state in ("interrupted", "streaming"):  # streaming, and not made here: its end could not be stored
        raise error_of(events.Failed(message="The program was ended in the middle of this answer."))
    result = AskResult(
        answer=message.text,
        citations=message.citations,
        declined=message.declined,
        usage=message.usage or Usage(),
        recipe=message.recipe or AskResult(answer="").recipe,
        chat=message.chat,
        message=message.id,
        query=message.query,
        passages=message.passages,
        notices=message.notices,
    )
    finished = finish(result)
    yield events.Cancelled(result=finished.result) if message.state == "stopped" else finished


def _check_task(task: DocumentTask | None, resolved: Resolved) -> None:
    if task is not None and resolved.collection is None:
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
