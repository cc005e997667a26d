"""Scorers of answers that are JSON: valid, valid by a schema, with the expected fields."""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec

from workbench.evaluation.scorers.scorer import Scorable, ScorerContext
from workbench.evaluation.scorers.texts import NoOptions
from workbench.fields import about
from workbench.metrics import is_exact_match
from workbench.records.evaluation import Score


class Schema(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a valid answer is."""

    schema: Annotated[str, about("Schema", multiline=True), "A JSON schema; without one any JSON is valid."] = ""


def valid_json(cell: Scorable, options: Schema, context: ScorerContext) -> Score:
    """Whether the answer is JSON, and validates against the schema."""
    form = "json_schema" if options.schema.strip() else "json"
    problem = context.find_problem(form, options.schema, cell.answer.text.strip())
    return Score(float(not problem), problem)


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
