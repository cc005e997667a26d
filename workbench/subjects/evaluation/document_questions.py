"""Questions with answers made from the documents of a collection, without a model: worded by templates from the facts
that documents say once (``document_facts``).

Each question names its document, so that it is understood without seeing it and has one right answer in the collection.
What it must not be is checked: hold its own answer, have an answer that its document does not show, or, for one that is
not answerable, ask for something of which the document lacks a word.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

import msgspec

from workbench.records.documents import DocumentText
from workbench.records.evaluation import QuestionRow, Split
from workbench.records.messages import Message
from workbench.records.tables import DocumentTable
from workbench.subjects.evaluation.document_facts import LANGUAGES, Fact, Gap, facts_of, gaps_of, readable
from workbench.text.language import detect_language
from workbench.text.metrics import contains_answer
from workbench.text.terms import Vocabulary

UNANSWERABLE, SEVERAL = 0.2, 0.15
"""The shares of questions that have no answer, and of those whose answer stands in several places."""

_MOST_WITH_KEY = 2

_WORDED: Mapping[str, Mapping[str, str]] = {
    "en": {
        "entry": "What does “{name}” state for “{key}”?",
        "cell": "What is listed under “{key}” for “{row}” in “{name}”?",
        "sentence": "According to “{name}”, {key}",
        "answered": "According to “{name}”: {key}",
        "cells": "What is listed under “{key}” for “{row}” and for “{other}” in “{name}”?",
        "both": "{one} And {other}",
    },
    "de": {
        "entry": "Was steht in „{name}“ zu „{key}“?",
        "cell": "Was steht in „{name}“ bei „{row}“ unter „{key}“?",
        "sentence": "Laut „{name}“: {key}",
        "answered": "Laut „{name}“: {key}",
        "cells": "Was steht in „{name}“ unter „{key}“ bei „{row}“ und bei „{other}“?",
        "both": "{one} Und: {other}",
    },
    "fr": {
        "entry": "Qu'indique « {name} » pour « {key} » ?",
        "cell": "Qu'indique « {name} » pour « {row} », colonne « {key} » ?",
        "sentence": "Selon « {name} », {key}",
        "answered": "Selon « {name} » : {key}",
        "cells": "Qu'indique « {name} », colonne « {key} », pour « {row} » et pour « {other} » ?",
        "both": "{one} Et {other}",
    },
    "es": {
        "entry": "¿Qué indica «{name}» en «{key}»?",
        "cell": "¿Qué indica «{name}» para «{row}» en la columna «{key}»?",
        "sentence": "Según «{name}», {key}",
        "answered": "Según «{name}»: {key}",
        "cells": "¿Qué indica «{name}» en la columna «{key}» para «{row}» y para «{other}»?",
        "both": "{one} Y {other}",
    },
}


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """A document that was read: its text and tables."""

    text: DocumentText
    tables: tuple[DocumentTable, ...] = ()


class MadeQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question with the ids of the ``documents`` that it is about."""

    question: QuestionRow
    documents: tuple[str, ...]


def make_questions(read: Sequence[Read], limit: int, seed: int) -> list[MadeQuestion]:
    """At most ``limit`` questions on the documents, spread over documents and kinds of facts and drawn with ``seed``;
    fewer where the documents hold fewer facts."""
    library = _Library(read)
    drawn = random.Random(seed)
    missing = list(library.unanswerable(drawn))
    several = list(library.several(drawn))
    most_missing, most_several = round(limit * UNANSWERABLE), round(limit * SEVERAL)
    chosen = [*_spread(missing, most_missing, drawn), *_spread(several, most_several, drawn)]
    chosen += _spread(list(library.single()), limit - len(chosen), drawn)
    drawn.shuffle(chosen)
    return chosen


def split_by_document(made: Sequence[MadeQuestion], tune_share: float, seed: int) -> list[Split]:
    """Which questions are for tuning, about ``tune_share`` of them: those on a document are on one side, so that no
    passage is in both. Questions on two documents keep these together. All are held out where one group is all."""
    group = {document: document for one in made for document in one.documents}

    def root(document: str) -> str:
        while group[document] != document:
            document = group[document]
        return document

    for one in made:
        for document in one.documents[1:]:
            group[root(document)] = root(one.documents[0])
    sizes = Counter(root(one.documents[0]) for one in made)
    tune: set[str] = set()
    wanted = tune_share * len(made)
    for document in sorted(sizes, key=lambda one: blake2b(f"{seed} {one}".encode(), digest_size=8).digest()):
        size = sizes[document]
        if len(sizes) > 1 and sum(sizes[one] for one in tune) + size / 2 <= wanted:
            tune.add(document)
    return ["tune" if root(one.documents[0]) in tune else "held-out" for one in made]


# -- parts ---------------------------------------------------------------------------------------------


class _Library:
    """The documents with their facts, by which questions are made and checked."""

    def __init__(self, read: Sequence[Read]) -> None:
        self._read = {one.text.document.id: one for one in read}
        languages = {id: _language(one) for id, one in self._read.items()}
        usual = Counter(one for one in languages.values() if one).most_common(1)
        self._languages = {id: one or (usual[0][0] if usual else "en") for id, one in languages.items()}
        self._names = _names(one.text for one in read)
        self._facts = {
            id: facts_of(one.text, one.tables, self._languages[id])
            for id, one in self._read.items()
            if self._languages[id] in LANGUAGES and id in self._names
        }

    def single(self) -> Iterator[MadeQuestion]:
        for facts in self._facts.values():
            for fact in facts:
                yield from self._checked(self._text(fact), fact)

    def several(self, drawn: random.Random) -> Iterator[MadeQuestion]:
        """Two cells of a column, and two entries of documents in one language."""
        for facts in self._facts.values():
            columns = defaultdict[str, list[Fact]](list)
            for fact in facts:
                if fact.kind == "cell":
                    columns[fact.key].append(fact)
            for cells in columns.values():
                one, other = drawn.sample(cells, 2) if len(cells) > 2 else (cells[0], cells[-1])
                if one.value != other.value:
                    text = self._word("cells", one, other=other.row)
                    yield from self._checked(text, one, other)
        entries = [fact for facts in self._facts.values() for fact in facts if fact.kind == "entry"]
        drawn.shuffle(entries)
        for one, other in zip(entries[::2], entries[1::2], strict=False):
            language = self._languages[one.document]
            if one.document != other.document and language == self._languages[other.document]:
                text = _WORDED[language]["both"].format(one=self._text(one), other=_lowered(self._text(other)))
                yield from self._checked(text, one, other)

    def unanswerable(self, drawn: random.Random) -> Iterator[MadeQuestion]:
        """Empty cells, and entries of one document that are asked of another one in its language."""
        for id in self._facts:
            gaps = list(gaps_of(id, self._read[id].tables))
            for gap in drawn.sample(gaps, min(2, len(gaps))):
                text = self._word("cell", gap)
                yield self._made(text, (id,), (gap.evidence,), answerable=False)
        for id, facts in self._facts.items():
            entries = [fact for fact in facts if fact.kind == "entry" and self._is_specific(fact.key)]
            others = [one for one in self._facts if one != id and self._languages[one] == self._languages[id]]
            for fact in drawn.sample(entries, min(3, len(entries))):
                absent = [one for one in others if self._is_absent(fact, one)]
                if absent:
                    near = max(absent, key=lambda one: (self._likeness(id, one), one))
                    text = self._word("entry", msgspec.structs.replace(fact, document=near))
                    yield self._made(text, (near,), (), answerable=False)

    def _text(self, fact: Fact) -> str:
        return self._word(fact.kind, fact)

    def _word(self, kind: str, fact: Fact | Gap, other: str = "") -> str:
        key = fact.column if isinstance(fact, Gap) else fact.key
        if kind in ("cell", "cells"):
            key = readable(key)
        name = self._names[fact.document]
        worded = _WORDED[self._languages[fact.document]][kind]
        return worded.format(name=name, key=key, row=fact.row if kind != "entry" else "", other=other)

    def _checked(self, text: str, *facts: Fact) -> Iterator[MadeQuestion]:
        """The question, unless it holds an answer, or its document does not show one."""
        for fact in facts:
            shown = " ".join(self._read[fact.document].text.text.split())
            if contains_answer(text, fact.value) or fact.value not in shown:
                return
        documents = tuple(dict.fromkeys(fact.document for fact in facts))
        evidence = tuple(fact.evidence for fact in facts)
        yield self._made(text, documents, evidence, tuple(fact.value for fact in facts))

    def _made(
        self,
        text: str,
        documents: tuple[str, ...],
        evidence: tuple[str, ...],
        values: tuple[str, ...] = (),
        *,
        answerable: bool = True,
    ) -> MadeQuestion:
        row = QuestionRow(
            messages=(Message("user", text),),
            expected=values if len(values) == 1 else (),
            need=tuple((value,) for value in values) if len(values) > 1 else (),
            sources=tuple(Path(self._read[one].text.document.path).name for one in documents),
            answerable=answerable,
            evidence=evidence,
        )
        return MadeQuestion(question=row, documents=documents)

    def _is_absent(self, fact: Fact, document: str) -> bool:
        """Whether a document lacks a word of the fact's key, whatever its form, and the fact's value."""
        vocabulary = Vocabulary(self._languages[document])
        wanted = {stem for stem in vocabulary.stems(fact.key) if not any(map(str.isdigit, stem))}
        text = self._text_of(document)
        return bool(wanted - set(vocabulary.stems(text))) and not contains_answer(text, fact.value)

    def _text_of(self, document: str) -> str:
        return self._read[document].text.text

    def _is_specific(self, key: str) -> bool:
        """Whether a key says by itself what it asks for, by two words or a long one, and is no name that runs through
        the documents."""
        if len(re.findall(r"[^\W\d_]{3,}", key)) < 2 and len(key) < 9:
            return False
        return sum(key in self._text_of(document) for document in self._read) <= _MOST_WITH_KEY

    def _likeness(self, one: str, other: str) -> int:
        """How many words two documents share."""
        first, second = (set(re.findall(r"\w{4,}", self._read[id].text.text.casefold())) for id in (one, other))
        return len(first & second)


def _language(read: Read) -> str:
    return read.text.document.language or detect_language(read.text.text[:4_000])


def _names(texts: Iterable[DocumentText]) -> dict[str, str]:
    """How documents are called in questions: by their titles, or by their files where the title is one word or that of
    another document. Files of one name are left out."""
    documents = [text.document for text in texts]
    titles = Counter(document.title for document in documents)
    files = Counter(Path(document.path).stem for document in documents)
    found = {}
    for document in documents:
        stem = Path(document.path).stem
        title = " ".join(document.title.split())
        if titles[document.title] == 1 and len(title.split()) > 1 and len(title) <= 80:
            found[document.id] = title
        elif files[stem] == 1:
            found[document.id] = stem
    return found


def _spread(made: Sequence[MadeQuestion], count: int, drawn: random.Random) -> list[MadeQuestion]:
    """So many questions, in turns from each document and kind of text, no text twice."""
    piles = defaultdict[tuple[str, ...], list[MadeQuestion]](list)
    for one in {one.question.text: one for one in made}.values():
        piles[one.documents].append(one)
    for pile in piles.values():
        drawn.shuffle(pile)
    order = list(piles.values())
    drawn.shuffle(order)
    chosen: list[MadeQuestion] = []
    while len(chosen) < count and any(order):
        for pile in order:
            if pile and len(chosen) < count:
                chosen.append(pile.pop())
    return chosen


def _lowered(text: str) -> str:
    return text[0].lower() + text[1:]
