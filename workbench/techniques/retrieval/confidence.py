"""Confidence: the estimated probability that an answer in the model's own words is right.

An answer can be said by a passage and still not answer the question. So it is compared with the sentences that match
the *question* best (``abstention``): an answer whose words come from them is more often right. Eight features are
added with equal weights (no fitted ones did better on other articles; Dawes 1979, "The robust beauty of improper linear
models"); ``benchmarks/fit_confidence.py`` fits the scale and the threshold:

    agreement   share of the answer's words, beyond the question's, in each sentence, weighted by softmax(8 strength)
    beginning   share of the first three of these words in the best sentence
    coverage    share of the best sentence's words, beyond the question's, that the answer has
    echo        share of the question's words that the answer repeats
    logprob     mean log-probability of the answer's tokens
    certainty   that of the words, beyond the question's, that stand in the two best sentences: by token, then by word
    rests       whether no sentence holds more of its words, beyond the question's, than the best one
    kind        whether it has what the question asks for: a value where that is a number or a time, a name where it is
                a person

``certainty`` is that of the words which may be the answer; what is written around them says less (Duan et al. 2023,
"Shifting Attention to Relevance", arXiv:2307.01379). Figures: docs/benchmarks.md, "Trust". Selective prediction: Kamath
et al. 2020, "Selective Question Answering under Domain Shift" (arXiv:2006.09462).
"""

from __future__ import annotations

import itertools
import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from workbench.techniques.retrieval.abstention import Sentence
from workbench.text.terms import Vocabulary
from workbench.text.values import find_values

UNSURE = 0.422
"""Below this an answer is marked as unsure. Chosen so that 7 % of the answers are wrong and not marked: of a model with
135 million parameters. It was not fitted on larger ones, for which an exam shifts the confidence (``fit_shift``)."""

_WEIGHT, _BIAS = 0.671, -1.789
_SHARPNESS = 8.0
_NO_LOGPROB, _NO_CERTAINTY = -1.0, -0.9
"""Where log-probabilities were not recorded: about the mean."""
_NO_WORD = -2.0
"""The certainty of an answer that takes no word from the best sentences."""
_POINTED_TO = 2
_WORD = re.compile(r"[^\W_][\w'’-]*")
_BEGINNING = 3
_ASKS_VALUE = re.compile(
    r"\b(?:how (?:many|much|long|old|far|often|high|large|big)|when|what (?:percentage|number|year|date)|which year"
    r"|wie (?:viele?|lange|alt|weit|oft|hoch|groß)|wann|wieviele?|combien|quand|quelle (?:date|année)"
    r"|cuánt[oa]s?|cuándo)\b",
    re.IGNORECASE,
)
_ASKS_PERSON = re.compile(r"\b(?:who|whom|whose|qui|quién(?:es)?)\b", re.IGNORECASE)


Spelled = Sequence[tuple[str, float]]
"""The texts of an answer's tokens with their log-probabilities."""


def estimate(
    question: str, answer: str, sentences: Sequence[Sentence], mean_logprob: float | None, spelled: Spelled = ()
) -> float | None:
    """The confidence in [0, 1]; None where there is no sentence to compare with. About a millisecond."""
    if not sentences or not answer.strip():
        return None
    value = _BIAS + _WEIGHT * sum(measure(question, answer, sentences, mean_logprob, spelled))
    return 1 / (1 + math.exp(-value))


def shifted(confidence: float, shift: float) -> float:
    """The confidence with ``shift`` added to its log-odds."""
    odds = confidence * math.exp(shift)
    return odds / (odds + 1 - confidence)


def fit_shift(graded: Sequence[tuple[float, bool]]) -> float:
    """The shift with which the mean confidence of graded answers is the share of right ones: the maximum of the
    likelihood, with one right and one wrong answer of confidence 0.5 added, so that few answers move it little.
    Recalibration of the intercept: Cox 1958, "Two further applications of a model for binary regression"."""
    pairs = [*graded, (0.5, True), (0.5, False)]
    right = sum(good for _, good in pairs)
    low, high = -12.0, 12.0
    for _ in range(40):
        middle = (low + high) / 2
        if sum(shifted(confidence, middle) for confidence, _ in pairs) < right:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def measure(
    question: str, answer: str, sentences: Sequence[Sentence], mean_logprob: float | None, spelled: Spelled = ()
) -> tuple[float, ...]:
    """The eight features, in the order of the module's table."""
    vocabulary = Vocabulary.of(s.text for s in sentences)
    asked = set(vocabulary.content_terms(question))
    added = [term for term in vocabulary.content_terms(answer) if term not in asked]
    stems = [vocabulary.stems(s.text) for s in sentences]
    strongest = max(s.strength for s in sentences)
    weights = [math.exp(_SHARPNESS * (s.strength - strongest)) for s in sentences]
    shares = [sum(term in set(one) for term in added) / len(added) if added else 0.0 for one in stems]
    agreement = sum(w * share for w, share in zip(weights, shares, strict=True)) / sum(weights)
    best = stems[max(range(len(sentences)), key=lambda i: sentences[i].strength)]
    own = [term for term in dict.fromkeys(best) if term not in asked]
    coverage = sum(term in own for term in added) / max(1, len(own))
    beginning = sum(term in best for term in added[:_BEGINNING]) / min(_BEGINNING, len(added)) if added else 0.0
    echo = len(asked & set(vocabulary.content_terms(answer))) / max(1, len(asked))
    strongest_first = sorted(range(len(sentences)), key=lambda i: -sentences[i].strength)[:_POINTED_TO]
    pointed_to = {term for i in strongest_first for term in stems[i]} - asked
    logprob = mean_logprob if mean_logprob is not None else _NO_LOGPROB
    strongest_share = shares[max(range(len(sentences)), key=lambda i: sentences[i].strength)]
    return (
        agreement,
        beginning,
        coverage,
        echo,
        logprob,
        _certainty(spelled, pointed_to, vocabulary),
        float(bool(added) and strongest_share >= max(shares)),
        float(_is_of_kind(question, answer, asked, vocabulary)),
    )


def _is_of_kind(question: str, answer: str, asked: set[str], vocabulary: Vocabulary) -> bool:
    if _ASKS_VALUE.search(question):
        said = find_values(question, vocabulary.language)[1]
        return any(not any(one.equals(s) for s in said) for one in find_values(answer, vocabulary.language)[1])
    if _ASKS_PERSON.search(question) and vocabulary.language not in ("de", "zh", "ja"):
        return any(vocabulary.stem(name) not in asked for name in vocabulary.names(f"x {answer}"))
    return True


def _certainty(spelled: Spelled, pointed_to: set[str], vocabulary: Vocabulary) -> float:
    """The mean log-probability of the words that are among ``pointed_to``, each the mean of its tokens."""
    if not spelled:
        return _NO_CERTAINTY
    ends = list(itertools.accumulate(len(text) for text, _ in spelled))
    words: list[float] = []
    for word in _WORD.finditer("".join(text for text, _ in spelled)):
        terms = vocabulary.content_terms(word.group())
        if terms and terms[0] in pointed_to:
            first, last = bisect_right(ends, word.start()), bisect_left(ends, word.end())
            tokens = [logprob for _, logprob in spelled[first : last + 1]]
            words.append(sum(tokens) / len(tokens))
    return sum(words) / len(words) if words else _NO_WORD
