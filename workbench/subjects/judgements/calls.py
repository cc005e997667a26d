"""Judgements of answers: gathered, reviewed, labelled in a row, imported, exported, and made into training data.

Judges that are measured before they judge, and the win rate of a blind comparison.

Rewards of answers: what a reward model, a rule or a judge gives to texts at hand.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from workbench.api.protocol import Call
from workbench.base.fields import about
from workbench.records.judgement_reports import (
    ExampleKind,
    ExportReport,
    ImportReport,
    JudgementStatistics,
    Learnable,
    UndoneAction,
)
from workbench.records.judgements import Judgement, JudgementFilter, LabellingQueue, PreferenceForm, Verdict
from workbench.records.judging import WinRate
from workbench.records.messages import Message
from workbench.records.recipes import Recipe
from workbench.records.training import DataSet
from workbench.subjects.runs.calls import RunRecord


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

    changed_by = ("judgements",)
    which: JudgementFilter = JudgementFilter()
    first: Annotated[int, "start with number I, from 0"] = 0
    limit: Annotated[int, about(ge=1), "maximum number of preferences"] = 100


class GetJudgement(Call[Judgement], frozen=True, kw_only=True, tag="judgements.get"):
    judgement: str


class ChangeJudgement(Call[Judgement], frozen=True, kw_only=True, tag="judgements.change"):
    """Judge a pair, or correct a judgement. ``verdict`` None leaves it. ``edited`` is the text that a person wrote in
    the place of the answer ``edits``; it becomes preferred, unless a verdict is given. ``comment`` None leaves it.
    A changed verdict or text is the person's, also where a model or a file had judged. Raises UserError for a verdict
    that does not fit, and for one of a chat, which is changed there, except for its rating."""

    judgement: str
    verdict: Verdict | None = None
    edits: Annotated[Literal["a", "b"], "the answer that --edited replaces"] = "a"
    edited: Annotated[str | None, "text of the corrected answer"] = None
    comment: Annotated[str | None, "why it was preferred"] = None


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
    form: Annotated[Literal[PreferenceForm, ""], "the format (default: recognised by the columns)"] = ""
    columns: dict[str, str] = {}
    counts_from: Literal[-1, 0, 1] = -1
    margin: Annotated[float, "minimum difference of two rewards for a preference"] = 0.0
    limit: Annotated[int, "read N rows only; 0: all"] = 0


class ExportJudgements(Call[ExportReport], frozen=True, kw_only=True, tag="judgements.export"):
    """Write judgements to the file ``path``, JSON Lines, whole or not at all. Streams Progress in rows."""

    path: str
    form: Annotated[PreferenceForm, "the format"] = "workbench"
    which: JudgementFilter = JudgementFilter()


class GetJudgementStatistics(Call[JudgementStatistics], frozen=True, kw_only=True, tag="judgements.statistics"):
    """Duplicates, contradictions, cycles, length bias and position bias, with intervals."""

    which: JudgementFilter = JudgementFilter()


class GetLearnable(Call[Learnable], frozen=True, kw_only=True, tag="judgements.learnable"):
    """What can be learnt from judgements: usable examples, how many would be held out (``held_out_share`` of the
    prompts), the interval to be expected, and which objectives suit."""

    which: JudgementFilter = JudgementFilter()
    held_out_share: Annotated[float, "the share of prompts for measuring"] = 0.1


class MakePreferenceSet(Call[DataSet], frozen=True, kw_only=True, tag="judgements.data"):
    """Make a data set of the home of judgements: pairs of a chosen and a rejected answer, or rated answers. One of
    duplicates is taken; with ``skip_conflicts`` none of contradictory ones. Those of a verdict's queue are left out.
    Raises UserError when no example is left."""

    name: str
    kind: ExampleKind = "pairs"
    which: JudgementFilter = JudgementFilter()
    skip_conflicts: Annotated[bool, "also take preferences that contradict each other"] = True


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
    prompts: Annotated[Literal["chats", "questions", "documents", "file"], "where the prompts come from"] = "chats"
    path: Annotated[str, "question set, collection or file of the prompts"] = ""
    chats: tuple[str, ...] = ()
    part: Literal["all", "tune", "held-out"] = "tune"
    limit: Annotated[int, "maximum number of prompts"] = 50
    seed: Annotated[int, "seed of the prompts and answers that are drawn"] = 0
    purpose: Literal["label", "verdict"] = "label"


class ListQueues(Call[QueueList], frozen=True, kw_only=True, tag="labelling.list"):
    """The labelling queues of the home, the latest first."""

    changed_by = ("labelling", "judgements")


class GetNextPair(Call[NextPair], frozen=True, kw_only=True, tag="labelling.next"):
    """The pair of a queue, by its name or id, that is to be judged next; ``ChangeJudgement`` judges it."""

    queue: str


class SkipPair(Call[NextPair], frozen=True, kw_only=True, tag="labelling.skip"):
    """Put a waiting pair behind the others of its queue; returns the next one."""

    judgement: str


class RemoveQueue(Call[QueueList], frozen=True, kw_only=True, tag="labelling.remove"):
    """Delete a queue with the pairs that wait in it; judgements stay. Raises UserError while its run is active."""

    queue: str


JUDGED_BY_PERSON = JudgementFilter(judges=("person",), kind="pairs")


class JudgePairs(Call[RunRecord], frozen=True, kw_only=True, tag="judging.start"):
    """Let a judge judge the pairs that wait in ``queue``; without one it is only measured.

    The judge is a ``recipe`` with a written ``constitution`` ("": a general one), or the weighted sum of ``rewards``,
    one per line as in ``ScoreAnswers``. A recipe is measured first, on at most ``limit`` of the pairs that the person
    has judged (``measured_on``), each asked in both orders; the run shows the figures (an artifact of the kind
    "judge", a ``JudgeReport``). Where they are those of chance it fails with them, and nothing is judged. A pair is
    judged where both orders agree and the mean log-odds are beyond ``threshold`` nats; otherwise it waits on, and in a
    queue for a verdict it is a tie. The run's result is a ``JudgingResult``. Raises UserError for a queue, a recipe or
    a reward that there is not.
    """

    queue: str = ""
    recipe: Recipe | None = None
    constitution: Annotated[str, "the principles by which it judges"] = ""
    rewards: Annotated[
        tuple[str, ...],
        'rewards compare instead: "NAME setting=value weight=W", such as "reward-model adapter=taste"',
    ] = ()
    measured_on: JudgementFilter = JUDGED_BY_PERSON
    limit: int = 100
    threshold: Annotated[float, "a judge decides at this confidence or a higher one, in log-odds"] = 0.0


class GetWinRate(Call[WinRate], frozen=True, kw_only=True, tag="judging.winrate"):
    """How often the second recipe of a ``queue`` won against the first, over the pairs that are judged. Raises
    UserError where the queue has not two recipes."""

    queue: str


class AnswerToScore(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to the last message of ``prompt``; ``expected`` are accepted answers, () where none are known."""

    prompt: tuple[Message, ...]
    answer: str
    expected: tuple[str, ...] = ()


class ScoredAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The weighted sum of an answer's rewards, and each reward by its title, before its weight."""

    value: float
    parts: dict[str, float]


class ScoreAnswers(Call[tuple[ScoredAnswer, ...]], frozen=True, kw_only=True, tag="rewards.score"):
    """Score answers by the weighted sum of ``rewards``, one per line: the name of a reward, its settings and its
    weight, such as "reward-model adapter=taste" or "letter-share letters=e weight=2". Raises UserError for a line that
    is wrong."""

    made_by = ("neither", "Scripts score answers; window and terminal train with rewards, or let them judge.")

    rewards: tuple[str, ...]
    answers: tuple[AnswerToScore, ...]
