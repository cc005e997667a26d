"""DPO: the chosen answer is made more probable against the rejected one, measured from the model before (Rafailov et
al. 2023, arXiv:2305.18290), with label smoothing, its unbiased form, and a term that keeps the chosen answer likely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from workbench.base.fields import about
from workbench.records.judgement_reports import JudgementFacts
from workbench.records.methods import Method
from workbench.training.objectives.objective import FROM_PREFERENCES
from workbench.training.objectives.preferences import PairObjective
from workbench.training.trl_trainer import PAIR_METRICS, TrlTrainer

if TYPE_CHECKING:
    from workbench.training.answer_pairs import AnswerLogps


class DpoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of DPO."""

    beta: Annotated[
        float, about("Beta", gt=0, le=10), "The model stays closer to the reference model at a larger value."
    ] = 0.1
    label_smoothing: Annotated[
        float, about("Label smoothing", ge=0, lt=0.5), "This share of the preferences is expected to be wrong."
    ] = 0.0
    robust: Annotated[
        bool,
        about("Robust", when="label_smoothing", advanced=True),
        "The loss is corrected for wrong preferences without bias, instead of smoothing them.",
    ] = False
    sft_weight: Annotated[
        float,
        about("Weight of the chosen answer", ge=0, le=10),
        "The supervised loss of the chosen answer is added with this weight, so that the answer does not become less "
        "probable.",
    ] = 0.0


class Dpo(PairObjective):
    title: ClassVar[str] = "DPO"
    options: DpoOptions

    def suits(self, facts: JudgementFacts) -> tuple[int, str]:
        return 1, "It is the usual choice for pairs, and stays close to the model as it was."

    def trl(self) -> TrlTrainer:
        """TRL's plain loss has no label smoothing: the smoothed loss is a sum of its plain and its robust one."""
        options = self.options
        wrong = options.label_smoothing
        losses = {"sigmoid": 1.0}
        if options.robust:
            losses = {"robust": 1.0}
        elif wrong:
            losses = {"sigmoid": 2 * (1 - wrong), "robust": 2 * wrong - 1}
        notes: tuple[str, ...] = ()
        if options.sft_weight:
            losses["sft"] = options.sft_weight
            notes = ("The supervised term is the mean over the tokens of a micro-batch, not over its answers.",)
        return TrlTrainer(
            trainer="DPOTrainer",
            form="pairs",
            arguments={
                "beta": options.beta,
                "label_smoothing": wrong,
                "loss_type": list(losses),
                "loss_weights": list(losses.values()),
                "max_length": None,
                "disable_dropout": False,
            },
            metrics=PAIR_METRICS,
            notes=notes,
        )

    def losses(self, policy: AnswerLogps, reference: AnswerLogps | None) -> Any:
        from workbench.training.preference_losses import dpo

        assert reference is not None
        options = self.options
        chosen, rejected = policy.pairs(policy.sums - reference.sums)
        losses = dpo(chosen - rejected, options.beta, options.label_smoothing, options.robust)
        if options.sft_weight:
            losses = losses - options.sft_weight * policy.pairs(policy.means)[0]
        return losses

    def rewards(self, policy: AnswerLogps, reference: AnswerLogps | None) -> Any:
        return self.options.beta * super().rewards(policy, reference)


ROW = Method(
    name="dpo",
    kind="objective",
    technique="preference",
    title="DPO",
    family=FROM_PREFERENCES,
    summary="The model learns from pairs of answers which one is preferred, without a reward model.",
    source="Rafailov et al. 2023, Direct Preference Optimization, arXiv:2305.18290",
    config=DpoOptions,
    entry=f"{__name__}:Dpo",
    served="The method of the weights decides what the result is.",
    cost="A pair takes as long as its prompt and both answers, and one more pass without gradient in the first epoch.",
)
