"""Metrics of answers against expected ones. Pure functions: no model, no files.

Texts are compared as ``workbench.text.normalisation`` reads them: in one case, without punctuation, Markdown and
citation marks, with numbers, dates and units in one form. Copied into an exported training, as that package is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from workbench.text.normalisation.readings import reading_of, readings
from workbench.text.normalisation.words import ARTICLES, without_articles, words_of

COMPARISON = 2
"""The version of the rules by which texts are compared. Scores that were made by earlier rules are made anew."""


def normalise_answer(text: str) -> str:
    """The words that are compared, without English articles, as SQuAD compares answers (Rajpurkar et al. 2016,
    arXiv:1606.05250). A text that consists of such alone stays as it is."""
    return " ".join(without_articles(words_of(text, reading_of(text))))


def is_exact_match(answer: str, expected: str) -> bool:
    """Whether both say the same, normalised."""
    return any(said == wanted for said, wanted in _compared(answer, expected))


def contains_answer(answer: str, expected: str) -> bool:
    """Whether the words of ``expected`` stand in the answer one after the other, normalised."""
    return any(_is_part(wanted, said) for said, wanted in _compared(answer, expected))


def word_f1(answer: str, expected: str) -> float:
    """F1 of the words in common, in [0, 1], as SQuAD counts them; in scripts without spaces of the characters, as XQuAD
    does (Artetxe et al. 2020, arXiv:1910.11856)."""
    return max(_f1(said, wanted) for said, wanted in _compared(answer, expected))


def rouge_l(answer: str, expected: str) -> float:
    """F1 of the longest common subsequence of words, in [0, 1] (Lin 2004, https://aclanthology.org/W04-1013)."""
    if not answer.strip() or not expected.strip():
        return float(answer.strip() == expected.strip())
    return max(_subsequence_f1(words_of(answer, mine), words_of(expected, other))
               for mine, other in readings(answer, expected))  # fmt: skip


def longest_common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """The length of the longest sequence that is left of both when some of their items are left out."""
    row = [0] * (len(second) + 1)
    for item in first:
        diagonal = 0
        for place, other in enumerate(second, 1):
            above = row[place]
            row[place] = diagonal + 1 if item == other else max(above, row[place - 1])
            diagonal = above
    return row[-1]


def _compared(answer: str, expected: str) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The words of both under each reading, without articles unless an article, as a letter is, is all that is
    expected."""
    for mine, other in readings(answer, expected):
        said, wanted = words_of(answer, mine), words_of(expected, other)
        if set(wanted) <= ARTICLES:
            yield said, wanted
        else:
            yield without_articles(said), without_articles(wanted)


def _is_part(wanted: Sequence[str], said: Sequence[str]) -> bool:
    """Whether the words stand one after the other. What expects no word at all expects an empty answer."""
    if not wanted:
        return not said
    length = len(wanted)
    return any(
        said[place] == wanted[0] and said[place : place + length] == wanted for place in range(len(said) - length + 1)
    )


def _f1(said: Sequence[str], wanted: Sequence[str]) -> float:
    if not said or not wanted:
        return float(said == wanted)
    common = (Counter(said) & Counter(wanted)).total()
    return 2 * common / (len(said) + len(wanted))


def _subsequence_f1(said: Sequence[str], wanted: Sequence[str]) -> float:
    if not said or not wanted:
        return float(said == wanted)
    return 2 * longest_common_subsequence(said, wanted) / (len(said) + len(wanted))
