"""Ladders: one question set taken through the techniques, in the order of their cost."""

from __future__ import annotations

from typing import Annotated, Literal

from workbench.api.protocol import Call
from workbench.base.fields import about
from workbench.records.evaluation import ScorerUse
from workbench.records.ladder import LadderList, LadderPlan, LadderReport, TaskKind
from workbench.records.recipes import Recipe
from workbench.subjects.runs.calls import RunRecord

_COLLECTION = "documents to answer from"
_TASK = "what the questions ask for (default: recognised)"


class PlanLadder(Call[LadderPlan], frozen=True, kw_only=True, tag="ladder.plan"):
    """The rungs that a question set can be taken through from ``recipe``, with what each will take here. The task is
    recognised from the tuning questions unless it is given. ``measure``: what each takes is measured on a few tuning
    questions and on a step of a training, for up to 90 s, and counts for a ladder that is started afterwards; else
    it follows from a few answers of the recipe. Streams Progress. Raises UserError for a recipe that cannot answer."""

    question_set: str
    recipe: Recipe = Recipe()
    collection: Annotated[str, _COLLECTION] = ""
    task: Annotated[TaskKind | None, _TASK] = None
    measure: bool = False


class StartLadder(Call[RunRecord], frozen=True, kw_only=True, tag="ladder.start"):
    """Queue a ladder. Without ``rungs`` the proposed ones are taken. ``minutes`` limits all of it, 0: no limit;
    ``questions`` is the maximum number of held-out questions, 0: all. What learns or chooses sees the tuning part only.
    The run's config names the ladder; its result is a ``LadderResult``. Raises UserError when nothing can be measured.
    """

    question_set: str
    recipe: Recipe = Recipe()
    collection: Annotated[str, _COLLECTION] = ""
    task: Annotated[TaskKind | None, _TASK] = None
    rungs: Annotated[tuple[str, ...], "a rung by its name (default: the proposed ones)"] = ()
    minutes: Annotated[float, about(ge=0), "the limit for all of it, in minutes; 0: none"] = 0
    questions: Annotated[int, about(ge=0), "maximum number of held-out questions; 0: all"] = 0
    seed: Annotated[int, "draws questions and answers"] = 0
    scorer: ScorerUse | None = None


class ExtendLadder(Call[RunRecord], frozen=True, kw_only=True, tag="ladder.extend"):
    """Queue a ladder again with further ``rungs``, which no race leaves out, and ``minutes`` more. What was skipped or
    has failed and is named here is tried again. Without rungs the missing answers are made."""

    ladder: str
    rungs: Annotated[tuple[str, ...], "a rung by its name"] = ()
    minutes: Annotated[float, about(ge=0), "minutes more, where there is a limit"] = 0


class ListLadders(Call[LadderList], frozen=True, kw_only=True, tag="ladder.list"):
    """The ladders of the home, the latest first."""

    changed_by = ("ladder",)


class GetLadder(Call[LadderReport], frozen=True, kw_only=True, tag="ladder.get"):
    """A ladder with its results so far."""

    changed_by = ("ladder", "evaluation")
    ladder: str


class RemoveLadder(Call[LadderList], frozen=True, kw_only=True, tag="ladder.remove"):
    """Delete a ladder with its answers that nothing else shows. Adapters and prompts that it made stay."""

    ladder: str


class ExportLadder(Call[str], frozen=True, kw_only=True, tag="ladder.export"):
    """Write a ladder to ``path``, which is returned: its table, a page with its chart, or a folder of its recipes."""

    ladder: str
    path: str
    form: Literal["csv", "markdown", "latex", "html", "recipes"] = "html"
