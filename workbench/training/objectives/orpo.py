"""ORPO: supervised learning of the chosen answer, with a penalty on the odds of the rejected one (Hong et al. 2024,
arXiv:2403.07691). No reference is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from workbench.base.fields import about
from workbench.records.judgement_reports import JudgementFacts
from workbench.records.methods import Method
from workbench.training.objectives.objective import FROM_PREFERENCES
from workbench.training.objectives.preferences import PairObjective
from workbench.training.trl_trainer import TrlTrainer, not_in_trl

if TYPE_CHECKING:
    from workbench.training.answer_pairs import AnswerLogps


class OrpoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of ORPO."""

    weight: Annotated[
        float,
        about("Weight of the odds ratio", gt=0, le=10),
        "The odds ratio of the chosen to the rejected answer is weighted by this against the supervised loss.",
    ] = 0.1


class Orpo(PairObjective):
    needs_reference: ClassVar[bool] = False
    title: ClassVar[str] = "ORPO"
    options: OrpoOptions

    def suits(self, facts: JudgementFacts) -> tuple[int, str]:
        return (
            4,
            "It also teaches the chosen answers themselves, which suits answers that the model does not write by "
            "itself.",
        )

    def trl(self) -> TrlTrainer:
        raise not_in_trl(self.title)

    def losses(self, policy: AnswerLogps, reference: AnswerLogps | None) -> Any:
        from workbench.training.preference_losses import orpo

        return orpo(*policy.pairs(policy.means), self.options.weight)

    def rewards(self, policy: AnswerLogps, reference: AnswerLogps | None) -> Any:
        return self.options.weight * policy.means


ROW = Method(
    name="orpo",
    kind="objective",
    technique="preference",
    title="ORPO",
    family=FROM_PREFERENCES,
    summary="A model that was not tuned yet learns to give the chosen answers and to avoid the rejected ones, in "
    "one training.",
    source="Hong et al. 2024, ORPO: Monolithic Preference Optimization without Reference Model, arXiv:2403.07691",
    config=OrpoOptions,
    entry=f"{__name__}:Orpo",
    served="The method of the weights decides what the result is.",
    cost="A pair takes as long as its prompt and both answers.",
)
