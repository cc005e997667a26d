"""Ingest: bring a collection up to date with files and folders, one transaction per document.

A thread reads and splits files ahead while the caller's thread embeds them, small batch by small batch, and commits
each document as soon as its last vector is there. However an ingest ends, its committed documents stay; the next one
continues with the rest. A file that cannot be read is one failed file, never the end of the ingest.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np

from workbench.api import events
from workbench.api.events import Artifact, Event, Progress
from workbench.api.protocol import RequestContext, finish
from workbench.base import errors
from workbench.base.errors import UserError, WorkerDied
from workbench.reading.kinds import kind_of
from workbench.reading.ocr import INSTALL, is_available
from workbench.reading.reader_calls import ReadDocument, ReadLimits
from workbench.reading.recognition import split_apart
from workbench.reading.unlocking import FileLocked
from workbench.records.messages import Passage
from workbench.techniques.embedding_calls import Ingest
from workbench.techniques.retrieval import ingest_progress
from workbench.techniques.retrieval.chunk_queue import ChunkQueue, Prepared
from workbench.techniques.retrieval.chunking import Chunker
from workbench.techniques.retrieval.config import DEFAULT_CHUNKS, ChunkConfig
from workbench.techniques.retrieval.embedding import (
    Embedder,
    EmbeddingQueue,
    batches,
    measure_fluency,
    unknown_languages,
)
from workbench.techniques.retrieval.file_scan import FolderScan, FoundFile, file_digest, scan_files
from workbench.techniques.retrieval.index import CollectionIndex, Entry, disk_full
from workbench.techniques.retrieval.ingest_progress import IngestProgress
from workbench.techniques.retrieval.names import find_names
from workbench.techniques.retrieval.passage_context import ContextSource
from workbench.techniques.retrieval.sentence_units import PROSE, prose_share, split_units
from workbench.techniques.retrieval.snapshot import UNFINISHED_NS, FileStamp
from workbench.techniques.retrieval.text_places import with_places
from workbench.text.language import detect_language

GROUP_CHUNKS = 48
"""Short documents are embedded together up to so many chunks, so that batches are full."""
WINDOW_CHUNKS = 192
"""So many chunks are put into batches of like lengths at a time: a long document is embedded from front to back."""


class Reader(Protocol):
    """Reads a file: ``reading.process.ReaderProcess``."""

    def read(
        self,
        path: Path,
        limits: ReadLimits,
        cancelled: Callable[[], bool],
        *,
        password: str,
        report: Callable[[str], None],
    ) -> ReadDocument:
        """Raises UserError with the reason when the file cannot be read, FileLocked when it needs another password.
        ``report`` gets where it is in a file that takes long."""


def ingest(
    index: CollectionIndex,
    queue: EmbeddingQueue,
    reader: Reader,
    call: Ingest,
    context: RequestContext,
    config: ChunkConfig = DEFAULT_CHUNKS,
) -> Iterator[Event]:
    """Perform ``Ingest``. The terminal event is Finished(AddResult), or Cancelled with the result so far.

    Raises UserError when the disk is full or the collection was made with another embedder.
    """
    progress = IngestProgress()
    work: _Work | None = None
    try:
        yield Progress(stage="looking", unit="files")
        roots = [Path(os.path.abspath(path)) for path in call.paths]
        with index.reading() as snapshot:
            known = snapshot.known_files()
        again = known if call.anew else call.passwords
        pictures = call.limits.recognise and is_available()
        missing = f"text recognition (OCR) is not installed. {INSTALL}" if call.limits.recognise else ""
        check = context.raise_if_cancelled
        scan = scan_files(roots, known, check, again, pictures=pictures, missing=missing, left_out=call.left_out)
        yield from _settle_known(index, scan, progress)
        progress.expect(scan.to_read)
        yield progress.report()
        work = _Work(index, queue, reader, call, context, config, scan.to_read)
        yield from work.run(progress)
    except errors.Cancelled:
        yield events.Cancelled(result=msgspec.to_builtins(progress.result()))
        return
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise disk_full(index.path, "these documents", 0) from error
    finally:
        if work is not None:
            work.stop()
    yield progress.report()
    yield finish(progress.result(work.unknown_languages, running_text=work.running_text))


def _settle_known(index: CollectionIndex, scan: FolderScan, progress: IngestProgress) -> Iterator[Event]:
    """Handle everything that needs no reading."""
    for file, known in scan.renamed:
        if not index.rename(known.id, str(file.path), file.stamp):
            scan.to_read.append(file)
            continue
        yield progress.note(str(file.path), "unchanged", chunks=known.chunks, document=known.id)
    for document in scan.gone:
        index.remove([document.id])
        yield progress.note(document.path, "removed", document=document.id)
    for path, reason in scan.unreadable:
        yield progress.note(path, "failed", reason, document=_remember_unreadable(index, path, reason))
    for file in scan.unchanged:
        assert file.known is not None
        yield progress.note(str(file.path), "unchanged", chunks=file.known.chunks, document=file.known.id)
    for file in scan.failed_before:
        assert file.known is not None
        yield progress.note(str(file.path), "failed", file.known.reason, document=file.known.id)


def _remember_unreadable(index: CollectionIndex, path: str, reason: str) -> str:
    """Record a folder or a name that cannot be opened; a document of that path keeps its text. Returns its id."""
    with index.reading() as snapshot, contextlib.suppress(UserError):
        return snapshot.document(path).id
    return index.fail(path, FileStamp(-1, 0, 0), reason).id


class _Work:
    """Reads ahead on one thread, embeds and commits on the caller's."""

    def __init__(
        self,
        index: CollectionIndex,
        queue: EmbeddingQueue,
        reader: Reader,
        call: Ingest,
        context: RequestContext,
        config: ChunkConfig,
        files: Sequence[FoundFile],
    ) -> None:
        self._index, self._embedding, self._reader = index, queue, reader
        self._call, self._context, self._config = call, context, config
        self._files = files
        self._folder = Path(call.embedder)
        self._queue = ChunkQueue()
        self._thread: threading.Thread | None = None
        self._extracting = ""
        self.unknown_languages: tuple[str, ...] = ()
        self.running_text = True

    def run(self, progress: IngestProgress) -> Iterator[Event]:
        if not self._files:
            return
        yield Progress(stage="loading", detail="the embedding model")  # seconds, of a busy machine a minute
        embedder = self._embedding.embedder(self._folder)
        self._index.record_embedder(embedder.fingerprint, embedder.dimensions)
        capacity = self._call.chunk_tokens or self._config.tokens
        chunker = Chunker(embedder.tokens, min(capacity, embedder.max_tokens), embedder.max_tokens)
        self._thread = threading.Thread(target=self._read_ahead, args=(chunker,), name="read-ahead", daemon=True)
        self._thread.start()
        if self._call.known_only and (yield from self._is_refused(progress, embedder)):
            return
        while (group := self._queue.take(GROUP_CHUNKS, ingest_progress.PROGRESS_EVERY_S)) != []:
            self._context.raise_if_cancelled()
            if group is None:
                yield progress.report(current=self._extracting)
                continue
            for item in group:
                if item.document is None:
                    yield self._settle(progress, item)
            read = [item for item in group if item.document is not None]
            yield from self._embed(progress, read)
            if progress.is_due:
                yield progress.report()
        self._context.raise_if_cancelled()  # or the reading thread has given up

    def _is_refused(self, progress: IngestProgress, embedder: Embedder) -> Generator[Event, None, bool]:
        """Whether a collection without passages would get some that another embedder suits better
        (``AddResult.is_refused``), by the files that fit into the queue."""
        with self._index.reading() as snapshot:
            if snapshot.state().chunks:
                return False
        while (items := self._queue.wait_until_full(ingest_progress.PROGRESS_EVERY_S)) is None:
            self._context.raise_if_cancelled()
            yield progress.report(current=self._extracting)
        self._context.raise_if_cancelled()
        self.unknown_languages = unknown_languages(
            (_language(item.document), measure_fluency(embedder.tokens, _texts(item)))
            for item in items
            if item.document is not None
        )
        passages = [_passage(text) for item in items if item.document is not None for text in _texts(item)]
        is_prose = not passages or prose_share(split_units(passages)) >= PROSE
        self.running_text = is_prose or embedder.has_loras
        return bool(self.unknown_languages) or not self.running_text

    def stop(self) -> None:
        self._queue.close()
        if self._thread is not None:
            self._thread.join()

    def _settle(self, progress: IngestProgress, item: Prepared) -> Artifact:
        """Handle a file that gives no new document."""
        path, known = str(item.file.path), item.file.known
        progress.weigh(item.file.weight)
        if item.same and known is not None:
            self._index.update_stamp(path, item.file.stamp)
            return progress.note(path, "unchanged", chunks=known.chunks, document=known.id)
        document = self._index.fail(path, item.file.stamp, item.reason, kind_of(path) or "", locked=item.locked)
        return progress.note(path, "failed", item.reason, document=document.id)

    def _embed(self, progress: IngestProgress, group: Sequence[Prepared]) -> Iterator[Event]:
        """Embed several documents together; each is committed as soon as all its vectors are there. Of one that is
        stopped before that, the part that is embedded is kept."""
        documents = [_Embedding(item, self._vectors_before(item)) for item in group]
        progress.embedding_begins()
        for one in documents:
            progress.weigh(one.bytes_done, earlier=True)
            one.bytes_before = one.bytes_done
        chunks = [(one, number) for one in documents for number in one.missing]
        try:
            for first in range(0, len(chunks), WINDOW_CHUNKS):
                window = chunks[first : first + WINDOW_CHUNKS]
                texts = [one.embedded_text(number) for one, number in window]
                for batch in batches(texts):
                    self._context.raise_if_cancelled()
                    made = self._embedding.embed_passages(self._folder, [texts[i] for i in batch])
                    for i, vector in zip(batch, made, strict=True):
                        one, number = window[i]
                        one.vectors[number] = vector
                    for one in {id(window[i][0]): window[i][0] for i in batch}.values():
                        if one.complete:
                            yield self._commit(progress, one)
                    if progress.is_due:
                        open_bytes = sum(one.bytes_done - one.bytes_before for one in documents if not one.committed)
                        yield progress.report(open_bytes, window[max(batch)][0].place())
        except errors.Cancelled:
            for one in documents:
                if one.vectors and not one.committed and self._may_keep_part(one.item):
                    yield self._commit(progress, one)
            raise

    def _vectors_before(self, item: Prepared) -> dict[tuple[int, int], Any]:
        """The vectors of an ingest that was stopped in the middle of this very document."""
        known = item.file.known
        if known is None or not known.unfinished or item.document is None or known.hash != item.document.hash:
            return {}
        with self._index.reading() as snapshot:
            return dict(snapshot.document_vectors(known.id))

    def _may_keep_part(self, item: Prepared) -> bool:
        """Whether the part may take the place of what is stored: the whole of an earlier version is worth more."""
        known = item.file.known
        return known is None or known.unfinished or known.failed_at is not None

    def _commit(self, progress: IngestProgress, one: _Embedding) -> Artifact:
        item, read = one.item, one.item.document
        assert read is not None
        embedder = self._embedding.embedder(self._folder)
        numbers = sorted(one.vectors)
        chunks = [item.chunks[number] for number in numbers]
        stamp, warnings = item.file.stamp, list(read.warnings)
        if not one.complete:
            stamp = msgspec.structs.replace(stamp, mtime_ns=UNFINISHED_NS)
            warnings.append(
                f"{len(chunks):,} of {len(item.chunks):,} passages were read. Resume, or add the file again, for the "
                "rest."
            )
        language = _language(read)
        stored = self._index.put(
            Entry(
                path=str(item.file.path),
                stamp=stamp,
                title=read.title or item.file.path.name,
                kind=read.kind,
                hash=read.hash,
                text=read.text,
                language=language,
                page_starts=read.page_starts,
                chunks=chunks,
                vectors=np.stack([one.vectors[number] for number in numbers]),
                fluency=measure_fluency(embedder.tokens, [one.text(number) for number in numbers]),
                warning=" ".join(warnings),
                places=read.places,
                names=find_names(read.text, language),
                tables=read.tables,
                pictures=read.pictures,
            )
        )
        progress.weigh(one.bytes_done - one.bytes_before)
        one.committed = True
        return progress.note(
            stored.path, "indexed", stored.reason, stored.chunks, document=stored.id, unfinished=not one.complete
        )

    # -- on the reading thread ------------------------------------------------------------------------

    def _read_ahead(self, chunker: Chunker) -> None:
        try:
            for file in self._files:
                if self._given_up():
                    break
                self._extracting = file.path.name
                self._queue.put(self._prepare(file, chunker))
            self._queue.finish()
        except BaseException as error:  # noqa: BLE001 - raised again on the thread that takes from the queue
            self._queue.finish(error)

    def _prepare(self, file: FoundFile, chunker: Chunker) -> Prepared:
        try:
            if self._is_same(file):
                return Prepared(file, same=True)
            document = self._reader.read(
                file.path,
                self._call.limits,
                self._given_up,
                password=self._call.passwords.get(str(file.path), ""),
                report=lambda place: self._tell(f"{file.path.name}, {place}"),
            )
            kind = document.kind
            source = ContextSource(document, chunker.count, chunker.most_context)
            chunks = split_apart(
                document,
                lambda text, starts: chunker.split(text, kind, starts, self._check, source.most_tokens),
            )
            if not chunks:
                return Prepared(file, reason="The file has no text.")
            return Prepared(file, document, with_places(document, source.with_contexts(chunks)))
        except FileLocked as error:
            return Prepared(file, reason=error.message, locked=True)
        except UserError as error:
            return Prepared(file, reason=str(error))
        except (errors.Cancelled, WorkerDied):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise
            # a bug of ours or of a parser, in one file: the others are read all the same
            return Prepared(
                file,
                reason=f"The file could not be read because of an internal error: {str(error).partition(chr(10))[0]}",
            )

    def _tell(self, place: str) -> None:
        self._extracting = place

    def _is_same(self, file: FoundFile) -> bool:
        """Whether a modified file has its old bytes."""
        known = file.known
        if (
            self._call.anew
            or known is None
            or known.failed_at is not None
            or known.unfinished
            or known.stamp.size != file.stamp.size
        ):
            return False
        return file_digest(file.path, self._check) == known.hash

    def _given_up(self) -> bool:
        return self._context.cancelled or self._queue.closed

    def _check(self) -> None:
        if self._given_up():
            raise errors.Cancelled


def _language(document: ReadDocument) -> str:
    """The language of a document, detected or declared, as an ISO 639-1 code; "" when it is undecided."""
    return detect_language(document.text) or document.language.split("-")[0].lower()[:2]


def _texts(item: Prepared) -> list[str]:
    assert item.document is not None
    return [item.document.text[chunk.start : chunk.end] for chunk in item.chunks]


def _passage(text: str) -> Passage:
    return Passage(collection="", document="", document_hash="", path="", title="", text=text, start=0, end=len(text))


class _Embedding:
    """A document while it is embedded: ``vectors`` by the numbers of its chunks. ``bytes_before`` of it were embedded
    by an earlier ingest."""

    def __init__(self, item: Prepared, before: dict[tuple[int, int], Any]) -> None:
        self.item = item
        self.vectors = {
            number: before[chunk.start, chunk.end]
            for number, chunk in enumerate(item.chunks)
            if (chunk.start, chunk.end) in before
        }
        self.bytes_before = 0.0
        self.committed = False

    @property
    def missing(self) -> list[int]:
        return [number for number in range(len(self.item.chunks)) if number not in self.vectors]

    @property
    def complete(self) -> bool:
        return len(self.vectors) == len(self.item.chunks)

    @property
    def bytes_done(self) -> float:
        return self.item.file.weight * len(self.vectors) / len(self.item.chunks)

    def text(self, number: int) -> str:
        assert self.item.document is not None
        chunk = self.item.chunks[number]
        return self.item.document.text[chunk.start : chunk.end]

    def embedded_text(self, number: int) -> str:
        """The text after its context."""
        context = self.item.chunks[number].context
        return f"{context}\n{self.text(number)}" if context else self.text(number)

    def place(self) -> str:
        """How far it is, in words: ``report.pdf, page 12 of 300``."""
        assert self.item.document is not None
        done, pages = len(self.vectors), len(self.item.document.page_starts)
        page = self.item.chunks[max(0, done - 1)].page
        name = self.item.file.path.name
        if page is not None and pages > 1:
            return f"{name}, page {page:,} of {pages:,}"
        return f"{name}, passage {done:,} of {len(self.item.chunks):,}" if len(self.item.chunks) > 1 else name
