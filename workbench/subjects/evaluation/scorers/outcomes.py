"""Scorers of what became of a question: right, wrong or declined, and whether the program warned of the answer.

An answer is *marked* when the program says beside it that it may not be right, and *declined* when it says that the
documents do not hold one. So every answer to a question with known gold has one of six ends, and a person who reads
only what is not marked is misled by those that are *wrong and unmarked*.
"""

from __future__ import annotations

import re
from typing import Literal

from workbench.records.evaluation import CellAnswer, QuestionRow, Score
from workbench.records.outcomes import Outcome
from workbench.records.trust import is_marked
from workbench.subjects.evaluation.accepted import is_right, names, says_unknown
from workbench.subjects.evaluation.scorers.scorer import Scorable, ScorerContext
from workbench.subjects.evaluation.scorers.texts import NoOptions, chosen_choice

_QUOTED = re.compile("“[^”]*”")
End = Literal[
    "right and unmarked",
    "right and marked",
    "wrong and unmarked",
    "wrong and marked",
    "declined rightly",
    "declined wrongly",
]


def end_of(question: QuestionRow, answer: CellAnswer) -> End:
    """What became of a question whose gold is known. An answer in the model's own words that is not right and says that
    it does not know declines as well; a quoted sentence may hold such words."""
    if question.choices:
        right = chosen_choice(answer.text, question.choices) == question.choice
    else:
        right = is_right(question, answer.text)
    own = _QUOTED.sub("", answer.text[answer.verification.quoted :] if answer.verification is not None else answer.text)
    outcome = outcome_of(answer)
    if outcome == "not_found" or (not right and says_unknown(own)):
        return "declined wrongly" if question.answerable else "declined rightly"
    if outcome == "perhaps":
        return "right and marked" if right else "wrong and marked"
    return "right and unmarked" if right else "wrong and unmarked"


def outcome_of(answer: CellAnswer) -> Outcome:
    """An answer without an outcome, such as one of an earlier version, is judged by its verification."""
    if answer.outcome is not None:
        return answer.outcome
    if answer.declined:
        return "not_found"
    return "perhaps" if answer.verification is not None and is_marked(answer.verification) else "found"


def right(cell: Scorable, options: NoOptions, context: ScorerContext) -> Score:
    """Whether the answer is right, marked or not; without an answer in the documents, whether it is declined."""
    if not cell.question.has_gold:
        return Score(None)
    end = end_of(cell.question, cell.answer)
    also = [one for one in cell.question.reject if names(cell.answer.text, [one])]
    note = f"{end}, names {' and '.join(also)} as well" if also and end.startswith("right") else end
    return Score(float(end.startswith("right") or end == "declined rightly"), note)


def right_unmarked(cell: Scorable, options: NoOptions, context: ScorerContext) -> Score:
    return _score(cell, "right and unmarked", cell.question.answerable)


def right_marked(cell: Scorable, options: NoOptions, context: ScorerContext) -> Score:
    return _score(cell, "right and marked", cell.question.answerable)


def wrong_unmarked(cell: Scorable, options: NoOptions, context: ScorerContext) -> Score:
    return _score(cell, "wrong and unmarked")


def wrong_marked(cell: Scorable, options: NoOptions, context: ScorerContext) -> Score:
    return _score(cell, "wrong and marked")


def declined_wrongly(cell: Scorable, options: NoOptions, context: ScorerContext) -> Score:
    return _score(cell, "declined wrongly", cell.question.answerable)


def declined_rightly(cell: Scorable, options: NoOptions, context: ScorerContext) -> Score:
    return _score(cell, "declined rightly", not cell.question.answerable)


def _score(cell: Scorable, end: End, counts: bool = True) -> Score:
    """Whether it came to this end; no value where the question does not count, or its gold is not known."""
    if not counts or not cell.question.has_gold:
        return Score(None)
    return Score(float(end_of(cell.question, cell.answer) == end))
