"""Rewards that ask a model: a reward model's score, and the grade of a judge recipe.

A judge's grade is the expected value over the digits' probabilities, which needs one evaluation of the prompt and has
no ties (Liu et al. 2023, "G-Eval", arXiv:2303.16634).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import msgspec

from workbench.base.errors import UserError
from workbench.base.fields import about
from workbench.records.evaluation import Score
from workbench.records.messages import Message
from workbench.rewards.reward import RewardContext, Sample

GRADES = 5
DIGITS = tuple(str(digit) for digit in range(1, GRADES + 1))
RUBRIC = "The answer is correct, complete, and answers the question without anything else."


class RewardModelUse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which reward model scores."""

    adapter: Annotated[
        str, about("Reward model"), "The adapter comes from a training with the objective Reward model."
    ] = ""


class JudgeGrade(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which judge grades, and by what."""

    recipe: Annotated[
        str, about("Judge"), "The judge is a saved recipe. Without one, the judge of the run is taken."
    ] = ""
    rubric: Annotated[str, about("Rubric", multiline=True), "The rubric says what makes a good answer."] = RUBRIC


def reward_model(samples: Sequence[Sample], options: RewardModelUse, context: RewardContext) -> list[Score]:
    """The reward model's score: mean 0, standard deviation 1 over answers of its base model."""
    if not options.adapter:
        raise UserError("No reward model is chosen.", "Name the adapter of a reward model.")
    return [Score(value) for value in context.model_scores(options.adapter, samples)]


def judge_grade(samples: Sequence[Sample], options: JudgeGrade, context: RewardContext) -> list[Score]:
    """A judge's grade from 1 to 5, as a share: 1 is 0, 5 is 1."""
    prompts = [grading_prompt(sample, options.rubric) for sample in samples]
    return [grade_of(logprobs) for logprobs in context.grade_logprobs(options.recipe, prompts, DIGITS)]


def grading_prompt(sample: Sample, rubric: str) -> tuple[Message, ...]:
    """What asks a judge for a digit."""
    parts = [
        f"Grade the answer from 1 (bad) to {GRADES} (excellent). {rubric}",
        *asked_parts(sample.prompt, sample.expected),
        f"Answer:\n{sample.answer.strip()}",
        f"Reply with one digit from 1 to {GRADES}.",
    ]
    return (Message("user", "\n\n".join(parts)),)


def asked_parts(prompt: Sequence[Message], expected: Sequence[str]) -> list[str]:
    """The question as a judge reads it, with the last accepted answer where there is one."""
    parts = [f"Question:\n{prompt[-1].content}"]
    if expected:
        parts.append(f"Reference answer:\n{expected[-1]}")
    return parts


def grade_of(logprobs: Sequence[float]) -> Score:
    """The expected digit as a share, from the log-probabilities of ``DIGITS``."""
    expected = sum(share * digit for digit, share in enumerate(shares(logprobs), 1))
    return Score((expected - 1) / (GRADES - 1), f"{expected:.2f} of {GRADES}")


def shares(logprobs: Sequence[float]) -> list[float]:
    """The probabilities of continuations among themselves."""
    most = max(logprobs)
    weights = [math.exp(one - most) for one in logprobs]
    return [weight / sum(weights) for weight in weights]
