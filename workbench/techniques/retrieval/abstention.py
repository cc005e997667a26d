"""Abstention: whether the documents hold the answer, decided before a word of it is generated.

Similarity alone does not decide it: passages about the same subject are similar whether or not they answer. So a
question is compared with single sentences of the hits, and its *evidence* is that of the best one, a weighted sum
(``WEIGHTS``) in [0, 2] of

    share of the question's words in the sentence
    the same, with the sentences beside it
    the same, where words of one family count as well: compounds, other endings ("Vertrag", "Mietvertrages")
    cosine of question and sentence
    cosine of question and passage

less ``RAREST_MISSING`` where neither of the question's two rarest words stands in the sentence or beside it: what is
asked about is then not named. A heading names the subject of a question and answers none: its evidence does not count.

Words are weighted by their rarity in the collection (inverse document frequency, Spärck Jones 1972); function words do
not count, and texts without spaces are compared by pairs of characters. Cosines are measured from the embedder's own
zero: the similarity of unrelated texts. Below a threshold per language the system abstains. Where question and passages
are in different languages nothing of this can be compared: the system then abstains only where there is next to no
evidence, and the answer says that it was not judged.

Weights and thresholds were fitted by ``benchmarks/fit_decline.py`` on English, German and Chinese together, with folds
by article: the optimum is flat, and one set of weights does for all three. A logistic regression over thirty features,
gradient boosting, or the language model's own likelihood of the question (Ponte and Croft 1998; Sachan et al. 2022,
arXiv:2204.07496) gained nothing that held on other articles. Figures: docs/benchmarks.md.
"""

from __future__ import annotations

import difflib
import math
import re
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from workbench.records.messages import Passage
from workbench.techniques.embedding_calls import Retriever, TermStatistics
from workbench.text.language import detect_language, detect_question_language, is_unspaced
from workbench.text.sentences import is_heading, split_sentences
from workbench.text.terms import Vocabulary

LEAST_EVIDENCE = {"en": 0.852, "zh": 0.865, "": 0.77}
"""Thresholds of abstention by the language of the passages; "" is that of all others, fitted on German. In each of the
three about 4 % of the answerable questions of XQuAD lie below; English: 3.6 % on articles that it was not chosen on."""

LEAST_EVIDENCE_ELSEWHERE = 0.05
"""The threshold where question and passages are in different languages, whose words cannot be compared."""

HITS_EXAMINED = 5
SENTENCES_EXAMINED = 6
"""Sentences are compared by words first; only so many are embedded (the result is the same as with all)."""

_SHORTEST_MISSPELT = 5  # letters
_SPELT_ALIKE = 0.82  # ratio of difflib
_MEASURE = re.compile(
    r"\b(how|wie) +(?:long|high|far|old|large|big|tall|deep|wide|fast|often|heavy|"
    r"lange?|hoch|weit|alt|groß|tief|breit|schnell|oft|schwer|teuer)\b",
    re.IGNORECASE,
)
"""Asks for a measure; the word itself is seldom in the answer."""

_SHORTEST_KIN = 4  # letters
_SHARED_BEGINNING = 0.7

WEIGHTS = (0.25, 0.2, 0.6, 0.7, 0.25)
"""Of the five parts of ``Sentence.evidence``."""

RAREST, RAREST_MISSING = 2, 0.1
"""So many of the question's rarest words are looked for, and so much less is the evidence where all of them miss."""

UNSEEN, UNSEEN_PAIR = 0.6, 0.3
"""Rarity of a word, and of a pair of characters, that occurs in no chunk."""

OTHER_CHUNKS = 100
"""So many chunks without the question's words are counted as well: how many of a few chunks hold a word says nothing
of how rare it is."""

BACKGROUND = (
    "She bought two loaves of bread at the market.",
    "The meeting was moved to Thursday afternoon.",
    "Heavy rain is expected along the coast tonight.",
    "He tuned the guitar before the concert began.",
)
"""Unrelated sentences: how similar any two texts are to this embedder."""


class Sentence(Struct, frozen=True, kw_only=True):
    """A sentence compared with a question: shares of the question's words in [0, 1], cosines from zero in [0, 1].
    ``start`` and ``end`` are its place in the passage's text. ``names_subject``: one of the question's rarest words
    stands in it or beside it.

    ``strength`` orders the sentences of one question; ``evidence`` is compared between questions."""

    text: str
    own_words: float
    words_around: float
    kin_around: float = 0.0
    alike: float
    passage_alike: float
    passage: Passage
    start: int = 0
    end: int = 0
    names_subject: bool = True

    @property
    def states(self) -> bool:
        """Whether it is more than a heading."""
        return not is_heading(self.passage.text, self.start, self.end, self.passage.start == 0)

    @property
    def strength(self) -> float:
        return 0.5 * (self.own_words + self.words_around + self.alike + self.passage_alike)

    @property
    def evidence(self) -> float:
        parts = (self.own_words, self.words_around, self.kin_around, self.alike, self.passage_alike)
        lacking = 0.0 if self.names_subject else RAREST_MISSING
        return max(0.0, sum(weight * part for weight, part in zip(WEIGHTS, parts, strict=True)) - lacking)


class Evidence(Struct, frozen=True, kw_only=True):
    """The evidence for an answer in the hits. ``strength`` in [0, 2] is the most of that of ``sentences``, which are
    ordered by their own strength; () where the question has no content word. Headings count only where there is nothing
    else. ``judged`` is False where question and passages are in different languages."""

    strength: float
    needed: float
    sentences: tuple[Sentence, ...] = ()
    judged: bool = True

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
    vocabulary, judged = _common_vocabulary(question, examined)
    needed = LEAST_EVIDENCE.get(vocabulary.language, LEAST_EVIDENCE[""]) if judged else LEAST_EVIDENCE_ELSEWHERE
    if examined and not vocabulary.content_terms(question):
        # no content word that could be missing: "and what about it?"
        return Evidence(strength=2.0, needed=needed)
    found = sorted(examine(question, examined, vocabulary, retriever), key=lambda s: -s.strength)
    stating = [s for s in found if s.states] or found
    strength = max((s.evidence for s in stating), default=0.0)
    return Evidence(strength=strength, needed=needed, sentences=tuple(found), judged=judged)


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
            own_words=shares[0],
            words_around=shares[1],
            kin_around=shares[2],
            alike=_above(zero, cosine),
            passage_alike=_above(zero, cosine if passage.similarity is None else passage.similarity),
            passage=passage,
            start=start,
            end=end,
            names_subject=named,
        )
        for (passage, (start, end), shares, named), cosine in zip(best, cosines, strict=False)
    ]


def term_weights(question: str, vocabulary: Vocabulary, counts: TermStatistics) -> dict[str, float]:
    """The question's terms with their rarity in (0, 1]. One that occurs in no chunk is not the rarest of all: it may be
    another word for the same, and a pair of characters may belong to no word."""
    found = {stem: n for word, n in counts.terms.items() for stem in vocabulary.stems(word)}
    chunks = counts.chunks + OTHER_CHUNKS
    highest = math.log(1 + (chunks + 0.5) / 0.5)
    weights: dict[str, float] = {}
    terms = vocabulary.content_terms(_MEASURE.sub(r"\1", question)) or vocabulary.content_terms(question)
    for term in terms:
        n = min(found.get(term, 0), counts.chunks)
        if not n:
            weights[term] = UNSEEN_PAIR if is_unspaced(term) else UNSEEN
            continue
        weights[term] = math.log(1 + (chunks - n + 0.5) / (n + 0.5)) / highest
    return weights


def _best_by_words(
    weights: dict[str, float], passages: Sequence[Passage], vocabulary: Vocabulary
) -> list[tuple[Passage, tuple[int, int], tuple[float, float, float], bool]]:
    """The sentences with most of the question's words: passage, place, the shares of the words in it, in it with its
    neighbours, and there with kin words; and whether one of the rarest words is there."""
    split = [(p, split_sentences(p.text)) for p in passages]
    stems = [[set(vocabulary.stems(p.text[a:b])) for a, b in spans] for p, spans in split]
    everything = set().union(*(one for sentences in stems for one in sentences))
    forms = {term: {term} if term in everything else _misspellings(term, everything) for term in weights}
    kin = {term: forms[term] | _kin(term, everything) for term in weights}
    total = sum(weights.values())
    rarest = sorted(weights, key=lambda term: -weights[term])[:RAREST]

    def share(present: set[str], of: dict[str, set[str]]) -> float:
        return sum(weight for term, weight in weights.items() if present & of[term]) / total

    found: list[tuple[Passage, tuple[int, int], tuple[float, float, float], bool]] = []
    for (passage, spans), own in zip(split, stems, strict=True):
        for i, span in enumerate(spans):
            around = set().union(*own[max(0, i - 1) : i + 2])
            shares = share(own[i], forms), share(around, forms), share(around, kin)
            found.append((passage, span, shares, any(around & forms[term] for term in rarest)))
    found.sort(key=lambda one: -sum(one[2]))
    return found[:SENTENCES_EXAMINED]


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


def _above(zero: float, cosine: float) -> float:
    """A cosine measured from that of unrelated texts."""
    return max(0.0, (cosine - zero) / max(1e-6, 1 - zero))


def _common_vocabulary(question: str, passages: Sequence[Passage]) -> tuple[Vocabulary, bool]:
    """The vocabulary to compare a question with passages, and whether any of these is in the question's language."""
    languages = Counter(filter(None, (detect_language(p.text) for p in passages)))
    asked = detect_question_language(question, ("en", *languages))
    if asked in languages:
        return Vocabulary(asked), True
    return Vocabulary.of(p.text for p in passages), not (asked and languages)
