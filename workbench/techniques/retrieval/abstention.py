"""Abstention: whether the documents hold the answer, decided before a word of it is generated.

Similarity alone does not decide it: passages about the same subject are similar whether or not they answer. So a
question is compared with single sentences of the hits, and its *evidence* is that of the best one:

    0.5 (share of the question's words in the sentence) + 0.5 (the same, with the sentences beside it)
    + 0.5 (cosine of question and sentence) + 0.5 (cosine of question and passage)

in [0, 2]. Words are weighted by their rarity in the collection (inverse document frequency, Spärck Jones 1972);
function words do not count. Cosines are measured from the embedder's own zero: the similarity of unrelated texts. Below
``LEAST_EVIDENCE`` the system abstains.

The four weights and the threshold were fitted by ``benchmarks/fit_decline.py``: the optimum is flat (equal weights are
within a point of the best), and a logistic regression over thirty features, gradient boosting, or the language model's
own likelihood of the question (Ponte and Croft 1998; Sachan et al. 2022, arXiv:2204.07496) gained nothing that held on
other articles. Figures: docs/benchmarks.md.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence

from msgspec import Struct

from workbench.records.messages import Passage
from workbench.techniques.retrieval.embedding_calls import Retriever, TermStatistics
from workbench.text.language import detect_language
from workbench.text.sentences import split_sentences
from workbench.text.terms import Vocabulary

LEAST_EVIDENCE = 0.72
"""Threshold of abstention. Of answerable questions 3 % lie below it on xquad-en, 5 % on xquad-de, 4 % on xquad-zh."""

LEAST_EVIDENCE_ELSEWHERE = 0.20
"""The threshold where question and passages are in different languages, whose words cannot be compared. Of English
questions to German paragraphs 3 % lie below it."""

HITS_EXAMINED = 5
SENTENCES_EXAMINED = 6
"""Sentences are compared by words first; only so many are embedded (the result is the same as with all)."""

_SHORTEST_MISSPELT = 5  # letters
_SPELT_ALIKE = 0.82  # ratio of difflib

BACKGROUND = (
    "She bought two loaves of bread at the market.",
    "The meeting was moved to Thursday afternoon.",
    "Heavy rain is expected along the coast tonight.",
    "He tuned the guitar before the concert began.",
)
"""Unrelated sentences: how similar any two texts are to this embedder."""


class Sentence(Struct, frozen=True, kw_only=True):
    """A sentence compared with a question: shares of the question's words in [0, 1], cosines from zero in [0, 1].
    ``start`` and ``end`` are its place in the passage's text."""

    text: str
    own_words: float
    words_around: float
    alike: float
    passage_alike: float
    passage: Passage
    start: int = 0
    end: int = 0

    @property
    def strength(self) -> float:
        return 0.5 * (self.own_words + self.words_around + self.alike + self.passage_alike)


class Evidence(Struct, frozen=True, kw_only=True):
    """The evidence for an answer in the hits. ``strength`` in [0, 2] is that of the best of ``sentences``, which are
    ordered by strength; () where the question has no content word."""

    strength: float
    needed: float
    sentences: tuple[Sentence, ...] = ()

    @property
    def sentence(self) -> str:
        """The best sentence."""
        return self.sentences[0].text if self.sentences else ""

    @property
    def suffices(self) -> bool:
        return self.strength >= self.needed


def measure_evidence(question: str, hits: Sequence[Passage], retriever: Retriever) -> Evidence:
    """Compare a question with the sentences of the best hits. Two calls of the retriever, about 0.1 s."""
    examined = hits[:HITS_EXAMINED]
    vocabulary = Vocabulary.of(p.text for p in examined)
    if examined and not vocabulary.content_terms(question):
        return Evidence(
            strength=2.0, needed=LEAST_EVIDENCE
        )  # no content word that could be missing: "and what about it?"
    found = sorted(examine(question, examined, vocabulary, retriever), key=lambda s: -s.strength)
    if not found:
        return Evidence(strength=0.0, needed=LEAST_EVIDENCE)
    return Evidence(strength=found[0].strength, needed=_needed(question, vocabulary), sentences=tuple(found))


def examine(question: str, passages: Sequence[Passage], vocabulary: Vocabulary, retriever: Retriever) -> list[Sentence]:
    """The sentences with most of a question's words, compared with it."""
    best = _best_by_words(term_weights(question, vocabulary, retriever.count_terms(question)), passages, vocabulary)
    if not best:
        return []
    cosines = retriever.similarities([question], [*(p.text[a:b] for p, (a, b), _, _ in best), *BACKGROUND])[0]
    zero = sum(cosines[len(best) :]) / len(BACKGROUND)
    return [
        Sentence(
            text=passage.text[start:end],
            own_words=own,
            words_around=around,
            alike=_above(zero, cosine),
            passage_alike=_above(zero, cosine if passage.similarity is None else passage.similarity),
            passage=passage,
            start=start,
            end=end,
        )
        for (passage, (start, end), own, around), cosine in zip(best, cosines, strict=False)
    ]


def term_weights(question: str, vocabulary: Vocabulary, counts: TermStatistics) -> dict[str, float]:
    """The question's terms with their rarity in (0, 1]; 1 is a word that occurs in no chunk."""
    found = {stem: n for word, n in counts.terms.items() for stem in vocabulary.stems(word)}
    highest = math.log(1 + (counts.chunks + 0.5) / 0.5)
    weights: dict[str, float] = {}
    for term in vocabulary.content_terms(question):
        n = min(found.get(term, 0), counts.chunks)
        weights[term] = math.log(1 + (counts.chunks - n + 0.5) / (n + 0.5)) / highest
    return weights


def _best_by_words(
    weights: dict[str, float], passages: Sequence[Passage], vocabulary: Vocabulary
) -> list[tuple[Passage, tuple[int, int], float, float]]:
    """The sentences with most of the question's words: passage, place, share in it, share in it and its neighbours."""
    split = [(p, split_sentences(p.text)) for p in passages]
    stems = [[set(vocabulary.stems(p.text[a:b])) for a, b in spans] for p, spans in split]
    everything = set().union(*(one for sentences in stems for one in sentences))
    forms = {term: {term} if term in everything else _misspellings(term, everything) for term in weights}
    total = sum(weights.values())

    def share(present: set[str]) -> float:
        return sum(weight for term, weight in weights.items() if present & forms[term]) / total

    found: list[tuple[Passage, tuple[int, int], float, float]] = []
    for (passage, spans), own in zip(split, stems, strict=True):
        for i, span in enumerate(spans):
            around = set().union(*own[max(0, i - 1) : i + 2])
            found.append((passage, span, share(own[i]), share(around)))
    found.sort(key=lambda one: -(one[2] + one[3]))
    return found[:SENTENCES_EXAMINED]


def _misspellings(term: str, stems: set[str]) -> set[str]:
    """The stems of which a word that occurs nowhere may be a misspelling."""
    if len(term) < _SHORTEST_MISSPELT or not term.isalpha():
        return set()
    near = [s for s in stems if s[:1] == term[:1] and abs(len(s) - len(term)) <= 2]
    return set(difflib.get_close_matches(term, near, n=3, cutoff=_SPELT_ALIKE))


def _above(zero: float, cosine: float) -> float:
    """A cosine measured from that of unrelated texts."""
    return max(0.0, (cosine - zero) / max(1e-6, 1 - zero))


def _needed(question: str, vocabulary: Vocabulary) -> float:
    asked = detect_language(question)
    if asked and vocabulary.language and asked != vocabulary.language:
        return LEAST_EVIDENCE_ELSEWHERE
    return LEAST_EVIDENCE
