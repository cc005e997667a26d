"""Evaluations that were scored by earlier rules of comparing texts, scored again: their answers are only read."""

from __future__ import annotations

import time
from typing import Any, Literal, cast

import msgspec

from workbench.base.errors import UserError
from workbench.records.evaluation import Evaluation, Rescored, Score, ScorerUse
from workbench.records.methods import Method
from workbench.subjects.evaluation.grid import key_of
from workbench.subjects.evaluation.methods import SCORERS
from workbench.subjects.evaluation.scorers.rewards import compares_texts, only_reads_texts
from workbench.subjects.evaluation.scorers.scorer import Scorable, ScorerContext, score_answer
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.text.metrics import COMPARISON


def scored_anew(evaluation: Evaluation, store: EvaluationStore) -> Evaluation:
    """The evaluation with scores by today's rules, stored. Scorers that ask a model or the sandbox besides keep their
    scores: the next run that scores makes those anew."""
    if evaluation.comparison >= COMPARISON:
        return evaluation
    rules = {place: rule for place, use in enumerate(evaluation.scorers) if (rule := _rule(use)) is not None}
    scorers = list(evaluation.scorers)
    for place, (method, _) in rules.items():
        scorers[place] = msgspec.structs.replace(scorers[place], key=key_of(scorers[place], method, "", ""))
    done = changed = 0
    for column, number, cell in store.places(evaluation.id) if rules else ():
        before = store.scores(cell, [evaluation.scorers[place].key for place in rules])
        cell_of = _scorable(evaluation, column, number, cell, store)
        made: dict[str, Score] = {}
        for (place, (method, options)), old in zip(rules.items(), before, strict=True):
            if isinstance(cell_of, Scorable):
                score = score_answer(method, cell_of, options, cast(ScorerContext, None))
                done += 1
                changed += score.value != old.value
            elif cell_of == UNREADABLE:
                score = old
            else:
                continue
            made[scorers[place].key] = score
        store.put_scores(cell, made)
    rescored = Rescored(at=time.time(), scores=done, changed=changed) if done else evaluation.rescored
    new = msgspec.structs.replace(evaluation, scorers=tuple(scorers), comparison=COMPARISON, rescored=rescored)
    store.update(new)
    return new


UNREADABLE: Literal["unreadable"] = "unreadable"


def _scorable(
    evaluation: Evaluation, column: int, number: int, cell: str, store: EvaluationStore
) -> Scorable | Literal["", "unreadable"]:
    """What is scored at a place of the grid; "" without an answer yet. One that cannot be read keeps its scores."""
    try:
        answer = store.answer(cell)
        question = store.question(evaluation.id, number).question
    except UserError:
        return UNREADABLE
    if answer is None:
        return ""
    return Scorable(question=question, answer=answer, recipe=evaluation.columns[column].recipe)


def _rule(use: ScorerUse) -> tuple[Method, Any] | None:
    """The scorer's row with its settings, where it compares texts and asks for nothing."""
    method = SCORERS.find(use.name, "scorer")
    options = method.decode(use.options)
    if not use.key or not compares_texts(method, options) or not only_reads_texts(method, options):
        return None
    return method, options
