"""The ladder as values: one question set taken through the techniques in the order of their cost, and what each gave.

A rung is one way of adapting: a recipe, with the examples, the adapter or the prompt that is prepared for it on the
tuning half of the set. All rungs answer the same held-out questions, as columns of one evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.stored import Stored
from workbench.records.evaluation import ColumnScore, ScorerUse
from workbench.records.methods import Technique
from workbench.records.recipes import RECIPE, Recipe

TaskKind = Literal["choice", "number", "short", "text", "documents"]
"""The kind of answer that a set asks for: one of the listed choices, a number, a few words, a free text, or what a
person's documents say."""

AS_IT_IS = "as-it-is"
"""The rung of the recipe that the ladder starts from: every other one is compared with it."""

ASKED = 1_000
"""Questions that a person is going to ask, unless they say another number: preparing is spread over these where the
costs of rungs are compared."""

SAME_COST = 1.4
"""Times that are apart by less than this factor are called the same: so far apart are two measurements of one rung that
are each off by 15 %."""
SAME_ANSWER_S, SAME_PREPARING_S = 0.05, 10.0
"""Nor are times told apart that differ by less than so many seconds."""

LADDER_ANSWERS = {
    "held-out": "What pays, held-out questions",
    "tune": "What pays, tuning questions",
    "samples": "What pays, answers to learn from",
}
"""The purpose of the evaluations of a ladder."""

RungState = Literal["waiting", "racing", "preparing", "answering", "measured", "skipped", "failed"]
"""``racing``: it answers tuning questions, which decide whether it goes on. ``skipped``: it was left out, for a reason
that its report names."""

Standing = Literal["best", "not worse", "worse", "open"]
"""``best``: its interval against every other rung says so. ``not worse``: it is not shown to be worse than the best.
``open``: there are too few answers to say."""

LadderState = Literal["waiting", "running", "stopped", "failed", "finished"]


class RungEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """The estimated cost of a rung on this machine: ``preparing_s``, ``racing_s`` (answers to the tuning questions on
    which rungs are compared) and ``answering_s`` in seconds over all questions, tokens that are generated, read or
    trained on, their ``price`` in money at an endpoint that has one, and the memory beside the base model in bytes.
    ``measured``: from speeds that were measured on this machine, else from its plan."""

    preparing_s: float = 0.0
    racing_s: float = 0.0
    answering_s: float = 0.0
    tokens: int = 0
    price: float = 0.0
    memory_bytes: int = 0
    measured: bool = False

    @property
    def seconds(self) -> float:
        """Of all that it does."""
        return self.preparing_s + self.racing_s + self.answering_s


class RungOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A rung as it is offered for a set. ``technique`` is None for the recipe as it is and for a combination.
    ``place`` says in a few words where in the pipeline of an answer it works. ``proposed``: it suits the task, so it is
    ticked. ``missing`` says what it lacks here, "" where it can run; ``remark`` why it is hardly worth its time here.
    """

    name: str
    title: Shown
    sentence: Shown
    place: Shown
    technique: Technique | None = None
    proposed: bool = True
    missing: Shown = ""
    remark: Shown = ""
    estimate: RungEstimate = RungEstimate()


class LadderPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A ladder before it is started. ``task`` was recognised from the set unless it was given. ``rungs`` stand in the
    order of their cost. ``notes`` say what a person should know first, such as few questions or questions that are
    rows of the training data as well."""

    question_set: str
    set_name: str
    task: TaskKind
    tune: int
    held_out: int
    scorer: ScorerUse
    rungs: tuple[RungOffer, ...]
    collection: str = ""
    notes: tuple[Shown, ...] = ()


class Ladder(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison of a ladder. ``recipe`` is the one that it starts from; ``rungs`` are names of rungs. ``minutes``
    is the limit for all of it, 0 for none; ``spent_s`` seconds were worked on it so far. ``questions`` is the maximum
    number of held-out questions, 0 for all. ``evaluation`` holds the held-out answers, ``race`` those to tuning
    questions, ``samples`` answers that were drawn to learn from. ``run`` is the latest run that worked on it.
    ``unreadable`` says why it cannot be read."""

    id: str
    created: float
    question_set: str
    set_name: str
    task: TaskKind
    recipe: Recipe
    rungs: tuple[str, ...]
    scorer: ScorerUse
    collection: str = ""
    minutes: float = 0.0
    questions: int = 0
    seed: int = 0
    evaluation: str = ""
    race: str = ""
    samples: str = ""
    run: str = ""
    spent_s: float = 0.0
    unreadable: Shown = ""


LADDER = Stored("ladder", Ladder, parts={"recipe": RECIPE})


class RungNote(msgspec.Struct, frozen=True, kw_only=True):
    """How far a ladder has come with a rung. ``recipe`` is the one that answers, None until it is prepared; ``column``
    its place in the evaluation of the held-out questions. ``run`` prepared it, ``adapter`` and ``data`` are names of
    what that made and of what it learnt from. ``forced``: a person has asked for it by name, so that no race leaves it
    out. ``tune_score`` is its mean on the ``raced`` tuning questions on which rungs are compared. ``memory_bytes`` is
    the memory beside the base model. ``racing_s`` and ``answering_s`` are what the answers to tuning and to held-out
    questions took, side by side. ``estimate`` is from before the start; ``tenth`` has the ``preparing_s`` and
    ``answering_s`` that were expected in all when about a tenth of each was done. ``joined`` are the names of the rungs
    that a combination is made of."""

    name: str
    state: RungState = "waiting"
    reason: Shown = ""
    forced: bool = False
    recipe: Recipe | None = None
    column: int | None = None
    run: str = ""
    adapter: str = ""
    data: str = ""
    preparing_s: float = 0.0
    racing_s: float = 0.0
    answering_s: float = 0.0
    examples: int = 0
    memory_bytes: int = 0
    raced: int = 0
    tune_score: float | None = None
    estimate: RungEstimate = RungEstimate()
    tenth: RungEstimate = RungEstimate()
    joined: tuple[str, ...] = ()


RUNG_NOTE = Stored("rung of this ladder", RungNote, parts={"recipe": RECIPE})


class LadderList(msgspec.Struct, frozen=True, kw_only=True):
    """The ladders of the home, the latest first."""

    ladders: tuple[Ladder, ...]


class LadderResult(msgspec.Struct, frozen=True, kw_only=True):
    """The work of a run for a ladder: answers that it made, and the sentence that they have led to."""

    ladder: str
    answered: int
    sentence: Shown = ""


class RungCost(msgspec.Struct, frozen=True, kw_only=True):
    """The cost of a rung: ``preparing_s`` once, with ``examples`` that it saw and ``memory_bytes`` beside the base
    model; ``answer_s``, ``answer_tokens`` and ``answer_price`` (in money, where the model is at an endpoint with
    prices) per answer. ``tokens_per_right`` is None where nothing was right."""

    preparing_s: float = 0.0
    examples: int = 0
    memory_bytes: int = 0
    answer_s: float = 0.0
    answer_tokens: float = 0.0
    answer_price: float = 0.0
    tokens_per_right: float | None = None

    def seconds_for(self, questions: int) -> float:
        """Preparing and answering so many questions, in seconds."""
        return self.preparing_s + questions * self.answer_s


class RungReport(msgspec.Struct, frozen=True, kw_only=True):
    """A rung of a ladder so far. ``score`` is its mean over the held-out questions with an interval of 95 % that is
    adjusted for the number of rungs, ``difference`` the paired one to the recipe as it is. ``column`` is its place in
    the evaluation, ``run`` the run that prepared it. ``leak`` says that it was trained on held-out questions.
    ``frontier``: no other rung is both cheaper and better."""

    offer: RungOffer
    state: RungState = "waiting"
    reason: Shown = ""
    recipe: Recipe | None = None
    score: ColumnScore | None = None
    difference: ColumnScore | None = None
    standing: Standing = "open"
    cost: RungCost = RungCost()
    column: int | None = None
    run: str = ""
    leak: Shown = ""
    frontier: bool = False


class LadderReport(msgspec.Struct, frozen=True, kw_only=True):
    """A ladder with its results so far. ``sentence`` names the cheapest rung that is enough, and what the dearer ones
    are worth. ``winner`` is that rung's name, "" while it is open. ``more`` is about how many more questions would
    separate the first two, 0 where nothing more is needed. ``held_out`` questions are asked, and ``tune`` are there to
    choose and learn from. Times in seconds."""

    ladder: Ladder
    state: LadderState
    rungs: tuple[RungReport, ...]
    unit: Shown = ""
    sentence: Shown = ""
    winner: str = ""
    more: int = 0
    held_out: int = 0
    tune: int = 0
    spent_s: float = 0.0
    left_s: float | None = None
    notes: tuple[Shown, ...] = ()


def is_dearer(cost: float, other: float, least: float) -> bool:
    """Whether a cost is more than another one by more than what two measurements of the same thing differ by, and by
    more than ``least``."""
    return cost > SAME_COST * other and cost > other + least


def least_apart(questions: int) -> float:
    """Seconds by which the costs of so many questions have to differ."""
    return SAME_PREPARING_S + questions * SAME_ANSWER_S


def cheapest(costs: Sequence[float], values: Sequence[float], least: float) -> int:
    """The place of the cheapest one. Of those that cost the same it is the one with the highest value, and of these
    the first one."""
    lowest = min(costs)
    same = [place for place, cost in enumerate(costs) if not is_dearer(cost, lowest, least)]
    return min(same, key=lambda place: (-values[place], place))


def in_order_of_cost(costs: Sequence[float], least: float) -> list[int]:
    """The places from the cheapest to the dearest; those that cost the same keep their order."""
    left, found = list(range(len(costs))), []
    while left:
        lowest = min(costs[place] for place in left)
        found.append(next(place for place in left if not is_dearer(costs[place], lowest, least)))
        left.remove(found[-1])
    return found
