"""What the questions of a set ask for, as their tuning part and their scorer tell."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.records.evaluation import QuestionRow
from workbench.records.ladder import TaskKind
from workbench.rewards.values import last_number

MOST_LABELS = 30
"""Of more different answers no list is made."""
ROWS_PER_LABEL = 3
"""An answer is a label when there are so many questions for each on average."""
SHORT_WORDS = 12
"""Expected answers of at most so many words are short."""


def labels_of(rows: Sequence[QuestionRow]) -> tuple[str, ...]:
    """All expected answers, where there are few of them and each comes often; else ()."""
    answers = [row.answer for row in rows if row.answerable]
    found = sorted(set(answers))
    if any(row.choices for row in rows) or "" in found or not 2 <= len(found) <= MOST_LABELS:
        return ()
    return tuple(found) if len(answers) >= ROWS_PER_LABEL * len(found) and not _are_numbers(found) else ()


def recognise_task(rows: Sequence[QuestionRow], *, collection: bool) -> TaskKind:
    """The task of questions, from their expected answers. Questions that name documents, or some that have no answer,
    ask what a ``collection`` says where there is one."""
    answerable = [row for row in rows if row.answerable]
    if collection and (len(answerable) < len(rows) or any(row.sources or row.need or row.points for row in rows)):
        return "documents"
    if any(row.choices for row in answerable) or labels_of(rows):
        return "choice"
    if collection:
        return "documents"
    answers = [answer for row in answerable for answer in row.expected[:1]]
    if answers and _are_numbers(answers):
        return "number"
    short = [answer for answer in answers if len(answer.split()) <= SHORT_WORDS]
    return "short" if answers and 2 * len(short) >= len(answers) else "text"


def _are_numbers(answers: Sequence[str]) -> bool:
    return all(len(one) < 20 and any(map(str.isdigit, one)) and last_number(one) is not None for one in answers)
