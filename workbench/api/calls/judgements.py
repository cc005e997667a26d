"""Judgements of answers: gathered, reviewed, labelled in a row, imported, exported, and made into training data."""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.api.calls.runs import RunRecord
from workbench.api.protocol import Call
from workbench.records.judgement_reports import (
    ExampleKind,
    ExportReport,
    ImportReport,
    JudgementStatistics,
    Learnable,
    UndoneAction,
)
from workbench.records.judgements import Judgement, JudgementFilter, LabellingQueue, Verdict
from workbench.records.recipes import Recipe
from workbench.records.training import DataSet

PreferenceForm = Literal[
    "workbench", "trl", "trl-chat", "trl-rated", "trl-rated-chat", "hh-rlhf", "ultrafeedback", "argilla", "arena",
    "sharegpt", "openai", "candidates", "rewards",
]  # fmt: skip
"""The formats of files. ``trl``: prompt, chosen, rejected as texts; ``trl-chat``: as turns; ``trl-rated``: prompt,
completion, label; ``hh-rlhf``: chosen, rejected as dialogues; ``ultrafeedback``: ``trl-chat`` with scores; ``argilla``:
flattened records; ``arena``: two conversations and a winner; ``sharegpt``: LLaMA-Factory's; ``openai``: preference
fine-tuning; ``candidates``: input_text, candidate1, candidate2, human_preference; ``rewards``: prompt, response,
rewards; ``workbench``: judgements whole, with recipes and tokens."""


class JudgementPage(msgspec.Struct, frozen=True, kw_only=True):
    """Judgements from ``first`` on, of ``total``, the latest first."""

    total: int
    first: int
    judgements: tuple[Judgement, ...]


class QueueList(msgspec.Struct, frozen=True, kw_only=True):
    queues: tuple[LabellingQueue, ...]


class NextPair(msgspec.Struct, frozen=True, kw_only=True):
    """A queue with the pair to be judged next, None while there is none. Its answers are without names and recipes, so
    that it is judged blind; they are to be shown in the order ``shown``."""

    queue: LabellingQueue
    pair: Judgement | None = None


class AddJudgements(Call[tuple[Judgement, ...]], frozen=True, kw_only=True, tag="judgements.add"):
    """Store judgements, all or none; returned with the ids and times that they got. Raises UserError for one without a
    prompt, an answer or a verdict that fits."""

    judgements: tuple[Judgement, ...]


class ListJudgements(Call[JudgementPage], frozen=True, kw_only=True, tag="judgements.list"):
    """Judgements that ``which`` means. Ratings, edits and rated siblings of chats are among them (``source``
    "chat")."""

    which: JudgementFilter = JudgementFilter()
    first: int = 0
    limit: int = 100


class GetJudgement(Call[Judgement], frozen=True, kw_only=True, tag="judgements.get"):
    judgement: str


class ChangeJudgement(Call[Judgement], frozen=True, kw_only=True, tag="judgements.change"):
    """Judge a pair, or correct a judgement. ``verdict`` None leaves it. ``edited`` is the text that a person wrote in
    the place of the answer ``edits``; it becomes preferred, unless a verdict is given. ``comment`` None leaves it.
    A changed verdict or text is the person's, also where a model or a file had judged. Raises UserError for a verdict
    that does not fit, and for one of a chat, which is changed there, except for its rating."""

    judgement: str
    verdict: Verdict | None = None
    edits: Literal["a", "b"] = "a"
    edited: str | None = None
    comment: str | None = None


class RemoveJudgements(Call[int], frozen=True, kw_only=True, tag="judgements.remove"):
    """Delete the judgements that ``which`` means; returns how many. One of a chat is left out from now on, and the chat
    keeps its rating or edit. Raises UserError for ids that there are not."""

    which: JudgementFilter


class UndoJudgement(Call[UndoneAction], frozen=True, kw_only=True, tag="judgements.undo"):
    """Undo the last action on judgements: a verdict, an addition, an import, a deletion; with ``queue`` the last
    one in that queue. Raises UserError when there is none."""

    queue: str = ""


class ImportJudgements(Call[ImportReport], frozen=True, kw_only=True, tag="judgements.import"):
    """Add the judgements of the file or folder ``path``; streams Progress in rows. Its format is recognised by its
    columns, unless ``form`` names it. ``columns`` assigns columns by hand: those of ``prompt``, ``a``, ``b``,
    ``verdict``, ``system``. ``counts_from`` says which number names the first candidate where that is not clear;
    ``margin`` is the difference of rewards from which on one of two responses is preferred.

    Bad rows are refused by number and the others added. Raises UserError when none can be read, or when it is not clear
    what a column says.
    """

    path: str
    form: PreferenceForm | Literal[""] = ""
    columns: dict[str, str] = {}
    counts_from: Literal[-1, 0, 1] = -1
    margin: float = 0.0
    limit: int = 0


class ExportJudgements(Call[ExportReport], frozen=True, kw_only=True, tag="judgements.export"):
    """Write judgements to the file ``path``, JSON Lines, whole or not at all. Streams Progress in rows."""

    path: str
    form: PreferenceForm = "workbench"
    which: JudgementFilter = JudgementFilter()


class GetJudgementStatistics(Call[JudgementStatistics], frozen=True, kw_only=True, tag="judgements.statistics"):
    """Duplicates, contradictions, cycles, length bias and position bias, with intervals."""

    which: JudgementFilter = JudgementFilter()


class GetLearnable(Call[Learnable], frozen=True, kw_only=True, tag="judgements.learnable"):
    """What can be learnt from judgements: usable examples, how many would be held out (``held_out_share`` of the
    prompts), the interval to be expected, and which objectives suit."""

    which: JudgementFilter = JudgementFilter()
    held_out_share: float = 0.1


class MakePreferenceSet(Call[DataSet], frozen=True, kw_only=True, tag="judgements.data"):
    """Make a data set of the home of judgements: pairs of a chosen and a rejected answer, or rated answers. One of
    duplicates is taken; with ``skip_conflicts`` none of contradictory ones. Those of a verdict's queue are left out.
    Raises UserError when no example is left."""

    name: str
    kind: ExampleKind = "pairs"
    which: JudgementFilter = JudgementFilter()
    skip_conflicts: bool = True


class MakeCandidates(Call[RunRecord], frozen=True, kw_only=True, tag="labelling.start"):
    """Start a labelling queue ``name`` and a run that makes its candidates in the background: for each prompt the
    answers of two ``recipes`` (one: two answers of it, drawn with different seeds), all of a prompt's at once.

    ``prompts``: ``chats``: the questions of ``chats`` (ids; () of all), with the turns above them; ``questions``: the
    question set ``path``, its ``part``; ``documents``: questions about passages of the collection ``path`` (asked of
    the first recipe's model); ``file``: a file, by its prompts or lines. At most ``limit`` prompts (0: all), drawn with
    ``seed``, which also shuffles the positions and seeds the answers. With ``purpose`` "verdict" the judgements are not
    used for training. The run's result is the ``LabellingQueue``; pairs can be judged as they arrive.
    """

    name: str
    recipes: tuple[Recipe, ...]
    prompts: Literal["chats", "questions", "documents", "file"] = "chats"
    path: str = ""
    chats: tuple[str, ...] = ()
    part: Literal["all", "tune", "held-out"] = "tune"
    limit: int = 50
    seed: int = 0
    purpose: Literal["label", "verdict"] = "label"


class ListQueues(Call[QueueList], frozen=True, kw_only=True, tag="labelling.list"):
    """The labelling queues of the home, the latest first."""


class GetNextPair(Call[NextPair], frozen=True, kw_only=True, tag="labelling.next"):
    """The pair of a queue, by its name or id, that is to be judged next; ``ChangeJudgement`` judges it."""

    queue: str


class SkipPair(Call[NextPair], frozen=True, kw_only=True, tag="labelling.skip"):
    """Put a waiting pair behind the others of its queue; returns the next one."""

    judgement: str


class RemoveQueue(Call[QueueList], frozen=True, kw_only=True, tag="labelling.remove"):
    """Delete a queue with the pairs that wait in it; judgements stay. Raises UserError while its run is active."""

    queue: str
