"""Answers of a collection's tables, where its file is open: loads the tables, chooses a query and words its result."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from workbench.records.messages import Passage
from workbench.techniques.embedding_calls import TableReply
from workbench.techniques.retrieval.config import DEFAULT_SEARCH
from workbench.techniques.retrieval.file_scan import is_changed
from workbench.techniques.retrieval.index import CollectionIndex
from workbench.techniques.retrieval.snapshot import Snapshot
from workbench.techniques.retrieval.stored_tables import StoredTable
from workbench.techniques.retrieval.table_answers.choice import (
    Choice,
    Weights,
    choose,
    is_named_row,
    is_sure,
    reasons_of,
)
from workbench.techniques.retrieval.table_answers.links import QuestionReader
from workbench.techniques.retrieval.table_answers.query import ONE_NUMBER
from workbench.techniques.retrieval.table_answers.question import Question
from workbench.techniques.retrieval.table_answers.schema import LoadedTable, Source
from workbench.techniques.retrieval.table_answers.wording import Wording
from workbench.techniques.retrieval.text_places import places_at
from workbench.text.language import query_terms

MOST_CELLS = 600_000
"""Cells that are loaded for a question. Of a collection with more only the documents are asked whose passages match the
question's words best."""
MOST_DOCUMENTS = 12
MOST_PASSAGES = 6
LONGEST_PASSAGE = 2_000
LONGEST_QUESTION = 1_000
_KEPT = 2


class TableAnswers:
    """Answers questions about the tables of collections; keeps the tables of the last ones. Thread-safe."""

    def __init__(self) -> None:
        self._loaded: OrderedDict[tuple[CollectionIndex, int], tuple[list[StoredTable], list[LoadedTable]]] = (
            OrderedDict()
        )
        self._lock = threading.Lock()
        self._last: tuple[object, TableReply | None] | None = None

    def answer(
        self,
        index: CollectionIndex,
        collection: str,
        question: str,
        language: str,
        paths: Sequence[str] | None = None,
        reader: QuestionReader | None = None,
    ) -> TableReply | None:
        """The answer, with ``paths`` of these documents only; None where no table has to do with the question. The last
        one is kept, since a question is asked when its road is chosen and again on the road."""
        question = question[:LONGEST_QUESTION].strip()
        with self._lock, index.reading() as snapshot:
            only = None if paths is None else (*paths,)
            asked = index, snapshot.revision, collection, question, language, only, reader is not None
            if self._last is None or self._last[0] != asked:
                self._last = asked, self._answer(index, snapshot, collection, question, language, paths, reader)
            return self._last[1]

    def _answer(
        self,
        index: CollectionIndex,
        snapshot: Snapshot,
        collection: str,
        question: str,
        language: str,
        paths: Sequence[str] | None,
        reader: QuestionReader | None,
    ) -> TableReply | None:
        stored, tables = self._tables(index, snapshot, question)
        wanted = None if paths is None else frozenset(paths)
        chosen = [one for one in tables if wanted is None or one.source.path in wanted]
        asked = Question(question)
        found = choose(asked, chosen, reader) if chosen else None
        if found is None:
            return None
        choice, known = found
        of = next(one for one, table in zip(stored, tables, strict=True) if table is choice.candidate.table)
        reply = _reply(choice, known, of, snapshot, collection, language)
        query, rows = choice.candidate.query, choice.candidate.rows
        alone = query.kind in ONE_NUMBER or (query.kind == "value" and len(rows) == 1 and len(query.show) < 2)
        return msgspec.structs.replace(
            reply,
            named=is_named_row(choice, asked, chosen),
            computed=query.kind not in ("value", "list"),
            several=asked.parts > 1 and len(rows) == 1 and len(query.show) > 1,
            partial=asked.parts > 1 and alone,
        )

    def _tables(
        self, index: CollectionIndex, snapshot: Snapshot, question: str
    ) -> tuple[list[StoredTable], list[LoadedTable]]:
        if snapshot.count_table_cells() > MOST_CELLS:
            terms = query_terms(question, snapshot.languages())
            numbers = [number for number, _ in snapshot.find_words(terms, 200, DEFAULT_SEARCH.context_weight)]
            documents = list(dict.fromkeys(chunk.document for chunk in snapshot.chunks(numbers)))[:MOST_DOCUMENTS]
            return _loaded(snapshot.tables(MOST_CELLS, documents))
        key = index, snapshot.revision  # not its path: a file that is made anew counts its revisions from the beginning
        if key not in self._loaded:
            self._loaded[key] = _loaded(snapshot.tables(MOST_CELLS))
            while len(self._loaded) > _KEPT:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(key)
        return self._loaded[key]


def _loaded(stored: list[StoredTable]) -> tuple[list[StoredTable], list[LoadedTable]]:
    return stored, [
        LoadedTable(Source(one.document, one.hash, one.path, one.title), one.number, one.content) for one in stored
    ]


def _reply(
    choice: Choice, known: Weights, of: StoredTable, snapshot: Snapshot, collection: str, language: str
) -> TableReply:
    wording = Wording(language)
    table, query = choice.candidate.table, choice.candidate.query
    rows = choice.result.rows if choice.result is not None else tuple(choice.candidate.rows)
    passages = _passages(of, table, rows, snapshot, collection)
    reasons = () if is_sure(choice, known) else reasons_of(choice, language)
    if choice.result is None:
        said = wording.empty_cell(table, query)
        return TableReply(
            value="",
            calculation=said,
            passages=passages,
            of_rows=len(rows),
            sure=choice.sure,
            reasons=reasons,
            empty=True,
        )
    value, calculation = wording.answer(table, query, choice.result)
    return TableReply(
        value=value, calculation=calculation, passages=passages, of_rows=len(rows), sure=choice.sure, reasons=reasons
    )


def _passages(
    of: StoredTable, table: LoadedTable, rows: Sequence[int], snapshot: Snapshot, collection: str
) -> tuple[Passage, ...]:
    """The rows in the document's text, those that follow each other together; the table's first row where none is."""
    text = snapshot.text(of.document)
    spans: list[tuple[int, int]] = []
    for row in rows:
        start, end = table.rows[row].start, table.rows[row].end
        if not end:
            continue
        if spans and 0 <= start - spans[-1][1] <= 1 and end - spans[-1][0] <= LONGEST_PASSAGE:
            spans[-1] = spans[-1][0], end
        elif len(spans) < MOST_PASSAGES:
            spans.append((start, end))
        else:
            break
    if not spans:
        placed = next((row for row in table.rows if row.end), None)
        first = text.text.find("\n")
        spans = [(placed.start, placed.end)] if placed else [(0, min(first if first > 0 else len(text.text), 500))]
    page_starts = text.page_starts
    changed = is_changed(of.path, of.size, of.mtime_ns, of.hash)
    return tuple(
        Passage(
            collection=collection,
            document=of.document,
            document_hash=of.hash,
            path=of.path,
            title=of.title,
            start=start,
            end=end,
            text=text.text[start:end],
            page=sum(begin <= start for begin in page_starts) or None,
            context=table.label,
            n=n,
            changed=changed,
            places=places_at(text, start, end),
        )
        for n, (start, end) in enumerate(spans, 1)
    )
