"""A question about a table: its words, the cues in it, its numbers and dates."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence

from workbench.techniques.retrieval.question_parts import split_question
from workbench.techniques.retrieval.table_answers.cues import cues_of
from workbench.techniques.retrieval.table_answers.words import Word, stop_words, words_of
from workbench.text.cells import date_of, months, number_of


class Question:
    """A question's words, cues and the numbers and dates in it; ``parts``: how many things it asks."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = words_of(text)
        self.cues = cues_of(text)
        self.months = {w.place: months()[w.plain] for w in self.words if w.plain in months() and not _is_modal(w, self)}
        self.content = [w for w in self.words if self._tells(w)]
        self.numbers = {w.place: found for w in self.words if (found := _spoken_number(w)) is not None}
        self.dates = dict(_dates(text, self.words))
        self.parts = len(split_question(text))

    def _tells(self, word: Word) -> bool:
        """Whether a word may name something."""
        if len(word.plain) == 1 and not word.plain.isdigit():
            return _is_letter(word, self.words)
        return word.plain not in stop_words() or _is_code(word, self.text) or word.place in self.months

    def has(self, cue: str) -> bool:
        return cue in self.cues

    def near(self, cue: str, place: int, before: int = 3, after: int = 0) -> bool:
        """Whether a cue stands close to a word."""
        spans = self.cues.get(cue, ())
        near = [w for w in self.words if place - before <= w.place <= place + after]
        return any(start < w.end and w.start < end for start, end in spans for w in near)


def _is_letter(word: Word, words: Sequence[Word]) -> bool:
    """Whether a single letter is a name, as in "grade C"."""
    return (
        len(word.text) == 1
        and word.text.isupper()
        and word.text.isascii()
        and word.place > 0
        and word.text not in "IYO"
    )


def _is_code(word: Word, text: str) -> bool:
    """Whether a word in capitals is a code, such as "SE", in a text that is not all in capitals."""
    return len(word.text) > 1 and word.text.isupper() and not text.isupper()


def _is_modal(word: Word, question: Question) -> bool:
    """Whether "may" is no month: it is one after "in" and before a year or the end."""
    if word.text != "may":
        return False
    before = question.words[word.place - 1].plain if word.place else ""
    after = question.words[word.place + 1].plain if word.place + 1 < len(question.words) else "2000"
    return before not in ("in", "of", "since", "until", "for") and re.fullmatch(r"(?:19|20)\d\d", after) is None


_NUMBER_WORDS = {
    word: float(number)
    for number, words in enumerate(
        (
            "", "", "two zwei deux dos", "three drei trois tres", "four vier quatre cuatro", "five funf cinq cinco",
            "six sechs seis", "seven sieben sept siete", "eight acht huit ocho", "nine neun neuf nueve",
            "ten zehn dix diez", "eleven elf onze once", "twelve zwolf douze doce",
        )
    )
    for word in words.split()
}  # fmt: skip


def _spoken_number(word: Word) -> float | None:
    if word.plain in _NUMBER_WORDS:
        return _NUMBER_WORDS[word.plain]
    found = number_of(word.text)
    return found[0] if found is not None else None


_DATE = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\s?\d{1,2}[./]\s?\d{2,4}|\d{1,2}(?:\.|st|nd|rd|th|er)? ?(?:of |de )?"
    r"[^\W\d_]{3,10}\.?,? ?(?:del? )?\d{4}|[^\W\d_]{3,10} \d{1,2}(?:st|nd|rd|th)?,? \d{4}",
    re.I,
)


def _dates(text: str, words: Sequence[Word]) -> Iterator[tuple[frozenset[int], datetime.date]]:
    for match in _DATE.finditer(text):
        date = date_of(match.group())
        if date is not None:
            places = frozenset(w.place for w in words if w.start < match.end() and match.start() < w.end)
            yield places, date
