"""Argilla's records, flattened: fields beside ``<question>.responses`` with who answered, and
``<question>.suggestion``.

See https://docs.argilla.io/latest/how_to_guides/import_export/. A question is a label (the name of a field, a number, a
letter, a tie), a ranking of the fields, or, of one field, a label good or bad.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.base.errors import UserError
from workbench.records.judgements import JudgedAnswer, Judgement, Verdict
from workbench.records.messages import Message
from workbench.subjects.judgements.row_parts import (
    BOTH_BAD,
    GOOD,
    POOR,
    TIES,
    Values,
    decided,
    is_good,
    loaded,
    number_in,
    verdict_in,
)

_RESPONSES, _SUGGESTION = ".responses", ".suggestion"
_SUBMITTED = ("submitted", "ResponseStatus.submitted", None, "")
_ANSWER = re.compile(r"(response|completion|answer|generation|output|candidate)[ _-]?([0-9a-z]?)", re.IGNORECASE)


def argilla_question(sample: Sequence[Values]) -> tuple[str, tuple[str, ...]] | None:
    """The name of the question that compares or rates answers, and the fields of the answers; None where there is
    none."""
    columns = list(dict.fromkeys(name for values in sample for name in values))
    names = [name.removesuffix(_RESPONSES) for name in columns if name.endswith(_RESPONSES)]
    names += [name.removesuffix(_SUGGESTION) for name in columns if name.endswith(_SUGGESTION)]
    fields = tuple(sorted(name for name in columns if _ANSWER.fullmatch(name)))[:2]
    for name in dict.fromkeys(names):
        said = [value for values in sample for value, *_ in _answers(values, name)]
        if fields and said and any(_is_verdict(value, fields) for value in said):
            return name, fields
    return None


def judgements_of_argilla(
    values: Values, question: str, prompt: tuple[Message, ...], fields: Sequence[str], texts: Sequence[str]
) -> list[Judgement]:
    """One judgement for each person who has submitted an answer, and one of the suggestion of a model where nobody has.
    Raises UserError."""
    answers = [JudgedAnswer(text=text) for text in texts]
    made: list[Judgement] = []
    for value, who, kind, confidence in _answers(values, question):
        if kind == "model" and made:
            continue
        judge: dict[str, Any] = {"judge": kind, "judge_name": who, "confidence": confidence}
        if len(answers) == 1:
            verdict: Verdict = "good" if is_good(value, question) else "poor"
            made.append(Judgement(prompt=prompt, a=answers[0], verdict=verdict, **judge))
        else:
            made += decided(prompt, answers, _verdict(value, fields, question), **judge)
    if not made:
        raise UserError(f"nobody has submitted an answer to {question!r}.")
    return made


def _answers(values: Values, question: str) -> list[tuple[Any, str, str, float | None]]:
    """What each person answered, and the suggestion: value, name, kind of judge, confidence."""
    said, users, states = (_listed(values.get(f"{question}{_RESPONSES}{part}")) for part in ("", ".users", ".status"))
    found: list[tuple[Any, str, str, float | None]] = []
    for place, value in enumerate(said):
        state = states[place] if place < len(states) else None
        if value is not None and state in _SUBMITTED:
            found.append((value, str(users[place]) if place < len(users) else "", "person", None))
    suggested = values.get(f"{question}{_SUGGESTION}")
    if suggested is not None:
        score = values.get(f"{question}{_SUGGESTION}.score")
        confidence = (
            number_in(score, "score") if isinstance(score, int | float) and not isinstance(score, bool) else None
        )
        within = confidence if confidence is not None and 0 <= confidence <= 1 else None
        found.append((suggested, str(values.get(f"{question}{_SUGGESTION}.agent") or ""), "model", within))
    return found


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = loaded(value)
    return value if isinstance(value, list) else [] if value is None else [value]


def _is_verdict(value: Any, fields: Sequence[str]) -> bool:
    if len(fields) == 1:
        return str(value).strip().lower() in GOOD | POOR
    if _ranking(value):
        return True
    low = str(value).strip().lower()
    return low in {*(name.lower() for name in fields), *TIES, *BOTH_BAD, "1", "2", "a", "b"}


def _verdict(value: Any, fields: Sequence[str], question: str) -> int | Verdict:
    if ranking := _ranking(value):
        ranks = dict(ranking)
        missing = [name for name in fields if name not in ranks]
        if missing:
            raise UserError(f"{question!r} does not rank {missing[0]!r}.")
        best = min(ranks[name] for name in fields)
        first = [place for place, name in enumerate(fields) if ranks[name] == best]
        return first[0] if len(first) == 1 else "tie"
    return verdict_in(value, fields, 1, question)


def _ranking(value: Any) -> list[tuple[str, float]]:
    """Fields with their ranks, 1 the best; [] for what is no ranking."""
    given = _listed(value) if isinstance(value, list | str) and not isinstance(value, Mapping) else []
    if given and all(isinstance(one, Mapping) and "value" in one and "rank" in one for one in given):
        return [(str(one["value"]), number_in(one["rank"], "rank")) for one in given]
    if len(given) > 1 and all(isinstance(one, str) for one in given):
        return [(one, float(place)) for place, one in enumerate(given)]
    return []
