"""Confidence: the estimated probability that an answer in the model's own words is right.

An answer can be said by a passage and still not answer the question. So it is compared with the sentences that match
the *question* best (``abstention``): an answer whose words come from them is more often right. Five features are
added with equal weights (no fitted ones did better on other articles; Dawes 1979, "The robust beauty of improper linear
models"); ``benchmarks/fit_confidence.py`` fits the scale and the threshold:

    agreement   share of the answer's words, beyond the question's, in each sentence, weighted by softmax(8 strength)
    beginning   share of the first three of these words in the best sentence
    coverage    share of the best sentence's words, beyond the question's, that the answer has
    echo        share of the question's words that the answer repeats
    logprob     mean log-probability of the answer's tokens

Figures: docs/benchmarks.md, "Trust". Selective prediction: Kamath et al. 2020, "Selective Question Answering under
Domain Shift" (arXiv:2006.09462).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.techniques.retrieval.abstention import Sentence
from workbench.text.terms import Vocabulary

UNSURE = 0.458
"""Below this an answer is marked as unsure."""

_WEIGHT, _BIAS = 1.22, -1.816
_SHARPNESS = 8.0
_NO_LOGPROB = -1.0
_BEGINNING = 3


def estimate(question: str, answer: str, sentences: Sequence[Sentence], mean_logprob: float | None) -> float | None:
    """The confidence in [0, 1]; None where there is no sentence to compare with. About a millisecond."""
    if not sentences or not answer.strip():
        return None
    value = _BIAS + _WEIGHT * sum(measure(question, answer, sentences, mean_logprob))
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


def measure(question: str, answer: str, sentences: Sequence[Sentence], mean_logprob: float | None) -> tuple[float, ...]:
    """The five features, in the order of the module's table."""
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
    return agreement, beginning, coverage, echo, mean_logprob if mean_logprob is not None else _NO_LOGPROB
