from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec

from tests.soundness import faults
from tests.unit.retrieval.test_index import EMBEDDER, entry, found, nearest
from workbench.records.documents import DocumentPicture, PlacedText
from workbench.records.tables import DocumentTable, TableColumn, TableRow
from workbench.techniques.retrieval.index import CollectionIndex, Entry
from workbench.techniques.retrieval.names import NameSpan


def whole_entry() -> Entry:
    """A document with all that can belong to one."""
    plain = entry("/lease.pdf", "Carla Mendes signed the lease.", "The rent is 900 euros.")
    first, second = plain.chunks
    chunks = [msgspec.structs.replace(first, recognised=True, context="Lease of flat 4"), second]
    return msgspec.structs.replace(
        plain,
        chunks=chunks,
        places={1: (PlacedText(0, 5, 0.1, 0.2, 0.3, 0.4),)},
        names=(NameSpan(start=0, end=12, key="carla mendes", shown="Carla Mendes", kind="person", sure=True),),
        pictures=(DocumentPicture(start=0, end=0, part="word/media/plan.png"),),
        tables=(
            DocumentTable(title="Rent", columns=(TableColumn(name="flat"),), rows=(TableRow(cells=("4",), number=1),)),
        ),
    )


def all_of(index: CollectionIndex, document: str) -> tuple[Any, ...]:
    """Everything that a collection knows of a document."""
    with index.reading() as snapshot:
        text = snapshot.text(document)
        names = [(one.name, one.documents) for one in snapshot.names().entries()[0]]
        tables = [one.content for one in snapshot.tables(1000, (document,))]
        vectors = {place: vector.tolist() for place, vector in snapshot.document_vectors(document).items()}
        return text, snapshot.places(document, 1), names, tables, vectors, snapshot.stamp(document)


def test_a_restored_document_is_as_it_was(index: CollectionIndex) -> None:
    document = index.put(whole_entry()).id
    before = all_of(index, document)
    trashed = index.trash(document)
    assert trashed is not None
    assert (trashed.document, trashed.path) == (document, "/lease.pdf")
    assert trashed.bytes > 100
    assert found(index, "rent") == []
    assert nearest(index, "rent") == []
    with index.reading() as snapshot:
        assert snapshot.documents().documents == ()
        assert snapshot.names().entries()[0] == []
        assert snapshot.state().documents == 0
    index.put(entry("/other.txt", "Other words", "and more of them"))  # takes the numbers that were free
    assert index.restore(document)
    assert all_of(index, document)[:2] == before[:2]
    assert all_of(index, document)[3:] == before[3:]
    assert before[2] == all_of(index, document)[2]
    assert found(index, "rent") == ["The rent is 900 euros."]
    assert nearest(index, "The rent is 900 euros.")[0] == "The rent is 900 euros."
    assert index.restore(document)  # it is there
    assert faults(index.path) == []


def test_a_document_that_failed_can_be_restored(index: CollectionIndex) -> None:
    failed = index.fail("/bad.pdf", entry("/x", "x").stamp, "It is damaged.")
    assert index.trash(failed.id) is not None
    assert index.restore(failed.id)
    with index.reading() as snapshot:
        assert snapshot.document(failed.id) == failed


def test_the_reading_of_a_file_that_was_read_again_stays(index: CollectionIndex) -> None:
    old = index.put(entry("/a.txt", "old words")).id
    index.trash(old)
    new = index.put(entry("/a.txt", "new words")).id
    assert index.restore(old)
    with index.reading() as snapshot:
        assert [one.id for one in snapshot.documents().documents] == [new]


def test_a_document_with_vectors_of_another_model_is_not_restored(index: CollectionIndex) -> None:
    document = index.put(entry("/a.txt", "words")).id
    index.trash(document)
    index.record_embedder("another fingerprint", 2 * EMBEDDER.dimensions)
    assert not index.restore(document)
    with index.reading() as snapshot:
        assert snapshot.documents().documents == ()


def test_what_is_deleted_for_good_cannot_be_restored(index: CollectionIndex) -> None:
    document = index.put(entry("/a.txt", "words")).id
    index.trash(document)
    assert index.trash(document) == index.trash(document)  # it is there already
    index.purge([document])
    assert not index.restore(document)
    assert index.trash(document) is None


def test_an_unknown_document_is_not_moved(index: CollectionIndex) -> None:
    assert index.trash("nowhere") is None


def test_a_collection_with_a_trash_can_be_copied(index: CollectionIndex, tmp_path: Path) -> None:
    document = index.put(entry("/a.txt", "words")).id
    index.trash(document)
    index.close()
    shutil.copy(index.path, tmp_path / "copy.sqlite")
    copy = CollectionIndex(tmp_path / "copy.sqlite")
    assert copy.restore(document)
    assert found(copy, "words") == ["words"]
    copy.close()
