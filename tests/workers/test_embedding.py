"""The embedding worker as a real process, with the real starter embedder and the real reader."""

from __future__ import annotations

import errno
import math
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from tests.documents import write_pdf, write_scanned_pdf
from tests.soundness import faults
from workbench.api import events
from workbench.api.events import Artifact, Event
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.processes.host import WorkerHost
from workbench.processes.process import EMBEDDERS_VARIABLE
from workbench.reading.ocr import is_available
from workbench.techniques.embedding_calls import (
    Close,
    CountTerms,
    Documents,
    EmbedTexts,
    Ingest,
    Picture,
    Prepare,
    Remove,
    Search,
    Similarities,
    State,
    Text,
)
from workbench.workers import embedding

TEXTS = {
    "tower.txt": "The Eiffel Tower in Paris was built by the company of Gustave Eiffel and opened in 1889.",
    "bridge.md": "# Golden Gate\n\nThe bridge over the strait of San Francisco was opened to cars in 1937.",
    "bread.txt": "Sourdough bread rises slowly because wild yeast works more slowly than baker's yeast.",
    "turm.txt": "Der Berliner Fernsehturm ist mit 368 Metern das höchste Bauwerk, das es in Deutschland gibt.",
    "empty.txt": "",
}


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerHost]:
    host = WorkerHost("embedding")
    yield host
    host.stop()


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def ingest_call(file: Path, embedder: Path, *paths: Path) -> Ingest:
    return Ingest(file=str(file), collection="c", embedder=str(embedder), paths=tuple(map(str, paths)))


def test_what_needs_no_vectors_loads_no_embedder(tmp_path: Path) -> None:
    host = WorkerHost("embedding")
    try:
        state = host.call(State(file=str(tmp_path / "c.sqlite")))
        assert state.documents == 0
        assert host.call(Documents(file=str(tmp_path / "c.sqlite"))).documents == ()
    finally:
        host.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_starter_is_embedded_without_torch_and_prepared_once(tmp_path: Path, minilm_path: Path) -> None:
    prepared = tmp_path / "embedders"
    host = WorkerHost("embedding", environment={EMBEDDERS_VARIABLE: str(prepared)})
    try:
        host.call(Prepare(embedder=str(minilm_path)))
        (layers,) = prepared.glob("*/layers.gguf")
        written = layers.stat().st_mtime_ns
        vectors = host.call(EmbedTexts(embedder=str(minilm_path), texts=("The tower is open.",)))
        assert math.isclose(sum(value * value for value in vectors[0]), 1.0, rel_tol=1e-3)
        libraries = Path(f"/proc/{host.pid}/maps").read_text()
        assert "libllama" in libraries
        assert "torch" not in libraries, "it takes a gigabyte and seconds"
        assert layers.stat().st_mtime_ns == written
    finally:
        host.kill()


def test_a_worker_without_a_place_for_prepared_embedders_leaves_none_behind(tmp_path: Path, minilm_path: Path) -> None:
    own = {EMBEDDERS_VARIABLE: "", **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(tmp_path))}
    host = WorkerHost("embedding", environment=own)
    try:
        host.call(Prepare(embedder=str(minilm_path)))
        assert list(tmp_path.glob("*/*/layers.gguf"))
    finally:
        host.stop()
    assert list(tmp_path.iterdir()) == []


def test_a_worker_leaves_though_its_folder_cannot_be_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOTEMPTY, "a thread writes to it")

    def serve(worker: str, calls: object, handlers: object, leave: Callable[[], None]) -> None:
        monkeypatch.setattr("os.rmdir", refuse)
        leave()

    monkeypatch.delenv(EMBEDDERS_VARIABLE, raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(embedding, "serve", serve)
    embedding.main()


def test_documents_are_read_found_shown_and_removed(
    worker: WorkerHost, docs: Path, tmp_path: Path, minilm_path: Path
) -> None:
    file = tmp_path / "c.sqlite"
    seen: list[Event] = []
    added = worker.call(ingest_call(file, minilm_path, docs), seen.append)
    assert (added.indexed, added.chunks) == (4, 4)
    assert [Path(f.path).name for f in added.failed] == ["empty.txt"]
    assert {Path(e.id).name for e in seen if isinstance(e, Artifact)} == set(TEXTS)

    def ask(query: str) -> str:
        found = worker.call(Search(file=str(file), collection="c", embedder=str(minilm_path), query=query))
        return Path(found.hits[0].path).name

    assert ask("When was the Eiffel Tower opened?") == "tower.txt"
    assert ask("How do I bake a loaf that leavens overnight?") == "bread.txt"
    assert ask("Wie hoch sind die Türme in Berlin?") == "turm.txt"

    documents = {Path(d.path).name: d for d in worker.call(Documents(file=str(file))).documents}
    assert {n: d.language for n, d in documents.items() if d.state == "indexed"} == {
        "tower.txt": "en",
        "bridge.md": "en",
        "bread.txt": "en",
        "turm.txt": "de",
    }
    shown = worker.call(Text(file=str(file), document=documents["bridge.md"].id))
    assert shown.text == TEXTS["bridge.md"]
    assert worker.call(Text(file=str(file), document=str(docs / "bridge.md"))) == shown
    assert {chunk.places for chunk in shown.chunks if chunk.places}  # the sections that the passages are in
    assert not worker.call(Text(file=str(file), document=str(docs / "bridge.md"), tables=True)).outdated
    assert not any(one.changed for one in worker.call(Documents(file=str(file), changed=True)).documents)

    counted = worker.call(CountTerms(file=str(file), query="When was the tower opened?"))
    assert (counted.chunks, counted.terms) == (4, {"tower": 1, "opened": 2})

    again = worker.call(ingest_call(file, minilm_path, docs))
    assert (again.indexed, again.unchanged, len(again.failed)) == (0, 4, 1)

    left = worker.call(Remove(file=str(file), document=documents["tower.txt"].id))
    assert (left.documents, left.failed, left.chunks) == (3, 1, 3)
    assert ask("When was the Eiffel Tower opened?") != "tower.txt"
    worker.call(Close(file=str(file)))
    assert faults(file) == []


def test_similarities_are_cosines(worker: WorkerHost, minilm_path: Path) -> None:
    texts = ("A cat sits on the mat.", "Stock prices fell.")
    others = ("A kitten is on the rug.", "Markets went down.", "A cat sits on the mat.")
    table = worker.call(Similarities(embedder=str(minilm_path), texts=texts, others=others))
    assert [len(row) for row in table] == [3, 3]
    assert math.isclose(table[0][2], 1.0, abs_tol=1e-4)
    assert table[0][0] > table[0][1]
    assert table[1][1] > table[1][0]
    assert worker.call(Similarities(embedder=str(minilm_path), texts=(), others=others)) == ()
    asked = worker.call(Similarities(embedder=str(minilm_path), texts=texts[:1], others=others, questions=True))
    assert asked[0] == pytest.approx(table[0], abs=1e-4)  # this embedder has no prompts


def test_a_search_is_answered_while_an_ingest_runs(worker: WorkerHost, tmp_path: Path, minilm_path: Path) -> None:
    file, folder = tmp_path / "c.sqlite", tmp_path / "docs"
    folder.mkdir()
    for n in range(20):
        (folder / f"{n:02}.txt").write_text(f"Report number {n}. " + "Some sentence about harbours. " * 40, "utf-8")
    context = RequestContext()
    found = None
    for event in worker.stream(ingest_call(file, minilm_path, folder), context):
        if isinstance(event, Artifact) and found is None:
            query = Search(file=str(file), collection="c", embedder=str(minilm_path), query="harbours")
            found = worker.call(query)
            context.cancel()
    assert isinstance(event, events.Cancelled)
    assert found is not None
    assert found.hits
    state = worker.call(State(file=str(file)))
    assert 0 < state.documents < 20
    assert event.result["indexed"] == state.documents
    rest = worker.call(ingest_call(file, minilm_path, folder))
    assert rest.unchanged == state.documents
    assert rest.indexed + rest.unchanged == 20


def test_closing_a_collection_stops_its_ingest(worker: WorkerHost, tmp_path: Path, minilm_path: Path) -> None:
    file, folder = tmp_path / "c.sqlite", tmp_path / "docs"
    folder.mkdir()
    for n in range(30):
        (folder / f"{n:02}.txt").write_text("Some sentence about harbours. " * 100, "utf-8")
    closed = False
    for event in worker.stream(ingest_call(file, minilm_path, folder)):
        if isinstance(event, Artifact) and not closed:
            worker.call(Close(file=str(file)))
            closed = True
    assert isinstance(event, events.Cancelled)
    assert not file.with_name("c.sqlite-wal").exists()
    assert faults(file) == []


def test_a_killed_worker_leaves_a_sound_collection_with_all_that_was_acknowledged(
    tmp_path: Path, minilm_path: Path
) -> None:
    file, folder = tmp_path / "c.sqlite", tmp_path / "docs"
    folder.mkdir()
    for n in range(12):
        (folder / f"{n:02}.txt").write_text(f"Word{n}x. " + "Some sentence about harbours. " * 40, "utf-8")
    host = WorkerHost("embedding")
    try:
        acknowledged = []
        for event in host.stream(ingest_call(file, minilm_path, folder)):
            if isinstance(event, Artifact):
                acknowledged.append(Path(event.id).stem)
                if len(acknowledged) == 3:
                    host.kill()
        assert isinstance(event, events.Failed)
        assert event.reason == "worker"
        assert faults(file) == []
        state = host.call(State(file=str(file)))
        assert state.documents >= len(acknowledged)
        for stem in acknowledged:
            counted = host.call(CountTerms(file=str(file), query=f"Word{int(stem)}x"))
            assert counted.terms == {f"word{int(stem)}x": 1}
    finally:
        host.kill()


def test_a_page_is_drawn_with_the_passage_marked_while_the_file_is_the_one_that_was_read(
    worker: WorkerHost, tmp_path: Path, minilm_path: Path
) -> None:
    document, file = tmp_path / "a.pdf", tmp_path / "c.sqlite"
    write_pdf(document, [["The first page."], ["The second page", "has two lines."]])
    worker.call(ingest_call(file, minilm_path, document))
    text = worker.call(Text(file=str(file), document=str(document)))
    start = text.text.index("two lines")
    assert start >= text.page_starts[1]
    marked = Picture(file=str(file), document=str(document), page=2, scale=1.0, start=start, end=start + 9)
    picture = worker.call(marked)
    assert (picture.page, picture.pages, len(picture.boxes)) == (2, 2, 1)
    assert picture.png.startswith(b"\x89PNG")
    write_pdf(document, [["Another first page."], ["Another second page."]])
    with pytest.raises(UserError, match="changed"):
        worker.call(marked)


def test_a_passage_of_a_scan_is_marked_on_its_page(worker: WorkerHost, tmp_path: Path, minilm_path: Path) -> None:
    if not is_available():
        pytest.skip("neither Tesseract nor RapidOCR is installed on this machine")
    document, file = tmp_path / "scan.pdf", tmp_path / "c.sqlite"
    write_scanned_pdf(document, [["The first page."], ["Notice: ninety days.", "In writing, by post."]])
    worker.call(ingest_call(file, minilm_path, document))
    text = worker.call(Text(file=str(file), document=str(document)))
    assert not text.unplaced
    assert all(chunk.recognised for chunk in text.chunks)
    start = text.text.index("In writing")
    marked = Picture(file=str(file), document=str(document), page=2, scale=2.0, start=start, end=start + 10)
    picture = worker.call(marked)
    (box,) = picture.boxes
    # the second line stands 72 points from the left, and ends some 94 points from the top
    assert abs(box.left - 2 * 72) < 10
    assert 2 * 74 < box.top < box.bottom < 2 * 100
    assert worker.call(msgspec.structs.replace(marked, page=1)).boxes == ()
    with closing(sqlite3.connect(file)) as stored:  # as it was before places were stored
        stored.execute("delete from places")
        stored.commit()
    assert worker.call(Text(file=str(file), document=str(document))).unplaced
    assert worker.call(marked).boxes == ()
    again = msgspec.structs.replace(ingest_call(file, minilm_path, document), anew=True)
    assert worker.call(again).indexed == 1
    assert worker.call(marked).boxes == picture.boxes


def test_a_missing_embedder_is_an_error_a_person_can_act_on(worker: WorkerHost, docs: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"modules\.json") as failure:
        worker.call(ingest_call(tmp_path / "c.sqlite", tmp_path / "nowhere", docs))
    assert failure.value.hint
