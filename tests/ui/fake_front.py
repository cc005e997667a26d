"""FakeFront: a core that answers the calls of ``workbench.calls`` from memory, on a thread of its own.

It does what the real one does as far as a window can see: changes are announced to subscribers, an answer streams
and is stored, adding documents makes a run. What a test wants otherwise it says:

- ``answer(CallType, function)``: answer these calls with ``function(call) -> Iterable[Event]``; it may raise,
- ``hold(CallType)``: the next such call waits; its events are sent by the test with ``Held.emit`` and ``finish``,
- ``announce(kind, id)``: send a ``Changed`` event,
- ``lose_connection()`` / ``reconnect()``: the core has died / is there again,
- ``calls``: everything that was asked, in order; ``asked(CallType)`` picks.
"""

from __future__ import annotations

import json
import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tests.ui import (
    fake_adapters,
    fake_agents,
    fake_engines,
    fake_evaluation,
    fake_judgements,
    fake_ladder,
    fake_machine,
    fake_models,
    fake_prompts,
    fake_tokens,
    fake_training,
)
from tests.ui.fake_home import FakeHome, cited, verified
from workbench import calls as c
from workbench import methods as registry
from workbench.api import events
from workbench.api.answer_state import AnswerState, with_trace
from workbench.api.events import Changed, Event
from workbench.api.protocol import Call, failure_of, finish, result_of
from workbench.base.errors import UserError, WorkerDied
from workbench.base.settings import SECTIONS, Settings
from workbench.reading.formula_drawing import draw_formula
from workbench.records.agent_edits import actions_on as agent_actions
from workbench.records.messages import Candidate, Passage, Usage
from workbench.records.projects import ChatProject
from workbench.records.recipes import Recipe
from workbench.records.thoughts import actions_on
from workbench.records.trace import StepEdit, TokenIds

R = TypeVar("R")
Answer = Callable[[Any], Iterable[Event]]

STARTER_HINT = 'Install them with: pip install "llm-workbench[starter]"'


_LONG = ("train", "evaluate", "optimise", "candidates", "ladder")


class FakeHandle:
    """One open call."""

    def __init__(self, front: FakeFront, call: Call[Any], on_event: Callable[[Event], None]) -> None:
        self.call = call
        self.cancelled = threading.Event()
        self._front = front
        self._on_event = on_event
        self._seq = 0
        self.ended = False

    def send(self, event: Event) -> None:
        """Send one event; on the front's thread only. Nothing is sent after a terminal event."""
        if self.ended:
            return
        self._seq = max(self._seq + 1, event.seq)  # a run's events have numbers of their own
        self.ended = isinstance(event, events.TERMINAL)
        if self.ended and self in self._front.open:
            self._front.open.remove(self)
        self._on_event(events.stamped(event, self._seq, time.time()))

    def cancel(self) -> None:
        self.cancelled.set()
        self._front.post(lambda: self._front.cancel_call(self))


class Held:
    """A call that a test answers by hand. ``call`` is None until it was made."""

    def __init__(self, front: FakeFront) -> None:
        self._front = front
        self.handle: FakeHandle | None = None
        self._early: list[Event] = []

    @property
    def call(self) -> Any:
        return self.handle.call if self.handle is not None else None

    @property
    def cancelled(self) -> bool:
        return self.handle is not None and self.handle.cancelled.is_set()

    def take(self, handle: FakeHandle) -> None:
        self.handle = handle
        for event in self._early:
            handle.send(event)

    def emit(self, *several: Event) -> None:
        """Send events, from any thread; before the call was made they wait for it."""

        def send() -> None:
            for event in several:
                if self.handle is not None:
                    self.handle.send(event)
                else:
                    self._early.append(event)

        self._front.post(send)

    def finish(self, result: Any = None) -> None:
        self.emit(finish(result))

    def fail(self, error: Exception) -> None:
        self.emit(failure_of(error))


class FakeFront:
    """Implements ``workbench.api.client.Front``. ``home`` is its memory; close it at the end of a test."""

    def __init__(self, home: FakeHome | None = None) -> None:
        self.home = home or FakeHome()
        self.calls: list[Call[Any]] = []
        self.open: list[FakeHandle] = []
        self.connected = True
        self._answers: dict[type[Call[Any]], Answer] = {}
        self._held: dict[type[Call[Any]], list[Held]] = {}
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="fake-front", daemon=True)
        self._thread.start()

    # -- Front -------------------------------------------------------------------------------------

    def start(self, call: Call[R], on_event: Callable[[Event], None]) -> FakeHandle:
        handle = FakeHandle(self, call, on_event)
        self.calls.append(call)
        self.post(lambda: self._answer(handle))
        return handle

    def stream(self, call: Call[R]) -> Iterator[Event]:
        arrived: queue.SimpleQueue[Event] = queue.SimpleQueue()
        handle = self.start(call, arrived.put)
        try:
            while True:
                event = arrived.get()
                yield event
                if isinstance(event, events.TERMINAL):
                    return
        finally:
            handle.cancel()

    def call(self, call: Call[R], watch: Callable[[Event], None] | None = None) -> R:
        return result_of(call, self.stream(call), watch)

    def close(self) -> None:
        self._jobs.put(None)
        self._thread.join(timeout=5)

    # -- what a test says ----------------------------------------------------------------------------

    def answer(self, call_type: type[Call[Any]], answer: Answer) -> None:
        self._answers[call_type] = answer

    def refuse(self, call_type: type[Call[Any]], error: Exception) -> None:
        """Answer these calls with an error."""
        self._answers[call_type] = lambda call: [failure_of(error)]

    def forget(self, call_type: type[Call[Any]]) -> None:
        """Answer these calls again as without ``answer`` and ``refuse``."""
        self._answers.pop(call_type, None)

    def hold(self, call_type: type[Call[Any]]) -> Held:
        held = Held(self)
        self._held.setdefault(call_type, []).append(held)
        return held

    def asked(self, call_type: type[Call[Any]]) -> list[Any]:
        return [call for call in self.calls if isinstance(call, call_type)]

    def announce(self, kind: str, id: str = "") -> None:
        self.post(lambda: self._announce(kind, id))

    def lose_connection(self) -> None:
        def lose() -> None:
            self.connected = False
            for handle in list(self.open):
                handle.send(failure_of(WorkerDied("core", -9)))

        self.post(lose)

    def reconnect(self) -> None:
        self.connected = True

    def post(self, job: Callable[[], None]) -> None:
        """Do something on the front's thread, after all that was posted before."""
        self._jobs.put(job)

    def wait_idle(self) -> None:
        """Wait until everything posted so far was done. For tests without an event loop."""
        done = threading.Event()
        self.post(done.set)
        assert done.wait(5)

    # -- answering, on the front's thread ------------------------------------------------------------

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def cancel_call(self, handle: FakeHandle) -> None:
        if not handle.ended:
            handle.send(events.Cancelled())

    def _announce(self, kind: str, id: str) -> None:
        for handle in list(self.open):
            if isinstance(handle.call, c.Subscribe):
                handle.send(Changed(kind=kind, id=id))

    def _answer(self, handle: FakeHandle) -> None:
        call = handle.call
        self.open.append(handle)
        if not self.connected:
            handle.send(failure_of(WorkerDied("core", -9)))
            return
        waiting = self._held.get(type(call))
        if waiting:
            waiting.pop(0).take(handle)
            return
        special = self._answers.get(type(call))
        if isinstance(call, c.Subscribe) and special is None:
            return
        try:
            for event in special(call) if special is not None else self.by_itself(call):
                handle.send(event)
        except Exception as error:  # noqa: BLE001 - as the core does: a fault is how the call ends
            handle.send(failure_of(error, traceback.format_exc()))
        if not handle.ended and not self._goes_on(call):
            handle.send(events.Finished())

    def _goes_on(self, call: Call[Any]) -> bool:
        """A training that is under way tells of itself until its end."""
        run = self.home.runs.get(call.run) if isinstance(call, c.FollowRun) else None
        return run is not None and run.kind in _LONG and run.state in ("queued", "running")

    def tell(self, run: str, *several: Event) -> None:
        """Have a run tell more to those who follow it, and keep it."""

        def send() -> None:
            known = self.home.run_events.setdefault(run, [])
            for event in several:
                known.append(events.stamped(event, len(known) + 1, time.time()))
                for handle in list(self.open):
                    if isinstance(handle.call, c.FollowRun) and handle.call.run == run:
                        handle.send(known[-1])

        self.post(send)

    def by_itself(self, call: Call[Any]) -> Iterator[Event]:
        """What the real core would do, on the memory of ``home``."""
        home = self.home
        match call:
            case c.Ask():
                yield from self._ask(call)
                return
            case c.Decide():
                yield from self._decide(call)
                return
            case c.AddDocuments():
                yield from self._add(call)
                return
            case c.ReadAgain():
                collection = self.home.collection(call.collection)
                again = c.AddDocuments(collection=collection.id, paths=collection.folders, anew=True)
                self.home.collections[collection.id] = msgspec.structs.replace(collection, outdated=0)
                yield from self._add(again)
                return
            case c.AttachFiles():
                yield from self._attach(call)
                return
            case c.UnlockDocument():
                yield from self._unlock(call)
                return
            case c.FollowRun():
                home.run(call.run)
                known = home.run_events.get(call.run, [events.Finished(result={})])
                yield from (event for event in known if event.seq > call.after or not event.seq)
                return
            case c.LoadModel():
                yield events.Progress(stage="loading", done=0.5, total=1)
        result, changed = self._do(call)
        yield finish(result)
        for kind, id in changed:
            self._announce(kind, id)

    def _do(self, call: Call[Any]) -> tuple[Any, list[tuple[str, str]]]:
        home = self.home
        for part in (
            fake_adapters,
            fake_agents,
            fake_engines,
            fake_training,
            fake_evaluation,
            fake_ladder,
            fake_machine,
            fake_models,
            fake_prompts,
            fake_judgements,
        ):
            done: tuple[Any, list[tuple[str, str]]] | None = part.do(home, call)
            if done is not None:
                return done
        match call:
            case c.GetMachine():
                return home.machine, []
            case c.FindLocalModels():
                return c.LocalModels(models=()), []
            case c.WarmUp():
                return None, []
            case c.GetStatus():
                return home.status(), []
            case c.ListMethods():
                return c.MethodList(methods=registry.describe()), []
            case c.GetSettings():
                return home.settings, []
            case c.ChangeSettings():
                home.settings = _changed_settings(home.settings, call.values)
                return home.settings, [("settings", "")]
            case c.EstimateCost():
                return c.CostEstimates(estimates=home.estimates), []
            case c.ListNetworkRequests():
                return c.NetworkLog(requests=home.requests), []
            case c.ClearNetworkLog():
                home.requests = ()
                return c.NetworkLog(requests=()), []
            case c.ExportNetworkLog():
                return call.path, []
            case c.ListEndpoints():
                found = [one for one in home.models.values() if one.endpoint is not None]
                return c.EndpointList(endpoints=tuple(map(home.endpoint_record, found))), []
            case c.AddEndpoint():
                record = home.add_endpoint(call)
                return record, [("model", record.model.name)]
            case c.ChangeEndpoint():
                record = home.change_endpoint(call)
                return record, [("model", record.model.name)]
            case c.ProbeEndpoint():
                return home.endpoint_record(home.models[call.name]), []
            case c.AllowSending():
                home.sending[call.collection or "attached files"] = call.allowed
                return home.endpoint_record(home.models[call.name]), [("model", call.name)]
            case c.GetApiState() | c.RenewApiKey():
                home.api_keys += isinstance(call, c.RenewApiKey)
                return home.api_state(), []
            case c.ListApiClients():
                return c.ApiClientList(clients=home.api_clients), []
            case c.AddApiClient():
                return home.add_api_client(call), [("api", "")]
            case c.RemoveApiClient():
                home.api_clients = tuple(one for one in home.api_clients if one.name != call.name)
                return c.ApiClientList(clients=home.api_clients), [("api", "")]
            case c.ListServedModels():
                return c.ServedModels(models=tuple(map(_served, home.models.values()))), []
            case c.ListModels():
                hint = "" if home.starters else STARTER_HINT
                default = home.settings.general.model if home.settings.general.model in home.models else ""
                return c.ModelList(models=tuple(home.models.values()), default=default, starter_hint=hint), []
            case c.SetDefaultModel():
                name = home.model(call.name).name if call.name else ""
                home.settings = _changed_settings(home.settings, {"general": {"model": name}})
                return c.ModelList(models=tuple(home.models.values()), default=name), [("settings", "")]
            case c.SetProjector():
                home.models[call.name] = msgspec.structs.replace(home.models[call.name], projector=call.path)
                return home.models[call.name], [("model", call.name)]
            case c.RegisterStarter():
                home.models.update({model.name: model for model in home.starters})
                if not home.starters:
                    raise UserError(
                        "The starter models are not installed.",
                        STARTER_HINT,
                    )
                return c.ModelList(models=home.starters), [("model", "")]
            case c.ImportModel():
                return home.import_model(call), [("model", call.name)]
            case c.InspectModel():
                return home.details(call.name), []
            case c.RemoveModel():
                if home.settings.general.model == call.name:
                    home.settings = _changed_settings(home.settings, {"general": {"model": ""}})
                gone_model = home.models.pop(home.model(call.name).name)
                back = partial(home.models.__setitem__, gone_model.name, gone_model)
                kind = "model" if gone_model.endpoint is None else "endpoint"
                home.trash.put(kind, gone_model.name, gone_model.name, back, bytes=gone_model.bytes)
                return gone_model, [("model", call.name), ("trash", "")]
            case c.RemoveRecipe():
                file = Path(home.root) / "recipes" / f"{call.recipe}.toml"
                text = file.read_text("utf-8")
                file.unlink()
                entry = home.trash.put("recipe", call.recipe, call.recipe, lambda: file.write_text(text, "utf-8"))
                return entry, [("recipe", call.recipe), ("trash", "")]
            case c.LoadModel():
                home.loaded = home.model(call.name).name
                return home.status(), [("worker", "inference")]
            case c.ExamineModel():
                run = home.begin_exam(home.model(call.name).name)
                return run, [("run", run.id)]
            case c.UnloadModel():
                home.loaded = ""
                return home.status(), [("worker", "inference")]
            case c.RestartWorker():
                home.dead_workers.discard(call.name)
                return home.status(), [("worker", call.name)]
            case c.ListCollections():
                return c.CollectionList(collections=tuple(one for one in home.collections.values() if not one.chat)), []
            case c.CreateCollection():
                made = home.create_collection(call.name)
                return made, [("collection", made.id)]
            case c.RenameCollection():
                renamed = msgspec.structs.replace(home.collection(call.collection), name=call.name)
                home.collections[renamed.id] = renamed
                return renamed, [("collection", renamed.id)]
            case c.SetPassageLength():
                if call.tokens and not 32 <= call.tokens <= 8192:
                    raise UserError(f"A passage cannot have {call.tokens} tokens.")
                known = home.collection(call.collection)
                home.collections[known.id] = msgspec.structs.replace(known, passage_tokens=call.tokens)
                return home.collections[known.id], [("collection", known.id)]
            case c.SetEmbedder():
                model = home.model(call.model) if call.model else None
                if model is not None and model.kind != "embedder":
                    raise UserError(f"{model.name} is not an embedding model.")
                known = home.collection(call.collection)
                name = model.name if model is not None else ""
                home.collections[known.id] = msgspec.structs.replace(known, embedder=name, unknown_languages=())
                return home.collections[known.id], [("collection", known.id)]
            case c.RemoveCollection():
                gone = home.collections.pop(home.collection(call.collection).id)
                back = partial(home.collections.__setitem__, gone.id, gone)
                home.trash.put("collection", gone.id, gone.name, back, bytes=gone.bytes)
                return gone, [("collection", gone.id), ("trash", "")]
            case c.ListDocuments():
                return c.DocumentList(documents=tuple(home.documents_of(call.collection).values())), []
            case c.RemoveDocument():
                collection = home.remove_document(call.collection, call.document)
                return collection, [("collection", collection.id), ("trash", "")]
            case c.RemoveFolder():
                collection = home.remove_folder(call.collection, call.path)
                return collection, [("collection", collection.id)]
            case c.Unwatch():
                collection = home.collection(call.collection)
                left = tuple(path for path in collection.watched if path != call.path)
                home.collections[collection.id] = msgspec.structs.replace(collection, watched=left)
                return home.collections[collection.id], [("collection", collection.id)]
            case c.SearchDocuments():
                return home.search(call.collection, call.query, call.limit), []
            case c.ProjectPassages():
                return home.project(call.collection, call.query, call.limit), []
            case c.ListNames():
                return home.names(call.collection), []
            case c.FindName():
                return home.places_of_name(call), []
            case c.GetDocumentText():
                return home.text(call.collection, call.document), []
            case c.FindChangedFiles():
                return c.ChangedFileList(paths=tuple(p for p, _ in call.files if p in home.changed_files)), []
            case c.CompareDocuments():
                return home.comparison(call.collection, call.first, call.second), []
            case c.DrawPage():
                return home.page(call), []
            case c.AddImage():
                return home.add_image(call), []
            case c.GetImage():
                return home.images[call.sha256], []
            case c.DrawFormulas():
                return tuple(map(draw_formula, call.formulas)), []
            case c.ListChats():
                found_chats = home.find_chats(call.search)
                return c.ChatList(
                    chats=tuple(msgspec.structs.replace(one, recipe=None) for one in found_chats),
                    folders=home.folder_names(),
                    latest=next((one.recipe for one in found_chats if one.recipe is not None), None),
                ), []
            case c.GetChat():
                return home.chat(call.chat), []
            case c.RenameChat():
                renamed_chat = msgspec.structs.replace(home.chat(call.chat).chat, title=call.title)
                home.chats[call.chat] = renamed_chat
                return renamed_chat, [("chat", call.chat)]
            case c.PinChat():
                pinned = msgspec.structs.replace(home.chat(call.chat).chat, pinned=call.pinned)
                home.chats[call.chat] = pinned
                return pinned, [("chat", call.chat)]
            case c.MoveChat():
                return home.move_chat(call.chat, call.folder), [("chat", call.chat)]
            case c.WithdrawTool():
                return home.withdraw_tool(call.chat, call.tool), [("chat", call.chat)]
            case c.CreateChatFolder() | c.RenameChatFolder() | c.RemoveChatFolder():
                home.change_folders(call)
                return c.ChatList(chats=home.find_chats(""), folders=home.folder_names()), [("chat", "")]
            case c.GetChatFolder():
                name = home.folder(call.folder)
                return c.ChatFolder(name=name, project=home.projects.get(name, ChatProject())), []
            case c.ChangeChatFolder():
                home.projects[home.folder(call.folder)] = call.project
                return c.ChatFolder(name=home.folder(call.folder), project=call.project), [("chat", "")]
            case c.DeleteChat():
                gone_chat = home.chat(call.chat).chat
                home.collections.pop(gone_chat.attachments, None)
                messages = home.messages.pop(gone_chat.id)
                del home.chats[gone_chat.id]

                def restore_chat() -> None:
                    home.chats[gone_chat.id], home.messages[gone_chat.id] = gone_chat, messages

                if not call.forever:
                    home.trash.put("chat", gone_chat.id, gone_chat.title or "New chat", restore_chat)
                return gone_chat, [("chat", gone_chat.id), ("trash", "")]
            case c.ListTrash():
                return home.trash.listed(), []
            case c.RestoreDeleted():
                entry = home.trash.restore(call.item)
                changed = [("collection", known) for known in home.collections]
                changed += [(kind, entry.item) for kind in ("chat", "model", "adapter", "prompts", "recipe")]
                return entry, [("trash", entry.id), *changed]
            case c.DeleteForGood():
                return home.trash.delete(call.item), [("trash", "")]
            case c.EmptyTrash():
                return home.trash.empty(), [("trash", "")]
            case c.SetHead():
                return home.set_head(call.chat, call.message), [("chat", call.chat)]
            case c.ImportChats():
                made = home.put_chat("Imported", [("Hello", "Good day")])
                done = c.Imported(program="ChatGPT", chats=(made,), messages=2, known=1, left_out=3)
                return done, [("chat", made)]
            case c.ExportChats():
                text = "\n".join(map(home.export_chat, call.chats or home.chats))
                Path(call.path).write_text(text, "utf-8")
                return c.Exported(path=call.path, chats=len(call.chats) or len(home.chats), bytes=len(text)), []
            case c.RenderChats():
                return "".join(f"<p>{escape(home.export_chat(chat))}</p>" for chat in call.chats or home.chats), []
            case c.ExportChat():
                return home.export_chat(call.chat), []
            case c.SelectSequence():
                kept = home.keep(call)
                return kept, [("chat", kept.chat)]
            case c.InspectAnswer():
                return home.inspect(call), []
            case c.GetTrace():
                return home.trace(call.message), []
            case c.CheckFormat():
                return _checked(call), []
            case c.StopAnswer():
                for handle in list(self.open):
                    if isinstance(handle.call, c.Ask | c.FollowAnswer):
                        handle.cancelled.set()
                        handle.send(events.Cancelled())
                return None, []
            case c.ListRuns():
                runs = sorted(home.runs.values(), key=lambda run: -run.created)
                return c.RunList(runs=tuple(runs[: call.limit])), []
            case c.GetRun():
                return home.run(call.run), []
            case c.StopRun():
                return home.end_run(call.run, "cancelled"), [("run", call.run)]
            case c.ResumeRun():
                return home.end_run(call.run, "running"), [("run", call.run)]
        raise UserError(f"The fake front does not know {type(call).__name__}.")

    def _ask(self, call: c.Ask) -> Iterator[Event]:
        if call.edit is not None:
            self._check_edit(call.regenerate, call.edit)
        self.home.check_sending(call)
        question, answer = self.home.begin_answer(call)
        ids = {"chat": answer.chat, "question": question.id, "answer": answer.id}
        yield events.Artifact(kind="message", id=answer.id, result=ids)
        self._announce("chat", answer.chat)
        agent = call.recipe.agent
        made = self._answer_events(call, question, answer)
        if agent is not None:
            made = fake_agents.answer(agent, self.home.answer_text)
        yield from self._kept(made, answer)
        self._announce("chat", answer.chat)

    def _check_edit(self, message: str | None, edit: StepEdit) -> None:
        """As the core does, before anything is stored."""
        if message is None:
            raise UserError("Only an answer that is there can be resumed.")
        known = self.home.traces.get(message)
        step = next((one for one in known.steps if one.id == edit.step), None) if known is not None else None
        if step is None or not (actions_on(step) or agent_actions(step)):
            raise UserError(f"The step {edit.step} of this answer cannot be changed by {edit.action}.")
        if step.kind == "tree" and edit.action != "expand":
            raise UserError(f"The step {edit.step} of this answer cannot be changed by {edit.action}.")

    def _decide(self, call: c.Decide) -> Iterator[Event]:
        message = fake_agents.decide(self.home, call)
        assert message.recipe is not None
        assert message.recipe.agent is not None
        earlier = self.home.traces[message.id]
        answer = msgspec.structs.replace(message, state="streaming", waiting=None)
        self.home.put_message(answer)
        self._announce("chat", message.chat)
        made = fake_agents.answer(message.recipe.agent, self.home.answer_text, earlier, call.decision)
        yield from self._kept(made, answer)
        self._announce("chat", message.chat)

    def _kept(self, made: Iterator[Event], answer: c.StoredMessage) -> Iterator[Event]:
        """The events of an answer, which is stored at its end."""
        state = AnswerState()
        for event in with_trace(made):
            if isinstance(event, events.Finished):
                told = msgspec.convert(event.result, c.AskResult)
                recipe = told.recipe if told.recipe != Recipe() else answer.recipe or Recipe()
                told = msgspec.structs.replace(told, chat=answer.chat, message=answer.id, recipe=recipe)
                event = msgspec.structs.replace(event, result=finish(told).result)
            if state.apply(event) and isinstance(event, events.TERMINAL):
                self.home.put_message(state.message(answer))
                self.home.traces[answer.id] = state.trace()
            yield event

    def _answer_events(self, call: c.Ask, question: c.StoredMessage, answer: c.StoredMessage) -> Iterator[Event]:
        home = self.home
        passages: tuple[Passage, ...] = ()
        retrieval = call.recipe.retrieval
        attached = home.chats[answer.chat].attachments
        collection = attached or (retrieval.collection if retrieval is not None else "")
        if collection and not call.without_documents:
            yield events.StepStarted(step="1", kind="search", title="Search the documents", input=question.text)
            yield events.Progress(stage="searching", step="1")
            found = home.search(collection, question.text, 3).hits
            passages = tuple(msgspec.structs.replace(hit, n=n) for n, hit in enumerate(found, 1))
            yield events.Retrieved(query=question.text, passages=passages, step="1")
            yield events.StepFinished(step="1", output=f"{len(passages)} passages", seconds=0.08)
        technique = registry.METHODS.find(call.recipe.prompting.technique, "technique")
        if technique.edit_check:
            yield events.StepStarted(step="t", kind="tree", title=technique.title, input=question.text)
            yield events.StepFinished(step="t", seconds=2.1)
        text, decoding = home.base_text if call.aside else home.answer_text, call.recipe.decoding
        if call.branch is not None and call.regenerate is not None:
            old, point = home.message(call.regenerate).text, call.branch
            at_end = point.token == c.AT_END
            text = f"{old} and on" if at_end else fake_tokens.continued(old, point.position, point.token)
        sequences = fake_tokens.sequences(text, decoding.n) if decoding.n > 1 else ()
        yield events.StepStarted(step="2", kind="generation", title="Answer", writes_answer=True)
        if decoding.strategy == "beam":
            for step, beams in enumerate(fake_tokens.beams(text, decoding.num_beams)):
                yield events.BeamStep(number=step, beams=beams, step="2")
        for number, sequence in enumerate(sequences or (Candidate(text=text),)):
            for word in fake_tokens.split(sequence.text):
                yield events.TextDelta(text=word, sequence=number)
        citations = cited(passages, text)
        verification = verified(passages, text) if passages and not sequences else None
        if verification is not None:
            yield events.Verified(statements=verification.statements, citations=citations)
        usage = Usage(prompt_tokens=312, cached_tokens=120, new_tokens=64, first_token_s=0.31, tokens_per_s=41.2)
        tokens = TokenIds(prompt=(1, 2), sequences=((3,),))
        yield events.StepFinished(step="2", output=text, score=-0.4, usage=usage, seconds=1.86, tokens=tokens)
        yield finish(
            c.AskResult(
                answer=text, citations=citations, verification=verification, passages=passages, usage=usage,
                recipe=call.recipe, chat=answer.chat, message=answer.id, query=question.text,
                context_tokens=8192, sequences=sequences,
            )
        )  # fmt: skip

    def _attach(self, call: c.AttachFiles) -> Iterator[Event]:
        attached = self.home.attach(call)
        yield finish(attached)
        self._announce("chat", attached.chat.id)
        self._announce("run", attached.run.id)
        self._announce("collection", attached.collection.id)

    def _add(self, call: c.AddDocuments) -> Iterator[Event]:
        run = self.home.begin_ingest(call.collection, call.paths, call.watch)
        yield finish(run)
        self._announce("run", run.id)
        self._announce("collection", self.home.collection(call.collection).id)

    def _unlock(self, call: c.UnlockDocument) -> Iterator[Event]:
        known = self.home.documents_of(call.collection).values()
        document = next((one for one in known if call.document in (one.id, one.path)), None)
        if document is None or not document.locked:
            raise UserError(f"{call.document} is not protected by a password.")
        run = self.home.begin_ingest(call.collection, (document.path,), False, call.password)
        yield finish(run)
        self._announce("run", run.id)
        self._announce("collection", self.home.collection(call.collection).id)


def _served(model: c.ModelRecord) -> c.ServedModel:
    return c.ServedModel(id=model.name, kind="embedder" if model.kind == "embedder" else "chat")


def _changed_settings(settings: Settings, values: dict[str, dict[str, Any]]) -> Settings:
    for section, changes in values.items():
        plain = msgspec.to_builtins(getattr(settings, section)) | changes
        try:
            settings = msgspec.structs.replace(settings, **{section: msgspec.convert(plain, SECTIONS[section])})
        except msgspec.ValidationError as error:
            raise UserError(f"{error}.") from error
    return settings


def _checked(call: c.CheckFormat) -> c.FormatCheck:
    """What the core says, as far as Python's own JSON reader can tell."""
    if call.format != "json_schema":
        return c.FormatCheck()
    try:
        json.loads(call.grammar)
    except json.JSONDecodeError as error:
        return c.FormatCheck(problem=f"{error.msg}.", line=error.lineno)
    try:
        json.loads(call.text or "0")
    except json.JSONDecodeError as error:
        return c.FormatCheck(text_problem=f"{error.msg}.")
    return c.FormatCheck()
