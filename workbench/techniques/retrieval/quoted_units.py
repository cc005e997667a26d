"""Answers that quote a document's units word for word: under its headings, each with its place."""

from __future__ import annotations

import msgspec

from workbench.records.documents import DocumentText
from workbench.records.messages import Citation, Passage, Statement
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.retrieval.citations import as_citation
from workbench.techniques.retrieval.outline import Section, Unit
from workbench.techniques.retrieval.passages import passages_at
from workbench.techniques.retrieval.quoting import Quotes

_LONGEST_PASSAGE = 2500  # characters


class UnitQuotes:
    """Collects lines of text and quotes from documents of ``retriever``; ``quotes`` is what they come to."""

    def __init__(self, retriever: Retriever) -> None:
        self._collections = {document.id: collection for collection, document in retriever.documents()}
        self._text = ""
        self._statements: list[Statement] = []
        self._citations: dict[int, Citation] = {}
        self._passages: list[Passage] = []

    def __bool__(self) -> bool:
        return bool(self._statements)

    def say(self, text: str) -> None:
        """Add text of the program's own, such as a heading."""
        self._text += text

    def quote(self, document: DocumentText, section: Section, unit: Unit) -> None:
        """Add a quoted unit with the number of its passage, which is its section, or a part of a long one."""
        passage = self._passage(document, section, unit)
        self._text += "“"
        statement = Statement(
            start=len(self._text),
            end=len(self._text) + len(unit.text),
            verdict="supported",
            value=1.0,
            n=passage.n,
            sentence_start=unit.start,
            sentence_end=unit.end,
        )
        self._statements.append(statement)
        self._text += f"{unit.text}” [{passage.n}]"
        known = self._citations.get(passage.n)
        place = unit.start, unit.end
        if known is None:
            first = as_citation(passage, claimed=False)
            self._citations[passage.n] = msgspec.structs.replace(
                first, sentence_start=unit.start, sentence_end=unit.end
            )
        elif place != (known.sentence_start, known.sentence_end) and place not in known.more_sentences:
            self._citations[passage.n] = msgspec.structs.replace(known, more_sentences=(*known.more_sentences, place))

    def quotes(self) -> Quotes:
        """All that was added. Its passages are those that are quoted, numbered from 1."""
        return Quotes(
            text=self._text.rstrip("\n"),
            statements=tuple(self._statements),
            citations=tuple(self._citations[n] for n in sorted(self._citations)),
            passages=tuple(self._passages),
        )

    def _passage(self, document: DocumentText, section: Section, unit: Unit) -> Passage:
        for passage in self._passages:
            if passage.document == document.document.id and passage.start <= unit.start and unit.end <= passage.end:
                return passage
        span = (section.start, section.end)
        if section.end - section.start > _LONGEST_PASSAGE:
            span = _around(section, unit)
        (passage,) = passages_at(document, [span])
        collection = self._collections.get(document.document.id, "")
        numbered = msgspec.structs.replace(passage, n=len(self._passages) + 1, collection=collection)
        self._passages.append(numbered)
        return numbered


def _around(section: Section, unit: Unit) -> tuple[int, int]:
    """The part of a long section in which a unit stands: whole units, one part beside the other."""
    start = section.units[0].start
    for one in section.units:
        if one.end - start > _LONGEST_PASSAGE and one.start > start:
            if unit.start < one.start:
                return start, max(before.end for before in section.units if before.start < one.start)
            start = one.start
    return start, section.end
