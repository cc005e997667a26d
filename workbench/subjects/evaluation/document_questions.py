"""Questions with answers made from the documents of a collection, without a model: worded by templates from the facts
that documents say once (``document_facts``).

Each question names its document, so that it is understood without seeing it and has one right answer in the collection.
What it must not be is checked: hold its own answer, have an answer that its document does not show, or, for one that is
not answerable, ask for something of which the document has every word, or a passage that is as similar as the passage
that answers it elsewhere.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

import msgspec

from workbench.records.documents import DocumentText
from workbench.records.evaluation import QuestionRow, Split
from workbench.records.messages import Message
from workbench.records.tables import DocumentTable
from workbench.subjects.evaluation.document_facts import LANGUAGES, Fact, Gap, facts_of, gaps_of, readable
from workbench.subjects.evaluation.document_language import languages_of
from workbench.text.language import split_words
from workbench.text.metrics import contains_answer
from workbench.text.normalisation.units import CURRENCIES
from workbench.text.terms import Vocabulary
from workbench.text.values import find_values

Closest = Callable[[str, str], Sequence[tuple[float, str]]]
"""The passages of a document, by its id, that are the most similar to a text: each with its cosine in [-1, 1]."""

UNANSWERABLE, SEVERAL = 0.2, 0.15
"""The shares of questions that have no answer, and of those whose answer stands in several places."""

_MOST_WITH_KEY = 2
_NEAREST = 8
"""A fact is asked of one of so many documents that share the most words with its own."""
_MONEY = {one.casefold(): one for one in CURRENCIES}
_UNITS = frozenset(_MONEY) | frozenset(
    ("euros", "pounds", "dollars", "kg", "g", "t", "m", "cm", "mm", "km", "l", "ml", "h", "min")
)
_NO_NOUN = frozenset(
    re.findall(r"\w+", "a an the from to until till in on at for by with under over out off paid per since")
)
_SIMILAR = 0.98
"""A near miss is dropped where its document has a passage with so large a share of the similarity of the passage that
answers it in another document."""

_WORDED: Mapping[str, Mapping[str, str]] = {
    "en": {
        "entry": "What does “{name}” state for “{key}”?",
        "noun": "According to “{name}”, what is the {key}?",
        "price": "According to “{name}”, how much is the {key}?",
        "cell": "What is listed under “{key}” for “{row}” in “{name}”?",
        "noun cell": "What is the {key} for “{row}” in “{name}”?",
        "sentence": "According to “{name}”, {key}",
        "answered": "According to “{name}”: {key}",
        "cells": "What is listed under “{key}” for “{row}” and for “{other}” in “{name}”?",
        "noun cells": "What is the {key} for “{row}” and for “{other}” in “{name}”?",
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
    """A question with the ids of the ``documents`` that it is about. One without an answer keeps the fact of another
    document that it asks for, as ``borrowed``, and that fact in words, ``asked``."""

    question: QuestionRow
    documents: tuple[str, ...]
    borrowed: Fact | None = None

    @property
    def asked(self) -> str:
        return f"{self.borrowed.row} {readable(self.borrowed.key)}".strip() if self.borrowed else ""


def make_questions(read: Sequence[Read], limit: int, seed: int, closest: Closest | None = None) -> list[MadeQuestion]:
    """At most ``limit`` questions on the documents, spread over documents and kinds of facts and drawn with ``seed``;
    fewer where the documents hold fewer facts. With ``closest``, near misses are checked by it, beside by words."""
    library = _Library(read, closest)
    drawn = random.Random(seed)
    missing = list(library.unanswerable(drawn))
    several = list(library.several(drawn))
    most_missing, most_several = round(limit * UNANSWERABLE), round(limit * SEVERAL)
    chosen = [*_spread(missing, most_missing, drawn, library.is_unsaid), *_spread(several, most_several, drawn)]
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

    def __init__(self, read: Sequence[Read], closest: Closest | None = None) -> None:
        self._read = {one.text.document.id: one for one in read}
        self._closest = closest
        self._vocabularies: dict[str, Vocabulary] = {}
        self._stemmed: dict[str, set[str]] = {}
        languages = languages_of(
            {id: one.text for id, one in self._read.items()},
            {id: "\n".join(c.name for table in one.tables for c in table.columns) for id, one in self._read.items()},
        )
        self._languages = {id: code or "en" for id, code in languages.items()}
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
        """Empty cells, and facts of one document that are asked of the most similar one in its language that lacks
        them."""
        for id in self._facts:
            gaps = [gap for gap in gaps_of(id, self._read[id].tables) if self._stands_once(gap)]
            for gap in drawn.sample(gaps, min(2, len(gaps))):
                text = self._word("cell", gap)
                yield self._made(text, (id,), (gap.evidence,), answerable=False)
        for id, facts in self._facts.items():
            others = [one for one in self._facts if one != id and self._languages[one] == self._languages[id]]
            others.sort(key=lambda one: (self._likeness(id, one), one), reverse=True)
            lendable = [fact for fact in facts if self._is_lendable(fact)]
            for fact in drawn.sample(lendable, min(4, len(lendable))):
                fit = (one for one in others[:_NEAREST] if fact.kind != "cell" or fact.key in self._columns(one))
                near = next((one for one in fit if self._is_absent(fact, one)), None)
                if near is not None:
                    text = self._word(fact.kind, msgspec.structs.replace(fact, document=near))
                    yield self._made(text, (near,), (), answerable=False, borrowed=fact)

    def is_unsaid(self, made: MadeQuestion) -> bool:
        """Whether no passage of its document that holds a value of the asked kind is nearly as similar to a near miss
        as the passage that answers it in the document from which it was taken."""
        fact = made.borrowed
        if fact is None or self._closest is None:
            return True
        [near] = made.documents
        kinds = {value.kind for value in find_values(fact.value, self._languages[near])[1]}

        def may_answer(passage: str) -> bool:
            return not kinds or bool(kinds & {one.kind for one in find_values(passage, self._languages[near])[1]})

        true = max((score for score, _ in self._closest(fact.document, made.asked)), default=0.0)
        similar = (score for score, passage in self._closest(near, made.asked) if may_answer(passage))
        return max(similar, default=0.0) < _SIMILAR * true

    def _text(self, fact: Fact) -> str:
        return self._word(fact.kind, fact)

    def _word(self, kind: str, fact: Fact | Gap, other: str = "") -> str:
        key = fact.column if isinstance(fact, Gap) else fact.key
        language = self._languages[fact.document]
        if kind in ("cell", "cells"):
            key = readable(key)
        worded = _WORDED[language][kind]
        timed = isinstance(fact, Fact) and ":" in fact.value and kind != "entry"  # a column of opening hours
        if language == "en" and kind in ("cell", "cells", "entry") and not timed and (noun := _noun(key)):
            form = "price" if kind == "entry" and _is_money(fact) else f"noun {kind}".removesuffix(" entry")
            key, worded = noun, _WORDED[language][form]
        name = self._names[fact.document]
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
        borrowed: Fact | None = None,
    ) -> MadeQuestion:
        row = QuestionRow(
            messages=(Message("user", text),),
            expected=values if len(values) == 1 else (),
            need=tuple((value,) for value in values) if len(values) > 1 else (),
            sources=tuple(Path(self._read[one].text.document.path).name for one in documents),
            answerable=answerable,
            evidence=evidence,
        )
        return MadeQuestion(question=row, documents=documents, borrowed=borrowed)

    def _is_absent(self, fact: Fact, document: str) -> bool:
        """Whether a document has half of the words of what is asked for, whatever their form, and not all, nor the
        fact's value."""
        vocabulary = self._vocabulary(self._languages[document])
        asked = fact.row or fact.key
        words = (word for word in split_words(asked) if not vocabulary.is_function_word(word) and word.isalpha())
        wanted = {vocabulary.stem(word) for word in words}
        there = self._stems(document)
        return (
            bool(wanted & there) and bool(wanted - there) and not contains_answer(self._text_of(document), fact.value)
        )

    def _stems(self, document: str) -> set[str]:
        if document not in self._stemmed:
            vocabulary = self._vocabulary(self._languages[document])
            self._stemmed[document] = set(vocabulary.stems(self._text_of(document)))
        return self._stemmed[document]

    def _vocabulary(self, language: str) -> Vocabulary:
        if language not in self._vocabularies:
            self._vocabularies[language] = Vocabulary(language)
        return self._vocabularies[language]

    def _columns(self, document: str) -> set[str]:
        """The names of the columns that facts of a document come from."""
        return {fact.key for fact in self._facts[document] if fact.kind == "cell"}

    def _stands_once(self, gap: Gap) -> bool:
        """Whether the document says nothing of a row but in its line."""
        return self._text_of(gap.document).count(gap.row.removeprefix(f"{readable(gap.name_column)} ")) <= 1

    def _text_of(self, document: str) -> str:
        return self._read[document].text.text

    def _is_lendable(self, fact: Fact) -> bool:
        """Whether a person could ask the fact of another document: an entry or the row of a table says by itself what
        is meant, by two words or a long one, and is no name that runs through the documents."""
        if fact.kind in ("answered",) or (fact.kind == "cell" and any(map(str.isdigit, fact.row))):
            return False
        named = fact.row or fact.key
        if len(re.findall(r"[^\W\d_]{3,}", named)) < 2 and len(named) < 9:
            return False
        return sum(named in self._text_of(document) for document in self._read) <= _MOST_WITH_KEY

    def _likeness(self, one: str, other: str) -> int:
        """How many words two documents share."""
        first, second = (set(re.findall(r"\w{4,}", self._read[id].text.text.casefold())) for id in (one, other))
        return len(first & second)


def _names(texts: Iterable[DocumentText]) -> dict[str, str]:
    """How documents are called in questions: by their titles, or by their files where the title is one word, a numbered
    heading, or stands in that of another document. Files of one name are left out."""
    documents = [text.document for text in texts]
    titles = Counter(document.title for document in documents)
    files = Counter(Path(document.path).stem for document in documents)
    found = {}
    for document in documents:
        stem = Path(document.path).stem
        title = " ".join(document.title.split())
        part = any(title in other and title != other for other in titles) or re.match(r"\d{1,2}[.)]? ", title)
        if titles[document.title] == 1 and not part and len(title.split()) > 1 and len(title) <= 80:
            found[document.id] = title
        elif files[stem] == 1:
            found[document.id] = stem
    return found


def _spread(
    made: Sequence[MadeQuestion],
    count: int,
    drawn: random.Random,
    accept: Callable[[MadeQuestion], bool] = lambda made: True,
) -> list[MadeQuestion]:
    """So many questions that are accepted, in turns from each document and kind of text, no text twice."""
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
            if pile and len(chosen) < count and accept(one := pile.pop()):
                chosen.append(one)
    return chosen


def _lowered(text: str) -> str:
    return text[0].lower() + text[1:]


def _is_money(fact: Fact | Gap) -> bool:
    return isinstance(fact, Fact) and any(one.unit in CURRENCIES for one in find_values(fact.value, "en")[1])


def _noun(key: str) -> str:
    """A key as it stands after an article in an English question: "unit", "price in EUR"; "" where it is no plain noun
    in the singular."""
    *words, last = key.split()
    if words and words[0].casefold() in _UNITS:
        words, last = [*words[1:], last], words[0]
    unit = last if last.casefold() in _UNITS else ""
    if not unit:
        words.append(last)
    words = words or ["amount"]
    plural = any(word.endswith("s") and not word.endswith(("ss", "us", "is")) for word in words)
    if not all(map(str.isalpha, words)) or len(words) > 4 or plural or any(word[0].isupper() for word in words[1:]):
        return ""
    if {words[0].casefold(), words[-1].casefold()} & _NO_NOUN or words[-1].endswith("ed"):
        return ""
    if words[0][1:].islower():
        words[0] = words[0].lower()
    return " ".join((*words, *((f"in {_MONEY.get(unit.casefold(), unit)}",) if unit else ())))
