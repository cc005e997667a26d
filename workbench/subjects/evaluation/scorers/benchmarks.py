"""Scorers of benchmarks, as lm-evaluation-harness scores them (Gao et al. 2024, doi:10.5281/zenodo.12608602)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec

from workbench.base.fields import about
from workbench.records.evaluation import Score
from workbench.subjects.evaluation.scorers.scorer import Scorable, ScorerContext

_STRICT = re.compile(r"#### (\-?[0-9\.\,]+)")
_FLEXIBLE = re.compile(r"(-?[$0-9.,]{2,})|(-?[0-9]+)")
_IGNORED = tuple(re.compile(pattern) for pattern in (",", r"\$", r"(?s).*#### ", r"\.$"))
_INVALID = "[invalid]"


class Comparing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the continuations are compared."""

    per: Annotated[
        Literal["sum", "character"],
        about("Compared by"),
        "The choices are compared by the sum of log-probabilities (acc), or by the sum per character (acc_norm), "
        "which does not favour short ones.",
    ] = "sum"


class Extracting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which number of the answer is compared."""

    filter: Annotated[
        Literal["strict", "flexible"],
        about("Number"),
        "The number is the one after #### (strict-match), or the last one of the answer (flexible-extract).",
    ] = "strict"


def choice(cell: Scorable, options: Comparing, context: ScorerContext) -> Score:
    """Whether the right continuation of the prompt is the most probable one. Nothing is generated."""
    question = cell.question
    if not question.prompt or not question.choices or question.choice < 0:
        return Score(None)
    scored = context.score(cell.recipe, question.conversation(), question.choices)
    # the harness divides by the length of the choice without the space before it
    lengths = [max(1, len(text) - 1) if options.per == "character" else 1 for text in question.choices]
    sums = [one.logprob / length for one, length in zip(scored, lengths, strict=True)]
    chosen = max(range(len(sums)), key=sums.__getitem__)
    return Score(float(chosen == question.choice), question.choices[chosen].strip()[:80])


def number(cell: Scorable, options: Extracting, context: ScorerContext) -> Score:
    """Whether the number of the answer is that of the solution."""
    if not cell.question.expected:
        return Score(None)
    found = _extracted(cell.answer.text, options.filter)
    return Score(float(_compared(found) == _compared(cell.question.expected[0])), found[:80])


def _extracted(text: str, how: str) -> str:
    found = (_STRICT if how == "strict" else _FLEXIBLE).findall(text)
    if not found:
        return _INVALID
    one = found[0] if how == "strict" else found[-1]
    if isinstance(one, tuple):
        one = next((part for part in one if part), _INVALID)
    return str(one).strip()


def _compared(text: str) -> str:
    for pattern in _IGNORED:
        text = pattern.sub("", text)
    return text.lower()
