"""An embedding worker without torch: a collection is a JSON file, a document's text is its file's.

A file that begins with LOCKED needs the password "open sesame". One whose name holds ``slow`` takes until the ingest is
cancelled, one with ``crash`` kills the worker.
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import Cancelled, UserError
from workbench.processes.serve import serve
from workbench.records.documents import (
    AddResult,
    Chunk,
    Document,
    DocumentList,
    DocumentText,
    FailedFile,
    NameList,
    NamePlaces,
    SearchResult,
)
from workbench.records.messages import Passage
from workbench.records.similarity import PassageMap, PlacedPassage
from workbench.techniques.embedding_calls import (
    AskTables,
    Close,
    CollectionState,
    CountTerms,
    Documents,
    EmbeddingCall,
    EmbedQuestion,
    EmbedTexts,
    Forget,
    Ingest,
    NamedIn,
    Names,
    NamesIn,
    Picture,
    PlacesOfName,
    Prepare,
    Project,
    Purge,
    QuestionVector,
    ReadTexts,
    Remove,
    Restore,
    Restored,
    Search,
    Similarities,
    State,
    TableReplies,
    Tables,
    TablesRead,
    TermStatistics,
    Text,
    TextsRead,
    Trash,
    TrashedDocument,
)

_LOCKED = "\0locked"


def _read(file: str) -> dict[str, str]:
    path = Path(file)
    texts: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return texts


def _write(file: str, texts: dict[str, str]) -> None:
    """At once: another call may read it meanwhile."""
    beside = Path(f"{file}.{threading.get_ident()}")
    beside.write_text(json.dumps(texts))
    beside.replace(file)


def _ingest(call: Ingest, context: RequestContext) -> Iterator[Event]:
    texts, before, failed = {}, _read(call.file), list[FailedFile]()
    files = sorted(f for path in call.paths for f in ([Path(path)] if Path(path).is_file() else Path(path).rglob("*")))
    files = [file for file in files if str(file) not in call.left_out or str(file) in call.paths]
    kept = {path: text for path, text in before.items() if not any(path.startswith(root) for root in call.paths)}
    for number, file in enumerate(files):
        if "slow" in file.name:
            yield events.Progress(stage="reading", done=number, total=len(files), unit="files")
            context.wait_cancelled()
            raise Cancelled
        if "crash" in file.name:
            os.kill(os.getpid(), signal.SIGKILL)
        texts[str(file)] = text = file.read_text()
        if text.startswith("LOCKED") and call.passwords.get(str(file)) != "open sesame":
            texts[str(file)] = _LOCKED
            reason = "The password is wrong." if str(file) in call.passwords else "The file is protected by a password."
            failed.append(FailedFile(path=str(file), reason=reason))
        _write(call.file, {**kept, **texts})
        yield events.Artifact(kind="document", id=str(file), result={"state": "indexed", "chunks": 1})
        yield events.Progress(stage="reading", done=number + 1, total=len(files), unit="files")
    _write(call.file, {**kept, **texts})
    gone = len(set(before) - set(kept) - set(texts))
    indexed = len(texts) - len(failed)
    yield finish(AddResult(indexed=indexed, removed=gone, failed=tuple(failed), chunks=indexed))


def _document(path: str, text: str) -> Document:
    name = Path(path).name
    if text == _LOCKED:
        return Document(id=path, path=path, title=name, kind="txt", state="failed", reason="Locked.", locked=True)
    return Document(id=path, path=path, title=name, kind="txt", state="indexed", chunks=1, hash="h")


def _names(call: Names, context: RequestContext) -> Iterator[Event]:
    yield finish(NameList(names=()))


def _places_of_name(call: PlacesOfName, context: RequestContext) -> Iterator[Event]:
    yield finish(NamePlaces(name=call.name, passages=()))


def _documents(call: Documents, context: RequestContext) -> Iterator[Event]:
    yield finish(DocumentList(documents=tuple(_document(path, text) for path, text in _read(call.file).items())))


def _text(call: Text, context: RequestContext) -> Iterator[Event]:
    texts = _read(call.file)
    if call.document not in texts:
        raise UserError(f"There is no document {call.document}.")
    text = texts[call.document]
    yield finish(
        DocumentText(document=_document(call.document, ""), text=text, chunks=(Chunk(start=0, end=len(text)),))
    )


def _search(call: Search, context: RequestContext) -> Iterator[Event]:
    hits = tuple(
        Passage(
            collection=call.collection,
            document=path,
            document_hash="h",
            path=path,
            title=Path(path).name,
            start=0,
            end=len(text),
            text=text,
            score=1.0,
            similarity=0.9,
        )
        for path, text in _read(call.file).items()
    )
    yield finish(SearchResult(hits=hits[: call.limit], revision=1))


def _project(call: Project, context: RequestContext) -> Iterator[Event]:
    points = tuple(
        PlacedPassage(title=Path(path).name, path=path, page=None, text=text, x=0.0, y=0.5, similarity=0.9)
        for path, text in _read(call.file).items()
    )
    yield finish(PassageMap(points=points, passages=len(points), dimensions=3, shown=1.0))


def _state_of(file: str) -> CollectionState:
    texts = _read(file)
    return CollectionState(documents=len(texts), failed=0, chunks=len(texts), bytes=1, revision=len(texts))


def _state(call: State, context: RequestContext) -> Iterator[Event]:
    yield finish(_state_of(call.file))


def _remove(call: Remove, context: RequestContext) -> Iterator[Event]:
    texts = _read(call.file)
    del texts[call.document]
    _write(call.file, texts)
    state = _state_of(call.file)
    yield finish(CollectionState(documents=state.documents, failed=0, chunks=state.chunks, bytes=1, revision=99))


def _trash_of(file: str) -> str:
    return f"{file}.trash"


def _trash(call: Trash, context: RequestContext) -> Iterator[Event]:
    texts, gone = _read(call.file), _read(_trash_of(call.file))
    if call.document not in texts and call.document not in gone:
        raise UserError(f"There is no document {call.document} in this collection.")
    if call.document in texts:
        gone[call.document] = texts.pop(call.document)
        _write(_trash_of(call.file), gone)
        _write(call.file, texts)
    size = len(gone[call.document])
    yield finish(TrashedDocument(document=call.document, path=call.document, bytes=size, state=_state_of(call.file)))


def _restore(call: Restore, context: RequestContext) -> Iterator[Event]:
    texts, gone = _read(call.file), _read(_trash_of(call.file))
    missing = tuple(one for one in call.documents if one not in gone and one not in texts)
    for document in set(call.documents) & set(gone):
        texts[document] = gone.pop(document)
    _write(call.file, texts)
    _write(_trash_of(call.file), gone)
    yield finish(Restored(state=_state_of(call.file), missing=missing))


def _purge(call: Purge, context: RequestContext) -> Iterator[Event]:
    gone = _read(_trash_of(call.file))
    _write(_trash_of(call.file), {name: text for name, text in gone.items() if name not in call.documents})
    yield finish(None)


def _similarities(call: Similarities, context: RequestContext) -> Iterator[Event]:
    """By the share of a text's words that the other one has, by their first four letters."""
    words = [[set(re.findall(r"\b\w{4}", one.lower())) for one in side] for side in (call.texts, call.others)]
    rows = ((0.4 + 0.5 * len(text & other) / max(1, len(text)) for other in words[1]) for text in words[0])
    yield finish(tuple(tuple(row) for row in rows))


def _embed(call: EmbedTexts, context: RequestContext) -> Iterator[Event]:
    yield finish(tuple((1.0, float(len(text)), 0.0) for text in call.texts))


def _read_texts(call: ReadTexts, context: RequestContext) -> Iterator[Event]:
    texts = tuple(one if isinstance(one, str) else " ".join(map(str, one)) for one in call.texts)
    yield finish(TextsRead(texts=texts, tokens=tuple(len(text.split()) + 2 for text in texts)))


def _embed_question(call: EmbedQuestion, context: RequestContext) -> Iterator[Event]:
    yield finish(QuestionVector(vector=(1.0, 0.0, 0.0), embedder="fake"))


def _terms(call: CountTerms, context: RequestContext) -> Iterator[Event]:
    yield finish(TermStatistics(chunks=1, terms=dict.fromkeys(call.query.lower().split(), 1)))


def _names_in(call: NamesIn, context: RequestContext) -> Iterator[Event]:
    yield finish(NamedIn())


def _ask_tables(call: AskTables, context: RequestContext) -> Iterator[Event]:
    yield finish(TableReplies())


def _tables(call: Tables, context: RequestContext) -> Iterator[Event]:
    yield finish(TablesRead(tables=()))


def _nothing(call: Any, context: RequestContext) -> Iterator[Event]:
    yield finish(None)


if __name__ == "__main__":
    serve(
        "embedding",
        EmbeddingCall,
        {
            Ingest: _ingest,
            Search: _search,
            Project: _project,
            Similarities: _similarities,
            EmbedTexts: _embed,
            EmbedQuestion: _embed_question,
            ReadTexts: _read_texts,
            Forget: _nothing,
            Prepare: _nothing,
            CountTerms: _terms,
            Documents: _documents,
            Names: _names,
            PlacesOfName: _places_of_name,
            Text: _text,
            AskTables: _ask_tables,
            NamesIn: _names_in,
            Tables: _tables,
            Picture: _nothing,
            Remove: _remove,
            Trash: _trash,
            Restore: _restore,
            Purge: _purge,
            State: _state,
            Close: _nothing,
        },
    )
