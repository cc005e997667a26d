"""Scorers of IFEval: whether an answer follows the instructions of its question (Zhou et al. 2023, arXiv:2311.07911).

The accuracy over prompts is a mean over questions; that over instructions counts each question by the number of its
instructions, so that every instruction counts once.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from workbench.base.fields import about
from workbench.records.evaluation import Score
from workbench.subjects.evaluation.instructions import Reading, followed
from workbench.subjects.evaluation.scorers.scorer import Scorable, ScorerContext


class Following(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """In which form an answer has to follow an instruction."""

    answer: Annotated[
        Reading,
        about("Answer"),
        "The answer is judged as it is (strict), or also without its first line, its last line or asterisks (loose).",
    ] = "strict"


def every(cell: Scorable, options: Following, context: ScorerContext) -> Score:
    """Whether the answer follows every instruction."""
    found = share(cell, options, context)
    return Score(None if found.value is None else float(found.value == 1), found.note)


def share(cell: Scorable, options: Following, context: ScorerContext) -> Score:
    """The share of the instructions that the answer follows; the note names the others."""
    instructions = cell.question.instructions
    if not instructions:
        return Score(None)
    found = followed(instructions, cell.answer.text, options.answer)
    missed = ", ".join(one.name for one, right in zip(instructions, found, strict=True) if not right)
    return Score(sum(found) / len(found), f"not followed: {missed}" if missed else "")
