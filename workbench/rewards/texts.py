"""Rewards of an answer's text: an expression, a number, JSON, its length, its words, its letters.

Regular expressions of rewards: what is wrong with one, and whether a text has a match of it.

The automaton of answer formats tests an expression in linear time, but knows no borders of words and no look-around.
Expressions with these are tested by the library ``regex``, which gives up after a time.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Literal

import msgspec
import regex

from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.base.fields import about
from workbench.records.evaluation import Score
from workbench.rewards import values
from workbench.rewards.reward import RewardContext, Sample, each
from workbench.text.language import split_words
from workbench.text.metrics import contains_answer

EXPECTED = "{expected}"


class Pattern(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a regular expression."""

    pattern: Annotated[
        str,
        about("Expression"),
        "The answer contains a match of this regular expression. {expected} stands for the accepted answer.",
    ] = EXPECTED
    whole: Annotated[bool, about("Whole answer"), "The expression has to match the whole answer."] = False

    def problem(self) -> str:
        """Why these settings are of no use, as a sentence; "" where nothing is known against them."""
        reason = problem_of(self.pattern.replace(EXPECTED, "x"))
        return f"The expression {self.pattern} is of no use: {reason}." if reason else ""


class Tolerance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a number may be from the expected one: within either of the two."""

    absolute: Annotated[float, about("Absolute", ge=0), "A number may differ from the expected one by this much."] = 0.0
    relative: Annotated[
        float, about("Relative", ge=0, le=1), "A number may differ from the expected one by this share of it."
    ] = 0.0


class Schema(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a valid answer is."""

    schema: Annotated[
        str,
        about("Schema", multiline=True),
        "The answer has to be valid by this JSON schema. Without a schema, any JSON is valid.",
    ] = ""


class LengthRange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long an answer should be."""

    minimum: Annotated[int, about("Minimum", ge=0, unit="words"), "An answer with fewer words is rewarded less."] = 5
    maximum: Annotated[int, about("Maximum", ge=1, unit="words"), "An answer with more words is rewarded less."] = 40


class ListedWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words and phrases that an answer should have, and should not have."""

    wanted: Annotated[
        tuple[str, ...], about("Wanted", separator=","), "The answer should contain these words or phrases."
    ] = ()
    unwanted: Annotated[
        tuple[str, ...], about("Unwanted", separator=","), "The answer should not contain these words or phrases."
    ] = ()


class LetterShare(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which letters an answer should have few or many of."""

    letters: Annotated[str, about("Counted letters", max_length=100), "These letters are counted, as capitals too."] = (
        "e"
    )
    prefer: Annotated[
        Literal["few", "many"], about("Prefer"), "An answer with few, or with many, of these letters is rewarded more."
    ] = "few"
    scale: Annotated[
        float,
        about("Scale", gt=0, le=1000),
        "With “many”, the reward is the share of these letters among all letters, multiplied by this number; with "
        "“few”, it is 1 minus that.",
    ] = 8.0


@each
def pattern(sample: Sample, options: Pattern, context: RewardContext) -> Score:
    """1 where the answer matches the expression, tested by an automaton or within a limit of time."""

    def tested(expected: str) -> float:
        expression = options.pattern.replace(EXPECTED, re.escape(expected))
        if needs_borders(expression):
            return float(is_matched(expression, sample.answer.strip(), whole=options.whole))
        whole = expression if options.whole else f"(?s:.*)({expression})(?s:.*)"
        return float(not context.find_problem("regex", whole, sample.answer.strip()))

    if EXPECTED not in options.pattern:
        return Score(tested(""))
    return Score(max(map(tested, sample.expected)) if sample.expected else None)


@each
def number(sample: Sample, options: Tolerance, context: RewardContext) -> Score:
    """1 where the answer's number is the expected one: the first after "answer is" or "####", else the last."""
    value = values.number(sample.answer, sample.expected, options.absolute, options.relative)
    if value is None:
        return Score(None)
    said = values.last_number(sample.answer)
    return Score(value, "no number" if said is None else _shown(said))


@each
def valid_json(sample: Sample, options: Schema, context: RewardContext) -> Score:
    """1 where the answer is JSON and validates against the schema."""
    form = "json_schema" if options.schema.strip() else "json"
    problem = context.find_problem(form, options.schema, sample.answer.strip())
    return Score(float(not problem), problem)


@each
def length(sample: Sample, options: LengthRange, context: RewardContext) -> Score:
    """1 within the range, less by the share of the words that are missing or too many, and 0 at twice the maximum."""
    words = len(split_words(sample.answer))
    missing = (options.minimum - words) / max(1, options.minimum)
    surplus = (words - options.maximum) / options.maximum
    return Score(max(0.0, 1.0 - max(0.0, missing, surplus)), counted(words, "word"))


@each
def listed_words(sample: Sample, options: ListedWords, context: RewardContext) -> Score:
    """The share of the listed words that are where they should be: the wanted ones in the answer, the others not."""
    value = values.listed_words(sample.answer, sample.expected, options.wanted, options.unwanted)
    if value is None:
        return Score(None)
    missing = [word for word in options.wanted if not contains_answer(sample.answer, word)]
    there = [word for word in options.unwanted if contains_answer(sample.answer, word)]
    notes = [f"{title}: {', '.join(words)}" for title, words in (("missing", missing), ("unwanted", there)) if words]
    return Score(value, "; ".join(notes))


@each
def letter_share(sample: Sample, options: LetterShare, context: RewardContext) -> Score:
    """``scale`` times the share of the letters, or 1 minus that; 0 for an answer without letters."""
    value = values.letter_share(sample.answer, sample.expected, options.letters, options.prefer, options.scale)
    share = values.share_of(sample.answer, options.letters)
    return Score(value, "no letters" if share is None else f"{share:.1%}")


def _shown(number: Fraction) -> str:
    return str(number.numerator) if number.denominator == 1 else f"{float(number):g}"


LONGEST_TEST_S = 1.0
_BORDERS = re.compile(r"(?<!\\)(?:\\\\)*(?:\\[bB]|\(\?<?[=!])")
_NEVER = re.compile(r"\[\^(?:\\s\\S|\\S\\s|\\d\\D|\\w\\W)\]|\(\?!\)")
_AFTER_END = re.compile(r"(?<!\\)(?:\\\\)*\$[A-Za-z0-9]")
_BEFORE_BEGINNING = re.compile(r"(?<![\\(?|])[A-Za-z0-9]\^")


def problem_of(expression: str) -> str:
    """Why an expression is of no use, as the rest of a sentence; "" where nothing is known against it."""
    try:
        regex.compile(expression)
    except regex.error as error:
        return f"it is not valid: {error}"
    outside = re.sub(r"(?<!\\)\[\^?\]?(?:\\.|[^\]\\])*\]", "[]", expression)
    if _NEVER.search(expression):
        return "it can never match: a part of it matches no character"
    if "(?m" not in expression and (_AFTER_END.search(outside) or _BEFORE_BEGINNING.search(outside)):
        return "it can never match: something stands after the end ($), or before the beginning (^), of the answer"
    return ""


def needs_borders(expression: str) -> bool:
    """Whether an expression looks at what stands beside its match, which the automaton cannot."""
    return _BORDERS.search(expression) is not None


def is_matched(expression: str, text: str, *, whole: bool) -> bool:
    """Whether a text has a match, or is one as a ``whole``. Raises UserError where that takes too long."""
    compiled = regex.compile(expression)
    test = compiled.fullmatch if whole else compiled.search
    try:
        return test(text, timeout=LONGEST_TEST_S) is not None
    except TimeoutError as error:
        raise UserError(
            f"The expression {expression!r} takes more than {LONGEST_TEST_S:g} s on an answer.",
            "Write it without repetitions within repetitions.",
        ) from error
