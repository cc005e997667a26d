"""Verification of an answer: its statements, its confidence, and the sentences that its citations point to.

Verification of an answer's statements: does a sentence of the shown passages support each of them?

A statement is a sentence of the answer. It is compared with every sentence of the shown passages:

    coverage: the share of its content words, by stem, that the sentence and its neighbours hold; words count by how
    rare they are among the sentences, and words of the question a quarter, since they prove little
    conflicts: a number, a number with its unit, a name or a negation that is not the sentence's; spelled numbers are
    the same as those in digits

Of the sentences that hold nearly the most of it, the one with the fewest conflicts bears the statement; its value is
the coverage less ``CONFLICT`` per conflict. Words of a passage can be put together to something that it does not say
("Ward" for "Miller"). So what does not come from the sentences that answer the question best, those that would be
quoted, has to stand in one sentence as a whole: the value is multiplied by

    agreement + (1 - agreement) * whole

    agreement: the share of the statement's words, beyond the question's, that those sentences hold
    whole: the share of all its words that the one sentence that bears it holds

The verdict follows from two thresholds on the value. A statement with a conflict is never supported. A conflict is a
*contradiction* where no sentence of the passages says it either, or the statement says otherwise the same as its
sentence.

``benchmarks/fit_statements.py`` compares constants and thresholds, and says what other evidence would add: sentence
vectors next to nothing, the model's own log-probabilities nothing. ``benchmarks/trust.py --only planted`` measures what
is marked: sentences of shared data, and the same with a number, date, name, unit or negation changed. Lexical
evidence against trained checkers: Honovich et al. 2022, "TRUE" (arXiv:2204.04991); statements as the unit: Min et al.
2023, "FActScore" (arXiv:2305.14251).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import msgspec

from workbench.records.exam import FEWEST, ExamResult
from workbench.records.messages import Citation, Passage, Statement, Verdict, Verification
from workbench.records.trust import is_marked
from workbench.techniques.retrieval.confidence import UNSURE, Spelled, estimate, shifted
from workbench.techniques.retrieval.grounded import Grounding
from workbench.techniques.retrieval.prompting import WANTS_MORE
from workbench.techniques.retrieval.quoting import Quotes, quote
from workbench.text.language import detect_language, split_words
from workbench.text.numbers import counted_once, with_digits
from workbench.text.sentences import split_sentences
from workbench.text.terms import NUMBER_WORDS, Vocabulary

_OTHER_LANGUAGE = "The answer is in another language than the passages, so its statements were not checked."

_MARK, _SIGNS = re.compile(r"\[\d+\]"), re.compile(r"\W+")
_PLACES = ("sentence_start", "sentence_end", "span_start", "span_end")

_QUESTION_IN_OTHER_LANGUAGE = (
    "Question and documents are in different languages, so it was not judged whether they hold the answer."
)


def verify_answer(
    text: str,
    grounding: Grounding,
    mean_logprob: float | None,
    exam: ExamResult | None = None,
    spelled: Spelled = (),
) -> Verification | None:
    """Verify an answer in the model's own words against the passages that it was shown. None for an empty text, and
    for one in a format (JSON and the like), which has no sentences. The model's ``exam`` corrects the confidence;
    ``spelled`` are the answer's tokens."""
    if grounding.verbatim or not text.strip():
        return None
    verified = _verified(text, verifier_of(grounding))
    confidence = estimate(grounding.question, text, grounding.sentences, mean_logprob, spelled)
    if verified.problem or confidence is None:
        return verified
    if exam is not None and exam.current:
        confidence = shifted(confidence, exam.confidence_shift)
    unsure = confidence < UNSURE and not _is_word_for_word(text, grounding.passages)
    return msgspec.structs.replace(verified, confidence=round(confidence, 4), unsure=unsure)


def _is_word_for_word(text: str, passages: Sequence[Passage]) -> bool:
    """Whether an answer is made of whole sentences of the passages: such a one is as good as a quoted answer."""
    held = {_plain(p.text[start:end]) for p in passages for start, end in split_sentences(p.text)}
    said = {_plain(text[start:end]) for start, end in split_sentences(text)} - {""}
    return bool(said) and said <= held


def _plain(sentence: str) -> str:
    return " ".join(_SIGNS.sub(" ", _MARK.sub("", sentence)).casefold().split())


def with_rates(verification: Verification | None, question: str, exam: ExamResult | None) -> Verification | None:
    """The verification with how often such answers of the model are right, where its exam knows the question's
    language."""
    rates = exam.rates(detect_language(question)) if exam is not None and exam.current else None
    if verification is None or rates is None:
        return verification
    marked = is_marked(verification)
    only_quoted = verification.quoted and all(s.end <= verification.quoted for s in verification.statements)
    own = rates.own if only_quoted else rates.of_answer(marked)
    own_rate, quoted_rate = (rate if rate.count >= FEWEST else None for rate in (own, rates.quoted))
    return msgspec.structs.replace(verification, own_rate=own_rate, quoted_rate=quoted_rate)


def verifier_of(grounding: Grounding) -> StatementVerifier:
    """Verifies the statements of an answer: against the passages, and the sentences that would be quoted where the
    question asks for one thing, in the language of the passages."""
    one_thing = grounding.judged and not WANTS_MORE.match(grounding.question)
    quotes = quote(grounding.sentences) if one_thing else None
    answering = [sentence.text for sentence in quotes.sentences] if quotes is not None else []
    return StatementVerifier(grounding.passages, grounding.question, answering)


def verify_statements(text: str, passages: Sequence[Passage], question: str) -> Verification:
    """Verify the statements of a text by its words alone, without an estimate of its confidence."""
    return _verified(text, StatementVerifier(passages, question))


def _verified(text: str, verifier: StatementVerifier) -> Verification:
    if not verifier.can_judge(text):
        return Verification(unsure=True, problem=_OTHER_LANGUAGE)
    return Verification(statements=verifier.verify(text))


def with_quotes(quotes: Quotes, own: Verification | None) -> Verification:
    """The verification of an answer that begins with quotes: those are supported by construction."""
    shift = len(quotes.text) + len(quotes.separator)
    rest = own or Verification()
    moved = (msgspec.structs.replace(s, start=s.start + shift, end=s.end + shift) for s in rest.statements)
    return msgspec.structs.replace(rest, statements=(*quotes.statements, *moved), quoted=len(quotes.text))


def with_sources(verified: Verification | None, passages: Sequence[Passage]) -> Verification | None:
    """The verification, which says so where what is quoted was recognised in a picture, or where the file of a sentence
    that bears the answer is no longer as it was read."""
    if verified is None:
        return None
    named = {passage.n: passage for passage in passages}
    bearing = [(one, named[one.n]) for one in verified.statements if one.n in named]
    recognised = any(passage.recognised for one, passage in bearing if one.end <= verified.quoted)
    changed = tuple(dict.fromkeys(PurePath(passage.path).name for _, passage in bearing if passage.changed))
    return msgspec.structs.replace(verified, recognised=recognised, changed=changed)


def with_judgement(verified: Verification | None, grounding: Grounding) -> Verification | None:
    """The verification, which says so where it could not be judged whether the passages hold the answer."""
    if grounding.judged or verified is None or verified.problem:
        return verified
    return msgspec.structs.replace(verified, unsure=True, problem=_QUESTION_IN_OTHER_LANGUAGE)


def point_to_sentences(citations: Sequence[Citation], statements: Sequence[Statement]) -> tuple[Citation, ...]:
    """The citations, each with the sentence that bears the first and best statement of the answer in its passage."""
    best: dict[int, Statement] = {}
    for statement in statements:
        known = best.get(statement.n)
        if (
            statement.n
            and statement.verdict in ("supported", "partly")
            and (known is None or statement.value > known.value)
        ):
            best[statement.n] = statement
    return tuple(
        msgspec.structs.replace(citation, **{name: getattr(best[citation.n], name) for name in _PLACES})
        if citation.n in best and not citation.sentence_end
        else citation
        for citation in citations
    )


SUPPORTED = 0.66
"""Least value of a supported statement."""

PARTLY = 0.4
"""Least value of a partly supported one; below ``OUTSIDE`` nothing of it is from the documents."""

OUTSIDE = 0.15
CONFLICT = 0.35
ECHO = 0.25
NEIGHBOUR = 0.5
"""Weight of a word that only the neighbours of a sentence hold."""

RETOLD = 0.75
"""A statement of which, but for what differs, one sentence holds this share says the same: the difference contradicts
it."""

NEGATION = "negation"
TIE = 0.1
"""A sentence that would be quoted is pointed to rather than another one whose value is at most so much higher."""

NEARLY = 0.85
"""Sentences that hold this share of what the best one holds are compared for conflicts; others say something else."""

_CITATION = re.compile(r"\s*\[\d+\]")
_NUMBER_AND_UNIT = re.compile(r"(\d[\d.,]*)\s*[-–]?\s*([^\W\d_]{2,}|[%‰°€$£¥])")
_NUMBER_AND_MEASURE = re.compile(r"(\d[\d.,]*)\s*[个個]?([公英美欧歐平立小千百]?[^\W\d_]|[%‰°€$£¥])")
_BESIDE_DIGITS = re.compile(r"(?<=[^\d\s.,])(?=\d)|(?<=\d)(?=[^\d\s.,])")
_NAME = re.compile(r"[^\W\d_]{2,}")
_NEGATIONS = {
    "en": "no not never none nor neither nothing nobody without cannot isn aren wasn weren doesn don didn won couldn "
    "shouldn wouldn hasn haven hadn unable",
    "de": "nicht kein keine keinen keinem keiner keines nie niemals nichts niemand ohne weder",
    "fr": "ne pas jamais rien aucun aucune sans ni personne",
    "es": "no nunca jamás nada nadie ningún ninguna ninguno sin ni",
}
_UNSPACED = frozenset({"zh", "ja"})
_LETTERS = re.compile(r"[A-Za-z]{2,}")
_DIGIT_GROUPS = re.compile(r"(?<=\d)[,'’ ](?=\d{3}\b)")
_REACH = 6
"""Words after a negation within which the first content word is what it denies."""
_WHOLE = 0.8
"""Length of a statement, relative to its sentence, from which it says all of it."""
_NEGATIONS_UNSPACED = re.compile("[不没無无未非莫勿]")


@dataclass(frozen=True)
class _Sentence:
    """A sentence of a passage. ``around`` are the stems of its neighbours and the title, ``near`` their text in lower
    case; ``negated`` are the stems that follow a negation, ``once`` those of what there is one of."""

    passage: Passage
    start: int
    end: int
    text: str
    stems: frozenset[str]
    around: frozenset[str]
    near: str
    numbers: Counter[str]
    units: frozenset[tuple[str, str]]
    negated: frozenset[str]
    once: frozenset[str]


class StatementVerifier:
    """Verifies the statements of an answer to ``question`` against the ``passages`` that were shown. A millisecond per
    statement. One thread at a time.

    ``answering`` are the sentences that answer the question best; without any, agreement with them is not asked for.
    """

    def __init__(self, passages: Sequence[Passage], question: str = "", answering: Sequence[str] = ()) -> None:
        self._vocabulary = Vocabulary.of(p.text for p in passages)
        self._language = self._vocabulary.language or "en"
        self._sentences = [one for passage in passages for one in self._split(passage)]
        seen_in = Counter(stem for one in self._sentences for stem in one.stems)
        count = max(1, len(self._sentences))
        self._rarity = {stem: math.log(1 + count / n) / math.log(1 + count) for stem, n in seen_in.items()}
        self._quotes = [with_digits(text, self._language) for text in answering]
        self._answering = frozenset(stem for text in self._quotes for stem in self._vocabulary.stems(text))
        self._text = " ".join(one.text.lower() for one in self._sentences)
        self._stems = frozenset().union(*(one.stems | one.around for one in self._sentences))
        self._units_said = frozenset().union(*(one.units for one in self._sentences))
        question = with_digits(question, self._language)
        self._asked = set(self._vocabulary.content_terms(question))
        self._asked_numbers = self._numbers(question)

    def can_judge(self, text: str) -> bool:
        """Whether a text is in the language of the passages, as far as that can be told."""
        language = detect_language(text)
        return not language or not self._vocabulary.language or language == self._vocabulary.language

    def verify(self, text: str, offset: int = 0) -> tuple[Statement, ...]:
        """The statements of an answer, in order. ``start`` and ``end`` are places in ``text``, plus ``offset``."""
        return tuple(
            self._verify(_CITATION.sub("", text[start:end]), offset + start, offset + end)
            for start, end in split_sentences(text)
            if _NAME.search(_CITATION.sub("", text[start:end])) or any(c.isdigit() for c in text[start:end])
        )

    def _verify(self, statement: str, start: int, end: int) -> Statement:
        statement = with_digits(statement, self._language)
        terms, numbers = self._vocabulary.content_terms(statement), self._numbers(statement)
        covered = [(*self._coverage(terms, sentence), sentence) for sentence in self._sentences]
        most = max((own for own, _, _ in covered), default=0.0)
        if most < OUTSIDE:
            return Statement(start=start, end=end, verdict="outside", value=round(most, 4))
        compared = [
            (coverage, self._conflicts(statement, numbers, sentence), sentence)
            for own, coverage, sentence in covered
            if own >= NEARLY * most
        ]
        valued = [(coverage - CONFLICT * len(found), found, one) for coverage, found, one in compared]
        value, conflicts, sentence = max(valued, key=lambda c: c[0])
        bearer = self._bearer(valued, value, sentence)
        differing = {self._vocabulary.stem(part) for conflict in conflicts for part in conflict.split(" ")}
        retold = self._coverage([term for term in terms if term not in differing], sentence)[0] >= RETOLD
        outside = value < OUTSIDE and not conflicts
        value *= self._relevance(terms, sentence)
        return Statement(
            start=start,
            end=end,
            verdict="outside" if outside else _verdict(value, conflicts),
            value=round(max(0.0, value), 4),
            conflicts=conflicts,
            contradictions=tuple(
                one for one in conflicts if self._is_nowhere(one) or (retold and one not in sentence.numbers)
            ),
            n=bearer.passage.n,
            sentence_start=bearer.passage.start + bearer.start,
            sentence_end=bearer.passage.start + bearer.end,
        )

    def _coverage(self, terms: Sequence[str], sentence: _Sentence) -> tuple[float, float]:
        """The share of the terms' weight in the sentence itself, and with its neighbours."""
        own = beside = total = 0.0
        for term in terms:
            weight = self._rarity.get(term, 1.0) * (ECHO if term in self._asked else 1.0)
            total += weight
            if term in sentence.stems:
                own += weight
            elif term in sentence.around:
                beside += weight * NEIGHBOUR
        return (own / total, (own + beside) / total) if total else (0.0, 0.0)

    def _bearer(
        self, valued: Sequence[tuple[float, tuple[str, ...], _Sentence]], value: float, best: _Sentence
    ) -> _Sentence:
        """The sentence to point to: the best one, or one that answers the question and holds about as much."""
        near = [one for of, _, one in valued if of >= value - TIE and one.text in self._quotes]
        return best if best in near or not near else near[0]

    def _relevance(self, terms: Sequence[str], sentence: _Sentence) -> float:
        """Whether the terms come from the sentences that answer the question, or together from one sentence."""
        if not self._answering:
            return 1.0
        added = [term for term in terms if term not in self._asked]
        agreement = sum(term in self._answering for term in added) / len(added) if added else 0.0
        weights = {term: self._rarity.get(term, 1.0) for term in terms}
        whole = sum(weights[term] for term in terms if term in sentence.stems) / (
            sum(weights[term] for term in terms) or 1.0
        )
        return agreement + (1 - agreement) * whole

    def _conflicts(self, statement: str, numbers: Counter[str], sentence: _Sentence) -> tuple[str, ...]:
        """What the statement says that the sentence contradicts or does not say: figures, names, a negation."""
        missing, once = numbers - (sentence.numbers | self._asked_numbers), self._once(statement)
        if once & sentence.once:
            missing.pop("1", None)
        found = sorted(missing)
        counted = {unit for _, unit in sentence.units} - sentence.once - self._asked
        found += [f"1 {unit}" for unit in sorted(once & counted) if "1" not in found]
        said_of = {number for number, _ in sentence.units}
        for number, unit in sorted(self._units(statement)):
            if number in said_of and (number, unit) not in sentence.units and unit not in sentence.stems:
                found.append(f"{number} {unit}")
        everywhere = sentence.stems | sentence.around | self._asked
        for name in self._names(statement):
            if self._vocabulary.stem(name) not in everywhere and name not in sentence.near:
                found.append(name)
        if self._polarity_differs(statement, sentence):
            found.append(NEGATION)
        return tuple(found)

    def _is_nowhere(self, conflict: str) -> bool:
        """Whether no sentence of the passages says this either; a denial counts in any case."""
        if conflict == NEGATION:
            return True
        number, _, unit = conflict.partition(" ")
        if unit:
            return (number, unit) not in self._units_said
        return self._vocabulary.stem(conflict) not in self._stems and conflict not in self._text

    def _split(self, passage: Passage) -> list[_Sentence]:
        spans = split_sentences(passage.text)
        texts = [with_digits(passage.text[start:end], self._language) for start, end in spans]
        once = [self._once(text) for text in texts]
        stems = [
            frozenset(self._vocabulary.stems(text)) | {"1" for _ in one} for text, one in zip(texts, once, strict=True)
        ]
        titled = frozenset(self._vocabulary.stems(passage.title))
        return [
            _Sentence(
                passage=passage,
                start=start,
                end=end,
                text=texts[i],
                stems=stems[i],
                around=frozenset().union(titled, *stems[max(0, i - 1) : i + 2]),
                near=" ".join(texts[max(0, i - 1) : i + 2]).lower(),
                numbers=self._numbers(texts[i]),
                units=frozenset(self._units(texts[i])),
                negated=self._negated(texts[i]),
                once=once[i],
            )
            for i, (start, end) in enumerate(spans)
        ]

    def _numbers(self, text: str) -> Counter[str]:
        """How often each number occurs, spelled ones up to twenty included, except "one" (mostly a pronoun)."""
        words = split_words(_DIGIT_GROUPS.sub("", _BESIDE_DIGITS.sub(" ", text)))
        return Counter(
            self._vocabulary.stem(word)
            for word in words
            if word[0].isdigit() or (word in NUMBER_WORDS and word != "one")
        )

    def _units(self, text: str) -> set[tuple[str, str]]:
        """Pairs of a number and the word after it, by stem."""
        spelled = " ".join(self._vocabulary.stem(w) if w in NUMBER_WORDS else w for w in split_words(text))
        pattern = _NUMBER_AND_MEASURE if self._vocabulary.language in _UNSPACED else _NUMBER_AND_UNIT
        return {
            (number.rstrip(".,"), self._vocabulary.stem(unit.lower()))
            for source in (text, spelled)
            for number, unit in pattern.findall(source)
            if not self._vocabulary.is_function_word(unit.lower())
        }

    def _once(self, text: str) -> frozenset[str]:
        """What there is one of, by stem."""
        return frozenset(map(self._vocabulary.stem, counted_once(text, self._language)))

    def _names(self, text: str) -> list[str]:
        """Capitalised words in lower case; among characters without spaces, words of letters."""
        vocabulary = self._vocabulary
        if vocabulary.language in _UNSPACED:
            return [word.lower() for word in _LETTERS.findall(text)]
        if vocabulary.language == "de":  # every noun is capitalised: the passage has to name it all the same
            return [word.lower() for word in _NAME.findall(text)[1:] if word[0].isupper()]
        return vocabulary.names(f"x {text}")  # the first word counts as well

    def _negated(self, text: str) -> frozenset[str]:
        """The stem after each negation: what is denied."""
        negations = _NEGATIONS.get(self._vocabulary.language, _NEGATIONS["en"]).split()
        found, words = set(), split_words(text)
        for place, word in enumerate(words):
            if word in negations:
                denied = self._vocabulary.content_terms(" ".join(words[place + 1 : place + 1 + _REACH]))
                found.update(denied[:1])
        return frozenset(found)

    def _polarity_differs(self, statement: str, sentence: _Sentence) -> bool:
        """Whether one of the two denies what the other says."""
        denied = self._negated(statement)
        if self._vocabulary.language in _UNSPACED:
            more = len(_NEGATIONS_UNSPACED.findall(statement)) - len(_NEGATIONS_UNSPACED.findall(sentence.text))
            return more > 0 or (more < 0 and len(statement) >= _WHOLE * len(sentence.text))
        said = set(self._vocabulary.stems(statement))
        added = (denied - sentence.negated) & sentence.stems
        dropped = (sentence.negated - denied) & said
        return bool(added or dropped or (denied and not sentence.negated))


def _verdict(value: float, conflicts: Sequence[str]) -> Verdict:
    if value >= SUPPORTED and not conflicts:
        return "supported"
    return "partly" if value >= PARTLY and not conflicts else "unsupported"
