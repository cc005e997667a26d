"""Progress of an ingest: the results per file so far, the bytes that are done, and the remaining time.

Owns what an ingest reports: its events and its result. Opens no file, and knows neither the collection nor a model.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from workbench.api.events import Artifact, Progress
from workbench.records.documents import AddResult, DocumentState, FailedFile
from workbench.techniques.retrieval.file_scan import FoundFile

PROGRESS_EVERY_S = 0.25
ESTIMATED_FROM_BYTES, ESTIMATED_FROM_SHARE = 20_000, 0.05
"""Before so much is embedded, its speed says little: the first batch of a small file takes as long as one of a large
one."""


class IngestProgress:
    """The results per file so far, and the remaining time, estimated from the speed of the embedding."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._counts: dict[DocumentState, int] = dict.fromkeys(("indexed", "unchanged", "failed", "removed"), 0)
        self._failed: list[FailedFile] = []
        self._chunks = 0
        self._files = 0
        self._current = ""
        self._bytes = self._bytes_done = 0.0
        self._embedding_since: float | None = None
        self._bytes_before = 0.0
        self._reported_at = 0.0

    def expect(self, files: Sequence[FoundFile]) -> None:
        """The files that are to be read, beside those that are noted already."""
        self._files = len(files) + sum(n for state, n in self._counts.items() if state != "removed")
        self._bytes = float(sum(file.weight for file in files))

    def embedding_begins(self) -> None:
        """From here on the remaining time can be estimated: before, the embedder was being loaded."""
        if self._embedding_since is None:
            self._embedding_since, self._bytes_before = time.monotonic(), self._bytes_done

    def note(
        self,
        path: str,
        state: DocumentState,
        reason: str = "",
        chunks: int = 0,
        document: str = "",
        unfinished: bool = False,
    ) -> Artifact:
        """Count the result of one file and give its event. ``document`` is its id in the collection;
        ``unfinished``: only a part of it was embedded."""
        self._counts[state] += 1
        if state == "failed":
            self._failed.append(FailedFile(path=path, reason=reason))
        if state == "indexed":
            self._chunks += chunks
        result = {"state": state, "reason": reason, "chunks": chunks, "document": document, "unfinished": unfinished}
        return Artifact(kind="document", id=path, result=result)

    def weigh(self, done: float, *, earlier: bool = False) -> None:
        """Count bytes as done; those of an ``earlier`` ingest say nothing about the speed of this one."""
        self._bytes_done += done
        if earlier:
            self._bytes_before += done

    def report(self, under_way: float = 0.0, current: str = "") -> Progress:
        """The event of the progress so far. ``under_way``: bytes of documents that are not committed yet, as
        far as they are embedded. ``current`` tells which file is worked on, and where in it."""
        self._reported_at = time.monotonic()
        self._current = current or self._current
        settled = sum(n for state, n in self._counts.items() if state != "removed")
        files = f"{settled:,} of {self._files:,} files done" if self._files > 1 else ""
        reads = self._bytes > 0
        return Progress(
            stage="reading",
            done=self._bytes_done + under_way if reads else settled,
            total=self._bytes if reads else self._files,
            unit="bytes" if reads else "files",
            detail="; ".join(part for part in (self._current, files) if part),
            seconds_left=self._seconds_left(self._bytes_done + under_way),
        )

    @property
    def is_due(self) -> bool:
        """Whether the last report is ``PROGRESS_EVERY_S`` old."""
        return time.monotonic() - self._reported_at > PROGRESS_EVERY_S

    def result(self, unknown_languages: tuple[str, ...] = (), *, running_text: bool = True) -> AddResult:
        return AddResult(
            indexed=self._counts["indexed"],
            unchanged=self._counts["unchanged"],
            removed=self._counts["removed"],
            failed=tuple(self._failed),
            chunks=self._chunks,
            seconds=round(time.monotonic() - self._began, 3),
            unknown_languages=unknown_languages,
            running_text=running_text,
        )

    def _seconds_left(self, done: float) -> float | None:
        if self._bytes_done >= self._bytes:
            return 0.0
        least = min(ESTIMATED_FROM_BYTES, ESTIMATED_FROM_SHARE * self._bytes)
        if self._embedding_since is None or done - self._bytes_before <= least:
            return None
        rate = (done - self._bytes_before) / max(1e-3, self._reported_at - self._embedding_since)
        return max(0.0, self._bytes - done) / rate
