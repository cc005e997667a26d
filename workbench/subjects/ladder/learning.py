"""What a rung learns from: tuning questions and answers to them, as rows of a data set of the home.

A question is written as the recipe asks it, so that what was learnt fits the way in which it is asked later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from workbench.records.evaluation import NumberedQuestion, QuestionRow
from workbench.records.origins import Origins
from workbench.records.recipes import Recipe, system_text, with_question_asked
from workbench.subjects.datasets.store import DatasetStore
from workbench.subjects.evaluation.results import RIGHT
from workbench.subjects.ladder.estimates import TOKEN_CHARACTERS

LONGEST_NAME = 40
PAIRS_PER_QUESTION = 2
MOST_SAMPLED = 60
"""Tuning questions to which answers are drawn."""
Row = dict[str, Any]


def answer_rows(recipe: Recipe, questions: Iterable[NumberedQuestion]) -> list[Row]:
    """Questions with their expected answers, of those that have one."""
    return [
        {"messages": [*_asked(recipe, one.question), _turn("assistant", one.question.answer)]}
        for one in questions
        if one.question.answerable and one.question.answer
    ]


def pair_rows(
    recipe: Recipe,
    questions: Iterable[NumberedQuestion],
    answers: Callable[[int], Sequence[tuple[str, float]]],
) -> list[Row]:
    """Pairs of a right and a wrong one of the ``answers`` to each question, which come with their scores. Where no
    answer was right, the expected one is preferred."""
    rows = []
    for one in questions:
        drawn = answers(one.number)
        right = list(dict.fromkeys(text for text, score in drawn if score >= RIGHT and text.strip()))
        wrong = list(dict.fromkeys(text for text, score in drawn if score < RIGHT and text.strip()))
        if not right and one.question.answerable and one.question.answer:
            right = [one.question.answer]
        for place, rejected in enumerate(wrong[:PAIRS_PER_QUESTION] if right else []):
            chosen = right[place % len(right)]
            if chosen.strip() != rejected.strip():
                rows.append(
                    {
                        "prompt": _asked(recipe, one.question),
                        "chosen": [_turn("assistant", chosen)],
                        "rejected": [_turn("assistant", rejected)],
                    }
                )
    return rows


def assumed_pairs(rows: Sequence[Row], written: float) -> list[Row]:
    """As many pairs as can be drawn, and as long, for a plan: wrong answers of so many ``written`` tokens beside the
    expected ones."""
    return [
        {
            "prompt": row["messages"][:-1],
            "chosen": row["messages"][-1:],
            "rejected": [_turn("assistant", _as_long(row["messages"][-2]["content"], written) + "." * place)],
        }
        for row in rows[:MOST_SAMPLED]
        for place in range(1, PAIRS_PER_QUESTION + 1)
    ]


def _as_long(text: str, tokens: float) -> str:
    """So many tokens of the words of a text, again and again."""
    count = max(1, round(tokens * TOKEN_CHARACTERS))
    return (f"{text} " * (count // (len(text) + 1) + 1))[:count].strip()


def kept(rows: Sequence[Row], name: str, origin: str, origins: Origins, sets: DatasetStore) -> str:
    """The name of the data set with these rows, which is written where there is none: its name says its content."""
    content = blake2b(msgspec.json.encode(list(rows)), digest_size=4).hexdigest()
    name = f"{name[:LONGEST_NAME].strip()} {content}"
    if sets.find(name) is None:
        with sets.written(name, origin, origins) as writer:
            for row in rows:
                writer.add(row)
    return name


def _asked(recipe: Recipe, question: QuestionRow) -> list[Mapping[str, str]]:
    system = system_text(recipe.prompting)
    asked = with_question_asked(recipe.prompting, question.conversation())
    return [*([_turn("system", system)] if system else []), *(_turn(one.role, one.content) for one in asked)]


def _turn(role: str, content: str) -> Mapping[str, str]:
    return {"role": role, "content": content}
