"""Content words of a text in a comparable form.

For matching an answer's sentences with passages, and a question with its hits. Words, stopwords and stems are those of
the index (workbench.text.language), for one language at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import Stemmer  # type: ignore[import-not-found]  # a C module without stubs

from workbench.text.language import (
    STEMMERS,
    detect_language,
    function_words,
    is_unspaced,
    split_words,
    without_function_words,
)

_SPELLED = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty"""
NUMBER_WORDS = {word: str(number) for number, word in enumerate(_SPELLED.split())}
_DIGIT_GROUPS = re.compile(r"(?<=\d)[,'’ ](?=\d{3}\b)")
_NAME = re.compile(r"[^\W\d_]{2,}")
_BEGINNING = re.compile(r"(?:^|[.!?:]\s)[\s\"'“‘(*-]*$")


class Vocabulary:
    """Compares words in texts of one language (ISO 639-1; "" when unknown). One thread at a time."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._stemmer = Stemmer.Stemmer({**STEMMERS, "en": "english"}.get(language, "english"))
        self._passed_over = function_words().get(language, frozenset()) | (function_words()["en"] - {"one"})

    @classmethod
    def of(cls, texts: Iterable[str]) -> Vocabulary:
        """The vocabulary for related texts, by the language of most of them."""
        return cls(detect_language("\n".join(texts)))

    def stem(self, word: str) -> str:
        """A lower-case word without its ending; a number word as its number, up to twenty."""
        if word in NUMBER_WORDS:
            return NUMBER_WORDS[word]
        return str(self._stemmer.stemWord(word))

    def is_function_word(self, word: str) -> bool:
        """Whether a lower-case word says nothing by itself."""
        return word in self._passed_over

    def stems(self, text: str) -> list[str]:
        """All words' stems in order; scripts without spaces as overlapping pairs of characters."""
        found: list[str] = []
        for word in split_words(_DIGIT_GROUPS.sub("", text)):
            if is_unspaced(word):
                found += [word[i : i + 2] for i in range(len(word) - 1)] or [word]
            else:
                found.append(self.stem(word))
        return found

    def content_terms(self, text: str) -> list[str]:
        """The distinct stems of the content words, in order."""
        spoken = split_words(_DIGIT_GROUPS.sub("", text))
        kept = " ".join(
            part
            for w in spoken
            if w not in self._passed_over and (len(w) > 1 or not w.isascii() or w.isdigit())
            for part in without_function_words(w, self.language)
        )
        return list(dict.fromkeys(self.stems(kept)))

    def numbers(self, text: str) -> set[str]:
        """The numbers of a text, spelled ones up to twenty included, except "one" (mostly a pronoun)."""
        spoken = split_words(_DIGIT_GROUPS.sub("", text))
        return {self.stem(w) for w in spoken if w[0].isdigit() or (w in NUMBER_WORDS and w != "one")}

    def names(self, text: str) -> list[str]:
        """Capitalised words that do not merely begin a sentence, lower case and in order. None in German."""
        if self.language == "de":
            return []  # every noun is capitalised
        found = [
            match.group().lower()
            for match in _NAME.finditer(text)
            if match.group()[0].isupper() and not _BEGINNING.search(text[max(0, match.start() - 8) : match.start()])
        ]
        return [n for n in dict.fromkeys(found) if n not in self._passed_over]
