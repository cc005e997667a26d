from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.soundness import faults
from tests.unit.retrieval.fakes import FakeEmbedder, TextReader, word_tokens
from workbench.api import events
from workbench.api.events import Artifact, Event, Progress
from workbench.api.protocol import RequestContext, read_result
from workbench.base.errors import UserError, WorkerDied
from workbench.records.documents import AddResult
from workbench.techniques.embedding_calls import Ingest
from workbench.techniques.retrieval import chunk_queue, file_scan, ingest_progress
from workbench.techniques.retrieval import ingest as ingesting
from workbench.techniques.retrieval.embedding import EmbeddingQueue
from workbench.techniques.retrieval.index import CollectionIndex
from workbench.techniques.retrieval.ingest import ingest
from workbench.techniques.retrieval.name_places import list_names
from workbench.techniques.retrieval.snapshot import FileStamp


class Desk:
    """A folder, a collection, and what it takes to bring one into the other."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "docs"
        self.root.mkdir()
        self.index = CollectionIndex(folder / "c.sqlite")
        self.embedder = FakeEmbedder()
        self.reader = TextReader()
        self.context = RequestContext()
        self.lane = EmbeddingQueue(lambda folder: self.embedder)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def stream(
        self, *paths: Path, chunk_tokens: int = 0, anew: bool = False, known_only: bool = False
    ) -> Iterator[Event]:
        call = Ingest(
            file=str(self.index.path),
            collection="c",
            embedder="/embedder",
            paths=tuple(str(p) for p in paths or (self.root,)),
            chunk_tokens=chunk_tokens,
            anew=anew,
            known_only=known_only,
        )
        return ingest(self.index, self.lane, self.reader, call, self.context)

    def run(self, *paths: Path, anew: bool = False) -> tuple[AddResult, list[Event]]:
        self.reader.read_paths.clear()
        seen = list(self.stream(*paths, anew=anew))
        terminal = seen[-1]
        assert isinstance(terminal, events.Finished)
        assert not any(isinstance(e, events.TERMINAL) for e in seen[:-1])
        call = Ingest(file="", collection="", embedder="", paths=())
        return read_result(call, terminal.result), seen

    def texts(self) -> dict[str, str]:
        with self.index.reading() as snapshot:
            return {
                Path(d.path).name: snapshot.text(d.id).text
                for d in snapshot.documents().documents
                if d.state == "indexed"
            }


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    assert faults(made.index.path) == []
    made.index.close()


def states(seen: list[Event]) -> dict[str, str]:
    return {Path(e.id).name: e.result["state"] for e in seen if isinstance(e, Artifact)}


def test_the_wait_for_the_embedder_is_named_and_a_first_small_file_gives_no_estimate(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_progress, "PROGRESS_EVERY_S", 0.0)
    desk.write("a.txt", "A short one.")
    for name in "bcdefgh":
        desk.write(f"{name}.txt", "The lighthouse keeper sleeps. " * 400)
    told = [event for event in desk.stream() if isinstance(event, Progress)]
    assert "loading the embedding model" in [f"{one.stage} {one.detail}" for one in told]
    known = [one for one in told if one.stage == "reading" and one.seconds_left is not None]
    assert known
    early = [one for one in told if one.stage == "reading" and one.total and 0 < one.done < 0.05 * one.total]
    assert early
    assert all(one.seconds_left is None for one in early)


def test_a_locked_file_is_marked_and_read_with_its_password(desk: Desk) -> None:
    path = desk.write("a.txt", "LOCKED The notice is ninety days.")
    result, _ = desk.run()
    assert result.failed[0].reason == "The file is protected by a password."
    with desk.index.reading() as snapshot:
        assert snapshot.document(str(path)).locked
    for password, state in (("wrong", ("failed", True, "The password is wrong.")), ("open", ("indexed", False, ""))):
        call = Ingest(
            file=str(desk.index.path),
            collection="c",
            embedder="/e",
            paths=(str(path),),
            passwords={str(path): password},
        )
        list(ingest(desk.index, desk.lane, desk.reader, call, desk.context))
        with desk.index.reading() as snapshot:
            found = snapshot.document(str(path))
        assert (found.state, found.locked, found.reason) == state
    assert desk.run()[0].unchanged == 1


def test_the_names_of_a_document_are_found_when_it_is_read(desk: Desk) -> None:
    path = desk.write("a.txt", "We met Anna Kolbe in the hall, and she gave us the code R25-019 for the door.")
    desk.run()
    assert {one.name: one.kind for one in list_names(desk.index).names} == {"Anna Kolbe": "name", "R25-019": "code"}
    path.unlink()
    desk.run()
    assert list_names(desk.index).names == ()


def test_each_file_ends_in_a_state(desk: Desk) -> None:
    desk.write("a.txt", "Alpha text.")
    desk.write("sub/b.md", "# Beta\n\nText.")
    desk.write("bad.txt", "BAD It needs a password.")
    desk.write("film.mp4", "not a document")
    result, seen = desk.run()
    assert states(seen) == {"a.txt": "indexed", "b.md": "indexed", "bad.txt": "failed"}
    assert (result.indexed, result.unchanged, result.removed, result.chunks) == (2, 0, 0, 2)
    assert [(Path(f.path).name, f.reason) for f in result.failed] == [("bad.txt", "It needs a password.")]
    assert desk.texts() == {"a.txt": "Alpha text.", "b.md": "# Beta\n\nText."}
    with desk.index.reading() as snapshot:
        assert snapshot.document(str(desk.root / "bad.txt")).reason == "It needs a password."


def test_an_artifact_tells_of_a_document_that_is_on_the_disk(desk: Desk) -> None:
    for n in range(60):
        desk.write(f"{n}.txt", f"Text number {n}.")
    for event in desk.stream():
        if isinstance(event, Artifact):
            with desk.index.reading() as snapshot:
                assert snapshot.document(event.result["document"]).path == event.id


def test_again_reads_only_what_changed(desk: Desk) -> None:
    kept = desk.write("kept.txt", "Kept.")
    changed = desk.write("changed.txt", "Old words.")
    desk.write("gone.txt", "Gone.")
    desk.run()
    with desk.index.reading() as snapshot:
        before = snapshot.document(str(changed)).id
    (desk.root / "gone.txt").unlink()
    changed.write_text("New words entirely.")
    desk.write("new.txt", "New.")
    result, seen = desk.run()
    assert states(seen) == {
        "kept.txt": "unchanged",
        "changed.txt": "indexed",
        "gone.txt": "removed",
        "new.txt": "indexed",
    }
    assert sorted(desk.reader.read_paths) == ["changed.txt", "new.txt"]
    assert (result.indexed, result.unchanged, result.removed) == (2, 1, 1)
    assert set(desk.texts()) == {"kept.txt", "changed.txt", "new.txt"}
    with desk.index.reading() as snapshot:
        assert snapshot.document(str(changed)).id == before
    assert kept.exists()


def test_nothing_new_does_not_even_load_the_embedder(desk: Desk) -> None:
    desk.write("a.txt", "Text.")
    desk.run()
    with desk.index.reading() as snapshot:
        revision = snapshot.revision

    def fail(folder: Path) -> FakeEmbedder:
        raise AssertionError("loaded")

    desk._lane = EmbeddingQueue(fail)
    assert desk.run()[0].unchanged == 1
    with desk.index.reading() as snapshot:
        assert snapshot.revision == revision


def test_unchanged_files_are_read_anew_when_that_is_asked_for(desk: Desk) -> None:
    one = desk.write("a.txt", "Alpha text.")
    desk.write("b.txt", "Beta text.")
    desk.run()
    result, seen = desk.run(one, anew=True)
    assert desk.reader.read_paths == ["a.txt"]
    assert (result.indexed, states(seen)) == (1, {"a.txt": "indexed"})
    result, _ = desk.run(anew=True)
    assert desk.reader.read_paths == ["a.txt", "b.txt"]
    assert desk.texts() == {"a.txt": "Alpha text.", "b.txt": "Beta text."}


def test_pictures_in_folders_are_read_where_text_is_recognised(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "workbench.techniques.retrieval.ingest.is_available"
    named = desk.write("named.png", "Named alone.")
    desk.write("a.txt", "Alpha text.")
    desk.write("b.png", "A scan.")
    desk.write("c.jpg", "Another scan.")
    monkeypatch.setattr(module, lambda: False)
    result, seen = desk.run()
    assert states(seen) == {"a.txt": "indexed", "docs": "failed"}
    (failed,) = result.failed
    assert failed.path == str(desk.root)
    assert failed.reason.startswith("3 pictures were not read: text recognition (OCR) is not installed. Install")
    assert states(desk.run(named)[1]) == {"named.png": "indexed"}
    assert states(desk.run()[1])["named.png"] == "unchanged"  # it was read before: it stays
    monkeypatch.setattr(module, lambda: True)
    result, seen = desk.run()
    assert states(seen)["b.png"] == states(seen)["c.jpg"] == "indexed"
    assert result.failed == ()
    with desk.index.reading() as snapshot:
        assert str(desk.root) not in snapshot.known_files()


def test_a_touched_file_with_its_old_bytes_is_unchanged(desk: Desk) -> None:
    path = desk.write("a.txt", "Text.")
    desk.run()
    os.utime(path, (1, 1))
    result, _ = desk.run()
    assert (result.unchanged, desk.reader.read_paths) == (1, [])
    assert desk.run()[0].unchanged == 1


def test_what_lies_outside_the_roots_is_left_alone(desk: Desk) -> None:
    one, other = desk.write("one/a.txt", "A."), desk.write("one-more/b.txt", "B.")
    desk.run()
    shutil.rmtree(other.parent)
    result, _ = desk.run(one.parent)
    assert (result.unchanged, result.removed) == (1, 0)
    assert set(desk.texts()) == {"a.txt", "b.txt"}


def test_a_single_file_can_be_added_and_goes_when_it_is_gone(desk: Desk) -> None:
    path = desk.write("a.txt", "A.")
    assert desk.run(path)[0].indexed == 1
    path.unlink()
    assert desk.run(path)[0].removed == 1
    assert desk.texts() == {}


def test_a_deleted_folder_takes_its_documents_along(desk: Desk) -> None:
    folder = desk.write("sub/a.txt", "A.").parent
    desk.run(folder)
    shutil.rmtree(folder)
    assert desk.run(folder)[0].removed == 1


def test_a_drive_that_is_not_there_loses_nothing(desk: Desk) -> None:
    folder = desk.write("drive/docs/a.txt", "A.").parent
    desk.run(folder)
    shutil.rmtree(folder.parent)
    result, _ = desk.run(folder)
    assert result.removed == 0
    assert "are missing" in result.failed[0].reason
    assert desk.texts() == {"a.txt": "A."}


def test_a_path_that_never_was_fails_every_time(desk: Desk) -> None:
    for _ in range(2):
        result, _ = desk.run(desk.root / "never.txt")
        assert [Path(f.path).name for f in result.failed] == ["never.txt"]


def test_a_changed_file_that_cannot_be_read_any_more_is_not_answered_from(desk: Desk) -> None:
    path = desk.write("a.txt", "Old text.")
    desk.run()
    path.write_text("BAD The file is damaged.")
    result, _ = desk.run()
    assert [f.reason for f in result.failed] == ["The file is damaged."]
    assert desk.texts() == {}
    path.write_text("Good again.")
    assert desk.run()[0].indexed == 1
    assert desk.texts() == {"a.txt": "Good again."}


def test_a_bad_file_is_not_tried_at_every_change_but_again_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write("bad.txt", "BAD Why.")
    desk.run()
    result, _ = desk.run()
    assert ([f.reason for f in result.failed], desk.reader.read_paths) == (["Why."], [])
    monkeypatch.setattr(file_scan, "FAILED_AGAIN_S", 0.0)
    desk.run()
    assert desk.reader.read_paths == ["bad.txt"]


def test_a_bug_in_one_file_is_that_file_s(desk: Desk) -> None:
    desk.write("a.txt", "A.")
    desk.write("b.txt", "B.")

    def break_on_a(path: Path) -> None:
        if path.name == "a.txt":
            raise RuntimeError("index out of range\nmore")

    desk.reader.before = break_on_a
    result, _ = desk.run()
    assert (result.indexed, result.failed[0].reason) == (
        1,
        "The file could not be read because of an internal error: index out of range",
    )


def test_a_blank_document_fails(desk: Desk) -> None:
    desk.write("a.txt", " \n ")
    assert desk.run()[0].failed[0].reason == "The file has no text."


@pytest.mark.parametrize("error", [WorkerDied("reader", 1), OSError(errno.ENOSPC, "No space left on device")])
def test_what_no_file_is_to_blame_for_ends_the_ingest_and_keeps_what_is_there(desk: Desk, error: Exception) -> None:
    for name in "abc":
        desk.write(f"{name}.txt", name)
    done = threading.Event()

    def fail_on_c(path: Path) -> None:
        if path.name == "c.txt":
            assert done.wait(10)
            raise error

    desk.reader.before = fail_on_c
    seen: list[Event] = []

    def follow() -> None:
        for event in desk.stream():
            seen.append(event)
            if set(states(seen)) == {"a.txt", "b.txt"}:
                done.set()

    with pytest.raises((WorkerDied, UserError)) as failure:
        follow()
    assert isinstance(failure.value, WorkerDied) or "disk is full" in failure.value.message
    assert set(desk.texts()) == {"a.txt", "b.txt"}


@pytest.mark.slow
def test_a_disk_that_fills_up_ends_it_with_what_is_committed_kept(desk: Desk) -> None:
    desk.write("a.txt", "Small.")
    desk.run()
    writer = desk.index._writer.connection
    unlimited = writer.pragma("max_page_count")
    list(writer.execute(f"pragma max_page_count = {writer.pragma('page_count') + 8}"))
    desk.write("b.txt", "Many more words than there is room for. " * 3000)
    with pytest.raises(UserError, match=r"disk is full.*b\.txt"):
        desk.run()
    assert desk.texts() == {"a.txt": "Small."}
    list(writer.execute(f"pragma max_page_count = {unlimited}"))
    assert (desk.run()[0].indexed, set(desk.texts())) == (1, {"a.txt", "b.txt"})


def cancel_when(desk: Desk, happened: Callable[[list[Event]], bool]) -> tuple[AddResult, list[Event]]:
    seen: list[Event] = []
    for event in desk.stream():
        seen.append(event)
        if happened(seen):
            desk.context.cancel()
    assert isinstance(seen[-1], events.Cancelled)
    desk.context = RequestContext()
    call = Ingest(file="", collection="", embedder="", paths=())
    return read_result(call, seen[-1].result), seen


def test_cancel_keeps_what_is_committed_and_the_next_one_does_the_rest(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingesting, "GROUP_CHUNKS", 1)
    for n in range(20):
        desk.write(f"{n}.txt", f"Text number {n}.")
    result, seen = cancel_when(desk, lambda seen: len(states(seen)) >= 5)
    assert 5 <= result.indexed < 20
    assert set(desk.texts()) == set(states(seen))
    again, _ = desk.run()
    assert (again.indexed, again.unchanged) == (20 - result.indexed, result.indexed)


def test_ingest_that_is_stopped_before_its_first_file_has_not_finished(desk: Desk) -> None:
    desk.write("a.txt", "Text.")
    stream = desk.stream()
    while not (isinstance(event := next(stream), Progress) and event.stage == "reading"):
        pass
    desk.context.cancel()  # while the embedder is being loaded
    assert isinstance(list(stream)[-1], events.Cancelled)


def test_cancel_works_in_the_middle_of_a_long_document(desk: Desk) -> None:
    desk.write("long.txt", "Many sentences that go on. " * 5000)
    desk.embedder.before_batch = lambda: desk.context.cancel() if len(desk.embedder.batches) == 3 else None
    assert isinstance(list(desk.stream())[-1], events.Cancelled)
    assert len(desk.embedder.batches) == 4


def test_cancel_interrupts_the_reading(desk: Desk) -> None:
    desk.write("a.txt", "A.")
    desk.reader.before = lambda path: desk.context.cancel()
    assert isinstance(list(desk.stream())[-1], events.Cancelled)


def test_closing_the_stream_early_ends_the_reading(desk: Desk) -> None:
    for n in range(200):
        desk.write(f"{n}.txt", "Long text. " * 200)
    stream = desk.stream()
    while not isinstance(next(stream), Artifact):
        pass
    stream.close()  # type: ignore[attr-defined]
    assert "read-ahead" not in {thread.name for thread in threading.enumerate()}


def test_progress_counts_bytes_and_ends_complete(desk: Desk) -> None:
    size = sum(desk.write(f"{n}.txt", f"Text number {n}.").stat().st_size for n in range(30))
    seen = [e for e in desk.run()[1] if isinstance(e, Progress) and e.stage == "reading"]
    assert {e.total for e in seen} == {size}
    assert [e.done for e in seen] == sorted(e.done for e in seen)
    assert (seen[-1].done, seen[-1].unit, seen[-1].seconds_left) == (size, "bytes", 0.0)
    assert seen[-1].detail.endswith("30 of 30 files done")
    again = [e for e in desk.run()[1] if isinstance(e, Progress) and e.stage == "reading"][-1]
    assert (again.done, again.total, again.unit) == (30, 30, "files")  # there was nothing to read


def test_progress_names_the_file_that_is_read_and_where_in_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_progress, "PROGRESS_EVERY_S", 0.0)
    pages = ["A page with some words on the mill. " * 12 for _ in range(20)]
    desk.write("book.txt", "\f".join(pages))
    desk.write("cover.txt", "Short.")
    told = [e for e in desk.run()[1] if isinstance(e, Progress) and e.stage == "reading"]
    places = [e.detail for e in told if ", page " in e.detail]
    assert len(places) > 3
    assert all(place.startswith("book.txt, page ") and " of 20; " in place for place in places)
    shares = [e.done / e.total for e in told]
    assert any(0.2 < share < 0.8 for share in shares)


def test_file_whose_text_is_being_extracted_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_progress, "PROGRESS_EVERY_S", 0.01)
    desk.write("slow.txt", "Text.")
    told = threading.Event()
    desk.reader.before = lambda path: told.wait(10) or None
    for event in desk.stream():
        if isinstance(event, Progress) and event.detail == "slow.txt":
            told.set()
    assert told.is_set()


def stop_after(desk: Desk, batches: int) -> list[Event]:
    """An ingest that is stopped after so many batches."""
    before = len(desk.embedder.batches)

    def stop() -> None:
        if len(desk.embedder.batches) - before >= batches - 1:
            desk.context.cancel()

    desk.embedder.before_batch = stop
    seen = list(desk.stream())
    desk.embedder.before_batch = lambda: None
    desk.context = RequestContext()
    return seen


def test_nothing_is_added_in_a_language_that_the_embedder_knows_badly_where_that_is_asked_for(desk: Desk) -> None:
    desk.write("a.txt", "The keeper of the lighthouse is the one who has the key to it.")
    english = ["the", "keeper", "of", "lighthouse", "is", "one", "who", "has", "key", "to", "it"]
    desk.embedder.tokens = word_tokens(["The", ".", *english])
    desk.write("b.txt", "Der Wärter hat den Schlüssel und er ist der, der die Lampe in der Nacht anzündet.")
    ((*_, last),) = [list(desk.stream(known_only=True))]
    assert isinstance(last, events.Finished)
    assert (last.result["indexed"], tuple(last.result["unknown_languages"])) == (0, ("de",))
    assert desk.texts() == {}
    (desk.root / "b.txt").unlink()
    ((*_, last),) = [list(desk.stream(known_only=True))]
    assert isinstance(last, events.Finished)
    assert (last.result["indexed"], last.result["unknown_languages"]) == (1, ())
    desk.write("b.txt", "Der Wärter hat den Schlüssel und er ist der, der die Lampe in der Nacht anzündet.")
    ((*_, last),) = [list(desk.stream(known_only=True))]  # it has passages already
    assert isinstance(last, events.Finished)
    assert last.result["indexed"] == 1
    with desk.index.reading() as snapshot:
        assert snapshot.state().unknown_languages == ("de",)


def test_an_embedder_without_cross_encoders_adds_nothing_but_running_text(desk: Desk) -> None:
    desk.write("keys.csv", "Key,Where\ndoor,Vik\nboat,hall\n")
    for has_loras, added in ((False, 0), (True, 1)):
        desk.embedder.has_loras = has_loras
        last = list(desk.stream(known_only=True))[-1]
        assert isinstance(last, events.Finished)
        assert (last.result["indexed"], last.result["running_text"]) == (added, has_loras)


def test_passages_are_embedded_after_their_contexts(desk: Desk) -> None:
    desk.write("boat rules.md", "# Damage\n\nReport it within a day.\n\n## Cost\n\nThe club pays half of the cost.")
    list(desk.stream(chunk_tokens=12))
    embedded = [text for batch in desk.embedder.batches for text in batch]
    assert "boat rules > Damage\n## Cost\n\nThe club pays half of the cost." in embedded
    with desk.index.reading() as snapshot:
        (document,) = snapshot.documents().documents
        text = snapshot.text(document.id)
    assert [(chunk.context, text.text[chunk.start : chunk.end]) for chunk in text.chunks] == [
        ("boat rules", "# Damage\n\nReport it within a day."),
        ("boat rules > Damage", "## Cost\n\nThe club pays half of the cost."),
    ]


def test_chunks_have_the_length_that_is_asked_for(desk: Desk) -> None:
    path = desk.write("long.txt", " ".join(f"Sentence number {n} tells of thing {n}." for n in range(120)))
    counts = []
    for tokens in (0, 10):
        list(desk.stream(chunk_tokens=tokens))
        with desk.index.reading() as snapshot:
            counts.append(snapshot.document(str(path)).chunks)
            desk.index.remove([snapshot.document(str(path)).id])
    assert counts[1] > 2 * counts[0]


def test_stopped_ingest_keeps_what_it_read_of_a_file_and_the_next_one_reads_the_rest(desk: Desk) -> None:
    text = " ".join(f"Sentence number {n} tells of thing {n}." for n in range(1200))
    path = desk.write("long.txt", text)
    seen = stop_after(desk, 4)
    assert isinstance(seen[-1], events.Cancelled)
    assert seen[-1].result["chunks"] > 0
    with desk.index.reading() as snapshot:
        part = snapshot.document(str(path))
        kept = {(chunk.start, chunk.end) for chunk in snapshot.text(part.id).chunks}
        assert snapshot.text(part.id).text == text
    assert (part.state, part.chunks, part.unfinished) == ("indexed", seen[-1].result["chunks"], True)
    told = [event.result for event in seen if isinstance(event, events.Artifact)]
    assert [(result["unfinished"], result["reason"]) for result in told] == [(True, part.reason)]
    assert part.reason.startswith(f"{part.chunks} of ")
    embedded = sum(len(batch) for batch in desk.embedder.batches)
    result, _ = desk.run()
    with desk.index.reading() as snapshot:
        whole = snapshot.document(str(path))
        chunks = {(chunk.start, chunk.end) for chunk in snapshot.text(whole.id).chunks}
    assert kept < chunks
    assert (whole.id, whole.reason, result.indexed) == (part.id, "", 1)
    assert sum(len(batch) for batch in desk.embedder.batches) - embedded == len(chunks) - len(kept)
    assert states(desk.run()[1]) == {"long.txt": "unchanged"}


def test_part_of_a_changed_file_takes_the_place_of_nothing(desk: Desk) -> None:
    path = desk.write("long.txt", " ".join(f"Old sentence {n}." for n in range(900)))
    desk.run()
    path.write_text(" ".join(f"New sentence {n}." for n in range(900)))
    stop_after(desk, 3)
    assert "Old sentence 899." in desk.texts()["long.txt"]
    desk.run()
    assert "New sentence 899." in desk.texts()["long.txt"]


def test_part_of_a_file_that_changed_since_is_read_anew(desk: Desk) -> None:
    path = desk.write("long.txt", " ".join(f"Old sentence {n}." for n in range(900)))
    stop_after(desk, 3)
    path.write_text(" ".join(f"New sentence {n}." for n in range(900)))
    before = sum(len(batch) for batch in desk.embedder.batches)
    desk.run()
    with desk.index.reading() as snapshot:
        document = snapshot.document(str(path))
    assert sum(len(batch) for batch in desk.embedder.batches) - before == document.chunks
    assert document.reason == ""


def test_the_time_left_is_not_told_before_the_first_batch(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_progress, "PROGRESS_EVERY_S", 0.0)
    desk.write("long.txt", "Many sentences that go on. " * 500)
    left = [(e.seconds_left, len(desk.embedder.batches)) for e in desk.stream() if isinstance(e, Progress)]
    assert all(seconds is None for seconds, batches in left if batches == 0)
    assert all(seconds is not None for seconds, batches in left if batches > 0)
    assert left[-1][0] == 0.0


def test_progress_moves_within_a_long_document(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_progress, "PROGRESS_EVERY_S", 0.0)
    desk.write("long.txt", "Many sentences that go on. " * 2000)
    details = [e.detail for e in desk.run()[1] if isinstance(e, Progress) and e.stage == "reading"]
    assert len(set(details)) > 10


def test_short_documents_are_embedded_together(desk: Desk) -> None:
    reading = threading.Event()
    for n in range(64):
        desk.write(f"{n:02}.txt", f"Text number {n}.")

    def note_last(path: Path) -> None:
        if path.name == "63.txt":
            reading.set()

    desk.reader.before = note_last
    desk.embedder.before_batch = lambda: reading.wait(10) or None
    desk.run()
    assert len(desk.embedder.batches) < 20


def test_no_more_than_a_bounded_amount_is_read_ahead(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk_queue, "AHEAD_DOCUMENTS", 3)
    monkeypatch.setattr(ingesting, "GROUP_CHUNKS", 1)
    for n in range(20):
        desk.write(f"{n:02}.txt", f"Text number {n}.")
    ahead: list[int] = []
    desk.embedder.before_batch = lambda: ahead.append(len(desk.reader.read_paths) - len(desk.embedder.batches))
    desk.run()
    assert max(ahead) <= 3 + 2


def test_pages_and_languages_are_kept(desk: Desk) -> None:
    path = desk.write(
        "a.txt", "Das ist die erste Seite und sie ist nicht lang.\fDas ist die zweite, die auch nicht lang ist."
    )
    desk.run()
    with desk.index.reading() as snapshot:
        text = snapshot.text(str(path))
    assert (text.document.pages, text.document.language) == (2, "de")
    assert {c.page for c in text.chunks} <= {1, 2}


def test_what_could_not_be_read_of_a_document_is_told(desk: Desk) -> None:
    path = desk.write("a.txt", "A TORN document.")
    _, seen = desk.run()
    assert [e.result["reason"] for e in seen if isinstance(e, Artifact)] == ["Page 2 could not be read."]
    with desk.index.reading() as snapshot:
        document = snapshot.document(str(path))
    assert (document.state, document.reason) == ("indexed", "Page 2 could not be read.")


def test_an_unreadable_name_is_reported(desk: Desk) -> None:
    desk.write("good.txt", "Good.")
    try:
        (Path(os.fsdecode(os.fsencode(desk.root) + b"/bad\xff.txt"))).write_text("x")
    except OSError:
        pytest.skip("this file system takes no such names")
    result, _ = desk.run()
    assert result.indexed == 1
    assert "name" in result.failed[0].reason


def test_the_same_file_below_two_roots_is_one_document(desk: Desk) -> None:
    path = desk.write("sub/a.txt", "A.")
    result, seen = desk.run(desk.root, path.parent, path)
    assert (result.indexed, len(states(seen))) == (1, 1)


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_link_that_leaves_the_folder_is_named_and_what_was_read_over_it_goes(desk: Desk) -> None:
    outside = desk.root.parent / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("The secret.")
    desk.write("a.txt", "A.")
    link = desk.write("link/secret.txt", "The secret.")  # as an earlier version read it
    desk.write("file.txt", "The secret.")
    desk.run()
    shutil.rmtree(link.parent)
    (desk.root / "file.txt").unlink()
    link.parent.symlink_to(outside)
    (desk.root / "file.txt").symlink_to(outside / "secret.txt")
    for _ in range(2):  # and when a watched folder is read again
        result, _ = desk.run()
        assert desk.texts() == {"a.txt": "A."}
        assert sorted(Path(one.path).name for one in result.failed) == ["file.txt", "link"]
        assert all("leads out of the folder" in one.reason for one in result.failed)
    with desk.index.reading() as snapshot:
        ids = {one.path: one.id for one in snapshot.documents().documents}
    desk.run()
    with desk.index.reading() as snapshot:
        assert {one.path: one.id for one in snapshot.documents().documents} == ids


def documents_of(desk: Desk) -> dict[str, str]:
    with desk.index.reading() as snapshot:
        return {Path(one.path).relative_to(desk.root).as_posix(): one.id for one in snapshot.documents().documents}


def test_a_renamed_or_moved_file_keeps_its_document(desk: Desk) -> None:
    for number in range(20):
        desk.write(f"{number}.txt", f"The text of file {number}.")
    twin = "The same text twice."
    desk.write("one/twin.txt", twin)
    desk.write("two/twin.txt", twin)
    desk.run()
    before = documents_of(desk)
    for number in range(20):
        (desk.root / f"{number}.txt").rename(desk.write(f"sub/new {number}.txt", ""))
    (desk.root / "two").rename(desk.root / "three")
    embedded = len(desk.embedder.batches)
    result, _ = desk.run()
    assert (result.indexed, result.removed, result.unchanged, result.failed) == (0, 0, 22, ())
    assert (desk.reader.read_paths, len(desk.embedder.batches)) == ([], embedded)
    after = documents_of(desk)
    assert {f"sub/new {n}.txt": before[f"{n}.txt"] for n in range(20)}.items() <= after.items()
    assert (after["one/twin.txt"], after["three/twin.txt"]) == (before["one/twin.txt"], before["two/twin.txt"])
    assert desk.texts()["new 7.txt"] == "The text of file 7."
    with desk.index.reading() as snapshot:
        assert snapshot.document(after["sub/new 7.txt"]).title == "new 7"
    assert desk.run()[0].unchanged == 22


def test_a_renamed_file_whose_document_is_removed_meanwhile_is_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write("a.txt", "Words A.")
    desk.run()
    (desk.root / "a.txt").rename(desk.root / "b.txt")
    rename = desk.index.rename

    def remove_first(document: str, path: str, stamp: FileStamp) -> bool:
        desk.index.remove([document])
        return rename(document, path, stamp)

    monkeypatch.setattr(desk.index, "rename", remove_first)
    result, _ = desk.run()
    assert (result.indexed, result.failed) == (1, ())
    assert desk.texts() == {"b.txt": "Words A."}


def test_a_file_that_was_moved_to_another_added_folder_keeps_its_document(desk: Desk) -> None:
    old = desk.write("one/a.txt", "A.")
    desk.write("one/b.txt", "B.")
    desk.write("two/c.txt", "C.")
    desk.run(desk.root / "one")
    desk.run(desk.root / "two")
    before = documents_of(desk)
    old.rename(desk.root / "two" / "a.txt")
    result, _ = desk.run(desk.root / "two")  # which is read before the one that it left
    assert (result.indexed, result.unchanged, desk.reader.read_paths) == (0, 2, [])
    assert documents_of(desk)["two/a.txt"] == before["one/a.txt"]
    assert desk.run(desk.root / "one")[0].removed == 0


def test_a_renamed_file_with_other_words_or_another_kind_is_read(desk: Desk) -> None:
    desk.write("a.txt", "Words A.")
    desk.write("b.txt", "Words B.")
    desk.run()
    (desk.root / "a.txt").rename(desk.root / "a.md")
    (desk.root / "b.txt").unlink()
    desk.write("c.txt", "Words C.")
    result, _ = desk.run()
    assert (result.indexed, result.removed) == (2, 2)
    assert desk.texts() == {"a.md": "Words A.", "c.txt": "Words C."}


def test_a_copy_of_a_file_that_is_still_there_is_another_document(desk: Desk) -> None:
    desk.write("a.txt", "A.")
    desk.run()
    desk.write("b.txt", "A.")
    assert desk.run()[0].indexed == 1
    assert len(set(documents_of(desk).values())) == 2
