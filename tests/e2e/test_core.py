"""The Workbench in process, with real worker processes that stand in for llama.cpp and torch."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgspec
import psutil
import pytest

from tests.local_front import LocalFront
from tests.workers import fake_embedding, fake_inference
from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import Call, RequestContext, drain, read_result
from workbench.app import Workbench
from workbench.backends.backend import ModelUse
from workbench.backends.llama_cpp import LlamaCppBackend
from workbench.base import errors
from workbench.base.errors import UserError
from workbench.base.paths import Home, prepared_place
from workbench.base.settings import EngineSettings
from workbench.engine.inference_calls import Generated
from workbench.gguf.inspection import inspect_path
from workbench.processes.host import WorkerHost
from workbench.records.answers import AskResult, DocumentTask, StoredMessage
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart, ModelPart, Recipe, RetrievalPart
from workbench.records.trust import WITHOUT_DOCUMENTS
from workbench.subjects.chats.calls import (
    Ask,
    Attached,
    AttachFiles,
    DeleteChat,
    ExportChat,
    FollowAnswer,
    GetChat,
    ListChats,
    PinChat,
    RenameChat,
    SetHead,
    StopAnswer,
)
from workbench.subjects.documents.calls import (
    AddDocuments,
    CompareDocuments,
    CreateCollection,
    FindChangedFiles,
    GetDocumentText,
    ListCollections,
    ListDocuments,
    RemoveCollection,
    RemoveDocument,
    RenameCollection,
    SearchDocuments,
    SetEmbedder,
    SetPassageLength,
    Unwatch,
)
from workbench.subjects.machine.calls import ChangeSettings, GetMachine, GetSettings, RestartWorker, WarmUp
from workbench.subjects.models.calls import (
    ImportModel,
    InspectModel,
    ListModels,
    LoadModel,
    RegisterStarter,
    RemoveModel,
    UnloadModel,
)
from workbench.subjects.runs.calls import (
    FollowRun,
    GetRun,
    GetStatus,
    ListRuns,
    ResumeRun,
    StopRun,
    Subscribe,
    WorkerState,
)
from workbench.subjects.trash.calls import EmptyTrash

COMMANDS = {
    "inference": [sys.executable, fake_inference.__file__],
    "embedding": [sys.executable, fake_embedding.__file__],
}
WAIT_S = 30.0


@pytest.fixture
def workbench(home: Home, smollm_path: Path, minilm_path: Path) -> Iterator[Workbench]:
    workbench = opened(home)
    for path in (smollm_path, minilm_path):
        call(workbench, ImportModel(path=str(path), name=path.name[:6]))
    yield workbench
    workbench.close()


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    for name in ("bridge", "river", "tower"):
        (folder / f"{name}.txt").write_text(f"All about the {name}.")
    return folder


def opened(home: Home) -> Workbench:
    workbench = Workbench(home, commands=COMMANDS)
    workbench.start()
    return workbench


def call(workbench: Workbench, request: Call[Any], watch: Callable[[Event], None] | None = None) -> Any:
    return LocalFront(workbench).call(request, watch)


def begin(workbench: Workbench, request: Call[Any]) -> tuple[SimpleQueue[Event], RequestContext]:
    """Start a call; its events and the context that cancels or leaves it."""
    arrived: SimpleQueue[Event] = SimpleQueue()
    context = RequestContext()
    stream = workbench.handle(request, context)

    def follow() -> None:
        for event in stream:
            arrived.put(event)

    threading.Thread(target=follow, daemon=True).start()
    return arrived, context


def until(arrived: SimpleQueue[Event], *kinds: type[Any]) -> Any:
    """The next event of one of these kinds. Fails at a terminal event of another kind."""
    while True:
        event = arrived.get(timeout=WAIT_S)
        if isinstance(event, kinds):
            return event
        assert not isinstance(event, events.TERMINAL), event


def last(arrived: SimpleQueue[Event]) -> Any:
    return until(arrived, *events.TERMINAL)


def answer_of(workbench: Workbench, chat: str) -> StoredMessage:
    stored = call(workbench, GetChat(chat=chat)).messages[-1]
    assert isinstance(stored, StoredMessage)
    return stored


def ingest(workbench: Workbench, collection: str, path: Path) -> dict[str, Any]:
    run = call(workbench, AddDocuments(collection=collection, paths=(str(path),)))
    result = call(workbench, FollowRun(run=run.id))
    assert isinstance(result, dict)
    return result


def test_idle_workers_give_their_memory_back_and_the_next_question_is_answered(
    home: Home, smollm_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.subjects.subject.IDLE_CHECK_S", 0.02)
    monkeypatch.setattr("workbench.subjects.subject.MINUTE_S", 0.01)
    workbench = opened(home)
    call(workbench, ChangeSettings(values={"engine": {"unload_minutes": 0}}))
    changes, watching = begin(workbench, Subscribe())
    model = call(workbench, ImportModel(path=str(smollm_path))).name
    assert call(workbench, LoadModel(name=model)).model == model
    call(workbench, ChangeSettings(values={"engine": {"unload_minutes": 1}}))
    while call(workbench, GetStatus()).model:
        until(changes, events.Changed)
    assert workbench._computing.llama_cpp.host.state == "stopped"
    call(workbench, ChangeSettings(values={"engine": {"unload_minutes": 0}}))
    assert call(workbench, Ask(question="one two three", recipe=Recipe(model=ModelPart(name=model)))).answer
    assert call(workbench, GetStatus()).model == model
    watching.cancel()
    workbench.close()


def test_the_embedder_stays_while_idle_where_a_person_wants_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.subjects.subject.IDLE_CHECK_S", 0.02)
    monkeypatch.setattr("workbench.subjects.subject.MINUTE_S", 0.01)
    workbench = opened(home)
    call(workbench, ChangeSettings(values={"documents": {"keep_embedder": True}, "engine": {"unload_minutes": 1}}))
    call(workbench, RegisterStarter())
    call(workbench, LoadModel(name=next(m.name for m in call(workbench, ListModels()).models if m.kind == "chat")))
    call(workbench, WarmUp())
    until_workers(workbench, inference="stopped", embedding="ready")
    call(workbench, ChangeSettings(values={"documents": {"keep_embedder": False}}))
    until_workers(workbench, inference="stopped", embedding="stopped")
    workbench.close()


def until_workers(workbench: Workbench, **states: str) -> None:
    """Wait until workers are in these states."""
    while {one.name: one.state for one in call(workbench, GetStatus()).workers if one.name in states} != states:
        threading.Event().wait(0.01)


def test_another_length_of_passages_reads_all_files_again(workbench: Workbench, papers: Path) -> None:
    call(workbench, CreateCollection(name="papers"))
    before = ingest(workbench, "papers", papers)
    runs = len(call(workbench, ListRuns()).runs)
    assert call(workbench, SetPassageLength(collection="papers", tokens=64)).unfinished
    again = call(workbench, ListRuns()).runs[0]
    result = call(workbench, FollowRun(run=again.id))
    assert (len(call(workbench, ListRuns()).runs), result["indexed"]) == (runs + 1, before["indexed"])
    [collection] = call(workbench, ListCollections()).collections
    assert (collection.documents, collection.unfinished, collection.passage_tokens) == (3, False, 64)
    assert call(workbench, SetPassageLength(collection="papers", tokens=64)) == collection  # nothing is read again
    assert len(call(workbench, ListRuns()).runs) == runs + 1


def test_another_embedding_model_reads_all_files_again_and_has_to_be_there(
    workbench: Workbench, papers: Path, minilm_path: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(minilm_path, tmp_path / "other")
    call(workbench, ImportModel(path=str(other), name="other"))
    call(workbench, CreateCollection(name="papers"))
    before = ingest(workbench, "papers", papers)
    assert call(workbench, SetEmbedder(collection="papers", model="Other")).embedder == "other"
    again = call(workbench, ListRuns()).runs[0]
    assert call(workbench, FollowRun(run=again.id))["indexed"] == before["indexed"]
    assert call(workbench, SearchDocuments(collection="papers", query="bridge")).hits
    shutil.rmtree(other)
    with pytest.raises(UserError, match="other are no longer at"):
        call(workbench, SearchDocuments(collection="papers", query="bridge"))
    assert call(workbench, SetEmbedder(collection="papers")).embedder == ""


# -- asking ---------------------------------------------------------------------------------------


def test_a_question_is_answered_stored_and_resolved(workbench: Workbench) -> None:
    seen: list[Event] = []
    result: AskResult = call(workbench, Ask(question="How tall is it?"), seen.append)
    first = seen[0]
    assert isinstance(first, events.Artifact)
    assert first.result == {"chat": result.chat, "question": first.result["question"], "answer": result.message}
    assert result.answer.strip() == "You said How tall is it?"
    chat = call(workbench, GetChat(chat=result.chat))
    question, answer = chat.messages
    assert (chat.chat.title, chat.chat.head, chat.chat.recipe) == ("How tall is it?", answer.id, Recipe())
    assert (question.text, answer.text, answer.state) == ("How tall is it?", result.answer, "done")
    assert answer.recipe is not None
    assert answer.recipe == result.recipe
    assert (answer.recipe.model.name, answer.recipe.model.engine) == ("SmolLM", "fake 1")
    assert answer.recipe.model.context_tokens == 2048
    assert answer.recipe.decoding.seed >= 0
    assert [e.seq for e in seen] == list(range(1, len(seen) + 1))


def test_what_went_before_is_part_of_the_next_question(workbench: Workbench) -> None:
    first: AskResult = call(workbench, Ask(question="One"))
    second: AskResult = call(workbench, Ask(question="Two", chat=first.chat))
    assert second.usage.prompt_tokens > first.usage.prompt_tokens
    edited: AskResult = call(workbench, Ask(question="Another one", chat=first.chat, root=True))
    again: AskResult = call(workbench, Ask(regenerate=second.message))
    chat = call(workbench, GetChat(chat=first.chat))
    parents = {m.id: m.parent for m in chat.messages}
    assert parents[again.message] == parents[second.message]
    assert parents[str(parents[edited.message])] is None
    assert chat.chat.head == again.message
    assert call(workbench, SetHead(chat=first.chat, message=edited.message)).head == edited.message
    exported = call(workbench, ExportChat(chat=first.chat))
    assert "Another one" in exported
    assert "Two" not in exported


def test_varied_answer_differs_and_leaves_the_chats_recipe(workbench: Workbench) -> None:
    first: AskResult = call(workbench, Ask(question="How tall is it?"))
    assert first.recipe.decoding.temperature == 0
    again: AskResult = call(workbench, Ask(regenerate=first.message, varied=True))
    assert again.recipe.decoding.temperature > 0
    assert again.recipe.decoding.seed != first.recipe.decoding.seed
    chat = call(workbench, GetChat(chat=first.chat))
    assert chat.chat.recipe is not None
    assert chat.chat.recipe.decoding == DecodingPart()
    assert chat.chat.head == again.message
    with pytest.raises(UserError, match="can be varied"):
        call(workbench, Ask(question="And wide?", varied=True))


def test_a_declined_question_is_answered_without_documents_once(workbench: Workbench, papers: Path) -> None:
    call(workbench, CreateCollection(name="Papers"))
    ingest(workbench, "Papers", papers)
    recipe = Recipe(retrieval=RetrievalPart(collection="Papers"))
    declined: AskResult = call(workbench, Ask(question="Who sells bananas in Ecuador?", recipe=recipe))
    assert declined.declined
    plain: AskResult = call(workbench, Ask(regenerate=declined.message, recipe=recipe, without_documents=True))
    assert (plain.declined, plain.passages, plain.notices) == (False, (), (WITHOUT_DOCUMENTS,))
    assert plain.recipe.retrieval is None
    chat = call(workbench, GetChat(chat=declined.chat))
    assert chat.chat.recipe == recipe
    answers = [message for message in chat.messages if message.role == "assistant"]
    assert len({message.parent for message in answers}) == 1
    assert answers[-1].notices == (WITHOUT_DOCUMENTS,)


def test_an_answer_from_documents_keeps_its_passages(workbench: Workbench, papers: Path) -> None:
    call(workbench, CreateCollection(name="Papers"))
    ingest(workbench, "Papers", papers)
    recipe = Recipe(retrieval=RetrievalPart(mode="own-words", collection="papers", decline=False))
    result: AskResult = call(workbench, Ask(question="What about the bridge?", recipe=recipe))
    answer = answer_of(workbench, result.chat)
    assert {p.title for p in answer.passages} <= {"bridge.txt", "river.txt", "tower.txt"}
    assert answer.passages
    assert answer.recipe is not None
    assert answer.recipe.retrieval is not None
    assert answer.recipe.retrieval.collection == "Papers"
    assert answer.recipe.retrieval.revision > 0


def test_a_recipe_for_one_question_leaves_that_of_the_chat(workbench: Workbench, papers: Path) -> None:
    call(workbench, CreateCollection(name="papers"))
    ingest(workbench, "papers", papers)
    path = call(workbench, ListDocuments(collection="papers")).documents[0].path
    usual = Recipe(model=ModelPart(name="smollm"), retrieval=RetrievalPart(collection="papers"))
    one = Recipe(model=ModelPart(name="smollm"), retrieval=RetrievalPart(collection="papers", files=(path,)))
    asked = call(workbench, Ask(question="How long is the warranty?", recipe=one, chat_recipe=usual))
    assert call(workbench, GetChat(chat=asked.chat)).chat.recipe == usual, "a new chat goes on with it"
    call(workbench, Ask(chat=asked.chat, regenerate=asked.message, recipe=one, chat_recipe=usual))
    stored = call(workbench, GetChat(chat=asked.chat))
    assert stored.chat.recipe == usual
    answers = [one for one in stored.messages if one.role == "assistant"]
    assert [one.recipe.retrieval.files for one in answers] == [(path,), (path,)]


def attach(workbench: Workbench, *paths: Path, chat: str | None = None) -> Attached:
    attached: Attached = call(workbench, AttachFiles(chat=chat, paths=tuple(map(str, paths))))
    call(workbench, FollowRun(run=attached.run.id))
    return attached


def test_a_file_attached_to_a_chat_serves_that_chat_alone_and_goes_with_it(workbench: Workbench, papers: Path) -> None:
    attached = attach(workbench, papers / "river.txt")
    chat = attached.chat.id
    assert attached.chat.attachments == attached.collection.id
    assert (attached.chat.title, attached.chat.attached) == ("", "river.txt")
    assert call(workbench, ListCollections()).collections == ()
    recipe = Recipe(decoding=DecodingPart(temperature=0.5))
    result: AskResult = call(workbench, Ask(question="What about the river?", recipe=recipe, chat=chat))
    assert {passage.title for passage in result.passages} == {"river.txt"}
    assert result.recipe.retrieval is not None
    assert result.recipe.retrieval.attachments == attached.collection.id
    record = call(workbench, GetChat(chat=chat)).chat
    assert (record.title, record.recipe) == ("What about the river?", recipe)
    other: AskResult = call(workbench, Ask(question="What about the river?", recipe=result.recipe))
    assert other.passages == ()
    again: AskResult = call(workbench, Ask(recipe=Recipe(), regenerate=result.message))
    assert {passage.title for passage in again.passages} == {"river.txt"}
    file = workbench.home.collection(attached.collection.id)
    assert file.exists()
    call(workbench, DeleteChat(chat=chat, forever=True))
    assert not file.exists()
    with pytest.raises(UserError, match="no collection"):
        call(workbench, ListDocuments(collection=attached.collection.id))


def test_attached_files_are_searched_beside_the_collections_of_the_recipe(
    workbench: Workbench, papers: Path, tmp_path: Path
) -> None:
    for name in ("bridge", "tower"):
        call(workbench, CreateCollection(name=name))
        ingest(workbench, name, papers / f"{name}.txt")
    part = RetrievalPart(mode="own-words", collection="bridge", more=("Tower", "bridge"), decline=False, passages=5)
    part = msgspec.structs.replace(part, road="place")
    chat = attach(workbench, papers / "river.txt").chat.id
    result: AskResult = call(workbench, Ask(question="What about all of it?", recipe=Recipe(retrieval=part), chat=chat))
    assert {passage.title for passage in result.passages} == {"bridge.txt", "tower.txt", "river.txt"}
    assert result.recipe.retrieval is not None
    assert (result.recipe.retrieval.collection, result.recipe.retrieval.more) == ("bridge", ("tower",))
    task = DocumentTask(document=str(papers / "river.txt"), task="summarise")
    assert "river" in call(workbench, Ask(recipe=Recipe(retrieval=part), chat=chat, document=task)).answer


def test_removing_an_attached_file_leaves_nothing_unread(workbench: Workbench, papers: Path) -> None:
    attached = attach(workbench, papers / "river.txt", papers / "tower.txt")
    chat, collection = attached.chat.id, attached.collection.id
    assert attach(workbench, papers / "bridge.txt", chat=chat).collection.id == collection
    for name in ("river", "tower"):
        left = call(workbench, RemoveDocument(collection=collection, document=str(papers / f"{name}.txt")))
    assert (left.documents, left.unfinished) == (1, False)
    call(workbench, RemoveDocument(collection=collection, document=str(papers / "bridge.txt")))
    result: AskResult = call(workbench, Ask(question="What about the river?", chat=chat))
    assert (result.passages, result.declined) == ((), False)


def test_a_path_that_is_wrong_attaches_nothing_and_begins_no_chat(workbench: Workbench, papers: Path) -> None:
    with pytest.raises(UserError, match="no file or folder /nowhere"):
        call(workbench, AttachFiles(paths=(str(papers / "river.txt"), "/nowhere")))
    assert call(workbench, ListChats()).chats == ()


def test_pinned_chats_stand_first(workbench: Workbench) -> None:
    first = call(workbench, Ask(question="First?")).chat
    call(workbench, Ask(question="Second?"))
    assert call(workbench, PinChat(chat=first)).pinned
    assert [chat.title for chat in call(workbench, ListChats()).chats] == ["First?", "Second?"]
    call(workbench, PinChat(chat=first, pinned=False))
    assert [chat.title for chat in call(workbench, ListChats()).chats] == ["Second?", "First?"]


def test_a_whole_document_is_worked_on(workbench: Workbench, papers: Path) -> None:
    call(workbench, CreateCollection(name="Papers"))
    ingest(workbench, "Papers", papers)
    task = DocumentTask(document=str(papers / "river.txt"), task="summarise")
    recipe = Recipe(retrieval=RetrievalPart(mode="own-words", collection="Papers"))
    result: AskResult = call(workbench, Ask(recipe=recipe, document=task))
    question = call(workbench, GetChat(chat=result.chat)).messages[0]
    assert question.text == "Summarise river.txt"
    assert "river" in result.answer
    assert question.document == task
    again: AskResult = call(workbench, Ask(recipe=recipe, regenerate=result.message))
    assert again.answer == result.answer
    with pytest.raises(UserError, match="needs the collection"):
        call(workbench, Ask(regenerate=result.message))
    with pytest.raises(UserError, match="needs the collection"):
        call(workbench, Ask(document=task))


def test_an_answer_goes_on_when_its_asker_leaves_and_others_may_follow_and_stop_it(workbench: Workbench) -> None:
    arrived, context = begin(workbench, Ask(question="slow please"))
    stored = until(arrived, events.Artifact).result
    until(arrived, events.TextDelta)
    context.leave()
    followed, _ = begin(workbench, FollowAnswer(message=stored["answer"]))
    heard = [until(followed, events.TextDelta).text for _ in range(10)]
    assert heard == ["word "] * 10
    assert workbench.busy
    call(workbench, StopAnswer(message=stored["answer"]))
    ended = last(followed)
    assert isinstance(ended, events.Cancelled)
    answer = answer_of(workbench, stored["chat"])
    assert answer.state == "stopped"
    assert answer.text.startswith("word word")
    assert read_result(Ask(), ended.result).answer == answer.text
    assert not workbench.busy
    replayed = list(workbench.handle(FollowAnswer(message=answer.id)))
    assert isinstance(replayed[-1], events.Cancelled)
    assert "".join(e.text for e in replayed if isinstance(e, events.TextDelta)) == answer.text


def test_cancelling_the_question_stops_the_answer(workbench: Workbench) -> None:
    arrived, context = begin(workbench, Ask(question="slow please"))
    chat = until(arrived, events.Artifact).result["chat"]
    until(arrived, events.TextDelta)
    context.cancel()
    assert isinstance(last(arrived), events.Cancelled)
    answer = answer_of(workbench, chat)
    assert answer.state == "stopped"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens >= len("slow please")
    assert answer.usage.new_tokens > 0


def test_closing_the_stream_stops_the_answer(workbench: Workbench) -> None:
    stream = workbench.handle(Ask(question="slow please"))
    stored = next(e for e in stream if isinstance(e, events.Artifact)).result
    next(e for e in stream if isinstance(e, events.TextDelta))
    stream.close()  # type: ignore[attr-defined]
    followed, _ = begin(workbench, FollowAnswer(message=stored["answer"]))
    assert isinstance(last(followed), events.Cancelled)


def test_following_can_be_left_without_stopping(workbench: Workbench) -> None:
    arrived, asking = begin(workbench, Ask(question="slow please"))
    message = until(arrived, events.Artifact).result["answer"]
    followed, following = begin(workbench, FollowAnswer(message=message))
    until(followed, events.TextDelta)
    following.cancel()
    last(followed)
    until(arrived, events.TextDelta)
    asking.cancel()
    last(arrived)


def test_a_chat_whose_worker_died_keeps_what_was_streamed(workbench: Workbench) -> None:
    arrived, _ = begin(workbench, Ask(question="please crash now"))
    chat = until(arrived, events.Artifact).result["chat"]
    failed = last(arrived)
    assert isinstance(failed, events.Failed)
    assert (failed.reason, failed.exit_code) == ("worker", -signal.SIGKILL)
    answer = answer_of(workbench, chat)
    assert (answer.state, answer.text) == ("failed", "You said please crash ")
    assert "The model process crashed" in answer.error
    states = {worker.name: worker.state for worker in call(workbench, GetStatus()).workers}
    assert states["inference"] == "dead"
    assert call(workbench, RestartWorker(name="inference")).workers[0].state == "ready"
    assert "again" in call(workbench, Ask(question="again", chat=chat)).answer


def test_a_model_whose_worker_died_before_the_answer_began_is_loaded_again(smollm_path: Path) -> None:
    backend = LlamaCppBackend(
        lambda on_state: WorkerHost("inference", command=COMMANDS["inference"], on_state=on_state),
        lambda: None,
        EngineSettings,
    )
    record = inspect_path(smollm_path).model
    with backend.lease(record, ModelUse(), RequestContext()) as loading:
        model = drain(loading)
        assert model.count_tokens(["four"]) == [2]
        os.kill(backend.host.pid, signal.SIGKILL)
        while backend.host.state == "ready":
            pass
        *seen, ended = model.generate([Message("user", "Still there?")], DecodingPart())
        assert isinstance(ended, events.Finished)
        assert next(e.stage for e in seen if isinstance(e, events.Progress)) == "loading the model"
    backend.host.close()


def test_after_a_death_the_next_question_starts_the_worker_by_itself(workbench: Workbench) -> None:
    call(workbench, Ask(question="hello"))
    pid = call(workbench, GetStatus()).workers[0].pid
    os.kill(pid, signal.SIGKILL)
    answers = 0
    while not answers:  # the first question may meet the death itself
        try:
            answers = len(call(workbench, Ask(question="hello again")).answer)
        except errors.WorkerDied:
            continue
    assert call(workbench, GetStatus()).workers[0].pid != pid


def test_an_answer_is_interrupted_when_the_core_leaves(home: Home, workbench: Workbench) -> None:
    arrived, _ = begin(workbench, Ask(question="slow please"))
    chat = until(arrived, events.Artifact).result["chat"]
    until(arrived, events.TextDelta)
    workbench.close()
    again = opened(home)
    try:
        answer = answer_of(again, chat)
        assert answer.state == "interrupted"
        assert answer.text.startswith("word ")
    finally:
        again.close()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (Ask(question="  "), "question is empty"),
        (Ask(question="x", recipe=Recipe(model=ModelPart(name="nobody"))), "no model 'nobody': it was removed"),
        (Ask(question="x", recipe=Recipe(model=ModelPart(name="all-Mi"))), "cannot answer"),
        (
            Ask(question="x", recipe=Recipe(retrieval=RetrievalPart(mode="own-words", collection="none"))),
            "no collection",
        ),
        (Ask(question="x", chat="gone"), "no chat"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_stores_nothing(workbench: Workbench, ask: Ask, message: str) -> None:
    with pytest.raises(UserError, match=message):
        call(workbench, ask)
    assert call(workbench, ListChats()).chats == ()


def test_a_home_without_models_says_what_to_do(home: Home) -> None:
    workbench = opened(home)
    try:
        with pytest.raises(UserError, match="no chat model"):
            call(workbench, Ask(question="Anybody?"))
    finally:
        workbench.close()


def test_two_models_take_turns(workbench: Workbench, gemma_path: Path) -> None:
    call(workbench, ImportModel(path=str(gemma_path), name="Gemma"))
    arrived, context = begin(workbench, Ask(question="slow", recipe=Recipe(model=ModelPart(name="SmolLM"))))
    until(arrived, events.TextDelta)
    second, _ = begin(workbench, Ask(question="quick", recipe=Recipe(model=ModelPart(name="Gemma"))))
    assert until(second, events.Progress).stage == "waiting for another answer"
    context.cancel()
    assert isinstance(last(second), events.Finished)
    assert call(workbench, GetStatus()).model == "Gemma"


# -- the history ----------------------------------------------------------------------------------


def test_chats_are_renamed_found_and_deleted(workbench: Workbench) -> None:
    chat = call(
        workbench, Ask(question="About frogs and their long and winding history in the wetlands of Europe")
    ).chat
    (listed,) = call(workbench, ListChats()).chats
    assert listed.title == "About frogs and their long and winding history in the…"
    call(workbench, RenameChat(chat=chat, title="Amphibians"))
    assert [c.title for c in call(workbench, ListChats(search="frogs amphibians")).chats] == ["Amphibians"]
    call(workbench, Ask(question="Das Öl der Großen Straße", chat=chat))
    for search in ("öl", "Öl", "ÖL", "DAS öl", "straße"):
        assert [c.title for c in call(workbench, ListChats(search=search)).chats] == ["Amphibians"], search
    assert call(workbench, ListChats(search="äl")).chats == ()
    assert call(workbench, DeleteChat(chat=chat)).title == "Amphibians"
    assert call(workbench, ListChats()).chats == ()


def test_a_chat_is_deleted_in_the_middle_of_an_answer(workbench: Workbench) -> None:
    arrived, _ = begin(workbench, Ask(question="slow please"))
    chat = until(arrived, events.Artifact).result["chat"]
    call(workbench, DeleteChat(chat=chat))
    assert isinstance(last(arrived), events.Cancelled)
    assert not workbench.busy


# -- documents and runs -----------------------------------------------------------------------------


def test_documents_are_added_found_read_and_removed(workbench: Workbench, papers: Path) -> None:
    collection = call(workbench, CreateCollection(name="Papers"))
    assert call(workbench, ListDocuments(collection="Papers")).documents == ()
    assert call(workbench, SearchDocuments(collection="Papers", query="x")).hits == ()
    run = call(workbench, AddDocuments(collection="Papers", paths=(str(papers),)))
    seen = list(workbench.handle(FollowRun(run=run.id)))
    assert [Path(e.id).name for e in seen if isinstance(e, events.Artifact)] == ["bridge.txt", "river.txt", "tower.txt"]
    ended = seen[-1]
    assert isinstance(ended, events.Finished)
    assert ended.result["indexed"] == 3
    assert list(workbench.handle(FollowRun(run=run.id))) == seen
    assert list(workbench.handle(FollowRun(run=run.id, after=seen[2].seq))) == seen[3:]
    record = call(workbench, GetRun(run=run.id))
    assert (record.state, record.progress, record.result["indexed"]) == ("finished", 1.0, 3)
    assert call(workbench, ListCollections()).collections[0].documents == 3
    assert len(call(workbench, ListDocuments(collection=collection.id)).documents) == 3
    river = str(papers / "river.txt")
    assert call(workbench, GetDocumentText(collection="Papers", document=river)).text == "All about the river."
    assert len(call(workbench, SearchDocuments(collection="Papers", query="x", limit=2)).hits) == 2
    compared = call(workbench, CompareDocuments(collection="Papers", first="river.txt", second="bridge.txt"))
    assert {Path(one.document.path).name for one in (compared.first, compared.second)} == {"river.txt", "bridge.txt"}
    with pytest.raises(UserError, match="no such document"):
        call(workbench, CompareDocuments(collection="Papers", first="river.txt", second="nothing.txt"))
    with pytest.raises(UserError, match="with itself"):
        call(workbench, CompareDocuments(collection="Papers", first="river.txt", second=river))
    known = tuple((one.path, one.hash) for one in call(workbench, ListDocuments(collection="Papers")).documents)
    changed = call(workbench, FindChangedFiles(files=(*known, ("/nowhere/x.txt", "ab")))).paths
    assert "/nowhere/x.txt" in changed
    assert call(workbench, RemoveDocument(collection="Papers", document=river)).documents == 2
    call(workbench, RenameCollection(collection="Papers", name="Articles"))
    file = workbench.home.collection(collection.id)
    assert file.exists()
    call(workbench, RemoveCollection(collection="articles"))
    assert file.exists()
    with pytest.raises(UserError, match="no collection"):
        call(workbench, ListDocuments(collection="Articles"))
    assert call(workbench, EmptyTrash()).entries == ()
    assert not file.exists()


@pytest.mark.parametrize(
    ("paths", "watch", "message"),
    [
        ((), False, "No files or folders"),
        (("here",), False, "absolute"),
        (("/no/such/place",), False, "no file or folder"),
    ],
)
def test_what_is_not_there_is_not_added(
    workbench: Workbench, paths: tuple[str, ...], watch: bool, message: str
) -> None:
    call(workbench, CreateCollection(name="Papers"))
    with pytest.raises(UserError, match=message):
        call(workbench, AddDocuments(collection="Papers", paths=paths, watch=watch))


def test_runs_of_one_collection_queue_and_can_be_stopped(workbench: Workbench, tmp_path: Path, papers: Path) -> None:
    call(workbench, CreateCollection(name="Papers"))
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "slow.txt").write_text("x")
    first = call(workbench, AddDocuments(collection="Papers", paths=(str(slow),)))
    followed, following = begin(workbench, FollowRun(run=first.id))
    until(followed, events.Progress)
    second = call(workbench, AddDocuments(collection="Papers", paths=(str(papers),)))
    third = call(workbench, AddDocuments(collection="Papers", paths=(str(tmp_path),)))
    assert call(workbench, AddDocuments(collection="Papers", paths=(str(papers),))).id == second.id
    assert [run.state for run in call(workbench, GetStatus()).runs] == ["running", "queued", "queued"]
    assert call(workbench, StopRun(run=third.id)).state == "cancelled"
    waiting, _ = begin(workbench, FollowRun(run=second.id))
    following.cancel()  # ends the following only
    assert isinstance(last(followed), events.Cancelled)
    assert call(workbench, GetRun(run=first.id)).state == "running"
    call(workbench, StopRun(run=first.id))
    assert isinstance(last(waiting), events.Finished)
    assert call(workbench, GetRun(run=first.id)).state == "cancelled"
    (slow / "slow.txt").rename(slow / "quick.txt")
    call(workbench, ResumeRun(run=first.id))
    again, _ = begin(workbench, FollowRun(run=first.id))
    assert isinstance(last(again), events.Finished)
    with pytest.raises(UserError, match="has finished"):
        call(workbench, ResumeRun(run=first.id))
    assert len(call(workbench, ListRuns()).runs) == 3


def test_an_ingest_whose_worker_died_is_taken_up_again(workbench: Workbench, tmp_path: Path) -> None:
    call(workbench, CreateCollection(name="Papers"))
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "a.txt").write_text("good")
    (folder / "crash.txt").write_text("bad")
    run = call(workbench, AddDocuments(collection="Papers", paths=(str(folder),)))
    with pytest.raises(errors.WorkerDied):
        call(workbench, FollowRun(run=run.id))
    assert call(workbench, GetRun(run=run.id)).state == "interrupted"
    (folder / "crash.txt").unlink()
    call(workbench, RestartWorker(name="embedding"))
    assert call(workbench, FollowRun(run=run.id))["indexed"] == 1


def test_a_run_that_the_cores_end_interrupted_goes_on_at_the_next_start(
    home: Home, workbench: Workbench, tmp_path: Path
) -> None:
    call(workbench, CreateCollection(name="Papers"))
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "slow.txt").write_text("x")
    run = call(workbench, AddDocuments(collection="Papers", paths=(str(folder),)))
    followed, _ = begin(workbench, FollowRun(run=run.id))
    until(followed, events.Progress)
    workbench.close()
    assert isinstance(last(followed), events.Failed)
    (folder / "slow.txt").rename(folder / "quick.txt")
    again = opened(home)
    try:
        assert call(again, FollowRun(run=run.id))["indexed"] == 1
        assert call(again, GetRun(run=run.id)).state == "finished"
    finally:
        again.close()


def test_a_collection_is_removed_in_the_middle_of_an_ingest(workbench: Workbench, tmp_path: Path) -> None:
    call(workbench, CreateCollection(name="Papers"))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "slow.txt").write_text("x")
    run = call(workbench, AddDocuments(collection="Papers", paths=(str(tmp_path / "docs"),)))
    followed, _ = begin(workbench, FollowRun(run=run.id))
    until(followed, events.Progress)
    call(workbench, RemoveCollection(collection="Papers"))
    assert isinstance(last(followed), events.Cancelled)
    assert not workbench.busy


def test_a_watched_folder_is_read_again_when_it_changes(home: Home, workbench: Workbench, papers: Path) -> None:
    collection = call(workbench, CreateCollection(name="Papers"))
    changes, _ = begin(workbench, Subscribe())
    run = call(workbench, AddDocuments(collection="Papers", paths=(str(papers),), watch=True))
    call(workbench, FollowRun(run=run.id))
    assert call(workbench, ListCollections()).collections[0].watched == (str(papers),)

    def next_run() -> str:
        while True:
            changed = until(changes, events.Changed)
            if changed.kind == "run" and changed.id != run.id:
                return str(changed.id)

    (papers / "valley.txt").write_text("All about the valley.")
    assert call(workbench, FollowRun(run=next_run()))["indexed"] == 4
    assert call(workbench, Unwatch(collection=collection.id, path=str(papers))).watched == ()


def test_what_changed_in_a_watched_folder_while_no_core_ran_is_read_at_the_next_start(
    home: Home, workbench: Workbench, papers: Path
) -> None:
    call(workbench, CreateCollection(name="Papers"))
    run = call(workbench, AddDocuments(collection="Papers", paths=(str(papers),), watch=True))
    call(workbench, FollowRun(run=run.id))
    workbench.close()
    (papers / "valley.txt").write_text("All about the valley.")
    again = Workbench(home, commands=COMMANDS)
    changes, _ = begin(again, Subscribe())
    again.start()
    try:
        changed = until(changes, events.Changed)
        while changed.kind != "run":
            changed = until(changes, events.Changed)
        assert call(again, FollowRun(run=changed.id))["indexed"] == 4
    finally:
        again.close()


# -- models and the program -------------------------------------------------------------------------


def test_the_starter_models_are_registered_once(home: Home) -> None:
    workbench = opened(home)
    try:
        first = call(workbench, RegisterStarter()).models
        assert {m.kind for m in first} == {"chat", "embedder"}
        assert call(workbench, RegisterStarter()).models == first
        assert len(call(workbench, ListModels()).models) == len(first)
        embedder = next(m for m in first if m.kind == "embedder")
        prepared = prepared_place(home.embedders, Path(embedder.path))
        prepared.mkdir(parents=True)
        call(workbench, RemoveModel(name=embedder.name))
        assert prepared.exists()
        call(workbench, EmptyTrash())
        assert not prepared.exists()
    finally:
        workbench.close()


def test_models_are_loaded_unloaded_inspected_and_removed(workbench: Workbench, smollm_path: Path) -> None:
    seen: list[Event] = []
    status = call(workbench, LoadModel(name="smollm"), seen.append)
    assert (status.model, status.context_tokens) == ("SmolLM", 2048)
    assert any(isinstance(e, events.Progress) for e in seen)
    call(workbench, ChangeSettings(values={"engine": {"context_tokens": 1024}}))
    assert call(workbench, LoadModel(name="SmolLM")).context_tokens == 1024
    process = inference_of(workbench).pid
    assert psutil.pid_exists(process)
    assert call(workbench, UnloadModel()).model == ""
    assert (inference_of(workbench).state, inference_of(workbench).pid) == ("stopped", 0)
    assert not psutil.pid_exists(process), "what it held is the system's again"
    assert call(workbench, Ask(question="hello")).answer, "the next question starts it again"
    assert call(workbench, UnloadModel()).model == ""
    assert call(workbench, InspectModel(name="SmolLM")).model.name == "SmolLM"
    assert call(workbench, InspectModel(name=str(smollm_path))).model.architecture == "llama"
    with pytest.raises(UserError, match="no model"):
        call(workbench, InspectModel(name="nobody"))
    call(workbench, RemoveModel(name="SmolLM"))
    assert [m.name for m in call(workbench, ListModels()).models] == ["all-Mi"]
    assert smollm_path.exists()


def inference_of(workbench: Workbench) -> WorkerState:
    return next(one for one in call(workbench, GetStatus()).workers if one.name == "inference")


def test_a_model_in_use_cannot_be_unloaded(workbench: Workbench) -> None:
    arrived, context = begin(workbench, Ask(question="slow please"))
    until(arrived, events.TextDelta)
    with pytest.raises(UserError, match="in use"):
        call(workbench, UnloadModel())
    context.cancel()
    last(arrived)


def test_settings_are_changed_whole_or_not_at_all(home: Home, workbench: Workbench) -> None:
    for values in ({"engine": {"threads": -4}}, {"engine": {"speed": 1}}, {"cars": {}}):
        with pytest.raises(UserError):
            call(workbench, ChangeSettings(values={"general": {"theme": "dark"}, **values}))
    assert call(workbench, GetSettings()).general.theme == "system"
    assert call(workbench, ChangeSettings(values={"general": {"theme": "dark"}})).general.theme == "dark"
    assert 'theme = "dark"' in home.settings.read_text()


def test_the_machine_and_the_status_are_told(home: Home, workbench: Workbench) -> None:
    assert call(workbench, GetMachine()).memory_bytes > 0
    status = call(workbench, GetStatus())
    assert status.home == str(home.root)
    assert [worker.name for worker in status.workers] == ["inference", "embedding"]


def test_subscribers_hear_of_changes_made_by_others(workbench: Workbench) -> None:
    changes, context = begin(workbench, Subscribe())
    call(workbench, CreateCollection(name="Papers"))
    while until(changes, events.Changed).kind != "collection":
        pass  # A worker that starts meanwhile is a change as well.
    context.cancel()
    assert isinstance(last(changes), events.Cancelled)


def test_the_same_file_is_imported_once_whatever_its_path(
    workbench: Workbench, smollm_path: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link.gguf"
    link.symlink_to(smollm_path)
    for path in (smollm_path, link):
        with pytest.raises(UserError, match="in the catalogue already, as 'SmolLM'"):
            call(workbench, ImportModel(path=str(path)))
    assert len(call(workbench, ListModels()).models) == 2


def test_what_a_stopped_generation_cost_is_told_with_its_end(smollm_path: Path) -> None:
    backend = LlamaCppBackend(
        lambda on_state: WorkerHost("inference", command=COMMANDS["inference"], on_state=on_state),
        lambda: None,
        EngineSettings,
    )
    context = RequestContext()
    record = inspect_path(smollm_path).model
    with backend.lease(record, ModelUse(), context) as loading:
        stream = drain(loading).generate([Message("user", "slow please")], DecodingPart())
        next(e for e in stream if isinstance(e, events.TextDelta))
        context.cancel()
        *_, last = stream
        assert isinstance(last, events.Cancelled)
        assert msgspec.convert(last.result, Generated).usage.prompt_tokens == len("slow please")
    backend.host.close()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_folder_under_several_names_is_one(workbench: Workbench, papers: Path, tmp_path: Path) -> None:
    collection = call(workbench, CreateCollection(name="papers"))
    (tmp_path / "link").symlink_to(papers)
    names = (str(papers), f"{papers}/", str(tmp_path / "link"), f"{tmp_path}/link/../papers")
    for name in names:
        run = call(workbench, AddDocuments(collection=collection.id, paths=(name,), watch=True))
        call(workbench, FollowRun(run=run.id))
    documents = call(workbench, ListDocuments(collection=collection.id)).documents
    assert sorted(d.path for d in documents) == sorted(str(p) for p in papers.iterdir())
    (known,) = call(workbench, ListCollections()).collections
    assert known.watched == (str(papers),)
    assert call(workbench, Unwatch(collection=collection.id, path=f"{tmp_path}/link/")).watched == ()


def test_a_run_whose_folder_cannot_be_made_is_refused_and_may_be_tried_again(
    workbench: Workbench, home: Home, papers: Path
) -> None:
    collection = call(workbench, CreateCollection(name="papers"))
    home.runs.rmdir()
    home.runs.write_text("in the way")
    adding = AddDocuments(collection=collection.id, paths=(str(papers),))
    with pytest.raises(UserError, match="folder could not be written"):
        call(workbench, adding)
    assert [r.state for r in call(workbench, ListRuns()).runs] == ["failed"]
    home.runs.unlink()
    call(workbench, FollowRun(run=call(workbench, adding).id))
    assert len(call(workbench, ListDocuments(collection=collection.id)).documents) == 3
