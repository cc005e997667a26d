"""Words of questions and tables, compared across inflection, composition and four languages.

``similarity`` is 1 for the same word, less for another form of it, and least for a translation or a synonym that
``concepts.txt`` lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from workbench.text.cells import folded
from workbench.text.language import function_words

_WORD = re.compile(r"\w+(?:[-./'’]\w+)*[+°²³]?|[€$£%]")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_ENDINGS = 3  # letters by which two forms of a word may differ
TRANSLATED, PARTLY_TRANSLATED, COMPOUND, INFLECTED, DERIVED, MISSPELT = 0.75, 0.66, 0.7, 0.93, 0.8, 0.8

LANGUAGES = ("en", "de", "fr", "es")


@dataclass(frozen=True)
class Word:
    """A word of a text: folded as it stands (``plain``) and with "ae" for "ä" (``spelled``); ``place``: its number."""

    text: str
    plain: str
    spelled: str
    place: int
    start: int
    end: int


def words_of(text: str) -> list[Word]:
    """The words, codes and numbers of a text, in order."""
    found: list[Word] = []
    for match in _WORD.finditer(text):
        parts = [(match.group(), match.start())]
        if not any(sign.isdigit() for sign in match.group()):  # "Netto-Summe", "l'heure"; but "25-051"
            parts = [(part.group(), match.start() + part.start()) for part in re.finditer(r"[^-./'’]+", match.group())]
        for word, start in parts:
            spelled = folded(word.translate(_UMLAUTS))
            found.append(Word(word, folded(word), spelled, len(found), start, start + len(word)))
    return found


def whole_words(text: str) -> list[Word]:
    """The words of a cell; codes and compounds with a hyphen stay whole."""
    return [
        Word(match.group(), folded(match.group()), "", place, match.start(), match.end())
        for place, match in enumerate(_WORD.finditer(text.replace("_", " ")))
    ]


def name_words(text: str) -> list[str]:
    """The folded words of a name of a column or a value, parts of codes and of snake case apart; "AquaLift" in its
    parts and whole."""
    text = text.replace("_", " ")
    spaced = re.sub(r"(?<=[a-zäöü])(?=[A-Z])", " ", text)
    parts: list[str] = []
    for match in _WORD.finditer(spaced):
        word = match.group()
        parts.append(folded(word))
        if re.search(r"[-./'’]", word):
            parts += [folded(part) for part in re.split(r"[-./'’]", word) if len(part) > 1]
    if spaced != text:
        parts += [folded(word) for word in re.findall(r"\w+", text)]
    return list(dict.fromkeys(parts))


@cache
def concepts() -> dict[str, frozenset[int]]:
    """Folded words and the numbers of the concepts that they stand for."""
    found: dict[str, set[int]] = {}
    text = (resources.files(__package__) / "concepts.txt").read_text("utf-8")
    for number, line in enumerate(text.splitlines()):
        if not line.startswith("#"):
            for word in line.split():
                found.setdefault(word, set()).add(number)
                found.setdefault(re.sub("(?<=[aou])e(?=[a-z])", "", word), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


@cache
def concepts_of(word: str) -> frozenset[int]:
    """The concepts of a folded word, an inflected one too."""
    known = concepts()
    if word in known:
        return known[word]
    for ending in ("s", "n", "e", "en", "es", "er", "em", "ed", "t"):
        if len(word) - len(ending) >= 3 and word.endswith(ending) and (stem := word[: -len(ending)]) in known:
            return known[stem]
    return frozenset()


@cache
def stop_words() -> frozenset[str]:
    """Folded function words of the four languages, and words that only ask ("asking.txt")."""
    known = function_words()
    asking = frozenset((resources.files(__package__) / "asking.txt").read_text("utf-8").split())
    return frozenset(folded(word) for language in LANGUAGES for word in known.get(language, ())) | asking


def similarity(asked: str, known: str) -> float:
    """How sure it is that a folded word of a question means a folded word of a table, in [0, 1]."""
    if asked == known:
        return 1.0
    if not asked[:1].isalpha() or not known[:1].isalpha():
        return 0.0
    shorter, longer = (asked, known) if len(asked) <= len(known) else (known, asked)
    rest = len(longer) - len(shorter)
    if len(shorter) >= 3 and any(sign.isdigit() for sign in longer):
        return 0.0
    if len(shorter) >= 4:
        shared = _shared(shorter, longer)
        if shared == len(shorter) and rest <= _ENDINGS:
            return INFLECTED
        if shared >= 4 and len(shorter) - shared <= 2 and len(longer) - shared <= _ENDINGS:
            return INFLECTED - 0.05 * (len(shorter) - shared)
    elif len(shorter) == 3 and longer == shorter + "s":
        return INFLECTED
    if len(shorter) >= 4 and derived_stem(shorter) == derived_stem(longer):
        return DERIVED
    mine, other = concepts_of(asked), concepts_of(known)
    if mine & other:
        return TRANSLATED
    if len(shorter) >= 4 and rest >= 3 and (longer.startswith(shorter) or longer.endswith(shorter)):
        return COMPOUND
    if len(shorter) >= 7 and rest <= 1 and _one_edit(shorter, longer):
        return MISSPELT
    if parts_concepts(asked) & (other | parts_concepts(known)) or parts_concepts(known) & mine:
        return PARTLY_TRANSLATED
    return 0.0


_DERIVING = (
    "ierungen", "ierung", "ations", "ation", "ements", "ement", "ungen", "ingen", "ungs", "ung", "iert", "ings", "ing",
    "ions", "ion", "lich", "ment", "heit", "keit", "age", "ern", "est", "ste", "sten", "ers", "ten", "tes", "er", "en",
    "em", "es", "ed", "te", "st", "ly", "e", "n", "s", "t",
)  # fmt: skip


@cache
def derived_stem(word: str) -> str:
    """A word without the ending that makes a noun, a verb or a form of them, at least four letters."""
    for ending in _DERIVING:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


@cache
def parts_concepts(word: str) -> frozenset[int]:
    """The concepts of the first and the last part of a long compound word ("Mitgliederauszug")."""
    if len(word) < 9:
        return frozenset()
    known = concepts()
    first = next((word[:end] for end in range(len(word) - 3, 4, -1) if word[:end] in known), "")
    last = next((word[start:] for start in range(3, len(word) - 3) if word[start:] in known), "")
    return known.get(first, frozenset()) | (known.get(last, frozenset()) if len(last) >= 4 else frozenset())


def _shared(first: str, second: str) -> int:
    for place, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return place
    return min(len(first), len(second))


def _one_edit(shorter: str, longer: str) -> bool:
    begin = _shared(shorter, longer)
    end = _shared(shorter[::-1], longer[::-1])
    if len(shorter) == len(longer):
        return begin + end >= len(shorter) - 1 or (
            begin + end == len(shorter) - 2 and shorter[begin : begin + 2] == longer[begin : begin + 2][::-1]
        )
    return begin + end >= len(shorter)


class Vocabulary:
    """Folded words, of which those that resemble a word of a question are found without comparing all."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._near: dict[str, list[str]] = {}
        self._concepts: dict[int, list[str]] = {}
        for word in self._words:
            for key in {word[:4], f"…{word[-4:]}"}:
                self._near.setdefault(key, []).append(word)
            for concept in concepts_of(word) | parts_concepts(word):
                self._concepts.setdefault(concept, []).append(word)

    def __contains__(self, word: str) -> bool:
        return word in self._words

    def near(self, word: str) -> set[str]:
        """The words that ``similarity`` may find like this one."""
        found = {*self._near.get(word[:4], ()), *self._near.get(f"…{word[-4:]}", ())}
        for concept in concepts_of(word) | parts_concepts(word):
            found.update(self._concepts.get(concept, ()))
        for size in range(4, len(word) - 2):  # parts of a compound word
            found.update(part for part in (word[:size], word[-size:]) if part in self._words)
        return found


def best_match(asked: Word, known: Iterable[str]) -> float:
    """The highest similarity of a word of the question with one of these."""
    return max((max(similarity(asked.plain, one), similarity(asked.spelled, one)) for one in known), default=0.0)
