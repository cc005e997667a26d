"""SimPO: the mean log-probability of an answer is its reward, and no reference is computed (Meng et al. 2024,
arXiv:2405.14734)."""

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


class SimpoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of SimPO."""

    beta: Annotated[
        float, about("Beta", gt=0, le=20), "The difference of the answers counts more at a larger value."
    ] = 2.0
    gamma: Annotated[
        float,
        about("Margin", ge=0, le=20),
        "The chosen answer should be more probable than the rejected one by this margin.",
    ] = 0.5


class Simpo(PairObjective):
    needs_reference: ClassVar[bool] = False
    title: ClassVar[str] = "SimPO"
    options: SimpoOptions

    def suits(self, facts: JudgementFacts) -> tuple[int, str]:
        if facts.longer_wins:
            return 2, "Longer answers are preferred, and it compares per token, so that length alone gains nothing."
        return (
            4,
            "It compares the answers per token and needs no second pass, but may move far from the model as it was.",
        )

    def trl(self) -> TrlTrainer:
        raise not_in_trl(self.title)

    def losses(self, policy: AnswerLogps, reference: AnswerLogps | None) -> Any:
        from workbench.training.preference_losses import simpo

        return simpo(*policy.pairs(policy.means), self.options.beta, self.options.gamma)

    def rewards(self, policy: AnswerLogps, reference: AnswerLogps | None) -> Any:
        return self.options.beta * policy.means


ROW = Method(
    name="simpo",
    kind="objective",
    technique="preference",
    title="SimPO",
    family=FROM_PREFERENCES,
    summary="The model learns from pairs by the mean probability of each answer, whatever its length, without a "
    "reference model.",
    source="Meng et al. 2024, SimPO: Simple Preference Optimization with a Reference-Free Reward, arXiv:2405.14734",
    config=SimpoOptions,
    entry=f"{__name__}:Simpo",
    served="The method of the weights decides what the result is.",
    cost="A pair takes as long as its prompt and both answers.",
)
