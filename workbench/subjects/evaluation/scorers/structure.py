"""Scorers of answers that are JSON: valid, valid by a schema, with the expected fields."""

from __future__ import annotations

import json
from typing import Any

from workbench.records.evaluation import Score
from workbench.rewards.texts import Schema
from workbench.rewards.texts import valid_json as rewarded_json
from workbench.subjects.evaluation.scorers.scorer import Scorable, ScorerContext, sample_of
from workbench.subjects.evaluation.scorers.texts import NoOptions
from workbench.text.metrics import is_exact_match


def valid_json(cell: Scorable, options: Schema, context: ScorerContext) -> Score:
    """Whether the answer is JSON, and validates against the schema."""
    return rewarded_json((sample_of(cell),), options, context)[0]


def json_fields(cell: Scorable, options: NoOptions, context: ScorerContext) -> Score:
    """The share of the fields of the expected object that the answer has with the same values, texts normalised.
    Fields of nested objects count each."""
    wanted = next((value for text in cell.question.expected if isinstance(value := _read(text), dict)), None)
    if not wanted:
        return Score(None)
    said = _read(cell.answer.text)
    if not isinstance(said, dict):
        return Score(0.0, "no JSON object")
    expected, found = dict(_leaves(wanted)), dict(_leaves(said))
    wrong = [".".join(path) for path, value in expected.items() if not _same(found.get(path, _MISSING), value)]
    return Score(1 - len(wrong) / len(expected), f"differs: {', '.join(wrong)}" if wrong else "")


_MISSING = object()


def _read(text: str) -> Any:
    """The JSON of a text, also in a block of code; None for what is none."""
    inner = text.strip()
    if inner.startswith("```"):
        inner = inner.partition("\n")[2].rpartition("```")[0]
    try:
        return json.loads(inner)
    except (ValueError, RecursionError):
        return None


def _leaves(value: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    found: list[tuple[tuple[str, ...], Any]] = []
    for name, inner in value.items():
        found += _leaves(inner, (*path, name)) if isinstance(inner, dict) and inner else [((*path, name), inner)]
    return found


def _same(said: Any, wanted: Any) -> bool:
    if isinstance(said, str) and isinstance(wanted, str):
        return is_exact_match(said, wanted)
    return bool(said == wanted) and isinstance(said, bool) == isinstance(wanted, bool)
