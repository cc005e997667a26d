"""IPO: the margin between the two answers is drawn to a fixed size instead of growing for ever (Azar et al. 2023,
arXiv:2310.12036). Log-ratios are means per token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from workbench.base.fields import about
from workbench.records.judgement_reports import JudgementFacts
from workbench.records.methods import Method
from workbench.training.objectives.objective import FROM_PREFERENCES
from workbench.training.objectives.preferences import MANY_CONFLICTS, PairObjective
from workbench.training.trl_trainer import TrlTrainer

if TYPE_CHECKING:
    from workbench.training.answer_pairs import AnswerLogps


class IpoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of IPO."""

    beta: Annotated[
        float,
        about("Beta", gt=0, le=10),
        "The margin aimed at is 1 / (2 beta), so that the model stays closer to the reference model at a larger value.",
    ] = 0.1


class Ipo(PairObjective):
    title: ClassVar[str] = "IPO"
    options: IpoOptions

    def suits(self, facts: JudgementFacts) -> tuple[int, str]:
        if facts.conflicting > MANY_CONFLICTS:
            return (
                0,
                "Some of these preferences contradict each other, and IPO pushes no answer further than its margin.",
            )
        return 3, "It suits preferences that are not always right, since it pushes no answer further than its margin."

    def trl(self) -> TrlTrainer:
        return TrlTrainer(
            trainer="DPOTrainer",
            form="pairs",
            arguments={
                "beta": self.options.beta,
                "loss_type": ["ipo"],
                "max_length": None,
                "disable_dropout": False,
            },
        )

    def losses(self, policy: AnswerLogps, reference: AnswerLogps | None) -> Any:
        from workbench.training.preference_losses import ipo

        chosen, rejected = policy.pairs(self.rewards(policy, reference))
        return ipo(chosen - rejected, self.options.beta)

    def rewards(self, policy: AnswerLogps, reference: AnswerLogps | None) -> Any:
        assert reference is not None
        return policy.means - reference.means


ROW = Method(
    name="ipo",
    kind="objective",
    technique="preference",
    title="IPO",
    family=FROM_PREFERENCES,
    summary="The model learns from pairs as in DPO, with a bounded margin, which overfits less where preferences "
    "are one-sided.",
    source="Azar et al. 2023, A General Theoretical Paradigm to Understand Learning from Human Preferences, "
    "arXiv:2310.12036",
    config=IpoOptions,
    entry=f"{__name__}:Ipo",
    served="The method of the weights decides what the result is.",
    cost="It costs as much as DPO.",
)
