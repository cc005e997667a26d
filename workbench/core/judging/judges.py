"""Judges of pairs: a recipe, asked for the log-probabilities of its verdicts, or the weighted sum of rewards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.api.protocol import RequestContext
from workbench.evaluation.judging.comparing import VERDICTS, AskJudge, Opinion, PairToJudge, ask
from workbench.evaluation.scorers.scorer import ScorerContext
from workbench.records.judgements import JudgedAnswer, Judgement
from workbench.records.messages import UNFINISHED, Message
from workbench.records.recipes import Recipe
from workbench.rewards.reward import Sample, WeightedSum


def recipe_judge(recipe: Recipe, scores: ScorerContext, context: RequestContext) -> AskJudge:
    """The recipe as a judge. Raises errors.Cancelled between two prompts."""

    def judge(prompts: Sequence[Sequence[Message]]) -> list[list[float]]:
        found = []
        for prompt in prompts:
            context.raise_if_cancelled()
            found.append([one.logprob for one in scores.score(recipe, prompt, VERDICTS)])
        return found

    return judge


def pair_of(judgement: Judgement) -> PairToJudge:
    """Raises ValueError for a judgement of a single answer."""
    if judgement.b is None:
        raise ValueError("a single answer is no pair")
    return PairToJudge(prompt=judgement.prompt, a=judgement.a.text, b=judgement.b.text)


def opinions_of(judgements: Sequence[Judgement], judge: AskJudge, constitution: str) -> list[Opinion]:
    return ask([pair_of(one) for one in judgements], judge, constitution)


@dataclass(frozen=True)
class RewardJudge:
    """Prefers the answer with the higher weighted sum of rewards; equal ones are a tie."""

    rewards: WeightedSum
    scores: ScorerContext

    def compare(self, judgement: Judgement) -> tuple[str, tuple[float, float]]:
        """ "a", "b" or "tie", and the rewards of both."""
        samples = [_sample(judgement, one) for one in judgement.answers]
        first, second = (one.value for one in self.rewards.score(samples, self.scores))
        return ("tie" if first == second else "a" if first > second else "b"), (first, second)


def _sample(judgement: Judgement, answer: JudgedAnswer) -> Sample:
    return Sample(prompt=judgement.prompt, answer=answer.text, finished=answer.finish not in UNFINISHED)


Report = Callable[[str, int, int], None]
