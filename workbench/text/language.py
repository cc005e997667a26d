"""Languages and words: the language of a text, and the terms under which its words are searched.

The index has two kinds of terms. *Words*: SQLite's tokenizer makes them from the text itself and removes English
endings (Porter 1980). *Terms*: what SQLite cannot provide: the stems of other languages' words (Snowball, Porter 2001),
and overlapping pairs of characters for scripts without spaces (Chinese, Japanese, Korean; triples for Thai and its
neighbours). Pairs rather than SQLite's trigrams, since most Chinese words have two characters: a trigram index does not
find them on their own.

This module knows nothing of the index or of SQL, apart from the query language of FTS5.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache
from importlib import resources

import Stemmer  # type: ignore[import-not-found]  # a C module without stubs
from msgspec import Struct

SAMPLE_CHARACTERS = 12_000
"""Length of the sample from which the language is detected."""

LARGEST_QUERY_TERMS = 64
"""A longer question is searched by its first distinct terms."""

STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "es": "spanish",
    "fi": "finnish", "fr": "french", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "it": "italian", "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian",
    "ru": "russian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip
"""ISO 639-1 code -> Snowball's name. English is stemmed by SQLite itself."""

_NAMES = {
    **{code: name.capitalize() for code, name in STEMMERS.items()},
    "bn": "Bengali", "en": "English", "fa": "Persian", "gu": "Gujarati", "he": "Hebrew", "ja": "Japanese",
    "ka": "Georgian", "km": "Khmer", "kn": "Kannada", "ko": "Korean", "lo": "Lao", "ml": "Malayalam", "my": "Burmese",
    "pa": "Punjabi", "te": "Telugu", "th": "Thai", "uk": "Ukrainian", "zh": "Chinese",
}  # fmt: skip

_PAIRS = r"\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U000323af"
_TRIPLES = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"

_SCRIPTS = {
    "latin": "A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff",
    "cyrillic": "\u0400-\u052f",
    "han": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff",
    "kana": "\u3040-\u30ff\u31f0-\u31ff",
    "ko": "\uac00-\ud7af\u1100-\u11ff",
    "arabic": "\u0600-\u06ff\u0750-\u077f",
    "el": "\u0370-\u03ff\u1f00-\u1fff",
    "he": "\u0590-\u05ff",
    "hi": "\u0900-\u097f",
    "bn": "\u0980-\u09ff",
    "pa": "\u0a00-\u0a7f",
    "gu": "\u0a80-\u0aff",
    "ta": "\u0b80-\u0bff",
    "te": "\u0c00-\u0c7f",
    "kn": "\u0c80-\u0cff",
    "ml": "\u0d00-\u0d7f",
    "th": "\u0e00-\u0e7f",
    "lo": "\u0e80-\u0eff",
    "my": "\u1000-\u109f",
    "km": "\u1780-\u17ff",
    "ka": "\u10a0-\u10ff",
    "hy": "\u0530-\u058f",
}
"""Characters of each script; a script of a single language here identifies it."""

_LEAST_FUNCTION_WORDS = 0.08
"""A text with a smaller share of a language's function words is not in that language."""


_ASKING = {
    code: frozenset(words.split())
    for code, words in {
        "en": "who whom whose what when where which why how",
        "de": "wer wen wem wessen wann wo wohin woher warum wieso wie wieviel wieviele welcher welche welches welchem "
        "welchen wofür womit",
        "fr": "qui quoi quand où combien pourquoi quel quelle quels quelles",
        "es": "quién quiénes quien qué cuándo dónde donde cuál cuáles cuales cuánto cuánta cuántos cuántas cuanto "
        "cuanta cuantos cuantas cómo",
    }.items()
}
"""Words that ask, and mean nothing else in the other languages here."""
_UMLAUT = re.compile("[äöüßÄÖÜ]")
_UMLAUTS_TOO = frozenset(("et", "fi", "hu", "sk", "sv", "tr"))
"""Languages that have umlauts beside German."""


class Terms(Struct, frozen=True):
    """A question's terms: ``words`` are searched in the text, ``terms`` in the output of ``index_terms``."""

    words: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.terms)


def detect_language(text: str) -> str:
    """The ISO 639-1 code of the main language of a text, or "" when it is undecided."""
    sample = _sample(text)
    counts = {
        script: len(found) for script, pattern in _script_patterns().items() if (found := pattern.findall(sample))
    }
    if not counts:
        return ""
    # one ideograph or syllable counts as two or three letters
    weighted = {s: n * (2.5 if s in ("han", "kana", "ko") else 1) for s, n in counts.items()}
    script = max(weighted, key=lambda s: weighted[s])
    if script in ("han", "kana"):
        return "ja" if counts.get("kana", 0) > 0.08 * (counts.get("han", 0) + counts.get("kana", 0)) else "zh"
    if script == "arabic":
        return "fa" if len(re.findall("[پچژگی]", sample)) > 0.03 * counts[script] else "ar"
    if script in ("latin", "cyrillic"):
        return guess_by_function_words(split_words(sample))
    return script


def detect_question_language(question: str, likely: Iterable[str]) -> str:
    """As ``detect_language``, for a short text that is probably in one of the ``likely`` languages: a word that asks in
    only one of them, one function word, or a letter is enough."""
    likely, words = tuple(likely), split_words(question)
    asking = [code for code in likely if not _ASKING.get(code, frozenset()).isdisjoint(words)]
    if len(set(asking)) == 1:
        return asking[0]
    found = detect_language(question) or guess_by_function_words(words, likely, least=2)
    if found:
        return found
    alone = guess_by_function_words(words, likely, least=1)
    if alone and alone == guess_by_function_words(words, likely[::-1], least=1):  # the same in whatever order: no tie
        return alone
    if "de" in likely and not _UMLAUTS_TOO & set(likely) and _UMLAUT.search(question):
        return "de"
    return ""


def language_name(code: str) -> str:
    """The English name of a language that ``detect_language`` knows; otherwise the code."""
    return _NAMES.get(code, code)


def known_languages(listed: object) -> tuple[str, ...]:
    """The languages of a model's card as ISO 639-1 codes; () when it lists none, or one that is not known here, so that
    nothing can be said of what is missing."""
    if not isinstance(listed, list | tuple):
        return ()
    codes = tuple(dict.fromkeys(re.split("[-_]", str(one).strip().lower())[0] for one in listed))
    return codes if all(code in _NAMES for code in codes) else ()


def guess_by_function_words(words: Iterable[str], among: Iterable[str] | None = None, least: int = 3) -> str:
    """The language whose function words are the most frequent, or "" when fewer than ``least`` occur.

    A word of several languages counts for each in equal parts. ``among`` restricts the choice.
    """
    counted = Counter(words)
    total = counted.total()
    known = function_words()
    languages = [c for c in (known if among is None else among) if c in known]
    scores = {
        code: sum(n / _languages_of(word) for word, n in counted.items() if word in known[code]) for code in languages
    }
    best = max(scores, key=lambda c: scores[c], default="")
    if not best or not total:
        return ""
    hits = sum(n for word, n in counted.items() if word in known[best])
    return best if hits >= least and hits >= _LEAST_FUNCTION_WORDS * total else ""


def index_terms(text: str, language: str) -> str:
    """Index terms of a chunk beside the words of its text, separated by spaces. Often empty."""
    stemmer = _stemmer(language)
    found: list[str] = []
    for word in split_words(text):
        if _unspaced().search(word):
            found += pairs_of(word)
        elif stemmer is not None:
            found.append(str(stemmer.stemWord(word)))
    return " ".join(found)


def query_terms(query: str, languages: Iterable[str]) -> Terms:
    """The distinct terms of a question to documents in these languages, without function words.

    A question of function words only keeps them.
    """
    present = list(languages) or [""]
    spoken = split_words(query)
    code = guess_by_function_words(spoken, (*present, "en"), least=1) or (present[0] if len(present) == 1 else "")
    passed_over = function_words().get(code, frozenset())
    kept = [word for word in spoken if word not in passed_over] or spoken
    spaced = [word for word in kept if not _unspaced().search(word)]
    words: list[str] = []
    terms = [gram for word in kept if _unspaced().search(word) for gram in pairs_of(word)]
    for language in present:
        stemmer = _stemmer(language)
        if stemmer is not None:
            terms += stemmer.stemWords(spaced)
        else:
            words = spaced
    return Terms(tuple(dict.fromkeys(words))[:LARGEST_QUERY_TERMS], tuple(dict.fromkeys(terms))[:LARGEST_QUERY_TERMS])


def match_expression(terms: Terms, word_column: str = "text", term_column: str = "terms") -> str:
    """An FTS5 query for any of the terms, in the columns of words and of terms. Every term is quoted: none can act as
    an operator."""
    parts = []
    if terms.words:
        parts.append(f"{{{word_column}}} : (" + " OR ".join(map(_quoted, terms.words)) + ")")
    if terms.terms:
        parts.append(f"{{{term_column}}} : (" + " OR ".join(map(_quoted, terms.terms)) + ")")
    return " OR ".join(parts)


def split_words(text: str) -> list[str]:
    """The words of a text, in lower case, in order, as FTS5's unicode61 splits them: letters, marks and digits."""
    return _words().findall(unicodedata.normalize("NFC", text).lower())


def is_unspaced(text: str) -> bool:
    """Whether some of a text is in a script that puts no spaces between words."""
    return _unspaced().search(text) is not None


@cache
def function_words() -> dict[str, frozenset[str]]:
    """ISO 639-1 code -> the language's function words."""
    source = resources.files(__package__).joinpath("function_words.txt").read_text("utf-8")
    found: dict[str, frozenset[str]] = {}
    for paragraph in re.split(r"\n\s*\n", source):
        code, colon, words = paragraph.strip().partition(":")
        if colon and len(code) == 2:
            found[code] = frozenset(words.split())
    return found


def without_function_words(clause: str, language: str) -> list[str]:
    """The parts of a Chinese clause between its function words; parts of one character are left out, since they are
    mostly halves of words. In other scripts without spaces, whose function words are not known, the clause itself."""
    if language not in function_words() or not is_unspaced(clause):
        return [clause]
    return [part for part in _between(language).split(clause) if len(part) > 1] or [clause][: len(clause) == 1]


@cache
def _between(language: str) -> re.Pattern[str]:
    return re.compile("|".join(sorted(map(re.escape, function_words()[language]), key=len, reverse=True)))


def pairs_of(word: str) -> list[str]:
    """Pairs or triples of the characters of an unspaced word (a whole clause); runs of other characters stay whole."""
    found: list[str] = []
    for match in _runs().finditer(word):
        run = match.group()
        size = 2 if match.lastgroup == "pairs" else 3 if match.lastgroup == "triples" else len(run)
        found += [run[i : i + size] for i in range(len(run) - size + 1)] or [run]
    return found


def _quoted(term: str) -> str:
    # a single ideograph is the prefix of its pairs
    return f'"{term}"' + (" *" if len(term) == 1 and _unspaced().search(term) else "")


def _sample(text: str) -> str:
    if len(text) <= SAMPLE_CHARACTERS:
        return text
    piece = SAMPLE_CHARACTERS // 4
    step = (len(text) - piece) // 3
    return " ".join(text[i * step : i * step + piece] for i in range(4))


def _languages_of(word: str) -> int:
    return _use_counts()[word]


@cache
def _use_counts() -> Counter[str]:
    return Counter(word for words in function_words().values() for word in words)


class _Stemmers(threading.local):
    """A stemmer keeps a cache of its own that is not safe to share between threads."""

    def __init__(self) -> None:
        self.made: dict[str, Stemmer.Stemmer] = {}


_stemmers = _Stemmers()


def _stemmer(language: str) -> Stemmer.Stemmer | None:
    if language not in STEMMERS:
        return None
    if language not in _stemmers.made:
        _stemmers.made[language] = Stemmer.Stemmer(STEMMERS[language])
    return _stemmers.made[language]


@cache
def _script_patterns() -> dict[str, re.Pattern[str]]:
    return {script: re.compile(f"[{characters}]") for script, characters in _SCRIPTS.items()}


@cache
def _unspaced() -> re.Pattern[str]:
    return re.compile(f"[{_PAIRS}{_TRIPLES}]")


@cache
def _runs() -> re.Pattern[str]:
    return re.compile(f"(?P<pairs>[{_PAIRS}]+)|(?P<triples>[{_TRIPLES}]+)|(?P<other>[^{_PAIRS}{_TRIPLES}]+)")


@cache
def _words() -> re.Pattern[str]:
    # \w has no combining marks, without which words of Hindi, Thai or vocalised Arabic fall apart
    marks = "".join(chr(c) for c in range(0x300, 0x11000) if unicodedata.category(chr(c)).startswith("M"))
    return re.compile(rf"[^\W_]+(?:[{marks}]+[^\W_]*)*")
