"""Scorers that ask a model: the probability of each choice, similarity of meaning, a judge with a rubric.

A judge's grade is the expected value over the digits' probabilities, which needs one evaluation of the prompt and has
no ties (Liu et al. 2023, "G-Eval", arXiv:2303.16634). Two answers are compared in both orders, since judges prefer one
place (Zheng et al. 2023, "Judging LLM-as-a-Judge", arXiv:2306.05685).
"""

from __future__ import annotations

from string import ascii_uppercase
from typing import Annotated, Literal

import msgspec

from workbench.base.fields import about
from workbench.records.evaluation import Score
from workbench.records.messages import Message
from workbench.rewards.models import DIGITS, RUBRIC, asked_parts, grade_of, grading_prompt, shares
from workbench.subjects.evaluation.scorers.scorer import Scorable, ScorerContext, sample_of
from workbench.subjects.evaluation.scorers.texts import NoOptions


class Choosing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the probability of a choice is taken."""

    of: Annotated[
        Literal["letters", "texts"],
        about("Probability of"),
        "The probability is that of the choices' letters after the lettered list, or that of their texts after the "
        "question alone.",
    ] = "letters"
    per: Annotated[
        Literal["sum", "byte"],
        about("Compared by"),
        "The choices are compared by the sum over the tokens, or by the sum per byte, which does not favour short "
        "texts.",
    ] = "sum"


class Rubric(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a judge looks at."""

    rubric: Annotated[str, about("Rubric", multiline=True), "The rubric says what makes a good answer."] = RUBRIC


def choice_probability(cell: Scorable, options: Choosing, context: ScorerContext) -> Score:
    """Whether the right choice is the most probable one. No answer is generated for it."""
    question = cell.question
    if not question.choices or question.choice < 0:
        return Score(None)
    by_letter = options.of == "letters"
    asked = question.conversation() if by_letter else question.messages
    continuations = list(ascii_uppercase[: len(question.choices)]) if by_letter else list(question.choices)
    scored = context.score(cell.recipe, asked, continuations)
    sums = [
        one.logprob / (len(text.encode()) if options.per == "byte" else 1)
        for one, text in zip(scored, continuations, strict=True)
    ]
    chosen = max(range(len(sums)), key=sums.__getitem__)
    return Score(float(chosen == question.choice), ascii_uppercase[chosen])


def similarity(cell: Scorable, options: NoOptions, context: ScorerContext) -> Score:
    """The cosine of the answer's and the nearest accepted answer's vectors; below 0 it is 0."""
    if not cell.question.expected or not cell.answer.text.strip():
        return Score(0.0 if cell.question.expected else None)
    return Score(max(0.0, *context.similarities(cell.answer.text, cell.question.expected)))


def grade(cell: Scorable, options: Rubric, context: ScorerContext) -> Score:
    """A judge's grade from 1 to 5, as a share: 1 is 0, 5 is 1."""
    scored = context.score(cell.judge, grading_prompt(sample_of(cell), options.rubric), DIGITS)
    return grade_of([one.logprob for one in scored])


def preference(cell: Scorable, options: Rubric, context: ScorerContext) -> Score:
    """The probability by which a judge prefers the answer to the first recipe's, the mean of both orders."""
    if cell.first is None:
        return Score(None)
    own, other = cell.answer.text.strip(), cell.first.text.strip()
    if own == other:
        return Score(0.5, "the same answer")
    preferred = []
    for first, second in ((own, other), (other, own)):
        task = f"Which of two answers is better? {options.rubric}"
        asked = asked_parts(cell.question.conversation(), cell.question.expected)
        parts = [task, *asked, f"Answer A:\n{first}", f"Answer B:\n{second}", "Reply with A or B."]
        messages = (Message("user", "\n\n".join(parts)),)
        share, _ = shares([one.logprob for one in context.score(cell.judge, messages, ["A", "B"])])
        preferred.append(share if first is own else 1 - share)
    return Score(sum(preferred) / 2, f"{preferred[0]:.2f} as A, {preferred[1]:.2f} as B")
