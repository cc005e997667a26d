"""What was deleted comes back whole, and is gone when its time is over."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest

from tests.e2e.test_core import attach, call, ingest, opened, papers, workbench
from tests.unit.subjects.models.conftest import gguf_bytes
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.calls import (
    Ask,
    AskResult,
    Chat,
    CreateCollection,
    DeleteChat,
    DeleteForGood,
    EmptyTrash,
    FollowRun,
    GetChat,
    GetPrompt,
    GetTrace,
    ImportModel,
    ListAdapters,
    ListChats,
    ListCollections,
    ListDocuments,
    ListModels,
    ListPrompts,
    ListTrash,
    RateAnswer,
    ReadAgain,
    RemoveAdapter,
    RemoveCollection,
    RemoveDocument,
    RemoveFolder,
    RemoveModel,
    RemovePrompt,
    RemoveRecipe,
    RestoreDeleted,
    SavePrompt,
    SearchDocuments,
    SetDefaultModel,
    SetHead,
    TrashEntry,
    TrashList,
)
from workbench.gguf.adapter_files import list_adapters
from workbench.records.recipes import PromptingPart, Recipe, RetrievalPart, save_recipe
from workbench.records.training import AdapterRecord
from workbench.subjects.adapters.store import AdapterStore

__all__ = ["papers", "workbench"]


DAY_S = 24 * 3600.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("workbench.subjects.trash.store.now", clock)
    return clock


def in_trash(workbench: Workbench) -> list[tuple[str, str]]:
    return [(one.kind, one.title) for one in call(workbench, ListTrash()).entries]


def titles(workbench: Workbench, collection: str) -> list[str]:
    return [Path(one.path).name for one in call(workbench, ListDocuments(collection=collection)).documents]


def test_a_chat_comes_back_with_branches_ratings_and_attached_files(workbench: Workbench, papers: Path) -> None:
    attached = attach(workbench, papers / "river.txt")
    chat = attached.chat.id
    first: AskResult = call(workbench, Ask(question="What about the river?", chat=chat))
    call(workbench, Ask(regenerate=first.message, recipe=Recipe()))
    call(workbench, SetHead(chat=chat, message=first.message))
    call(workbench, RateAnswer(message=first.message, rating=1))
    before: Chat = call(workbench, GetChat(chat=chat))
    other: AskResult = call(workbench, Ask(question="Another chat?"))
    call(workbench, DeleteChat(chat=chat))
    assert [one.id for one in call(workbench, ListChats()).chats] == [other.chat]
    assert call(workbench, ListChats(search="river")).chats == ()
    for gone in (
        GetChat(chat=chat),
        Ask(question="More?", chat=chat),
        RateAnswer(message=first.message, rating=-1),
        GetTrace(message=first.message),
        ListDocuments(collection=attached.collection.id),
    ):
        with pytest.raises(UserError):
            call(workbench, gone)
    (entry,) = call(workbench, ListTrash()).entries
    assert (entry.kind, entry.item, entry.title) == ("chat", chat, "What about the river?")
    assert entry.until - entry.deleted == 30 * DAY_S
    assert entry.bytes > 0
    assert call(workbench, RestoreDeleted(item=chat)).title == "What about the river?"
    assert call(workbench, GetChat(chat=chat)) == before
    assert [one.id for one in call(workbench, ListChats(search="river")).chats] == [chat]
    assert titles(workbench, attached.collection.id) == ["river.txt"]
    assert in_trash(workbench) == []
    again: AskResult = call(workbench, Ask(question="What about the river?", chat=chat))
    assert {passage.title for passage in again.passages} == {"river.txt"}


def test_a_document_comes_back_without_being_read_again(workbench: Workbench, papers: Path) -> None:
    call(workbench, CreateCollection(name="Papers"))
    ingest(workbench, "Papers", papers)
    river = str(papers / "river.txt")
    assert call(workbench, RemoveDocument(collection="Papers", document=river)).documents == 2
    assert titles(workbench, "Papers") == ["bridge.txt", "tower.txt"]
    assert in_trash(workbench) == [("document", "river.txt")]
    assert call(workbench, FollowRun(run=call(workbench, ReadAgain(collection="Papers")).id))["indexed"] == 2
    assert titles(workbench, "Papers") == ["bridge.txt", "tower.txt"], "a deleted file does not come back by itself"
    Path(river).unlink()  # so that it cannot be read again
    call(workbench, RestoreDeleted(item=river))
    assert sorted(titles(workbench, "Papers")) == ["bridge.txt", "river.txt", "tower.txt"]
    assert in_trash(workbench) == []


def test_a_file_that_was_added_by_itself_is_added_again(workbench: Workbench, papers: Path) -> None:
    call(workbench, CreateCollection(name="Papers"))
    ingest(workbench, "Papers", papers / "river.txt")
    call(workbench, RemoveDocument(collection="Papers", document=str(papers / "river.txt")))
    with pytest.raises(UserError, match="Nothing was added"):
        call(workbench, ReadAgain(collection="Papers"))
    call(workbench, RestoreDeleted(item="river.txt"))
    (collection,) = call(workbench, ListCollections()).collections
    assert not collection.unfinished
    assert call(workbench, FollowRun(run=call(workbench, ReadAgain(collection="Papers")).id))["indexed"] == 1


def test_a_deleted_file_that_is_added_by_itself_is_read(workbench: Workbench, papers: Path) -> None:
    call(workbench, CreateCollection(name="Papers"))
    ingest(workbench, "Papers", papers)
    river = str(papers / "river.txt")
    call(workbench, RemoveDocument(collection="Papers", document=river))
    call(workbench, EmptyTrash())
    ingest(workbench, "Papers", papers)
    assert titles(workbench, "Papers") == ["bridge.txt", "tower.txt"]
    ingest(workbench, "Papers", Path(river))
    assert sorted(titles(workbench, "Papers")) == ["bridge.txt", "river.txt", "tower.txt"]


def test_a_folder_comes_back_with_its_files(workbench: Workbench, papers: Path) -> None:
    call(workbench, CreateCollection(name="Papers"))
    ingest(workbench, "Papers", papers)
    assert call(workbench, RemoveFolder(collection="Papers", path=str(papers))).documents == 0
    assert in_trash(workbench) == [("folder", "papers")]
    call(workbench, RestoreDeleted(item="papers"))
    assert sorted(titles(workbench, "Papers")) == ["bridge.txt", "river.txt", "tower.txt"]
    (collection,) = call(workbench, ListCollections()).collections
    assert collection.folders == (str(papers),)


def test_a_collection_comes_back_and_its_name_was_free(workbench: Workbench, papers: Path) -> None:
    collection = call(workbench, CreateCollection(name="Papers"))
    ingest(workbench, "Papers", papers)
    call(workbench, RemoveDocument(collection="Papers", document=str(papers / "tower.txt")))
    call(workbench, RemoveCollection(collection="Papers"))
    assert call(workbench, ListCollections()).collections == ()
    for gone in ("Papers", collection.id):
        with pytest.raises(UserError, match="no collection"):
            call(workbench, SearchDocuments(collection=gone, query="river"))
    with pytest.raises(UserError, match="Restore the collection"):
        call(workbench, RestoreDeleted(item="tower.txt"))
    call(workbench, CreateCollection(name="Papers"))
    restored: TrashEntry = call(workbench, RestoreDeleted(item=collection.id))
    assert restored.title == "Papers 2"
    assert titles(workbench, "Papers 2") == ["bridge.txt", "river.txt"]
    call(workbench, RestoreDeleted(item="tower.txt"))
    assert len(titles(workbench, "Papers 2")) == 3
    retrieval = RetrievalPart(collection="Papers 2")
    answer: AskResult = call(workbench, Ask(question="What about all of it?", recipe=Recipe(retrieval=retrieval)))
    assert answer.passages


def test_documents_of_a_collection_that_is_deleted_for_good_go_with_it(workbench: Workbench, papers: Path) -> None:
    collection = call(workbench, CreateCollection(name="Papers"))
    ingest(workbench, "Papers", papers)
    call(workbench, RemoveDocument(collection="Papers", document=str(papers / "tower.txt")))
    call(workbench, RemoveCollection(collection="Papers"))
    call(workbench, DeleteForGood(item=collection.id))
    assert in_trash(workbench) == []
    assert not workbench.home.collection(collection.id).exists()


def test_a_model_comes_back_with_its_files_which_are_moved_and_not_copied(workbench: Workbench, tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(gguf_bytes())
    model = call(workbench, ImportModel(path=str(tmp_path / "tiny.gguf"), name="Tiny", copy=True))
    file = Path(model.path)
    number = file.stat().st_ino
    call(workbench, SetDefaultModel(name="SmolLM"))
    call(workbench, RemoveModel(name="Tiny"))
    call(workbench, RemoveModel(name="SmolLM"))
    assert not file.exists()
    assert [one.name for one in call(workbench, ListModels()).models] == ["all-Mi"]
    assert {one.title: one.bytes > 0 for one in call(workbench, ListTrash()).entries} == {"Tiny": True, "SmolLM": False}
    again = call(workbench, ImportModel(path=str(tmp_path / "tiny.gguf"), name="Tiny", copy=True))
    assert call(workbench, RestoreDeleted(item="Tiny")).title == "Tiny Q8_0"
    call(workbench, RestoreDeleted(item="SmolLM"))
    found = call(workbench, ListModels())
    by_name = {one.name: one for one in found.models}
    assert found.default == "SmolLM"
    assert not any(one.missing for one in found.models)
    assert Path(by_name["Tiny Q8_0"].path).stat().st_ino == number
    assert by_name["Tiny Q8_0"].path != again.path
    assert msgspec.structs.replace(by_name["Tiny Q8_0"], name="Tiny", path=model.path, files=model.files) == model
    call(workbench, RemoveModel(name="Tiny Q8_0"))
    assert call(workbench, EmptyTrash()) == TrashList()
    assert [one.name for one in workbench.home.models.iterdir() if one.is_dir()] == [Path(again.path).parent.name]


def test_a_prompt_comes_back_with_its_versions(workbench: Workbench) -> None:
    for words in ("Be brief.", "Be very brief."):
        saved = call(workbench, SavePrompt(name="Letter", part=PromptingPart(instructions=words), tags=("office",)))
    before = call(workbench, GetPrompt(prompt="Letter"))
    call(workbench, RemovePrompt(prompt="Letter"))
    assert call(workbench, ListPrompts()).prompts == ()
    with pytest.raises(UserError, match="no prompt"):
        call(workbench, GetPrompt(prompt=saved.prompt.id))
    call(workbench, SavePrompt(name="Letter", part=PromptingPart(instructions="Another.")))
    assert in_trash(workbench) == [("prompt", "Letter")]
    back = call(workbench, RestoreDeleted(item=saved.prompt.id))
    assert back.title == "Letter 2"
    after = call(workbench, GetPrompt(prompt="Letter 2"))
    assert after.versions == before.versions
    assert after.prompt == msgspec.structs.replace(before.prompt, name="Letter 2")
    call(workbench, RemovePrompt(prompt="Letter 2"))
    call(workbench, DeleteForGood(item="Letter 2"))
    assert in_trash(workbench) == []
    assert [one.name for one in call(workbench, ListPrompts()).prompts] == ["Letter"]


def test_a_saved_recipe_comes_back_as_it_was(home: Home, workbench: Workbench) -> None:
    home.recipes.mkdir(exist_ok=True)
    file = home.recipes / "brief.toml"
    save_recipe(file, Recipe(name="brief", prompting=PromptingPart(instructions="Be brief.")))
    written = file.read_bytes()
    for wrong in ("", "nothing", "../settings", ".trash-1"):
        with pytest.raises(UserError, match="no saved recipe"):
            call(workbench, RemoveRecipe(recipe=wrong))
    call(workbench, RemoveRecipe(recipe="brief"))
    assert list(home.recipes.glob("*.toml")) == []
    assert in_trash(workbench) == [("recipe", "brief")]
    file.write_text("another", "utf-8")
    assert call(workbench, RestoreDeleted(item="brief")).title == "brief-2"
    assert (home.recipes / "brief-2.toml").read_bytes() == written
    call(workbench, RemoveRecipe(recipe="brief-2"))
    call(workbench, EmptyTrash())
    assert [one.name for one in home.recipes.iterdir()] == ["brief.toml"]


def test_an_adapter_comes_back_with_its_files(home: Home, workbench: Workbench) -> None:
    def fill(folder: Path) -> None:
        (folder / "adapter.gguf").write_bytes(b"GGUF of an adapter")
        (folder / "trained").mkdir()
        (folder / "trained" / "weights.safetensors").write_bytes(b"weights")

    store = AdapterStore(home.adapters)
    store.publish(AdapterRecord(name="notes", kind="lora", created=1.0, file="adapter.gguf", state="ready"), fill)
    (before,) = call(workbench, ListAdapters()).adapters
    call(workbench, RemoveAdapter(adapter="notes"))
    assert call(workbench, ListAdapters()).adapters == ()
    assert list_adapters(home.adapters) == []
    [entry] = call(workbench, ListTrash()).entries
    assert (entry.kind, entry.title) == ("adapter", "notes")
    assert entry.bytes > len(b"GGUF of an adapter")
    assert call(workbench, RestoreDeleted(item=entry.id)).title == "notes"
    assert call(workbench, ListAdapters()).adapters == (before,)
    assert (home.adapters / "notes" / "trained" / "weights.safetensors").read_bytes() == b"weights"
    call(workbench, RemoveAdapter(adapter="notes"))
    call(workbench, DeleteForGood(item="notes"))
    assert list(home.adapters.iterdir()) == []


def test_what_was_deleted_is_gone_at_the_first_start_after_thirty_days(
    home: Home, clock: Clock, workbench: Workbench, papers: Path, tmp_path: Path
) -> None:
    collection = call(workbench, CreateCollection(name="Papers"))
    ingest(workbench, "Papers", papers)
    asked: AskResult = call(workbench, Ask(question="What about the river?"))
    call(workbench, DeleteChat(chat=asked.chat))
    clock.now += 5 * DAY_S
    call(workbench, RemoveCollection(collection="Papers"))
    clock.now += 24.9 * DAY_S
    workbench.close()
    second = opened(home)
    assert len(in_trash(second)) == 2
    call(second, RestoreDeleted(item=asked.chat))
    call(second, DeleteChat(chat=asked.chat))
    clock.now += 5.2 * DAY_S
    second.close()
    third = opened(home)
    for thread in threading.enumerate():
        if thread.name == "trash":
            thread.join()
    assert in_trash(third) == [("chat", "What about the river?")]
    assert not home.collection(collection.id).exists()
    third.close()


def test_what_is_not_in_the_trash_is_said(workbench: Workbench) -> None:
    with pytest.raises(UserError, match="no 'nothing' in the trash"):
        call(workbench, RestoreDeleted(item="nothing"))
