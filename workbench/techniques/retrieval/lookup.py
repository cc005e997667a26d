"""Lookup: the searches that a question needs, and the sentences of their passages that answer it, without a model.

A question of two steps ("When was the house built that Mies designed?") names something that only a first passage
tells. So the second search asks for what the best sentence of the first one leaves open: the words of the question that
it does not hold, with the names and numbers that it adds. The answer quotes the two best sentences of the first search
and the best new one of each further search. Iterated retrieval: Qi et al. 2019, "Answering Complex Open-domain
Questions Through Iterative Query Generation" (GoldEn Retriever, arXiv:1910.07000).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.records.messages import Passage
from workbench.records.outcomes import Reason
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.retrieval.abstention import Sentence, measure_evidence
from workbench.techniques.retrieval.doubt_texts import weak_reason
from workbench.techniques.retrieval.quoting import Quotes, quote_all
from workbench.techniques.retrieval.second_search import added_names
from workbench.techniques.retrieval.sentence_features import term_weights
from workbench.text.language import detect_language
from workbench.text.sentences import split_sentences
from workbench.text.terms import Vocabulary

LEAST_COVERED = 0.6
"""Share of the question's words, by their rarity, that the sentences of all searches and those beside them hold: from
here on they are taken for an answer, although the first search alone would not be."""

SENTENCES_OF_FIRST = 2
"""So many at most are quoted of the first search, the second where the choice of one place would show it as well, and
one of each further."""

_WORD = re.compile(r"[^\W_][\w'’-]*")


class Lookup:
    """The searches of one ``question``. After each, ``add`` takes its passages, numbered as they are shown."""

    def __init__(self, question: str, retriever: Retriever) -> None:
        self._question, self._retriever = question, retriever
        self._sentences: list[Sentence] = []
        self._best: list[Sentence | None] = []
        self._suffices = False
        self._reasons: tuple[Reason, ...] = ()

    def next_query(self) -> str:
        """What to search for next; "" when nothing of the question is left open."""
        if not self._best:
            return self._question
        newest = self._best[-1]
        if newest is None:
            return ""
        vocabulary = Vocabulary.of([newest.passage.text])
        asked = set(vocabulary.content_terms(self._question))
        told = {stem for one in self._best if one is not None for stem in vocabulary.stems(one.text)}
        left = [word for word in _WORD.findall(self._question) if not _terms(vocabulary, word) <= told]
        if not left:
            return ""
        names = added_names(self._question, newest.text)
        added = [name for name in names if (terms := _terms(vocabulary, name)) and not terms & asked]
        return " ".join((*left, *added))

    def add(self, query: str, passages: Sequence[Passage]) -> None:
        """Take the passages that a search has found. Two calls of the retriever, about 0.1 s."""
        evidence = measure_evidence(query, passages, self._retriever)
        stating = [one for one in evidence.sentences if one.states] or list(evidence.sentences)
        known = {_place(one) for one in self._sentences}
        new = [one for one in stating if _place(one) not in known]
        if not self._best:
            self._suffices, self._reasons = evidence.suffices, evidence.reasons
        self._sentences += new[:1]
        if not self._best:
            self._sentences += [one for one in new[1:SENTENCES_OF_FIRST] if one.shown]
        self._best.append(new[0] if new else None)

    @property
    def suffices(self) -> bool:
        """Whether the sentences hold an answer: the first search does, or together they cover the question."""
        if not self._sentences:
            return False
        return self._suffices or self._covered() >= LEAST_COVERED

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Those that are the answer, in the order of their searches."""
        return tuple(self._sentences)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why the first search may not hold the answer by itself; () where it does."""
        return self._reasons or (() if self._suffices else (weak_reason(detect_language(self._question)),))

    def quotes(self, shown: Sequence[Passage]) -> Quotes | None:
        """The sentences, quoted with the numbers of ``shown``, in the order of their searches; None without any."""
        return quote_all(self._sentences, shown)

    def _covered(self) -> float:
        vocabulary = Vocabulary.of(one.text for one in self._sentences)
        weights = term_weights(self._question, vocabulary, self._retriever.count_terms(self._question))
        held = {stem for one in self._sentences for stem in vocabulary.stems(_with_neighbours(one))}
        total = sum(weights.values())
        return sum(weight for term, weight in weights.items() if term in held) / total if total else 0.0


def _terms(vocabulary: Vocabulary, word: str) -> set[str]:
    return set(vocabulary.content_terms(word))


def _place(sentence: Sentence) -> tuple[str, int, int]:
    return sentence.passage.document, sentence.passage.start, sentence.start


def _with_neighbours(sentence: Sentence) -> str:
    spans = split_sentences(sentence.passage.text)
    place = next((n for n, span in enumerate(spans) if span[0] == sentence.start), 0)
    near = spans[max(0, place - 1) : place + 2]
    return sentence.passage.text[near[0][0] : near[-1][1]] if near else sentence.text
