"""Statements of an answer: does a sentence of the shown passages support each of them?

A statement is a sentence of the answer. It is compared with every sentence of the shown passages:

    coverage: the share of its content words, by stem, and of its values that the sentence and its neighbours hold;
    words count by how rare they are among the sentences, and words of the question a quarter, since they prove little
    conflicts: a value that no passage has, or that the passages say of something else (``roles.py``), a name or a
    negation that is not the sentence's

Of the sentences that hold nearly the most of it, the one with the fewest conflicts bears the statement; its value is
the coverage less ``CONFLICT`` per conflict. Words of a passage can be put together to something that it does not say
("Ward" for "Miller"). So what does not come from the sentences that answer the question best, those that would be
quoted, has to stand in one sentence as a whole: the value is multiplied by

    agreement + (1 - agreement) * whole

    agreement: the share of the statement's words, beyond the question's, that those sentences hold
    whole: the share of all its words that the one sentence that bears it holds

A statement whose values all stand in their roles says the same in other words: its value rises by ``IN_ROLE`` of what
it lacks. The verdict follows from two thresholds on the value. A statement with a conflict is never supported. A
conflict is a *contradiction* where no sentence of the passages says it either, where they say it of something else, or
where the statement says otherwise the same as its sentence. Of a statement in another language than the passages only
the values are compared.

``benchmarks/fit_statements.py`` compares constants and thresholds, and says what other evidence would add: sentence
vectors next to nothing, the model's own log-probabilities nothing. ``benchmarks/trust.py --only planted`` and
``benchmarks/own_words.py`` measure what is marked. Lexical evidence against trained checkers: Honovich et al. 2022,
"TRUE" (arXiv:2204.04991); statements as the unit: Min et al. 2023, "FActScore" (arXiv:2305.14251).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from workbench.records.messages import Passage, Statement, Verdict
from workbench.techniques.retrieval.roles import Role, Roles
from workbench.techniques.retrieval.unspaced_figures import Figures, differing_figures, figures_of
from workbench.text.language import detect_language, guess_by_function_words, split_words
from workbench.text.numbers import with_digits
from workbench.text.sentences import split_sentences
from workbench.text.terms import Vocabulary
from workbench.text.values import Value, find_values

SUPPORTED = 0.66
"""Least value of a supported statement."""

PARTLY = 0.4
"""Least value of a partly supported one; below ``OUTSIDE`` nothing of it is from the documents."""

OUTSIDE = 0.15
CONFLICT = 0.35
ECHO = 0.25
NEIGHBOUR = 0.5
"""Weight of a word that only the neighbours of a sentence hold."""

IN_ROLE = 0.45
RETOLD = 0.75
"""A statement of which, but for what differs, one sentence holds this share says the same: the difference contradicts
it."""

NEGATION = "negation"
TIE = 0.1
"""A sentence that would be quoted is pointed to rather than another one whose value is at most so much higher."""

NEARLY = 0.85
"""Sentences that hold this share of what the best one holds are compared for conflicts; others say something else."""

_CITATION = re.compile(r"\s*\[\d+\]")
_LIST_NUMBER = re.compile(r"\A\s*(?:\d{1,2}[.)]|[-*•])\s+(?=\S)")
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
_GERMAN_NAME = re.compile(r"\b(?:Herrn?|Frau|Dr\.|Prof\.|Firma) ([A-ZÄÖÜ][\w-]+(?: [A-ZÄÖÜ][\w-]+)?)")
_COUNTED = re.compile(r"[ -]([^\W\d_]{3,})")
_KNOWN = ("en", "de", "fr", "es", "it", "nl", "pt")
_RETOLD_WORDS = 0.5
_OWN_LANGUAGE = 0.6
"""A text that shares so many of its content words with the passages is in their language, whatever it looks like."""
_REACH = 6
"""Words after a negation within which the first content word is what it denies."""
_WHOLE = 0.8
"""Length of a statement, relative to its sentence, from which it says all of it."""
_NEGATIONS_UNSPACED = re.compile("[不没無无未非莫勿]")


@dataclass(frozen=True)
class _Sentence:
    """A sentence of a passage. ``around`` are the stems of its neighbours and the title, ``near`` their text in lower
    case; ``negated`` are the stems that follow a negation; ``values`` and ``near_values`` are those of it and its
    neighbours, ``figures`` of a script without spaces."""

    passage: Passage
    start: int
    end: int
    text: str
    stems: frozenset[str]
    around: frozenset[str]
    near: str
    negated: frozenset[str]
    values: tuple[Value, ...] = ()
    near_values: tuple[Value, ...] = ()
    figures: Figures | None = None


@dataclass(frozen=True)
class _Said:
    """A statement as it is compared: ``words`` is its text without its values; its ``terms`` are stems, and the keys of
    its ``values``. ``roles`` are those of values and names, ``figures`` of a script without spaces."""

    text: str
    words: str
    terms: tuple[str, ...]
    values: dict[str, Value]
    roles: tuple[Role, ...] = ()
    figures: Figures | None = None


class StatementVerifier:
    """Verifies the statements of an answer to ``question`` against the ``passages`` that were shown. A millisecond per
    statement. One thread at a time.

    ``answering`` are the sentences that answer the question best; without any, agreement with them is not asked for.
    """

    def __init__(self, passages: Sequence[Passage], question: str = "", answering: Sequence[str] = ()) -> None:
        self._vocabulary = Vocabulary.of(p.text for p in passages)
        self._language = self._vocabulary.language or "en"
        self._spaced = self._vocabulary.language not in _UNSPACED
        self._roles = Roles(passages if self._spaced else (), self._vocabulary, question)
        self._sentences = [one for number, passage in enumerate(passages) for one in self._split(number, passage)]
        seen_in = Counter(stem for one in self._sentences for stem in one.stems)
        count = max(1, len(self._sentences))
        self._rarity = {stem: math.log(1 + count / n) / math.log(1 + count) for stem, n in seen_in.items()}
        self._quotes = [with_digits(text, self._language) for text in answering]
        self._answering = frozenset(stem for text in self._quotes for stem in self._vocabulary.stems(text))
        self._answering_values = [value for text in answering for value in self._values(text)[1]]
        self._text = " ".join(one.text.lower() for one in self._sentences)
        self._stems = frozenset().union(*(one.stems | one.around for one in self._sentences))
        self._asked_values = self._values(question)[1]
        question = with_digits(question, self._language)
        self._asked = set(self._vocabulary.content_terms(question))
        self._asked_figures = figures_of("" if self._spaced else question, self._vocabulary)

    def can_judge(self, text: str) -> bool:
        """Whether a text is in the language of the passages, as far as that can be told."""
        own = self._vocabulary.language
        language = detect_language(text) or guess_by_function_words(split_words(text), _KNOWN, least=2)
        if not language or not own or language == own:
            return True
        terms = self._vocabulary.content_terms(text)
        return sum(term in self._stems for term in terms) >= _OWN_LANGUAGE * len(terms)

    def verify(self, text: str, offset: int = 0) -> tuple[Statement, ...]:
        """The statements of an answer, in order. ``start`` and ``end`` are places in ``text``, plus ``offset``."""
        return tuple(
            self._verify(_plain(text[start:end]), offset + start, offset + end)
            for start, end in split_sentences(text)
            if _NAME.search(_plain(text[start:end])) or any(c.isdigit() for c in _plain(text[start:end]))
        )

    def verify_values(self, text: str) -> tuple[Statement, ...]:
        """The statements of an answer in another language than the passages that have values, by these alone: one that
        no passage has contradicts them, and with all of them a statement is partly supported, since its words are not
        compared."""
        language = detect_language(text)
        found = []
        for start, end in split_sentences(text):
            values = find_values(_plain(text[start:end]), language)[1]
            missing = tuple(one.text for one in values if not self._roles.has(one))
            if not values:
                continue
            held = [sum(any(one.equals(o) for o in s.values) for one in values) for s in self._sentences]
            bearer = self._sentences[held.index(max(held))] if any(held) else None
            found.append(
                Statement(
                    start=start,
                    end=end,
                    verdict="unsupported" if missing else "partly",
                    value=round(PARTLY * (1 - len(missing) / len(values)), 4),
                    conflicts=missing,
                    contradictions=missing,
                    n=bearer.passage.n if bearer else 0,
                    sentence_start=bearer.passage.start + bearer.start if bearer else 0,
                    sentence_end=bearer.passage.start + bearer.end if bearer else 0,
                )
            )
        return tuple(found)

    def _verify(self, text: str, start: int, end: int) -> Statement:
        said = self._read(text)
        covered = [(*self._coverage(said, said.terms, sentence), sentence) for sentence in self._sentences]
        most = max((own for own, _, _ in covered), default=0.0)
        if most < OUTSIDE and not any(role.state == "elsewhere" for role in said.roles):
            missing = tuple(role.text for role in said.roles if role.state != "held")
            return Statement(
                start=start, end=end, verdict="outside", value=round(most, 4), conflicts=missing, contradictions=missing
            )
        compared = [
            (coverage, self._conflicts(said, sentence), sentence)
            for own, coverage, sentence in covered
            if own >= NEARLY * most
        ]
        valued = [(coverage - CONFLICT * len(found), found, one) for coverage, found, one in compared]
        value, conflicts, sentence = max(valued, key=lambda c: c[0])
        bearer = self._bearer(valued, value, sentence)
        outside = value < OUTSIDE and not conflicts
        value *= self._relevance(said, sentence)
        if said.roles and not conflicts and all(role.state == "held" for role in said.roles):
            value += (1 - value) * IN_ROLE * min(role.fit for role in said.roles)
        elsewhere = tuple(dict.fromkeys(role.text for role in said.roles if role.state == "elsewhere"))
        return Statement(
            start=start,
            end=end,
            verdict="outside" if outside else _verdict(value, conflicts),
            value=round(max(0.0, value), 4),
            conflicts=conflicts,
            contradictions=tuple(one for one in conflicts if self._contradicts(one, said, conflicts, sentence)),
            elsewhere=elsewhere,
            n=bearer.passage.n,
            sentence_start=bearer.passage.start + bearer.start,
            sentence_end=bearer.passage.start + bearer.end,
        )

    def _read(self, text: str) -> _Said:
        if not self._spaced:
            text = with_digits(text, self._language)
            figures = figures_of(text, self._vocabulary)
            return _Said(text, text, tuple(self._vocabulary.content_terms(text)), {}, figures=figures)
        roles = self._roles.of(text)
        text, values = self._values(text)
        keyed = {f"={number}": value for number, value in enumerate(values)}
        ends = [0, *(place for value in values for place in (value.start, value.end)), len(text)]
        words = " ".join(text[a:b] for a, b in list(pairwise(ends))[::2])
        terms = (*self._vocabulary.content_terms(words), *keyed)
        return _Said(text, words, terms, keyed, roles)

    def _values(self, text: str) -> tuple[str, tuple[Value, ...]]:
        return find_values(text, self._language) if self._spaced else (text, ())

    def _coverage(self, said: _Said, terms: Sequence[str], sentence: _Sentence) -> tuple[float, float]:
        """The share of the terms' weight in the sentence itself, and with its neighbours."""
        own = beside = total = 0.0
        for term in terms:
            weight = self._weight(said, term)
            total += weight
            value = said.values.get(term)
            if term in sentence.stems or (value is not None and _holds(sentence.values, value)):
                own += weight
            elif term in sentence.around or (value is not None and _holds(sentence.near_values, value)):
                beside += weight * NEIGHBOUR
        return (own / total, (own + beside) / total) if total else (0.0, 0.0)

    def _weight(self, said: _Said, term: str) -> float:
        return self._rarity.get(term, 1.0) * (ECHO if self._is_asked(said, term) else 1.0)

    def _is_asked(self, said: _Said, term: str) -> bool:
        value = said.values.get(term)
        return term in self._asked or (value is not None and _holds(self._asked_values, value))

    def _bearer(
        self, valued: Sequence[tuple[float, tuple[str, ...], _Sentence]], value: float, best: _Sentence
    ) -> _Sentence:
        """The sentence to point to: the best one, or one that answers the question and holds about as much."""
        near = [one for of, _, one in valued if of >= value - TIE and one.text in self._quotes]
        return best if best in near or not near else near[0]

    def _relevance(self, said: _Said, sentence: _Sentence) -> float:
        """Whether the terms come from the sentences that answer the question, or together from one sentence."""
        if not self._answering:
            return 1.0
        added = [term for term in said.terms if not self._is_asked(said, term)]
        agreeing = sum(
            term in self._answering or (term in said.values and _holds(self._answering_values, said.values[term]))
            for term in added
        )
        agreement = agreeing / len(added) if added else 0.0
        weights = {term: self._rarity.get(term, 1.0) for term in said.terms}
        held = (
            weight
            for term, weight in weights.items()
            if term in sentence.stems or (term in said.values and _holds(sentence.values, said.values[term]))
        )
        return agreement + (1 - agreement) * sum(held) / (sum(weights.values()) or 1.0)

    def _conflicts(self, said: _Said, sentence: _Sentence) -> tuple[str, ...]:
        """What the statement says that the sentence contradicts or does not say: values, names, a negation."""
        if said.figures is not None and sentence.figures is not None:
            found = differing_figures(said.figures, sentence.figures, self._asked_figures, sentence.stems)
        else:
            found = [role.text for role in said.roles if role.state != "held"] + self._miscounted(said, sentence)
        everywhere = sentence.stems | sentence.around | self._asked
        for name, certain in self._names(said):
            stem = self._vocabulary.stem(name)
            if stem in everywhere or name in sentence.near:
                continue
            rest = [term for term in said.terms if term != stem]
            if certain or (self._coverage(said, rest, sentence)[0] >= NEARLY and self._retells(said, sentence)):
                found.append(name)
        if self._polarity_differs(said.text, sentence):
            found.append(NEGATION)
        return tuple(dict.fromkeys(found))

    def _retells(self, said: _Said, sentence: _Sentence) -> bool:
        """Whether a statement says most of a sentence, so that another word stands in place of its own."""
        content = self._vocabulary.content_terms(sentence.text)
        stems = set(self._vocabulary.stems(said.text))
        return sum(term in stems for term in content) >= _RETOLD_WORDS * len(content)

    def _miscounted(self, said: _Said, sentence: _Sentence) -> list[str]:
        """A number of the sentence with another thing that it counts, where the statement says otherwise the same."""
        found = []
        for value in said.values.values():
            counted = _COUNTED.match(said.text, value.end) if value.kind == "amount" and not value.unit else None
            if counted is None or " | " in sentence.text or self._vocabulary.is_function_word(counted[1].lower()):
                continue
            stem = self._vocabulary.stem(counted[1].lower())
            same = [one for one in sentence.values if one.kind == "amount" and one.equals(value)]
            if not same or stem in sentence.stems | sentence.around or stem in self._asked:
                continue
            rest = [term for term in said.terms if term != stem]
            if stem in self._stems or self._coverage(said, rest, sentence)[0] >= _WHOLE:
                found.append(f"{value.text} {counted[1]}")
        return found

    def _contradicts(self, conflict: str, said: _Said, conflicts: Sequence[str], sentence: _Sentence) -> bool:
        """Whether no sentence of the passages says this either, or one says otherwise the same."""
        if conflict == NEGATION or any(role.text == conflict for role in said.roles) or self._is_nowhere(conflict):
            return True
        differing = {self._vocabulary.stem(part) for one in conflicts for part in one.split(" ")}
        rest = [term for term in said.terms if term not in differing]
        known = sentence.figures.numbers if sentence.figures is not None else ()
        return conflict not in known and self._coverage(said, rest, sentence)[0] >= RETOLD

    def _is_nowhere(self, conflict: str) -> bool:
        number, _, unit = conflict.partition(" ")
        if unit:
            said = (one.figures.units for one in self._sentences if one.figures is not None)
            return not any((number, unit) in units for units in said)
        return self._vocabulary.stem(conflict) not in self._stems and conflict not in self._text

    def _split(self, number: int, passage: Passage) -> list[_Sentence]:
        spans = split_sentences(passage.text)
        texts = [with_digits(passage.text[start:end], self._language) for start, end in spans]
        figures = [None if self._spaced else figures_of(text, self._vocabulary) for text in texts]
        stems = [
            frozenset(self._vocabulary.stems(text)) | ({"1"} if one is not None and one.once else frozenset())
            for text, one in zip(texts, figures, strict=True)
        ]
        titled = frozenset(self._vocabulary.stems(passage.title))
        values = [self._roles.values_in(number, start, end) for start, end in spans]
        return [
            _Sentence(
                passage=passage,
                start=start,
                end=end,
                text=texts[i],
                stems=stems[i],
                around=frozenset().union(titled, *stems[max(0, i - 1) : i + 2]),
                near=" ".join(texts[max(0, i - 1) : i + 2]).lower(),
                negated=self._negated(texts[i]),
                values=values[i],
                near_values=tuple(value for some in values[max(0, i - 1) : i + 2] for value in some),
                figures=figures[i],
            )
            for i, (start, end) in enumerate(spans)
        ]

    def _names(self, said: _Said) -> list[tuple[str, bool]]:
        """Capitalised words in lower case, each with whether it is a name for certain: a single word that begins the
        statement may be another word, and so may every noun in German. Among characters without spaces, words of
        letters."""
        vocabulary = self._vocabulary
        if vocabulary.language in _UNSPACED:
            return [(word.lower(), True) for word in _LETTERS.findall(said.text)]
        text = said.words
        first, *others = _NAME.findall(text) or [""]
        if vocabulary.language == "de":
            certain = {word.lower() for run in _GERMAN_NAME.findall(text) for word in run.split()}
            return [(word.lower(), word.lower() in certain) for word in others if word[0].isupper()]
        begins = bool(others) and others[0][0].isupper()
        return [(name, begins or name != first.lower()) for name in vocabulary.names(f"x {text}")]

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


def _plain(sentence: str) -> str:
    return _LIST_NUMBER.sub("", _CITATION.sub("", sentence), count=1)


def _holds(values: Sequence[Value], value: Value) -> bool:
    return any(value.equals(one) for one in values)
