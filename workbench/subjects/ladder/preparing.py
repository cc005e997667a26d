"""Rungs prepared: prompts that are searched for, adapters that are trained, recipes that are joined.

A search or a training is a run of its own, in the queue: a person sees it, and a ladder that was stopped or killed
takes over what has ended and resumes what has not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.records.ladder import AS_IT_IS, Ladder, RungNote
from workbench.records.recipes import Recipe
from workbench.subjects.ladder.answers import Progress, RungAnswers
from workbench.subjects.ladder.rung import Rung, Setting
from workbench.subjects.runs.kinds import OpenRun
from workbench.subjects.runs.queue import Runs


@dataclass(frozen=True, eq=False)
class Preparer:
    _runs: Runs

    def prepare(
        self, rung: Rung, setting: Setting, ladder: Ladder, note: RungNote, race: RungAnswers | None, run: OpenRun,
        progress: Progress, put: Callable[..., None],
    ) -> Recipe:  # fmt: skip
        """The recipe of a rung that has to be prepared. Raises UserError where that fails."""
        raise UserError(f"{rung.title} cannot be prepared by this version.")

    def combine(self, recipe: Recipe, notes: Mapping[str, RungNote], rungs: Mapping[str, Rung]) -> Recipe | None:
        """The parts of the recipes that were best on tuning questions, one of each technique; None where fewer than two
        were better there than the recipe as it is."""
        base = notes[AS_IT_IS].tune_score
        if base is None:
            return None
        best: dict[str, RungNote] = {}
        for name, note in notes.items():
            technique = rungs[name].technique if name in rungs else None
            if technique is None or note.recipe is None or note.tune_score is None or note.tune_score <= base:
                continue
            known = best.get(technique)
            if known is None or (known.tune_score or 0) < note.tune_score:
                best[technique] = note
        if len(best) < 2:
            return None
        return joined(recipe, [note.recipe for note in best.values() if note.recipe is not None])


def joined(base: Recipe, recipes: list[Recipe]) -> Recipe:
    """Each part that a recipe has changed against ``base``, in one."""
    changed: dict[str, Any] = {}
    for recipe in recipes:
        for part in ("model", "prompting", "decoding", "retrieval", "agent"):
            if getattr(recipe, part) != getattr(base, part):
                changed.setdefault(part, getattr(recipe, part))
    return msgspec.structs.replace(base, **changed)
