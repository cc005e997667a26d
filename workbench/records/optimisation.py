"""The search for a better prompt as values: what a run of it works on, and what it found."""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.stored import Stored
from workbench.records.evaluation import ScorerUse
from workbench.records.recipes import RECIPE, Recipe


class Optimisation(msgspec.Struct, frozen=True, kw_only=True):
    """The config of a run. ``evaluation`` is that of the candidates, which has the tuning questions; ``scorer``
    compares them. ``writer`` writes instructions, and its model makes the examples; without one the recipe's own does.
    ``measure`` is the maximum number of held-out questions that before and after answer in the end. The result is saved
    under ``name``."""

    evaluation: str
    question_set: str
    set_name: str
    recipe: Recipe
    method: str
    options: dict[str, Any]
    scorer: ScorerUse
    writer: Recipe | None = None
    seed: int = 0
    measure: int = 200
    name: str = ""


class OptimisationResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a search: ``recipe``, saved at ``path``, whose ``prompting.sources`` name the version of the prompt
    library that it was saved as; the recipe that was optimised and "" where no candidate was
    better. ``before`` and ``after`` are means on the ``questions`` of the tuning part on which the ``candidates`` were
    compared, which the choice has favoured. ``held_out`` is the evaluation of before against after on held-out
    questions, and ``sentence`` what it shows. ``asked`` is the number of answers that the search asked for, of which
    ``answered`` were made in the run's last stretch. ``ended`` says why the search ended before it was done."""

    evaluation: str
    recipe: Recipe
    candidate: str
    before: float
    after: float
    questions: int
    candidates: int
    asked: int
    answered: int
    path: str = ""
    held_out: str = ""
    sentence: Shown = ""
    ended: Shown = ""


OPTIMISATION = Stored("config of this run", Optimisation, parts={"recipe": RECIPE, "writer": RECIPE})
OPTIMISATION_RESULT = Stored("result of this run", OptimisationResult, parts={"recipe": RECIPE})
