from __future__ import annotations

import shutil
import threading
from contextlib import closing
from pathlib import Path

import apsw
import msgspec
import numpy as np
import pytest

from tests.soundness import faults
from tests.unit.retrieval.fakes import FakeEmbedder
from workbench.base.errors import UserError
from workbench.records.documents import Chunk, DocumentPicture, PlacedText
from workbench.records.tables import DocumentTable, TableColumn, TableRow
from workbench.techniques.retrieval import index as index_module
from workbench.techniques.retrieval.index import SCHEMA, CollectionIndex, Entry
from workbench.techniques.retrieval.snapshot import FileStamp
from workbench.text.language import query_terms

EMBEDDER = FakeEmbedder()
STAMP = FileStamp(10, 20, 30)


def entry(path: str, *pieces: str, language: str = "en") -> Entry:
    text = "\n".join(pieces)
    chunks, start = [], 0
    for piece in pieces:
        chunks.append(Chunk(start=start, end=start + len(piece), page=len(chunks) + 1))
        start += len(piece) + 1
    return Entry(
        path=path,
        stamp=STAMP,
        title=Path(path).stem,
        kind="text",
        hash=f"hash of {path}",
        text=text,
        language=language,
        page_starts=tuple(c.start for c in chunks),
        chunks=chunks,
        vectors=EMBEDDER.embed_passages(pieces),
        fluency=0.9,
    )


def test_places_of_recognised_pages_go_with_their_document(index: CollectionIndex) -> None:
    first, *others = entry("/a.pdf", "one page", "another page").chunks
    places = {1: (PlacedText(0, 3, 0.1, 0.2, 0.3, 0.4), PlacedText(4, 8, 0.5, 0.2, 1.0, 0.4))}
    scan = msgspec.structs.replace(
        entry("/a.pdf", "one page", "another page"),
        chunks=[msgspec.structs.replace(first, recognised=True), *others],
    )
    before = index.put(scan).id
    with index.reading() as snapshot:
        assert snapshot.text(before).unplaced
        assert snapshot.places(before, 1) == ()
    document = index.put(msgspec.structs.replace(scan, places=places)).id
    with index.reading() as snapshot:
        assert not snapshot.text(document).unplaced
        stored = snapshot.places(document, 1)
        assert snapshot.places(document, 2) == ()
    assert [(one.start, one.end) for one in stored] == [(0, 3), (4, 8)]
    assert stored[1].right == 1.0
    assert abs(stored[0].left - 0.1) < 1e-4
    index.remove([document])
    assert faults(index.path) == []
    index.put(entry("/b.txt", "plain"))
    with index.reading() as snapshot:
        assert not snapshot.text("/b.txt").unplaced


def found(index: CollectionIndex, query: str) -> list[str]:
    with index.reading() as snapshot:
        matches = snapshot.find_words(query_terms(query, snapshot.languages()), 10, 1.0)
        return [c.text for c in snapshot.chunks([number for number, _ in matches])]


def nearest(index: CollectionIndex, query: str) -> list[str]:
    with index.reading() as snapshot:
        return [c.text for c in snapshot.chunks(list(snapshot.find_nearest(EMBEDDER.embed_queries([query])[0], 10)))]


def test_a_document_comes_back_as_it_was_written(index: CollectionIndex) -> None:
    written = entry("/a.txt", "One piece", "Another 🙂 piece")
    document = index.put(written)
    assert (document.state, document.chunks, document.pages) == ("indexed", 2, 2)
    with index.reading() as snapshot:
        for name in (document.id, "/a.txt"):
            text = snapshot.text(name)
            assert text.document == document
            assert text.text == written.text
            assert text.chunks == tuple(written.chunks)
            assert text.page_starts == written.page_starts
        assert snapshot.documents().documents == (document,)
        state = snapshot.state()
    assert (state.documents, state.failed, state.chunks, state.revision) == (1, 0, 2, 1)


def test_a_byte_that_is_not_utf8_spoils_nothing_but_itself(index: CollectionIndex) -> None:
    for path in ("/a.txt", "/b.txt"):
        index.put(entry(path, f"The castle of {path[1]}"))
    other = apsw.Connection(str(index.path))
    other.execute("update documents set title = cast(x'41ff' as text) where path = '/a.txt'")
    other.execute("update texts set text = cast(x'54ff' as text) where document = 1")
    other.close()
    with index.reading() as snapshot:
        assert [one.title for one in snapshot.documents().documents] == ["A\ufffd", "b"]
        assert [snapshot.text(path).text for path in ("/a.txt", "/b.txt")] == ["T\ufffd", "The castle of b"]
        assert set(snapshot.known_files()) == {"/a.txt", "/b.txt"}
    assert sorted(found(index, "castle")) == ["The castle of a", "The castle of b"]


def test_words_and_vectors_find_it(index: CollectionIndex) -> None:
    index.put(entry("/a.txt", "The castles burned", "Nothing else"))
    assert found(index, "burning castle") == ["The castles burned"]
    assert nearest(index, "The castles burned")[0] == "The castles burned"


def test_words_of_the_context_find_a_passage_and_leave_with_it(index: CollectionIndex) -> None:
    plain = entry("/a.txt", "Die Höhe beträgt drei Meter", "Nothing else", language="de")
    first, second = plain.chunks
    context = "Satzung > § 4 Beiträge"
    index.put(
        msgspec.structs.replace(plain, chunks=[msgspec.structs.replace(first, context=context), second], language="de")
    )
    assert found(index, "Beitrag der Satzung") == ["Die Höhe beträgt drei Meter"]
    with index.reading() as snapshot:
        assert [one.context for one in snapshot.text("/a.txt").chunks] == [context, ""]
        ((number, with_context),) = snapshot.find_words(query_terms("Satzung", ["de"]), 10, 1.0)
        ((_, half),) = snapshot.find_words(query_terms("Satzung", ["de"]), 10, 0.5)
        assert half == pytest.approx(with_context / 2)
        assert snapshot.find_words(query_terms("Satzung", ["de"]), 10, 1.0, ["/b.txt"]) == []
        assert [one.context for one in snapshot.chunks([number])] == [context]
    index.put(plain)
    assert found(index, "Beitrag der Satzung") == []
    assert faults(index.path) == []


def test_a_collection_of_before_contexts_is_found_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tmp_path / "migrations"
    before.mkdir()
    for migration in sorted(SCHEMA.glob("*.sql"))[:4]:
        shutil.copy(migration, before)
    with monkeypatch.context() as old:
        old.setattr(index_module, "SCHEMA", before)
        made = CollectionIndex(tmp_path / "c.sqlite")
        made.record_embedder(EMBEDDER.fingerprint, EMBEDDER.dimensions)
        made.close()
    written = apsw.Connection(str(made.path))
    written.execute("insert into documents (number, id, path, state, chunks, language, indexed_at) "
                    "values (1, 'd', '/a.txt', 'indexed', 1, 'en', 1.0)")  # fmt: skip
    written.execute("insert into texts values (1, 'The castles burned', '[]')")
    written.execute("insert into chunks values (1, 1, 0, 18, null, 'The castles burned', '', 0)")
    written.close()
    opened = CollectionIndex(made.path)
    assert found(opened, "burning castle") == ["The castles burned"]
    with opened.reading() as snapshot:
        assert [one.context for one in snapshot.text("d").chunks] == [""]
        assert snapshot.state().outdated == 1
    opened.put(entry("/a.txt", "The castles burned"))
    assert found(opened, "burning castle") == ["The castles burned"]
    with opened.reading() as snapshot:
        assert snapshot.state().outdated == 0
    assert faults(opened.path) == []
    opened.close()


def test_a_collection_of_before_pictures_opens_and_says_that_more_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tmp_path / "migrations"
    before.mkdir()
    for migration in sorted(SCHEMA.glob("*.sql")):
        if migration.name < "0012":
            shutil.copy(migration, before)
    with monkeypatch.context() as old:
        old.setattr(index_module, "SCHEMA", before)
        made = CollectionIndex(tmp_path / "c.sqlite")
        made.record_embedder(EMBEDDER.fingerprint, EMBEDDER.dimensions)
        made.close()
    written = apsw.Connection(str(made.path))
    written.execute("insert into documents (number, id, path, state, chunks, language, indexed_at, reading) "
                    "values (1, 'd', '/a.docx', 'indexed', 1, 'en', 1.0, 3)")  # fmt: skip
    written.execute("insert into texts values (1, 'The castles burned', '[]')")
    written.execute('insert into chunks (number, document, start, "end", text, terms) '
                    "values (1, 1, 0, 18, 'The castles burned', '')")  # fmt: skip
    written.close()
    opened = CollectionIndex(made.path)
    picture = DocumentPicture(start=18, end=18, part="word/media/castle.png")
    with opened.reading() as snapshot:
        assert [one.pictures for one in snapshot.chunks([1])] == [()]
        assert snapshot.text("d").pictures == ()
        assert snapshot.state().outdated == 1
        assert snapshot.is_outdated("d")
    opened.put(msgspec.structs.replace(entry("/a.docx", "The castles burned"), pictures=[picture]))
    with opened.reading() as snapshot:
        assert snapshot.text("d").pictures == (picture,)
        assert snapshot.state().outdated == 0
    assert faults(opened.path) == []
    opened.close()


@pytest.mark.parametrize(
    ("reading", "outdated"),
    [
        (3, ["html", "odt", "epub", "docx", "pdf", "text", "xlsx", "xls", "csv"]),
        (4, ["html", "odt", "epub", "pdf", "xlsx", "xls", "csv"]),
        (5, ["pdf", "xlsx", "xls", "csv"]),
        (6, []),
    ],
)
def test_only_kinds_of_which_less_was_taken_are_outdated(
    index: CollectionIndex, reading: int, outdated: list[str]
) -> None:
    kinds = ("html", "odt", "epub", "docx", "pdf", "text", "xlsx", "xls", "csv")
    for kind in kinds:
        index.put(msgspec.structs.replace(entry(f"/a.{kind}", "The castles burned"), kind=kind))
    with index.reading() as snapshot:
        assert snapshot.state().outdated == 0
        ids = {one.kind: one.id for one in snapshot.documents().documents}
    with closing(apsw.Connection(str(index.path))) as written:
        written.execute("update documents set reading = ?", (reading,))
    with index.reading() as snapshot:
        assert snapshot.state().outdated == len(outdated)
        assert [kind for kind in kinds if snapshot.is_outdated(ids[kind])] == outdated


def test_a_document_of_another_kind_with_a_table_is_outdated_by_the_styles_of_numbers(index: CollectionIndex) -> None:
    columns = (TableColumn(name="Item"), TableColumn(name="Count", kind="number"))
    table = DocumentTable(columns=columns, rows=(TableRow(cells=("Desk", "1.935"), number=2, start=0, end=4),))
    index.put(msgspec.structs.replace(entry("/a.docx", "Desk | 1.935"), kind="docx", tables=(table,)))
    index.put(msgspec.structs.replace(entry("/b.docx", "The castles burned"), kind="docx"))
    with closing(apsw.Connection(str(index.path))) as written:
        written.execute("update documents set reading = 5")
    with index.reading() as snapshot:
        ids = {one.path: one.id for one in snapshot.documents().documents}
        assert snapshot.state().outdated == 1
        assert snapshot.is_outdated(ids["/a.docx"])
        assert not snapshot.is_outdated(ids["/b.docx"])


def test_bm25_is_higher_for_the_better_match(index: CollectionIndex) -> None:
    index.put(entry("/a.txt", "red apple", "red pear green plum", "blue plum", "grey sky", "white snow"))
    with index.reading() as snapshot:
        scores = [score for _, score in snapshot.find_words(query_terms("red apple", ["en"]), 10, 1.0)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[1] > 0


def test_a_document_written_again_keeps_its_id_and_leaves_nothing_of_the_old(index: CollectionIndex) -> None:
    first = index.put(entry("/a.txt", "old content", "more of it"))
    second = index.put(entry("/a.txt", "new content"))
    assert second.id == first.id
    assert found(index, "old") == []
    assert nearest(index, "old") == ["new content"]
    assert faults(index.path) == []


def test_the_same_content_under_two_paths_is_two_documents(index: CollectionIndex) -> None:
    assert index.put(entry("/a.txt", "same")).id != index.put(entry("/b.txt", "same")).id
    assert found(index, "same") == ["same", "same"]


def test_removing_leaves_the_others(index: CollectionIndex) -> None:
    gone = index.put(entry("/a.txt", "first text"))
    index.put(entry("/b.txt", "second text"))
    index.remove([gone.id, "never there"])
    assert found(index, "text") == ["second text"]
    assert faults(index.path) == []
    with index.reading() as snapshot:
        assert snapshot.state().revision == 3
        with pytest.raises(UserError, match="no document"):
            snapshot.text(gone.id)


def test_a_failed_document_says_why_and_has_no_text(index: CollectionIndex) -> None:
    index.put(entry("/a.txt", "it was readable"))
    document = index.fail("/a.txt", STAMP, "It needs a password.")
    assert (document.state, document.reason, document.chunks) == ("failed", "It needs a password.", 0)
    assert found(index, "readable") == []
    with index.reading() as snapshot, pytest.raises(UserError, match="It needs a password"):
        snapshot.text("/a.txt")
    assert faults(index.path) == []


def test_german_and_chinese_stand_beside_english(index: CollectionIndex) -> None:
    index.put(entry("/en.txt", "houses on a hill"))
    index.put(entry("/de.txt", "viele alte Häuser", language="de"))
    index.put(entry("/zh.txt", "北京是中国的首都", language="zh"))
    assert found(index, "Haus") == ["viele alte Häuser"]
    assert found(index, "首都") == ["北京是中国的首都"]
    assert found(index, "京") == ["北京是中国的首都"]
    assert found(index, "house") == ["houses on a hill"]


def test_accents_do_not_matter_to_words(index: CollectionIndex) -> None:
    index.put(entry("/a.txt", "le café fermé"))
    assert found(index, "cafe") == ["le café fermé"]


def test_a_reader_sees_the_state_it_began_with(index: CollectionIndex) -> None:
    index.put(entry("/a.txt", "first"))
    with index.reading() as snapshot:
        assert snapshot.state().chunks == 1
        writer = threading.Thread(target=index.put, args=(entry("/b.txt", "second"),))
        writer.start()
        writer.join(10)
        assert not writer.is_alive()
        assert snapshot.state().chunks == 1
    with index.reading() as snapshot:
        assert snapshot.state().chunks == 2


def test_another_embedder_is_refused_once_there_are_vectors(index: CollectionIndex) -> None:
    index.record_embedder("other", 3)
    index.record_embedder(EMBEDDER.fingerprint, EMBEDDER.dimensions)
    index.put(entry("/a.txt", "text"))
    with pytest.raises(UserError, match="another embedding model"):
        index.record_embedder("other", 3)
    assert faults(index.path) == []


def test_a_collection_is_the_same_after_it_was_closed(tmp_path: Path) -> None:
    first = CollectionIndex(tmp_path / "c.sqlite")
    first.record_embedder(EMBEDDER.fingerprint, EMBEDDER.dimensions)
    first.put(entry("/a.txt", "kept"))
    first.close()
    again = CollectionIndex(tmp_path / "c.sqlite")
    try:
        assert found(again, "kept") == ["kept"]
    finally:
        again.close()


def test_a_file_that_is_no_collection_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.sqlite").write_bytes(b"not a database at all, but long enough to be looked at" * 20)
    with pytest.raises(UserError, match="damaged"):
        CollectionIndex(tmp_path / "c.sqlite")


def test_a_full_disk_says_what_is_needed_and_leaves_what_was_there(index: CollectionIndex) -> None:
    index.put(entry("/a.txt", "kept"))
    writer = index._writer.connection
    list(writer.execute(f"pragma max_page_count = {writer.pragma('page_count') + 4}"))
    with pytest.raises(UserError, match=r"disk is full: indexing /big.txt needs about .* MB") as failure:
        index.put(entry("/big.txt", *(f"piece {i} " * 50 for i in range(200))))
    assert isinstance(failure.value.__cause__.__cause__, apsw.FullError)
    assert found(index, "kept") == ["kept"]
    assert faults(index.path) == []


def test_vectors_are_stored_whole_and_found_with_their_chunks(index: CollectionIndex) -> None:
    written = entry("/a.txt", "alpha beta", "gamma")
    index.put(written)
    with index.reading() as snapshot:
        stored, nearest = snapshot.vectors([1, 2]), snapshot.find_nearest(written.vectors[1], 2)
        assert [c.text for c in snapshot.chunks([2, 1])] == ["gamma", "alpha beta"]
        assert snapshot.mean_fluency([1, 2]) == pytest.approx(0.9)
    assert np.array_equal(np.stack([stored[1], stored[2]]), written.vectors)
    assert list(nearest) == [2, 1]
    assert np.array_equal(nearest[1], written.vectors[0])
