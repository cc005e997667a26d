"""Scorers that compare an answer's text with the accepted ones: words, numbers, expressions, lettered choices.

Of several accepted answers the best counts. Where none is known a scorer does not apply, unless the question has no
answer: then declining is right, as in SQuAD 2.0 (Rajpurkar et al. 2018, arXiv:1806.03822).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from string import ascii_uppercase

import msgspec

from workbench.records.evaluation import Score
from workbench.rewards.texts import EXPECTED, Pattern, Tolerance, number, pattern
from workbench.rewards.values import after_answer_is
from workbench.subjects.evaluation.scorers.scorer import Scorable, ScorerContext, sample_of
from workbench.text.language import split_words
from workbench.text.metrics import contains_answer, is_exact_match, rouge_l, word_f1
from workbench.text.normalisation.plain_text import plain_text

_LETTER = re.compile(r"(?<![\w'’])\(?([A-Z])\)?(?![\w'’])")
_LETTER_FIRST = re.compile(r"\W*([A-Z])(?:[.):,\]*]|\s*$|\s*\n)")


class NoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """This scorer has no settings."""


def exact_match(cell: Scorable, options: NoOptions, context: ScorerContext) -> Score:
    """Whether both are the same as ``workbench.text.normalisation`` reads them, without English articles."""
    return _best(cell, lambda answer, expected: float(is_exact_match(answer, expected)))


def contains(cell: Scorable, options: NoOptions, context: ScorerContext) -> Score:
    """Whether an accepted answer is in the answer; in writing without spaces as characters."""
    return _best(cell, lambda answer, expected: float(contains_answer(answer, expected)))


def token_f1(cell: Scorable, options: NoOptions, context: ScorerContext) -> Score:
    """F1 of the words in common; of the characters in writing without spaces (XQuAD)."""
    return _best(cell, word_f1)


def rouge(cell: Scorable, options: NoOptions, context: ScorerContext) -> Score:
    return _best(cell, rouge_l)


def matches(cell: Scorable, options: Pattern, context: ScorerContext) -> Score:
    """Whether the answer matches the expression, tested by an automaton: no expression takes long."""
    if EXPECTED in options.pattern and not cell.question.answerable:
        return Score(float(cell.answer.declined))
    return pattern((sample_of(cell),), options, context)[0]


def same_number(cell: Scorable, options: Tolerance, context: ScorerContext) -> Score:
    """Whether the answer's number is the expected one: the first after "answer is" or "####", else the last."""
    return number((sample_of(cell),), options, context)[0]


def right_choice(cell: Scorable, options: NoOptions, context: ScorerContext) -> Score:
    """Whether the answer names the right choice: by its letter, or by its text and that of no other one."""
    question = cell.question
    if not question.choices or question.choice < 0:
        return Score(None)
    chosen = chosen_choice(cell.answer.text, question.choices)
    return Score(float(chosen == question.choice), "no choice" if chosen is None else ascii_uppercase[chosen])


def word_count(cell: Scorable, options: NoOptions, context: ScorerContext) -> Score:
    return Score(float(len(split_words(cell.answer.text))))


# -- parts ---------------------------------------------------------------------------------------------


def chosen_choice(text: str, choices: tuple[str, ...]) -> int | None:
    """The index of the choice that a text names; None when it names none, or several."""
    letters, text = ascii_uppercase[: len(choices)], plain_text(text)
    if (found := _LETTER_FIRST.match(text)) and found[1] in letters:
        return letters.index(found[1])
    after = after_answer_is(text)
    for part in ([after] if after else []) + [text]:
        named = {letter for letter in _LETTER.findall(part) if letter in letters}
        # A and I are words as well: they count before a bracket or at the end
        named -= {letter for letter in "AI" if not re.search(rf"\b{letter}\)|\b{letter}\W*$", part)}
        if len(named) == 1:
            return letters.index(named.pop())
    said = {place for place, choice in enumerate(choices) if choice and contains_answer(text, choice)}
    # of "acid" and "an acid rain" the longer one is meant where both are said
    said = {one for one in said if not any(contains_answer(choices[other], choices[one]) for other in said - {one})}
    return said.pop() if len(said) == 1 else None


def _best(cell: Scorable, compare: Callable[[str, str], float]) -> Score:
    question, answer = cell.question, cell.answer
    if not question.answerable:
        return Score(float(answer.declined))
    if not question.expected:
        return Score(None)
    return Score(max(compare(answer.text.strip(), expected) for expected in question.expected))
