"""The embedding model of a new collection follows its languages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import WorkerDied
from workbench.base.paths import Home
from workbench.base.settings import DocumentSettings
from workbench.records.documents import AddResult, Collection, Document, DocumentList, DocumentState
from workbench.storage.database import open_home
from workbench.subjects.documents.runs import Ingesting, Passwords
from workbench.subjects.documents.store import CollectionRegistry
from workbench.techniques.embedding_calls import CollectionState, Ingest
from workbench.techniques.embedding_calls import Documents as ListOfFile

GERMAN = AddResult(unknown_languages=("de",))


class FakeEmbedding:
    """Reads nothing; the default model refuses what is added. ``asked`` are the ingests."""

    def __init__(self, has_multilingual: bool, refused: AddResult = GERMAN) -> None:
        self.asked: list[Ingest] = []
        self.documents: list[Document] = []
        self.host = SimpleNamespace(state="ready", stream=self._stream, call=self._list)
        self._has_multilingual, self._refused = has_multilingual, refused
        self.has_imported = False

    def _stream(self, call: Ingest, context: RequestContext) -> Iterator[Event]:
        self.asked.append(call)
        yield finish(self._refused if call.known_only else AddResult(indexed=1))

    def _list(self, call: ListOfFile, context: RequestContext) -> DocumentList:
        return DocumentList(documents=tuple(self.documents))

    def embedder(self, context: Any, report: Any, name: str) -> str:
        return f"/models/{name or 'default'}"

    def is_starter(self) -> bool:
        return not self.has_imported

    def multilingual(self, context: Any, report: Any) -> Any:
        return SimpleNamespace(name="multilingual-e5-small") if self._has_multilingual else None

    def file(self, collection: Collection) -> Path:
        return Path("/c.sqlite")

    def state(self, collection: Collection) -> CollectionState:
        return CollectionState(documents=1, failed=0, chunks=1, bytes=1, revision=1, unknown_languages=("de",))


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[CollectionRegistry]:
    database = open_home(Home(tmp_path))
    yield CollectionRegistry(database)
    database.close()


def work(
    registry: CollectionRegistry, embedding: FakeEmbedding, collection: Collection, paths: tuple[str, ...] = ("/a",)
) -> AddResult:
    changes: Any = SimpleNamespace(publish=lambda kind, id: None)
    reader: Any = embedding
    ingesting = Ingesting(registry, reader, changes, DocumentSettings, Passwords())
    config = {"collection": collection.id, "paths": paths}
    run: Any = SimpleNamespace(record=SimpleNamespace(config=config), context=RequestContext(), emit=lambda event: None)
    ended: Any = ingesting.work(run)
    return AddResult(**ended.result)


def test_a_collection_with_other_languages_gets_the_model_for_many(registry: CollectionRegistry) -> None:
    embedding, office = FakeEmbedding(True), registry.create("office")
    assert work(registry, embedding, office).indexed == 1
    assert [(call.embedder, call.known_only) for call in embedding.asked] == [
        ("/models/default", True),
        ("/models/multilingual-e5-small", False),
    ]
    assert registry.get(office.id).embedder == "multilingual-e5-small"


def test_so_does_one_whose_documents_are_no_running_text(registry: CollectionRegistry) -> None:
    embedding, office = FakeEmbedding(True, AddResult(running_text=False)), registry.create("office")
    assert work(registry, embedding, office).indexed == 1
    assert [call.embedder for call in embedding.asked] == ["/models/default", "/models/multilingual-e5-small"]


def test_a_default_model_that_a_person_has_imported_is_kept_for_them(registry: CollectionRegistry) -> None:
    embedding, office = FakeEmbedding(True, AddResult(running_text=False)), registry.create("office")
    embedding.has_imported = True
    assert work(registry, embedding, office).indexed == 1
    assert [call.embedder for call in embedding.asked] == ["/models/default"] * 2


def test_it_stays_with_the_default_model_where_there_is_no_other_and_says_so(registry: CollectionRegistry) -> None:
    embedding, office = FakeEmbedding(False), registry.create("office")
    assert work(registry, embedding, office).indexed == 1
    assert [call.embedder for call in embedding.asked] == ["/models/default"] * 2
    assert (registry.get(office.id).embedder, registry.get(office.id).unknown_languages) == ("", ("German",))


def test_a_model_that_a_person_has_chosen_is_kept(registry: CollectionRegistry) -> None:
    embedding, office = FakeEmbedding(True), registry.create("office")
    registry.set_embedder(office.id, "chosen")
    work(registry, embedding, registry.get(office.id))
    assert [(call.embedder, call.known_only) for call in embedding.asked] == [("/models/chosen", False)]
    assert registry.get(office.id).embedder == "chosen"


def test_the_reader_is_told_what_was_added_for_the_pictures_beside_pages(registry: CollectionRegistry) -> None:
    embedding, office = FakeEmbedding(True), registry.create("office")
    registry.add_root(office.id, "/letters", watched=True)
    work(registry, embedding, office, ("/letters/a.html",))  # one file again
    assert {call.limits.folders for call in embedding.asked} == {("/letters",)}


def document(path: Path, state: DocumentState = "indexed", *, unfinished: bool = False) -> Document:
    return Document(id=path.name, path=str(path), title="", kind="text", state=state, unfinished=unfinished)


def test_a_folder_whose_reading_was_stopped_is_read_once_its_files_are_the_failed_one_too(
    registry: CollectionRegistry, tmp_path: Path
) -> None:
    embedding, office = FakeEmbedding(True), registry.create("office")
    folder = tmp_path / "letters"
    folder.mkdir()
    files = [folder / "a.txt", folder / "broken.pdf", folder / "c.txt"]
    for file in files:
        file.write_text("text")
    registry.add_root(office.id, str(folder), watched=False)  # stopped: never read to its end
    registry.add_root(office.id, str(tmp_path / "deleted.txt"), watched=False)

    embedding.documents = [document(files[0]), document(files[1], "failed")]
    work(registry, embedding, office, (str(files[0]), str(files[1])))
    assert registry.get(office.id).unfinished  # c.txt is unread
    assert [root.path for root in registry.list_roots(office.id) if root.read_at is None] == [str(folder)]

    embedding.documents.append(document(files[2], unfinished=True))
    work(registry, embedding, office, (str(files[2]),))
    assert registry.get(office.id).unfinished  # a part of c.txt is

    embedding.documents[2] = document(files[2])
    work(registry, embedding, office, (str(files[2]),))
    assert not registry.get(office.id).unfinished


def test_a_reading_that_is_done_stays_so_where_its_files_cannot_be_listed_afterwards(
    registry: CollectionRegistry, tmp_path: Path
) -> None:
    embedding, office = FakeEmbedding(True), registry.create("office")
    registry.add_root(office.id, str(tmp_path), watched=False)

    def die(*_: object, **__: object) -> DocumentList:
        raise WorkerDied("embedding", 9)

    embedding.host.call = die
    assert work(registry, embedding, office, (str(tmp_path / "a.txt"),)).indexed == 1
    assert registry.get(office.id).unfinished


def test_a_folder_that_cannot_be_listed_does_not_count_as_read(
    registry: CollectionRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedding, office = FakeEmbedding(True), registry.create("office")
    folder = tmp_path / "letters"
    folder.mkdir()
    registry.add_root(office.id, str(folder), watched=False)
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if path == folder or path == str(folder):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    with monkeypatch.context() as locked:
        locked.setattr("workbench.reading.kinds.os.scandir", refuse)
        work(registry, embedding, office)
    assert registry.get(office.id).unfinished
    work(registry, embedding, office)
    assert not registry.get(office.id).unfinished
