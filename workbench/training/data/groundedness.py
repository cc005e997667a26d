"""Whether a passage supports an answer to a question: the check of pairs that a model made.

A pair is taken only if all of this holds; the first that does not is the reason:

- the answer says something that the question does not say already;
- every number and every name in it stands in the passage (names: or in the question), near what else it says;
- its words do: those of a short answer all, in one or two sentences that follow each other; of each sentence of a
  longer one most;
- it is an answer of the kind that the question asks for (a number to "how many", no bare number to "who");
- the sentences that it rests on are those that the question is about: of the question's words they hold nearly as many
  as the best sentences of the passage do.

No model is asked: a small one that writes false pairs does not find them. Overlap as evidence of support is what
``retrieval.citing`` measures, too; Honovich et al. 2022, "TRUE", arXiv:2204.04991, compare it with trained checkers.
Figures: docs/finetuning.md, made by benchmarks/checked_pairs.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

import msgspec

from workbench.base.catalogue import Shown
from workbench.text.language import is_unspaced, split_words
from workbench.text.sentences import split_sentences
from workbench.text.terms import Vocabulary

LEAST_SHARE = 0.7
"""Of the words of each sentence of a long answer, weighted: this much stands in the passage."""

LEAST_RELATION = 0.5
"""The words that question and answer's sentences share, over those that it shares with the best sentences."""

NEAR = 0.4
"""The weight of a word of the question that stands in a sentence beside the answer's."""

SHORT_ANSWER_TERMS = 5

_COUNTED = re.compile(
    r"\bhow (?:many|much|old|long|far|tall|large|big|fast|often)\b|\bwhat (?:percentage|number)\b", re.I
)
_DATED = re.compile(r"\b(?:what|which) (?:year|century|decade|date)\b", re.I)
_PERSON = re.compile(r"^\W*(?:who|whom|whose|where|why)\b", re.I)
_WORD = re.compile(r"[^\W\d_]{2,}")
_BESIDE_DIGITS = re.compile(r"(?<=[^\d\s.,])(?=\d)|(?<=\d)(?=[^\d\s.,])")
_AMOUNT = frozenset({
    "all", "any", "both", "dozen", "dozens", "each", "every", "few", "half", "hundred", "hundreds", "little", "many",
    "million", "millions", "billion", "billions", "most", "much", "never", "no", "none", "often", "one", "once",
    "twice", "quarter", "several", "some", "third", "thirds", "thousand", "thousands",
})  # fmt: skip


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """``reason`` says why not. ``start`` and ``end`` are the place in the passage that the answer rests on."""

    supported: bool
    reason: Shown = ""
    start: int = 0
    end: int = 0


class PassageCheck:
    """A passage against which several pairs are checked. One thread at a time."""

    def __init__(self, passage: str) -> None:
        self._passage = passage
        self._vocabulary = Vocabulary.of([passage])
        self._spans = split_sentences(passage)
        self._sentences = [self._vocabulary.stems(passage[a:b]) for a, b in self._spans]
        self._everything = {stem for sentence in self._sentences for stem in sentence}

    def check(self, question: str, answer: str) -> Verdict:
        words = self._vocabulary
        asked = set(words.content_terms(question))
        terms = words.content_terms(answer)
        content_terms = [term for term in terms if term not in asked]
        stems = words.stems(answer)
        named = self._names(answer)
        if not stems:
            return _not("the answer has no content")
        if not content_terms and (terms or not self._place_of(stems)):
            return _not("the answer only repeats the question")
        numbers = _numbers(answer, words)
        if missing := numbers - self._numbers:
            return _not(f"the passage does not say {', '.join(sorted(missing))}")
        if strange := named - self._everything - asked:
            return _not(f"the passage does not name {min(strange)}")
        places = self._support(stems, terms, answer, numbers | (named - asked))
        if not places:
            return _not("the passage does not say this")
        if fault := _kind_fault(question, answer, words):
            return _not(fault)
        best = max((self._relation(asked, [i]) for i in range(len(self._sentences))), default=0.0)
        related = max(places, key=lambda place: self._relation(asked, place))
        if asked and self._relation(asked, related) < LEAST_RELATION * best:
            return _not("the passage says it of something else")
        if asked and not best:
            return _not("the passage is not about the question")
        return Verdict(supported=True, start=self._spans[related[0]][0], end=self._spans[related[-1]][1])

    @cached_property
    def _numbers(self) -> set[str]:
        return _numbers(self._passage, self._vocabulary)

    def _names(self, answer: str) -> set[str]:
        """The stems of names. In German of all nouns: which of them are names is not to be seen."""
        words = self._vocabulary
        if words.language == "de":
            capitalised = " ".join(word for word in _WORD.findall(answer)[1:] if word[0].isupper())
            return set(words.content_terms(capitalised))
        return {words.stem(name) for name in words.names(f"x {answer}")}  # the first word counts as well

    def _place_of(self, stems: Sequence[str]) -> list[int]:
        """The sentences in which these stems stand one after the other."""
        count = len(stems)
        return [
            number
            for number, sentence in enumerate(self._sentences)
            if any(sentence[i : i + count] == list(stems) for i in range(len(sentence) - count + 1))
        ]

    def _support(self, stems: Sequence[str], terms: Sequence[str], answer: str, sure: set[str]) -> list[list[int]]:
        """The places that an answer may rest on: sentences, by number. What is ``sure`` stands there or beside them."""
        if exact := self._place_of(stems):
            return [[number] for number in exact]
        if len(terms) <= SHORT_ANSWER_TERMS:
            return self._holding(set(terms)) if terms else []
        found: list[int] = []
        for start, end in split_sentences(answer):
            part = self._vocabulary.content_terms(answer[start:end])
            if not part:
                continue
            share, number = max(
                (len(set(part) & self._around(n, 2)) / len(part), -n) for n in range(len(self._sentences))
            )
            near = self._around(max(0, -number - 1), 4)
            if share < LEAST_SHARE or not sure.intersection(part) <= near:
                return []
            found.append(-number)
        return [[n] for n in found]

    def _holding(self, terms: set[str]) -> list[list[int]]:
        """Single sentences that hold all terms, else pairs of neighbours."""
        single = [[n] for n, sentence in enumerate(self._sentences) if terms <= set(sentence)]
        return single or [[n, n + 1] for n in range(len(self._sentences) - 1) if terms <= self._around(n, 2)]

    def _around(self, number: int, count: int) -> set[str]:
        return {stem for sentence in self._sentences[number : number + count] for stem in sentence}

    def _relation(self, wanted: set[str], place: Sequence[int]) -> float:
        """The share of the question's words in some sentences and, weighted less, in their neighbours."""
        if not wanted:
            return 0.0
        own = {stem for number in place for stem in self._sentences[number]}
        first, last = max(0, place[0] - 1), place[-1] + 1
        near = {stem for sentence in self._sentences[first : last + 1] for stem in sentence}
        return sum(1.0 if term in own else NEAR if term in near else 0.0 for term in wanted) / len(wanted)


def _not(reason: str) -> Verdict:
    return Verdict(supported=False, reason=reason)


def _numbers(text: str, words: Vocabulary) -> set[str]:
    """Also those that stand in a text without spaces."""
    return words.numbers(_BESIDE_DIGITS.sub(" ", text) if is_unspaced(text) else text)


def _kind_fault(question: str, answer: str, words: Vocabulary) -> str:
    """English questions only: those of other languages are not told apart here."""
    said = split_words(answer)
    numbers = _numbers(answer, words)
    counts = bool(numbers) or any(word in _AMOUNT for word in said)
    if _COUNTED.search(question) and not counts:
        return "the question asks for a number"
    if _DATED.search(question) and not numbers:
        return "the question asks for a date"
    if _PERSON.search(question) and said and all(word[0].isdigit() for word in said):
        return "the question does not ask for a number"
    return ""
