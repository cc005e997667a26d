"""A rung: one way of adapting, as a row that says what it is, for which tasks, and what it changes in a recipe.

The rows are tables of ``rungs.toml``. To add one, write its table and test what its recipe is.
"""

from __future__ import annotations

from string import ascii_uppercase
from typing import Any, Literal, get_args

import msgspec

from workbench.base.catalogue import Shown
from workbench.records.ladder import TaskKind
from workbench.records.methods import Technique
from workbench.records.recipes import PARTS, Recipe, literal

Need = Literal["collection", "labels", "examples", "embedder", "training", "reward", "right and wrong", "draws"]
"""``collection``: documents. ``labels``: a short list of all answers. ``examples``: tuning questions with answers.
``embedder``: an embedding model. ``training``: the packages of trainings. ``reward``: a scorer that a policy can be
trained by. ``right and wrong``: a scorer that tells right answers from wrong ones. ``draws``: a recipe that draws its
answers by chance."""

TASKS: tuple[TaskKind, ...] = get_args(TaskKind)

INSTRUCTIONS: dict[TaskKind, str] = {
    "choice": "Choose the right answer. Answer with the letter of the right choice alone.",
    "number": "Work out the answer. Answer with the number alone, without words or units.",
    "short": "Answer in as few words as possible, without a sentence around them.",
    "text": "Answer the question completely and to the point, in plain sentences.",
    "documents": "Answer from the documents alone, in as few words as possible. Say so where they do not tell.",
}


class Reward(msgspec.Struct, frozen=True, kw_only=True):
    """A reward of the registry with its settings."""

    name: str
    options: dict[str, Any] = {}


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a ladder climbs on: the recipe that it starts from, and what is known of the questions from their tuning
    part. ``examples`` of them have an answer. ``labels`` are all answers where there are few; ``lettered`` is the most
    choices that a question lists, 0 where none lists any. ``longest`` is the number of characters of the longest
    expected answer, ``expected`` the mean number of tokens of one. ``tools`` are those of an agent that checks its
    answers. ``reward`` measures what the scorer measures, ``tells_right`` says whether the scorer tells right answers
    from wrong ones."""

    recipe: Recipe
    question_set: str
    task: TaskKind
    tune: int
    examples: int = 0
    labels: tuple[str, ...] = ()
    lettered: int = 0
    longest: int = 0
    expected: float = 0.0
    collection: str = ""
    tools: tuple[str, ...] = ()
    reward: Reward | None = None
    tells_right: bool = True

    @property
    def instructions(self) -> str:
        """Instructions for the task, after those that the recipe has; where all answers are known, with these."""
        written = INSTRUCTIONS[self.task]
        if self.labels and not self.lettered:
            written = f"Answer with one of these and nothing else: {'; '.join(self.labels)}."
        earlier = self.recipe.prompting.instructions.strip()
        return f"{earlier}\n\n{literal(written)}" if earlier else literal(written)

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(ascii_uppercase[: self.lettered]) or self.labels


class Search(msgspec.Struct, frozen=True, kw_only=True, tag_field="by", tag="search"):
    """The prompt is searched for by an optimiser, on tuning questions."""

    method: str
    options: dict[str, Any] = {}


class Tuning(msgspec.Struct, frozen=True, kw_only=True, tag_field="by", tag="tuning"):
    """The model learns the expected answers of tuning questions, by a weights method."""

    method: str


class Pairs(msgspec.Struct, frozen=True, kw_only=True, tag_field="by", tag="pairs"):
    """The model learns from its own answers to tuning questions, right ones against wrong ones. So many ``answers`` to
    each are drawn. ``options`` are settings of the objective."""

    objective: str
    weights: str
    options: dict[str, Any] = {}
    answers: int = 4
    temperature: float = 1.0


class Policy(msgspec.Struct, frozen=True, kw_only=True, tag_field="by", tag="policy"):
    """The model learns while it answers tuning questions, by the reward of each answer."""

    objective: str
    weights: str
    steps: int = 30


class Combination(msgspec.Struct, frozen=True, kw_only=True, tag_field="by", tag="combination"):
    """The best rung of each technique on tuning questions, joined."""


Preparation = Search | Tuning | Pairs | Policy | Combination


class Rung(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``technique`` is None for the recipe as it is and for a combination. It is proposed for the tasks ``suits`` and
    offered for ``fits``. ``changes`` are fields of the recipe's parts; ``form``: the answer keeps to the form of the
    task. ``read`` and ``written`` say how many times the tokens of a plain answer it takes, before anything was
    measured, ``adds_read`` and ``adds_written`` how many more; ``brief``: it writes as little as is expected.
    ``plural``: its title is one."""

    name: str
    title: Shown
    sentence: Shown
    place: Shown
    technique: Technique | None = None
    suits: tuple[TaskKind, ...] = TASKS
    fits: tuple[TaskKind, ...] = TASKS
    needs: tuple[Need, ...] = ()
    changes: dict[str, dict[str, Any]] = {}
    form: bool = False
    preparation: Preparation | None = None
    plural: bool = False
    read: float = 1.0
    written: float = 1.0
    adds_read: int = 0
    adds_written: int = 0
    brief: bool = False

    @property
    def races(self) -> bool:
        """Whether it is compared on tuning questions with those of its technique, before it answers the others."""
        return self.technique is not None and self.preparation is None

    def recipe(self, setting: Setting) -> Recipe:
        """The recipe that the ladder starts from, changed. Documents that are not there are not searched."""
        recipe = setting.recipe
        for part, fields in self.changes.items():
            values = {field: _filled(value, setting) for field, value in fields.items()}
            if self.form and "options" in values:
                values["options"] = {**_form(setting), **values["options"]}
            if values.get("collection") == "":
                continue
            kind = PARTS[part]
            now = msgspec.to_builtins(getattr(recipe, part) or kind())
            changed = msgspec.convert({**now, **values}, kind)
            recipe = msgspec.structs.replace(recipe, **{part: changed})
        return recipe


def _filled(value: Any, setting: Setting) -> Any:
    """A value with what stands for something of the setting."""
    match value:
        case "{collection}":
            return setting.collection
        case "{question_set}":
            return setting.question_set
        case "{labels}":
            return "\n".join(setting.choices)
        case "{instructions}":
            return setting.instructions
        case "{tools}":
            return setting.tools
    return value


def _form(setting: Setting) -> dict[str, Any]:
    """The form of an answer that is extracted from a reasoning."""
    if setting.choices:
        return {"answer": "choice", "choices": setting.choices}
    return {"answer": "number"} if setting.task == "number" else {}
