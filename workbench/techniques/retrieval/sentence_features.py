"""Features of the sentences of the hits: how much of a question each holds, and whether it has what is asked for.

A sentence is compared by its words, those around it, those of its passage and of the headings above it; by cosines; by
the type of the answer; by its form and its place. Words are weighted by their rarity in the collection (inverse
document frequency, Spärck Jones 1972); function words do not count, and texts without spaces are compared by pairs of
characters. Cosines are measured from the embedder's own zero: the similarity of unrelated texts.

Only few sentences are embedded (``sentence_pick``). In another language than the question's few words can be compared:
names, figures and words that both languages share; cosines count more there.

Everything is computed from the hits that are given, so that it stays right where a search leaves some out.
"""

from __future__ import annotations

import difflib
import itertools
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workbench.records.messages import Passage
from workbench.techniques.embedding_calls import Retriever, TermStatistics
from workbench.techniques.retrieval.answer_types import (
    ATTRIBUTES,
    TOLD,
    asked_types,
    counted_noun,
    counted_thing,
    holds_type,
    value_places,
)
from workbench.techniques.retrieval.belonging_rows import belonging_rows
from workbench.techniques.retrieval.question_terms import figures_of, missing_figures, missing_names, names_of
from workbench.techniques.retrieval.sentence_columns import COLUMN, NAMES
from workbench.techniques.retrieval.sentence_pick import pick_sentences
from workbench.techniques.retrieval.sentence_units import Unit, split_units
from workbench.techniques.retrieval.told_words import ToldWords, with_head
from workbench.techniques.retrieval.versions import versions_among
from workbench.text.language import detect_language, detect_question_language, is_unspaced, split_words
from workbench.text.terms import Vocabulary

HITS_EXAMINED, HITS_SEARCHED = 8, 40
"""So many hits are examined, and of so many those in another language than the question as well: words put a passage in
the question's language first."""

BACKGROUND = (
    "She bought two loaves of bread at the market.",
    "The meeting was moved to Thursday afternoon.",
    "Heavy rain is expected along the coast tonight.",
    "He tuned the guitar before the concert began.",
)
"""Unrelated sentences: how similar any two texts are to this embedder."""

UNSEEN, UNSEEN_PAIR = 0.6, 0.3
"""Rarity of a word, and of a pair of characters, that occurs in no chunk."""

OTHER_CHUNKS = 100
"""So many chunks without the question's words are counted as well: how many of a few chunks hold a word says nothing
of how rare it is."""

RAREST = 2

MOST_ABOVE = 80
"""Characters of a passage's title and headings that are embedded before a sentence of it."""

_SHORTEST_MISSPELT = 5  # letters
_SPELT_ALIKE = 0.82  # ratio of difflib
_SHORTEST_KIN = 4  # letters
_SHARED_BEGINNING = 0.7
_NEAR, _COUNTED_NEAR = 4, 3  # words
_NEAR_CHARACTERS = 25
_WORD = re.compile(r"[^\W_]+")
_NUMERAL_WORDS = """two three four five six seven eight nine ten eleven twelve zwei drei vier fünf sechs sieben acht
neun zehn elf zwölf deux trois quatre cinq sept huit neuf dix onze douze dos tres cuatro cinco
seis siete ocho nueve diez once doce"""
NUMERALS = frozenset(_NUMERAL_WORDS.split())
_ASKING_WORDS = """many much wann viel viele wieviel wieviele welch welcher welche welches combien cuántos cuántas
cuánto cuánta please bitte tell know say dire pourriez vous puedes decir sagen kannst could give
anybody somebody etwas something
darf dürfen dürft kann können muss müssen soll sollen sollte dois doit devons doivent peut peux puis pouvons faut puedo
puede pueden podemos debo debe deben hay"""
_ASKING = frozenset(_ASKING_WORDS.split())
"""Words that ask, and are not in the answer."""

_MEASURE = re.compile(
    r"\b(how|wie) +(?:long|high|far|old|large|big|tall|deep|wide|fast|often|heavy|"
    r"lange?|hoch|weit|alt|groß|tief|breit|schnell|oft|schwer|teuer)\b",
    re.IGNORECASE,
)
"""Asks for a measure; the word itself is seldom in the answer."""


@dataclass(frozen=True)
class Comparison:
    """The sentences of the hits that a question was compared with.

    ``features`` (n, len(NAMES)) float64, of the ``chosen`` units; ``around`` those of all units that can be an answer,
    by the rank of their passage and their number in it, without cosines. ``asked``: the question's language, ``""``
    where it is not known. ``weights``: its content words with their rarity in (0, 1]; ``unseen``: those that occur
    nowhere in the collection. ``units`` have all units of each passage. ``zero``: the cosine of unrelated texts, and
    ``cosines`` (n,) those of the chosen ones with the question. ``belonging``: the rows that are of another thing for
    the one that is asked for, each with its name (``belonging_rows``).
    """

    chosen: tuple[Unit, ...]
    features: NDArray[np.float64]
    around: dict[tuple[int, int], NDArray[np.float64]]
    units: tuple[tuple[Unit, ...], ...]
    asked: str
    weights: dict[str, float]
    unseen: tuple[str, ...]
    zero: float
    cosines: NDArray[np.float64]
    belonging: dict[tuple[int, int], str] = field(default_factory=dict)

    def belongs(self, number: int) -> str:
        """The name that the chosen unit of that number only belongs to, "" where there is none."""
        return self.belonging.get((self.chosen[number].rank, self.chosen[number].number), "")

    def value(self, number: int, name: str) -> float:
        """A feature of the chosen unit of that number."""
        return float(self.features[number, COLUMN[name]])


@dataclass(frozen=True)
class Tabled:
    """The units of the hits that can be an answer, before any is embedded: ``features`` (n, len(NAMES)) of
    ``candidates``, without cosines. The rest is as in ``Comparison``."""

    question: str
    candidates: tuple[Unit, ...]
    features: NDArray[np.float64]
    units: tuple[tuple[Unit, ...], ...]
    asked: str
    weights: dict[str, float]
    unseen: tuple[str, ...]
    belonging: dict[tuple[int, int], str]


def compare(question: str, passages: Sequence[Passage], retriever: Retriever) -> Comparison:
    """Compare a question with the sentences of the best hits. Two calls of the retriever."""
    tabled = tabulate(question, passages, retriever)
    return embed(tabled, pick_sentences(tabled.features, tabled.candidates).first, retriever)


def tabulate(question: str, passages: Sequence[Passage], retriever: Retriever) -> Tabled:
    """What words and places tell of the sentences of the best hits. One call of the retriever."""
    languages = _languages(passages)
    asked = detect_question_language(question, ("en", *filter(None, languages)))
    if asked and asked not in languages and len(set(languages)) == 1 and not detect_language(question):
        asked = languages[0]  # a few words, which may be of any language
    examined = [n for n, language in enumerate(languages) if n < HITS_EXAMINED or language not in ("", asked)]
    passages, languages = [passages[n] for n in examined], [languages[n] for n in examined]
    units = [tuple(one) for one in split_units(passages)]
    only_stating = any(unit.states for its in units for unit in its)
    words = _Words(question, asked, retriever.count_terms(question))
    older, newer = versions_among(question, passages)
    rows: list[list[float]] = []
    candidates: list[Unit] = []
    for language in dict.fromkeys(languages):
        group = [one for one, its in zip(units, languages, strict=True) if its == language]
        for unit, values in words.compare(group, language, only_stating):
            values[COLUMN["older"]] = float(unit.passage.document in older)
            values[COLUMN["newer"]] = float(unit.passage.document in newer)
            candidates.append(unit)
            rows.append(values)
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(NAMES))
    best = max((p.score for p in passages), default=0.0)
    for row, unit in zip(table, candidates, strict=True):
        row[COLUMN["score"]] = unit.passage.score / best if best > 0 else 1.0
    weights, unseen = words.weights_of(asked or (languages[0] if languages else ""))
    belonging = belonging_rows(question, candidates, Vocabulary(asked))
    return Tabled(question, tuple(candidates), table, tuple(units), asked, weights, unseen, belonging)


def embed(tabled: Tabled, picked: Sequence[int], retriever: Retriever, before: Comparison | None = None) -> Comparison:
    """Compare the question with the ``picked`` candidates, by their numbers, after those that it was compared with
    ``before``. One call of the retriever."""
    around = {(unit.rank, unit.number): row for unit, row in zip(tabled.candidates, tabled.features, strict=True)}
    further = [tabled.candidates[number] for number in picked]
    chosen = (*(before.chosen if before is not None else ()), *further)
    table = np.array([around[unit.rank, unit.number] for unit in chosen], dtype=np.float64)
    table = table.reshape(len(chosen), len(NAMES))
    cosines, zero = _cosines(tabled.question, further, retriever, before)
    _add_cosines(chosen, table, cosines, zero)
    return Comparison(
        chosen, table, around, tabled.units, tabled.asked, tabled.weights, tabled.unseen, zero, cosines,
        tabled.belonging,
    )  # fmt: skip


def term_weights(question: str, vocabulary: Vocabulary, counts: TermStatistics) -> dict[str, float]:
    """The question's terms with their rarity in (0, 1]. One that occurs in no chunk is not the rarest of all: it may be
    another word for the same, and a pair of characters may belong to no word."""
    found = {stem: n for word, n in counts.terms.items() for stem in vocabulary.stems(word)}
    chunks = counts.chunks + OTHER_CHUNKS
    highest = math.log(1 + (chunks + 0.5) / 0.5)
    weights: dict[str, float] = {}
    asked = vocabulary.content_terms(_MEASURE.sub(r"\1", question)) or vocabulary.content_terms(question)
    asking = {stem for word in _ASKING for stem in vocabulary.stems(word)}
    terms = [term for term in asked if term not in asking] or asked
    for term in terms:
        n = min(found.get(term, 0), counts.chunks)
        if not n:
            weights[term] = UNSEEN_PAIR if is_unspaced(term) else UNSEEN
            continue
        weights[term] = math.log(1 + (chunks - n + 0.5) / (n + 0.5)) / highest
    return weights


class _Words:
    """A question's words, compared with units in one language at a time."""

    def __init__(self, question: str, asked: str, counts: TermStatistics) -> None:
        self._question, self._asked, self._counts = question, asked, counts
        self._types = asked_types(question)
        self._unasked = Vocabulary(asked)
        self._told = tuple(kind for kind in self._types if kind in TOLD)
        self._names, self._figures = names_of(question, asked), figures_of(question)
        self._told_words = ToldWords(question, self._told)

    def weights_of(self, language: str) -> tuple[dict[str, float], tuple[str, ...]]:
        """The question's terms in a language's stems, and those that the collection does not have."""
        vocabulary = Vocabulary(language)
        question = self._question
        if self._asked != language:
            kept = [w for w in split_words(question) if not self._unasked.is_function_word(w)]
            question = " ".join(kept) or question
        weights = term_weights(question, vocabulary, self._counts)
        seen = {stem for word, n in self._counts.terms.items() if n for stem in vocabulary.stems(word)}
        seen |= {vocabulary.stem(word) for word in self._told_words.words}
        return weights, tuple(term for term in weights if term not in seen)

    def compare(
        self, passages: Sequence[tuple[Unit, ...]], language: str, only_stating: bool
    ) -> list[tuple[Unit, list[float]]]:
        """The units that can be an answer, or with ``only_stating`` off all of them, each with its features."""
        vocabulary = Vocabulary(language)
        weights, _ = self.weights_of(language)
        stems = [[vocabulary.stems(unit.text) for unit in units] for units in passages]
        above = [
            [set(vocabulary.stems(f"{u.heading} {u.passage.title} {u.passage.context}")) for u in units]
            for units in passages
        ]
        everything = set().union(
            *(set(one) for units in stems for one in units), *(one for units in above for one in units)
        )
        forms = {term: {term} if term in everything else _misspellings(term, everything) for term in weights}
        kin = {term: forms[term] | _kin(term, everything) for term in weights}
        signs = self._told_words.add_to(kin, vocabulary)
        total = sum(weights.values()) or 1.0
        rarest = sorted(weights, key=lambda term: -weights[term])[:RAREST]
        noun = set(vocabulary.stems(counted_noun(self._question)))
        counted = set().union(*(kin.get(term, {term}) for term in noun)) if noun else set()
        measured = set(vocabulary.stems(counted_thing(self._question)))
        things = set().union(*(kin.get(term, {term}) for term in measured)) if measured else set()
        figures = {term for term in weights if term[0].isdigit()}
        order = list(weights)
        last, first = order[-1:], order[:1]
        documents: dict[str, set[str]] = {}
        whole_texts: dict[str, str] = {}
        for units, own_stems, headings in zip(passages, stems, above, strict=True):
            if units:
                passage = units[0].passage
                known = documents.setdefault(passage.document, set())
                known.update(*own_stems, *headings, *(signs(unit.text) for unit in units))
                whole_texts[passage.document] = f"{whole_texts.get(passage.document, '')}\n{_with_context(passage)}"
        hits = Counter(units[0].passage.document for units in passages if units)
        unnamed = {document: self._missing_names(text) for document, text in whole_texts.items()}
        other = float(bool(language and self._asked and language != self._asked))
        foreign = float(language not in ("en", ""))

        def share(present: set[str], of: dict[str, set[str]]) -> float:
            return sum(weight for term, weight in weights.items() if not present.isdisjoint(of[term])) / total

        found: list[tuple[Unit, list[float]]] = []
        for units, own_stems, headings in zip(passages, stems, above, strict=True):
            typed = [with_head(unit, units) for unit in units]
            sets = [set(one) | signs(text) for one, text in zip(own_stems, typed, strict=True)]
            whole = set().union(*sets)
            passage_share = share(whole, kin)
            for unit in units:
                if only_stating and not unit.states:
                    continue
                i = unit.number
                own, around = sets[i], set().union(*sets[max(0, i - 1) : i + 2])
                if unit.lead is not None:
                    around = around | sets[unit.lead]
                text = unit.text
                row = [0.0] * len(NAMES)

                def put(name: str, value: float, row: list[float] = row) -> None:
                    row[COLUMN[name]] = float(value)

                put("own", share(own, forms))
                put("around", share(around, forms))
                put("kin_own", share(own, kin))
                put("kin_around", share(around, kin))
                put("passage", passage_share)
                put("above", share(headings[i], kin))
                put("everywhere", share(around | headings[i], kin))
                put("rarest_own", any(not own.isdisjoint(kin[term]) for term in rarest))
                put("rarest_around", any(not (around | headings[i]).isdisjoint(kin[term]) for term in rarest))
                put("figures", len(figures & (around | headings[i])) / len(figures) if figures else 1.0)
                put("new_figures", any(s[0].isdigit() and s not in weights for s in own))
                put("asked", bool(self._types))
                met = [kind for kind in self._types if holds_type(typed[i], kind, self._question)]
                put("met", bool(met))
                put("missed", bool(self._types) and not met)
                for kind in self._types:
                    put(f"met_{kind}" if kind in met else f"missed_{kind}", 1.0)
                attributes = [kind for kind in self._types if kind in ATTRIBUTES]
                put("attribute_met", any(kind in met for kind in attributes))
                put("attribute_missed", any(kind not in met for kind in attributes))
                if counted:
                    at = [k for k, s in enumerate(own_stems[i]) if s in counted]
                    numbered = [k for k, s in enumerate(own_stems[i]) if s[0].isdigit() or s in NUMERALS]
                    beside = any(0 < k - j <= _COUNTED_NEAR for k in at for j in numbered)
                    lacking = bool(measured) and (around | headings[i]).isdisjoint(things)
                    put("counted_missed" if lacking or not beside else "counted_met", 1.0)
                    put("thing_missing", lacking and not other)
                missing = [w for term, w in weights.items() if (around | headings[i]).isdisjoint(kin[term])]
                put("heaviest_missing", max(missing, default=0.0))
                put("terms_missing", len(missing) / 5)
                put("length", math.log(1 + len(text) / 40))
                put("short", len(own_stems[i]) < 5)
                put(unit.kind if unit.kind in ("row", "item", "entry") else "unended", 1.0)
                if unit.kind == "sentence":
                    put("unended", not re.search(r"[.!?…。！？]\W*$", text))
                put("lead", text.rstrip("*_ ").endswith((":", "：")))
                put("anaphora", unit.kind == "sentence" and unit.lead is not None)
                put("first", unit.number == 0)
                put("rank", unit.rank / 5)
                put("first_hit", unit.rank == 0)
                content = [s for s in own if not vocabulary.is_function_word(s)]
                new = [s for s in content if not any(s in kin[term] for term in weights)]
                put("new", len(new) / max(1, len(content)))
                put("new_count", math.log(1 + len(new)))
                places = {term: [k for k, s in enumerate(own_stems[i]) if s in kin[term]] for term in order}
                put("pairs", _pairs(places, order))
                numbers = [k for k, s in enumerate(own_stems[i]) if s[0].isdigit() and s not in weights]
                near = [abs(k - j) <= _NEAR for k in numbers for term in order for j in places[term]]
                put("figure_near", any(near))
                put("recognised", unit.passage.recognised)
                unspaced = float(is_unspaced(text))
                put("unspaced", unspaced)
                near_by = around | headings[i]
                title = set(vocabulary.stems(unit.passage.title))
                put("title", share(title, kin))
                for name, term in (("first_term", first), ("last_term", last)):
                    put(name, any(not near_by.isdisjoint(kin[one]) for one in term))
                    put(f"{name}_own", any(not own.isdisjoint(kin[one]) for one in term))
                put("value_near", self._nearness(text, vocabulary, kin))
                put("untold", any(kind not in met for kind in self._told))
                put("names", bool(self._names))
                put("names_here", 1 - self._missing_names(f"{text} {unit.heading} {unit.passage.title}"))
                document = unit.passage.document
                put("names_document", 1 - unnamed[document])
                if self._figures:
                    told = f"{text} {unit.heading}"
                    put("figures_here", -len(missing_figures(self._figures, [told], language)) / len(self._figures))
                gone = [w for term, w in weights.items() if documents[document].isdisjoint(kin[term])]
                put("document", 1 - sum(gone) / total)
                put("document_missing", max(gone, default=0.0))
                put("document_hits", hits[document] / HITS_EXAMINED)
                put("both_sides", unit.passage.found_by == "both")
                put("superseded", bool(unit.passage.superseded_by))
                put("position", unit.number / len(units))
                if unit.kind == "row":
                    put(
                        "row_missing", max((w for term, w in weights.items() if own.isdisjoint(kin[term])), default=0.0)
                    )
                put("german", self._asked == "de")
                put("foreign", foreign)
                put("other", other)
                found.append((unit, row))
        return found

    def _missing_names(self, text: str) -> float:
        """The share of the question's names that a text lacks."""
        return len(missing_names(self._names, [text])) / len(self._names) if self._names else 0.0

    def _nearness(self, text: str, vocabulary: Vocabulary, kin: dict[str, set[str]]) -> float:
        """How near a value of the type that is asked for is to a word of the question, in (0, 1]; 0 without one."""
        values = value_places(text, self._types, self._question)
        if not values:
            return 0.0
        known = set().union(*kin.values()) if kin else set()
        words = [match.start() for match in _WORD.finditer(text) if vocabulary.stem(match.group().lower()) in known]
        return max((1 / (1 + abs(a - b) / _NEAR_CHARACTERS) for a in values for b in words), default=0.0)


def _with_context(passage: Passage) -> str:
    return f"{passage.text}\n{passage.title}\n{passage.context}"


def _cosines(
    question: str, units: Sequence[Unit], retriever: Retriever, before: Comparison | None
) -> tuple[NDArray[np.float64], float]:
    """The cosines of the units with the question, after those of the comparison ``before``, and that of unrelated
    texts."""
    if not units:
        return (before.cosines, before.zero) if before is not None else (np.zeros(0), 0.0)
    background = BACKGROUND if before is None else ()
    found = np.array(retriever.question_similarities(question, [*map(in_context, units), *background]))
    if before is not None:
        return np.concatenate([before.cosines, found]), before.zero
    return found[: len(units)], float(found[len(units) :].mean())


def _add_cosines(units: Sequence[Unit], table: NDArray[np.float64], cosines: NDArray[np.float64], zero: float) -> None:
    """Fill the columns of cosines. ``zero``: the cosine of unrelated texts."""
    if not units:
        return

    def above(cosine: float) -> float:
        return max(0.0, (cosine - zero) / max(1e-6, 1 - zero))

    def put(name: str, values: NDArray[np.float64] | Sequence[float]) -> None:
        table[:, COLUMN[name]] = values

    def get(name: str) -> NDArray[np.float64]:
        return np.asarray(table[:, COLUMN[name]])

    alike = np.array([above(one) for one in cosines])
    passages = np.array(
        [
            above(c if u.passage.similarity is None else u.passage.similarity)
            for u, c in zip(units, cosines, strict=True)
        ]
    )
    put("alike", alike)
    put("passage_alike", passages)
    for name, of in (("own_behind", "own"), ("around_behind", "kin_around"), ("everywhere_behind", "everywhere"),
                     ("alike_behind", "alike"), ("passage_behind", "passage_alike")):  # fmt: skip
        put(name, get(of).max() - get(of))
    other, foreign, unspaced = get("other"), get("foreign"), get("unspaced")
    put("other_alike", other * alike)
    put("other_passage", other * passages)
    put("other_behind", other * get("alike_behind"))
    put("other_own", other * get("kin_own"))
    put("other_rank", other * get("rank"))
    put("foreign_alike", foreign * alike)
    put("foreign_passage", foreign * passages)
    put("foreign_own", foreign * get("own"))
    put("unspaced_own", unspaced * get("own"))
    put("unspaced_around", unspaced * get("kin_around"))
    put("unspaced_alike", unspaced * alike)


def in_context(unit: Unit) -> str:
    """A unit's text as it is embedded: after the first line of its passage's context, and its heading."""
    above = unit.passage.context.partition("\n")[0][:MOST_ABOVE].strip()
    heading = "" if unit.heading in above else unit.heading
    return ": ".join(filter(None, (", ".join(filter(None, (above, heading))), unit.text)))


def _languages(passages: Sequence[Passage]) -> list[str]:
    """The language of each passage's document, as far as the hits show it."""
    texts: dict[str, str] = {}
    for passage in passages:
        texts[passage.document] = f"{texts.get(passage.document, '')}\n{passage.text}"
    known = {document: detect_language(text) for document, text in texts.items()}
    most = Counter(filter(None, known.values())).most_common(1)
    return [known[passage.document] or (most[0][0] if most else "") for passage in passages]


def _pairs(places: dict[str, list[int]], order: Sequence[str]) -> float:
    """The share of the question's neighbouring words that are near each other here as well."""
    pairs = list(itertools.pairwise(order))
    near = sum(any(abs(i - j) <= _NEAR for i in places[a] for j in places[b]) for a, b in pairs)
    return near / len(pairs) if pairs else 0.0


def _misspellings(term: str, stems: set[str]) -> set[str]:
    """The stems of which a word that occurs nowhere may be a misspelling."""
    if len(term) < _SHORTEST_MISSPELT or not term.isalpha():
        return set()
    near = [s for s in stems if s[:1] == term[:1] and abs(len(s) - len(term)) <= 2]
    return set(difflib.get_close_matches(term, near, n=3, cutoff=_SPELT_ALIKE))


def _kin(term: str, stems: set[str]) -> set[str]:
    """The stems that probably belong to the same word family: compounds with it, parts of it, other endings."""
    if len(term) < _SHORTEST_KIN or not term.isalpha():
        return set()
    beginning = term[: max(_SHORTEST_KIN, int(_SHARED_BEGINNING * len(term)))]
    return {
        stem
        for stem in stems
        if stem.startswith(beginning)
        or (len(term) > _SHORTEST_KIN and term in stem)
        or (len(stem) > _SHORTEST_KIN and stem in term)
    }
