"""Judges that are measured before they judge, and the win rate of a blind comparison."""

from __future__ import annotations

from workbench.api.calls.runs import RunRecord
from workbench.api.protocol import Call
from workbench.records.judgements import JudgementFilter
from workbench.records.judging import WinRate
from workbench.records.recipes import Recipe

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
    constitution: str = ""
    rewards: tuple[str, ...] = ()
    measured_on: JudgementFilter = JUDGED_BY_PERSON
    limit: int = 100
    threshold: float = 0.0


class GetWinRate(Call[WinRate], frozen=True, kw_only=True, tag="judging.winrate"):
    """How often the second recipe of a ``queue`` won against the first, over the pairs that are judged. Raises
    UserError where the queue has not two recipes."""

    queue: str
